package module

// automaton finds which of a set of literals occur in a text: the algorithm of Aho and Corasick (1975) as a complete
// transition table over byte classes, so that each byte costs one look-up.
type automaton struct {
	class  [256]uint8
	width  int
	next   []uint32   // state*width + class -> state
	report [][]uint32 // per state the literals that end there, through all suffixes
}

// newAutomaton builds the automaton; the number of a literal is its index. Empty literals never match.
func newAutomaton(literals []string) automaton {
	a := automaton{width: 1}
	for _, l := range literals {
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
		if l == "" {
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
	return a
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

// find sets the bit of every literal that occurs in text.
func (a *automaton) find(text []byte, found []uint64) {
	s := uint32(0)
	for _, b := range text {
		s = a.next[int(s)*a.width+int(a.class[b])]
		for _, n := range a.report[s] {
			found[n/64] |= 1 << (n % 64)
		}
	}
}
