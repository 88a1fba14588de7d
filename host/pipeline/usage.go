package pipeline

import (
	"sync"
	"time"

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

// add counts what calls of a module took, at a log time in ns.
func (u *Usage) add(x *spent, at int64) {
	did := Minute{
		Calls: uint64(x.used[storage.Calls]), Records: uint64(x.used[storage.Records]), Events: uint64(x.used[storage.Events] + x.used[storage.Findings]),
		Errors: uint64(x.used[storage.Errors]), Fuel: x.used[storage.Fuel], Memory: x.mod.Code.Memory(),
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	k := keyOf(x.mod)
	c, ok := u.by[k]
	if !ok {
		c = &Used{}
		u.by[k] = c
	}
	c.Calls += did.Calls
	c.Records += did.Records
	c.Events += did.Events
	c.Fuel += did.Fuel
	c.Errors += did.Errors
	if x.last != nil {
		c.LastError, c.LastFuel, c.LastTook = x.last.Code+": "+x.last.Detail, x.last.Fuel, x.last.Took
	}
	if h := u.historyOf(k, at); h != nil {
		h.add(at, did)
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
