package replay

import (
	"fmt"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/storage"
)

// clock is a way in which the watermark may have moved, of which the exported records are only a part of the reason.
type clock int

const (
	slowest clock = iota // as slowly as the log allows: some other sender held it back
	own                  // as these records moved it: the others' clocks were right
	fastest              // as fast as the log allows
	clocks
)

// judge runs the rule over what it selected, and compares the incident. Where nothing came late all clocks give the
// same; where something did, the one that gives what is stored is the one that was.
func (r *run) judge() error {
	var first *storage.Incident
	agree := true
	for c := range clocks {
		got, firings := r.incident(c)
		d := r.difference(got, firings)
		if d == "" {
			r.out.Difference = ""
			return nil
		}
		if c == slowest {
			first, r.out.Difference = got, d
			continue
		}
		agree = agree && (first == nil) == (got == nil) && (got == nil || compare(first, got, true) == "")
	}
	if agree {
		return nil
	}
	return fmt.Errorf("replay: records of incident %s came late, and what became of them depended on the clocks of other senders, which are not exported (with the slowest clock: %s): %w",
		r.b.Incident.ID, r.out.Difference, ErrCannot)
}

// incident returns the incident as it comes out under a clock, nil when no firing opens it, and how many firings there
// were.
func (r *run) incident(by clock) (*storage.Incident, uint64) {
	in := &r.b.Incident
	state := correlate.New(correlate.Limits{})
	c := &collector{of: in, others: r.b.Others}
	seq, logTime, forgets := uint64(0), int64(0), r.b.Forgets
	for i := range r.hits {
		f := &r.hits[i]
		for ; len(forgets) > 0 && forgets[0].Seq < f.seq; forgets = forgets[1:] {
			x := &forgets[0]
			seq, logTime = x.Seq, max(logTime, x.At)
			r.pass(state, c, by, &frame{seq: seq, logTime: logTime}) // what was due until then had been learnt
			state.Relearn(in.Tenant, x.Rule, x.Key)
		}
		seq, logTime = f.seq, max(logTime, f.logTime)
		state.SetNesting(counted{pipeline.NestingOf(f.gen), r})
		times := r.pass(state, c, by, f)
		c.take(seq, logTime, state.Apply(seq, logTime, times, f.hits))
	}
	if r.absence { // time passed until the last one was decided
		at := in.LastSeen + int64(correlate.MaxLag)
		c.take(seq+1, max(at, logTime), state.Tick(seq+1, at))
	}
	return c.result(), c.firings
}

// pass lets the time before a frame pass under a clock, and returns what its own records then say of it.
func (r *run) pass(state *correlate.State, c *collector, by clock, f *frame) []correlate.SourceTime {
	switch by {
	case own:
		c.take(f.seq, f.logTime, state.Tick(f.seq, f.logTime))
		return f.times
	case fastest: // a sender whose clock is that of the log
		c.take(f.seq, f.logTime, state.Apply(f.seq, f.logTime, []correlate.SourceTime{{Tenant: r.b.Incident.Tenant, Source: "clock", Time: f.logTime}}, nil))
	case slowest:
		if f.gen == nil { // it has no hits: the least that time did
			c.take(f.seq, f.logTime, state.Tick(f.seq, f.logTime))
		}
	}
	return nil
}

// collector folds the firings of one incident.
type collector struct {
	of      *storage.Incident
	others  []string
	fold    *incident.Fold // nil before the incident opens
	ended   bool
	firings uint64
}

func (c *collector) take(seq uint64, logTime int64, firings []correlate.Firing) {
	for _, f := range firings {
		if f.Rule != c.of.Rule {
			continue
		}
		fr := incident.Firing(f)
		if f.Clears {
			if c.fold != nil && !c.ended {
				c.fold.Fire(seq, logTime, []incident.Firing{fr})
			}
			continue
		}
		id := fr.Opens()
		c.firings++
		switch {
		case id == c.of.ID && c.fold == nil:
			c.fold = incident.New(incident.Config{})
		case slices.Contains(c.others, id):
			c.ended = c.fold != nil // somebody had resolved this one, or it had been quiet
		}
		if c.fold != nil && !c.ended {
			c.fold.Fire(seq, logTime, []incident.Firing{fr})
		}
	}
}

func (c *collector) result() *storage.Incident {
	if c.fold == nil {
		return nil
	}
	list := c.fold.Take().Incidents
	at := slices.IndexFunc(list, func(in storage.Incident) bool { return in.ID == c.of.ID })
	if at < 0 {
		return nil
	}
	return &list[at]
}

func (r *run) difference(got *storage.Incident, firings uint64) string {
	if got == nil {
		return fmt.Sprintf("id: stored %s, and none of the %d firings that were computed opens it", r.b.Incident.ID, firings)
	}
	return compare(&r.b.Incident, got, !r.b.SeveritySet)
}

// compare returns the first difference between what is stored of an incident and what was computed.
func compare(stored, computed *storage.Incident, severity bool) string {
	stamp := func(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }
	type pair struct {
		what             string
		stored, computed any
	}
	pairs := []pair{
		{"rule", stored.Rule, computed.Rule},
		{"rule name", stored.RuleName, computed.RuleName},
		{"rule version", stored.RuleVersion, computed.RuleVersion},
		{"rule digest", stored.RuleDigest, computed.RuleDigest},
		{"count", stored.Count, computed.Count},
		{"first seen", stamp(stored.FirstSeen), stamp(computed.FirstSeen)},
		{"last seen", stamp(stored.LastSeen), stamp(computed.LastSeen)},
		{"title", stored.Title, computed.Title},
	}
	if severity {
		pairs = append(pairs, pair{"severity", stored.Severity, computed.Severity})
	}
	for _, p := range pairs {
		if p.stored != p.computed {
			return fmt.Sprintf("%s: stored %v, computed %v", p.what, p.stored, p.computed)
		}
	}
	for _, d := range []string{
		firstOf("key", stored.Key, computed.Key), firstOf("technique", stored.Techniques, computed.Techniques),
		firstOf("condition", stored.Conditions, computed.Conditions), firstOf("evidence", stored.Evidence, computed.Evidence),
		firstOf("entity", stored.Entities, computed.Entities),
	} {
		if d != "" {
			return d
		}
	}
	return ""
}

func firstOf[T comparable](what string, stored, computed []T) string {
	for i := range max(len(stored), len(computed)) {
		switch {
		case i >= len(computed):
			return fmt.Sprintf("%s %d: stored %v, computed none", what, i+1, stored[i])
		case i >= len(stored):
			return fmt.Sprintf("%s %d: stored none, computed %v", what, i+1, computed[i])
		case stored[i] != computed[i]:
			return fmt.Sprintf("%s %d: stored %v, computed %v", what, i+1, stored[i], computed[i])
		}
	}
	return ""
}
