package host

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// installer starts what an installation needs of a host, without sockets and shipped modules.
func installer(t testing.TB, change func(*Config)) *Host {
	t.Helper()
	cfg := Config{DataDir: t.TempDir(), Organizations: []OrganizationConfig{{Slug: "one", Name: "One"}, {Slug: "two", Name: "Two"}}}
	change(&cfg)
	h, stop := begin(t, cfg)
	t.Cleanup(stop)
	return h
}

// begin is installer for a host that the test ends.
func begin(t testing.TB, cfg Config) (h *Host, stop func()) {
	t.Helper()
	cfg, err := cfg.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	h = &Host{cfg: cfg, started: time.Now(), log: slog.New(slog.DiscardHandler), lines: newModuleLog(), wake: make(chan struct{}, 1), shipped: sync.OnceValue(shippedDigests)}
	for _, open := range []func(context.Context) error{h.openQueue, h.openMeta, h.openModules, h.openStore, h.openPipeline} {
		if err := open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.pipeline.Run(ctx) }()
	return h, func() {
		cancel()
		if err := errors.Join(<-done, h.Close()); err != nil {
			t.Error(err)
		}
	}
}

// scaffold makes a module of the scaffold and builds it; change edits its files.
func scaffold(t *testing.T, kind manifest.Kind, name string, change map[string][2]string) registry.Artifact {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := author.New(dir, kind); err != nil {
		t.Fatal(err)
	}
	for file, swap := range change {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), swap[0]) {
			t.Fatalf("%s has no %q", file, swap[0])
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(strings.Replace(string(text), swap[0], swap[1], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := author.Build(t.Context(), dir, author.StandardGo)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// parsed puts a line and returns the generation and dataset under which it was read.
func parsed(t *testing.T, h *Host, tenant storage.Tenant, line string) *storage.Event {
	t.Helper()
	tail := h.pipeline.Tails.Follow(storage.Principal{User: "t", Role: storage.RoleAnalyst, Tenants: []storage.Tenant{tenant}})
	defer tail.Close()
	if err := h.queue.Put(t.Context(), tenant, queue.Source{Listener: "test", Peer: "192.0.2.1"}, []queue.Raw{{Bytes: []byte(line), Received: h.started.UnixNano()}}); err != nil {
		t.Fatal(err)
	}
	if err := h.pipeline.Wait(t.Context(), h.queue.Last()); err != nil {
		t.Fatal(err)
	}
	return &(<-tail.C)[0]
}

const line = "door=north badge=ada result=open"

func TestInstall(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	good := scaffold(t, manifest.Parser, "doors", nil)
	done, err := h.Install(t.Context(), Candidate{Package: layout.Bare(good), Who: "ann"})
	if err != nil || done.Cases != 3 || done.Install.Who != "ann" || done.Replaced != "" || len(done.Imports) == 0 {
		t.Fatalf("Install = %+v, %v", done, err)
	}
	if e := parsed(t, h, 1, line); e.Stream != "doors.log" {
		t.Fatalf("read as %s", e.Stream)
	}
	unknown := scaffold(t, manifest.Parser, "doors", map[string][2]string{
		"main.go":     {"func main() {}", "func main() {}\n\n//go:wasmimport vedette_core_v1 exec\nfunc run(uint32)\n\nfunc init() { if len(hidden) > 9 { run(1) } }\n\nvar hidden []byte"},
		"module.yaml": {"0.1.0", "0.2.0"},
	})
	endless := scaffold(t, manifest.Parser, "doors", map[string][2]string{
		"main.go": {"func init() {", "func init() { for n := 0; ; n++ { if n < 0 { break } }; "}, "module.yaml": {"0.1.0", "0.3.0"},
	})
	wrong := scaffold(t, manifest.Parser, "doors", map[string][2]string{
		"main.go": {"ecs.UserName", "ecs.UserID"}, "module.yaml": {"0.1.0", "0.4.0"},
	})
	posing := scaffold(t, manifest.Rule, "fortigate", map[string][2]string{"module.yaml": {"publisher: local", "publisher: vedette"}})
	forged := good
	forged.Manifest.Title = "Another"
	same := scaffold(t, manifest.Parser, "doors", map[string][2]string{"module.yaml": {"Door controller", "Gate controller"}})
	for _, c := range []struct {
		name string
		c    Candidate
		is   error
		says []string
	}{
		{"a manifest that the package does not have", Candidate{Package: layout.Bare(forged)}, storage.ErrInvalid, []string{"at the package"}},
		{"the name of what ships, for one organization", Candidate{Package: layout.Bare(posing), Tenant: 1}, storage.ErrForbidden, []string{"at the publisher", "a name of your own"}},
		{"the name of what ships, for all", Candidate{Package: layout.Bare(posing)}, storage.ErrForbidden, []string{"at the publisher"}},
		{"settings for a module that has none", Candidate{Package: layout.Bare(good), Settings: `{"a":1}`}, storage.ErrInvalid, []string{"at the settings"}},
		{"an unknown import", Candidate{Package: layout.Bare(unknown)}, storage.ErrInvalid, []string{"E_IMPORT", "vedette_core_v1.exec (unknown)"}},
		{"a start that does not end", Candidate{Package: layout.Bare(endless)}, storage.ErrInvalid, []string{"at the static checks", "E_FUEL"}},
		{"cases that fail", Candidate{Package: layout.Bare(wrong)}, storage.ErrInvalid, []string{"at its own tests", "testdata/doors.txtar", "user.id"}},
		{"other content of a version", Candidate{Package: layout.Bare(same)}, storage.ErrConflict, []string{"at the registry", "another number"}},
	} {
		if _, err := h.Install(t.Context(), c.c); !errors.Is(err, c.is) || !containsAll(err, c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
	if e := parsed(t, h, 2, line); e.Stream != "doors.log" || e.Get(storage.FieldDigest) != registry.Digest(done.Install.Digest).Short() {
		t.Errorf("after the refusals it is read as %s by %s", e.Stream, e.Get(storage.FieldDigest))
	}
}

func containsAll(err error, parts []string) bool {
	for _, p := range parts {
		if err == nil || !strings.Contains(err.Error(), p) {
			return false
		}
	}
	return true
}

func TestInstallUnsigned(t *testing.T) {
	t.Parallel()
	h := installer(t, func(c *Config) { c.Modules.RefuseUnsigned = true })
	p := scaffold(t, manifest.Rule, "refused", nil)
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(p)}); !errors.Is(err, storage.ErrForbidden) || !containsAll(err, []string{"at the signature", "refuse_unsigned"}) {
		t.Errorf("an unsigned module: %v", err)
	}
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(p), Shipped: true}); err != nil {
		t.Errorf("a shipped module: %v", err)
	}
}

// A capability is there when somebody granted it who may, and only then; what was not asked for is not granted, and what
// asks for more waits.
func TestInstallGrants(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	admin := storage.Principal{User: "root", Role: storage.RoleAdmin, Tenants: []storage.Tenant{1, 2}}
	runs := func() module.Install { return h.pipeline.Generation().Running.Layer(1).Slots["local/probe"].Current }
	p := scaffold(t, manifest.Monitor, "probe", nil)
	asked := Candidate{Package: layout.Bare(p), Tenant: 1, Who: "ann", Grants: []string{"vedette_http_v1"}}
	done, err := h.Install(t.Context(), asked)
	if err != nil || done.Waiting == 0 || strings.Join(done.Missing, " ") != "vedette_http_v1" || runs().Digest != "" {
		t.Fatalf("asked for by who may not grant: %+v, %v; %+v runs", done, err, runs())
	}
	again, err := h.Install(t.Context(), asked)
	if err != nil || again.Waiting != done.Waiting {
		t.Errorf("asked for again: %+v, %v", again, err)
	}
	if _, err := h.Approve(t.Context(), admin, done.Waiting, "for the web shop"); err != nil || runs().Who != "ann" || strings.Join(runs().Grants, " ") != "vedette_http_v1" {
		t.Fatalf("approved: %v; %+v runs", err, runs())
	}
	if _, err := h.Approve(t.Context(), admin, done.Waiting, ""); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("approved twice: %v", err)
	}
	next := asked // it has what it asks for: nobody need agree again
	next.Package = layout.Bare(scaffold(t, manifest.Monitor, "probe", map[string][2]string{"module.yaml": {"0.1.0", "0.2.0"}}))
	if done, err := h.Install(t.Context(), next); err != nil || done.Waiting != 0 || strings.Join(done.Install.Grants, " ") != "vedette_http_v1" {
		t.Errorf("the next version: %+v, %v", done, err)
	}
	done, err = h.Install(t.Context(), Candidate{Package: layout.Bare(p), Tenant: 2, Approver: true, Grants: []string{"vedette_http_v1", "vedette_kv_v1"}})
	if err != nil || done.Waiting != 0 || strings.Join(done.Install.Grants, " ") != "vedette_http_v1" {
		t.Errorf("granted at once: %+v, %v", done, err)
	}
	all, err := h.Install(t.Context(), Candidate{Package: layout.Bare(p), Who: "root", Approver: true})
	if err != nil || all.Waiting == 0 {
		t.Fatalf("nothing granted: %+v, %v", all, err)
	}
	if _, err := h.Approve(t.Context(), analyst(1, 2), all.Waiting, ""); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("what is for all, approved by who does not see it: %v", err)
	}
	if err := h.Reject(t.Context(), admin, all.Waiting, "not for all"); err != nil {
		t.Error(err)
	}
}

