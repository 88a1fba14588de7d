package detect

import (
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Nests reports whether some rule selects the firings of others.
func (v *View) Nests() bool {
	return v.global != nil && len(v.global.nested) > 0 || v.overlay != nil && len(v.overlay.nested) > 0
}

// MatchFiring is Match for a firing of a rule, as an event: what selects the firings of that rule.
func (v *View) MatchFiring(id string, ev *storage.Event, sc *Scratch) []Hit {
	sc.hits = sc.hits[:0]
	if v.global != nil {
		v.global.best().matchFiring(id, ev, &sc.global, v.off, v.lists[0], &sc.hits)
	}
	if v.overlay != nil {
		v.overlay.matchFiring(id, ev, &sc.overlay, nil, v.lists[1], &sc.hits)
	}
	return sc.hits
}

// MatchCase is Match for an event of an inline test, of which one with rule.FiringDataset is a firing of the rule that its
// rule.id names.
func (v *View) MatchCase(ev *storage.Event, sc *Scratch) []Hit {
	if ev.Stream == rule.FiringDataset {
		return v.MatchFiring(ev.Get("rule.id"), ev, sc)
	}
	return v.Match(ev, sc)
}

func (s *Set) matchFiring(id string, ev *storage.Event, m *memory, off []uint64, lists []List, hits *[]Hit) {
	subs := s.nested[id]
	if len(subs) == 0 {
		return
	}
	m.load(s, ev)
	m.lists = lists
	m.words = append(m.words[:0], s.always...)
	m.scan()
	for _, n := range subs {
		c := &s.subs[n]
		if off != nil && off[c.rule/64]&(1<<(c.rule%64)) != 0 {
			continue
		}
		if c.where.holds(m) {
			*hits = append(*hits, Hit{Rule: s.rules[c.rule], Sub: c.sub})
		}
	}
}
