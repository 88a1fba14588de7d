// Package portable compiles rules to Wasm modules that any host of the module ABI runs: the interpreter of
// modules/rules/portable with a program of tests and conditions in it.
package portable

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"regexp/syntax"
	"slices"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/modules/rules/portable/interp"
	"github.com/vedette-siem/vedette/storage"
)

// Program encodes the sub-patterns of rules, each as a match of its own: what rules say of several events, their
// aggregates, sequences and joins, stays behind. The order of the rules is kept. A match of a rule of one sub-pattern has the
// rule's id as its key, another one the id, a slash, and the name of the sub-pattern.
//
// Errors wrap rule.ErrNotImplemented for what needs a host of rules, and storage.ErrExhausted for too many of something.
func Program(rules []*rule.Rule) ([]byte, error) {
	e := &encoder{fields: map[string]int{}, known: map[string]int{}}
	var all []compiled
	for _, r := range rules {
		for i := range r.Subs {
			c, err := e.sub(r, &r.Subs[i])
			if err != nil {
				return nil, fmt.Errorf("rule %s, sub-pattern %s: %w", r.ID, r.Subs[i].Name, err)
			}
			all = append(all, c)
		}
	}
	if len(all) > interp.MaxRules || len(e.fields) > interp.MaxFields || len(e.tests) > interp.MaxTests {
		return nil, fmt.Errorf("%d sub-patterns with %d tests of %d fields, the limits are %d, %d and %d: %w",
			len(all), len(e.tests), len(e.fields), interp.MaxRules, interp.MaxTests, interp.MaxFields, storage.ErrExhausted)
	}
	b := append([]byte(interp.Magic), 0, 0, 0, 0)
	b = uvarint(b, len(e.names))
	for _, name := range e.names {
		b = text(b, name)
	}
	b = uvarint(b, len(e.tests))
	for _, t := range e.tests {
		b = append(b, t...)
	}
	b = uvarint(b, len(all))
	for i := range all {
		b = text(text(uvarint(b, int(all[i].severity)), all[i].key), all[i].title)
	}
	b = groups(b, all)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	return b, nil
}

// compiled is one sub-pattern: it matches when all of its conditions hold.
type compiled struct {
	severity   storage.Severity
	key, title string
	all        []condition
}

// condition is an encoded node, and about how many tens of nanoseconds it takes to decide.
type condition struct {
	code   string
	effort int
}

type encoder struct {
	fields map[string]int
	names  []string
	known  map[string]int // number of a test by its code
	tests  []string
	effort []int
}

func (e *encoder) sub(r *rule.Rule, s *rule.Sub) (compiled, error) {
	c := compiled{severity: r.Severity, key: r.ID, title: r.Name}
	if len(r.Subs) > 1 {
		c.key += "/" + s.Name
		if s.Title != "" {
			c.title += ": " + s.Title
		}
	}
	if s.Match.Code || s.Match.Rule != "" {
		return c, fmt.Errorf("it has code, or selects the firings of a rule: %w", rule.ErrNotImplemented)
	}
	for _, p := range flatten(nil, s.Match.Where) {
		x, err := e.pred(p, 0)
		if err != nil {
			return c, err
		}
		if !slices.Contains(c.all, x) {
			c.all = append(c.all, x)
		}
	}
	cheapest(c.all)
	return c, nil
}

// flatten appends the parts of a conjunction.
func flatten(list []rule.Pred, p rule.Pred) []rule.Pred {
	all, ok := p.(rule.AllOf)
	if !ok {
		return append(list, p)
	}
	for _, q := range all {
		list = flatten(list, q)
	}
	return list
}

func cheapest(list []condition) {
	slices.SortStableFunc(list, func(a, b condition) int { return cmp.Compare(a.effort, b.effort) })
}

// pred encodes a condition.
func (e *encoder) pred(p rule.Pred, depth int) (condition, error) {
	if depth >= interp.MaxDepth {
		return condition{}, fmt.Errorf("conditions are nested more than %d deep: %w", interp.MaxDepth, storage.ErrExhausted)
	}
	switch p := p.(type) {
	case rule.AllOf:
		return e.list(interp.NodeAll, p, depth)
	case rule.AnyOf:
		return e.list(interp.NodeAny, p, depth)
	case rule.Not:
		of, err := e.pred(p.Of, depth+1)
		return condition{string(uvarint(nil, interp.NodeNot)) + of.code, of.effort}, err
	case *rule.Test:
		n, err := e.test(p)
		if err != nil {
			return condition{}, err
		}
		return condition{string(uvarint(uvarint(nil, interp.NodeTest), n)), e.effort[n]}, nil
	}
	return condition{}, fmt.Errorf("predicate %T: %w", p, rule.ErrNotImplemented)
}

func (e *encoder) list(kind int, of []rule.Pred, depth int) (condition, error) {
	var parts []condition
	for _, q := range of {
		c, err := e.pred(q, depth+1)
		if err != nil {
			return c, err
		}
		parts = append(parts, c)
	}
	cheapest(parts)
	return join(kind, parts), nil
}

