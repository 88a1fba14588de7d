package correlate

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
)

// program is a rule lowered to what a keyed state machine runs: a chain of stages, each a sub-pattern, with an edge
// into every stage but the first. The last edge may be an absence.
type program struct {
	rule      *rule.Rule
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

// compile lowers a rule that Parse has accepted.
func compile(r *rule.Rule) *program {
	p := &program{rule: r, lateness: int64(r.Lateness), ringOf: make([]int, len(r.Subs)), names: map[string]string{}}
	n := r.Root.Of
	if x, ok := n.(*rule.NotFollowedBy); ok {
		p.absence, p.latest = true, x.Latest
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
	for i, j := 0, len(p.stages)-1; i < j; i, j = i+1, j-1 {
		p.stages[i], p.stages[j] = p.stages[j], p.stages[i]
	}
	p.windows()
	last := len(p.stages) - 1
	p.stateless = last == 0 && len(p.rings) == 0
	p.heartbeat = p.absence && last == 1 && p.stages[0].sub == p.stages[1].sub && len(p.rings) == 0
	p.hash()
	return p
}

func (p *program) push(n rule.Node, within time.Duration) {
	switch n := n.(type) {
	case *rule.Match:
		p.stages = append(p.stages, stage{n.Sub, int64(within)})
	case *rule.Aggregate:
		p.stages = append(p.stages, stage{n.Of.Sub, int64(within)})
	default:
		panic(fmt.Sprintf("rule %s: Parse admits no %T as a step", p.rule.ID, n))
	}
	p.horizon = max(p.horizon, int64(within))
	p.span += int64(within)
}

// windows lays out rings and the values that a mark carries for them.
func (p *program) windows() {
	for i := range p.rule.Subs {
		p.ringOf[i] = -1
		a := p.rule.Subs[i].Aggregate
		if a == nil {
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
	if !p.absence {
		return
	}
	for _, part := range p.rule.Root.Incident.Title {
		if f := part.Field; f != "" && p.keyIndex(f) < 0 {
			p.captures = append(p.captures, f)
		}
	}
	p.vals += len(p.captures)
}

// keyIndex returns the place of a field in the group key, by the name that any sub-pattern gives it.
func (p *program) keyIndex(field string) int {
	for i := range p.rule.Subs {
		for j, f := range p.rule.Subs[i].Match.By {
			if f == field {
				return j
			}
		}
	}
	return -1
}

// hash describes the layout and the sub-patterns in words and hashes them. Filters and the times between steps are left
// out: what led up to a step is kept when one of them is edited.
func (p *program) hash() {
	var b strings.Builder
	b.WriteString("v2")
	for i := range p.stages {
		fmt.Fprintf(&b, " %d", p.stages[i].sub)
	}
	fmt.Fprintf(&b, " %v %v %q|", p.absence, p.latest, p.captures)
	for i := range p.rule.Subs {
		s := &p.rule.Subs[i]
		fmt.Fprintf(&b, "%q %d ", s.Name, len(s.Match.By))
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
