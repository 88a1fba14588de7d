package correlate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// tree is a rule as an expression: leaves, which hold at some places, and nodes, which make occurrences of those of
// their operands. A node stands behind its operands, so one pass makes all occurrences that end at a place.
type tree struct {
	nodes  []node
	leaves []leaf
	joins  []relation
	fields []kept  // what a mark keeps of its event
	need   [][]int // by sub-pattern: those of fields that its marks keep
	spoken int     // of fields, how many are for what a firing says; they stand first
	peers  bool    // some leaf learns from other keys: keys are settled in the order of time
	learns bool

	held [][]*occurrence // at the place that is visited, by leaf
	out  [][]*occurrence // and by node

	heard []heard // at one time, by keys that learn with their peers
}

// kept is a value of an event that a mark keeps.
type kept struct {
	field string
	short bool   // long values are cut; otherwise they are hashed
	of    string // the rule whose firings have it, "" the log: an event and its firing are one mark, and each keeps its own
}

type nodeKind uint8

const (
	leafNode nodeKind = iota
	orNode
	andNode
	seqNode     // a -> b
	absenceNode // a !-> b
	withoutNode // a and not b
	spanNode
)

// node is an operator.
type node struct {
	kind   nodeKind
	of     []int // operands, as indexes of nodes
	leaf   int
	within int64
	latest bool // of an absence
	before bool // of a withoutNode
	point  bool // its occurrences begin where they end
}

// relation is a line of join.
type relation struct {
	rule.Compare
	aVal, bVal int // in mark.vals
}

type leafKind uint8

const (
	matchLeaf leafKind = iota
	slidingLeaf
	windowLeaf
	freshLeaf // first seen
)

// leaf is a sub-pattern that occurs in the expression, once however often it does.
type leaf struct {
	sub     int
	node    int // one that it stands at
	kind    leafKind
	agg     *rule.Aggregate // of windows
	base    *rule.Baseline  // nil: thresholds are numbers
	first   *rule.FirstSeen
	eager   bool
	streams []stream
	memory  int64
}

// stream is a stream of events of a leaf: how their values stand in a mark.
type stream struct {
	sub    int
	args   [][]int // by condition: values of its fields
	rest   []int   // values of what the sub-pattern is grouped by beside the key
	fields []int   // values that are first seen
	peers  int     // -1: none
}

// lowerTree lays out the expression.
func (p *program) lowerTree() {
	t := &tree{need: make([][]int, len(p.rule.Subs))}
	p.tree = t
	p.captures = p.spokenOf()
	for _, f := range p.captures {
		t.fields = append(t.fields, kept{field: f, short: true})
	}
	t.spoken = len(t.fields)
	root := p.rule.Root.Of
	if j, ok := root.(*rule.Join); ok {
		root = j.Of
		for _, c := range j.On {
			t.joins = append(t.joins, relation{c, p.keep(c.A, p.called(c.A, c.AField)), p.keep(c.B, p.called(c.B, c.BField))})
		}
	}
	p.eager = true
	top := p.plant(root)
	p.life = t.life(top)
	p.horizon = p.life
	for i := range t.leaves {
		switch l := &t.leaves[i]; {
		case l.base != nil:
			p.horizon = max(p.horizon, int64(LearntFor))
		case l.first != nil:
			p.horizon = max(p.horizon, int64(l.first.Within))
		}
	}
	for i := range t.nodes {
		if t.nodes[i].kind != spanNode {
			p.span += t.nodes[i].within
		}
	}
	for i := range t.leaves {
		p.span += t.leaves[i].memory
	}
	for s := range t.need {
		for i := range t.spoken {
			t.need[s] = append(t.need[s], i)
		}
	}
	p.vals = len(t.fields)
}

// called returns the name that a sub-pattern has for a field of a condition or join.
func (p *program) called(sub int, field string) string {
	if alias, ok := p.rule.Subs[sub].Match.Alias[field]; ok {
		return alias
	}
	return field
}

