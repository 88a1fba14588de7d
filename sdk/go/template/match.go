package template

// Capture is what a hole has taken of the text.
type Capture struct {
	Hole       uint16 // of the program
	Start, End int    // range of the text, quotes included
}

// Matcher walks a program's tree. It is large, allocates nothing, and serves one call at a time.
type Matcher struct {
	Variant  int       // that Match has found
	Captures []Capture // of it, in the order of the text; valid until the next Match

	p     *Program
	text  []byte
	taken [MaxHoles]Capture
	best  [MaxHoles]Capture
	n     int
	steps int
}

// Reset makes m match p.
func (m *Matcher) Reset(p *Program) { m.p = p }

// Match finds the variant with the lowest number that reads the whole text.
func (m *Matcher) Match(text []byte) bool {
	m.text, m.steps, m.n = text, 0, 0
	m.Variant = len(m.p.Variants)
	if len(m.p.Variants) > 0 {
		m.walk(int(m.p.Root), 0, 0)
	}
	m.Captures = m.best[:m.n]
	return m.Variant < len(m.p.Variants)
}

// Steps is how many nodes the last Match has visited, at most as many as the tree has.
func (m *Matcher) Steps() int { return m.steps }

// walk visits the node at n of the tree with the text read up to pos. It recurses as deep as a template has parts.
func (m *Matcher) walk(n, pos, depth int) {
	t := m.p.Tree
	m.steps++
	if int(t[n+1]) >= m.Variant {
		return // nothing below could win
	}
	if v := int(t[n]) - 1; v >= 0 && pos == len(m.text) && v < m.Variant {
		m.Variant = v
		m.n = copy(m.best[:], m.taken[:depth])
	}
	literals, holes := int(t[n+2]&0xff), int(t[n+2]>>8)
	n += 3
	if pos < len(m.text) {
		if e := m.literal(t[n:n+literals*3], m.text[pos]); e != nil {
			if end := pos + int(e[1]); end <= len(m.text) && same(m.p.Heap[e[0]:int(e[0])+int(e[1])], m.text[pos:end]) {
				m.walk(int(e[2]), end, depth)
			}
		}
	}
	n += literals * 3
	for i := range holes {
		e := t[n+i*2 : n+i*2+2]
		h := &m.p.Holes[e[0]]
		if end, ok := Reach(h.Kind, m.text, pos, str(m.p.Bytes(h.Stop)), str(m.p.Bytes(h.Target.Arg))); ok {
			m.taken[depth] = Capture{e[0], pos, end}
			m.walk(int(e[1]), end, depth+1)
		}
	}
}

// literal returns the edge that begins with c.
func (m *Matcher) literal(edges []uint16, c byte) []uint16 {
	lo, hi := 0, len(edges)/3
	for lo < hi {
		mid := (lo + hi) / 2
		switch first := m.p.Heap[edges[mid*3]]; {
		case first == c:
			return edges[mid*3 : mid*3+3]
		case first < c:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return nil
}