// The events of a false positive keep later versions of its rule from being installed when they fire on them too.
func TestSavedCase(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(linkRule(t, "1.0.0", 5)), Who: "ann"}); err != nil {
		t.Fatal(err)
	}
	if _, err := (apiModules{h}).InstallSpec(t.Context(), api.Spec{Tenant: 1, Name: "acme-link", Text: []byte(linkSpec), Samples: samplesOf(3)}); err != nil {
		t.Fatal(err)
	}
	put(t, h, 1, samplesOf(8)...)
	page, err := h.db.ListIncidents(t.Context(), analyst(1), meta.IncidentQuery{})
	if err != nil || len(page.Incidents) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	c, err := h.SaveCase(t.Context(), analyst(1), page.Incidents[0].ID, true)
	if err != nil || c.Module != "local/link-storm" || c.Rule != "link-storm" || c.ID == 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := h.SaveCase(t.Context(), analyst(1), page.Incidents[0].ID, true); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("saved twice: %v", err)
	}
	if _, err := h.SaveCase(t.Context(), analyst(2), page.Incidents[0].ID, false); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("saved by another organization: %v", err)
	}
	_, err = h.Install(t.Context(), Candidate{Package: layout.Bare(linkRule(t, "1.1.0", 4)), Who: "ann"})
	if !errors.Is(err, storage.ErrInvalid) || !containsAll(err, []string{"at its saved cases", "ann saved", page.Incidents[0].ID}) {
		t.Errorf("a version that fires again: %v", err)
	}
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(linkRule(t, "1.1.0", 4)), Tenant: 2}); err != nil {
		t.Errorf("an organization's own is bound by its own cases: %v", err)
	}
	if done, err := h.Install(t.Context(), Candidate{Package: layout.Bare(linkRule(t, "1.2.0", 50)), Who: "ann"}); err != nil || done.Cases != 2 {
		t.Errorf("a version that does not: %+v, %v", done, err)
	}
}

