package portable

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/modules/rules/portable/interp"
)

// test is a test that any number of rules make.
type test struct {
	flags   uint32 // op, flags, place, comparison and part
	field   uint32 // 1 + its number; 0: any
	args    []uint32
	n       int      // arguments
	needles []needle // texts that the index looks for
	partly  bool     // it may hold where none of them is
	uses    int      // places in rules
	share   float64  // of events that are thought to be marked
	effort  int      // to decide it, in tens of ns
	guards  []uint32 // subs
}

// needle is a text whose finding says something of a test: that it holds, or only that it may.
type needle struct {
	text    string // folded, with the ends of values that it stands at
	decides bool
}

// found reports whether the test cannot hold unless the index has marked it. What is of no field in particular is looked for only
// where one such test guards, since that takes all fields.
func (e *encoder) found(t *test) bool {
	return !t.partly && t.needles != nil && (t.field > 0 || e.anywhere)
}

// test interns a test and returns its number.
func (e *encoder) test(t *rule.Test) (int, error) {
	x := &test{flags: flagsOf(t), effort: 2}
	if t.Field != "" {
		x.field = e.field(t.Field) + 1
	}
	switch t.Op {
	case rule.OpMatch:
		x.flags |= interp.OpMatch
		e.patterns(x, t)
	case rule.OpRegexp:
		x.flags |= interp.OpRegexp
		x.n, x.effort = len(t.Regexps), 500*len(t.Regexps)
		if err := e.expressions(x, t); err != nil {
			return 0, fmt.Errorf("field %s: %w", t.Field, err)
		}
	case rule.OpCIDR:
		x.flags |= interp.OpCIDR
		x.n, x.effort = len(t.Nets), 10+len(t.Nets)
		for _, n := range t.Nets {
			a := n.Addr().As16()
			for i := range 4 {
				x.args = append(x.args, uint32(a[4*i])|uint32(a[4*i+1])<<8|uint32(a[4*i+2])<<16|uint32(a[4*i+3])<<24)
			}
			x.args = append(x.args, uint32(n.Bits()))
		}
	case rule.OpNumber:
		x.flags |= interp.OpNumber
		x.n, x.effort = len(t.Number), 10*len(t.Number)
		for _, v := range t.Number {
			bits := math.Float64bits(v)
			x.args = append(x.args, uint32(bits), uint32(bits>>32))
		}
	case rule.OpExists:
		x.flags |= interp.OpExists
		x.effort = 1
	case rule.OpField:
		x.flags |= interp.OpField
		x.n = len(t.Refs)
		for _, name := range t.Refs {
			x.args = append(x.args, e.field(name))
		}
	default:
		return 0, fmt.Errorf("field %s: test %d: %w", t.Field, t.Op, rule.ErrNotImplemented)
	}
	if t.Field == "" {
		x.effort *= 20
	}
	return e.intern(x), nil
}

func (e *encoder) intern(x *test) int {
	key := binary.LittleEndian.AppendUint32(nil, x.flags)
	for _, w := range append([]uint32{x.field, uint32(len(x.args))}, x.args...) {
		key = binary.LittleEndian.AppendUint32(key, w)
	}
	for _, n := range x.needles {
		key = fmt.Appendf(key, "%q %t", n.text, n.decides)
	}
	n, ok := e.known[string(key)]
	if !ok {
		n = len(e.tests)
		e.known[string(key)] = n
		e.tests = append(e.tests, x)
	}
	e.tests[n].uses++
	return n
}

var (
	comparisons = [...]string{interp.Equal: "==", interp.Above: ">", interp.AtLeast: ">=", interp.Below: "<", interp.AtMost: "<="}
	parts       = [...]string{interp.NoPart: "", interp.Minute: "minute", interp.Hour: "hour", interp.Day: "day", interp.Week: "week", interp.Month: "month", interp.Year: "year"}
)

func flagsOf(t *rule.Test) (flags uint32) {
	for _, f := range [...]struct {
		set  bool
		flag uint32
	}{{t.Every, interp.FlagEvery}, {t.Cased, interp.FlagCased}, {t.Absent, interp.FlagAbsent}} {
		if f.set {
			flags |= f.flag
		}
	}
	flags |= uint32(t.Place) << interp.PlaceShift
	flags |= uint32(max(0, slices.Index(comparisons[:], t.Cmp))) << interp.CmpShift
	flags |= uint32(max(0, slices.Index(parts[:], t.Part))) << interp.PartShift
	return flags
}

// patterns has the index decide patterns that are one text, and find the longest text of the others, which are arguments too.
func (e *encoder) patterns(x *test, t *rule.Test) {
	for _, p := range t.Patterns {
		folded := p.Fold()
		text, one := textOf(folded)
		found := len(text) >= interp.GramBytes && len(text) <= interp.MaxTextBytes
		if found {
			x.needles = append(x.needles, needle{text, one && !t.Cased})
		}
		if found && one && !t.Cased && t.Field != "" { // of no field in particular, the index may not be asked
			continue
		}
		if !t.Cased {
			p = folded
		}
		x.args = append(x.args, e.pattern(p)...)
		x.n++
		x.partly = x.partly || !found
	}
	x.effort += x.n
}

// textOf returns the longest text of a pattern, with the ends of the value that it stands at, and whether that is all that the
// pattern says.
func textOf(p rule.Pattern) (string, bool) {
	text := ""
	texts, one := 0, true
	for i, tok := range p {
		if tok.Wild != 0 {
			one = one && tok.Wild == rule.AnyRun
			continue
		}
		texts++
		s := tok.Text
		if i == 0 {
			s = interp.TextBegin + s
		}
		if i == len(p)-1 {
			s += interp.TextEnd
		}
		if len(s) > len(text) && utf8.ValidString(tok.Text) {
			text = s
		}
	}
	return text, one && texts == 1
}

// pattern encodes an argument.
func (e *encoder) pattern(p rule.Pattern) []uint32 {
	shape := ""
	var only string
	var tokens []uint32
	for _, tok := range p {
		switch tok.Wild {
		case rule.AnyRun:
			shape += "*"
			tokens = append(tokens, interp.TokenRun, 0, 0)
		case rule.AnyOne:
			shape += "?"
			tokens = append(tokens, interp.TokenOne, 0, 0)
		default:
			shape += "t"
			only = tok.Text
			at, n := e.text(tok.Text)
			tokens = append(tokens, interp.TokenText, at, n)
		}
	}
	if place, one := map[string]uint32{"": interp.Whole, "t": interp.Whole, "t*": interp.Prefix, "*t": interp.Suffix, "*t*": interp.Inside}[shape]; one {
		at, n := e.text(only)
		return []uint32{place, at, n}
	}
	return []uint32{interp.Glob, e.share(tokens), uint32(len(p))}
}
