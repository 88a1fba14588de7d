package module

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// written serves packages of one rule, "NAME VERSION", and tables of one row, whatever they are called.
type written struct{ tb testing.TB }

func (w written) Pull(_ context.Context, _ storage.Tenant, d registry.Digest) (registry.Artifact, error) {
	name, version, _ := strings.Cut(string(d), " ")
	return registry.Artifact{
		Manifest: manifest.Manifest{Publisher: "a", Name: name, Version: version, Kind: manifest.Rule},
		Documents: []manifest.File{{Path: "rule.yaml", Data: fmt.Appendf(nil, `kind: pattern
id: %[1]s
name: %[1]s
version: %[2]s
description: One of some.
severity: low
subs:
  seen: {where: {user.name: u}, by: [user.name]}
incident: {key: [user.name], title: "%[1]s"}
`, name, version)}},
	}, nil
}

func (w written) Table(_ context.Context, _ storage.Tenant, digest string) (*index.Table, error) {
	return index.New(index.Exact, []string{"key"}, [][]string{{digest}})
}

// kept returns what a library has in memory.
func (l *Library) kept() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for key := range l.loaded {
			yield(key)
		}
		for digest := range l.tables {
			yield(digest)
		}
	})
}

// inUse returns what generations use.
func inUse(gens []*Generation) []string {
	used := map[string]bool{}
	for _, g := range gens {
		g.eachLayer(func(l *layer) {
			maps.Copy(used, keysOf(l.of, gens))
			l.eachDigest(func(d string) { used[d] = true })
		})
	}
	return slices.Sorted(maps.Keys(used))
}

// What only looks at what changed keeps exactly what is in use: nothing that runs is closed, and nothing is left that
// does not, whatever organizations share.
func TestRetire(t *testing.T) {
	control := func(t *rapid.T) Control {
		c := Control{
			Kind:   rapid.SampledFrom([]ControlKind{Activate, ActivateSet, Rollback, Disable, Enable, SetTable, RemoveTable, SetEntries, Forget}).Draw(t, "kind"),
			Tenant: storage.Tenant(rapid.IntRange(0, 3).Draw(t, "organization")), Name: "a/" + rapid.SampledFrom([]string{"x", "y"}).Draw(t, "module"),
		}
		version := func(name string) string {
			return strings.TrimPrefix(name, "a/") + rapid.SampledFrom([]string{" 1.0.0", " 2.0.0"}).Draw(t, "version")
		}
		switch c.Kind {
		case Activate:
			c.Digest = version(c.Name)
		case ActivateSet:
			c.Set = []Activation{{Name: "a/x", Digest: version("a/x")}, {Name: "a/y", Digest: version("a/y")}}
		case SetTable, RemoveTable, SetEntries:
			c.Name = rapid.SampledFrom([]string{"t", "u"}).Draw(t, "table")
			c.Table = &Table{Name: c.Name, Digest: rapid.SampledFrom([]string{"one", "two"}).Draw(t, "content")}
			c.Entries = &Entries{Put: []PutEntry{{Value: "v"}}}
		}
		return c
	}
	rapid.Check(t, func(r *rapid.T) {
		lib := NewLibrary(written{t}, nil, nil).With(written{t})
		base, err := Build(t.Context(), lib, nil, Running{}, storage.NoTenant)
		if err != nil {
			r.Fatal(err)
		}
		live := []*Generation{base}
		for seq := range uint64(rapid.IntRange(1, 25).Draw(r, "controls")) {
			last := live[len(live)-1]
			c := control(r)
			if next, err := last.Running.Apply(seq+1, 0, c); err == nil {
				gen, err := Build(t.Context(), lib, last, next, c.Tenant)
				if err != nil {
					r.Fatal(err)
				}
				live = append(live, gen)
			}
			switch rapid.IntRange(0, 3).Draw(r, "then") {
			case 0: // something is loaded for an installation that is refused
				release, err := lib.Hold(t.Context(), 1, Install{Name: "a/x", Digest: "x 3.0.0"})
				if err != nil {
					r.Fatal(err)
				}
				if lib.Retire(nil, live); !slices.Contains(lib.kept(), `[1,"a/x","x 3.0.0","",null]`) {
					r.Fatalf("what is held is not kept: %v", lib.kept())
				}
				release()
			case 1:
				continue
			}
			gone := rapid.IntRange(0, len(live)-1).Draw(r, "gone")
			lib.Retire(live[:gone], live[gone:])
			live = live[gone:]
			if d := cmp.Diff(inUse(live), lib.kept()); d != "" {
				r.Fatalf("-in use +kept:\n%s", d)
			}
		}
	})
}

