package conform

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/conformance/abi/guests"
	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// TestShippedModules: every module of the binary conforms, its own cases included.
func TestShippedModules(t *testing.T) {
	all, err := modules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir() + "/cache"
	for _, p := range all {
		t.Run(p.Manifest.Name, func(t *testing.T) {
			rep, err := Modules(t.Context(), ModuleConfig{Package: p, Start: inProcess, OwnCases: func(ctx context.Context) (int, []string, error) {
				o, err := author.Test(ctx, p, cache)
				return o.Cases, o.Failures, err
			}})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := rep.Text(&b, false); err != nil {
				t.Fatal(err)
			}
			t.Log("\n" + b.String())
			if rep.Level < MaxLevel {
				t.Errorf("%s conforms %s", p.Manifest.Reference(), rep.LevelName())
			}
		})
	}
}

// packaged makes a package of a guest.
func packaged(t *testing.T, guest string, kind manifest.Kind) manifest.Package {
	t.Helper()
	wasm, err := guests.Wasm(guest)
	if err != nil {
		t.Fatal(err)
	}
	m := manifest.Manifest{
		Publisher: "suite", Name: strings.ReplaceAll(guest, "_", "-"), Version: "1.0.0", Kind: kind, Title: "A guest of the suite", ABI: "1.0",
		Entry: manifest.Entry{Wasm: true}, Match: &manifest.Match{Generic: true, Signatures: []manifest.Signature{{Priority: 1}}},
	}
	if guest == "fetch" {
		m.Match, m.Schedule, m.Capabilities = nil, &manifest.Schedule{Interval: manifest.Duration(time.Minute)}, []manifest.Capability{{ID: "vedette_http_v1", Reason: "to try", Targets: []manifest.Target{{Name: "web"}}}}
	}
	canonical, err := m.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	if wasm, err = manifest.Embed(wasm, canonical); err != nil {
		t.Fatal(err)
	}
	return manifest.Package{Manifest: m, ManifestBytes: canonical, Wasm: wasm}
}

// TestBrokenModules: a module that breaks a requirement fails it, and those that need what it broke at most besides.
func TestBrokenModules(t *testing.T) {
	for _, c := range []struct {
		guest string
		kind  manifest.Kind
		fails []string // none: it conforms
	}{
		{"calm", manifest.Parser, nil},
		{"many_locals", manifest.Parser, []string{"module-0.01", "module-1.01"}},
		{"import_unknown", manifest.Parser, []string{"module-0.01", "module-0.02", "module-1.01"}},
		{"log_long", manifest.Parser, []string{"module-1.04"}},
		{"start_trap", manifest.Parser, []string{"module-1.01"}},
		{"init_loop", manifest.Parser, []string{"module-1.01"}},
		{"trap_unreachable", manifest.Parser, []string{"module-1.04"}},
		{"short_sighted", manifest.Parser, []string{"module-1.06"}},
		{"chatty", manifest.Parser, []string{"module-2.02"}},
		{"loop_busy", manifest.Parser, []string{"module-3.01"}},
		{"exponential", manifest.Parser, []string{"module-3.01"}},
		{"recursion", manifest.Parser, []string{"module-3.02"}},
		{"never_enough", manifest.Parser, []string{"module-3.03"}},
		{"brittle", manifest.Parser, []string{"module-4.02"}},
		{"placed", manifest.Parser, []string{"module-5.02", "module-5.03"}},
		{"fetch", manifest.Monitor, []string{"module-1.03", "module-1.04", "module-2.01", "module-4.01", "module-5.01"}},
	} {
		t.Run(c.guest, func(t *testing.T) {
			rep, err := Modules(t.Context(), ModuleConfig{Package: packaged(t, c.guest, c.kind), Start: inProcess})
			if err != nil {
				t.Fatal(err)
			}
			var failed []string
			for _, r := range rep.Results {
				if r.Status == Fail {
					failed = append(failed, r.ID)
					t.Logf("%s %s: %s", r.ID, r.Text, r.Detail)
				}
			}
			if strings.Join(failed, " ") != strings.Join(c.fails, " ") {
				t.Errorf("it fails %v, want %v", failed, c.fails)
			}
		})
	}
}

// TestReports: a report says the same in each form.
func TestReports(t *testing.T) {
	rep, err := Modules(t.Context(), ModuleConfig{Package: packaged(t, "brittle", manifest.Parser), Start: inProcess})
	if err != nil {
		t.Fatal(err)
	}
	if rep.LevelName() != "L3" || rep.Failed != 1 || rep.Subject.Digest == "" {
		t.Errorf("level %s, %d fail, digest %q", rep.LevelName(), rep.Failed, rep.Subject.Digest)
	}
	var text, asJSON, junit strings.Builder
	if err := rep.Text(&text, false); err != nil || !strings.Contains(text.String(), "module-4.02") || !strings.Contains(text.String(), "conforms L3") {
		t.Errorf("text: %v\n%s", err, text.String())
	}
	var again Report
	if err := rep.JSON(&asJSON); err != nil || json.Unmarshal([]byte(asJSON.String()), &again) != nil || again.Level != 3 || len(again.Results) != len(rep.Results) {
		t.Errorf("JSON: %v\n%s", err, asJSON.String())
	}
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Failure *struct{} `xml:"failure"`
		} `xml:"testcase"`
	}
	if err := rep.JUnit(&junit); err != nil || xml.Unmarshal([]byte(junit.String()), &suite) != nil || suite.Tests != len(rep.Results) || suite.Failures != 1 {
		t.Errorf("JUnit: %v\n%s", err, junit.String())
	}
}
