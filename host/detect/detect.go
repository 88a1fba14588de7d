// Package detect decides which sub-patterns of which rules an event matches: every rule is compiled into one shared,
// indexed set, so that an event pays for the rules that could match it and not for all.
package detect

import (
	"fmt"
	"math/bits"
	"sync/atomic"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Set is a compiled rule set. It is immutable: any number of goroutines and tenants may match with it, each goroutine
// with its own Scratch.
//
// Equal tests of all rules are one. The texts that tests look for are found by one pass over each field, which marks the
// tests that hold. Each sub-pattern has a guard: a few tests, rare ones, of which one must hold; it is looked at when
// one of them is marked.
type Set struct {
	rules   []*rule.Rule
	byID    map[string]int
	subs    []sub // in the order of rules and their sub-patterns
	slots   map[string]uint16
	fields  []fieldIndex // by slot
	tests   []test
	scanned []uint16         // slots of fields that the scan looks at
	always  []uint64         // bitset of subs that have no guard
	nested  map[string][]int // by rule: subs that select its firings, which are no events of the log
	lists   []string         // names of lists that tests ask for

	ranked atomic.Pointer[Set] // the same rules, guarded by what Rank knew; nil: this one
}

// sub is one compiled sub-pattern.
type sub struct {
	rule, sub int
	where     pred
}

// Hit is one match: the event satisfied sub-pattern Sub of Rule. For a sub-pattern with Match.Code set it only passed
// the pre-filter.
type Hit struct {
	Rule *rule.Rule
	Sub  int
}

// Compile builds a set. Rules keep their order; an id given twice is an error.
func Compile(rules []*rule.Rule) (*Set, error) { return CompileFor(rules, Shares{}) }

// CompileFor is Compile for events such as those that were seen.
func CompileFor(rules []*rule.Rule, seen Shares) (*Set, error) {
	if len(rules) > MaxRulesPerSet {
		return nil, fmt.Errorf("compiling rules: %d, the limit is %d: %w", len(rules), MaxRulesPerSet, storage.ErrExhausted)
	}
	s := &Set{rules: rules, byID: make(map[string]int, len(rules)), nested: map[string][]int{}, slots: map[string]uint16{}}
	b := &builder{set: s, known: map[string]leaf{}, lists: map[string]int{}, seen: seen}
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
	for n := range s.subs {
		c := &s.subs[n]
		if id := rules[c.rule].Subs[c.sub].Match.Rule; id != "" {
			s.nested[id] = append(s.nested[id], n)
			continue
		}
		b.guard(uint32(n), c.where)
	}
	b.index()
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
	off             []uint64  // bitset over the global set's rules
	lists           [2][]List // of global and overlay, by their number there; nil: no list has a name
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
		hide := func(id string) {
			if i, ok := global.byID[id]; ok {
				v.off[i/64] |= 1 << (i % 64)
			}
		}
		for id := range off {
			hide(id)
		}
		if v.overlay != nil { // few beside the global ones
			for _, r := range v.overlay.rules {
				hide(r.ID)
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
		v.global.best().match(ev, &sc.global, v.off, v.lists[0], &sc.hits)
	}
	if v.overlay != nil {
		v.overlay.match(ev, &sc.overlay, nil, v.lists[1], &sc.hits)
	}
	return sc.hits
}

// Match is View.Match of the whole set, where no list has a name.
func (s *Set) Match(ev *storage.Event, sc *Scratch) []Hit {
	sc.hits = sc.hits[:0]
	s.match(ev, &sc.global, nil, nil, &sc.hits)
	return sc.hits
}

// Scratch is the working memory of one goroutine. Its zero value is ready.
type Scratch struct {
	hits            []Hit
	global, overlay memory
}

func (s *Set) match(ev *storage.Event, m *memory, off []uint64, lists []List, hits *[]Hit) {
	m.load(s, ev)
	m.lists = lists
	m.words = append(m.words[:0], s.always...)
	m.scan()
	for w, word := range m.words {
		m.looked += uint64(bits.OnesCount64(word))
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

// Matcher returns a function that names the sub-patterns of one rule that an event matches, where no list has a name; its
// slice is valid until the next call.
func Matcher(r *rule.Rule) (func(*storage.Event) []int, error) {
	match, err := CaseMatcher(r)
	if err != nil {
		return nil, err
	}
	return func(ev *storage.Event) []int { return match(&rule.Case{}, ev) }, nil
}

// CaseMatcher is Matcher with the lists of the inline test that the event is of.
func CaseMatcher(r *rule.Rule) (func(c *rule.Case, ev *storage.Event) []int, error) {
	s, err := Compile([]*rule.Rule{r})
	if err != nil {
		return nil, err
	}
	all, err := NewView(s, nil, nil)
	if err != nil {
		return nil, err
	}
	var sc Scratch
	var subs []int
	return func(c *rule.Case, ev *storage.Event) []int {
		view := all
		if len(c.Lists) > 0 {
			view = all.WithLists(CaseLists(c.Lists))
		}
		subs = subs[:0]
		for _, h := range view.MatchCase(ev, &sc) {
			subs = append(subs, h.Sub)
		}
		return subs
	}, nil
}
