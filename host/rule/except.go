package rule

import "github.com/goccy/go-yaml/ast"

// ParseWhere reads a selection that stands alone, as the where of an exception does: a YAML mapping of tests that must all
// hold, or a list of such mappings of which one must. Faults are *Error.
func ParseWhere(file string, src []byte) (Pred, error) {
	root, err := parseYAML(file, src)
	if err != nil {
		return nil, err
	}
	d := &reader{file: file}
	switch root.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
	default:
		return nil, &Error{File: file, Line: 1, Col: 1, Msg: "where: want a mapping of tests", Hint: "such as user.name: backup"}
	}
	p := d.selection(root, "where", 0)
	if d.err != nil {
		return nil, d.err
	}
	return p, nil
}

// Except returns the rule with further exceptions. The rule itself stays as it is.
func (r *Rule) Except(more []Exception) *Rule {
	if len(more) == 0 {
		return r
	}
	any := make(AnyOf, len(more))
	for i := range more {
		any[i] = more[i].Where
	}
	positive := map[int]bool{}
	mark(r.Root.Of, positive)
	c := copier{}
	out := *r
	out.Exceptions = append(r.Exceptions[:len(r.Exceptions):len(r.Exceptions)], more...)
	out.Subs = make([]Sub, len(r.Subs))
	for i, s := range r.Subs {
		m := c.match(s.Match)
		if positive[i] {
			m.Where = exceptWhere(m.Where, any)
		}
		s.Match = m
		s.Aggregate, s.Baseline, s.FirstSeen = c.aggregate(s.Aggregate), c.baseline(s.Baseline), c.firstSeen(s.FirstSeen)
		out.Subs[i] = s
	}
	root := *r.Root
	root.Of = c.node(r.Root.Of)
	if root.Clear != nil && root.Clear.Of != nil {
		clear := *root.Clear
		clear.Of = c.node(clear.Of)
		root.Clear = &clear
	}
	out.Root = &root
	return &out
}

// exceptWhere narrows a selection, which may be missing: then the firings of another rule are selected.
func exceptWhere(where Pred, any AnyOf) Pred {
	if where == nil {
		return Not{any}
	}
	return AllOf{where, Not{any}}
}

// copier copies a tree of operators. What stands in it and in Rule.Subs is one node in the copy too.
type copier map[any]Node

// copied returns the copy of a node, made by fill when there is none.
func copied[T any, P interface {
	*T
	Node
}](c copier, n P, fill func(P)) P {
	if n == nil {
		return nil
	}
	if had, ok := c[n]; ok {
		return had.(P)
	}
	out := P(new(T))
	*out = *n
	c[n] = out
	fill(out)
	return out
}

func (c copier) match(n *Match) *Match { return copied(c, n, func(*Match) {}) }

func (c copier) aggregate(n *Aggregate) *Aggregate {
	return copied(c, n, func(out *Aggregate) {
		out.Of, out.Also = c.match(n.Of), nil
		for _, m := range n.Also {
			out.Also = append(out.Also, c.match(m))
		}
	})
}

func (c copier) baseline(n *Baseline) *Baseline {
	return copied(c, n, func(out *Baseline) { out.Of = c.aggregate(n.Of) })
}

func (c copier) firstSeen(n *FirstSeen) *FirstSeen {
	return copied(c, n, func(out *FirstSeen) { out.Of = c.match(n.Of) })
}

func (c copier) list(of []Node) []Node {
	out := make([]Node, len(of))
	for i := range of {
		out[i] = c.node(of[i])
	}
	return out
}

func (c copier) node(n Node) Node {
	switch n := n.(type) {
	case *Match:
		return c.match(n)
	case *Aggregate:
		return c.aggregate(n)
	case *Baseline:
		return c.baseline(n)
	case *FirstSeen:
		return c.firstSeen(n)
	case *FollowedBy:
		return copied(c, n, func(out *FollowedBy) { out.A, out.B = c.node(n.A), c.node(n.B) })
	case *NotFollowedBy:
		return copied(c, n, func(out *NotFollowedBy) { out.A, out.B = c.node(n.A), c.node(n.B) })
	case *AndNot:
		return copied(c, n, func(out *AndNot) { out.A, out.B = c.node(n.A), c.node(n.B) })
	case *And:
		return copied(c, n, func(out *And) { out.Of = c.list(n.Of) })
	case *Or:
		return copied(c, n, func(out *Or) { out.Of = c.list(n.Of) })
	case *Span:
		return copied(c, n, func(out *Span) { out.Of = c.node(n.Of) })
	case *Join:
		return copied(c, n, func(out *Join) { out.Of = c.node(n.Of) })
	}
	return n
}
