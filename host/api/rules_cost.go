package api

import (
	"context"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// workloads remembers on which events the cost of rules is measured: who goes from rule to rule asks for one after another.
type workloads struct {
	mu sync.Mutex // one measurement at a time: two would each measure the other, too
	by map[arrivalKey]*workload
}

// workload is the newest events of an organization at some time, and what was measured on them.
type workload struct {
	at     time.Time
	events []storage.Event
	gen    *module.Generation
	all    float64 // ns per event, of all rules of gen together
	costs  map[*rule.Rule]*v1.RuleCost
}

// cost says what matching takes on the newest events of the organization; nil when there are none, or the caller may not
// read them.
func (s ruleService) cost(ctx context.Context, a asked, x *installed) (*v1.RuleCost, error) {
	if readable := tenant.Authorize(a.Principal, tenant.ReadEvents, a.tenant) == nil; !readable || x.off != "" {
		return nil, nil
	}
	s.workloads.mu.Lock()
	defer s.workloads.mu.Unlock()
	of, err := s.workloads.of(ctx, s.cfg.Store, a)
	if err != nil || len(of.events) == 0 {
		return nil, err
	}
	return of.measure(a.gen, a.gen.View(a.tenant), x.rule)
}

// of returns the workload of an organization. The lock is held.
func (x *workloads) of(ctx context.Context, store *logs.Store, a asked) (*workload, error) {
	key, now := arrivalKey{a.tenant, a.Filter}, time.Now()
	for k, had := range x.by {
		if now.Sub(had.at) >= workloadFresh {
			delete(x.by, k)
		}
	}
	if had := x.by[key]; had != nil {
		return had, nil
	}
	out := &workload{at: now, costs: map[*rule.Rule]*v1.RuleCost{}}
	q := logs.Query{From: now.Add(-arrivalSpan), To: now.Add(time.Hour), Limit: costSample}
	_, err := store.Search(ctx, a.on(), q, func(rows []logs.Row) error {
		for i := range rows {
			e, err := rows[i].Event()
			if err != nil {
				return err
			}
			out.events = append(out.events, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(x.by) >= maxWorkloads {
		clear(x.by)
	}
	if x.by == nil {
		x.by = map[arrivalKey]*workload{}
	}
	x.by[key] = out
	return out, nil
}

// measure returns what a rule takes of each event, alone and together with all others. Each is measured once.
func (x *workload) measure(gen *module.Generation, view *module.View, r *rule.Rule) (*v1.RuleCost, error) {
	if x.gen != gen {
		var scratch detect.Scratch
		x.gen = gen
		x.all = x.time(func(e *storage.Event) { view.Rules.Match(e, &scratch) })
		clear(x.costs) // of rules that may be gone, in sets that are
	}
	if known := x.costs[r]; known != nil {
		return known, nil
	}
	match, err := view.Matcher(r)
	if err != nil {
		return nil, err
	}
	out := &v1.RuleCost{Events: uint32(len(x.events)), AllNsPerEvent: x.all}
	out.NsPerEvent = x.time(func(e *storage.Event) {
		if len(match(e)) > 0 {
			out.Matched++
		}
	})
	out.Matched /= timeRounds
	x.costs[r] = out
	return out, nil
}

// timeRounds is how often a workload is gone through: the first round grows the memory that the second uses.
const timeRounds = 2

// time returns how many ns something takes of an event, in the last round.
func (x *workload) time(do func(*storage.Event)) float64 {
	var took time.Duration
	for range timeRounds {
		began := time.Now()
		for i := range x.events {
			do(&x.events[i])
		}
		took = time.Since(began)
	}
	return float64(took) / float64(len(x.events))
}
