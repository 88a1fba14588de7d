package trust

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// world is a registry with one module, which runs for all.
type world struct {
	*testing.T
	packages *layout.Layout
	file     string
	root     *index.Root
	roots    [][]byte
	list     *index.Index
	ref      registry.Ref
	digest   registry.Digest

	mu       sync.Mutex
	policies map[storage.Tenant]meta.TrustPolicy
	running  module.Running
	served   layout.Snapshot
	down     error // of the remote registry
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, file: filepath.Join(t.TempDir(), "trust.json"), policies: map[storage.Tenant]meta.TrustPolicy{}}
	var err error
	if w.packages, err = layout.Open(filepath.Join(t.TempDir(), "modules")); err != nil {
		t.Fatal(err)
	}
	a := registrytest.Module(t, "acme/oven:1.0.0", "")
	w.ref = registry.RefOf(&a.Manifest)
	if w.digest, err = w.packages.Push(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	release, err := sign.NewRelease(&a, w.digest, "", time.Now()).Seal(registrytest.Key(t, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.packages.Attach(t.Context(), w.digest, layout.TypeSignature, registrytest.Encode(t, release)); err != nil {
		t.Fatal(err)
	}
	if err := w.act(t.Context(), module.Control{Kind: module.Activate, Name: w.ref.Module(), Digest: string(w.digest)}); err != nil {
		t.Fatal(err)
	}
	key := registrytest.Key(t, "r")
	one := index.NewRole(1, key.Public())
	w.root = index.NewRoot("site", time.Now().AddDate(5, 0, 0), one, one, key.Public())
	text, err := w.root.Seal(key)
	if err != nil {
		t.Fatal(err)
	}
	w.roots, w.list = [][]byte{text}, index.New(w.root)
	w.publish(24*time.Hour, func(x *index.Index) error { return x.Add(w.ref, w.digest) })
	return w
}

// publish signs a new index.
func (w *world) publish(lifetime time.Duration, change func(*index.Index) error) {
	w.Helper()
	w.list = w.list.Next(w.root, time.Now(), lifetime)
	if err := change(w.list); err != nil {
		w.Fatal(err)
	}
	text, err := w.list.Seal(registrytest.Key(w.T, "r"))
	if err != nil {
		w.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.served = layout.Snapshot{Index: text, Roots: w.roots}
}

func nothing(*index.Index) error { return nil }

func (w *world) TrustPolicy(_ context.Context, t storage.Tenant) (meta.TrustPolicy, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.policies[t], nil
}

func (w *world) Index(context.Context) (layout.Snapshot, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.served, w.down
}

func (w *world) act(_ context.Context, c module.Control) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	next, err := w.running.Apply(w.running.Seq+1, 0, c)
	w.running = next
	return err
}

func (w *world) runs() module.Running {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running
}

// why says why the module is stopped: "" while it runs.
func (w *world) why() string {
	slot := w.runs().Layer(storage.NoTenant).Slots[w.ref.Module()]
	if slot.Off {
		return slot.Why
	}
	return ""
}

// strict is a policy that takes what the holder of key a has signed.
func (w *world) strict(more string) *policy.Policy {
	w.Helper()
	p, err := policy.Parse("policy", []byte(w.document("a", more)))
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func (w *world) document(letter, more string) string {
	return "version: 1\n" + registrytest.KeysYAML(w.T, letter) + "scopes:\n  - {name: ours, modules: [\"acme/*\"], level: strict, signatures: {anyOf: [" + letter + "]}" + more + "}\n"
}

func (w *world) open(change func(*Config)) *Trust {
	w.Helper()
	cfg := Config{Packages: w.packages, Policies: w, File: w.file, Root: w.roots[0], Remote: w, Now: time.Now}
	change(&cfg)
	t, err := Open(cfg)
	if err != nil {
		w.Fatal(err)
	}
	return t
}

// watch runs f beside the rounds of a Trust, in a bubble where time passes by itself.
func watch(t *testing.T, change func(*world, *Config), f func(w *world, failed func() []error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		trusted := w.open(func(c *Config) { change(w, c) })
		ctx, stop := context.WithCancel(t.Context())
		var mu sync.Mutex
		var failures []error
		done := make(chan struct{})
		go func() {
			defer close(done)
			trusted.Watch(ctx, w.runs, w.act, func(err error) {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, err)
			})
		}()
		f(w, func() []error {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(failures)
		})
		stop()
		<-done
	})
}

// later lets a minute pass, after which every change has been seen.
func later() {
	<-time.After(Every + time.Millisecond)
	synctest.Wait()
}

func TestRevokedStopsWithinAMinute(t *testing.T) {
	watch(t, func(w *world, c *Config) { c.Policy = w.strict("") }, func(w *world, failed func() []error) {
		synctest.Wait()
		if why := w.why(); why != "" {
			t.Errorf("trusted, it stopped: %s", why)
		}
		note := index.Note{Reason: "it leaks", Replacement: "acme/oven:1.0.1", At: time.Now().UTC().Truncate(time.Second)}
		w.publish(24*time.Hour, func(x *index.Index) error { return x.Revoke(w.ref, note) })
		later()
		if why := w.why(); why != Stopped+"acme/oven:1.0.0 is revoked: it leaks (use acme/oven:1.0.1)" {
			t.Errorf("revoked: %q", why)
		}
		if list := failed(); len(list) != 0 {
			t.Errorf("failures: %v", list)
		}
	})
}

// Whoever holds back a newer index gains no more time than the last one had, and with a newer one all is well again.
func TestExpiredIndexFailsClosed(t *testing.T) {
	for _, c := range []struct {
		name, more string
		stops      time.Duration // after the index was published for a day
	}{
		{"strict", "", 24 * time.Hour},
		{"strict with grace", ", index_grace: 2d", 72 * time.Hour},
		{"audit", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			watch(t, func(w *world, cfg *Config) {
				cfg.Policy = w.strict(c.more)
				if c.name == "audit" {
					cfg.Policy.Scopes[0].Level = policy.Audit
				}
			}, func(w *world, failed func() []error) {
				synctest.Wait()
				w.mu.Lock()
				w.down = registry.ErrUnavailable
				w.mu.Unlock()
				before := c.stops - time.Hour
				if c.stops == 0 {
					before = 100 * time.Hour
				}
				<-time.After(before)
				synctest.Wait()
				if why := w.why(); why != "" || len(failed()) == 0 {
					t.Errorf("after %v: %q, %d failures", before, why, len(failed()))
				}
				if c.stops == 0 {
					return
				}
				<-time.After(time.Hour)
				later()
				if why := w.why(); !strings.Contains(why, "the signed index has expired") {
					t.Errorf("after %v: %q", c.stops, why)
				}
				w.publish(24*time.Hour, nothing)
				w.mu.Lock()
				w.down = nil
				w.mu.Unlock()
				later()
				if why := w.why(); why != "" {
					t.Errorf("with a newer index: %q", why)
				}
			})
		})
	}
}

