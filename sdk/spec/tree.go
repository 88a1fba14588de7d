package spec

import (
	"cmp"
	"slices"

	"github.com/vedette-siem/vedette/sdk/go/template"
)

// node is a node of the tree of all templates. Literal edges carry one byte here and are joined when it is written.
type node struct {
	variant  int // that ends here, -1 for none
	least    int // the lowest variant that ends here or below
	literals map[byte]*node
	holes    []edge
}

type edge struct {
	hole uint16
	to   *node
}

func newNode() *node { return &node{variant: -1, literals: map[byte]*node{}} }

// literal goes down along a text.
func (n *node) literal(text string) *node {
	for i := range len(text) {
		next := n.literals[text[i]]
		if next == nil {
			next = newNode()
			n.literals[text[i]] = next
		}
		n = next
	}
	return n
}

// hole goes down along a hole.
func (n *node) hole(hole uint16) *node {
	for _, e := range n.holes {
		if e.hole == hole {
			return e.to
		}
	}
	e := edge{hole, newNode()}
	n.holes = append(n.holes, e)
	return e.to
}

// settle computes least and puts the edges in the order in which they are tried. It returns the width: how many edges
// may look at one byte of a text. Of the literals at a node at most one fits; all of its holes may.
func (n *node) settle(kinds []template.Hole) (width int) {
	n.least = n.variant
	if n.least < 0 {
		n.least = 1 << 16
	}
	width = 1
	for _, next := range n.literals {
		width = max(width, next.settle(kinds))
		n.least = min(n.least, next.least)
	}
	if len(n.literals) == 0 && len(n.holes) > 0 {
		width = 0
	}
	for _, e := range n.holes {
		w := e.to.settle(kinds)
		if kinds[e.hole].Kind == template.LastText { // it looks beyond its end
			w++
		}
		width += w
		n.least = min(n.least, e.to.least)
	}
	slices.SortStableFunc(n.holes, func(a, b edge) int { return cmp.Compare(a.to.least, b.to.least) })
	return width
}

// written is a tree as template.Program has it.
type written struct {
	tree []uint16
	heap *heap
	full bool // it is longer than its numbers can say
}

// write appends n and what is below it and returns its place. Children are written first.
func (w *written) write(n *node) uint16 {
	type literal struct {
		text string
		to   *node
	}
	var literals []literal
	for c := range 256 {
		to := n.literals[byte(c)]
		if to == nil {
			continue
		}
		text := []byte{byte(c)}
		for to.variant < 0 && len(to.holes) == 0 && len(to.literals) == 1 {
			for c, next := range to.literals {
				text, to = append(text, c), next
			}
		}
		literals = append(literals, literal{string(text), to})
	}
	words := []uint16{uint16(n.variant + 1), uint16(min(n.least, 1<<16-1)), uint16(len(literals)) | uint16(len(n.holes))<<8}
	for _, l := range literals {
		t := w.heap.text(l.text)
		words = append(words, t.Off, t.Len, w.write(l.to))
	}
	for _, e := range n.holes {
		words = append(words, e.hole, w.write(e.to))
	}
	at := len(w.tree)
	w.tree = append(w.tree, words...)
	w.full = w.full || len(w.tree) >= 1<<16 || len(n.holes) > 255 || len(literals) > 255
	return uint16(at)
}

// heap holds the texts of a program, each once.
type heap struct {
	bytes []byte
	known map[string]template.Ref
	full  bool
}

func (h *heap) text(s string) template.Ref {
	if t, ok := h.known[s]; ok {
		return t
	}
	if len(h.bytes)+len(s) >= 1<<16 {
		h.full = true
		return template.Ref{}
	}
	t := template.Ref{Off: uint16(len(h.bytes)), Len: uint16(len(s))}
	h.bytes = append(h.bytes, s...)
	h.known[s] = t
	return t
}