// Several versions start to run at one position, all of them or none.
func TestActivateSet(t *testing.T) {
	before, err := Running{}.Apply(1, 10, Control{Kind: Activate, Name: "a/x", Digest: "x 1.0.0", Who: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	many := make([]Activation, MaxModulesPerSet+1)
	for i := range many {
		many[i] = Activation{Name: fmt.Sprintf("a/m%d", i), Digest: "d", Grants: []string{"vedette_kv_v1", "vedette_window_v1"}}
	}
	for what, set := range map[string][]Activation{
		"nothing": nil, "one over": many, "one twice": {{Name: "a/y", Digest: "y 1.0.0"}, {Name: "a/y", Digest: "y 2.0.0"}},
	} {
		if after, err := before.Apply(2, 20, Control{Kind: ActivateSet, Set: set}); err == nil || after.Seq != 1 || after.Layers.Len() != 1 || len(after.Layer(0).Slots) != 1 {
			t.Errorf("%s: %v, %+v", what, err, after)
		}
	}
	c := Control{Kind: ActivateSet, Who: "vedette", Set: many[:MaxModulesPerSet]}
	c.Set[0] = Activation{Name: "a/x", Digest: "x 2.0.0", Settings: "{}", Grants: []string{"1"}}
	text, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	read, err := DecodeControl(text)
	if err != nil {
		t.Fatal(err)
	}
	after, err := before.Apply(2, 20, read)
	if err != nil {
		t.Fatal(err)
	}
	slot := after.Layer(0).Slots["a/x"]
	want := Install{Name: "a/x", Digest: "x 2.0.0", Settings: "{}", Grants: []string{"1"}, Seq: 2, At: 20, Who: "vedette"}
	if d := cmp.Diff(want, slot.Current); d != "" || len(slot.Previous) != 1 || slot.Previous[0].Who != "ann" {
		t.Errorf("%s %+v", d, slot.Previous)
	}
	if n := len(after.Layer(0).Slots); n != MaxModulesPerSet || len(read.Each()) != n {
		t.Errorf("%d modules run, %d are told of", n, len(read.Each()))
	}
	for _, one := range read.Each() { // it is what its parts are, one after another
		if before, err = before.Apply(2, 20, one); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(before.Layer(0), after.Layer(0)); d != "" {
		t.Error(d)
	}
}

// BenchmarkChange is what the log waits for when one of many organizations with modules of their own changes: a value of a
// list, as a rule writes it, and a module.
func BenchmarkChange(b *testing.B) {
	for _, organizations := range []int{1, 5_000} {
		lib := NewLibrary(written{b}, nil, nil)
		var run Running
		seq := uint64(0)
		apply := func(c Control) {
			seq++
			var err error
			if run, err = run.Apply(seq, 0, c); err != nil {
				b.Fatal(err)
			}
		}
		for t := range storage.Tenant(organizations) {
			apply(Control{Kind: Activate, Tenant: t + 1, Name: "a/own", Digest: "own 1.0.0"})
		}
		gen, err := Build(b.Context(), lib, nil, run, storage.NoTenant)
		if err != nil {
			b.Fatal(err)
		}
		change := func(c Control) {
			apply(c)
			next, err := Build(b.Context(), lib, gen, run, c.Tenant)
			if err != nil {
				b.Fatal(err)
			}
			lib.Retire([]*Generation{gen}, []*Generation{next})
			gen = next
		}
		b.Run(fmt.Sprintf("list/organizations=%d", organizations), func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				change(Control{Kind: SetEntries, Tenant: 1, Name: "seen", Entries: &Entries{Put: []PutEntry{{Value: fmt.Sprint(n % 100)}}}})
			}
		})
		b.Run(fmt.Sprintf("module/organizations=%d", organizations), func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				change(Control{Kind: Activate, Tenant: 1, Name: "a/own", Digest: []string{"own 1.0.0", "own 2.0.0"}[n%2]})
			}
		})
	}
}
