package module_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// A Tree is a map, each of its versions stays what it was, and what differs between two versions is among what Since goes
// over.
func TestTree(t *testing.T) {
	// Neighbours fill a node; those that have their low bits in common part late.
	keys := rapid.SampledFrom([]storage.Tenant{0, 1, 2, 3, 31, 32, 33, 64, 1 << 5, 1 << 10, 1 << 15, 1<<15 + 1, 1 << 30, 1 << 31, 1<<32 - 1, 1<<31 - 1})
	rapid.Check(t, func(t *rapid.T) {
		trees, want := []module.Tree[int]{{}}, []map[storage.Tenant]int{{}}
		for n := range rapid.IntRange(0, 40).Draw(t, "changes") {
			tree, m := trees[len(trees)-1], maps.Clone(want[len(want)-1])
			if key := keys.Draw(t, "key"); rapid.Bool().Draw(t, "put") {
				tree, m[key] = tree.With(key, n), n
			} else {
				tree = tree.Without(key)
				delete(m, key)
			}
			trees, want = append(trees, tree), append(want, m)
		}
		for i, tree := range trees {
			if d := cmp.Diff(want[i], maps.Collect(tree.All())); d != "" || tree.Len() != len(want[i]) {
				t.Fatalf("version %d has %d entries: %s", i, tree.Len(), d)
			}
			for key := range want[i] {
				if v, there := tree.Get(key); !there || v != want[i][key] {
					t.Fatalf("version %d: of %s it has %d, %t", i, key, v, there)
				}
			}
			if _, there := tree.Get(77); there {
				t.Fatal("it has an entry that nobody put there")
			}
		}
		i, j := rapid.IntRange(0, len(trees)-1).Draw(t, "before"), rapid.IntRange(0, len(trees)-1).Draw(t, "after")
		since := maps.Collect(trees[j].Since(trees[i]))
		for key, v := range want[j] {
			if was, there := want[i][key]; there && was == v {
				continue
			}
			if got, there := since[key]; !there || got != v {
				t.Fatalf("from %v to %v: %s is not told of", want[i], want[j], key)
			}
		}
		var read module.Tree[int]
		text, err := json.Marshal(trees[j])
		if err == nil {
			err = json.Unmarshal(text, &read)
		}
		if err != nil || !maps.Equal(maps.Collect(read.All()), want[j]) || slices.Compare(order(read), order(trees[j])) != 0 {
			t.Fatalf("read back: %v of %v, %v", maps.Collect(read.All()), want[j], err)
		}
	})
}

func order(t module.Tree[int]) (keys []storage.Tenant) {
	for key := range t.All() {
		keys = append(keys, key)
	}
	return keys
}

// What one change costs does not depend on how many others there are.
func TestTreeShares(t *testing.T) {
	cost := func(n int) float64 {
		var tree module.Tree[*int]
		for i := range n {
			tree = tree.With(storage.Tenant(i), new(int))
		}
		return testing.AllocsPerRun(100, func() { tree.With(storage.Tenant(n/2), nil) })
	}
	if few, many := cost(32), cost(100_000); many > 5*few {
		t.Errorf("%v allocations beside 100,000, %v beside 32", many, few)
	}
	var tree, next module.Tree[int]
	for i := range 5_000 {
		tree = tree.With(storage.Tenant(i), 1)
	}
	next = tree.With(700, 2)
	looked := 0
	for range next.Since(tree) {
		looked++
	}
	if looked > 3*32 {
		t.Errorf("%d of 5,000 entries are looked at to find the one that differs", looked)
	}
}
