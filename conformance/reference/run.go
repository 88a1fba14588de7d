package reference

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// Event is one event of a log.
type Event struct {
	Time   int64 // event time, ns
	Pos    int   // in the log
	Fields map[string]string
}

// Firing is one time that a rule holds.
type Firing struct {
	Key  string // values of the key, joined by "|"
	Time int64
	Pos  int // of the event that completed it; -1 when time decided
}

// place is where something ends or begins. What time decides stands after all events of its time.
type place struct {
	time int64
	pos  int
}

const decided = math.MaxInt

func (p place) before(q place) bool {
	return p.time < q.time || p.time == q.time && p.pos < q.pos
}

// occurrence of an expression, with the events that completed its subs as far as joins ask for them.
type occurrence struct {
	begin, end place
	parts      map[int]*Event
}

// Run returns what a rule does over a log, by key and time. Events may come in any order.
func (r *Rule) Run(log []Event) (out []Firing) {
	log = append([]Event(nil), log...)
	sort.SliceStable(log, func(i, j int) bool {
		return place{log[i].Time, log[i].Pos}.before(place{log[j].Time, log[j].Pos})
	})
	byKey := map[string]*group{}
	for i := range log {
		ev := &log[i]
		for s := range r.subs {
			key, ok := r.takes(s, ev)
			if !ok {
				continue
			}
			g := byKey[key]
			if g == nil {
				g = &group{rule: r, of: make([][]*Event, len(r.subs))}
				byKey[key] = g
			}
			g.of[s] = append(g.of[s], ev)
		}
	}
	for key, g := range byKey {
		for _, o := range g.run() {
			f := Firing{Key: key, Time: o.end.time, Pos: o.end.pos}
			if f.Pos == decided {
				f.Pos = -1
			}
			out = append(out, f)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		return a.Time < b.Time || a.Time == b.Time && (a.Key < b.Key || a.Key == b.Key && a.Pos < b.Pos)
	})
	return out
}

// takes reports whether an event takes part in a sub, and under which key.
func (r *Rule) takes(s int, ev *Event) (string, bool) {
	sub := r.subs[s]
	if !selects(sub.where, ev) {
		return "", false
	}
	for _, f := range sub.by {
		if _, ok := ev.Fields[f]; !ok && !sub.nullKey {
			return "", false
		}
	}
	return strings.Join(values(ev, r.keys[s]), "|"), true
}

func values(ev *Event, fields []string) (out []string) {
	for _, f := range fields {
		out = append(out, ev.Fields[f])
	}
	return out
}

// group is what happened under one key: the events of each sub, in their order.
type group struct {
	rule  *Rule
	of    [][]*Event
	since place // of the last firing
}

// run finds the first occurrence, forgets what led to it, and goes on.
func (g *group) run() (out []occurrence) {
	g.since = place{math.MinInt64, 0}
	for {
		all := g.join(g.occurrences(g.rule.root))
		if len(all) == 0 {
			return out
		}
		first := all[0]
		for _, o := range all {
			if o.end.before(first.end) {
				first = o
			}
		}
		out = append(out, first)
		g.since = first.end
	}
}

// occurrences of a node among the events after the last firing.
func (g *group) occurrences(n node) []occurrence {
	switch n := n.(type) {
	case leaf:
		return g.distinct(g.holds(int(n)))
	case or:
		var out []occurrence
		for _, x := range n {
			out = append(out, g.occurrences(x)...)
		}
		return g.distinct(out)
	case and:
		return g.together(n)
	case followed:
		return g.followed(n)
	case absent:
		return g.absent(n)
	case without:
		return g.without(n)
	case short:
		var out []occurrence
		for _, o := range g.occurrences(n.of) {
			if o.end.time-o.begin.time <= n.within {
				out = append(out, o)
			}
		}
		return out
	}
	panic(fmt.Sprintf("reference: node %T", n))
}

func (g *group) together(n and) []occurrence {
	out := g.occurrences(n.of[0])
	for _, x := range n.of[1:] {
		var next []occurrence
		for _, b := range g.occurrences(x) {
			for _, a := range out {
				if o, ok := g.merge(a, b); ok && o.end.time-o.begin.time <= n.within {
					next = append(next, o)
				}
			}
		}
		out = g.distinct(next)
	}
	return out
}

