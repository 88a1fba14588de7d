package correlate

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
)

// program is a rule lowered to what a keyed state machine runs: a chain of stages, each a sub-pattern, with an edge
// into every stage but the first, of which the last may be an absence; or, for any other rule, a tree.
type program struct {
	source    *rule.Rule // as it was given
	on        []string   // rules whose firings it, or what clears its incidents, looks at: they keep step
	clears    bool       // its clear pattern, which ends incidents
	rule      *rule.Rule
	key       []string           // fields of the group key, as the first sub-pattern calls them
	eager     bool               // fires with the event that completes it, ahead of the watermark
	tree      *tree              // nil: a chain, which stages and rings describe
	keys      [][]string         // by sub-pattern: key as it calls it
	lost      uint64             // occurrences that were not remembered
	pool      map[string]*[]slot // what keys have learnt together, by leaf.together
	stages    []stage
	rings     []ringSpec // one for each aggregate sub-pattern
	ringOf    []int      // by sub-pattern; -1: every match counts
	valueOf   []int      // by ring: index in mark.vals of a distinct value; -1 for count
	captures  []string   // fields kept in mark.vals after the distinct values, for the title of an absence
	vals      int        // length of mark.vals
	absence   bool
	latest    bool
	heartbeat bool // "a !-> a": interior marks change nothing
	stateless bool // a single match: fires at once
	lateness  int64
	life      int64             // how long after its last event a pattern can still complete
	horizon   int64             // the longest window or edge
	span      int64             // all windows and edges together: no older event has part in a firing
	names     map[string]string // of entity fields: one copy for all keys
	shape     uint64            // hash of what a machine's layout depends on: neither filters nor thresholds nor times
	subs      []uint64          // of each sub-pattern the hash of what its events mean: group fields, threshold and window
}

type stage struct {
	sub    int
	within int64 // of the edge into it
}

// ringSpec is a sliding window over the last events of one key.
type ringSpec struct {
	sub    int
	need   int // events or values that satisfy it
	keep   int // events or values that are remembered
	window int64
	agg    *rule.Condition
}

// clearing returns the clear pattern of a rule as a rule of its own, nil when it has none.
func clearing(r *rule.Rule) *rule.Rule {
	c := r.Root.Clear
	if c == nil || c.Of == nil {
		return nil
	}
	own := *r
	own.ID += clearSuffix
	own.Root = &rule.Emit{Of: c.Of, Incident: &rule.Incident{Key: r.Root.Incident.Key}}
	return &own
}

// clearSuffix tells the state of a rule's clear pattern from its own.
const clearSuffix = "\x00clear"

// compileClear lowers the clear pattern of a rule. It waits for the watermark when the rule does: what it ends must have
// begun.
func compileClear(r *rule.Rule) *program {
	p := lower(&program{source: r, rule: clearing(r), clears: true})
	if !compile(r).eager {
		p.eager, p.stateless = false, false
	}
	return p
}

// compile lowers a rule that Parse has accepted.
func compile(r *rule.Rule) *program { return lower(&program{source: r, rule: r}) }

// lower fills in a program whose source, rule and clears are set.
func lower(p *program) *program {
	r := p.rule
	p.lateness, p.names, p.eager = int64(r.Lateness), map[string]string{}, true
	p.ringOf, p.keys = make([]int, len(r.Subs)), make([][]string, len(r.Subs))
	for i := len(r.Subs) - 1; i >= 0; i-- {
		if p.ringOf[i] = -1; p.owns(i) {
			p.keys[i] = keyFields(r.Subs[i].Match)
			p.key = p.keys[i]
		}
		if id := r.Subs[i].Match.Rule; id != "" {
			p.on = append(p.on, id)
		}
	}
	if isChain(r) {
		p.lowerChain()
	} else {
		p.lowerTree()
	}
	p.life = cmp.Or(p.life, p.horizon)
	p.hash()
	return p
}

// owns reports whether a sub-pattern is one of the program's: the last may be that of the clear pattern.
func (p *program) owns(sub int) bool {
	of := sub == len(p.source.Subs)-1 && clearing(p.source) != nil
	return of == p.clears
}

// keyFields returns the fields of a sub-pattern that are the group key of the rule.
func keyFields(m *rule.Match) []string {
	if m.Key == nil {
		return m.By
	}
	out := make([]string, len(m.Key))
	for i, at := range m.Key {
		out[i] = m.By[at]
	}
	return out
}

// isChain reports whether a rule is a sequence of plain sub-patterns, with an absence at its end at most.
func isChain(r *rule.Rule) bool {
	n := r.Root.Of
	if x, ok := n.(*rule.NotFollowedBy); ok {
		if !isStage(x.B) {
			return false
		}
		n = x.A
	}
	for {
		x, ok := n.(*rule.FollowedBy)
		if !ok {
			return isStage(n)
		}
		if !isStage(x.B) {
			return false
		}
		n = x.A
	}
}