// An organization's own version is its own, and it can go back to the shared one.
func TestInstallForOneOrganization(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	shared := scaffold(t, manifest.Parser, "doors", nil)
	own := scaffold(t, manifest.Parser, "doors", map[string][2]string{"module.yaml": {"0.1.0", "0.1.1"}})
	a, err := h.Install(t.Context(), Candidate{Package: layout.Bare(shared), Who: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.Install(t.Context(), Candidate{Package: layout.Bare(own), Tenant: 1, Who: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	reads := func(what string, one, two string) {
		t.Helper()
		for tenant, want := range map[storage.Tenant]string{1: one, 2: two} {
			if got := parsed(t, h, tenant, line).Get(storage.FieldDigest); got != registry.Digest(want).Short() {
				t.Errorf("%s, organization %d is read by %s, want %s", what, tenant, got, want)
			}
		}
	}
	reads("with an own version", b.Install.Digest, a.Install.Digest)
	if err := h.Control(t.Context(), module.Control{Kind: module.Disable, Tenant: 2, Name: "local/doors", Who: "eve"}); err != nil {
		t.Fatal(err)
	}
	if got := parsed(t, h, 2, line).Stream; got != "unparsed" {
		t.Errorf("switched off for organization 2, it is read as %s", got)
	}
	if err := h.Control(t.Context(), module.Control{Kind: module.Enable, Tenant: 2, Name: "local/doors", Who: "eve"}); err != nil {
		t.Fatal(err)
	}
	back, err := h.Rollback(t.Context(), 1, "local/doors", "bob")
	if err != nil || back.Digest != a.Install.Digest {
		t.Errorf("Rollback = %+v, %v", back, err)
	}
	reads("rolled back", a.Install.Digest, a.Install.Digest)
	if _, err := h.Rollback(t.Context(), 1, "local/doors", "bob"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a second rollback: %v", err)
	}
}

// Two modules of a layer cannot have a rule of the same id; an organization's own rule takes the place of the shared one.
func TestInstallRuleConflict(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	first := scaffold(t, manifest.Rule, "refused", nil)
	second := scaffold(t, manifest.Rule, "refused", map[string][2]string{"module.yaml": {"name: refused", "name: other"}})
	if done, err := h.Install(t.Context(), Candidate{Package: layout.Bare(first)}); err != nil || done.Cases != 2 {
		t.Fatalf("Install = %+v, %v", done, err)
	}
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(second)}); !errors.Is(err, storage.ErrConflict) || !containsAll(err, []string{"at what runs already", "local/refused"}) {
		t.Errorf("the same rule again: %v", err)
	}
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(second), Tenant: 1}); err != nil {
		t.Errorf("an organization's own: %v", err)
	}
}

