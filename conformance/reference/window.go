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
	sub := g.rule.subs[s]
	byRest := map[string][]*Event{}
	for _, ev := range g.of[s] {
		rest := strings.Join(values(ev, g.rule.rest[s]), "|")
		byRest[rest] = append(byRest[rest], ev)
	}
	for _, events := range byRest {
		for _, p := range g.places(sub, events) {
			o := occurrence{begin: p.at, end: p.at, parts: map[int]*Event{}}
			if p.event != nil {
				o.parts[s] = p.event
			}
			out = append(out, o)
		}
	}
	return out
}

// held is a place at which a sub holds.
type held struct {
	at    place
	event *Event // that completes it
}

func (g *group) places(s *sub, events []*Event) (out []held) {
	switch {
	case s.first != nil:
		for _, ev := range s.fresh(events) {
			if at := (place{ev.Time, ev.Pos}); g.since.before(at) {
				out = append(out, held{at, ev})
			}
		}
		return out
	case s.having == nil:
		for _, ev := range events {
			if at := (place{ev.Time, ev.Pos}); g.since.before(at) {
				out = append(out, held{at, ev})
			}
		}
		return out
	}
	events = s.countable(events)
	stats := s.stats(events)
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
		stat := stats(w.events[0].Time)
		switch {
		case eager:
			for i, ev := range w.events {
				if s.all(w.events[:i+1], stat) {
					out = append(out, held{place{ev.Time, ev.Pos}, ev})
					break
				}
			}
		case g.since.before(place{w.end, decided}) && s.all(w.events, stat):
			out = append(out, held{place{w.end, decided}, w.events[len(w.events)-1]})
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
			out = append(out, held{place{ev.Time, ev.Pos}, ev})
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

// stats returns what was learnt before the window of a time, for each condition. Firings do not change it.
func (s *sub) stats(events []*Event) func(at int64) []map[string]float64 {
	if !s.baseline || len(events) == 0 {
		return func(int64) []map[string]float64 { return nil }
	}
	byWindow := map[int64][]*Event{}
	for _, ev := range events {
		k := floor(ev.Time, s.window)
		byWindow[k] = append(byWindow[k], ev)
	}
	first := floor(events[0].Time, s.window)
	return func(at int64) []map[string]float64 {
		now := floor(at, s.window)
		out := make([]map[string]float64, len(s.having))
		for i := range s.having {
			var samples []float64
			for k := first; k < now; k++ {
				if s.slot(k) != s.slot(now) {
					continue
				}
				v := 0.0
				if len(byWindow[k]) > 0 {
					v = s.having[i].value(byWindow[k])
				}
				samples = append(samples, v)
			}
			out[i] = describe(samples)
		}
		return out
	}
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