// What somebody has switched off, and what the host stopped for another reason, is not switched on.
func TestOnlyItsOwnSuspensionsEnd(t *testing.T) {
	watch(t, func(w *world, c *Config) { c.Policy = w.strict("") }, func(w *world, _ func() []error) {
		synctest.Wait()
		for _, c := range []module.Control{
			{Kind: module.Disable, Name: w.ref.Module(), Who: "ann"},
			{Kind: module.Suspend, Name: w.ref.Module(), Reason: "50 records failed"},
		} {
			if err := w.act(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			later()
			if !w.runs().Layer(storage.NoTenant).Slots[w.ref.Module()].Off {
				t.Errorf("after %s it runs again", c.Kind)
			}
		}
	})
}

func TestWhatIsTrustedSurvivesARestart(t *testing.T) {
	w := newWorld(t)
	first := w.open(func(*Config) {})
	if err := first.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	old := w.served
	w.publish(time.Hour, nothing)
	if err := first.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, _, err := w.packages.Snapshot(t.Context()); err != nil || string(s.Index) != string(w.served.Index) {
		t.Errorf("it is not kept for mirrors: %v", err)
	}
	again := w.open(func(c *Config) { c.Root = nil })
	if err := again.Accept(t.Context(), old); !errors.Is(err, registry.ErrUntrusted) || !strings.Contains(err.Error(), "rollback") {
		t.Errorf("an older index after a restart: %v", err)
	}
	if again.Known().Index().Version != w.list.Version {
		t.Errorf("version %d is known, want %d", again.Known().Index().Version, w.list.Version)
	}
}

// Without a root only somebody who may gives the first index, and it binds.
func TestFirstIndex(t *testing.T) {
	w := newWorld(t)
	if err := w.packages.PutSnapshot(t.Context(), w.served); err != nil {
		t.Fatal(err)
	}
	trusted := w.open(func(c *Config) { c.Root, c.Remote = nil, nil })
	if err := trusted.Follow(t.Context()); err != nil || trusted.Known() != nil {
		t.Errorf("an index that lies in the registry is believed: %v", err)
	}
	if err := trusted.Accept(t.Context(), w.served); err != nil {
		t.Fatal(err)
	}
	stranger := newWorld(t)
	stranger.root = index.NewRoot("other", time.Now().AddDate(1, 0, 0), w.root.Roots, w.root.Indexes, registrytest.Key(t, "r").Public())
	text, err := stranger.root.Seal(registrytest.Key(t, "r"))
	if err != nil {
		t.Fatal(err)
	}
	stranger.roots, stranger.list = [][]byte{text}, index.New(stranger.root)
	stranger.publish(time.Hour, nothing)
	if err := trusted.Accept(t.Context(), stranger.served); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("another registry's index: %v", err)
	}
}

