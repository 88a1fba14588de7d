package reference

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
)

// Event is one event of a log.
type Event struct {
	Time   int64 // event time, ns
	Pos    int   // in the log
	Fields map[string]string
	Source string // who sent it: whose clock may be behind

	rule  string          // whose firing it is; "": it is of the log
	lists map[string]bool // what is in lists at its place in the log, as "list|value"
}

// Firing is one time that a rule holds.
type Firing struct {
	Key  string // values of the key, joined by "|"
	Time int64
	Pos  int // of the event that completed it, or of the newest of its events when time decided
	of   occurrence
	Says string // how much its subs counted, and the events behind it
	came int
	at   []*Event // all of the key at that place: a firing that is selected, and the event behind it
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
	held       []held // what it is made of, in the order of the expression
	node       *int   // of which it is one, if it joins two
	of         []occurrence
}

// newest returns the last place of what it is made of.
func (o *occurrence) newest() held {
	out := o.held[0]
	for _, h := range o.held[1:] {
		if out.at.before(h.at) {
			out = h
		}
	}
	return out
}

// rather tells which of two occurrences with one end is told: the one that begins last; of equal ones, that with the newest parts.
func (o *occurrence) rather(than *occurrence) bool { return o.compare(than) > 0 }

func (o *occurrence) compare(than *occurrence) int {
	switch {
	case o.begin.before(than.begin):
		return -1
	case than.begin.before(o.begin):
		return 1
	case o.end.before(than.end):
		return -1
	case than.end.before(o.end):
		return 1
	case o.node != nil && o.node == than.node: // what they join was chosen likewise
		for i := len(o.of) - 1; i >= 0; i-- {
			if c := o.of[i].compare(&than.of[i]); c != 0 {
				return c
			}
		}
		return 0
	}
	for i := 1; i <= min(len(o.held), len(than.held)); i++ {
		a, b := o.held[len(o.held)-i], than.held[len(than.held)-i]
		switch {
		case a.at.before(b.at):
			return -1
		case b.at.before(a.at):
			return 1
		case a.event != b.event: // windows that close at one time
			return cmp.Compare(a.event.Pos, b.event.Pos)
		case a.stands != b.stands:
			return cmp.Compare(a.stands, b.stands)
		}
	}
	return cmp.Compare(len(o.held), len(than.held))
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
				g = &group{rule: r, of: make([][]*Event, len(r.subs)), all: byKey}
				byKey[key] = g
			}
			g.of[s] = append(g.of[s], ev)
		}
	}
	for key, g := range byKey {
		for _, o := range g.run() {
			out = append(out, Firing{Key: key, Time: o.end.time, Pos: o.newest().event.Pos, Says: fmt.Sprint(r.counts(&o), " ", r.evidence(&o)), of: o, at: g.at(o.newest().event)})
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
	if !r.matches(s, ev) {
		return "", false
	}
	for _, f := range sub.by {
		if _, ok := ev.Fields[f]; !ok && !sub.nullKey {
			return "", false
		}
	}
	return strings.Join(values(ev, r.keys[s]), "|"), true
}

// matches reports whether a sub selects an event.
func (r *Rule) matches(s int, ev *Event) bool {
	for _, x := range r.exceptions {
		if selects(x, ev) && occurs(r.root, s) {
			return false
		}
	}
	return ev.rule == r.subs[s].rule && selects(r.subs[s].where, ev)
}

// parts returns the nodes that a node is made of.
func parts(n node) []node {
	switch n := n.(type) {
	case or:
		return n
	case and:
		return n.of
	case followed:
		return []node{n.a, n.b}
	case absent:
		return []node{n.a, n.b}
	case without:
		return []node{n.a, n.b}
	case short:
		return []node{n.of}
	}
	return nil
}

// occurs reports whether a sub stands anywhere but to the right of !-> or and not.
func occurs(n node, s int) bool {
	switch n := n.(type) {
	case leaf:
		return int(n) == s
	case absent:
		return occurs(n.a, s)
	case without:
		return occurs(n.a, s)
	}
	return slices.ContainsFunc(parts(n), func(x node) bool { return occurs(x, s) })
}

// stands returns the number of the last place in the expression at which a sub stands, counted from at.
func stands(n node, s int, at *int) (last int) {
	if n, is := n.(leaf); is {
		if *at++; int(n) == s {
			return *at
		}
	}
	for _, x := range parts(n) {
		last = max(last, stands(x, s, at))
	}
	return last
}

// eager reports whether a rule fires with the event that completes it.
func (r *Rule) eager() bool { return !r.waits && r.eagerly(r.root) }

func (r *Rule) eagerly(n node) bool {
	switch n := n.(type) {
	case leaf:
		return r.subs[n].eager()
	case absent, without:
		return false
	}
	return !slices.ContainsFunc(parts(n), func(x node) bool { return !r.eagerly(x) })
}

func (s *sub) eager() bool {
	for i := range s.having {
		if !s.having[i].eager() {
			return false
		}
	}
	return s.first == nil && !s.baseline && (s.having == nil || s.windows == "sliding")
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
	all   map[string]*group // by key
	since place             // of the last firing
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
		for _, o := range all[1:] {
			if o.end.before(first.end) || o.end == first.end && o.rather(&first) {
				first = o
			}
		}
		out = append(out, first)
		g.since = first.end
	}
}

