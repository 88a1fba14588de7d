package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// sigmaSource is a folder of Sigma documents, of which one cannot be used and another needs it.
var sigmaSource = map[string]string{
	"win/failed.yml":    "# kept as it is\ntitle: Failed\nname: failed\nauthor: A. Nonymous | friends\nlicense: MIT\nlogsource: {product: windows, service: security}\ndetection: {a: {EventID: 4625}, condition: a}\n",
	"win/dcs.yml":       "title: DCs\nid: dcs\nauthor: B.\nlogsource: {product: windows, service: security}\ndetection: {a: {Computer|expand: '%dcs%'}, condition: a}\n",
	"many.yml":          "title: Many\nid: many\ncorrelation: {type: event_count, rules: [failed], group-by: [User], timespan: 5m, condition: {gte: 5}}\n",
	"filters/test.yaml": "title: Tests\nlogsource: {product: windows}\nfilter: {rules: [failed], a: {User: test}, condition: not a}\n",
	"bad.yml":           "title: Bad\nname: bad\nlogsource: {product: toaster}\ndetection: {a: {b: c}, condition: a}\n",
	"needs-bad.yml":     "title: Needs\nid: needs\ncorrelation: {type: event_count, rules: [bad], timespan: 5m, condition: {gte: 5}}\n",
	"README.md":         "no rule",
}

func TestRuleImportSigma(t *testing.T) {
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "package")
	for name, text := range sigmaSource {
		at := filepath.Join(in, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"rule", "import", "sigma", in, "--name", "theirs", "--out", out, "--license", "DRL-1.1", "--placeholder", "dcs=dc1|dc2"}
	var said, errs bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &said, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	for _, want := range []string{"needs-bad.yml:3:", "mapping ecs has no log source product toaster", "2 rules of 4 files; 2 files stay out"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it says %s\nwant %s", said.String(), want)
		}
	}
	p, err := manifest.ReadFolder("theirs", os.DirFS(out), nil)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := module.RulesOf(&p)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range rules {
		ids = append(ids, r.ID)
	}
	if slices.Sort(ids); !slices.Equal(ids, []string{"dcs", "many"}) {
		t.Errorf("rules %v", ids)
	}
	if text, err := os.ReadFile(filepath.Join(out, "sigma", "win", "failed.yml")); err != nil || string(text) != sigmaSource["win/failed.yml"] {
		t.Errorf("its text is %q: %v", text, err)
	}
	if text, err := os.ReadFile(filepath.Join(out, manifest.DocsName)); err != nil || !strings.Contains(string(text), "| DCs | B. | DRL-1.1 |") {
		t.Errorf("the readme is %s: %v", text, err)
	}
	if code := run(t.Context(), args, strings.NewReader(""), &said, &errs); code == 0 || !strings.Contains(errs.String(), "file exists") {
		t.Errorf("written over: exit %d: %s", code, errs.String())
	}
}
