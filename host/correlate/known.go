package correlate

import (
	"fmt"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Known is what a rule knows now of the key of an event.
type Known struct {
	Key       []storage.Field
	Steps     []string // for people: how far each sub-pattern has come, and what is waited for
	Watermark int64    // ns
}

// Known returns what a rule knows of the key that an event has, if it knows anything. The rule of a single match never
// does.
func (s *State) Known(ruleID string, ev *storage.Event) (Known, bool) {
	t := s.tenants[ev.Tenant]
	if t == nil || t.tables[ruleID] == nil {
		return Known{}, false
	}
	tb := t.tables[ruleID]
	p := tb.prog
	for sub := range p.rule.Subs {
		key, ok := appendKey(nil, p.keys[sub], &Hit{Rule: p.rule, Sub: sub, Event: ev})
		mc := tb.machines[string(key)]
		if !ok || mc == nil {
			continue
		}
		k := Known{Watermark: tb.watermark}
		parts := splitKey(mc.key)
		for i, name := range p.key {
			k.Key = append(k.Key, storage.Field{Name: name, Value: parts[i]})
		}
		now := mc.settled
		if mc.ahead != nil {
			now = mc.ahead
		}
		switch now := now.(type) {
		case *chain:
			k.Steps = p.chainSteps(now, tb.watermark)
		case *growth:
			k.Steps = p.treeSteps(now)
		}
		if n := len(mc.pending); n > 0 && !p.eager {
			k.Steps = append(k.Steps, fmt.Sprintf("events that wait until the rule has come to their time: %d", n))
		}
		return k, len(k.Steps) > 0
	}
	return Known{}, false
}

func (p *program) chainSteps(c *chain, watermark int64) (steps []string) {
	for i := range p.rings {
		spec := &p.rings[i]
		if n := len(c.rings[i]); n > 0 {
			within := c.rings[i].within(max(watermark, c.rings[i][n-1].time), spec.window)
			steps = append(steps, fmt.Sprintf("%s: %d of %d %s within %v", p.rule.Subs[spec.sub].Name, len(within), spec.need, countedOf(spec.agg), time.Duration(spec.window)))
		}
	}
	for i := range c.held {
		h := &c.held[i]
		if !h.set {
			continue
		}
		next := p.stages[i+1]
		until := clockOf(h.time + next.within)
		if p.absence && i == len(c.held)-1 {
			steps = append(steps, fmt.Sprintf("armed: fires at %s unless %s comes", until, p.rule.Subs[next.sub].Name))
		} else {
			steps = append(steps, fmt.Sprintf("%s held at %s; waits for %s until %s", p.rule.Subs[p.stages[i].sub].Name, clockOf(h.time), p.rule.Subs[next.sub].Name, until))
		}
	}
	return steps
}

func (p *program) treeSteps(g *growth) (steps []string) {
	for i := range p.tree.leaves {
		l := &p.tree.leaves[i]
		if l.agg == nil {
			continue
		}
		g.leaves[i].each(func(pl *plot) {
			name := p.rule.Subs[l.sub].Name
			if pl.rest != "" {
				name += " (" + strings.Join(splitKey(pl.rest), ", ") + ")"
			}
			switch {
			case l.kind == windowLeaf && pl.win.open:
				steps = append(steps, fmt.Sprintf("%s: events in the window from %s to %s: %d", name, clockOf(pl.win.begin), clockOf(pl.win.end), pl.win.count))
			case l.kind == slidingLeaf:
				for j := range pl.rings {
					if n := len(pl.rings[j]); n > 0 {
						steps = append(steps, fmt.Sprintf("%s: %s remembered, of the last %v: %d", name, countedOf(&l.agg.All[j]), l.agg.Window, n))
					}
				}
			}
		})
	}
	for i := range p.tree.nodes {
		n := 0
		for _, list := range g.nodes[i] {
			n += len(list)
		}
		if within := time.Duration(p.tree.nodes[i].within); n > 0 && within > 0 {
			steps = append(steps, fmt.Sprintf("parts seen of what has to come together within %v: %d", within, n))
		}
	}
	return steps
}

// countedOf names what a condition counts.
func countedOf(c *rule.Condition) string {
	if c.Func == rule.Distinct {
		return "values of " + strings.Join(c.Fields, ", ")
	}
	return "events"
}

func clockOf(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05 UTC") }
