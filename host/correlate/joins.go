package correlate

import (
	"cmp"
	"slices"
	"strings"
)

// related is what a join knows of the event that completed a sub-pattern.
type related struct {
	sub  int
	vals []string
	key  string // of the values that joins ask for
}

// unite puts what joins know of two occurrences together; of a sub-pattern that both have, the second's is told.
func unite(a, b []related) []related {
	out := slices.Clone(b)
	for _, r := range a {
		if !slices.ContainsFunc(b, func(x related) bool { return x.sub == r.sub }) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(x, y related) int { return cmp.Compare(x.sub, y.sub) })
	return out
}

// related returns what joins ask of an event that completed a sub-pattern, nothing when they do not ask.
func (t *tree) related(sub int, vals []string) []related {
	var b strings.Builder
	asked := false
	for i := range t.joins {
		j := &t.joins[i]
		for _, x := range [...]struct{ sub, val int }{{j.A, j.aVal}, {j.B, j.bVal}} {
			if x.sub == sub {
				asked = true
				b.WriteString(combined([]int{x.val, x.val}, vals))
			}
		}
	}
	if !asked {
		return nil
	}
	return []related{{sub, vals, b.String()}}
}

func sameRelated(a, b *occurrence) bool {
	return slices.EqualFunc(a.joined, b.joined, func(x, y related) bool { return x.sub == y.sub && x.key == y.key })
}

// agree reports whether all joins hold in what two occurrences make.
func (t *tree) agree(a, b *occurrence) bool {
	all := unite(a.joined, b.joined)
	for i := range t.joins {
		j := &t.joins[i]
		for _, x := range all {
			for _, y := range all {
				if x.sub == j.A && y.sub == j.B && !compare(x.vals[j.aVal], j.Op, y.vals[j.bVal]) {
					return false
				}
			}
		}
	}
	return true
}

// compare relates two values; one that is missing is related to none.
func compare(a, op, b string) bool {
	if a == "" || b == "" {
		return false
	}
	switch op {
	case "==":
		return strings.EqualFold(a, b)
	case "!=":
		return !strings.EqualFold(a, b)
	}
	x, ok1 := finite(a)
	y, ok2 := finite(b)
	return ok1 && ok2 && holds(op, x, y)
}
