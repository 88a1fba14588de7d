package state

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/vedette-siem/vedette/storage"
)

// Owner names the state of one module for one organization.
type Owner struct {
	Tenant  storage.Tenant
	Module  string // "publisher/name"
	Version uint32 // in which it is kept
}

// alarm says when to look at the timers of one module. It may be too early, never too late.
type alarm struct {
	at int64 // log time, ns
	h  *held
}

// alarms is a heap by time. Of one module the first counts; others are left over.
type alarms []alarm

func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].at < a[j].at }
func (a alarms) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *alarms) Push(x any)        { *a = append(*a, x.(alarm)) }
func (a *alarms) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = alarm{}
	*a = (*a)[:last]
	return x
}

// Due returns whose timers are due at the log time that Advance was told last, in the order of organizations and modules.
// One is named again when Of was called for it, or after Wake.
func (s *State) Due() []Owner {
	for _, h := range s.touched {
		h.touched = false
		s.watch(h)
	}
	clear(s.touched)
	s.touched = s.touched[:0]
	var due []Owner
	for len(s.alarms) > 0 && s.alarms[0].at <= s.now {
		x := heap.Pop(&s.alarms).(alarm)
		if x.at != x.h.alarm {
			continue // an earlier one was seen
		}
		x.h.alarm = 0
		if s.tenants[x.h.tenant] == nil || s.tenants[x.h.tenant].modules[x.h.module] != x.h {
			continue // it is forgotten
		}
		switch at, ok := x.h.space.Alarm(); {
		case ok && at <= s.now:
			due = append(due, Owner{x.h.tenant, x.h.module, x.h.version})
		case ok: // it was put off
			s.watch(x.h)
		}
	}
	slices.SortFunc(due, func(a, b Owner) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Module, b.Module))
	})
	return due
}

// Wake looks at the timers of all modules anew: others may run than before.
func (s *State) Wake() {
	for _, owner := range s.tenants {
		for _, h := range owner.modules {
			s.watch(h)
		}
	}
}

// watch makes sure that a module's first timer is not missed.
func (s *State) watch(h *held) {
	at, ok := h.space.Alarm()
	if ok && (h.alarm == 0 || at < h.alarm) {
		h.alarm = at
		heap.Push(&s.alarms, alarm{at, h})
	}
}
