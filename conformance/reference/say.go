package reference

import (
	"fmt"
	"sort"
	"strings"
)

// counts returns how many events, or values where nothing else is asked of a sliding window, each sub of an occurrence
// looked at: of one that stands there twice the last by the expression.
func (r *Rule) counts(o *occurrence) []int {
	out := make([]int, len(r.subs))
	for _, h := range o.held {
		out[h.sub] = max(1, len(r.subs[h.sub].seen(h.events)))
	}
	return out
}

// evidence names the events behind an occurrence, with the sub that they satisfied.
func (r *Rule) evidence(o *occurrence) string {
	all := map[string]bool{}
	for _, h := range o.held {
		events := r.subs[h.sub].seen(h.events)
		if h.events == nil {
			events = []*Event{h.event}
		}
		for _, ev := range events {
			all[fmt.Sprint(r.subs[h.sub].name, ":", ev.Pos)] = true
		}
	}
	var out []string
	for name := range all {
		out = append(out, name)
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}

// seen returns the events of a window that are told of: all, or, of a sliding one that only counts values, the newest
// with each of them.
func (s *sub) seen(events []*Event) []*Event {
	var most []*Event
	for i := range s.having {
		c := &s.having[i]
		if c.fn != "distinct" || s.windows != "sliding" || !s.eager() {
			return events
		}
		newest := map[string]*Event{}
		for _, ev := range events {
			newest[strings.Join(values(ev, c.fields), "\x00")] = ev
		}
		if len(newest) <= len(most) {
			continue
		}
		most = nil
		for _, ev := range newest {
			most = append(most, ev)
		}
	}
	return most
}
