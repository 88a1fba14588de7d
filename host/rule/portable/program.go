// Package portable compiles rules to Wasm modules that any host of the module ABI runs: the interpreter of
// modules/rules/portable with a program of tests, an index over their texts, and code in it.
package portable

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/modules/rules/portable/interp"
	"github.com/vedette-siem/vedette/storage"
)

// MaxDepth is how deep conditions may be nested.
const MaxDepth = 100

// Program encodes the sub-patterns of rules, each as a match of its own: what rules say of several events, their
// aggregates, sequences and joins, stays behind. The order of the rules is kept. A match of a rule of one sub-pattern has the
// rule's id as its key, another one the id, a slash, and the name of the sub-pattern. A test that asks a list is made of the
// list's values.
//
// Errors wrap rule.ErrNotImplemented for what needs a host of rules, storage.ErrNotFound for a list that is not there, and
// storage.ErrExhausted for too many of something.
func Program(rules []*rule.Rule, lists Lists) ([]byte, error) {
	e := &encoder{lists: lists, heads: make([]uint32, interp.HeadWords), texts: map[string]uint32{}, fields: map[string]uint32{}, placed: map[string]uint32{}, known: map[string]int{}}
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
	return e.program(all), nil
}

// compiled is one sub-pattern.
type compiled struct {
	severity   storage.Severity
	key, title string
	where      node
}

// node is a condition: a test by its number, or others.
type node struct {
	kind nodeKind
	test int
	of   []node
}

type nodeKind uint8

const (
	all nodeKind = iota
	anyOf
	not
	leaf
)

type encoder struct {
	lists  Lists
	heads  []uint32          // the head and what sections name
	heap   []byte            // texts
	texts  map[string]uint32 // places of them
	fields map[string]uint32
	names  []string // of fields
	placed map[string]uint32
	known  map[string]int
	tests  []*test

	anywhere bool // a test of no field in particular guards
}

func (e *encoder) sub(r *rule.Rule, s *rule.Sub) (compiled, error) {
	c := compiled{severity: r.Severity, key: r.ID, title: r.Name}
	if len(r.Subs) > 1 {
		c.key += "/" + s.Name
		if s.Title != "" {
			c.title += ": " + s.Title
		}
	}
	if s.Match.Code {
		return c, fmt.Errorf("the code of its package decides, not what its document says: %w", rule.ErrNotImplemented)
	}
	if s.Match.Rule != "" {
		return c, fmt.Errorf("it selects the firings of rule %s, which a host makes of findings after modules have answered: no call shows them to a module: %w",
			s.Match.Rule, rule.ErrNotImplemented)
	}
	var err error
	c.where, err = e.pred(s.Match.Where, 0)
	return c, err
}

// pred compiles a condition; the tests that it makes are shared.
func (e *encoder) pred(p rule.Pred, depth int) (node, error) {
	if depth >= MaxDepth {
		return node{}, fmt.Errorf("conditions are nested more than %d deep: %w", MaxDepth, storage.ErrExhausted)
	}
	switch p := p.(type) {
	case rule.AllOf:
		return e.join(all, p, depth)
	case rule.AnyOf:
		return e.join(anyOf, p, depth)
	case rule.Not:
		of, err := e.pred(p.Of, depth+1)
		return node{kind: not, of: []node{of}}, err
	case *rule.Test:
		switch {
		case p.Op == rule.OpList:
			in, err := e.lists.values(p)
			if err != nil {
				return node{}, err
			}
			return e.pred(in, depth+1)
		case p.Op == rule.OpMatch && p.Every && len(p.Patterns) > 1: // each can be found by itself
			var each rule.AllOf
			for _, pattern := range p.Patterns {
				one := *p
				one.Patterns, one.Every = []rule.Pattern{pattern}, false
				each = append(each, &one)
			}
			return e.pred(each, depth+1)
		}
		n, err := e.test(p)
		return node{kind: leaf, test: n}, err
	}
	return node{}, fmt.Errorf("predicate %T: %w", p, rule.ErrNotImplemented)
}

func (e *encoder) join(kind nodeKind, of []rule.Pred, depth int) (node, error) {
	n := node{kind: kind}
	for _, q := range of {
		kid, err := e.pred(q, depth+1)
		if err != nil {
			return n, err
		}
		if kid.kind == kind {
			n.of = append(n.of, kid.of...)
		} else {
			n.of = append(n.of, kid)
		}
	}
	return n, nil
}

func (e *encoder) field(name string) uint32 {
	n, ok := e.fields[name]
	if !ok {
		n = uint32(len(e.names))
		e.fields[name] = n
		e.names = append(e.names, name)
	}
	return n
}

// text returns place and length of a text.
func (e *encoder) text(s string) (at, n uint32) {
	at, ok := e.texts[s]
	if !ok {
		at = uint32(len(e.heap))
		e.texts[s] = at
		e.heap = append(e.heap, s...)
	}
	return at, uint32(len(s))
}

// place appends words that a section names, and returns where they are.
func (e *encoder) place(words ...uint32) uint32 {
	at := uint32(len(e.heads))
	e.heads = append(e.heads, words...)
	return at
}

