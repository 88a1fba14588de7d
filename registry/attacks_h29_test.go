package registry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	gcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/bundle"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"github.com/vedette-siem/vedette/registry/remote"
	"github.com/vedette-siem/vedette/registry/sign"
)

func parsePolicy(t testing.TB, publishers, scopes string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("policy.yaml", []byte("version: 1\n"+registrytest.KeysYAML(t, "ab")+publishers+"scopes:\n"+scopes))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func has(v policy.Verdict, code policy.Code) bool {
	return slices.ContainsFunc(v.Reasons, func(r policy.Reason) bool { return r.Code == code })
}

// site is a registry with one signed module, and a client that trusts it.
type site struct {
	layout *layout.Layout
	module registry.Artifact
	digest registry.Digest
	policy *policy.Policy
	root   *index.Root
	index  *index.Index
	trust  *index.Trust
}

func newSite(t testing.TB) *site {
	t.Helper()
	ctx := context.Background()
	a, r := registrytest.Key(t, "a"), registrytest.Key(t, "r")
	s := &site{layout: open(t), module: registrytest.Module(t, "acme/x:1.0.0", "")}
	s.policy = parsePolicy(t, "publishers:\n  - {prefix: acme, keys: [a]}\n  - {prefix: bravo, keys: [b]}\n", "  - {name: all, modules: [\"*/*\"], level: strict, index: required}\n")
	var err error
	if s.digest, err = s.layout.Push(ctx, s.module); err != nil {
		t.Fatal(err)
	}
	if _, err := s.layout.Attach(ctx, s.digest, layout.TypeSignature, registrytest.Release(t, s.module, s.digest, a)); err != nil {
		t.Fatal(err)
	}
	s.root = index.NewRoot("modules.example.org", now.AddDate(1, 0, 0), index.NewRole(1, r.Public()), index.NewRole(1, r.Public()), r.Public())
	root, err := s.root.Seal(r)
	if err != nil {
		t.Fatal(err)
	}
	if s.trust, err = index.Begin(root); err != nil {
		t.Fatal(err)
	}
	s.index = index.New(s.root)
	if err := s.index.Add(registry.RefOf(&s.module.Manifest), s.digest); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) publish(t testing.TB, at time.Time, change func(*index.Index) error) layout.Snapshot {
	t.Helper()
	s.index = s.index.Next(s.root, at, 24*time.Hour)
	if change != nil {
		if err := change(s.index); err != nil {
			t.Fatal(err)
		}
	}
	data, err := s.index.Seal(registrytest.Key(t, "r"))
	if err != nil {
		t.Fatal(err)
	}
	return layout.Snapshot{Index: data}
}

func (s *site) accept(t testing.TB, snapshot layout.Snapshot, at time.Time) {
	t.Helper()
	next, err := s.trust.Update(snapshot, at)
	if err != nil {
		t.Fatal(err)
	}
	s.trust = next
}

func (s *site) judge(t testing.TB, at time.Time) policy.Judged {
	t.Helper()
	j, err := policy.Judge(context.Background(), s.layout, s.digest, registry.Shared, s.policy, s.trust.Index(), at)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestH29SoundPackage(t *testing.T) {
	s := newSite(t)
	s.accept(t, s.publish(t, now, nil), now)
	if j := s.judge(t, now); !j.Verdict.Allow || len(j.Skipped) != 0 {
		t.Errorf("%+v", j)
	}
}

func TestH29ExpiredIndex(t *testing.T) {
	s := newSite(t)
	old := s.publish(t, now, nil)
	s.accept(t, old, now)
	later := now.Add(25 * time.Hour)
	if _, err := s.trust.Update(old, later); !errors.Is(err, registry.ErrUntrusted) || !strings.Contains(err.Error(), "freeze") {
		t.Errorf("the same index again: %v", err)
	}
	if j := s.judge(t, later); j.Verdict.Allow || !has(j.Verdict, policy.CodeIndexExpired) {
		t.Errorf("with an index that has expired: %+v", j.Verdict)
	}
}

func TestH29RolledBackIndex(t *testing.T) {
	s := newSite(t)
	ref := registry.RefOf(&s.module.Manifest)
	before := s.publish(t, now, nil)
	s.accept(t, s.publish(t, now, func(x *index.Index) error { return x.Revoke(ref, index.Note{Reason: "stolen key", At: now}) }), now)
	if _, err := s.trust.Update(before, now); !errors.Is(err, registry.ErrUntrusted) || !strings.Contains(err.Error(), "rollback") {
		t.Errorf("the index before the revocation: %v", err)
	}
	data, err := s.trust.Encode() // nor after a restart
	if err != nil {
		t.Fatal(err)
	}
	if s.trust, err = index.Decode(data); err != nil {
		t.Fatal(err)
	}
	if _, err := s.trust.Update(before, now); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("after a restart: %v", err)
	}
	if j := s.judge(t, now); j.Verdict.Allow {
		t.Error("a revoked version is allowed")
	}
}

// Revoked: it is not installed, and what runs is told to stop from facts alone, without reading the artifact again.
func TestH29Revoked(t *testing.T) {
	s := newSite(t)
	ref := registry.RefOf(&s.module.Manifest)
	s.accept(t, s.publish(t, now, nil), now)
	running := s.judge(t, now).Facts
	running.Running = true
	if v := policy.Decide(s.policy, running.Under(s.trust.Index()), now); !v.Allow || v.Stop {
		t.Errorf("before: %+v", v)
	}
	s.accept(t, s.publish(t, now, func(x *index.Index) error {
		return x.Revoke(ref, index.Note{Reason: "stolen key", Replacement: "acme/x:1.0.1", At: now})
	}), now)
	v := policy.Decide(s.policy, running.Under(s.trust.Index()), now)
	if v.Allow || !v.Stop || !strings.Contains(v.Err().Error(), "stolen key (use acme/x:1.0.1)") {
		t.Errorf("after: %+v", v)
	}
	if v := policy.Decide(policy.LocalOnly(), running.Under(s.trust.Index()), now); v.Allow || !v.Stop {
		t.Errorf("where nothing needs a signature: %+v", v)
	}
	// The same content under a name of one's own is revoked too: digests are looked at, not only names.
	renamed := running.Under(s.trust.Index())
	renamed.Ref.Name = "y"
	if v := policy.Decide(policy.LocalOnly(), renamed.Under(s.trust.Index()), now); v.Allow {
		t.Errorf("under another name: %+v", v)
	}
}

// Bravo's key signs a module of acme, and a publisher that only looks like acme.
func TestH29WrongPublisher(t *testing.T) {
	ctx := context.Background()
	s := newSite(t)
	b := registrytest.Key(t, "b")
	for ref, want := range map[string]policy.Code{"acme/z:1.0.0": policy.CodeNotOwner, "acme-tools/z:1.0.0": policy.CodeNotOwner, "t-7/z:1.0.0": policy.CodeForeignTenant} {
		m := registrytest.Module(t, ref, "")
		into := s.layout
		if m.Manifest.Publisher == "t-7" {
			into = s.layout.In(7)
		}
		d, err := into.Push(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := into.Attach(ctx, d, layout.TypeSignature, registrytest.Release(t, m, d, b)); err != nil {
			t.Fatal(err)
		}
		j, err := policy.Judge(ctx, into, d, registry.Shared, s.policy, nil, now)
		if err != nil || j.Verdict.Allow || !has(j.Verdict, want) {
			t.Errorf("%s: %+v, %v", ref, j.Verdict, err)
		}
	}
}

// A signature of another version, other content or another statement, hung on to an artifact, vouches for nothing.
func TestH29SignatureForOtherDigest(t *testing.T) {
	ctx := context.Background()
	a := registrytest.Key(t, "a")
	s := newSite(t)
	evil := registrytest.Module(t, "acme/x:6.6.6", "evil")
	d, err := s.layout.Push(ctx, evil)
	if err != nil {
		t.Fatal(err)
	}
	good := registrytest.Release(t, s.module, s.digest, a)
	e, err := sign.Decode(good)
	if err != nil {
		t.Fatal(err)
	}
	rewritten := e
	rewritten.Payload = []byte(strings.ReplaceAll(string(e.Payload), strings.TrimPrefix(string(s.digest), "sha256:"), strings.TrimPrefix(string(d), "sha256:")))
	retyped := e
	retyped.PayloadType = index.TypeIndex
	for _, envelope := range [][]byte{good, registrytest.Encode(t, rewritten), registrytest.Encode(t, retyped), registrytest.Release(t, evil, d, registrytest.Key(t, "z"))} {
		if _, err := s.layout.Attach(ctx, d, layout.TypeSignature, envelope); err != nil {
			t.Fatal(err)
		}
	}
	j, err := policy.Judge(ctx, s.layout, d, registry.Shared, s.policy, nil, now)
	if err != nil || j.Verdict.Allow || !has(j.Verdict, policy.CodeUnsigned) || !has(j.Verdict, policy.CodeOtherArtifact) || len(j.Skipped) != 3 {
		t.Errorf("%+v, skipped %v, %v", j.Verdict, j.Skipped, err)
	}
}

// A mirror that does not copy referrers delivers modules that nobody vouches for.
func TestH29MissingReferrersAfterMirror(t *testing.T) {
	ctx := context.Background()
	s := newSite(t)
	s.accept(t, s.publish(t, now, nil), now)
	image, err := s.layout.Image(ctx, s.digest)
	if err != nil {
		t.Fatal(err)
	}
	mirror := open(t)
	if _, err := mirror.Add(ctx, image, s.layout.Fetch()); err != nil {
		t.Fatal(err)
	}
	j, err := policy.Judge(ctx, mirror, s.digest, registry.Shared, s.policy, s.trust.Index(), now)
	if err != nil || j.Verdict.Allow || !has(j.Verdict, policy.CodeUnsigned) {
		t.Errorf("%+v, %v", j.Verdict, err)
	}
	var file bytes.Buffer
	if err := bundle.Export(ctx, &file, mirror, []registry.Digest{s.digest}, s.trust); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(ctx, &file, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	into := open(t)
	if _, err := b.Import(ctx, bundle.Site{Into: into, Policy: s.policy, Trust: s.trust, Now: now}); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("in a bundle: %v", err)
	}
	h := httptest.NewServer(gcr.New(gcr.Logger(log.New(io.Discard, "", 0)), gcr.WithReferrersSupport(true)))
	defer h.Close()
	r, err := remote.Open(remote.Config{Host: strings.TrimPrefix(h.URL, "http://"), PlainHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Push(ctx, mirror, s.digest); err != nil {
		t.Fatal(err)
	}
	admit := policy.Admit(s.policy, registry.Shared, s.trust.Index(), func() time.Time { return now })
	if _, err := r.Pull(ctx, r.Reference(registry.RefOf(&s.module.Manifest)), into, admit); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("pulled from it: %v", err)
	}
	// What is in the layout already is no shortcut.
	if _, err := into.Add(ctx, image, s.layout.Fetch()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Pull(ctx, r.Reference(registry.RefOf(&s.module.Manifest)), into, admit); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("pulled though it is there: %v", err)
	}
}
