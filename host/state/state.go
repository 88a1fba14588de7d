// Package state keeps what rules with code remember, for each organization and module, as part of what follows from the
// log.
//
// The calls themselves are sdk/go/state. Here is who has which part of it, what all of it may take, and how it outlives
// the process: it changes only by messages of the log, in their order, and its snapshot is part of the checkpoint.
package state

import (
	"slices"

	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/storage"
)

// Limits bound what is kept. Zero means the default beside the field.
type Limits struct {
	Module      state.Limits // of one module for one organization
	TenantBytes int          // 64 MiB: all modules of one organization
	Bytes       int          // 512 MiB: all together
}

func (l Limits) withDefaults() Limits {
	if l.TenantBytes == 0 {
		l.TenantBytes = 64 << 20
	}
	if l.Bytes == 0 {
		l.Bytes = 512 << 20
	}
	return l
}

// Log time, in ns.
const (
	sweepEvery  = int64(60e9)  // what expired is removed from modules that are not called
	reportEvery = int64(600e9) // what one module lost is told
)

// Report is something that an operator should know.
type Report struct {
	Tenant storage.Tenant
	Module string // "publisher/name"
	Kind   ReportKind
	Keys   int // concerned; of Refused: calls
}

// ReportKind says what happened.
type ReportKind string

// The kinds of report.
const (
	Evicted ReportKind = "evicted" // keys of windows made room for others: the quota is full
	Refused ReportKind = "refused" // calls were answered with E_LIMIT: the quota is full
	Dropped ReportKind = "dropped" // another version of the module keeps its state in another way
	Failed  ReportKind = "failed"  // another version could not migrate it: the state is set aside and the version goes
)

// State is all of it. It belongs to one goroutine.
type State struct {
	lim     Limits
	all     *state.Budget
	tenants map[storage.Tenant]*tenant
	now     int64
	swept   int64
	used    []*held // since reports were last asked for
	touched []*held // since Due was last asked: their timers may have changed
	alarms  alarms
	reports []Report
}

type tenant struct {
	budget  state.Budget
	modules map[string]*held
}

// held is the state of one module for one organization.
type held struct {
	tenant   storage.Tenant
	module   string
	version  uint32
	space    *state.Space
	rebuilt  bool       // it began with what stored events say, which is not to be looked at again
	aside    []*aside   // what versions before it kept, the newest last
	lost     state.Lost // and not told yet
	reported int64
	marked   bool  // it is in State.used
	touched  bool  // it is in State.touched
	alarm    int64 // log time of its entry in State.alarms that counts; 0: it has none
}

// aside is what an earlier version kept. Nobody changes it, so that a rollback finds it.
type aside struct {
	version uint32
	space   *state.Space
	at      int64 // log time at which it was set aside
	until   int64 // log time at which the version after it is no longer on probation
}

// New returns an empty state.
func New(l Limits) *State {
	l = l.withDefaults()
	return &State{lim: l, all: &state.Budget{Max: l.Bytes}, tenants: map[storage.Tenant]*tenant{}}
}

// Of returns the space of a module that keeps its state in the given version, for one organization. Settle has decided
// about state of other versions; where nobody has called it, such state is dropped.
func (s *State) Of(t storage.Tenant, module string, version uint32) *state.Space {
	owner := s.owner(t)
	h := owner.modules[module]
	if h != nil && h.version != version {
		s.drop(h)
		h = nil
	}
	if h == nil {
		h = &held{tenant: t, module: module, version: version, space: state.New(s.lim.Module, &owner.budget), reported: s.now - reportEvery}
		owner.modules[module] = h
	}
	if !h.marked {
		h.marked = true
		s.used = append(s.used, h)
	}
	if !h.touched {
		h.touched = true
		s.touched = append(s.touched, h)
	}
	return h.space
}

func (s *State) owner(t storage.Tenant) *tenant {
	owner := s.tenants[t]
	if owner == nil {
		owner = &tenant{budget: state.Budget{Max: s.lim.TenantBytes, Parent: s.all}, modules: map[string]*held{}}
		s.tenants[t] = owner
	}
	return owner
}

func (s *State) drop(h *held) {
	if n := h.space.Len(); n > 0 {
		s.reports = append(s.reports, Report{h.tenant, h.module, Dropped, n})
	}
	h.free()
	delete(s.tenants[h.tenant].modules, h.module)
}

func (h *held) free() {
	h.space.Free()
	for _, a := range h.aside {
		a.space.Free()
	}
}

// Advance lets log time pass, in ns. Once a minute it removes what has expired everywhere.
func (s *State) Advance(at int64) {
	s.now = max(s.now, at)
	if s.now-s.swept < sweepEvery {
		return
	}
	s.swept = s.now
	for t, owner := range s.tenants {
		for name, h := range owner.modules {
			h.forgetAside(s.now)
			if h.space.Sweep(s.now); h.space.Len() == 0 && len(h.aside) == 0 && !h.rebuilt {
				delete(owner.modules, name)
			}
		}
		if len(owner.modules) == 0 {
			delete(s.tenants, t)
		}
	}
}

// Tenants returns the organizations that have state, in ascending order.
func (s *State) Tenants() []storage.Tenant {
	out := make([]storage.Tenant, 0, len(s.tenants))
	for t := range s.tenants {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

func (t *tenant) names() []string {
	out := make([]string, 0, len(t.modules))
	for name := range t.modules {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Keys returns how many keys a module keeps for an organization.
func (s *State) Keys(t storage.Tenant, module string) int {
	if owner := s.tenants[t]; owner != nil && owner.modules[module] != nil {
		return owner.modules[module].space.Len()
	}
	return 0
}

// Forget drops all state of an organization.
func (s *State) Forget(t storage.Tenant) {
	owner := s.tenants[t]
	if owner == nil {
		return
	}
	for _, h := range owner.modules {
		h.free()
	}
	delete(s.tenants, t)
}

// Reports returns what happened since the last call. What one module lost is told once in ten minutes of log time.
func (s *State) Reports() []Report {
	kept := s.used[:0]
	for _, h := range s.used {
		l := h.space.Lost()
		h.lost.Evicted += l.Evicted
		h.lost.Refused += l.Refused
		if h.lost != (state.Lost{}) && s.now-h.reported < reportEvery {
			kept = append(kept, h)
			continue
		}
		if h.lost.Evicted > 0 {
			s.reports = append(s.reports, Report{h.tenant, h.module, Evicted, h.lost.Evicted})
		}
		if h.lost.Refused > 0 {
			s.reports = append(s.reports, Report{h.tenant, h.module, Refused, h.lost.Refused})
		}
		if h.lost != (state.Lost{}) {
			h.lost, h.reported = state.Lost{}, s.now
		}
		h.marked = false
	}
	clear(s.used[len(kept):])
	s.used = kept
	r := s.reports
	s.reports = nil
	return r
}
