package host

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/trust"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/storage"
)

// signed returns a package with the releases of keys.
func signed(t *testing.T, a registry.Artifact, keys ...sign.PrivateKey) layout.Package {
	t.Helper()
	l, err := layout.Open(filepath.Join(t.TempDir(), "author"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.Push(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Attach(t.Context(), d, layout.TypeSignature, registrytest.Release(t, a, d, keys...)); err != nil {
		t.Fatal(err)
	}
	p, err := l.Package(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// policyOf is a document that takes what the keys' holders, named by letters, have signed.
func policyOf(t *testing.T, letters, more string) string {
	t.Helper()
	return "version: 1\n" + registrytest.KeysYAML(t, letters) + `scopes:
  - {name: ours, modules: ["local/*"], level: strict, signatures: {anyOf: [` + strings.Join(strings.Split(letters, ""), ", ") + `]}, capabilities: ["*"]` + more + "}\n"
}

func install(t *testing.T, h *Host, c Candidate) Installed {
	t.Helper()
	done, err := h.Install(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// One organization's versions are nobody else's to see, to stand in the way of, or to run.
func TestNamespacesAreApart(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	a := install(t, h, Candidate{Package: layout.Bare(linkRule(t, "1.0.0", 5)), Tenant: 1})
	b := install(t, h, Candidate{Package: layout.Bare(linkRule(t, "1.0.0", 6)), Tenant: 2}) // the same name, other content
	if a.Install.Digest == b.Install.Digest {
		t.Fatal("the packages do not differ")
	}
	for _, c := range []struct {
		tenant storage.Tenant
		digest string
		sees   bool
	}{{1, a.Install.Digest, true}, {1, b.Install.Digest, false}, {2, a.Install.Digest, false}, {2, b.Install.Digest, true}, {0, a.Install.Digest, false}} {
		d := registry.Digest(c.digest)
		_, pulled := h.packages.Pull(t.Context(), c.tenant, d)
		_, loaded := h.library.Load(t.Context(), c.tenant, module.Install{Name: "local/link-storm", Digest: c.digest, Seq: 99})
		_, judged := h.trust.Running(t.Context(), c.tenant, d)
		for what, err := range map[string]error{"pull": pulled, "load": loaded, "judge": judged} {
			if c.sees && err != nil || !c.sees && !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("organization %d, %s of %s: %v", c.tenant, what, d.Short(), err)
			}
		}
	}
	if next, err := (apiModules{h}).nextVersion(t.Context(), 2, "other"); err != nil || next != "1.0.0" {
		t.Errorf("nextVersion = %s, %v", next, err)
	}
	// What an older host has kept for all still runs, and a version in it cannot be taken for something else.
	shared, err := h.packages.Push(t.Context(), linkRule(t, "1.1.0", 5))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.library.Load(t.Context(), 2, module.Install{Name: "local/link-storm", Digest: string(shared), Seq: 98}); err != nil {
		t.Errorf("load what all share: %v", err)
	}
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(linkRule(t, "1.1.0", 7)), Tenant: 2}); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("install other content of a shared version: %v", err)
	}
}

func TestSignedInstall(t *testing.T) {
	t.Parallel()
	ann, bob := registrytest.Key(t, "a"), registrytest.Key(t, "b")
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(policyOf(t, "ab", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	h := installer(t, func(c *Config) { c.Modules.TrustPolicy = file })
	first := linkRule(t, "1.0.0", 5)
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(first), Tenant: 1}); !errors.Is(err, storage.ErrForbidden) || !errors.Is(err, registry.ErrUntrusted) || !containsAll(err, []string{"at the signature", "not signed", `scope "ours"`}) {
		t.Errorf("an unsigned package: %v", err)
	}
	if _, err := h.packages.In(1).Resolve(t.Context(), registry.RefOf(&first.Manifest)); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("it is kept: %v", err)
	}
	if _, err := h.Install(t.Context(), Candidate{Package: signed(t, first, registrytest.Key(t, "c")), Tenant: 1}); !errors.Is(err, storage.ErrForbidden) {
		t.Errorf("signed by a stranger: %v", err)
	}
	done := install(t, h, Candidate{Package: signed(t, first, ann), Tenant: 1})
	if !slices.Equal(done.Trust.Signers, []string{"a"}) || len(done.Warnings) > 0 {
		t.Errorf("signed by a: %+v, %q", done.Trust, done.Warnings)
	}

	// An organization's own policy narrows what the host allows, for itself alone.
	if _, err := h.db.SetTrustPolicy(t.Context(), 2, policyOf(t, "b", ""), "root"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Install(t.Context(), Candidate{Package: signed(t, first, ann), Tenant: 2}); !errors.Is(err, storage.ErrForbidden) {
		t.Errorf("signed by whom the organization does not trust: %v", err)
	}
	install(t, h, Candidate{Package: signed(t, first, bob), Tenant: 2})
	if v, err := h.trust.Running(t.Context(), 2, registry.Digest(done.Install.Digest)); err != nil || !v.Allow || !slices.Equal(v.Signers, []string{"b"}) {
		t.Errorf("what runs for organization 2: %+v, %v", v, err)
	}

	// When the policy changes, what runs is judged anew, and its state at any position of the log stays what it was.
	if _, err := h.db.SetTrustPolicy(t.Context(), 1, policyOf(t, "b", ""), "root"); err != nil {
		t.Fatal(err)
	}
	review := func() []module.Control {
		t.Helper()
		list, err := h.trust.Review(t.Context(), h.pipeline.Generation().Running)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			if err := h.Control(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		return list
	}
	if list := review(); len(list) != 1 || list[0].Kind != module.Suspend || list[0].Tenant != 1 || !strings.HasPrefix(list[0].Reason, trust.Stopped) {
		t.Fatalf("with another policy: %+v", list)
	}
	if slot := h.pipeline.Generation().Running.Layer(1).Slots["local/link-storm"]; !slot.Off || slot.Why == "" {
		t.Errorf("it goes on: %+v", slot)
	}
	if list := review(); len(list) != 0 {
		t.Errorf("it is stopped again: %+v", list)
	}
	if err := h.Control(t.Context(), module.Control{Kind: module.Enable, Tenant: 1, Name: "local/link-storm", Who: "ann"}); !errors.Is(err, storage.ErrForbidden) {
		t.Errorf("somebody switches it on: %v", err)
	}
	if _, err := h.packages.In(1).Attach(t.Context(), registry.Digest(done.Install.Digest), layout.TypeSignature, registrytest.Release(t, first, registry.Digest(done.Install.Digest), bob)); err != nil {
		t.Fatal(err)
	}
	h.trust.Attached(1)
	if list := review(); len(list) != 1 || list[0].Kind != module.Enable {
		t.Errorf("signed by whom it is trusted of: %+v", list)
	}
}

// site is a registry's owner with a signed index.
type site struct {
	t     *testing.T
	key   sign.PrivateKey
	root  *index.Root
	roots [][]byte
	index *index.Index
}

func newSite(t *testing.T, now time.Time) *site {
	t.Helper()
	key := registrytest.Key(t, "r")
	one := index.NewRole(1, key.Public())
	s := &site{t: t, key: key, root: index.NewRoot("site", now.AddDate(1, 0, 0), one, one, key.Public())}
	text, err := s.root.Seal(key)
	if err != nil {
		t.Fatal(err)
	}
	s.roots, s.index = [][]byte{text}, index.New(s.root)
	return s
}

// next signs the next index after a change.
func (s *site) next(now time.Time, lifetime time.Duration, change func(*index.Index) error) layout.Snapshot {
	s.t.Helper()
	s.index = s.index.Next(s.root, now, lifetime)
	if err := change(s.index); err != nil {
		s.t.Fatal(err)
	}
	text, err := s.index.Seal(s.key)
	if err != nil {
		s.t.Fatal(err)
	}
	return layout.Snapshot{Index: text, Roots: s.roots}
}

// What is revoked stops with the reason and what to use in its place; what is yanked is not installed any more.
func TestRevoked(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	now := time.Now()
	s := newSite(t, now)
	p := linkRule(t, "1.0.0", 5)
	ref := registry.RefOf(&p.Manifest)
	done := install(t, h, Candidate{Package: layout.Bare(p)})
	list := s.next(now, time.Hour, func(x *index.Index) error { return x.Add(ref, registry.Digest(done.Install.Digest)) })
	if err := h.trust.Accept(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	after := func(change func(*index.Index) error) module.Slot {
		t.Helper()
		if err := h.packages.PutSnapshot(t.Context(), s.next(now, time.Hour, change)); err != nil {
			t.Fatal(err)
		}
		if err := h.trust.Follow(t.Context()); err != nil {
			t.Fatal(err)
		}
		changes, err := h.trust.Review(t.Context(), h.pipeline.Generation().Running)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if err := h.Control(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		return h.pipeline.Generation().Running.Layer(storage.NoTenant).Slots["local/link-storm"]
	}
	note := index.Note{Reason: "it counts twice", Replacement: "local/link-storm:1.1.0", At: now.UTC().Truncate(time.Second)}
	if slot := after(func(x *index.Index) error { return x.Yank(ref, &note) }); slot.Off {
		t.Errorf("yanked, it stopped: %+v", slot)
	}
	if v, err := h.trust.Running(t.Context(), storage.NoTenant, registry.Digest(done.Install.Digest)); err != nil || !v.Allow || !strings.Contains(trust.Reasons(v.Warnings), "it counts twice (use local/link-storm:1.1.0)") {
		t.Errorf("yanked: %+v, %v", v, err)
	}
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(p), Tenant: 1}); !errors.Is(err, storage.ErrForbidden) || !containsAll(err, []string{"yanked", "1.1.0"}) {
		t.Errorf("install what is yanked: %v", err)
	}
	if slot := after(func(x *index.Index) error { return x.Revoke(ref, note) }); !slot.Off || !strings.Contains(slot.Why, "revoked: it counts twice (use local/link-storm:1.1.0)") {
		t.Errorf("revoked, it goes on: %+v", slot)
	}
	if err := h.Control(t.Context(), module.Control{Kind: module.Enable, Name: "local/link-storm", Who: "root"}); !errors.Is(err, storage.ErrForbidden) {
		t.Errorf("somebody switches on what is revoked: %v", err)
	}
}

// A start comes to what the log says, whatever is trusted by then; only then is what runs judged.
func TestReplayAsksNobody(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), Organizations: []OrganizationConfig{{Slug: "one", Name: "One"}}}
	h, stop := begin(t, cfg)
	done := install(t, h, Candidate{Package: layout.Bare(linkRule(t, "1.0.0", 5))})
	stop()
	cfg.Modules.RefuseUnsigned = true
	h, stop = begin(t, cfg)
	defer stop()
	if err := h.pipeline.Wait(t.Context(), h.queue.Last()); err != nil {
		t.Fatal(err)
	}
	gen := h.pipeline.Generation()
	if slot := gen.Running.Layer(storage.NoTenant).Slots["local/link-storm"]; slot.Off || slot.Current.Digest != done.Install.Digest || len(gen.Modules(storage.NoTenant)) != 1 {
		t.Fatalf("after a start with another policy: %+v", slot)
	}
	changes, err := h.trust.Review(t.Context(), gen.Running)
	if err != nil || len(changes) != 1 || changes[0].Kind != module.Suspend || !strings.Contains(changes[0].Reason, "not signed") {
		t.Errorf("review: %+v, %v", changes, err)
	}
}
