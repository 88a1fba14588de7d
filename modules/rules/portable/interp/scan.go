package interp

import "unsafe"

// scan marks the tests that the fields of the event at hand pass, and wakes the rules that they guard.
func (p *Program) scan() {
	for _, slot := range p.present {
		for _, s := range p.texts(slot, false) {
			p.find(p.fields[slot*FieldWords+2]-1, s)
		}
	}
	if p.any != 0 {
		for i, s := range p.anywhere(false) {
			if !p.aside[i] {
				p.find(p.any-1, s)
			}
		}
	}
}

// find looks for an index's texts in a folded value.
func (p *Program) find(index uint32, s string) {
	x := p.indexes[index*IndexWords:][:IndexWords]
	shift, heads := x[0]&31, x[2]
	b := bytesOf(s)
	text, filter := unsafe.Pointer(unsafe.SliceData(b)), unsafe.Pointer(&p.words[x[1]])
	for i := range len(b) - GramBytes + 1 {
		// A hash has no more bits than the filter: the program was checked.
		h := gram(unsafe.Add(text, i)) * GramFactor >> shift
		if *(*uint32)(unsafe.Add(filter, h>>5<<2))>>(h&31)&1 != 0 {
			p.needles(heads+h>>HeadShift, b, i)
		}
	}
}

// needles compares the texts of a head with a value in which a gram of theirs stands at a place.
func (p *Program) needles(head uint32, b []byte, at int) {
	here := load32(b, at)
	for n, end := p.words[head], p.words[head+1]; n < end; n += NeedleWords {
		x := p.words[n:][:NeedleWords]
		if x[0] != here {
			continue
		}
		size, from := int(x[2]&0xffff), at-int(x[2]>>16)
		if from < 0 || from+size > len(b) || !equal(p.heap[x[1]:][:size], b[from:]) {
			continue
		}
		for _, mark := range p.words[x[3]+1:][:p.words[x[3]]] {
			p.mark(mark>>1, mark&1)
		}
	}
}

// What truth knows of a test.
const (
	unknown = iota // but it is marked
	isFalse
	isTrue
)

func (p *Program) mark(test, decides uint32) {
	known := &p.truth[test]
	if *known>>2 != p.stamp {
		*known = p.stamp << 2
		t := p.tests[test*TestWords:][:TestWords]
		for _, n := range p.words[t[4]:][:t[5]] {
			p.woken[n/32] |= 1 << (n % 32)
		}
	}
	if decides != 0 {
		*known |= isTrue
	}
}

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
