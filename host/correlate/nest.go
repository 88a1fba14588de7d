package correlate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Nesting knows the rules that select the firings of others.
type Nesting interface {
	// Nests reports whether a tenant has such rules.
	Nests(t storage.Tenant) bool
	// Firing returns the hits of sub-patterns that select the firings of a rule, for one of them as an event. They point
	// to it.
	Firing(rule string, ev *storage.Event) []Hit
}

// SetNesting says who is asked about firings from now on; nil: nobody, and no rule sees what others fire.
func (s *State) SetNesting(n Nesting) { s.nesting = n }

// nest takes the firings from one on to the rules that select them, and what these fire to further ones.
func (s *State) nest(from int) {
	if s.nesting == nil || from == len(s.out) {
		return
	}
	s.nested = true
	for range MaxNesting {
		to := len(s.out)
		for ; from < to; from++ {
			f := s.out[from]
			if f.Clears || !s.nesting.Nests(f.Tenant) {
				continue
			}
			ev := f.event(s.triggers[from], s.logTime)
			for _, h := range s.nesting.Firing(f.Rule, ev) {
				if len(h.Evidence) == 0 {
					h.Evidence = f.Evidence
				}
				s.hit(&h)
			}
			s.flush()
		}
	}
	s.nested = false
}

// event makes an event of a firing: with the fields of its key and of its trigger, as far as that is at hand. It comes at a
// log time, at which lists hold what they hold.
func (f *Firing) event(trigger *storage.Event, logTime int64) *storage.Event {
	ev := &storage.Event{
		ID: f.Trigger, Tenant: f.Tenant, Time: f.Time, Received: logTime, Stream: rule.FiringDataset,
		Fields: []storage.Field{
			{Name: "event.severity", Value: strconv.Itoa(int(f.Severity))},
			{Name: "message", Value: f.Title},
			{Name: "rule.id", Value: f.Rule},
			{Name: "rule.name", Value: f.RuleName},
		},
	}
	add := func(x storage.Field) {
		if !slices.ContainsFunc(ev.Fields, func(y storage.Field) bool { return x.Name == y.Name }) {
			ev.Fields = append(ev.Fields, x)
		}
	}
	for _, x := range f.Key {
		if x.Value != "" { // of a key that an event may lack
			add(x)
		}
	}
	if trigger != nil {
		for _, x := range trigger.Fields {
			add(x)
		}
	}
	slices.SortFunc(ev.Fields, func(a, b storage.Field) int { return strings.Compare(a.Name, b.Name) })
	return ev
}

// rank notes how far the tables of a tenant are from the log: those of rules on rules come after the ones that they look
// at, and wait as long for late events as these.
func (t *tenant) rank() (highest int) {
	for _, tb := range t.order {
		tb.level, tb.lateness = t.rankOf(tb, 0)
		highest = max(highest, tb.level)
	}
	return highest
}

func (t *tenant) rankOf(tb *table, depth int) (level int, lateness int64) {
	lateness = tb.prog.lateness
	for _, id := range tb.prog.on {
		level = max(level, 1)
		if of, ok := t.tables[id]; ok && depth < MaxNesting {
			l, late := t.rankOf(of, depth+1)
			level, lateness = max(level, l+1), max(lateness, late)
		}
	}
	return level, lateness
}

// public drops the firings of rules that are there for other rules only.
func (s *State) public(out []Firing) []Firing {
	return slices.DeleteFunc(out, func(f Firing) bool {
		tb := s.tenants[f.Tenant].tables[f.Rule]
		return tb != nil && tb.prog.rule.Inner
	})
}
