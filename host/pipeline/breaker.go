package pipeline

import (
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// A module that fails too many records of one organization within failureWindow of log time, or takes too much fuel to
// fail on them, is taken out. Each time that it comes back and is taken out again half as many are too many, down to one:
// whoever puts a broken module back again and again gets less and less of the machine for it. An hour without a failure
// makes that good.
const (
	failuresAllowed = 50
	failureFuel     = int64(1_000_000_000) // about what 250 records without a limit of their own take, half a second
	failureWindow   = int64(time.Minute)
	failuresForgot  = int64(time.Hour)
	probation       = int64(time.Hour) // after its activation a shared version that fails is rolled back for all
	failingPairs    = 1024             // modules and organizations remembered before those that failed long ago are forgotten
)

// failures remembers when modules failed on whose records. It belongs to the sequencer.
type failures struct{ by map[failureKey]*failing }

type failureKey struct {
	usageKey
	records storage.Tenant // whose records they were
}

type failing struct {
	within []failure // failureWindow, the newest at the end
	fuel   int64     // of these
	asked  bool      // to be taken out: what still fails was in the log before
	times  int       // that it was taken out
}

// failure is some records that a module failed on at once.
type failure struct {
	at      int64 // log time, ns
	records int
	fuel    int64
}

func newFailures() *failures { return &failures{by: map[failureKey]*failing{}} }

// failed notes failures and reports, once until the module is taken out, on how many records it failed when they are too
// many; else 0.
func (f *failures) failed(x *Poison, now int64) (records int) {
	k := failureKey{keyOf(x.Module), x.Tenant}
	b := f.by[k]
	if b == nil {
		if len(f.by) >= failingPairs {
			f.forget(now)
		}
		b = &failing{}
		f.by[k] = b
	}
	if b.asked {
		return 0
	}
	if n := len(b.within); n > 0 && b.within[n-1].at < now-failuresForgot {
		*b = failing{}
	}
	b.within, b.fuel = append(b.within, failure{now, 1 + x.Others, x.Fuel}), b.fuel+x.Fuel
	for b.within[0].at < now-failureWindow {
		b.fuel -= b.within[0].fuel
		b.within = b.within[1:]
	}
	for _, w := range b.within {
		records += w.records
	}
	if b.asked = records >= max(failuresAllowed>>b.times, 1) || b.fuel > failureFuel>>b.times; !b.asked {
		return 0
	}
	return records
}

// taken notes that a control record took effect: what fails from here on fails again.
func (f *failures) taken(c *module.Control) {
	for k, b := range f.by {
		if b.asked && k.name == c.Name && (k.tenant == c.Tenant || k.records == c.Tenant) {
			b.asked, b.times = false, b.times+1
			b.within, b.fuel = b.within[len(b.within)-1:], 0
			b.within[0].records, b.within[0].fuel = 0, 0 // when it was is remembered
		}
	}
}

func (f *failures) forget(now int64) {
	for k, b := range f.by {
		if b.within[len(b.within)-1].at < now-failureWindow {
			delete(f.by, k)
		}
	}
}

// remedy is the control record against a module that keeps failing. An organization's own module gives way to the
// version before, and so does a new shared one. One that has served everybody well is switched off only for the
// organization whose records it fails on: nobody's records can take a parser from the others.
func remedy(r module.Running, x *Poison, now int64, records int) module.Control {
	in := x.Module.Install
	c := module.Control{
		Kind: module.Suspend, Tenant: x.Module.Tenant, Name: x.Module.Name(), Who: incident.ByVedette, Digest: in.Digest,
		Reason: fmt.Sprintf("it failed on %d of its records within a minute, on the last with %s: %s", records, x.Code, x.Detail),
	}
	c.Reason = clipReason(c.Reason)
	slot := r.Layer(c.Tenant).Slots[c.Name]
	proven := c.Tenant == storage.NoTenant && (slot.Undone != "" || now-in.At > probation)
	switch {
	case !proven && r.CanRollback(c.Tenant, c.Name):
		c.Kind = module.Rollback
	case c.Tenant == storage.NoTenant:
		c.Tenant = x.Tenant
	}
	return c
}

const maxReasonBytes = 2048
