package correlate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// TestTold: what the conditions of a firing say, of each kind of expression. An event is its sub-patterns, a second for each
// of them; a dash is a second without one.
func TestTold(t *testing.T) {
	const two, three = `a: {WHERE}, b: {WHERE}`, `a: {WHERE}, b: {WHERE}, c: {WHERE}`
	for _, c := range []struct {
		name, subs, expr, events string
		want                     []string // a line for each condition: sub, expression, actual, threshold
	}{
		{"sequence", three, "a -> b within 5s -> c within 9s", "a-b--c", []string{
			"b | a -> b within 5s | 2s | 5s", "c | b -> c within 9s | 3s | 9s",
		}},
		{"silence", two, "a !-> b within 5s", "-a", []string{"b | a !-> b within 5s | none | 5s"}},
		{"sequence of a tree", two, "(a -> b within 5s) span 7s", "a-b", []string{"b | a -> b within 5s | 2s | 5s"}},
		{"and", three, "a and b and c within 9s", "c-ba", []string{"c | a and b and c within 9s | 3s | 9s"}},
		{"silence in a tree", three, "(a !-> (b or c) within 5s) span 7s", "a", []string{"b, c | a !-> b, c within 5s | none | 5s"}},
		{"nothing near", two, "a and not b within 5s", "a", []string{"b | a and not b within 5s | none | 5s"}},
		{"nothing before", two, "a and not before b within 5s", "a", []string{"b | a and not before b within 5s | none | 5s"}},
		{"parts", three, "(a -> b within 5s) -> (c and a within 4s) within 9s", "ab-ca", []string{
			"b | a -> b within 5s | 1s | 5s", "a | c and a within 4s | 1s | 4s", "a | b -> a within 9s | 3s | 9s",
		}},
		{"first seen", `a: {WHERE, first_seen: {fields: [v, w], within: 9s}}`, "", "a", []string{"a | first seen v, w within 9s | 1, 2 | new"}},
		{"windows", `a: {WHERE, having: "count() >= 2 and sum(v) < 9", window: 5s, windows: tumbling}`, "", "aa", []string{
			"a | count() >= 2 in 5s | 2 | 2", "a | sum(v) < 9 in 5s | 2 | 9",
		}},
	} {
		r := parse(t, "{kind: pattern, id: x, name: n, version: 1.0.0, severity: low, lateness: 1s, subs: {"+strings.ReplaceAll(c.subs, "WHERE", "where: {s: a}, by: [k]")+"}, incident: {title: t}"+
			strings.Replace(", expr: \""+c.expr+"\"", `, expr: ""`, "", 1)+"}")
		p := &player{t: t, s: New(Limits{}), r: r}
		var fired []Firing
		begin := floorTo(traceStart, 5*second) + 5*second - traceStart
		for i, sub := range c.events {
			if sub != '-' {
				fired = append(fired, p.hit(int(sub-'a'), begin+int64(i)*second, "k", "x", "v", "1", "w", "2")...)
			}
		}
		fired = append(fired, p.s.Tick(p.seq+1, p.now+int64(time.Hour))...)
		if len(fired) != 1 {
			t.Errorf("%s: %d firings", c.name, len(fired))
			continue
		}
		var have []string
		for _, x := range fired[0].Conditions {
			have = append(have, strings.Join([]string{x.Sub, x.Expr, x.Actual, x.Threshold}, " | "))
		}
		if !slices.Equal(have, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(have, "\n"), strings.Join(c.want, "\n"))
		}
		if ev := fired[0].Evidence; len(ev) == 0 || slices.ContainsFunc(ev, func(e storage.Evidence) bool { return e.ID.Seq == 0 }) {
			t.Errorf("%s: evidence %+v", c.name, ev)
		}
	}
}

