package pipeline

import (
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// TestBreaker: a module that comes back and fails again has fewer and fewer records to fail on; an hour without a failure
// makes it good, and nobody's failures count for others.
func TestBreaker(t *testing.T) {
	f := newFailures()
	now := int64(time.Hour)
	fail := func(records storage.Tenant, fuel int64) int {
		now += int64(time.Millisecond)
		return f.failed(&Poison{Tenant: records, Fuel: fuel, Module: &module.Loaded{Tenant: 1, Install: module.Install{Name: "a/b", Digest: "d"}}}, now)
	}
	until := func(records storage.Tenant, fuel int64) (n int) {
		for n = 1; fail(records, fuel) == 0; n++ {
			if n > failuresAllowed {
				t.Fatal("it is never taken out")
			}
		}
		return n
	}
	for _, want := range []int{50, 25, 12, 6, 3, 1, 1, 1} {
		if got := until(1, 1); got != want {
			t.Errorf("taken out after %d records, want %d", got, want)
		}
		for range 3 {
			if n := fail(1, 1); n != 0 {
				t.Errorf("asked for again, after %d records, before it was taken out", n)
			}
		}
		if n := fail(2, 1); n != 0 {
			t.Errorf("another organization's record: taken out after %d", n)
		}
		f.taken(&module.Control{Kind: module.Suspend, Tenant: 3, Name: "a/b"}) // of somebody else
		f.taken(&module.Control{Kind: module.Suspend, Tenant: 1, Name: "a/b"})
	}
	now += failuresForgot
	if got := until(1, 1); got != failuresAllowed {
		t.Errorf("after an hour without a failure: taken out after %d records, want %d", got, failuresAllowed)
	}
	f = newFailures()
	if got := until(1, failureFuel/4); got != 5 {
		t.Errorf("taken out after %d records that took a quarter of the fuel each", got)
	}
	f = newFailures()
	for range 3 * failuresAllowed {
		now += failureWindow / (failuresAllowed - 2)
		if n := fail(1, 1); n != 0 {
			t.Fatalf("taken out after %d records within a minute", n)
		}
	}
}
