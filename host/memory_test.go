package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/table"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// ofAcme is a shipped module that remembers, under another publisher, with its manifest changed.
func ofAcme(t *testing.T, changes ...string) registry.Artifact {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range []string{"module.yaml", "rule.yaml"} {
		text, err := os.ReadFile("../modules/rules/first_admin_logon/" + name)
		if err != nil {
			t.Fatal(err)
		}
		r := strings.NewReplacer(append([]string{"publisher: vedette", "publisher: acme", "id: first-admin-logon", "id: acme-first-admin-logon"}, changes...)...)
		files[name] = &fstest.MapFile{Data: []byte(r.Replace(string(text)))}
	}
	wasm, err := os.ReadFile("../modules/dist/first_admin_logon.wasm")
	if err != nil {
		t.Fatal(err)
	}
	p, err := manifest.ReadFolder("acme", fs.FS(files), wasm)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const sudoSpec = "framing: none\nprefix: sudo\nset: {event.dataset: acme.sudo, event.provider: Microsoft-Windows-Security-Auditing, event.code: \"4672\", host.name: web}\n" +
	"templates:\n  - \"sudo {user.name:word}\"\n"

// Who installs a version is told what becomes of what its rules knew, and so is who goes back.
func TestInstallTellsOfState(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	if _, err := (apiModules{h}).InstallSpec(t.Context(), api.Spec{Tenant: 1, Name: "acme-sudo", Text: []byte(sudoSpec), Samples: [][]byte{[]byte("sudo ann")}}); err != nil {
		t.Fatal(err)
	}
	install := func(state, warning string, changes ...string) {
		t.Helper()
		p := ofAcme(t, changes...)
		done, err := h.Install(t.Context(), Candidate{Package: layout.Bare(p), Tenant: 1, Who: "ann", Approver: true, Grants: p.Manifest.Asks()})
		if err != nil || done.Cases == 0 || strings.Join(done.State, "; ") != state || strings.Join(done.Warnings, "; ") != warning {
			t.Errorf("%q: %+v, %v", changes, done, err)
		}
	}
	install("", "")
	put(t, h, 1, []byte("sudo ann"), []byte("sudo bob"))
	install("acme/first-admin-logon: 4 keys shared with the version before", "", "version: 1.1.0", "version: 1.2.0")
	dropped := "acme/first-admin-logon: what it remembered is dropped: 4 keys of state 1, and it keeps state 2; they are set aside while the version is on probation"
	install("", dropped, "version: 1.1.0", "version: 2.0.0", "state: {version: 1}", "state: {version: 2}")
	put(t, h, 1, []byte("sudo eve"))
	if _, err := h.Rollback(t.Context(), 1, "acme/first-admin-logon", "ann"); err != nil {
		t.Fatal(err)
	}
	var got string
	for seq := h.queue.Last(); seq > 0 && got == ""; seq-- { // ticks may have come after it
		got = strings.Trim(fmt.Sprint(h.pipeline.Carried(seq)), "[]")
	}
	if !strings.Contains(got, "4 keys of state 1 are back, without what came in the last") {
		t.Errorf("back: %s", got)
	}
	for _, c := range []struct {
		version string
		atLeast int
		state   string
	}{{"1.0.0", 5, ""}, {"1.1.0", 5, "rule link-storm: 1 key kept"}, {"1.2.0", 50, "rule link-storm: 0 keys kept, 1 key dropped"}} {
		done, err := h.Install(t.Context(), Candidate{Package: layout.Bare(linkRule(t, c.version, c.atLeast)), Tenant: 2, Who: "ann"})
		if err != nil || strings.Join(done.State, "; ") != c.state {
			t.Errorf("link-storm %s: %+v, %v", c.version, done, err)
		}
		if c.state == "" {
			if _, err := (apiModules{h}).InstallSpec(t.Context(), api.Spec{Tenant: 2, Name: "acme-link", Text: []byte(linkSpec), Samples: samplesOf(3)}); err != nil {
				t.Fatal(err)
			}
			put(t, h, 2, samplesOf(3)...)
		}
	}
}

// Who installs a version that cannot migrate what is there is told that it was refused, and why.
func TestInstallCannotMigrate(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	var done Installed
	err := h.carried(t.Context(), []pipeline.Carried{
		{Rule: "acme/b", How: manifest.Migrated, From: 1, To: 2, Organizations: 3, Kept: 7},
		{Rule: "acme/b", How: manifest.Migrated, From: 1, To: 2, Organizations: 1, Dropped: 2, Failed: "E_TRAP: a curse lies on it"},
	}, &done)
	if !errors.Is(err, storage.ErrInvalid) || !containsAll(err, []string{"2 keys kept as state 1 could not be migrated", "is rolled back", "a curse lies on it"}) {
		t.Errorf("%v", err)
	}
}

// A rule that looks back knows what was stored before it was there, and reports nothing of it.
func TestInstallLooksBack(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	if _, err := (apiModules{h}).InstallSpec(t.Context(), api.Spec{Tenant: 1, Name: "acme-sudo", Text: []byte(sudoSpec), Samples: [][]byte{[]byte("sudo ann")}}); err != nil {
		t.Fatal(err)
	}
	put(t, h, 1, []byte("sudo ann"), []byte("sudo bob"), []byte("sudo bob"))
	for _, c := range []struct{ version, line, state string }{
		{"1.0.0", "sudo ann", ""}, // when its first event comes, it looks back
		{"1.1.0", "sudo eve", "acme/first-admin-logon: 4 keys shared with the version before"},
		{"1.2.0", "sudo eve", "acme/first-admin-logon: 5 keys shared with the version before"},
	} {
		p := ofAcme(t, "version: 1.0.0", "version: "+c.version, "state: {version: 1}", "state: {version: 1, look_back: 2h}")
		done, err := h.Install(t.Context(), Candidate{Package: layout.Bare(p), Tenant: 1, Who: "ann", Approver: true, Grants: p.Manifest.Asks()})
		if err != nil || strings.Join(done.State, "; ") != c.state {
			t.Errorf("%s: %+v, %v", c.version, done, err)
		}
		put(t, h, 1, []byte(c.line))
	}
}

// Settings are checked against the schema and by the module's own code, at installation and later, and change live.
func TestSettings(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	text, err := os.ReadFile("../modules/monitors/httpcheck/module.yaml")
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := os.ReadFile("../modules/dist/httpcheck.wasm")
	if err != nil {
		t.Fatal(err)
	}
	lenient := strings.NewReplacer("publisher: vedette", "publisher: acme", `pattern: "^/", `, "", `vectors: ["testdata/*.txtar"]`, "").Replace(string(text))
	p, err := manifest.ReadFolder("acme", fstest.MapFS{"module.yaml": {Data: []byte(lenient)}}, wasm)
	if err != nil {
		t.Fatal(err)
	}
	c := Candidate{Package: layout.Bare(p), Who: "root", Approver: true, Grants: p.Manifest.Asks()}
	const name = "acme/httpcheck"
	refused := map[string]string{
		`{"max_ms": "fast"}`: "refused at the settings: settings: at '/max_ms': got string, want integer",
		`{"max_ms": 20000}`:  "refused at the settings: settings: at '/max_ms': maximum: got 20,000, want 10,000",
		`{"unheard": 1}`:     "additional properties 'unheard' not allowed",
		`{"path": "health"}`: `E_SETTINGS: path: want it to begin with "/"`, // the schema would let it pass
		`{"path": "/"} {}`:   "refused at the settings",
	}
	for text, says := range refused {
		bad := c
		bad.Settings = text
		if _, err := h.Install(t.Context(), bad); !errors.Is(err, storage.ErrInvalid) || !containsAll(err, []string{says}) {
			t.Errorf("install with %s: %v, want %q", text, err, says)
		}
	}
	if _, err := h.SetSettings(t.Context(), storage.NoTenant, name, "{}", "root"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("of what does not run: %v", err)
	}
	if _, err := h.Install(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for text, says := range refused {
		if _, err := h.SetSettings(t.Context(), storage.NoTenant, name, text, "root"); !errors.Is(err, storage.ErrInvalid) || !containsAll(err, []string{says}) {
			t.Errorf("change to %s: %v, want %q", text, err, says)
		}
	}
	slot := func(of storage.Tenant) module.Slot { return h.pipeline.Generation().Running.Layer(of).Slots[name] }
	before := slot(storage.NoTenant).Current
	done, err := h.SetSettings(t.Context(), storage.NoTenant, name, `{"path": "/health"}`, "ann")
	if now := slot(storage.NoTenant); err != nil || done.Waiting != 0 || now.Current.Settings != `{"path":"/health"}` || now.Current.Digest != before.Digest || now.Current.Seq <= before.Seq || len(now.Current.Grants) != len(before.Grants) {
		t.Errorf("changed: %+v, %v; %+v", done, err, now)
	}
	if _, err := h.SetSettings(t.Context(), 1, name, `{"path": "/one"}`, "bob"); err != nil || slot(1).Current.Settings != `{"path":"/one"}` || slot(storage.NoTenant).Current.Settings != `{"path":"/health"}` {
		t.Errorf("of one organization: %v; %+v", err, slot(1))
	}
	if back, err := h.Rollback(t.Context(), storage.NoTenant, name, "ann"); err != nil || back.Settings != before.Settings {
		t.Errorf("back: %+v, %v", back, err)
	}
	if err := h.Control(t.Context(), module.Control{Kind: module.Disable, Name: name, Who: "ann"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.SetSettings(t.Context(), storage.NoTenant, name, `{"path": "/health"}`, "ann"); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("of what is switched off: %v", err)
	}
}

// Each table that a module asks for is granted by its name, and has to be there.
func TestInstallGrantsTables(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	looks := []string{"capabilities:", "capabilities:\n  - {id: vedette_set_v1, reason: Jump hosts., targets: [{name: jump-hosts}]}"}
	p := ofAcme(t, looks...)
	c := Candidate{Package: layout.Bare(p), Tenant: 1, Who: "ann", Approver: true, Grants: []string{"vedette_kv_v1", "vedette_window_v1", "vedette_set_v1"}}
	if done, err := h.Install(t.Context(), c); err != nil || strings.Join(done.Missing, " ") != "vedette_set_v1:jump-hosts" {
		t.Fatalf("without its table granted: %+v, %v", done, err)
	}
	c.Grants = p.Manifest.Asks()
	if _, err := h.Install(t.Context(), c); err == nil || !strings.Contains(err.Error(), `uses the table "jump-hosts", which organization 1 does not have (vedette table put jump-hosts)`) {
		t.Fatalf("without the table: %v", err)
	}
	x, err := index.New(index.NoCase, []string{"host"}, [][]string{{"jump-1"}})
	if err != nil {
		t.Fatal(err)
	}
	content, digest, err := table.Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	put := func(ctx context.Context, of storage.Tenant) error {
		if err := h.db.PutTableContent(ctx, of, digest, content, time.Now()); err != nil {
			return err
		}
		return h.Control(ctx, module.Control{Kind: module.SetTable, Tenant: of, Name: "jump-hosts", Who: "ann", Table: &module.Table{
			Name: "jump-hosts", Digest: digest, Kind: x.Kind(), Columns: x.Columns(), Rows: x.Len(), Bytes: len(content),
		}})
	}
	if err := put(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Install(t.Context(), c); err == nil {
		t.Error("another organization's table will do")
	}
	if err := put(t.Context(), storage.NoTenant); err != nil {
		t.Fatal(err)
	}
	if done, err := h.Install(t.Context(), c); err != nil || len(done.Missing) > 0 || strings.Join(done.Install.Grants, " ") != "vedette_set_v1:jump-hosts vedette_kv_v1 vedette_window_v1" {
		t.Errorf("with its table: %+v, %v", done, err)
	}
}