// merge makes one occurrence of two, if what joins says of their subs holds.
func (g *group) merge(a, b occurrence) (occurrence, bool) {
	o := occurrence{begin: a.begin, end: a.end, parts: map[int]*Event{}}
	if b.begin.before(o.begin) {
		o.begin = b.begin
	}
	if o.end.before(b.end) {
		o.end = b.end
	}
	for s, ev := range a.parts {
		o.parts[s] = ev
	}
	for s, ev := range b.parts {
		o.parts[s] = ev
	}
	return o, len(g.join([]occurrence{o})) == 1
}

func (g *group) followed(n followed) (out []occurrence) {
	as, bs := g.occurrences(n.a), g.occurrences(n.b)
	for _, b := range bs {
		for _, a := range as {
			if !a.end.before(b.begin) || b.end.time-a.end.time > n.within {
				continue
			}
			if o, ok := g.merge(a, b); ok {
				o.begin, o.end = a.begin, b.end
				out = append(out, o)
			}
		}
	}
	return g.distinct(out)
}

// absent is the only node that depends on what it did before: one a is armed at a time.
func (g *group) absent(n absent) (out []occurrence) {
	as, bs := g.occurrences(n.a), g.occurrences(n.b)
	sort.SliceStable(as, func(i, j int) bool {
		if as[i].end != as[j].end {
			return as[i].end.before(as[j].end)
		}
		return as[j].begin.before(as[i].begin) // of several with one end, the one that begins last is told
	})
	var armed *occurrence
	verdict := func() (cancelled, deadline place) {
		deadline, cancelled = place{armed.end.time + n.within, decided}, place{math.MaxInt64, 0}
		for _, b := range bs {
			if _, ok := g.merge(*armed, b); ok && armed.end.before(b.end) && b.end.time <= deadline.time && b.end.before(cancelled) {
				cancelled = b.end
			}
		}
		return cancelled, deadline
	}
	settle := func() {
		if cancelled, deadline := verdict(); cancelled.time == math.MaxInt64 {
			o := *armed
			o.end = deadline
			out = append(out, o)
		}
	}
	for i := range as {
		if armed != nil {
			cancelled, deadline := verdict()
			over := deadline
			if cancelled.before(deadline) || cancelled == deadline {
				over = cancelled
			}
			if over.before(as[i].end) || over == as[i].end && cancelled == over {
				settle()
				armed = nil
			} else if g.rule.latest && armed.end.before(as[i].end) {
				armed = nil
			}
		}
		if armed == nil {
			armed = &as[i]
		}
	}
	if armed != nil {
		settle()
	}
	return g.distinct(out)
}

func (g *group) without(n without) (out []occurrence) {
	bs := g.occurrences(n.b)
	for _, a := range g.occurrences(n.a) {
		last := a.end.time
		if !n.before {
			last += n.within
		}
		kept := true
		for _, b := range bs {
			if _, ok := g.merge(a, b); ok && b.end.time >= a.end.time-n.within && b.end.time <= last {
				kept = false
			}
		}
		if kept {
			a.end = place{last, decided}
			out = append(out, a)
		}
	}
	return g.distinct(out)
}

// join leaves out occurrences of which a line of `join` does not hold.
func (g *group) join(in []occurrence) (out []occurrence) {
next:
	for _, o := range in {
		for _, j := range g.rule.joins {
			a, b := o.parts[j.a], o.parts[j.b]
			if a != nil && b != nil && !related(a, b, j) {
				continue next
			}
		}
		out = append(out, o)
	}
	return out
}

func related(a, b *Event, j comparison) bool {
	x, ok1 := a.Fields[j.aField]
	y, ok2 := b.Fields[j.bField]
	switch {
	case !ok1 || !ok2:
		return false
	case j.op == "==":
		return strings.EqualFold(x, y)
	case j.op == "!=":
		return !strings.EqualFold(x, y)
	}
	p, ok1 := number(x)
	q, ok2 := number(y)
	return ok1 && ok2 && holds(j.op, p, q)
}

// distinct drops equal occurrences; without joins only their ends and beginnings differ.
func (g *group) distinct(in []occurrence) (out []occurrence) {
	seen := map[string]bool{}
	for _, o := range in {
		id := fmt.Sprint(o.begin, o.end)
		for _, j := range g.rule.joins {
			for _, s := range []int{j.a, j.b} {
				if ev := o.parts[s]; ev != nil {
					id += fmt.Sprint(" ", s, ":", ev.Pos)
				}
			}
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, o)
		}
	}
	return out
}
