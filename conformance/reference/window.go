package reference

import (
	"math"
	"sort"
	"strconv"
	"strings"
	"time"
)

// holds returns the places at which a sub holds, of the events of one key after its last firing.
func (g *group) holds(s int) (out []occurrence) {
	byRest := map[string][]*Event{}
	for _, ev := range g.of[s] {
		rest := strings.Join(values(ev, g.rule.rest[s]), "|")
		byRest[rest] = append(byRest[rest], ev)
	}
	for _, events := range byRest {
		for _, p := range g.places(s, events) {
			p.sub, p.stands = s, stands(g.rule.root, s, new(int))
			out = append(out, occurrence{begin: p.at, end: p.at, parts: map[int]*Event{s: p.event}, held: []held{p}})
		}
	}
	return out
}

// held is a place at which a sub holds.
type held struct {
	at     place
	event  *Event   // that completes it, or the newest of the window that closes
	events []*Event // that its conditions looked at; nil: the event alone
	sub    int
	stands int // where in the expression, last
}

func (g *group) places(i int, events []*Event) (out []held) {
	s := g.rule.subs[i]
	switch {
	case s.first != nil:
		for _, ev := range s.fresh(events) {
			if at := (place{ev.Time, ev.Pos}); g.since.before(at) {
				out = append(out, held{at: at, event: ev})
			}
		}
		return out
	case s.having == nil:
		for _, ev := range events {
			if at := (place{ev.Time, ev.Pos}); g.since.before(at) {
				out = append(out, held{at: at, event: ev})
			}
		}
		return out
	}
	events = s.countable(events)
	var rest []*Event
	for _, ev := range events {
		if g.since.before(place{ev.Time, ev.Pos}) {
			rest = append(rest, ev)
		}
	}
	eager := true
	for i := range s.having {
		eager = eager && s.having[i].eager()
	}
	if s.windows == "sliding" && eager {
		return s.sliding(rest)
	}
	for _, w := range s.cut(rest) {
		switch end := (place{w.end, decided}); {
		case eager:
			for n, ev := range w.events {
				if at := (place{ev.Time, ev.Pos}); s.all(w.events[:n+1], g.stats(i, events, ev)) {
					out = append(out, held{at: at, event: ev, events: w.events[:n+1]})
					break
				}
			}
		case g.since.before(end) && s.all(w.events, g.stats(i, events, w.events[0])):
			out = append(out, held{at: end, event: w.events[len(w.events)-1], events: w.events})
		}
	}
	return out
}

// countable leaves out events without what the functions ask for.
func (s *sub) countable(events []*Event) (out []*Event) {
next:
	for _, ev := range events {
		for i := range s.having {
			c := &s.having[i]
			for _, f := range c.fields {
				v, ok := ev.Fields[f]
				if !ok {
					continue next
				}
				if c.fn == "distinct" {
					continue
				}
				n, ok := number(v)
				if !ok || c.fn == "sum" && c.eager() && n < 0 {
					continue next
				}
			}
		}
		out = append(out, ev)
	}
	return out
}