func isStage(n rule.Node) bool {
	var m *rule.Match
	switch n := n.(type) {
	case *rule.Match:
		m = n
	case *rule.Aggregate:
		c := &n.All[0]
		counts := c.Func == rule.Count || c.Func == rule.Distinct && len(c.Fields) == 1
		if len(n.All) > 1 || !counts || !n.Eager() || n.Windows != rule.Sliding || len(n.Also) > 0 {
			return false
		}
		m = n.Of
	default:
		return false
	}
	return len(keyFields(m)) == len(m.By) && len(m.Alias) == 0
}

// lowerChain lays out stages and rings.
func (p *program) lowerChain() {
	n := p.rule.Root.Of
	if x, ok := n.(*rule.NotFollowedBy); ok {
		p.absence, p.latest, p.eager = true, x.Latest, false
		p.push(x.B, x.Within)
		n = x.A
	}
	for {
		x, ok := n.(*rule.FollowedBy)
		if !ok {
			break
		}
		p.push(x.B, x.Within)
		n = x.A
	}
	p.push(n, 0)
	slices.Reverse(p.stages)
	p.windows()
	last := len(p.stages) - 1
	p.stateless = last == 0 && len(p.rings) == 0
	p.heartbeat = p.absence && last == 1 && p.stages[0].sub == p.stages[1].sub && len(p.rings) == 0
}

func (p *program) push(n rule.Node, within time.Duration) {
	switch n := n.(type) {
	case *rule.Match:
		p.stages = append(p.stages, stage{n.Sub, int64(within)})
	case *rule.Aggregate:
		p.stages = append(p.stages, stage{n.Of.Sub, int64(within)})
	default:
		panic(fmt.Sprintf("rule %s: %T is no stage of a chain", p.rule.ID, n))
	}
	p.horizon = max(p.horizon, int64(within))
	p.span += int64(within)
}

// windows lays out rings and the values that a mark carries for them.
func (p *program) windows() {
	for i := range p.rule.Subs {
		a := p.rule.Subs[i].Aggregate
		if a == nil || !p.owns(i) {
			continue
		}
		need := a.All[0].Least()
		keep := need
		if len(p.stages) > 1 {
			keep = max(need, maxChainEvents)
		}
		p.ringOf[i] = len(p.rings)
		p.rings = append(p.rings, ringSpec{sub: i, need: need, keep: keep, window: int64(a.Window), agg: &a.All[0]})
		p.horizon = max(p.horizon, int64(a.Window))
		p.span += int64(a.Window)
		if a.All[0].Func == rule.Distinct {
			p.valueOf = append(p.valueOf, p.vals)
			p.vals++
		} else {
			p.valueOf = append(p.valueOf, -1)
		}
	}
	if p.absence {
		p.captures = p.spokenOf()
		p.vals += len(p.captures)
	}
}

// spokenOf returns the fields that a firing speaks of and that the group key does not hold.
func (p *program) spokenOf() (out []string) {
	root := p.rule.Root
	var names []string
	for _, part := range root.Incident.Title {
		names = append(names, part.Field)
	}
	for _, w := range root.WatchLists {
		names = append(names, w.Value)
	}
	for _, f := range append(names, root.Incident.Key...) {
		if f != "" && p.keyIndex(f) < 0 && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// keyIndex returns the place of a field in the group key, by the name that any sub-pattern gives it.
func (p *program) keyIndex(field string) int {
	for _, key := range p.keys {
		if at := slices.Index(key, field); at >= 0 {
			return at
		}
	}
	return -1
}

// hash describes the layout and the sub-patterns in words and hashes them. Filters and the times between steps are left
// out: what led up to a step is kept when one of them is edited.
func (p *program) hash() {
	var b strings.Builder
	b.WriteString("v2")
	if p.tree != nil {
		p.describeTree(&b)
	}
	for i := range p.stages {
		fmt.Fprintf(&b, " %d", p.stages[i].sub)
	}
	fmt.Fprintf(&b, " %v %v %q|", p.absence, p.latest, p.captures)
	for i := range p.rule.Subs {
		s := &p.rule.Subs[i]
		if !p.owns(i) {
			if p.clears {
				p.subs = append(p.subs, 0)
			}
			continue
		}
		fmt.Fprintf(&b, "%q %d ", s.Name, len(s.Match.By))
		if p.tree != nil { // starts anew as a whole
			fmt.Fprintf(&b, "by %q %v", s.Match.By, s.Match.Key)
		}
		d := fmt.Sprintf("match by %q", s.Match.By)
		if a := s.Aggregate; a != nil {
			c := &a.All[0]
			fmt.Fprintf(&b, "%s;", c.Func)
			d += fmt.Sprintf(" %s(%q) %s %v %d", c.Func, strings.Join(c.Fields, ","), c.Op, c.Threshold, a.Window)
		}
		p.subs = append(p.subs, sum(d))
	}
	p.shape = sum(b.String())
}

func sum(s string) uint64 {
	h := sha256.Sum256([]byte(s))
	return binary.LittleEndian.Uint64(h[:8])
}

// newRun returns the run of a key that knows nothing.
func (p *program) newRun() run {
	if p.tree != nil {
		return p.newGrowth()
	}
	return p.newChain()
}
