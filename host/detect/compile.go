package detect

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// builder compiles predicates into a set.
type builder struct {
	set      *Set
	known    map[string]leaf // tests by what they say
	plans    []plan          // of the set's tests
	seen     Shares
	anywhere bool           // tests of no field in particular may guard
	lists    map[string]int // numbers of lists by their names
}

// plan is how the scan decides a test.
type plan struct {
	cost  float64 // share of events that it is thought to be marked by; above 1 when the scan cannot find it
	slot  uint16
	texts []lookFor
	any   bool // of no field in particular: the texts are looked for only where a guard is wanted, since that takes all fields
	guard bool // such a test guards something
}

// lookFor is a text whose finding tells something of a test: that it holds, or only that it may.
type lookFor struct {
	text    string // folded
	at      where
	decides bool
}

func (b *builder) slot(field string) (uint16, error) {
	if n, ok := b.set.slots[field]; ok {
		return n, nil
	}
	n := len(b.set.slots)
	if n >= MaxFieldsPerSet {
		return 0, fmt.Errorf("more than %d different fields: %w", MaxFieldsPerSet, storage.ErrExhausted)
	}
	b.set.slots[field] = uint16(n)
	return uint16(n), nil
}

// pred compiles a predicate tree; what it names is interned.
func (b *builder) pred(p rule.Pred) (pred, error) {
	switch p := p.(type) {
	case rule.AllOf:
		kids, err := b.preds(p)
		return b.all(kids), err
	case rule.AnyOf:
		kids, err := b.preds(p)
		b.cheapestFirst(kids)
		return &anyOf{kids}, err
	case rule.Not:
		kid, err := b.pred(p.Of)
		return &not{kid}, err
	case *rule.Test:
		return b.split(p)
	}
	return nil, fmt.Errorf("predicate %T: %w", p, rule.ErrNotImplemented)
}

