package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/bundle"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"github.com/vedette-siem/vedette/registry/server"
	"github.com/vedette-siem/vedette/storage"
)

// checkpointed lets log time pass until the host knows what a start would need.
func checkpointed(t *testing.T, h *Host) {
	t.Helper()
	for at := time.Now().Add(2 * time.Second); ; at = at.Add(2 * time.Second) {
		err := h.queue.Put(t.Context(), 2, queue.Source{Listener: "test"}, []queue.Raw{{Bytes: []byte("time passes"), Received: at.UnixNano()}})
		if err == nil {
			err = h.pipeline.Wait(t.Context(), h.queue.Last())
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, known := h.pipeline.Past(); known {
			return
		}
	}
}

// Evidence of an old incident can be parsed again after all that nobody needs is gone.
func TestCollect(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), CheckpointEvery: time.Second, Organizations: []OrganizationConfig{{Slug: "one", Name: "One"}, {Slug: "two", Name: "Two"}}}
	h, stop := begin(t, cfg)
	if _, err := (apiRegistry{h}).Collect(t.Context(), true); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("before a checkpoint: %v", err)
	}
	versions := module.MaxVersionsKept + keptVersions + 4
	spec := func(n int) {
		t.Helper()
		if _, err := (apiModules{h}).InstallSpec(t.Context(), api.Spec{Tenant: 1, Name: "acme-link", Version: fmt.Sprintf("1.%d.0", n), Text: []byte(linkSpec), Samples: samplesOf(3), Who: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	spec(0)
	old := parsed(t, h, 1, linkLine)
	for n := 1; n < versions; n++ {
		spec(n)
	}
	waits := layout.Bare(linkRule(t, "0.0.1", 5))
	if _, err := h.packages.In(2).AddPackage(t.Context(), waits); err != nil {
		t.Fatal(err)
	}
	stop()
	h, stop = begin(t, cfg)
	defer stop()
	checkpointed(t, h)

	tags := func() []string {
		t.Helper()
		list, err := h.packages.In(1).Tags(t.Context(), "local/acme-link")
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(list)
		return list
	}
	before := tags()
	told, err := apiRegistry{h}.Collect(t.Context(), true)
	if err != nil || len(told.Packages) != versions-1-1-module.MaxVersionsKept || told.Blobs != 0 || !slices.Equal(tags(), before) {
		t.Fatalf("a dry run: %+v, %v", told, err)
	}
	done, err := apiRegistry{h}.Collect(t.Context(), false)
	if err != nil || !slices.Equal(done.Packages, told.Packages) || done.Blobs == 0 || done.Bytes == 0 {
		t.Fatalf("collect: %+v, %v", done, err)
	}
	if left := tags(); len(left) != len(before)-len(done.Packages) || !slices.Contains(left, "1.0.0") || slices.Contains(left, "1.1.0") {
		t.Errorf("left are %q", left)
	}
	if _, err := h.packages.Pull(t.Context(), 2, waits.Digest); err != nil {
		t.Errorf("what was only pushed is gone: %v", err)
	}
	r, err := h.Reread(t.Context(), storedAs(old))
	if err != nil || r.Parser != "local/acme-link 1.0.0" || len(r.Tried.Events) != 1 || r.Tried.Events[0].Get("event.action") != old.Get("event.action") {
		t.Errorf("parsed again: %+v, %v", r, err)
	}
	// What is gone is not taken for something else when its number is used again.
	if _, err := (apiModules{h}).InstallSpec(t.Context(), api.Spec{Tenant: 1, Name: "acme-link", Version: "1.1.0", Text: []byte(strings.ReplaceAll(linkSpec, "link-down", "down")), Samples: samplesOf(3)}); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("other content under a version that was collected: %v", err)
	}
}

func TestKeepAllCollectsNothing(t *testing.T) {
	t.Parallel()
	h := installer(t, func(c *Config) { c.Queue.KeepAll = true })
	if _, err := (apiRegistry{h}).Collect(t.Context(), true); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("collect: %v", err)
	}
}

