package interp

// checker looks at all of a program once, so that whatever runs it needs to ask nothing: every place lies in the program, and
// code only goes back.
type checker struct {
	*Program
	bad   bool
	insts uint32 // of the longest expression
}

// check reports whether all is as it should be, and the number of instructions of the longest expression.
func (p *Program) check() (insts int, ok bool) {
	c := checker{Program: p}
	c.names()
	c.all(p.tests, TestWords, c.test)
	c.all(p.code, CodeWords, func(n uint32, x []uint32) {
		c.need(x[0] < c.count(p.tests, TestWords) && x[1] < firstCode+n && x[2] < firstCode+n)
	})
	c.all(p.rules, RuleWords, func(_ uint32, x []uint32) {
		c.need(x[0] < firstCode+c.count(p.code, CodeWords) && x[1] <= maxSeverity && c.text(x[2], x[3]) && c.text(x[4], x[5]))
	})
	rules := c.count(p.rules, RuleWords)
	c.need(uint32(len(p.always)) == (rules+31)/32 && (rules%32 == 0 || p.always[rules/32]>>(rules%32) == 0))
	c.need(p.any <= c.count(p.indexes, IndexWords))
	c.all(p.indexes, IndexWords, c.index)
	return int(c.insts), !c.bad
}

const maxSeverity = 5

func (c *checker) need(ok bool) { c.bad = c.bad || !ok }

// all calls check with each entry of a section, by number, until something is wrong.
func (c *checker) all(section []uint32, width uint32, check func(n uint32, entry []uint32)) {
	for n := uint32(0); n < c.count(section, width) && !c.bad; n++ {
		check(n, section[n*width:][:width])
	}
}

func (*checker) count(section []uint32, width uint32) uint32 { return uint32(len(section)) / width }

func (c *checker) text(at, n uint32) bool { return uint64(at)+uint64(n) <= uint64(len(c.heap)) }

// list returns n entries of so many words at a place; nil, and the program is broken, when they are not in it.
func (c *checker) list(at, n, width uint32) []uint32 {
	if uint64(at)+uint64(n)*uint64(width) > uint64(len(c.words)) {
		c.bad = true
		return nil
	}
	return c.words[at:][:n*width]
}

// below requires that words are all less than a number.
func (c *checker) below(list []uint32, limit uint32) {
	for _, n := range list {
		c.need(n < limit)
	}
}

func (c *checker) names() {
	p := c.Program
	fields, free := c.count(p.fields, FieldWords), 0
	c.need(fields <= MaxFields && len(p.names)&(len(p.names)-1) == 0)
	for _, n := range p.names {
		c.need(n <= fields)
		if n == 0 {
			free++
		}
	}
	c.need(free > 0) // or a name that is not there would be looked for without end
	c.all(p.fields, FieldWords, func(_ uint32, x []uint32) {
		c.need(c.text(x[0], x[1]) && x[2] <= c.count(p.indexes, IndexWords))
	})
}

func (c *checker) test(_ uint32, t []uint32) {
	op, fields := t[0]&0xff, c.count(c.fields, FieldWords)
	c.need(op < ops && t[1] <= fields && (t[1] > 0 || op != OpExists && op != OpField) && t[0]>>PartShift&15 < parts && t[0]>>CmpShift&15 < comparisons)
	if c.bad {
		return
	}
	c.below(c.list(t[4], t[5], 1), c.count(c.rules, RuleWords))
	width := argWords[op]
	c.all(c.list(t[2], t[3], width), max(1, width), func(_ uint32, arg []uint32) {
		switch op {
		case OpMatch:
			c.pattern(arg)
		case OpRegexp:
			c.expression(arg[0])
		case OpCIDR:
			c.need(arg[4] <= 128)
		case OpField:
			c.need(arg[0] < fields)
		}
	})
}

func (c *checker) pattern(arg []uint32) {
	if arg[0] != Glob {
		c.need(arg[0] < places && c.text(arg[1], arg[2]))
		return
	}
	c.all(c.list(arg[1], arg[2], 3), 3, func(_ uint32, x []uint32) {
		c.need(x[0] < tokens && (x[0] != TokenText || c.text(x[1], x[2])))
	})
}

func (c *checker) expression(at uint32) {
	head := c.list(at, 1, ExpressionWords)
	if c.bad {
		return
	}
	n := head[expressionCount]
	c.need(head[expressionStart] < n)
	c.insts = max(c.insts, n)
	if needs := c.list(head[expressionNeeds], 1, 1); !c.bad {
		c.all(c.list(head[expressionNeeds]+1, needs[0], 2), 2, func(_ uint32, x []uint32) { c.need(c.text(x[0], x[1])) })
	}
	c.all(c.list(at+ExpressionWords, n, InstWords), InstWords, func(_ uint32, x []uint32) {
		c.need(x[0] < insts && x[1] < n && (x[0] != InstAlt || x[2] < n))
		if x[0] == InstRunes {
			if ranges := c.list(x[2], 1, 1); !c.bad {
				c.list(x[2]+1, ranges[0], 2)
			}
		}
	})
}

func (c *checker) index(_ uint32, x []uint32) {
	const most = 24 // bits of a hash
	size := 32 - x[0]
	c.need(size >= 5 && size <= most)
	if c.bad {
		return
	}
	c.list(x[1], 1<<(size-5), 1)
	heads := c.list(x[2], 1<<(size-HeadShift)+1, 1)
	for i := 1; i < len(heads); i++ {
		c.need(heads[i] >= heads[i-1] && (heads[i]-heads[i-1])%NeedleWords == 0)
	}
	if c.bad {
		return
	}
	first := heads[0]
	c.all(c.list(first, heads[len(heads)-1]-first, 1), NeedleWords, func(_ uint32, needle []uint32) {
		size := needle[2] & 0xffff
		c.need(c.text(needle[1], size) && needle[2]>>16+GramBytes <= size)
		n := c.list(needle[3], 1, 1)
		if !c.bad {
			c.marks(c.list(needle[3]+1, n[0], 1))
		}
	})
}

func (c *checker) marks(list []uint32) {
	for _, mark := range list {
		c.need(mark>>1 < c.count(c.tests, TestWords))
	}
}