func join(kind int, of []condition) condition {
	c := condition{code: string(uvarint(uvarint(nil, kind), len(of))), effort: 1}
	for _, x := range of {
		c.code += x.code
		c.effort += x.effort
	}
	return c
}

func (e *encoder) field(name string) int {
	n, ok := e.fields[name]
	if !ok {
		n = len(e.names)
		e.fields[name] = n
		e.names = append(e.names, name)
	}
	return n
}

// test encodes a test, once of several that say the same, and returns its number.
func (e *encoder) test(t *rule.Test) (int, error) {
	field := 0
	if t.Field != "" {
		field = e.field(t.Field) + 1
	}
	var args [][]byte
	op, effort := 0, 2
	switch t.Op {
	case rule.OpMatch:
		op, effort = interp.OpMatch, 2+len(t.Patterns)
		for _, p := range t.Patterns {
			if !t.Cased {
				p = p.Fold()
			}
			args = append(args, pattern(p))
		}
	case rule.OpRegexp:
		op, effort = interp.OpRegexp, 500*len(t.Regexps)
		for _, re := range t.Regexps {
			code, err := expression(re.String())
			if err != nil {
				return 0, fmt.Errorf("field %s: %w", t.Field, err)
			}
			args = append(args, code)
		}
	case rule.OpCIDR:
		op, effort = interp.OpCIDR, 10+len(t.Nets)
		for _, n := range t.Nets {
			args = append(args, text(nil, n.String()))
		}
	case rule.OpNumber:
		op = interp.OpNumber
		for _, v := range t.Number {
			args = append(args, text(nil, string(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))))
		}
	case rule.OpExists:
		op, effort = interp.OpExists, 1
	case rule.OpField:
		op = interp.OpField
		for _, name := range t.Refs {
			args = append(args, uvarint(nil, e.field(name)))
		}
	default:
		return 0, fmt.Errorf("field %s: a test that asks a list: %w", t.Field, rule.ErrNotImplemented)
	}
	if field == 0 {
		effort *= 20
	}
	flags := 0
	for flag, set := range map[int]bool{interp.FlagEvery: t.Every, interp.FlagCased: t.Cased, interp.FlagAbsent: t.Absent} {
		if set {
			flags |= flag
		}
	}
	b := uvarint(uvarint(uvarint(uvarint(nil, field), op), flags), int(t.Place))
	b = uvarint(text(text(b, t.Cmp), t.Part), len(args))
	for _, a := range args {
		b = append(b, a...)
	}
	n, ok := e.known[string(b)]
	if !ok {
		n = len(e.tests)
		e.known[string(b)] = n
		e.tests, e.effort = append(e.tests, string(b)), append(e.effort, effort)
	}
	return n, nil
}

// expression compiles a regular expression, so that whoever runs it needs no compiler.
func expression(expr string) ([]byte, error) {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	prefix, _ := prog.Prefix()
	b := uvarint(uvarint(text(nil, prefix), prog.Start), len(prog.Inst))
	for i := range prog.Inst {
		x := &prog.Inst[i]
		b = uvarint(uvarint(uvarint(uvarint(b, int(x.Op)), int(x.Out)), int(x.Arg)), len(x.Rune))
		for _, r := range x.Rune {
			b = uvarint(b, int(r))
		}
	}
	return b, nil
}

func pattern(p rule.Pattern) []byte {
	b := uvarint(nil, len(p))
	for _, tok := range p {
		switch tok.Wild {
		case rule.AnyRun:
			b = uvarint(b, interp.TokenRun)
		case rule.AnyOne:
			b = uvarint(b, interp.TokenOne)
		default:
			b = text(uvarint(b, interp.TokenText), tok.Text)
		}
	}
	return b
}

// groups puts sub-patterns together that share a condition, so that it is decided once for all of them: each goes to the
// condition that most others have.
func groups(b []byte, all []compiled) []byte {
	shared := map[string]int{}
	for i := range all {
		for _, c := range all[i].all {
			shared[c.code]++
		}
	}
	by := map[string][]int{}
	var order []string
	for i := range all {
		common := ""
		for _, c := range all[i].all {
			if n := shared[c.code]; n > 1 && (common == "" || n > shared[common]) {
				common = c.code
			}
		}
		if by[common] == nil {
			order = append(order, common)
		}
		by[common] = append(by[common], i)
	}
	b = uvarint(b, len(order))
	for _, common := range order {
		if common == "" {
			b = append(b, join(interp.NodeAll, nil).code...)
		} else {
			b = append(b, common...)
		}
		b = uvarint(b, len(by[common]))
		for _, i := range by[common] {
			rest := slices.DeleteFunc(slices.Clone(all[i].all), func(c condition) bool { return c.code == common })
			b = append(uvarint(b, i), join(interp.NodeAll, rest).code...)
		}
	}
	return b
}

func uvarint(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

func text(b []byte, s string) []byte { return append(uvarint(b, len(s)), s...) }
