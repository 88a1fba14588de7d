package module

import (
	"bytes"
	"slices"
)

// automaton finds which of a set of literals occur in a text: the algorithm of Aho and Corasick (1975) as a complete
// transition table over byte classes, so that each byte costs one look-up.
type automaton struct {
	class   [256]uint8
	width   int
	next    []uint32   // state + class -> state; a state is the index of its first entry
	first   uint32     // literals end in this state and all after it, and in none before
	report  [][]uint32 // per state from first on the literals that end there, through all suffixes
	longest int        // bytes of the longest literal
	brief   []brief    // literals that are no part of it
}

// brief is a literal so short that a text ends it all the time, where the automaton would have to stop. A few of them are
// searched for one by one.
type brief struct {
	number int
	text   []byte
}

const (
	briefBytes = 2
	maxBrief   = 8 // of one set; the others cost a stop each
)

// newAutomaton builds the automaton; the number of a literal is its index. Empty literals never match.
func newAutomaton(literals []string) automaton {
	a := automaton{width: 1}
	for n, l := range literals {
		if a.apart(n, l) {
			continue
		}
		a.longest = max(a.longest, len(l))
		for i := range len(l) {
			if a.class[l[i]] == 0 && a.width < 256 {
				a.class[l[i]] = uint8(a.width)
				a.width++
			}
		}
	}
	if a.width == 256 { // every byte occurs: the class is the byte itself
		for b := range a.class {
			a.class[b] = uint8(b)
		}
	}
	state := func() uint32 {
		a.next = append(a.next, make([]uint32, a.width)...)
		a.report = append(a.report, nil)
		return uint32(len(a.report) - 1)
	}
	state()
	for n, l := range literals {
		if l == "" || a.isBrief(n) {
			continue
		}
		s := uint32(0)
		for i := range len(l) {
			at := int(s)*a.width + int(a.class[l[i]])
			if a.next[at] == 0 {
				t := state()
				a.next[at] = t
			}
			s = a.next[at]
		}
		a.report[s] = append(a.report[s], uint32(n))
	}
	a.link()
	a.order()
	return a
}

// apart puts literal n among the brief ones if it is one and there is room.
func (a *automaton) apart(n int, l string) bool {
	if l == "" || len(l) > briefBytes || len(a.brief) == maxBrief {
		return false
	}
	a.brief = append(a.brief, brief{n, []byte(l)})
	return true
}

func (a *automaton) isBrief(n int) bool {
	return slices.ContainsFunc(a.brief, func(b brief) bool { return b.number == n })
}

// link turns the tree into a complete automaton, breadth first: where a state has no edge it takes that of its longest
// proper suffix, whose table is complete by then.
func (a *automaton) link() {
	fail := make([]uint32, len(a.report))
	var queue []uint32
	for c := range a.width {
		if t := a.next[c]; t != 0 {
			queue = append(queue, t)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		a.report[s] = append(a.report[s], a.report[fail[s]]...)
		for c := range a.width {
			at := int(s)*a.width + c
			t := a.next[at]
			over := a.next[int(fail[s])*a.width+c]
			if t == 0 {
				a.next[at] = over
				continue
			}
			fail[t] = over
			queue = append(queue, t)
		}
	}
}

// order moves the states in which literals end behind the others, so that a comparison tells them, and replaces the
// numbers of states by the indexes of their rows.
func (a *automaton) order() {
	var order []uint32 // the root has no literal: it stays first
	for _, ends := range []bool{false, true} {
		if ends {
			a.first = uint32(len(order) * a.width)
		}
		for s, r := range a.report {
			if len(r) > 0 == ends {
				order = append(order, uint32(s))
			}
		}
	}
	row := make([]uint32, len(order))
	for at, s := range order {
		row[s] = uint32(at * a.width)
	}
	next, report := make([]uint32, 0, len(a.next)), [][]uint32(nil)
	for _, s := range order {
		for _, t := range a.next[int(s)*a.width : int(s+1)*a.width] {
			next = append(next, row[t])
		}
		if len(a.report[s]) > 0 {
			report = append(report, a.report[s])
		}
	}
	a.next, a.report = next, report
}

// find sets the bit of every literal that occurs in text. A long text is read at four places at once, since each byte
// waits for the state that the byte before led to; the parts overlap by what a literal may have in the part before.
func (a *automaton) find(text []byte, found []uint64) {
	for _, b := range a.brief {
		if bytes.Contains(text, b.text) {
			found[b.number/64] |= 1 << (b.number % 64)
		}
	}
	over := max(a.longest-1, 0)
	n := (len(text) + 3*over + 3) / 4
	if n < 2*over+8 {
		a.scan(text, found)
		return
	}
	step := n - over
	t0, t1, t2, t3 := text[:n], text[step:][:n], text[2*step:][:n], text[len(text)-n:][:n]
	var s0, s1, s2, s3 uint32
	next, class, first := a.next, &a.class, a.first
	for i := range n {
		s0 = next[s0+uint32(class[t0[i]])]
		s1 = next[s1+uint32(class[t1[i]])]
		s2 = next[s2+uint32(class[t2[i]])]
		s3 = next[s3+uint32(class[t3[i]])]
		if max(s0, s1, s2, s3) >= first {
			for _, s := range [...]uint32{s0, s1, s2, s3} {
				a.note(s, found)
			}
		}
	}
}

func (a *automaton) scan(text []byte, found []uint64) {
	s := uint32(0)
	for _, b := range text {
		if s = a.next[s+uint32(a.class[b])]; s >= a.first {
			a.note(s, found)
		}
	}
}

// note sets the bits of the literals that end in a state.
func (a *automaton) note(state uint32, found []uint64) {
	if state < a.first {
		return
	}
	for _, n := range a.report[int(state-a.first)/a.width] {
		found[n/64] |= 1 << (n % 64)
	}
}
