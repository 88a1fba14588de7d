package module

import (
	"errors"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

func TestThrottle(t *testing.T) {
	minute := int64(time.Minute)
	apply := func(r Running, seq uint64, at int64, c Control) Running {
		t.Helper()
		next, err := r.Apply(seq, at, c)
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	r := apply(Running{}, 1, 0, Control{Kind: Activate, Name: "p/x", Digest: "d"})
	at := 5*minute + 7
	throttled := apply(r, 2, at, Control{Kind: Throttle, Tenant: 3, Name: "p/x", Reason: "much"})
	for _, c := range []struct {
		tenant storage.Tenant
		at     int64
		want   string
	}{{3, at - 1, ""}, {3, at, "much"}, {3, 6*minute - 1, "much"}, {3, 6 * minute, ""}, {4, at, ""}} {
		if got := throttled.Resting(c.tenant, "p/x", c.at); got != c.want {
			t.Errorf("organization %d at %d: %q, want %q", c.tenant, c.at, got, c.want)
		}
	}
	if r.Resting(3, "p/x", at) != "" {
		t.Error("what ran before was changed")
	}
	for _, c := range []struct {
		c    Control
		at   int64
		want error
	}{
		{Control{Kind: Throttle, Tenant: 3, Name: "p/x"}, at + 1, storage.ErrConflict},
		{Control{Kind: Throttle, Tenant: 3, Name: "p/y"}, at, storage.ErrNotFound},
		{Control{Kind: Throttle, Name: "p/x"}, at, storage.ErrNotFound},
		{Control{Kind: SetQuota, Tenant: 3}, at, storage.ErrInvalid},
		{Control{Kind: SetQuota, Quota: &Quota{}}, at, storage.ErrInvalid},
	} {
		if _, err := throttled.Apply(3, c.at, c.c); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.c, err, c.want)
		}
	}
	again := apply(throttled, 3, 6*minute, Control{Kind: Throttle, Tenant: 3, Name: "p/x", Reason: "again"})
	if again.Resting(3, "p/x", 6*minute+1) != "again" || len(again.Layer(3).Rests) != 1 {
		t.Errorf("rests: %v", again.Layer(3).Rests)
	}
	q := apply(again, 4, 6*minute, Control{Kind: SetQuota, Tenant: 5, Quota: &Quota{Fuel: 9}})
	if q.Layer(5).Quota.Fuel != 9 {
		t.Errorf("quota: %+v", q.Layer(5))
	}
	if q = apply(q, 5, 6*minute, Control{Kind: SetQuota, Tenant: 5, Quota: &Quota{}}); q.Layers.Len() != 2 {
		t.Error("an organization that has what all have costs nothing")
	}
}

func TestQuotaOver(t *testing.T) {
	q := Quota{Fuel: 10, LogLines: -1}.Or(Quota{Fuel: 99, OutputBytes: 5, LogLines: 7, StateBytes: 1, Requests: 1, RequestBytes: 1})
	for _, c := range []struct {
		used storage.Used
		want string
	}{
		{storage.Used{storage.Fuel: 10, storage.BytesOut: 5, storage.LogLines: 1 << 40}, ""},
		{storage.Used{storage.Fuel: 11}, "11 units of fuel in a minute, 10 are allowed"},
		{storage.Used{storage.BytesOut: 6}, "6 bytes of output in a minute, 5 are allowed"},
		{storage.Used{storage.Requests: 2}, "2 requests in a minute, 1 are allowed"},
	} {
		if got := q.Over(&c.used); got != c.want {
			t.Errorf("%v: %q, want %q", c.used, got, c.want)
		}
	}
}