// at returns the events of the key at the place of one, which comes first.
func (g *group) at(ev *Event) []*Event {
	out := []*Event{ev}
	for s, events := range g.of {
		for _, x := range g.rule.subs[s].countable(events) {
			if x != ev && x.Time == ev.Time && x.Pos == ev.Pos && complete(x, g.rule.subs[s].first) {
				out = append(out, x)
			}
		}
	}
	return out
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
				if o, ok := g.merge(n.id, a, b); ok && o.end.time-o.begin.time <= n.within {
					next = append(next, o)
				}
			}
		}
		out = g.distinct(next)
	}
	return out
}

// merge makes one occurrence of two, if what joins says of their subs holds.
func (g *group) merge(node *int, a, b occurrence) (occurrence, bool) {
	o := occurrence{begin: a.begin, end: a.end, parts: map[int]*Event{}, held: append(append([]held(nil), a.held...), b.held...), node: node, of: []occurrence{a, b}}
	if node != nil && a.node == node { // a and b and c
		o.of = append(append([]occurrence(nil), a.of...), b)
	}
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
			if o, ok := g.merge(n.id, a, b); ok {
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
		return as[i].rather(&as[j])
	})
	var armed *occurrence
	verdict := func() (cancelled, deadline place) {
		deadline, cancelled = place{armed.end.time + n.within, decided}, place{math.MaxInt64, 0}
		for _, b := range bs {
			if _, ok := g.merge(nil, *armed, b); ok && armed.end.before(b.end) && b.end.time <= deadline.time && b.end.before(cancelled) {
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
			if _, ok := g.merge(nil, a, b); ok && b.end.time >= a.end.time-n.within && b.end.time <= last {
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

// distinct drops equal occurrences; without joins only their ends and beginnings differ. The one that would be told stays.
func (g *group) distinct(in []occurrence) (out []occurrence) {
	seen := map[string]int{}
	for _, o := range in {
		id := fmt.Sprint(o.begin, o.end)
		for _, j := range g.rule.joins {
			for _, s := range []int{j.a, j.b} {
				if ev := o.parts[s]; ev != nil {
					id += fmt.Sprint(" ", s, ":", ev.Pos)
				}
			}
		}
		if at, ok := seen[id]; !ok {
			seen[id] = len(out)
			out = append(out, o)
		} else if o.rather(&out[at]) {
			out[at] = o
		}
	}
	return out
}
