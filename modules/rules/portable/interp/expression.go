package interp

import "unicode/utf8"

// An expression is a compiled regular expression. Whether it matches somewhere in a text is found in a time that is bounded by
// the length of both. In a program it is, in words:
//
//	0   a bitset of the 256 bytes: those that may begin a match; all of those that begin no ASCII, or none
//	8   how many characters a match has at least
//	9   place of texts that stand in every match: their number, place and length of each
//	10  where it starts
//	11  number of instructions
//	12  the instructions, InstWords each: op, the next one, an argument
//
// It matches where a way through the instructions ends at InstMatch, as the machines of regexp/syntax do.
const (
	expressionLeast = 8 + iota
	expressionNeeds
	expressionStart
	expressionCount
	ExpressionWords
	InstWords = 3
)

// Ops of instructions, with their arguments.
const (
	InstMatch = iota
	InstFail
	InstSkip  // none
	InstAlt   // another one to go on at
	InstEmpty // conditions on the place between two characters
	InstRunes // place of characters, their number first: pairs of the first and last of a range
	insts
)

// Conditions on a place, numbered as those of regexp/syntax.
const (
	BeginLine = 1 << iota
	EndLine
	BeginText
	EndText
	WordBoundary
	NoWordBoundary
)

// promises reports whether an expression may match a value: it is long enough and has the texts that are needed.
func (p *Program) promises(at uint32, s string) bool {
	x := p.words[at:][:ExpressionWords]
	if uint32(len(s)) < x[expressionLeast] {
		return false
	}
	needs := p.words[x[expressionNeeds]+1:][:2*p.words[x[expressionNeeds]]]
	for i := 0; i < len(needs); i += 2 {
		if !contains(s, p.string(needs[i], needs[i+1])) {
			return false
		}
	}
	return true
}

// machine runs an expression: it keeps the instructions at which it stands, in no order. Its lists are as long as they can
// become, so that nothing of it grows.
type machine struct {
	insts   []uint32
	at      []uint32 // instructions that wait for a character, so many of them
	waiting int
	pending []uint32 // where they go on, so many
	going   int
	stack   []uint32
	seen    []uint32 // by instruction: the step at which it was reached
	step    uint32
}

// newMachine makes room for expressions of so many instructions.
func newMachine(insts int) machine {
	return machine{at: make([]uint32, insts), pending: make([]uint32, insts), stack: make([]uint32, 2*insts+1), seen: make([]uint32, insts)}
}

// matches reports whether an expression matches anywhere in s.
func (p *Program) matches(expression uint32, s string) bool {
	x := p.words[expression:][:ExpressionWords]
	start := x[expressionStart]
	m := &p.machine
	m.insts = p.words[expression+ExpressionWords:][:x[expressionCount]*InstWords]
	m.going = 0
	before := rune(-1)
	for at := 0; ; {
		if m.going == 0 { // where nothing begins
			from := at
			for at < len(s) && x[s[at]>>5]>>(s[at]&31)&1 == 0 {
				at++
			}
			if at > from {
				before, _ = utf8.DecodeLastRuneInString(s[:at])
			}
		}
		r, size := rune(-1), 0
		if at < len(s) {
			r, size = utf8.DecodeRuneInString(s[at:])
		}
		m.begin()
		for _, pc := range m.pending[:m.going] {
			if m.follow(pc, before, r) {
				return true
			}
		}
		if m.follow(start, before, r) {
			return true
		}
		if size == 0 {
			return false
		}
		m.going = 0
		for _, pc := range m.at[:m.waiting] {
			if i := m.insts[pc*InstWords:][:InstWords]; p.among(i[2], uint32(r)) {
				m.pending[m.going] = i[1]
				m.going++
			}
		}
		before, at = r, at+size
	}
}

// begin is called for each place of the text.
func (m *machine) begin() {
	m.waiting = 0
	if m.step++; m.step == 0 {
		clear(m.seen)
		m.step = 1
	}
}

// follow goes on from an instruction as far as no character is needed, and reports whether the expression matches.
func (m *machine) follow(from uint32, before, r rune) bool {
	stack, n := m.stack, 1
	stack[0] = from
	for n > 0 {
		n--
		pc := stack[n]
		if m.seen[pc] == m.step {
			continue
		}
		m.seen[pc] = m.step
		switch i := m.insts[pc*InstWords:][:InstWords]; i[0] {
		case InstMatch:
			return true
		case InstAlt:
			stack[n], stack[n+1] = i[2], i[1]
			n += 2
		case InstSkip:
			stack[n] = i[1]
			n++
		case InstEmpty:
			if i[2]&^place(before, r) == 0 {
				stack[n] = i[1]
				n++
			}
		case InstRunes:
			m.at[m.waiting] = pc
			m.waiting++
		}
	}
	return false
}

// place says what holds between two characters, of which one is below 0 at the beginning or end of a text.
func place(before, r rune) uint32 {
	holds := uint32(NoWordBoundary)
	if isWord(before) != isWord(r) {
		holds = WordBoundary
	}
	switch {
	case before < 0:
		holds |= BeginText | BeginLine
	case before == '\n':
		holds |= BeginLine
	}
	switch {
	case r < 0:
		holds |= EndText | EndLine
	case r == '\n':
		holds |= EndLine
	}
	return holds
}

func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
}

// among reports whether a character is in one of the ranges at a place.
func (p *Program) among(at, r uint32) bool {
	ranges := p.words[at+1:][:2*p.words[at]]
	for i := 0; i < len(ranges); i += 2 {
		if r < ranges[i] {
			return false
		}
		if r <= ranges[i+1] {
			return true
		}
	}
	return false
}
