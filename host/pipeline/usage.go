package pipeline

import (
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// Usage counts what each module version does.
type Usage struct {
	mu sync.Mutex
	by map[usageKey]*Used
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
}

func newUsage() *Usage { return &Usage{by: map[usageKey]*Used{}} }

func keyOf(m *module.Loaded) usageKey { return usageKey{m.Tenant, m.Name(), m.Install.Digest} }

// add counts one call.
func (u *Usage) add(m *module.Loaded, records, events int, fuel int64, errs int, last string) {
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
	if last != "" {
		c.LastError = last
	}
}

// Of returns what a module version has done.
func (u *Usage) Of(m *module.Loaded) Used {
	u.mu.Lock()
	defer u.mu.Unlock()
	if c, ok := u.by[keyOf(m)]; ok {
		return *c
	}
	return Used{}
}

// A module that fails failuresAllowed records within failureWindow of log time is taken out.
const (
	failuresAllowed = 50
	failureWindow   = int64(time.Minute)
)

// failures remembers when modules failed. It belongs to the sequencer.
type failures struct{ at map[usageKey][]int64 }

func newFailures() *failures { return &failures{at: map[usageKey][]int64{}} }

// failed notes a failure and reports whether it is one too many; it then starts anew.
func (f *failures) failed(m *module.Loaded, now int64) bool {
	k := keyOf(m)
	at := append(f.at[k], now)
	for len(at) > 0 && at[0] < now-failureWindow {
		at = at[1:]
	}
	if len(at) < failuresAllowed {
		f.at[k] = at
		return false
	}
	delete(f.at, k)
	return true
}
