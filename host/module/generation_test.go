package module_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/module"
	sandbox "github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

type packages map[registry.Digest]registry.Artifact

func (p packages) Pull(_ context.Context, _ storage.Tenant, d registry.Digest) (registry.Artifact, error) {
	if a, ok := p[d]; ok {
		return a, nil
	}
	return registry.Artifact{}, fmt.Errorf("pull %s: %w", d, registry.ErrNotFound)
}

// shelf holds a parser and a rule, each under two names and in two versions, by name.
type shelf struct {
	packages packages
	runtime  *sandbox.Host
	digests  map[string][]string
	names    []string
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{packages: packages{}, digests: map[string][]string{}}
	rt, err := sandbox.New(t.Context(), sandbox.Config{CacheDir: filepath.Join(t.TempDir(), "cache"), Instances: 2})
	if err != nil {
		t.Fatal(err)
	}
	s.runtime = rt
	t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for name, kind := range map[string]manifest.Kind{"a": manifest.Parser, "b": manifest.Parser, "c": manifest.Rule, "d": manifest.Rule} {
		dir := filepath.Join(t.TempDir(), name)
		if err := author.New(dir, kind); err != nil {
			t.Fatal(err)
		}
		for _, version := range []string{"0.1.0", "0.2.0"} {
			file := filepath.Join(dir, "module.yaml")
			text, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, []byte(strings.Replace(string(text), "0.1.0", version, 1)), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			p, err := author.Build(t.Context(), dir, author.StandardGo)
			if err != nil {
				t.Fatal(err)
			}
			d := manifest.Sum(append(slices.Clone(p.ManifestBytes), p.Wasm...))
			s.packages[registry.Digest(d)] = p
			s.digests["local/"+name] = append(s.digests["local/"+name], d)
		}
		s.names = append(s.names, "local/"+name)
	}
	slices.Sort(s.names)
	return s
}

func (s *shelf) library() *module.Library {
	return module.NewLibrary(s.packages, s.runtime, func(storage.Tenant, string) []sandbox.Target { return nil })
}

func (s *shelf) draw(t *rapid.T) module.Control {
	c := module.Control{
		Kind: rapid.SampledFrom([]module.ControlKind{module.Activate, module.Activate, module.ActivateSet, module.Rollback, module.Enable, module.Disable, module.Suspend, module.EnableRule, module.DisableRule, module.ExceptRule, module.RemoveException}).Draw(t, "kind"),
		Name: rapid.SampledFrom(s.names).Draw(t, "name"), Tenant: storage.Tenant(rapid.IntRange(0, 2).Draw(t, "tenant")), Who: "t",
	}
	if c.Kind == module.Activate {
		c.Digest = rapid.SampledFrom(s.digests[c.Name]).Draw(t, "version")
	}
	switch c.Kind {
	case module.ActivateSet:
		for _, name := range s.names[rapid.IntRange(0, len(s.names)-1).Draw(t, "from"):] {
			c.Set = append(c.Set, module.Activation{Name: name, Digest: rapid.SampledFrom(s.digests[name]).Draw(t, "version")})
		}
	case module.EnableRule, module.DisableRule, module.ExceptRule, module.RemoveException:
		c.Name = rapid.SampledFrom([]string{"local.c", "local.d"}).Draw(t, "rule")
		c.To = rapid.Uint64Range(0, 12).Draw(t, "exception")
		c.Exception = &module.RuleException{Reason: "r", Where: "a: " + rapid.SampledFrom([]string{"b", "c"}).Draw(t, "value")}
	}
	if c.Kind == module.Rollback {
		c.To = rapid.Uint64Range(0, 12).Draw(t, "to")
	}
	return c
}

// describe says what each of some tenants runs, as far as a record or an event can tell.
func describe(g *module.Generation) string {
	var b strings.Builder
	var s module.RouteScratch
	for t := storage.Tenant(1); t <= 3; t++ {
		v := g.View(t)
		for _, m := range v.Route(nil, []byte("door=1 badge=2 result=open"), "test", &s) {
			fmt.Fprintf(&b, "%d reads with %s of %d %s since %d\n", t, m.Name(), m.Tenant, m.Short(), m.Install.Seq)
		}
		for _, id := range []string{"local.c", "local.d"} {
			r := v.Rules.Rule(id)
			fmt.Fprintf(&b, "%d rule %s: %v\n", t, id, r != nil)
			if r != nil {
				fmt.Fprintf(&b, "%d excepts %d from it, its code is there: %v\n", t, len(r.Exceptions), v.Code(r) != nil)
			}
		}
		for _, m := range g.Modules(t) {
			fmt.Fprintf(&b, "%d has %s %s\n", t, m.Name(), m.Short())
		}
	}
	return b.String()
}

var layers = cmp.Transformer("layers", func(t module.Tree[*module.Layer]) map[storage.Tenant]*module.Layer { return maps.Collect(t.All()) })

