package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/rule/portable"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// What can be compiled is a package that is installed like any other, or a bare module; what cannot is named.
func TestRuleBuild(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"good.yaml": "kind: pattern\nid: good\nname: Good\nversion: 1.0.0\nseverity: low\nsubs: {a: {where: {a.b: c}}}\nincident: {key: [a.b], title: good}\n",
		"code.yaml": "kind: pattern\nid: coded\nname: Coded\nversion: 1.0.0\nseverity: low\nsubs: {a: {code: true, where: {a.b: c}}}\nincident: {key: [a.b], title: coded}\n",
		"list.yaml": "kind: pattern\nid: listed\nname: Listed\nversion: 1.0.0\nseverity: low\nsubs: {a: {where: {a.b|in: vpn}}}\nincident: {key: [a.b], title: listed}\n",
		"bad.yaml":  "kind: pattern\nid: [\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(t.TempDir(), "mine.tar")
	var said bytes.Buffer
	if err := buildRules([]string{dir}, rule.Options{}, nil, portable.About{Name: "mine"}, out, &said); err != nil {
		t.Fatal(err)
	}
	if s := said.String(); !strings.Contains(s, "coded") || !strings.Contains(s, "bad.yaml") || !strings.Contains(s, "--list vpn=FILE") || !strings.Contains(s, "1 rules of 4 files; 3 refused") {
		t.Errorf("it says %s", s)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := layout.Import(f)
	if err != nil || p.Manifest.Name != "mine" || len(p.Documents) != 1 {
		t.Errorf("the package: %v", err)
	}
	bare := filepath.Join(t.TempDir(), "mine.wasm")
	if err := buildRules([]string{filepath.Join(dir, "good.yaml")}, rule.Options{}, nil, portable.About{Name: "mine"}, bare, &said); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(bare); err != nil || len(b) < 1000 {
		t.Errorf("%d bytes, %v", len(b), err)
	} else if w, err := manifest.ReadWasm(b); err != nil || w.Manifest == nil {
		t.Errorf("the bare module: %v", err)
	}
	if err := buildRules([]string{filepath.Join(dir, "code.yaml")}, rule.Options{}, nil, portable.About{Name: "mine"}, bare, &said); err == nil {
		t.Error("nothing is compiled to a module")
	}
	values := filepath.Join(t.TempDir(), "vpn.txt")
	if err := os.WriteFile(values, []byte("# ours\n192.0.2.0/24\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lists, err := listsOf(map[string]string{"vpn:cidr": values})
	if err != nil {
		t.Fatal(err)
	}
	if err := buildRules([]string{filepath.Join(dir, "list.yaml")}, rule.Options{}, lists, portable.About{Name: "mine"}, out, &said); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(out); err != nil || !bytes.Contains(b, []byte("the values that these lists had then: vpn.")) {
		t.Errorf("the description of a package with a list: %v", err)
	}
}
