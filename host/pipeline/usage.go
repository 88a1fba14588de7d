package pipeline

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// Usage counts what each module version does.
type Usage struct {
	mu        sync.Mutex
	by        map[usageKey]*Used
	histories map[usageKey]*history
	swept     int64 // log time, ns
}

type usageKey struct {
	tenant storage.Tenant
	name   string
	digest string
}

// Used is what a module version has done since the host started.
type Used struct {
	Calls, Records, Events, Errors uint64
	Fuel                           int64
	LastError                      string
	LastFuel                       int64         // that the last failed call took
	LastTook                       time.Duration // from handing its batch over until it was stopped; for people, no verdict rests on it
}

func newUsage() *Usage { return &Usage{by: map[usageKey]*Used{}, histories: map[usageKey]*history{}} }

func keyOf(m *module.Loaded) usageKey { return usageKey{m.Tenant, m.Name(), m.Install.Digest} }

// add counts one call at a log time in ns; last is what it failed on last, or nil.
func (u *Usage) add(m *module.Loaded, at int64, records, events int, fuel int64, errs int, last *Poison) {
	u.mu.Lock()
	defer u.mu.Unlock()
	k := keyOf(m)
	c, ok := u.by[k]
	if !ok {
		c = &Used{}
		u.by[k] = c
	}
	c.Calls++
	c.Records += uint64(records)
	c.Events += uint64(events)
	c.Fuel += fuel
	c.Errors += uint64(errs)
	if last != nil {
		c.LastError, c.LastFuel, c.LastTook = last.Code+": "+last.Detail, last.Fuel, last.Took
	}
	if h := u.historyOf(k, at); h != nil {
		h.add(at, Minute{Calls: 1, Records: uint64(records), Events: uint64(events), Errors: uint64(errs), Fuel: fuel, Memory: m.Code.Memory()})
	}
}

// Of returns what a module version has done.
func (u *Usage) Of(m *module.Loaded) Used { return u.ofKey(keyOf(m)) }

// OfInstall is Of for a version of a layer that need not be loaded, such as one that was switched off.
func (u *Usage) OfInstall(t storage.Tenant, in module.Install) Used {
	return u.ofKey(usageKey{t, in.Name, in.Digest})
}

func (u *Usage) ofKey(k usageKey) Used {
	u.mu.Lock()
	defer u.mu.Unlock()
	if c, ok := u.by[k]; ok {
		return *c
	}
	return Used{}
}

// A module that fails failuresAllowed records of one organization within failureWindow of log time is taken out.
const (
	failuresAllowed = 50
	failureWindow   = int64(time.Minute)
	probation       = int64(time.Hour) // after its activation a shared version that fails is rolled back for all
	failingPairs    = 1024             // modules and organizations remembered before those that failed long ago are forgotten
)

// failures remembers when modules failed on whose records. It belongs to the sequencer.
type failures struct{ by map[failureKey]*failing }

type failureKey struct {
	usageKey
	records storage.Tenant // whose records they were
	seq     uint64         // of the control record that activated the module
}

type failing struct {
	at    []int64 // log times, the newest at the end
	asked bool    // to be taken out: what still fails was in the log before
}

func newFailures() *failures { return &failures{by: map[failureKey]*failing{}} }

// failed notes failures and reports, once for each module and organization, that they are too many.
func (f *failures) failed(x *Poison, now int64) bool {
	k := failureKey{keyOf(x.Module), x.Tenant, x.Module.Install.Seq}
	b := f.by[k]
	if b == nil {
		if len(f.by) >= failingPairs {
			f.forget(now)
		}
		b = &failing{}
		f.by[k] = b
	}
	if b.asked {
		return false
	}
	for range min(1+x.Others, failuresAllowed) {
		b.at = append(b.at, now)
	}
	for b.at[0] < now-failureWindow {
		b.at = b.at[1:]
	}
	b.asked = len(b.at) >= failuresAllowed
	return b.asked
}

func (f *failures) forget(now int64) {
	for k, b := range f.by {
		if b.at[len(b.at)-1] < now-failureWindow {
			delete(f.by, k)
		}
	}
}

// remedy is the control record against a module that keeps failing. An organization's own module gives way to the
// version before, and so does a new shared one. One that has served everybody well is switched off only for the
// organization whose records it fails on: nobody's records can take a parser from the others.
func remedy(r module.Running, x *Poison, now int64) module.Control {
	in := x.Module.Install
	c := module.Control{
		Kind: module.Suspend, Tenant: x.Module.Tenant, Name: x.Module.Name(), Who: incident.ByVedette, Digest: in.Digest,
		Reason: fmt.Sprintf("%d records failed within a minute, the last with %s: %s", failuresAllowed, x.Code, x.Detail),
	}
	if len(c.Reason) > maxReasonBytes {
		c.Reason = strings.ToValidUTF8(c.Reason[:maxReasonBytes], "")
	}
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