// A generation that was built from the one before is the one that is built from nothing; what Apply refuses changes
// nothing; and what Apply returns survives a checkpoint.
func TestBuildFromTheOneBefore(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	lib, ctx := s.library(), context.Background()
	rapid.Check(t, func(t *rapid.T) {
		var run module.Running
		gen, err := module.Build(ctx, lib, nil, run, storage.NoTenant)
		if err != nil {
			t.Fatal(err)
		}
		for seq := range uint64(rapid.IntRange(1, 12).Draw(t, "controls")) {
			c := s.draw(t)
			next, err := run.Apply(seq+1, int64(seq), c)
			if err != nil {
				if d := cmp.Diff(run, next, layers); d != "" {
					t.Fatalf("refused, yet changed: %s", d)
				}
				continue
			}
			run = next
			if gen, err = module.Build(ctx, lib, gen, run, c.Tenant); err != nil {
				t.Fatal(err)
			}
			whole, err := module.Build(ctx, lib, nil, run, storage.NoTenant)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(describe(whole), describe(gen)); d != "" {
				t.Fatalf("-from nothing +from the one before:\n%s", d)
			}
			var read module.Running
			text, err := json.Marshal(run)
			if err = errors.Join(err, json.Unmarshal(text, &read)); err != nil || !cmp.Equal(run, read, layers, cmpopts.EquateEmpty()) {
				t.Fatalf("read back: %v %s", err, cmp.Diff(run, read, layers))
			}
		}
	})
	if err := lib.Keep(ctx); err != nil {
		t.Error(err)
	}
}

// Organizations that run what all run cost nothing, however many there are.
func TestOrganizationsWithoutLayers(t *testing.T) {
	s := newShelf(t)
	lib := s.library()
	var run module.Running
	var err error
	for i, name := range s.names {
		if run, err = run.Apply(uint64(i+1), 0, module.Control{Kind: module.Activate, Name: name, Digest: s.digests[name][0]}); err != nil {
			t.Fatal(err)
		}
	}
	gen, err := module.Build(t.Context(), lib, nil, run, storage.NoTenant)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() {
		for tenant := range storage.Tenant(5000) {
			if gen.View(tenant+1) != gen.View(1) {
				t.Error("a view of its own")
			}
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	// One that switched something off and on again is like the others.
	for i, kind := range []module.ControlKind{module.Disable, module.Enable} {
		if run, err = run.Apply(uint64(10+i), 0, module.Control{Kind: kind, Tenant: 7, Name: s.names[0]}); err != nil {
			t.Fatal(err)
		}
		if gen, err = module.Build(t.Context(), lib, gen, run, 7); err != nil {
			t.Fatal(err)
		}
	}
	if run.Layers.Len() != 1 || gen.View(7) != gen.View(8) {
		t.Error("an organization keeps a layer that says nothing")
	}
}

// A rollback to a named version undoes none: the list holds the others still, and one of them can be gone back to.
func TestRollbackTo(t *testing.T) {
	run, seq := module.Running{}, uint64(0)
	apply := func(c module.Control) error {
		t.Helper()
		seq++
		next, err := run.Apply(seq, int64(seq), c)
		if err != nil && !cmp.Equal(run, next, layers) {
			t.Errorf("refused, yet changed: %s", cmp.Diff(run, next, layers))
		}
		run = next
		return err
	}
	versions := func(own storage.Tenant) string {
		slot := run.Layer(own).Slots["a/b"]
		out := slot.Current.Digest
		for _, in := range slot.Previous {
			out += " " + in.Digest
		}
		return fmt.Sprint(out, " off=", slot.Off)
	}
	activate := func(t storage.Tenant, digest string) module.Control {
		return module.Control{Kind: module.Activate, Tenant: t, Name: "a/b", Digest: digest, Settings: "{" + digest + "}", Who: "ann"}
	}
	back := func(to uint64) module.Control {
		return module.Control{Kind: module.Rollback, Tenant: 7, Name: "a/b", To: to, Who: "bob"}
	}
	for _, step := range []struct {
		do   module.Control
		want string
		err  error
	}{
		{activate(0, "shared"), " off=false", nil},
		{activate(7, "v1"), "v1 off=false", nil},
		{activate(7, "v2"), "v2 v1 off=false", nil},
		{activate(7, "v3"), "v3 v2 v1 off=false", nil},
		{module.Control{Kind: module.Suspend, Tenant: 7, Name: "a/b"}, "v3 v2 v1 off=true", nil},
		{back(2), "v1 v3 v2 off=false", nil},
		{back(2), "v1 v3 v2 off=false", storage.ErrNotFound}, // it is activated anew, at another place of the log
		{back(4), "v3 v1 v2 off=false", nil},
		{back(9), "v3 v1 v2 off=false", storage.ErrNotFound},
		{back(0), "v1 v2 off=false", nil},
		{back(1), " off=false", nil},
		{back(1), " off=false", storage.ErrNotFound},
	} {
		if err := apply(step.do); !errors.Is(err, step.err) || versions(7) != step.want {
			t.Fatalf("%s to %d: %v, versions %q; want %v, %q", step.do.Kind, step.do.To, err, versions(7), step.err, step.want)
		}
		if in := run.Layer(7).Slots["a/b"].Current; in.Digest == "v1" && in.Seq == 6 && (in.Who != "bob" || in.At != 6 || in.Settings != "{v1}") {
			t.Errorf("activated again: %+v", in)
		}
	}
	if _, own := run.Layers.Get(7); own || run.Layer(storage.NoTenant).Slots["a/b"].Current.Digest != "shared" {
		t.Errorf("back to the shared version: %+v", run)
	}
}

func TestForget(t *testing.T) {
	r := module.Running{}
	var err error
	for seq, c := range []module.Control{
		{Kind: module.Activate, Name: "a/b", Digest: "d"}, {Kind: module.Activate, Tenant: 7, Name: "a/b", Digest: "d"}, {Kind: module.Forget, Tenant: 7},
	} {
		if r, err = r.Apply(uint64(seq+1), 0, c); err != nil {
			t.Fatal(err)
		}
	}
	if _, own := r.Layers.Get(7); own || !r.Gone[7] || r.Layers.Len() != 1 {
		t.Errorf("left: %+v", r)
	}
	if _, err := r.Apply(4, 0, module.Control{Kind: module.Activate, Tenant: 7, Name: "a/b", Digest: "d"}); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a module for a removed organization: %v", err)
	}
	if r, err = r.Apply(4, 0, module.Control{Kind: module.Disable, Name: "a/b"}); err != nil || !r.Gone[7] {
		t.Errorf("a later change forgets who is gone: %+v, %v", r, err)
	}
	if _, err := r.Apply(5, 0, module.Control{Kind: module.Forget}); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("forgetting nobody: %v", err)
	}
}