// With an organization its modules go, once no start would need them.
func TestForgottenNamespace(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), CheckpointEvery: time.Second, Organizations: []OrganizationConfig{{Slug: "one", Name: "One"}, {Slug: "two", Name: "Two"}}}
	h, stop := begin(t, cfg)
	done := install(t, h, Candidate{Package: layout.Bare(linkRule(t, "1.0.0", 5)), Tenant: 1})
	checkpointed(t, h)
	if err := h.Control(t.Context(), module.Control{Kind: module.Forget, Tenant: 1, Who: "root"}); err != nil {
		t.Fatal(err)
	}
	if err := h.forgetNamespaces(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.packages.Pull(t.Context(), 1, registry.Digest(done.Install.Digest)); err != nil {
		t.Errorf("a start would still run it, and it is gone: %v", err)
	}
	stop()
	h, stop = begin(t, cfg)
	defer stop()
	checkpointed(t, h)
	if err := h.forgetNamespaces(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.packages.Pull(t.Context(), 1, registry.Digest(done.Install.Digest)); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
}

// remoteSite serves a registry over HTTP with a signed index.
func remoteSite(t *testing.T, packages *layout.Layout) string {
	t.Helper()
	s, err := server.New(server.Config{
		Layout: packages, Dir: filepath.Join(t.TempDir(), "uploads"), Now: time.Now, Random: strings.NewReader(""),
		Authorize: authorizeAll,
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return web.URL
}

// A reference leads to the remote registry when nothing of the name is here, by its version and by what the signed index
// says, and what is not trusted is not even kept.
func TestInstallFromRemote(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now()
	far, err := layout.Open(filepath.Join(dir, "far"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, now)
	add := func(p layout.Package) registry.Ref {
		t.Helper()
		if _, err := far.AddPackage(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		ref := registry.RefOf(&p.Artifact.Manifest)
		if err := far.PutSnapshot(t.Context(), s.next(now, time.Hour, func(x *index.Index) error { return x.Add(ref, p.Digest) })); err != nil {
			t.Fatal(err)
		}
		return ref
	}
	good := signed(t, linkRule(t, "1.0.0", 5), registrytest.Key(t, "a"))
	add(good)
	add(signed(t, linkRule(t, "1.1.0", 6), registrytest.Key(t, "a")))
	bad := add(signed(t, linkRule(t, "2.0.0", 7), registrytest.Key(t, "b")))
	for name, text := range map[string]string{"root.json": string(s.roots[0]), "policy.yaml": policyOf(t, "a", ", index: required")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := installer(t, func(c *Config) {
		c.Modules.TrustPolicy = filepath.Join(dir, "policy.yaml")
		c.Modules.Registry = RegistryConfig{URL: remoteSite(t, far), Root: filepath.Join(dir, "root.json")}
	})
	if err := h.trust.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		reference, version string
		is                 error
	}{
		{"local/link-storm:1.0.0", "1.0.0", nil},
		{"local/link-storm:~1.1", "1.1.0", nil},
		{bad.String(), "", registry.ErrUntrusted},
		{"local/link-storm:3.0.0", "", registry.ErrNotFound},
		{"local/link-storm:^4", "", registry.ErrNotFound},
		{"local", "", registry.ErrInvalid},
	} {
		done, err := (apiModules{h}).Install(t.Context(), api.Candidate{Tenant: 1, Reference: c.reference, Who: "ann"})
		if c.is != nil {
			if !errors.Is(err, c.is) {
				t.Errorf("%s: %v", c.reference, err)
			}
			continue
		}
		if err != nil || !slices.Equal(done.Trust.Signers, []string{"a"}) {
			t.Errorf("%s: %+v, %v", c.reference, done, err)
		}
		p, err := h.packages.Pull(t.Context(), 1, registry.Digest(h.pipeline.Generation().Running.Layer(1).Slots["local/link-storm"].Current.Digest))
		if err != nil || p.Manifest.Version != c.version {
			t.Errorf("%s: %s runs, %v", c.reference, p.Manifest.Version, err)
		}
	}
	if _, err := h.packages.In(1).Resolve(t.Context(), bad); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("what is not trusted is kept: %v", err)
	}
	if _, err := h.packages.In(2).Resolve(t.Context(), registry.RefOf(&good.Artifact.Manifest)); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("another organization has it too: %v", err)
	}
}

// What one host exports another one takes without a network, with the index that says what is revoked.
func TestExportImport(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newSite(t, now)
	from, to := installer(t, func(*Config) {}), installer(t, func(*Config) {})
	p := signed(t, linkRule(t, "1.0.0", 5), registrytest.Key(t, "a"))
	d, err := from.packages.AddPackage(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	ref := registry.RefOf(&p.Artifact.Manifest)
	if err := from.trust.Accept(t.Context(), s.next(now, time.Hour, func(x *index.Index) error { return x.Add(ref, d) })); err != nil {
		t.Fatal(err)
	}
	var tar bytes.Buffer
	if err := bundle.Export(t.Context(), &tar, from.packages.Layout, []registry.Digest{d}, from.trust.Known()); err != nil {
		t.Fatal(err)
	}
	list, err := apiRegistry{to}.Import(t.Context(), storage.NoTenant, bytes.NewReader(tar.Bytes()))
	if err != nil || len(list) != 1 || list[0].Digest != d || to.trust.Known().Index().Version != s.index.Version {
		t.Fatalf("import: %+v, %v", list, err)
	}
	install(t, to, Candidate{Package: p})
	if err := from.trust.Accept(t.Context(), s.next(now, time.Hour, func(x *index.Index) error {
		return x.Revoke(ref, index.Note{Reason: "it leaks", At: now.UTC().Truncate(time.Second)})
	})); err != nil {
		t.Fatal(err)
	}
	tar.Reset()
	if err := bundle.Export(t.Context(), &tar, from.packages.Layout, nil, from.trust.Known()); err != nil {
		t.Fatal(err)
	}
	if _, err := (apiRegistry{to}).Import(t.Context(), storage.NoTenant, &tar); err != nil {
		t.Fatal(err)
	}
	changes, err := to.trust.Review(context.Background(), to.pipeline.Generation().Running)
	if err != nil || len(changes) != 1 || changes[0].Kind != module.Suspend || !strings.Contains(changes[0].Reason, "it leaks") {
		t.Errorf("after the import: %+v, %v", changes, err)
	}
	files, err := os.ReadDir(filepath.Join(to.cfg.DataDir, "imports"))
	if err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func authorizeAll(*http.Request) (server.Access, error) {
	all := func(registry.Namespace) bool { return true }
	return server.Access{Reads: all}, nil
}
