package api

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vedette-siem/vedette/host/explain"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// arrivals remembers for a while what came for organizations: who looks at a list of rules asks for it again and again.
type arrivals struct {
	mu sync.Mutex
	by map[arrivalKey]*arrival
}

// arrival is what came for an organization, once somebody has asked.
type arrival struct {
	reading sync.Mutex // held by who asks the store; the others want the same answer
	last    atomic.Pointer[arrived]
}

// arrivalKey names an organization, as one whose sight is narrowed sees it.
type arrivalKey struct {
	tenant storage.Tenant
	filter string
}

// arrived is what came for an organization within arrivalSpan.
type arrived struct {
	explain.Arrived
	at    time.Time
	fresh time.Duration // how long it is good enough

	mu    sync.Mutex
	needs map[*rule.Rule][]explain.Need
}

// entry returns the place of the principal's only organization.
func (x *arrivals) entry(p storage.Principal) *arrival {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := arrivalKey{p.Tenants[0], p.Filter}
	if x.by == nil || len(x.by) >= maxArrivalsKept {
		x.by = map[arrivalKey]*arrival{}
	}
	if x.by[key] == nil {
		x.by[key] = &arrival{}
	}
	return x.by[key]
}

// last returns what was known last of the principal's only organization; nil for nothing.
func (x *arrivals) last(p storage.Principal) *arrived { return x.entry(p).last.Load() }

// of returns what came for the principal's only organization; nil when the store does not say.
func (x *arrivals) of(ctx context.Context, a *API, p storage.Principal) *arrived {
	of := x.entry(p)
	if had := of.last.Load(); had.good() {
		return had
	}
	of.reading.Lock()
	defer of.reading.Unlock()
	if had := of.last.Load(); had.good() {
		return had
	}
	ctx, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	now := time.Now()
	got, err := readArrived(ctx, a.cfg.Store, p, now)
	if err != nil {
		return nil // a list of rules is shown whatever the store says
	}
	got.fresh = min(max(minArrivalFresh, arrivalWorth*time.Since(now)), maxArrivalFresh)
	of.last.Store(got)
	return got
}

// good reports whether it is not too old.
func (x *arrived) good() bool { return x != nil && time.Since(x.at) < x.fresh }

func readArrived(ctx context.Context, store *logs.Store, p storage.Principal, now time.Time) (*arrived, error) {
	q := logs.Query{From: now.Add(-arrivalSpan), To: now.Add(time.Hour)}
	names, err := store.FieldNames(ctx, p, q)
	if err != nil {
		return nil, err
	}
	out := &arrived{at: now, Arrived: explain.Arrived{Fields: map[string]uint64{}, Values: map[string][]string{}}, needs: map[*rule.Rule][]explain.Need{}}
	for _, n := range names {
		out.Fields[n.Value] = n.Hits
		out.Events = max(out.Events, n.Hits)
	}
	for _, field := range explain.Listed {
		if out.Fields[field] == 0 {
			continue
		}
		values, err := store.FieldValues(ctx, p, q, field, maxArrivedValues)
		if err != nil {
			return nil, err
		}
		if len(values) == maxArrivedValues {
			continue // there may be more
		}
		out.Values[field] = make([]string, len(values))
		for i, v := range values {
			out.Values[field][i] = v.Value
		}
	}
	return out, nil
}

// missing returns what a rule needs of an organization and did not come.
func (x *arrived) missing(matcher explain.Matcher, r *rule.Rule) []explain.Need {
	x.mu.Lock()
	defer x.mu.Unlock()
	needs, known := x.needs[r]
	if !known {
		needs = explain.Missing(r, matcher, &x.Arrived)
		x.needs[r] = needs
	}
	return needs
}