// keep gives a field of a sub-pattern a place in its marks.
func (p *program) keep(sub int, field string) int {
	t := p.tree
	k := kept{field: field, of: p.rule.Subs[sub].Match.Rule}
	at := slices.Index(t.fields[t.spoken:], k)
	if at < 0 {
		at = len(t.fields) - t.spoken
		t.fields = append(t.fields, k)
	}
	at += t.spoken
	if !slices.Contains(t.need[sub], at) {
		t.need[sub] = append(t.need[sub], at)
	}
	return at
}

// plant adds a node and what is below it, and returns its index.
func (p *program) plant(n rule.Node) int {
	t := p.tree
	out := node{}
	switch n := n.(type) {
	case *rule.Match, *rule.Aggregate, *rule.Baseline, *rule.FirstSeen:
		out.leaf, out.point = p.leaf(n), true
	case *rule.Or:
		out.kind, out.point = orNode, true
		for _, x := range n.Of {
			at := p.plant(x)
			out.of = append(out.of, at)
			out.point = out.point && t.nodes[at].point
		}
	case *rule.And:
		out.kind, out.within = andNode, int64(n.Within)
		for _, x := range n.Of {
			out.of = append(out.of, p.plant(x))
		}
	case *rule.FollowedBy:
		out.kind, out.within = seqNode, int64(n.Within)
		out.of = []int{p.plant(n.A), p.plant(n.B)}
	case *rule.NotFollowedBy:
		out.kind, out.within, out.latest = absenceNode, int64(n.Within), n.Latest
		out.of = []int{p.plant(n.A), p.plant(n.B)}
		p.eager = false
	case *rule.AndNot:
		out.kind, out.within, out.before = withoutNode, int64(n.Within), n.Before
		out.of = []int{p.plant(n.A), p.plant(n.B)}
		p.eager = false
	case *rule.Span:
		out.kind, out.within = spanNode, int64(n.Within)
		out.of = []int{p.plant(n.Of)}
	default:
		panic(fmt.Sprintf("rule %s: %T in an expression", p.rule.ID, n))
	}
	t.nodes = append(t.nodes, out)
	at := len(t.nodes) - 1
	if out.kind == leafNode {
		t.leaves[out.leaf].node = at
	}
	return at
}

// leaf returns the leaf of a sub-pattern.
func (p *program) leaf(n rule.Node) int {
	t := p.tree
	l := leaf{eager: true}
	var m *rule.Match
	switch n := n.(type) {
	case *rule.Match:
		m = n
	case *rule.Baseline:
		m, l.agg, l.base = n.Of.Of, n.Of, n
		t.learns = true
		t.peers = t.peers || n.Peers != ""
	case *rule.Aggregate:
		m, l.agg = n.Of, n
	case *rule.FirstSeen:
		m, l.kind, l.first, l.eager = n.Of, freshLeaf, n, false
		t.learns = true
	}
	l.sub = m.Sub
	if at := slices.IndexFunc(t.leaves, func(x leaf) bool { return x.sub == l.sub }); at >= 0 {
		return at
	}
	if l.agg != nil {
		l.memory = int64(l.agg.Window)
		l.kind = windowLeaf
		if l.agg.Eager() && l.base == nil && l.agg.Windows == rule.Sliding {
			l.kind = slidingLeaf
		}
		l.eager = l.kind == slidingLeaf
	}
	l.streams = append(l.streams, p.stream(&l, m))
	if l.agg != nil {
		for _, also := range l.agg.Also {
			l.streams = append(l.streams, p.stream(&l, also))
		}
	}
	p.eager = p.eager && l.eager
	t.leaves = append(t.leaves, l)
	return len(t.leaves) - 1
}

// stream lays out the values that the events of a stream bring to a leaf.
func (p *program) stream(l *leaf, m *rule.Match) stream {
	f := stream{sub: m.Sub, peers: -1}
	key := keyFields(m)
	for _, name := range m.By {
		if !slices.Contains(key, name) {
			f.rest = append(f.rest, p.keep(m.Sub, name))
		}
	}
	if l.agg != nil {
		for i := range l.agg.All {
			var args []int
			for _, name := range l.agg.All[i].Fields {
				args = append(args, p.keep(m.Sub, p.called(m.Sub, name)))
			}
			f.args = append(f.args, args)
		}
	}
	if l.first != nil {
		for _, name := range l.first.Fields {
			f.fields = append(f.fields, p.keep(m.Sub, p.called(m.Sub, name)))
		}
	}
	if l.base != nil && l.base.Peers != "" {
		f.peers = p.keep(m.Sub, p.called(m.Sub, l.base.Peers))
	}
	return f
}

