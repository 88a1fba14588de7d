package module

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Router tells which parsers should be asked for a record that comes without a hint. All literals of all signatures
// stand in one automaton, so a record is read once however many parsers there are. It is immutable.
type Router struct {
	scan       automaton
	words      int         // 64-bit words of a literal set
	signatures []signature // the most specific first
	formats    int         // the first signature of a generic parser
	needing    [][]uint32  // per literal the signatures that cannot fit without it, or without one of its kind
	always     []uint64    // bitset of the signatures that need no literal
	generic    []int       // parsers of a whole format, in the order of their names
	parsers    int
}

type signature struct {
	parser   int
	prefix   []byte
	listener string
	generic  bool
	all, any []uint64 // literal sets; any is nil when nothing is asked
	priority int
	weight   int // literal bytes that the record must hold
	order    int // ties are broken by the parser's name, so that every host routes alike
}

// compare orders signatures: generic ones last, then by priority, then the most specific first.
func (s signature) compare(o signature) int {
	if s.generic != o.generic {
		if s.generic {
			return 1
		}
		return -1
	}
	return cmp.Or(o.priority-s.priority, o.weight-s.weight, s.order-o.order)
}

// Candidate is what NewRouter needs to know of a parser.
type Candidate struct {
	Name  string
	Match *manifest.Match
}

// NewRouter compiles the signatures of parsers. A parser's number in Route is its index here.
func NewRouter(parsers []Candidate) *Router {
	r := &Router{parsers: len(parsers)}
	order := make([]int, len(parsers))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare([]byte(parsers[a].Name), []byte(parsers[b].Name)) })
	literals := map[string]int{}
	number := func(s string) int {
		n, ok := literals[s]
		if !ok {
			n = len(literals)
			literals[s] = n
		}
		return n
	}
	for _, p := range parsers {
		if p.Match != nil {
			for _, s := range p.Match.Signatures {
				for _, l := range append(slices.Clone(s.All), s.Any...) {
					number(l)
				}
			}
		}
	}
	r.words = (len(literals) + 63) / 64
	set := func(ls []string) []uint64 {
		if len(ls) == 0 {
			return nil
		}
		w := make([]uint64, r.words)
		for _, l := range ls {
			n := number(l)
			w[n/64] |= 1 << (n % 64)
		}
		return w
	}
	for rank, i := range order {
		m := parsers[i].Match
		if m == nil {
			continue
		}
		if m.Generic {
			r.generic = append(r.generic, i)
			if len(m.Signatures) == 0 {
				continue
			}
		}
		for _, s := range m.Signatures {
			r.signatures = append(r.signatures, signature{
				parser: i, prefix: []byte(s.Prefix), listener: s.Listener, all: set(s.All), any: set(s.Any),
				generic: m.Generic, priority: s.Priority, weight: s.Specificity(), order: rank,
			})
		}
	}
	slices.SortStableFunc(r.signatures, signature.compare)
	texts := make([]string, len(literals))
	for l, n := range literals {
		texts[n] = l
	}
	r.index(texts)
	r.scan = newAutomaton(texts)
	return r
}

// index notes for each signature which literals make it worth a look.
func (r *Router) index(literals []string) {
	r.formats = len(r.signatures)
	r.needing, r.always = make([][]uint32, len(literals)), make([]uint64, (len(r.signatures)+63)/64)
	for i := range r.signatures {
		if r.signatures[i].generic {
			r.formats = min(r.formats, i)
		}
		r.trigger(uint32(i), literals)
	}
}

// trigger notes when signature i has to be looked at: when the longest, hence rarest, of the literals is there that it
// needs, or any of those of which it needs one.
func (r *Router) trigger(i uint32, literals []string) {
	g := &r.signatures[i]
	in := func(set []uint64, n int) bool { return set != nil && set[n/64]&(1<<(n%64)) != 0 }
	longest := -1
	for n, l := range literals {
		switch {
		case in(g.all, n) && (longest < 0 || len(l) > len(literals[longest])):
			longest = n
		case g.all == nil && in(g.any, n):
			r.needing[n] = append(r.needing[n], i)
		}
	}
	if longest >= 0 {
		r.needing[longest] = append(r.needing[longest], i)
	}
	if g.all == nil && g.any == nil {
		r.always[i/64] |= 1 << (i % 64)
	}
}

// Scratch is what one goroutine needs to route.
type Scratch struct {
	found []uint64 // literals
	try   []uint64 // signatures
	asked []bool
}

// Route appends to dst the parsers to ask for a record, in the order in which to ask them: by signature, the most
// specific first, then the generic ones, which begin at the returned index. No parser appears twice.
func (r *Router) Route(dst []int, raw []byte, listener string, s *Scratch) (to []int, generic int) {
	if len(s.found) < r.words {
		s.found = make([]uint64, r.words)
	}
	if len(s.asked) < r.parsers {
		s.asked = make([]bool, r.parsers)
	}
	found := s.found[:r.words]
	clear(found)
	head := raw
	if len(head) > MaxRoutedBytes {
		head = head[:MaxRoutedBytes]
	}
	r.scan.find(head, found)
	s.try = append(s.try[:0], r.always...)
	for w, word := range found {
		for ; word != 0; word &= word - 1 {
			for _, i := range r.needing[w*64+bits.TrailingZeros64(word)] {
				s.try[i/64] |= 1 << (i % 64)
			}
		}
	}
	start := len(dst)
	generic = -1
	for w, word := range s.try {
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			g := &r.signatures[i]
			if i >= r.formats && generic < 0 {
				generic = len(dst)
			}
			if !s.asked[g.parser] && g.fits(raw, listener, found) {
				s.asked[g.parser] = true
				dst = append(dst, g.parser)
			}
		}
	}
	if generic < 0 {
		generic = len(dst)
	}
	for _, p := range r.generic {
		if !s.asked[p] {
			s.asked[p] = true
			dst = append(dst, p)
		}
	}
	for _, p := range dst[start:] {
		s.asked[p] = false
	}
	return dst, generic
}

func (g *signature) fits(raw []byte, listener string, found []uint64) bool {
	if g.listener != "" && g.listener != listener {
		return false
	}
	for w, want := range g.all {
		if found[w]&want != want {
			return false
		}
	}
	if g.any != nil {
		hit := uint64(0)
		for w, want := range g.any {
			hit |= found[w] & want
		}
		if hit == 0 {
			return false
		}
	}
	return bytes.HasPrefix(raw, g.prefix)
}
