package detect

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// indexedFirst lists the small-domain fields that most rules name, the most telling first. A sub-pattern is indexed by
// the first of them that it needs to have exact values, otherwise by any such field.
var indexedFirst = []string{
	"event.code", "event.action", "process.name", "event.provider", "event.dataset", "event.module",
	"event.outcome", "event.category", "event.type", "event.kind",
}

type builder struct {
	set   *Set
	index map[uint16]int // slot -> position in set.index
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
		return &allOf{kids}, err
	case rule.AnyOf:
		kids, err := b.preds(p)
		return &anyOf{kids}, err
	case rule.Not:
		kid, err := b.pred(p.Of)
		return &not{kid}, err
	case *rule.Test:
		return b.test(p)
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

func (b *builder) test(t *rule.Test) (pred, error) {
	slot, err := b.slot(t.Field)
	if err != nil {
		return nil, err
	}
	switch t.Op {
	case rule.OpExists:
		return &existsTest{slot, t.Absent}, nil
	case rule.OpNumber:
		return newEach(slot, true, t.Every, t.Number, func(n float64) matcher { return number{t.Cmp, n} }), nil
	case rule.OpCIDR:
		return newEach(slot, true, t.Every, t.Nets, func(n netip.Prefix) matcher { return network{n} }), nil
	case rule.OpRegexp:
		return newEach(slot, true, t.Every, t.Regexps, func(re *regexp.Regexp) matcher { return expression{re} }), nil
	case rule.OpMatch:
		return patterns(slot, t), nil
	}
	return nil, fmt.Errorf("field %s: test %d: %w", t.Field, t.Op, rule.ErrNotImplemented)
}

func newEach[T any](slot uint16, cased, every bool, of []T, make1 func(T) matcher) pred {
	e := &each{slot: slot, cased: cased, every: every}
	for _, v := range of {
		e.of = append(e.of, make1(v))
	}
	return e
}

// patterns puts exact alternatives into one table and the others into the cheapest matcher of their shape.
func patterns(slot uint16, t *rule.Test) pred {
	e := &each{slot: slot, cased: t.Cased, every: t.Every}
	exact := map[string]struct{}{}
	for _, p := range t.Patterns {
		if !t.Cased {
			p = p.Fold()
		}
		if text, ok := p.Exact(); ok && !t.Every {
			exact[text] = struct{}{}
			continue
		}
		e.of = append(e.of, shape(p))
	}
	switch {
	case len(exact) == 1:
		for text := range exact {
			e.of = append([]matcher{literal{text, whole}}, e.of...)
		}
	case len(exact) > 1:
		e.of = append([]matcher{table{exact}}, e.of...)
	}
	return e
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

// indexed enters sub n into the index by a field that must have one of some exact values, and reports whether there is one.
func (b *builder) indexed(n uint32, where rule.Pred) bool {
	best, rank := (*rule.Test)(nil), len(indexedFirst)+1
	required(where, func(t *rule.Test) {
		if t.Op != rule.OpMatch {
			return
		}
		for _, p := range t.Patterns {
			if _, ok := p.Exact(); !ok {
				return
			}
		}
		at := len(indexedFirst)
		for i, f := range indexedFirst {
			if f == t.Field {
				at = i
			}
		}
		if at < rank {
			best, rank = t, at
		}
	})
	if best == nil {
		return false
	}
	slot := b.set.slots[best.Field]
	i, ok := b.index[slot]
	if !ok {
		i = len(b.set.index)
		b.index[slot] = i
		b.set.index = append(b.set.index, fieldIndex{slot: slot, values: map[string][]uint32{}})
	}
	seen := map[string]bool{}
	for _, p := range best.Patterns {
		text, _ := p.Exact()
		if text = strings.ToLower(text); !seen[text] {
			seen[text] = true
			b.set.index[i].values[text] = append(b.set.index[i].values[text], n)
		}
	}
	return true
}

// required visits the tests that must hold for p to hold.
func required(p rule.Pred, visit func(*rule.Test)) {
	switch p := p.(type) {
	case *rule.Test:
		visit(p)
	case rule.AllOf:
		for _, q := range p {
			required(q, visit)
		}
	case rule.AnyOf:
		if len(p) == 1 {
			required(p[0], visit)
		}
	}
}
