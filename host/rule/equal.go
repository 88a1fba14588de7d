package rule

import (
	"reflect"
	"slices"
)

// Equal reports whether two rules say the same, wherever they stand: a selection within another of its kind, and one of a
// single test, are not told apart from what they come to.
func Equal(a, b *Rule) bool { return reflect.DeepEqual(a.plain(), b.plain()) }

// plain returns a copy of the rule without the places in its file and with selections in their shortest form.
func (r *Rule) plain() *Rule {
	c := copier{}
	out := *r
	out.File, out.Tests, out.Subs, out.Exceptions = "", slices.Clone(r.Tests), slices.Clone(r.Subs), slices.Clone(r.Exceptions)
	for i := range out.Tests {
		out.Tests[i].Line = 0
	}
	for i := range out.Exceptions {
		out.Exceptions[i].Where = shortest(out.Exceptions[i].Where)
	}
	for i := range out.Subs {
		s := &out.Subs[i]
		s.Match = c.match(s.Match)
		s.Match.Where = shortest(s.Match.Where)
		s.Aggregate, s.Baseline, s.FirstSeen = c.aggregate(s.Aggregate), c.baseline(s.Baseline), c.firstSeen(s.FirstSeen)
	}
	root := *r.Root
	root.Of = c.node(r.Root.Of)
	if root.Clear != nil {
		clear := *root.Clear
		clear.Of = c.node(clear.Of)
		root.Clear = &clear
	}
	out.Root = &root
	return &out
}

// shortest puts conjunctions within conjunctions together, likewise alternatives, and takes selections of one out of
// their lists.
func shortest(p Pred) Pred {
	var list []Pred
	switch p := p.(type) {
	case Not:
		return Not{shortest(p.Of)}
	case AllOf:
		for _, of := range p {
			if in, ok := shortest(of).(AllOf); ok {
				list = append(list, in...)
			} else {
				list = append(list, shortest(of))
			}
		}
		if len(list) != 1 {
			return AllOf(list)
		}
	case AnyOf:
		for _, of := range p {
			if in, ok := shortest(of).(AnyOf); ok {
				list = append(list, in...)
			} else {
				list = append(list, shortest(of))
			}
		}
		if len(list) != 1 {
			return AnyOf(list)
		}
	default:
		return p
	}
	return list[0]
}