// What ships is installed once, and nobody's decision about it is undone by a later start.
func TestSeedLeavesDecisionsAlone(t *testing.T) {
	t.Parallel()
	in := func(digest, who string) module.Install { return module.Install{Digest: digest, Who: who} }
	for name, c := range map[string]struct {
		slot module.Slot
		want bool
	}{
		"an older shipped version":   {module.Slot{Current: in("old", byVedette)}, false},
		"it runs":                    {module.Slot{Current: in("new", byVedette)}, true},
		"it ran":                     {module.Slot{Current: in("newer", byVedette), Previous: []module.Install{in("new", byVedette)}}, true},
		"somebody's choice":          {module.Slot{Current: in("old", "ann")}, true},
		"rolled back by itself":      {module.Slot{Current: in("old", byVedette), Undone: "new"}, true},
		"switched off by somebody":   {module.Slot{Current: in("old", byVedette), Off: true}, true},
		"suspended, and a new one":   {module.Slot{Current: in("old", byVedette), Off: true, Why: "it failed"}, false},
		"another one rolled back to": {module.Slot{Current: in("old", byVedette), Undone: "older"}, false},
	} {
		if got := settled(c.slot, "new"); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A case is made in memory: what is too large for that is refused, and nothing is cut.
func TestBoundedBuffer(t *testing.T) {
	t.Parallel()
	var b boundedBuffer
	if n, err := b.Write(make([]byte, maxCaseExportBytes)); err != nil || n != maxCaseExportBytes {
		t.Fatal(n, err)
	}
	if _, err := b.Write([]byte{0}); !errors.Is(err, storage.ErrExhausted) || b.kept.Len() != maxCaseExportBytes {
		t.Errorf("one over: %v with %d bytes", err, b.kept.Len())
	}
}