// TestEstimates: percentiles of many values are within 1 %, distinct counts within 2 %, whatever their sign.
func TestEstimates(t *testing.T) {
	for _, low := range []int{-6000, -3000, -1, 0, 1} {
		var s summary
		c := &rule.Condition{Func: rule.Percentile}
		d := &rule.Condition{Func: rule.Distinct}
		var values summary
		var all []float64
		for i := range 6000 {
			v := float64(low + (i*4799)%6000)
			if i%10 == 0 {
				v = 0
			}
			all = append(all, v)
			s.add(c, "", v)
			values.add(d, fmt.Sprint(i), 0)
		}
		slices.Sort(all)
		for _, rank := range []float64{0, 1, 25, 49, 50, 51, 75, 99, 100} {
			c.Rank = rank
			want := all[rankOf(rank, len(all))]
			if have, exact := s.value(c); exact || math.Abs(have-want) > 0.0101*math.Abs(want) {
				t.Errorf("from %d, rank %v: %v, want %v", low, rank, have, want)
			}
		}
		if have, exact := values.value(d); exact || math.Abs(have-6000) > 0.02*6000 {
			t.Errorf("%v values, want 6000", have)
		}
	}
}

// TestTheLargestGivesWay: beyond a bound of bytes, keys of the largest rule of the largest organization go.
func TestTheLargestGivesWay(t *testing.T) {
	const few = 20
	s := New(Limits{MaxBytes: 1 << 18})
	small, large := shapeRule(t, 0, time.Second), shapeRule(t, 2, time.Second)
	hit := func(id storage.Tenant, r *rule.Rule, i int) {
		ev := &storage.Event{ID: storage.EventID{Seq: uint64(i)}, Tenant: id, Time: traceStart, Fields: []storage.Field{{Name: "k", Value: fmt.Sprint(r.ID, i)}, {Name: "v", Value: "1"}}}
		s.Apply(uint64(i), traceStart, nil, []Hit{{Rule: r, Event: ev}})
	}
	for i := range few {
		for _, id := range []storage.Tenant{3, 1, 2} {
			hit(id, small, i)
		}
	}
	for i := range 5000 {
		hit(2, large, i)
	}
	for _, id := range []storage.Tenant{1, 2, 3} {
		if n := len(s.tenants[id].tables[small.ID].machines); n != few {
			t.Errorf("organization %d: %d keys of %d", id, n, few)
		}
	}
	if st := s.Stats(); st.Evicted == 0 || st.Bytes > 1<<18 || !slices.Equal(s.Tenants(), []storage.Tenant{1, 2, 3}) {
		t.Errorf("%+v of %v", st, s.Tenants())
	}
}

// TestSourcesGiveWay: of more sources than are followed, idle ones make room; not more than once a second, since names
// can be forged.
func TestSourcesGiveWay(t *testing.T) {
	c := newClock()
	at := traceStart
	see := func(name string) bool {
		c.observe(name, at, at, 2)
		_, ok := c.sources[name[:min(len(name), MaxSourceBytes)]]
		return ok
	}
	long := strings.Repeat("x", MaxSourceBytes+1)
	if !see("a") || !see(long) || see("b") || see(long[1:]) != true {
		t.Fatalf("%d sources", len(c.sources))
	}
	at += int64(IdleAfter) - 1
	if see("b") {
		t.Fatal("nobody is idle yet")
	}
	at += 2
	if see("b") {
		t.Fatal("looked twice within a second")
	}
	at += second
	if !see("b") || !see("c") || see("d") {
		t.Fatalf("%d sources", len(c.sources))
	}
}

// TestWindowsForget: a step keeps no event that its window has left, and no more than it may of those in it.
func TestWindowsForget(t *testing.T) {
	for apart, most := range map[int64]int{int64(time.Millisecond): maxChainEvents, 60 * second: 1} {
		p := &player{t: t, s: New(Limits{}), r: shapeRule(t, 6, time.Millisecond)}
		for i := range int64(300) {
			p.hit(0, i*apart, "k", "x")
		}
		for _, mc := range p.s.tenants[1].tables["r6"].machines {
			if n := len(mc.settled.(*chain).rings[0]); n > most {
				t.Errorf("%d events, %v apart", n, time.Duration(apart))
			}
		}
	}
}