// share is place for words that are there once, whoever names them.
func (e *encoder) share(words []uint32) uint32 {
	key := fmt.Sprint(words)
	at, ok := e.placed[key]
	if !ok {
		at = e.place(words...)
		e.placed[key] = at
	}
	return at
}

// program puts everything together.
func (e *encoder) program(subs []compiled) []byte {
	e.shares(subs)
	always := make([]uint32, (len(subs)+31)/32)
	var rules []uint32
	for n := range subs {
		if !e.guard(uint32(n), &subs[n].where) {
			always[n/32] |= 1 << (n % 32)
		}
	}
	code := coder{known: map[[interp.CodeWords]uint32]uint32{}}
	for n := range subs {
		c := &subs[n]
		e.cheapest(&c.where)
		key, keyLen := e.text(c.key)
		title, titleLen := e.text(c.title)
		rules = append(rules, code.write(&c.where, interp.Match, interp.NoMatch), uint32(c.severity), key, keyLen, title, titleLen)
	}
	var tests []uint32
	for _, t := range e.tests {
		if e.found(t) {
			t.flags |= interp.FlagScanned
		}
		tests = append(tests, t.flags, t.field, e.place(t.args...), uint32(t.n), e.place(t.guards...), uint32(len(t.guards)))
	}
	fields, indexes, anywhere := e.index()
	names := e.nameTable()
	e.heap = append(e.heap, make([]byte, -len(e.heap)&3)...)
	head := [][]uint32{
		interp.SectionFields: fields, interp.SectionNames: names, interp.SectionTests: tests, interp.SectionCode: code.code,
		interp.SectionRules: rules, interp.SectionAlways: always, interp.SectionIndexes: indexes,
	}
	widths := [...]int{
		interp.SectionFields: interp.FieldWords, interp.SectionNames: 1, interp.SectionTests: interp.TestWords, interp.SectionCode: interp.CodeWords,
		interp.SectionRules: interp.RuleWords, interp.SectionAlways: 1, interp.SectionIndexes: interp.IndexWords,
	}
	words := e.heads
	for n, section := range head {
		words[interp.HeadSections+2*n], words[interp.HeadSections+2*n+1] = uint32(len(words)), uint32(len(section)/widths[n])
		words = append(words, section...)
	}
	words[interp.HeadSections+2*interp.SectionTexts], words[interp.HeadSections+2*interp.SectionTexts+1] = uint32(len(words)), uint32(len(e.heap)/4)
	words[0], words[1], words[2] = binary.LittleEndian.Uint32([]byte(interp.Magic)), uint32(4*len(words)+len(e.heap)), anywhere
	b := make([]byte, 0, words[1])
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return append(b, e.heap...)
}

// cheapest orders conditions so that the first ones may settle it.
func (e *encoder) cheapest(n *node) {
	for i := range n.of {
		e.cheapest(&n.of[i])
	}
	if n.kind == all || n.kind == anyOf {
		slices.SortStableFunc(n.of, func(a, b node) int {
			return cmp.Or(cmp.Compare(e.effort(&a), e.effort(&b)), cmp.Compare(e.chance(&a), e.chance(&b)))
		})
	}
}

// effort says about how many tens of nanoseconds a condition takes when it has to be decided.
func (e *encoder) effort(n *node) (sum int) {
	if n.kind == leaf {
		if t := e.tests[n.test]; !e.found(t) { // mostly it is not marked
			return t.effort
		}
		return 0
	}
	for i := range n.of {
		sum += 1 + e.effort(&n.of[i])
	}
	return sum
}

// chance is the share of events for which a condition is thought to hold, as far as the index tells.
func (e *encoder) chance(n *node) float64 {
	_, share := e.rarest(n, false)
	return share
}

// coder writes conditions as code: each test says where to go on, so that there is nothing to keep in mind on the way.
type coder struct {
	code  []uint32
	known map[[interp.CodeWords]uint32]uint32 // by the code
}

// write returns where a condition begins that goes on at one place when it holds, and at another one when not. It is written from
// its end, so that code only goes back, and the ends that conditions share are there once.
func (c *coder) write(n *node, yes, no uint32) uint32 {
	switch n.kind {
	case leaf:
		x := [interp.CodeWords]uint32{uint32(n.test), yes, no}
		at, ok := c.known[x]
		if !ok {
			at = interp.Match + 1 + uint32(len(c.code)/interp.CodeWords)
			c.known[x] = at
			c.code = append(c.code, x[:]...)
		}
		return at
	case not:
		return c.write(&n.of[0], no, yes)
	case all:
		for i := len(n.of) - 1; i >= 0; i-- {
			yes = c.write(&n.of[i], yes, no)
		}
		return yes
	}
	for i := len(n.of) - 1; i >= 0; i-- {
		no = c.write(&n.of[i], yes, no)
	}
	return no
}

// nameTable is the hash table of the fields' names.
func (e *encoder) nameTable() []uint32 {
	size := 2
	for size < 2*len(e.names) {
		size *= 2
	}
	table := make([]uint32, size)
	for n, name := range e.names {
		at := int(interp.NameHash([]byte(name))) & (size - 1)
		for table[at] != 0 {
			at = (at + 1) & (size - 1)
		}
		table[at] = uint32(n) + 1
	}
	return table
}