func (b *builder) preds(of []rule.Pred) ([]pred, error) {
	out := make([]pred, len(of))
	for i, p := range of {
		var err error
		if out[i], err = b.pred(p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// all makes a conjunction.
func (b *builder) all(kids []pred) *allOf {
	b.cheapestFirst(kids)
	p := &allOf{of: kids}
	for _, q := range kids {
		if l, ok := q.(leaf); ok && b.set.tests[l.test].scanned {
			p.must = append(p.must, l.test)
		}
	}
	slices.SortStableFunc(p.must, func(s, t uint32) int { return cmp.Compare(b.plans[s].cost, b.plans[t].cost) })
	return p
}

// cheapestFirst orders conditions of which the first ones may settle it.
func (b *builder) cheapestFirst(kids []pred) {
	slices.SortStableFunc(kids, func(p, q pred) int {
		return cmp.Or(cmp.Compare(b.effort(p), b.effort(q)), cmp.Compare(b.chance(p), b.chance(q)))
	})
}

// chance is the share of events for which a predicate is thought to hold, as far as the scan tells.
func (b *builder) chance(p pred) float64 {
	_, cost := b.rarest(p)
	return cost
}

// effort says roughly how many tens of nanoseconds a predicate costs when it has to be decided.
func (b *builder) effort(p pred) (n int) {
	switch p := p.(type) {
	case leaf:
		if b.set.tests[p.test].scanned { // mostly it is not marked
			return 0
		}
		return b.effort(b.set.tests[p.test].lazy)
	case *not:
		return b.effort(p.of)
	case *allOf:
		for _, q := range p.of {
			n += b.effort(q)
		}
		return n + 1
	case *anyOf:
		for _, q := range p.of {
			n += b.effort(q)
		}
		return n + 1
	case *each:
		for _, m := range p.of {
			if _, ok := m.(expression); ok {
				n += 100
			}
			n += 2
		}
		return n
	case *listed:
		return 5 * len(p.lists)
	case *anyField:
		return 20 * len(p.of)
	}
	return 0
}

// split makes a test of each pattern that must be matched, so that each can be marked and guard.
func (b *builder) split(t *rule.Test) (pred, error) {
	if t.Op != rule.OpMatch || !t.Every || len(t.Patterns) == 1 {
		return b.test(t)
	}
	var all []pred
	for _, p := range t.Patterns {
		one := *t
		one.Patterns, one.Every = []rule.Pattern{p}, false
		q, err := b.test(&one)
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	return b.all(all), nil
}

// test interns a test.
func (b *builder) test(t *rule.Test) (pred, error) {
	key := keyOf(t)
	if l, ok := b.known[key]; ok {
		return l, nil
	}
	lazy, pl, err := b.compile(t)
	if err != nil {
		return nil, err
	}
	l := leaf{uint32(len(b.set.tests))}
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // it never fails
	if pl.cost < unguarded {
		pl.cost = b.seen.of(h.Sum64(), pl.cost)
	}
	b.set.tests, b.plans, b.known[key] = append(b.set.tests, test{lazy: lazy, hash: h.Sum64(), scanned: pl.cost < unguarded && !pl.any}), append(b.plans, pl), l
	return l, nil
}

// keyOf is the same for tests that say the same.
func keyOf(t *rule.Test) string {
	var k strings.Builder
	fmt.Fprintf(&k, "%q %d %v %v %v %s %s %d %q %q %v %v", t.Field, t.Op, t.Every, t.Cased, t.Absent, t.Cmp, t.Part, t.Place, t.Refs, t.Lists, t.Number, t.Nets)
	for _, p := range t.Patterns {
		if !t.Cased {
			p = p.Fold()
		}
		fmt.Fprintf(&k, " %q", p)
	}
	for _, re := range t.Regexps {
		fmt.Fprintf(&k, " %q", re.String())
	}
	return k.String()
}

// compile returns what decides a test when the scan has not marked it, nil when that means that it does not hold, and
// what the scan looks for.
func (b *builder) compile(t *rule.Test) (lazy pred, pl plan, err error) {
	pl.cost = unguarded
	var slot uint16
	if t.Field != "" {
		if slot, err = b.slot(t.Field); err != nil {
			return nil, pl, err
		}
	}
	pl.slot, pl.any = slot, t.Field == ""
	var of []matcher
	cased := true
	switch t.Op {
	case rule.OpExists:
		return &existsTest{slot, t.Absent}, pl, nil
	case rule.OpField:
		r := &reference{slot: slot, cased: t.Cased, every: t.Every, at: t.Place}
		for _, name := range t.Refs {
			to, err := b.slot(name)
			if err != nil {
				return nil, pl, err
			}
			r.to = append(r.to, to)
		}
		return r, pl, nil
	case rule.OpList:
		if t.Field == "" {
			return nil, pl, fmt.Errorf("a list is asked about a field, and none is named: %w", storage.ErrInvalid)
		}
		in := &listed{slot: slot, every: t.Every}
		for _, name := range t.Lists {
			in.lists = append(in.lists, b.list(name))
		}
		return in, pl, nil
	case rule.OpNumber:
		of = matchers(t.Number, func(n float64) matcher { return number{t.Cmp, n, t.Part} })
	case rule.OpCIDR:
		of = matchers(t.Nets, func(n netip.Prefix) matcher { return network{n} })
	case rule.OpRegexp:
		of = matchers(t.Regexps, func(re *regexp.Regexp) matcher { return expression{re, needed(re.String())} })
		pl.expressions(t)
	case rule.OpMatch:
		lazy, pl := b.patterns(t, pl)
		if !pl.any {
			return lazy, pl, nil
		}
		of = matchers(t.Patterns, func(p rule.Pattern) matcher { return shape(folded(p, t.Cased)) })
		return &anyField{cased: t.Cased, every: t.Every, of: of}, pl, nil
	default:
		return nil, pl, fmt.Errorf("field %s: test %d: %w", t.Field, t.Op, rule.ErrNotImplemented)
	}
	if t.Field == "" {
		return &anyField{cased: cased, every: t.Every, of: of}, pl, nil
	}
	return &each{slot: slot, cased: cased, every: t.Every, of: of}, pl, nil
}

func matchers[T any](of []T, make1 func(T) matcher) (out []matcher) {
	for _, v := range of {
		out = append(out, make1(v))
	}
	return out
}

func folded(p rule.Pattern, cased bool) rule.Pattern {
	if cased {
		return p
	}
	return p.Fold()
}

// patterns compiles a test of alternatives: the scan decides those that are one text, and finds the longest text of the
// others.
func (b *builder) patterns(t *rule.Test, pl plan) (pred, plan) {
	lazy := &each{slot: pl.slot, cased: t.Cased}
	pl.cost = 0
	for _, p := range t.Patterns {
		text, at, one := textOf(p.Fold())
		short := at != whole && len(text) < minScanned && !rare(text)
		if !one || t.Cased || short {
			lazy.of = append(lazy.of, shape(folded(p, t.Cased)))
		}
		if short {
			pl.cost = unguarded
			continue
		}
		pl.texts = append(pl.texts, lookFor{text, at, one && !t.Cased})
		if pl.cost < unguarded {
			pl.cost = min(1, pl.cost+share(t.Field, text, at))
		}
	}
	if lazy.of == nil {
		return nil, pl
	}
	return lazy, pl
}

// expressions has the scan look for texts of which one stands in whatever the expressions match.
func (pl *plan) expressions(t *rule.Test) {
	pl.cost = 0
	for _, re := range t.Regexps {
		texts := literalsOf(re.String())
		if texts == nil {
			pl.cost, pl.texts = unguarded, nil
			return
		}
		for _, text := range texts {
			pl.texts = append(pl.texts, lookFor{text, inside, false})
			pl.cost = min(1, pl.cost+share(t.Field, text, inside))
		}
	}
}

// textOf returns the longest text of a pattern, where it stands, and whether that is all that the pattern says.
func textOf(p rule.Pattern) (text string, at where, one bool) {
	if text, ok := p.Exact(); ok {
		return text, whole, true
	}
	for _, tok := range p {
		if len(tok.Text) > len(text) {
			text = tok.Text
		}
	}
	if l, ok := shape(p).(literal); ok {
		return text, l.at, true
	}
	return text, inside, false
}

func shape(p rule.Pattern) matcher {
	text := func(i int) string { return p[i].Text }
	is := func(shape string) bool { // t text, * run
		if len(shape) != len(p) {
			return false
		}
		for i, tok := range p {
			if (shape[i] == 't') != (tok.Wild == 0) || shape[i] == '*' && tok.Wild != rule.AnyRun {
				return false
			}
		}
		return true
	}
	switch {
	case is("t"):
		return literal{text(0), whole}
	case is("t*"):
		return literal{text(0), prefix}
	case is("*t"):
		return literal{text(1), suffix}
	case is("*t*"):
		return literal{text(1), inside}
	}
	return glob{p}
}