// life returns for how long after its last event a node can still mean something.
func (t *tree) life(i int) int64 {
	n := &t.nodes[i]
	if n.kind == leafNode {
		return t.leaves[n.leaf].memory
	}
	longest := int64(0)
	for _, x := range n.of {
		longest = max(longest, t.life(x))
	}
	if n.kind == spanNode {
		return longest
	}
	return longest + n.within
}

// describe says in words what state depends on: everything but filters and the times between sub-patterns.
func (p *program) describeTree(b *strings.Builder) {
	t := p.tree
	b.WriteString("tree")
	for _, k := range t.fields {
		fmt.Fprintf(b, " %q%v", k.field, k.short)
		if k.of != "" {
			fmt.Fprintf(b, " of %q", k.of)
		}
	}
	for i := range t.nodes {
		n := &t.nodes[i]
		fmt.Fprintf(b, " %d%v%d%v%v", n.kind, n.of, n.leaf, n.latest, n.before)
	}
	for i := range t.leaves {
		l := &t.leaves[i]
		fmt.Fprintf(b, " leaf %d %d %v", l.sub, l.kind, l.streams)
		if l.agg != nil {
			fmt.Fprintf(b, " %s %d %d", l.agg.Windows, l.agg.Window, l.agg.Gap)
			for j := range l.agg.All {
				c := &l.agg.All[j]
				fmt.Fprintf(b, " %s%q%v%s%v%s", c.Func, c.Fields, c.Rank, c.Op, c.Threshold, formula(c.Stat))
			}
		}
		if l.base != nil {
			fmt.Fprintf(b, " %s %q", l.base.Slots, l.base.Peers)
		}
		if l.first != nil {
			fmt.Fprintf(b, " first %q", l.first.Fields)
		}
	}
}

// formula writes a threshold that is learnt.
func formula(s *rule.Stat) string {
	switch {
	case s == nil:
		return ""
	case s.Op != 0:
		return "(" + formula(s.A) + " " + string(s.Op) + " " + formula(s.B) + ")"
	case s.Var != "":
		return "stat." + s.Var
	}
	return number(s.Value)
}

// takes reads what a mark keeps of an event for a sub-pattern into vals, and reports whether the event takes part.
func (p *program) takes(sub int, ev *storage.Event, vals []string) bool {
	t := p.tree
	for _, i := range t.need[sub] {
		if vals[i] != "" {
			continue
		}
		v, _ := rule.Value(ev, t.fields[i].field)
		if t.fields[i].short {
			vals[i] = strings.Clone(cut(v, MaxCaptureBytes))
		} else {
			vals[i] = distinctValue(v)
		}
	}
	null := p.rule.Subs[sub].Match.NullKey
	for i := range t.leaves {
		l := &t.leaves[i]
		for j := range l.streams {
			if f := &l.streams[j]; f.sub == sub && !l.takes(f, vals, null) {
				return false
			}
		}
	}
	return true
}

// takes reports whether an event has the values that the leaf asks for.
func (l *leaf) takes(f *stream, vals []string, null bool) bool {
	for _, i := range f.rest {
		if vals[i] == "" && !null {
			return false
		}
	}
	for _, i := range f.fields {
		if vals[i] == "" {
			return false
		}
	}
	for c, args := range f.args {
		for _, i := range args {
			if vals[i] == "" {
				return false
			}
			cond := &l.agg.All[c]
			if cond.Func == rule.Distinct {
				continue
			}
			n, ok := finite(vals[i])
			if !ok || cond.Func == rule.Sum && cond.Eager() && n < 0 {
				return false
			}
		}
	}
	return true
}

// edge says an edge between two parts in words.
func (n *node) edge(a, b string) string {
	within := " within " + time.Duration(n.within).String()
	switch n.kind {
	case andNode:
		return a + " and " + b + within
	case absenceNode:
		return a + " !-> " + b + within
	case withoutNode:
		if n.before {
			return a + " and not before " + b + within
		}
		return a + " and not " + b + within
	}
	return a + " -> " + b + within
}
