// Package interp runs compiled rules: a program of tests that many rules share, each decided at most once for an event, and a
// tree of them for each rule. It answers as host/detect does.
package interp

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
)

// Magic begins a program; its length in bytes follows as u32, and then, all numbers being unsigned varints and texts having
// their length before them:
//
//	fields: number, names
//	tests:  number, tests
//	rules:  number, for each severity, key, title
//	groups: number, for each a condition, and number and condition of rules (number, condition)
//
// A test is field + 1 (0: any), op, flags, place, comparison, part of a time, and its arguments: patterns, expressions, networks,
// numbers or fields. A condition is a node: 0 all and 1 any with a number of nodes, 2 not with one, 3 a test's number.
const Magic = "VPR1"

// Ops of tests.
const (
	OpMatch = iota
	OpRegexp
	OpCIDR
	OpNumber
	OpExists
	OpField
	ops
)

// Flags of tests.
const (
	FlagEvery  = 1 << iota // each argument must be met, not one
	FlagCased              // case matters
	FlagAbsent             // OpExists: the event lacks the field
)

// Places of a text in a value.
const (
	Whole = iota
	Prefix
	Suffix
	Inside
	places
)

// Kinds of tokens of a pattern.
const (
	TokenText = iota
	TokenRun
	TokenOne
	tokens
)

// Nodes of conditions.
const (
	NodeAll = iota
	NodeAny
	NodeNot
	NodeTest
)

// Rule is what is said when a rule matches.
type Rule struct {
	Severity   uint8
	Key, Title []byte
}

// Program is compiled rules with the working memory to match with them. It serves one call at a time.
type Program struct {
	Rules  []Rule
	fields map[string]int
	tests  []test
	groups []group
	memory
}

// group is rules that have a condition in common.
type group struct {
	common node
	rules  []ruled
}

type ruled struct {
	rule  int
	where node
}

type node struct {
	kind uint8
	test uint32
	of   []node
}

type test struct {
	field        int // -1: any
	op           uint8
	every, cased bool
	absent       bool
	place        uint8
	cmp          string
	part         string
	patterns     []pattern
	expressions  []expression
	networks     []netip.Prefix
	numbers      []float64
	others       []int
}

var errBroken = errors.New("the program of the rules is broken")

// Read reads a program.
func Read(b []byte) (*Program, error) {
	if len(b) < 8 || string(b[:4]) != Magic || uint64(binary.LittleEndian.Uint32(b[4:])) != uint64(len(b)) {
		return nil, errBroken
	}
	r := &reader{b: b[8:]}
	p := &Program{fields: map[string]int{}}
	n := r.count(MaxFields)
	for i := range n {
		p.fields[string(r.text())] = i
	}
	p.slots = make([]value, n)
	p.tests = make([]test, r.count(MaxTests))
	for i := range p.tests {
		r.test(&p.tests[i], n)
	}
	p.truth = make([]uint32, len(p.tests))
	p.Rules = make([]Rule, r.count(MaxRules))
	for i := range p.Rules {
		p.Rules[i] = Rule{Severity: r.byte(6), Key: r.text(), Title: r.text()}
	}
	p.groups = make([]group, r.count(MaxRules))
	for i := range p.groups {
		g := &p.groups[i]
		g.common = r.node(len(p.tests), 0)
		g.rules = make([]ruled, r.count(len(p.Rules)))
		for j := range g.rules {
			g.rules[j].rule = r.number(len(p.Rules) - 1)
			g.rules[j].where = r.node(len(p.tests), 0)
		}
	}
	if r.bad || len(r.b) > 0 {
		return nil, errBroken
	}
	p.hits = make([]int, 0, len(p.Rules))
	return p, nil
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() {
	r.bad, r.b = true, nil
}

// number reads a number from 0 to most.
func (r *reader) number(most int) int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || most < 0 || v > uint64(most) {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

// count reads how many of something follow, each of which has a byte at least.
func (r *reader) count(most int) int { return r.number(min(most, len(r.b))) }

func (r *reader) byte(below int) uint8 { return uint8(r.number(below - 1)) }

func (r *reader) text() []byte {
	n := r.number(len(r.b))
	if n > len(r.b) {
		r.fail()
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) node(tests, depth int) (x node) {
	if depth > MaxDepth {
		r.fail()
		return x
	}
	x.kind = r.byte(NodeTest + 1)
	switch {
	case r.bad:
	case x.kind == NodeTest:
		x.test = uint32(r.number(tests - 1))
	case x.kind == NodeNot:
		x.of = []node{r.node(tests, depth+1)}
	default:
		x.of = make([]node, r.count(MaxKids))
		for i := range x.of {
			x.of[i] = r.node(tests, depth+1)
		}
	}
	return x
}

func (r *reader) test(t *test, fields int) {
	t.field = r.number(fields) - 1
	t.op = r.byte(ops)
	flags := r.byte(8)
	t.every, t.cased, t.absent = flags&FlagEvery != 0, flags&FlagCased != 0, flags&FlagAbsent != 0
	t.place = r.byte(places)
	t.cmp, t.part = string(r.text()), string(r.text())
	for n := r.count(MaxKids); n > 0 && !r.bad; n-- {
		switch t.op {
		case OpMatch:
			t.patterns = append(t.patterns, r.pattern())
		case OpRegexp:
			t.expressions = append(t.expressions, r.expression())
		case OpCIDR:
			p, err := netip.ParsePrefix(string(r.text()))
			if err != nil {
				r.fail()
			}
			t.networks = append(t.networks, p)
		case OpNumber:
			v := r.text()
			if len(v) != 8 {
				r.fail()
				return
			}
			t.numbers = append(t.numbers, math.Float64frombits(binary.LittleEndian.Uint64(v)))
		case OpField:
			t.others = append(t.others, r.number(fields-1))
		default:
			r.fail()
		}
	}
	if t.field < 0 && (t.op == OpExists || t.op == OpField) {
		r.fail()
	}
}

func (r *reader) pattern() (p pattern) {
	for n := r.count(MaxKids); n > 0 && !r.bad; n-- {
		tok := token{kind: r.byte(tokens)}
		if tok.kind == TokenText {
			tok.text = string(r.text())
		}
		p.tokens = append(p.tokens, tok)
	}
	p.shape()
	return p
}
