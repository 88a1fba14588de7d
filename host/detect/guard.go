package detect

// guard gives a sub-pattern the rarest tests of which one must hold.
func (b *builder) guard(n uint32, where pred) {
	tests, cost := b.rarest(where)
	if cost >= unguarded {
		b.anywhere = true
		tests, cost = b.rarest(where)
		b.anywhere = false
	}
	if cost >= unguarded {
		b.set.always[n/64] |= 1 << (n % 64)
		return
	}
	for _, t := range tests {
		b.plans[t].guard = true
		if g := &b.set.tests[t].guards; len(*g) == 0 || (*g)[len(*g)-1] != n {
			*g = append(*g, n)
		}
	}
}

// rarest returns tests of which one must hold for p to hold, and the share of events that mark one of them.
func (b *builder) rarest(p pred) (tests []uint32, cost float64) {
	switch p := p.(type) {
	case leaf:
		if pl := &b.plans[p.test]; !pl.any || b.anywhere {
			return []uint32{p.test}, pl.cost
		}
	case *allOf:
		cost = unguarded
		for _, q := range p.of {
			if t, c := b.rarest(q); c < cost {
				tests, cost = t, c
			}
		}
		return tests, cost
	case *anyOf:
		for _, q := range p.of {
			t, c := b.rarest(q)
			if c >= unguarded {
				return nil, unguarded
			}
			tests, cost = append(tests, t...), min(1, cost+c)
		}
		return tests, cost
	}
	return nil, unguarded
}

// index makes of the tests' plans what the scan looks for.
func (b *builder) index() {
	s := b.set
	s.fields = make([]fieldIndex, len(s.slots)+1) // the last one is of all fields
	numbers := make([]map[string]int, len(s.fields))
	for i := range b.plans {
		pl := &b.plans[i]
		slot := pl.slot
		if pl.any {
			if slot = uint16(len(s.slots)); !pl.guard {
				continue
			}
		}
		for _, x := range pl.texts {
			f := &s.fields[slot]
			m := mark{test: uint32(i), at: x.at, decides: x.decides}
			if x.at == whole {
				if f.exact == nil {
					f.exact = map[string][]mark{}
				}
				f.exact[x.text] = append(f.exact[x.text], m)
				continue
			}
			if numbers[slot] == nil {
				numbers[slot] = map[string]int{}
			}
			n, ok := numbers[slot][x.text]
			if !ok {
				n = len(f.marks)
				numbers[slot][x.text] = n
				f.marks = append(f.marks, nil)
			}
			f.marks[n] = append(f.marks[n], m)
		}
	}
	for slot, of := range numbers {
		if of == nil {
			continue
		}
		texts := make([]string, len(of))
		for text, n := range of {
			texts[n] = text
		}
		s.fields[slot].texts = newAutomaton(texts, maxDense)
	}
	for slot := range s.fields {
		if f := &s.fields[slot]; f.exact != nil || f.texts != nil {
			s.scanned = append(s.scanned, uint16(slot))
		}
	}
}
