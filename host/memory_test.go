package host

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vedette-siem/vedette/host/module"
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

// Who installs a version that keeps its state in another way is told what is lost.
func TestInstallDropsState(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	install := func(want int, changes ...string) {
		t.Helper()
		p := ofAcme(t, changes...)
		done, err := h.Install(t.Context(), Candidate{Package: layout.Bare(p), Tenant: 1, Who: "ann", Approver: true, Grants: p.Manifest.Asks()})
		if err != nil || len(done.Warnings) != want || done.Cases == 0 {
			t.Errorf("%q: %+v, %v", changes, done, err)
		}
		if want > 0 && !strings.Contains(done.Warnings[0], "version 1.1.0 kept it as state 1, 2.0.0 keeps it as state 2") {
			t.Errorf("%q", done.Warnings)
		}
	}
	install(0)
	install(0, "version: 1.0.0", "version: 1.1.0")
	install(1, "version: 1.0.0", "version: 2.0.0", "state: {version: 1}", "state: {version: 2}")
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
