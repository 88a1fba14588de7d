package detect

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
)

// List is a named list as one organization has it. Any number of goroutines may ask it at once.
type List interface {
	// Has reports whether a value is in the list at a log time in ns. It keeps nothing of the value.
	Has(value string, at int64) bool
}

// WithLists returns the view with the lists that its rules name; find returns nil for one that does not exist. Nothing
// else of it is made anew.
func (v *View) WithLists(find func(name string) List) *View {
	with := *v
	for i, s := range []*Set{v.global, v.overlay} {
		with.lists[i] = nil
		if s == nil || len(s.lists) == 0 {
			continue
		}
		with.lists[i] = make([]List, len(s.lists))
		for n, name := range s.lists {
			with.lists[i][n] = find(name)
		}
	}
	return &with
}

// ListsOf returns the names of the lists that a rule asks, in ascending order.
func ListsOf(r *rule.Rule) (names []string) {
	for i := range r.Subs {
		if m := r.Subs[i].Match; m != nil {
			names = listsIn(m.Where, names)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func listsIn(p rule.Pred, names []string) []string {
	switch p := p.(type) {
	case rule.AllOf:
		for _, q := range p {
			names = listsIn(q, names)
		}
	case rule.AnyOf:
		for _, q := range p {
			names = listsIn(q, names)
		}
	case rule.Not:
		names = listsIn(p.Of, names)
	case *rule.Test:
		names = append(names, p.Lists...)
	}
	return names
}

// list returns the number of a list in the set.
func (b *builder) list(name string) int {
	n, known := b.lists[name]
	if !known {
		n = len(b.set.lists)
		b.lists[name] = n
		b.set.lists = append(b.set.lists, name)
	}
	return n
}

// listed is a test whether the values of a field are in lists.
type listed struct {
	slot  uint16
	every bool
	lists []int
}

// holds asks for what is in the lists when the event was received: later records may have changed them.
func (p *listed) holds(m *memory) bool {
	if m.lists == nil {
		return false
	}
	texts := m.texts(p.slot, true)
	if len(texts) == 0 {
		return false
	}
	for _, n := range p.lists {
		found := false
		if list := m.lists[n]; list != nil {
			for _, text := range texts {
				if list.Has(text, m.ev.Received) {
					found = true
					break
				}
			}
		}
		if found != p.every {
			return found
		}
	}
	return p.every
}

// CaseLists returns the lists of an inline test by name.
func CaseLists(lists []rule.CaseList) func(name string) List {
	return func(name string) List {
		for i := range lists {
			if lists[i].Name == name {
				return caseList(lists[i].Values)
			}
		}
		return nil
	}
}

// caseList is the values of a list of an inline test, each compared by what it looks like.
type caseList []string

// Has implements List.
func (l caseList) Has(value string, _ int64) bool {
	addr, err := netip.ParseAddr(value)
	isAddr := err == nil
	for _, v := range l {
		if p, err := netip.ParsePrefix(v); err == nil && isAddr && p.Contains(addr.Unmap()) {
			return true
		}
		v, value := strings.ToLower(v), strings.ToLower(value)
		if v == value || !isAddr && strings.Contains(v, ".") && strings.HasSuffix(strings.TrimSuffix(value, "."), "."+v) {
			return true
		}
	}
	return false
}
