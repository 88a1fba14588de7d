package interp

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// expression is a compiled regular expression. Whether it matches somewhere in a text is found in a time that is bounded by
// the length of both.
type expression struct {
	prefix string // begins every match
	start  uint32
	insts  []syntax.Inst
}

// threads is where an expression stands in its program: instructions without an order, and those that are to be followed.
type threads struct {
	at      []uint32 // instructions that wait for a character
	pending []uint32 // where they go on
	stack   []uint32
	seen    []uint32 // by instruction: the step at which it was reached
	step    uint32
}

// reset makes room for a program of n instructions.
func (t *threads) reset(n int) {
	if len(t.seen) < n {
		t.seen = append(t.seen, make([]uint32, n-len(t.seen))...)
	}
	t.pending = t.pending[:0]
}

// begin is called for each place of the text.
func (t *threads) begin() {
	t.at = t.at[:0]
	if t.step++; t.step == 0 {
		clear(t.seen)
		t.step = 1
	}
}

// follow goes on from an instruction as far as no character is needed, and reports whether the expression matches.
func (t *threads) follow(e *expression, from uint32, here syntax.EmptyOp) bool {
	t.stack = append(t.stack[:0], from)
	for len(t.stack) > 0 {
		pc := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		if t.seen[pc] == t.step {
			continue
		}
		t.seen[pc] = t.step
		switch i := &e.insts[pc]; i.Op {
		case syntax.InstMatch:
			return true
		case syntax.InstAlt, syntax.InstAltMatch:
			t.stack = append(t.stack, i.Arg, i.Out)
		case syntax.InstCapture, syntax.InstNop:
			t.stack = append(t.stack, i.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(i.Arg)&^here == 0 {
				t.stack = append(t.stack, i.Out)
			}
		case syntax.InstFail:
		default:
			t.at = append(t.at, pc)
		}
	}
	return false
}

// match reports whether the expression matches anywhere in s.
func (e *expression) match(s string, t *threads) bool {
	t.reset(len(e.insts))
	before, at := rune(-1), 0
	if e.prefix != "" {
		if at = strings.Index(s, e.prefix); at < 0 {
			return false
		}
		if at > 0 {
			before, _ = utf8.DecodeLastRuneInString(s[:at])
		}
	}
	for {
		r, n := rune(-1), 0
		if at < len(s) {
			r, n = utf8.DecodeRuneInString(s[at:])
		}
		here := syntax.EmptyOpContext(before, r)
		t.begin()
		for _, pc := range t.pending {
			if t.follow(e, pc, here) {
				return true
			}
		}
		if t.follow(e, e.start, here) {
			return true
		}
		if n == 0 {
			return false
		}
		t.pending = t.pending[:0]
		for _, pc := range t.at {
			if i := &e.insts[pc]; i.Op == syntax.InstRuneAny || i.Op == syntax.InstRuneAnyNotNL && r != '\n' || i.Op <= syntax.InstRune1 && i.MatchRune(r) {
				t.pending = append(t.pending, i.Out)
			}
		}
		before, at = r, at+n
	}
}

// expression reads one: its prefix, where it starts, and its instructions, each an op, two numbers, and runes.
func (r *reader) expression() (e expression) {
	e.prefix = string(r.text())
	start := r.number(MaxKids)
	e.insts = make([]syntax.Inst, r.count(MaxKids))
	e.start = uint32(r.below(start, len(e.insts)))
	for k := range e.insts {
		i := &e.insts[k]
		i.Op = syntax.InstOp(r.byte(int(syntax.InstRuneAnyNotNL) + 1))
		i.Out = uint32(r.number(len(e.insts) - 1))
		i.Arg = uint32(r.number(MaxKids))
		if i.Op == syntax.InstAlt || i.Op == syntax.InstAltMatch {
			r.below(int(i.Arg), len(e.insts))
		}
		for n := r.count(MaxKids); n > 0 && !r.bad; n-- {
			i.Rune = append(i.Rune, rune(r.number(utf8.MaxRune)))
		}
		if (i.Op == syntax.InstRune || i.Op == syntax.InstRune1) && (len(i.Rune) == 0 || len(i.Rune) > 1 && len(i.Rune)%2 != 0) {
			r.fail()
		}
	}
	return e
}

// below checks a number that was read.
func (r *reader) below(n, most int) int {
	if n >= most {
		r.fail()
		return 0
	}
	return n
}
