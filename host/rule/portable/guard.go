package portable

// unguarded is a share of events that stands for all of them.
const unguarded = 2

// shares guesses how many events mark each test. What many rules ask for, many events have: an event type stands in a
// thousand rules, what betrays an attack in one.
func (e *encoder) shares(subs []compiled) {
	type key struct {
		field uint32
		text  string
	}
	uses := map[key]int{}
	for _, t := range e.tests {
		for _, n := range t.needles {
			uses[key{t.field, n.text}] += t.uses
		}
	}
	for _, t := range e.tests {
		if t.partly || t.needles == nil {
			t.share = unguarded
			continue
		}
		for _, n := range t.needles {
			t.share += shareOf(n.text) * (1 + float64(uses[key{t.field, n.text}])/10)
		}
		t.share = min(1, t.share)
	}
}

// shareOf is a guess for a text of one rule, by its length.
func shareOf(text string) float64 {
	switch {
	case len(text) < 6:
		return 0.05
	case len(text) < 12:
		return 0.02
	}
	return 0.005
}

// guard gives a sub-pattern the rarest tests of which one must hold; false when there are none.
func (e *encoder) guard(n uint32, where *node) bool {
	tests, share := e.rarest(where, false)
	if share >= unguarded {
		tests, share = e.rarest(where, true)
	}
	if share >= unguarded {
		return false
	}
	for _, t := range tests {
		e.anywhere = e.anywhere || e.tests[t].field == 0
		if of := &e.tests[t].guards; len(*of) == 0 || (*of)[len(*of)-1] != n {
			*of = append(*of, n)
		}
	}
	return true
}

// rarest returns tests of which one must hold for a condition to hold, those of no field in particular only with anywhere, and
// the share of events that mark one of them.
func (e *encoder) rarest(n *node, anywhere bool) (tests []int, share float64) {
	switch n.kind {
	case leaf:
		if t := e.tests[n.test]; t.field > 0 || anywhere {
			return []int{n.test}, t.share
		}
	case all:
		share = unguarded
		for i := range n.of {
			if t, s := e.rarest(&n.of[i], anywhere); s < share {
				tests, share = t, s
			}
		}
		return tests, share
	case anyOf:
		for i := range n.of {
			t, s := e.rarest(&n.of[i], anywhere)
			if s >= unguarded {
				return nil, unguarded
			}
			tests, share = append(tests, t...), min(1, share+s)
		}
		return tests, share
	}
	return nil, unguarded
}