func number(v string) (float64, bool) {
	n, err := strconv.ParseFloat(v, 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

func (s *sub) sliding(events []*Event) (out []held) {
	for i, ev := range events {
		from := 0
		for ev.Time-events[from].Time > s.window {
			from++
		}
		if s.all(events[from:i+1], nil) {
			out = append(out, held{at: place{ev.Time, ev.Pos}, event: ev, events: events[from : i+1]})
		}
	}
	return out
}

// span of events that are looked at together, and the time of its close.
type window struct {
	events []*Event
	end    int64
}

func (s *sub) cut(events []*Event) (out []window) {
	for i := 0; i < len(events); {
		w := window{end: events[i].Time + s.window}
		j := i
		switch s.windows {
		case "sliding":
			for j < len(events) && events[j].Time <= w.end {
				j++
			}
		case "tumbling":
			k := floor(events[i].Time, s.window)
			w.end = (k+1)*s.window - 1
			for j < len(events) && events[j].Time <= w.end {
				j++
			}
		case "session":
			for j++; j < len(events) && events[j].Time-events[j-1].Time <= s.gap && events[j].Time <= w.end; j++ {
			}
			w.end = min(w.end, events[j-1].Time+s.gap)
		}
		w.events = events[i:j]
		out = append(out, w)
		i = j
	}
	return out
}

func floor(a, b int64) int64 {
	k := a / b
	if a < k*b {
		k--
	}
	return k
}

// all reports whether the conditions hold over events.
func (s *sub) all(events []*Event, stat []map[string]float64) bool {
	for i := range s.having {
		c := &s.having[i]
		var learnt map[string]float64
		if stat != nil {
			learnt = stat[i]
		}
		if strings.Contains(strings.Join(c.than, " "), "stat.") && (learnt == nil || learnt["stat.n"] < float64(s.least)) {
			return false
		}
		value, limit := c.value(events), threshold(c.than, learnt)
		if learnt != nil && math.Abs(value-limit) <= 1e-9*math.Max(1, math.Max(math.Abs(value), math.Abs(limit))) {
			limit = value // as near as that is equal
		}
		if !holds(c.op, value, limit) {
			return false
		}
	}
	return true
}

// value of the function over events, of which there is one at least.
func (c *condition) value(events []*Event) float64 {
	switch c.fn {
	case "count":
		return float64(len(events))
	case "distinct":
		seen := map[string]bool{}
		for _, ev := range events {
			seen[strings.Join(values(ev, c.fields), "\x00")] = true
		}
		return float64(len(seen))
	}
	var all []float64
	sum := 0.0
	for _, ev := range events {
		n, _ := number(ev.Fields[c.fields[0]])
		all = append(all, n)
		sum += n
	}
	sort.Float64s(all)
	switch c.fn {
	case "sum":
		return sum
	case "avg":
		return sum / float64(len(all))
	case "min":
		return all[0]
	case "max":
		return all[len(all)-1]
	case "percentile":
		return all[max(0, int(math.Ceil(c.rank/100*float64(len(all))))-1)]
	}
	panic("reference: function " + c.fn)
}

// fresh returns the events whose values are new; what was learnt outlives firings.
func (s *sub) fresh(events []*Event) (out []*Event) {
	var had []*Event
	for _, ev := range events {
		if !complete(ev, s.first) {
			continue
		}
		if n := len(had); n > 0 && ev.Time-had[n-1].Time > s.within {
			had = nil // the key was forgotten
		}
		known := false
		for _, h := range had {
			if strings.Join(values(h, s.first), "\x00") == strings.Join(values(ev, s.first), "\x00") && ev.Time-h.Time <= s.within {
				known = true
			}
		}
		had = append(had, ev)
		if !known && ev.Time-had[0].Time >= s.learn {
			out = append(out, ev)
		}
	}
	return out
}

func complete(ev *Event, fields []string) bool {
	for _, f := range fields {
		if _, ok := ev.Fields[f]; !ok {
			return false
		}
	}
	return true
}

// stats returns what was learnt before the window of an event, for each condition. Firings do not change it.
func (g *group) stats(i int, events []*Event, first *Event) []map[string]float64 {
	s := g.rule.subs[i]
	if !s.baseline {
		return nil
	}
	learners, now := [][]*Event{events}, floor(first.Time, s.window)
	if s.peers != "" {
		learners = g.learners(i)
	}
	out := make([]map[string]float64, len(s.having))
	for c := range s.having {
		var samples []float64
		for _, all := range learners {
			for k, window := range s.windowsBefore(now, all) {
				if s.slot(k) == s.slot(now) && (s.peers == "" || peerOf(s, all, k) == peerOf(s, events, now)) {
					samples = append(samples, s.having[c].sample(window))
				}
			}
		}
		out[c] = describe(samples)
	}
	return out
}

// learners returns the events of a sub by all that it is grouped by, of all keys.
func (g *group) learners(i int) (out [][]*Event) {
	s := g.rule.subs[i]
	by := map[string][]*Event{}
	for key, other := range g.all {
		for _, ev := range s.countable(other.of[i]) {
			name := key + "||" + strings.Join(values(ev, g.rule.rest[i]), "|")
			by[name] = append(by[name], ev)
		}
	}
	for _, events := range by {
		out = append(out, events)
	}
	return out
}

// windowsBefore returns the windows of a key by number, from its first up to window now, or, of one of several that
// learn together, up to its newest with events before that: those between without events too.
func (s *sub) windowsBefore(now int64, events []*Event) map[int64][]*Event {
	out := map[int64][]*Event{}
	for _, ev := range events {
		if k := floor(ev.Time, s.window); k < now {
			out[k] = append(out[k], ev)
		}
	}
	newest := now - 1
	if s.peers != "" {
		newest = math.MinInt64
		for k := range out {
			newest = max(newest, k)
		}
	}
	for k := floor(events[0].Time, s.window); k <= newest; k++ {
		out[k] = append(out[k], []*Event{}...)
	}
	return out
}

// peerOf returns with whom a window learns: the value of its first event, or, when it has none, of the first one after it.
func peerOf(s *sub, events []*Event, k int64) string {
	for _, ev := range events {
		if floor(ev.Time, s.window) >= k {
			return ev.Fields[s.peers]
		}
	}
	return ""
}

// sample is the value of the function over a window, 0 when it has no events.
func (c *condition) sample(window []*Event) float64 {
	if len(window) == 0 {
		return 0
	}
	return c.value(window)
}

// slot of window k.
func (s *sub) slot(k int64) int {
	t := time.Unix(0, k*s.window).UTC()
	switch s.slots {
	case "hour":
		return t.Hour()
	case "hour_of_week":
		return int(t.Weekday())*24 + t.Hour()
	}
	return 0
}

func describe(samples []float64) map[string]float64 {
	n := float64(len(samples))
	sum, squares := 0.0, 0.0
	for _, v := range samples {
		sum += v
	}
	for _, v := range samples {
		squares += (v - sum/n) * (v - sum/n)
	}
	return map[string]float64{"stat.n": n, "stat.mean": sum / n, "stat.std": math.Sqrt(squares / n)}
}
