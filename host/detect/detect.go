// Package detect decides which sub-patterns of which rules an event matches: every rule is compiled into one shared,
// indexed set, so that an event pays for the rules that could match it and not for all.
package detect

import (
	"fmt"
	"math/bits"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Set is a compiled rule set. It is immutable: any number of goroutines and tenants may match with it, each goroutine
// with its own Scratch.
type Set struct {
	rules  []*rule.Rule
	byID   map[string]int
	subs   []sub // in the order of rules and their sub-patterns
	slots  map[string]uint16
	index  []fieldIndex
	always []uint64 // bitset of subs that no index reaches
}

// sub is one compiled sub-pattern.
type sub struct {
	rule, sub int
	where     pred
}

// fieldIndex finds the subs that need a field to have one of some values.
type fieldIndex struct {
	slot   uint16
	values map[string][]uint32 // folded value -> subs
}

// Hit is one match: the event satisfied sub-pattern Sub of Rule. For a sub-pattern with Match.Code set it only passed
// the pre-filter.
type Hit struct {
	Rule *rule.Rule
	Sub  int
}

// Compile builds a set. Rules keep their order; an id given twice is an error.
func Compile(rules []*rule.Rule) (*Set, error) {
	if len(rules) > MaxRulesPerSet {
		return nil, fmt.Errorf("compiling rules: %d, the limit is %d: %w", len(rules), MaxRulesPerSet, storage.ErrExhausted)
	}
	s := &Set{rules: rules, byID: make(map[string]int, len(rules)), slots: map[string]uint16{}}
	b := builder{set: s, index: map[uint16]int{}}
	for i, r := range rules {
		if j, twice := s.byID[r.ID]; twice {
			return nil, fmt.Errorf("compiling rules: id %s is used by %s and %s: %w", r.ID, rules[j].File, r.File, storage.ErrConflict)
		}
		s.byID[r.ID] = i
		for j := range r.Subs {
			p, err := b.pred(r.Subs[j].Match.Where)
			if err != nil {
				return nil, fmt.Errorf("compiling rule %s, sub %s: %w", r.ID, r.Subs[j].Name, err)
			}
			s.subs = append(s.subs, sub{rule: i, sub: j, where: p})
		}
	}
	s.always = make([]uint64, (len(s.subs)+63)/64)
	n := uint32(0)
	for _, r := range rules {
		for j := range r.Subs {
			if !b.indexed(n, r.Subs[j].Match.Where) {
				s.always[n/64] |= 1 << (n % 64)
			}
			n++
		}
	}
	return s, nil
}

// Rules returns the rules in order. The slice must not be changed.
func (s *Set) Rules() []*rule.Rule {
	if s == nil {
		return nil
	}
	return s.rules
}

// Rule returns the rule with an id, or nil.
func (s *Set) Rule(id string) *rule.Rule {
	if s == nil {
		return nil
	}
	if i, ok := s.byID[id]; ok {
		return s.rules[i]
	}
	return nil
}

// View is what one tenant runs: the shared set without the rules that the tenant disabled, and the tenant's own. A rule
// of the overlay takes the place of the global rule with the same id.
type View struct {
	global, overlay *Set
	off             []uint64 // bitset over the global set's rules
}

// NewView makes a view; either set may be nil. Ids in disabled switch off rules of both sets; unknown ones are ignored,
// since a rule may be disabled before it is installed.
func NewView(global, overlay *Set, disabled []string) (*View, error) {
	v := &View{global: global, overlay: overlay}
	off := map[string]bool{}
	for _, id := range disabled {
		off[id] = true
	}
	if overlay != nil {
		var on []*rule.Rule
		for _, r := range overlay.rules {
			if !off[r.ID] {
				on = append(on, r)
			}
		}
		if len(on) != len(overlay.rules) {
			o, err := Compile(on)
			if err != nil {
				return nil, err
			}
			v.overlay = o
		}
	}
	if global != nil {
		v.off = make([]uint64, (len(global.rules)+63)/64)
		for i, r := range global.rules {
			if off[r.ID] || v.overlay.Rule(r.ID) != nil {
				v.off[i/64] |= 1 << (i % 64)
			}
		}
	}
	return v, nil
}

// Rule returns the rule that runs under an id, or nil when none does.
func (v *View) Rule(id string) *rule.Rule {
	if r := v.overlay.Rule(id); r != nil {
		return r
	}
	if v.global == nil {
		return nil
	}
	if i, ok := v.global.byID[id]; ok && v.off[i/64]&(1<<(i%64)) == 0 {
		return v.global.rules[i]
	}
	return nil
}

// Match returns what the event matches, global rules first, in rule order. The slice and the strings behind it belong
// to sc until its next use; nothing is allocated once sc has grown to the events that it sees.
func (v *View) Match(ev *storage.Event, sc *Scratch) []Hit {
	sc.hits = sc.hits[:0]
	if v.global != nil {
		v.global.match(ev, &sc.global, v.off, &sc.hits)
	}
	if v.overlay != nil {
		v.overlay.match(ev, &sc.overlay, nil, &sc.hits)
	}
	return sc.hits
}

// Match is View.Match of the whole set.
func (s *Set) Match(ev *storage.Event, sc *Scratch) []Hit {
	sc.hits = sc.hits[:0]
	s.match(ev, &sc.global, nil, &sc.hits)
	return sc.hits
}

// Scratch is the working memory of one goroutine. Its zero value is ready.
type Scratch struct {
	hits            []Hit
	global, overlay memory
}

func (s *Set) match(ev *storage.Event, m *memory, off []uint64, hits *[]Hit) {
	m.load(s, ev)
	words := append(m.words[:0], s.always...)
	m.words = words
	for i := range s.index {
		x := &s.index[i]
		for _, text := range m.texts(x.slot, false) {
			for _, n := range x.values[text] {
				words[n/64] |= 1 << (n % 64)
			}
		}
	}
	for w, word := range words {
		for ; word != 0; word &= word - 1 {
			c := &s.subs[w*64+bits.TrailingZeros64(word)]
			if off != nil && off[c.rule/64]&(1<<(c.rule%64)) != 0 {
				continue
			}
			if c.where.holds(m) {
				*hits = append(*hits, Hit{Rule: s.rules[c.rule], Sub: c.sub})
			}
		}
	}
}

// Matcher returns a function that names the sub-patterns of one rule that an event matches; its slice is valid until
// the next call. It runs the rule's inline tests.
func Matcher(r *rule.Rule) (func(*storage.Event) []int, error) {
	s, err := Compile([]*rule.Rule{r})
	if err != nil {
		return nil, err
	}
	var sc Scratch
	var subs []int
	return func(ev *storage.Event) []int {
		subs = subs[:0]
		for _, h := range s.Match(ev, &sc) {
			subs = append(subs, h.Sub)
		}
		return subs
	}, nil
}
