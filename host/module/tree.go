package module

import (
	"encoding/json"
	"iter"
	"math/bits"

	"github.com/vedette-siem/vedette/storage"
)

// Tree is an immutable map from organizations: who changes one entry shares all but the path to it with what was there
// before, so a change costs the same beside 5,000 organizations as beside one. The zero Tree is empty.
type Tree[V any] struct {
	root *node[V]
	size int
}

// fanBits of a key choose among the branches of a node, the lowest first: organizations are numbered one after another, so
// that fills nodes evenly.
const fanBits = 5

// node is one step of the way to an entry. An entry hangs on the first node on its way where it is alone.
type node[V any] struct {
	used     uint32      // a bit for each branch that there is
	branches []branch[V] // in the order of their bits
}

// branch is a further node or, when that is nil, an entry.
type branch[V any] struct {
	next  *node[V]
	key   storage.Tenant
	value V
}

// place returns the branch of a key at a depth and its index.
func (n *node[V]) place(key storage.Tenant, depth int) (bit uint32, at int) {
	bit = 1 << (key >> (depth * fanBits) & (1<<fanBits - 1))
	return bit, bits.OnesCount32(n.used & (bit - 1))
}

// TreeOf returns a Tree of what is in a map.
func TreeOf[V any](m map[storage.Tenant]V) (t Tree[V]) {
	for key, v := range m {
		t = t.With(key, v)
	}
	return t
}

// Len returns how many entries there are.
func (t Tree[V]) Len() int { return t.size }

// Get returns an organization's entry.
func (t Tree[V]) Get(key storage.Tenant) (v V, there bool) {
	n := t.root
	for depth := 0; n != nil; depth++ {
		bit, at := n.place(key, depth)
		if n.used&bit == 0 {
			return v, false
		}
		b := &n.branches[at]
		if b.next == nil {
			if b.key == key {
				return b.value, true
			}
			return v, false
		}
		n = b.next
	}
	return v, false
}

// With returns the Tree with another entry for an organization.
func (t Tree[V]) With(key storage.Tenant, v V) Tree[V] {
	root, added := t.root.with(key, v, 0)
	if added {
		t.size++
	}
	return Tree[V]{root, t.size}
}

func (n *node[V]) with(key storage.Tenant, v V, depth int) (_ *node[V], added bool) {
	if n == nil {
		n = &node[V]{}
	}
	bit, at := n.place(key, depth)
	leaf := branch[V]{key: key, value: v}
	if n.used&bit == 0 {
		grown := make([]branch[V], len(n.branches)+1)
		copy(grown, n.branches[:at])
		grown[at] = leaf
		copy(grown[at+1:], n.branches[at:])
		return &node[V]{n.used | bit, grown}, true
	}
	switch old := &n.branches[at]; {
	case old.next != nil:
		leaf = branch[V]{}
		leaf.next, added = old.next.with(key, v, depth+1)
	case old.key != key: // two on one way: both go on until they part
		next, _ := (*node[V])(nil).with(old.key, old.value, depth+1)
		leaf = branch[V]{}
		leaf.next, added = next.with(key, v, depth+1)
	}
	return n.replace(at, leaf), added
}

// Without returns the Tree without an organization's entry.
func (t Tree[V]) Without(key storage.Tenant) Tree[V] {
	root, removed := t.root.without(key, 0)
	if !removed {
		return t
	}
	return Tree[V]{root, t.size - 1}
}

func (n *node[V]) without(key storage.Tenant, depth int) (_ *node[V], removed bool) {
	if n == nil {
		return nil, false
	}
	bit, at := n.place(key, depth)
	if n.used&bit == 0 {
		return n, false
	}
	old := &n.branches[at]
	if old.next != nil {
		next, removed := old.next.without(key, depth+1)
		if !removed {
			return n, false
		}
		if next != nil {
			return n.replace(at, branch[V]{next: next}), true
		}
	} else if old.key != key {
		return n, false
	}
	if len(n.branches) == 1 {
		return nil, true
	}
	rest := make([]branch[V], 0, len(n.branches)-1)
	rest = append(append(rest, n.branches[:at]...), n.branches[at+1:]...)
	return &node[V]{n.used &^ bit, rest}, true
}

func (n *node[V]) replace(at int, b branch[V]) *node[V] {
	same := make([]branch[V], len(n.branches))
	copy(same, n.branches)
	same[at] = b
	return &node[V]{n.used, same}
}

// All goes over the entries, in an order that depends on the organizations alone.
func (t Tree[V]) All() iter.Seq2[storage.Tenant, V] { return t.Since(Tree[V]{}) }

// Since goes over the entries that may differ from those of an earlier Tree. What both share is not looked at.
func (t Tree[V]) Since(before Tree[V]) iter.Seq2[storage.Tenant, V] {
	return func(yield func(storage.Tenant, V) bool) { t.root.since(before.root, yield) }
}

func (n *node[V]) since(before *node[V], yield func(storage.Tenant, V) bool) bool {
	if n == nil || n == before {
		return true
	}
	for i, left := 0, n.used; left != 0; i, left = i+1, left&(left-1) {
		b := &n.branches[i]
		if b.next == nil {
			if !yield(b.key, b.value) {
				return false
			}
			continue
		}
		var was *node[V]
		if bit := left & -left; before != nil && before.used&bit != 0 {
			was = before.branches[bits.OnesCount32(before.used&(bit-1))].next
		}
		if !b.next.since(was, yield) {
			return false
		}
	}
	return true
}

// MarshalJSON writes an object with the numbers of organizations as keys.
func (t Tree[V]) MarshalJSON() ([]byte, error) {
	m := make(map[storage.Tenant]V, t.size)
	for key, v := range t.All() {
		m[key] = v
	}
	return json.Marshal(m)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Tree[V]) UnmarshalJSON(text []byte) error {
	var m map[storage.Tenant]V
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	*t = TreeOf(m)
	return nil
}
