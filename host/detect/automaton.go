package detect

import "slices"

// automaton finds all texts of a set in one pass over a value (Aho and Corasick, 1975). The states next to the root, in
// which a scan spends its time, have whole rows; the others are chains, as most texts share no more than their beginning.
type automaton struct {
	class [256]uint16 // of each byte; 0 for those that are in no text
	width int         // classes
	dense []uint32    // rows of the states below rows, all transitions resolved, each with found set where a text ends
	rows  uint32
	first []uint32 // of the other states: where their edges begin, and one more
	label []uint16 // class of an edge
	next  []uint32 // with found set where a text ends
	fail  []uint32
	out   []int32  // by state: the text that ends there, or -1
	link  []uint32 // by state: the nearest state on its failure path in which a text ends, 0 for none
	texts []string
}

// found marks a transition to a state in which a text ends, itself or on its failure path: a scan looks at nothing else of
// the states that it passes.
const found = 1 << 31

const maxDense = 1 << 19 // entries of dense rows of one automaton: 2 MiB

// newAutomaton builds an automaton of different texts, none of them empty, with at most so many entries in whole rows.
func newAutomaton(texts []string, dense int) *automaton {
	a := &automaton{texts: texts}
	for _, t := range texts {
		for i := range len(t) {
			if a.class[t[i]] == 0 {
				a.width++
				a.class[t[i]] = uint16(a.width)
			}
		}
	}
	a.width++
	b := &trie{kids: make([]map[uint16]uint32, 1), out: []int32{-1}}
	for i, t := range texts {
		b.add(a, t, int32(i))
	}
	a.number(b, dense)
	return a
}

// trie is the automaton under construction.
type trie struct {
	kids []map[uint16]uint32
	out  []int32
}

func (b *trie) add(a *automaton, text string, n int32) {
	at := uint32(0)
	for i := range len(text) {
		c := a.class[text[i]]
		to, ok := b.kids[at][c]
		if !ok {
			to = uint32(len(b.kids))
			b.kids, b.out = append(b.kids, nil), append(b.out, -1)
			if b.kids[at] == nil {
				b.kids[at] = map[uint16]uint32{}
			}
			b.kids[at][c] = to
		}
		at = to
	}
	b.out[at] = n
}

// number gives states their places in breadth-first order, so that a failure always leads to a lower one, and resolves
// the rows of the lowest.
func (a *automaton) number(b *trie, dense int) {
	n := len(b.kids)
	order, place := make([]uint32, 0, n), make([]uint32, n)
	order = append(order, 0)
	a.first, a.fail, a.out, a.link = make([]uint32, n+1), make([]uint32, n), make([]int32, n), make([]uint32, n)
	for i := 0; i < len(order); i++ {
		old := order[i]
		a.first[i], a.out[i] = uint32(len(a.next)), b.out[old]
		labels := make([]uint16, 0, len(b.kids[old]))
		for c := range b.kids[old] {
			labels = append(labels, c)
		}
		slices.Sort(labels)
		for _, c := range labels {
			to := b.kids[old][c]
			place[to] = uint32(len(order))
			order = append(order, to)
			a.label, a.next = append(a.label, c), append(a.next, place[to])
		}
	}
	a.first[n] = uint32(len(a.next))
	a.rows = uint32(min(n, max(1, dense/a.width)))
	a.dense = make([]uint32, int(a.rows)*a.width)
	for s := range uint32(n) {
		row := a.dense[min(s, a.rows)*uint32(a.width):]
		if s < a.rows {
			copy(row[:a.width], a.dense[a.fail[s]*uint32(a.width):])
		}
		for e := a.first[s]; e < a.first[s+1]; e++ {
			to, c := a.next[e], a.label[e]
			if s > 0 {
				a.fail[to] = a.step(a.fail[s], c)
			}
			if s < a.rows {
				row[c] = to
			}
			if a.link[to] = a.fail[to]; a.out[a.fail[to]] < 0 {
				a.link[to] = a.link[a.fail[to]]
			}
		}
	}
	for _, list := range [][]uint32{a.dense, a.next} {
		for i, to := range list {
			if a.out[to] >= 0 || a.link[to] != 0 {
				list[i] |= found
			}
		}
	}
}

// step returns the state after a byte of class c, which is not 0.
func (a *automaton) step(s uint32, c uint16) uint32 {
	for s >= a.rows {
		for e := a.first[s]; e < a.first[s+1]; e++ {
			if a.label[e] == c {
				return a.next[e]
			}
		}
		s = a.fail[s]
	}
	return a.dense[s*uint32(a.width)+uint32(c)]
}

// scan calls yield for each text that stands in s, with where it ends.
func (a *automaton) scan(s string, yield func(text int32, end int)) {
	at := uint32(0)
	for i := range len(s) {
		c := a.class[s[i]]
		if c == 0 {
			at = 0
			continue
		}
		at = a.step(at&^found, c)
		if at&found == 0 {
			continue
		}
		n := at &^ found
		if a.out[n] < 0 {
			n = a.link[n]
		}
		for ; n != 0; n = a.link[n] {
			yield(a.out[n], i+1)
		}
	}
}