func TestLayerLimits(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	var run module.Running
	var err error
	for i := range module.MaxModulesPerTenant + 1 {
		next, e := run.Apply(uint64(i+1), 0, module.Control{Kind: module.Activate, Tenant: 1, Name: fmt.Sprint("local/m", i), Digest: "d"})
		run, err = next, e
	}
	if !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one module more than MaxModulesPerTenant: %v", err)
	}
	long := s.packages[registry.Digest(s.digests["local/a"][0])]
	long.Manifest.Match = &manifest.Match{}
	for i := range module.MaxLiteralBytes/manifest.MaxLiteralBytes + 1 {
		long.Manifest.Match.Signatures = append(long.Manifest.Match.Signatures, manifest.Signature{All: []string{strings.Repeat("x", manifest.MaxLiteralBytes-3) + fmt.Sprintf("%03d", i)}})
	}
	s.packages["long"] = long
	run, _ = module.Running{}.Apply(1, 0, module.Control{Kind: module.Activate, Name: "local/a", Digest: "long"})
	if _, err := module.Build(t.Context(), s.library(), nil, run, storage.NoTenant); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("more literals than MaxLiteralBytes: %v", err)
	}
	if _, err := (module.Control{Kind: module.Disable, Reason: strings.Repeat("x", module.MaxControlBytes)}).Encode(); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("a control record over MaxControlBytes: %v", err)
	}
}

// While generations are swapped and what they no longer need is closed, whoever holds one that is kept can parse.
func TestKeepClosesNothingInUse(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	lib := s.library()
	ctx := t.Context()
	type use struct {
		gen  *module.Generation
		done chan error
	}
	work := make(chan use)
	var workers sync.WaitGroup
	for range 3 {
		workers.Go(func() {
			var enc abi.RecordsEncoder
			var res sandbox.Result
			var scratch module.RouteScratch
			for u := range work {
				var err error
				raw := []byte("door=1 badge=2 result=open")
				for _, m := range u.gen.View(1).Route(nil, raw, "test", &scratch) {
					enc.Begin(1, 1, 1)
					enc.Add(raw, "test", 1, 0)
					err = errors.Join(err, m.Code.Parse(ctx, enc.Bytes(), &res))
				}
				u.done <- err
			}
		})
	}
	var run module.Running
	var gen *module.Generation
	for i := range uint64(24) {
		name := s.names[i%2]
		c := module.Control{Kind: module.Activate, Tenant: storage.Tenant(i / 2 % 2), Name: name, Digest: s.digests[name][i/4%2]}
		next, err := run.Apply(i+1, 0, c)
		if err != nil {
			t.Fatal(err)
		}
		before := gen
		if gen, err = module.Build(ctx, lib, before, next, c.Tenant); err != nil {
			t.Fatal(err)
		}
		run = next
		done := make(chan error, 2)
		jobs := 0
		for _, g := range []*module.Generation{before, gen} {
			if g != nil {
				work <- use{g, done}
				jobs++
			}
		}
		if err := lib.Keep(ctx, before, gen); err != nil { // as the pipeline does while frames of both are on their way
			t.Fatal(err)
		}
		for range jobs {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
	close(work)
	workers.Wait()
	if err := lib.Keep(ctx); err != nil {
		t.Fatal(err)
	}
}
