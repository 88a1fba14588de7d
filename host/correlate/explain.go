package correlate

import (
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// tell adds what the parts of the occurrence contribute.
func (g *growth) tell(p *program, _ *mark, f *Firing) told {
	t := told{counts: make([]string, len(p.rule.Subs)), field: noField}
	for i := range t.counts {
		t.counts[i] = "0"
	}
	o := g.full
	parts := o.parts(nil)
	newest := parts[0]
	for _, x := range parts[1:] {
		if newest.end.before(x.end) {
			newest = x
		}
	}
	f.Trigger, f.Time = newest.id, o.end.time
	t.field = p.captured(newest.vals)
	p.tellOf(o, f, t.counts)
	return t
}

// tellOf adds the events, thresholds and edges of an occurrence, and returns its name.
func (p *program) tellOf(o *occurrence, f *Firing, counts []string) string {
	n := &p.tree.nodes[o.node]
	if len(o.of) == 0 {
		return p.tellLeaf(&p.tree.leaves[n.leaf], o, f, counts)
	}
	names := make([]string, len(o.of))
	for i, x := range o.of {
		names[i] = p.tellOf(x, f, counts)
	}
	c := storage.Condition{Threshold: duration(n.within)}
	switch n.kind {
	case absenceNode, withoutNode:
		c.Sub = p.nameOf(n.of[1])
		c.Expr, c.Actual = n.edge(names[0], c.Sub), "none"
	case andNode:
		c.Sub = names[len(names)-1]
		c.Expr, c.Actual = n.edge(strings.Join(names[:len(names)-1], " and "), c.Sub), duration(o.end.time-o.begin.time)
	default:
		c.Sub = names[1]
		c.Expr, c.Actual = n.edge(names[0], names[1]), duration(o.end.time-o.of[0].end.time)
	}
	f.Conditions = append(f.Conditions, c)
	if n.kind == absenceNode || n.kind == withoutNode {
		return names[0]
	}
	return names[len(names)-1]
}

// nameOf names a node by its sub-patterns.
func (p *program) nameOf(i int) string {
	n := &p.tree.nodes[i]
	if n.kind == leafNode {
		return p.rule.Subs[p.tree.leaves[n.leaf].sub].Name
	}
	names := make([]string, len(n.of))
	for j, x := range n.of {
		names[j] = p.nameOf(x)
	}
	return strings.Join(names, ", ")
}

func (p *program) tellLeaf(l *leaf, o *occurrence, f *Firing, counts []string) string {
	name := p.rule.Subs[l.sub].Name
	if o.seen == nil {
		counts[l.sub] = "1"
		f.Evidence = append(f.Evidence, storage.Evidence{Sub: name, ID: o.id, Time: o.end.time})
		if l.first != nil {
			f.Conditions = append(f.Conditions, storage.Condition{
				Sub: name, Expr: "first seen " + strings.Join(l.first.Fields, ", ") + " within " + l.first.Within.String(),
				Actual: strings.Join(p.firstValues(l, o), ", "), Threshold: "new",
			})
		}
		return name
	}
	counts[l.sub] = number(float64(o.seen.count))
	if o.seen.more {
		counts[l.sub] += "+"
	}
	for i, v := range o.seen.values {
		c := &l.agg.All[i]
		text := storage.Condition{Sub: name, Expr: condition(c, v.threshold, l.agg), Actual: number(v.value), Threshold: number(v.threshold)}
		if c.Func == rule.Count {
			text.Actual = counts[l.sub]
		}
		if !v.exact {
			text.Expr += " (approximate)"
			f.Approximate = true
		}
		f.Conditions = append(f.Conditions, text)
	}
	for _, x := range o.seen.recent {
		f.Evidence = append(f.Evidence, storage.Evidence{Sub: name, ID: x.id, Time: x.time})
	}
	return name
}

func (p *program) firstValues(l *leaf, o *occurrence) (out []string) {
	for _, f := range l.streams[0].fields {
		if f < len(o.vals) {
			out = append(out, o.vals[f])
		}
	}
	return out
}