// The policies of organizations narrow, each for itself, and what ships needs no signature.
func TestPolicies(t *testing.T) {
	w := newWorld(t)
	w.policies[1] = meta.TrustPolicy{Version: 1, Document: w.document("b", "")}
	w.policies[3] = meta.TrustPolicy{Version: 3, Document: "version: 1\nscopes:\n  - {name: any, modules: [\"*/*\"], level: unsigned-allowed}\n"}
	trusted := w.open(func(c *Config) { c.Policy, c.Exempt = w.strict(""), []string{"vedette"} })
	if err := trusted.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	pkg, err := w.packages.Package(t.Context(), w.digest)
	if err != nil {
		t.Fatal(err)
	}
	unsigned := layout.Bare(registrytest.Module(t, "acme/oven:1.0.2", ""))
	shipped := layout.Bare(registrytest.Module(t, "vedette/oven:1.0.0", ""))
	for _, c := range []struct {
		what   string
		tenant storage.Tenant
		pkg    *layout.Package
		allow  bool
	}{
		{"signed", 0, &pkg, true},
		{"signed, for one", 2, &pkg, true},
		{"not by whom the organization trusts", 1, &pkg, false},
		{"unsigned", 2, &unsigned, false},
		{"unsigned where the organization would allow it", 3, &unsigned, false},
		{"shipped", 0, &shipped, true},
		{"shipped, for one", 1, &shipped, true},
	} {
		v, err := trusted.Judge(t.Context(), c.tenant, c.pkg, "")
		if err != nil || v.Allow != c.allow {
			t.Errorf("%s: %+v, %v", c.what, v, err)
		}
		err = trusted.Admit(c.tenant)(t.Context(), &c.pkg.Artifact, c.pkg.Digest, c.pkg.Envelopes())
		if c.allow != (err == nil) || err != nil && !errors.Is(err, registry.ErrUntrusted) {
			t.Errorf("%s, from a remote registry: %v", c.what, err)
		}
	}
	if _, err := trusted.Running(t.Context(), 2, unsigned.Digest); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("what is not here: %v", err)
	}
}

// Many ask at once while the index, the policies and the signatures change.
func TestAtOnce(t *testing.T) {
	w := newWorld(t)
	trusted := w.open(func(c *Config) { c.Policy = w.strict("") })
	var snapshots []layout.Snapshot
	for range 5 {
		w.publish(time.Hour, nothing)
		snapshots = append(snapshots, w.served)
	}
	var g sync.WaitGroup
	for i := range 4 {
		g.Go(func() {
			for n := range 20 {
				if v, err := trusted.Running(t.Context(), storage.Tenant(i), w.digest); err != nil || !v.Allow {
					t.Errorf("%+v, %v", v, err)
				}
				switch i {
				case 0:
					_ = trusted.Accept(t.Context(), snapshots[n/4]) // again the same, now and then a newer one
				case 1:
					trusted.Attached(storage.Tenant(n % 3))
				case 2:
					w.mu.Lock()
					w.policies[3] = meta.TrustPolicy{Version: uint64(n + 1), Document: w.document("a", "")}
					w.mu.Unlock()
				default:
					if _, err := trusted.Review(t.Context(), w.runs()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	g.Wait()
}
