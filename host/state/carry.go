package state

import (
	"time"

	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Next is how a module that runs from now on keeps its state.
type Next struct {
	Version uint32
	// Carry says what becomes of state that was kept in another way.
	Carry func(from uint32) manifest.Carry
	// Migrate fills a new space with what the module makes of an old one, which it does not change.
	Migrate func(from uint32, old, into *state.Space) error
}

// Returned is how state passes back to a version that takes over again while the one after it is on probation: as it was.
const Returned manifest.Carry = "returned"

// Carried says what became of the state of one module for one organization.
type Carried struct {
	Tenant storage.Tenant
	Module string // "publisher/name"
	How    manifest.Carry
	From   uint32 // state versions
	To     uint32
	Before int   // keys
	After  int   // keys
	At     int64 // of Returned: log time, in ns, from which on nothing was added to it
	Err    error // the migration failed: the module has begun with nothing, and the state before is set aside
}

// maxAside is how many earlier states of a module are kept for an organization.
const maxAside = 3

// Settle decides about the state of an organization's modules whose running version keeps it in another way. next says
// how a module does; false for one that does not run: it may come back. What was there is set aside for as long as the
// new version is on probation, and comes back with a version that keeps its state in that way.
func (s *State) Settle(t storage.Tenant, probation time.Duration, next func(module string) (Next, bool)) []Carried {
	owner := s.tenants[t]
	if owner == nil {
		return nil
	}
	var out []Carried
	for _, name := range owner.names() {
		h := owner.modules[name]
		n, runs := next(name)
		if !runs || n.Version == h.version {
			continue
		}
		c := Carried{Tenant: t, Module: name, From: h.version, To: n.Version, Before: h.space.Len()}
		if !s.bringBack(h, &c) {
			s.replace(owner, h, n, &c, s.now+int64(probation))
		}
		c.After = h.space.Len()
		s.reports = append(s.reports, reportOf(&c)...)
		out = append(out, c)
	}
	return out
}

// bringBack gives a module what it kept itself, if that was set aside.
func (s *State) bringBack(h *held, c *Carried) bool {
	for n := len(h.aside) - 1; n >= 0; n-- {
		a := h.aside[n]
		if a.version != c.To {
			continue
		}
		h.space.Free()
		for _, later := range h.aside[n+1:] {
			later.space.Free()
		}
		h.aside = h.aside[:n]
		h.space, h.version, h.rebuilt = a.space, a.version, true
		c.How, c.At = Returned, a.at
		return true
	}
	return false
}

// replace sets aside what a module has kept and gives it a space of the new version.
func (s *State) replace(owner *tenant, h *held, n Next, c *Carried, until int64) {
	old := &aside{version: h.version, space: h.space, at: s.now, until: until}
	c.How = n.Carry(h.version)
	space := state.New(s.lim.Module, &owner.budget)
	if c.How == manifest.Migrated {
		if c.Err = n.Migrate(h.version, old.space, space); c.Err != nil {
			space.Free()
			space = state.New(s.lim.Module, &owner.budget)
		}
	}
	if h.aside = append(h.aside, old); len(h.aside) > maxAside {
		h.aside[0].space.Free()
		h.aside = append(h.aside[:0], h.aside[1:]...)
	}
	h.space, h.version, h.rebuilt = space, n.Version, c.How == manifest.Migrated
}

// forgetAside frees what was set aside until a log time.
func (h *held) forgetAside(now int64) {
	kept := h.aside[:0]
	for _, a := range h.aside {
		if a.until > now {
			kept = append(kept, a)
		} else {
			a.space.Free()
		}
	}
	clear(h.aside[len(kept):])
	h.aside = kept
}

func reportOf(c *Carried) []Report {
	switch {
	case c.Err != nil:
		return []Report{{c.Tenant, c.Module, Failed, c.Before}}
	case c.How == manifest.Dropped && c.Before > 0:
		return []Report{{c.Tenant, c.Module, Dropped, c.Before}}
	}
	return nil
}

// Rebuilds reports whether a module begins anew for an organization: nothing was kept, and stored events were not looked
// at yet. From then on they were.
func (s *State) Rebuilds(t storage.Tenant, module string, version uint32) bool {
	s.Of(t, module, version)
	h := s.tenants[t].modules[module]
	first := !h.rebuilt
	h.rebuilt = true
	return first
}
