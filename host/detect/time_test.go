package detect

import (
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// TestTimeOfEvent: rules see the time of an event as a field, without allocating, and an own field of that name before it.
func TestTimeOfEvent(t *testing.T) {
	r, err := rule.Parse("r.yaml", []byte("kind: pattern\nid: night\nname: n\nversion: 1.0.0\nseverity: low\nincident: {title: t}\n"+
		"subs: {a: {where: {\"@timestamp|hour\": [22, 23]}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := Compile([]*rule.Rule{r})
	if err != nil {
		t.Fatal(err)
	}
	var sc Scratch
	at := time.Date(2026, 3, 1, 22, 59, 59, 5, time.UTC)
	own := []storage.Field{{Name: rule.FieldTime, Value: "2026-03-01T23:00:00+09:00"}}
	for _, c := range []struct {
		ev   storage.Event
		want int
	}{
		{storage.Event{Time: at.UnixNano()}, 1},
		{storage.Event{Time: at.Add(-time.Hour).UnixNano()}, 0},
		{storage.Event{Time: at.Add(-time.Hour).UnixNano(), Fields: own}, 1},
		{storage.Event{}, 0},
	} {
		if got := len(set.Match(&c.ev, &sc)); got != c.want {
			t.Errorf("%v matches %d, want %d", c.ev, got, c.want)
		}
		value, ok := rule.Value(&c.ev, rule.FieldTime)
		if ok != (c.ev.Time != 0) || c.ev.Fields != nil && value != own[0].Value {
			t.Errorf("%v has %q", c.ev, value)
		}
	}
	ev := &storage.Event{Time: at.UnixNano()}
	if n := testing.AllocsPerRun(100, func() { set.Match(ev, &sc) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
