package module

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

func rulePackage(files ...string) *registry.Artifact {
	pkg := &registry.Artifact{Manifest: manifest.Manifest{Kind: manifest.Rule}}
	for i := 0; i < len(files); i += 2 {
		pkg.Documents = append(pkg.Documents, manifest.File{Path: files[i], Data: []byte(files[i+1])})
	}
	return pkg
}

// TestRulesOfPackage: documents of both languages stand in one package and name each other over files.
func TestRulesOfPackage(t *testing.T) {
	failed := "title: Failed\nid: 11111111-2222-3333-4444-555555555555\nname: failed\nlogsource: {product: windows, service: security}\ndetection: {a: {EventID: 4625}, condition: a}\n"
	many := "title: Many\nid: many\ncorrelation: {type: event_count, rules: [failed], group-by: [User], timespan: 5m, condition: {gte: 5}, generate: true}\n"
	filter := "title: Tests\nlogsource: {product: windows}\nfilter: {rules: [failed], a: {User: test}, condition: not a}\n"
	pattern := "kind: pattern\nid: p\nname: n\nversion: 1.0.0\nseverity: low\nsubs: {a: {where: {f: x}}}\nincident: {title: t}\n"
	pkg := rulePackage("failed.yml", failed, "filter.yml", filter, "many.yml", many, "p.yaml", pattern)
	rules, err := RulesOf(pkg)
	if err != nil || len(rules) != 3 {
		t.Fatal(rules, err)
	}
	whole := map[string]string{}
	for _, r := range rules {
		whole[r.ID] = fmt.Sprintf("%+v", r.Subs[0].Match.Where)
	}
	for id, text := range map[string]string{rules[0].ID: failed, "many": many, "p": pattern} {
		r, got, err := RuleOf(pkg, id)
		if err != nil || r == nil || got != text {
			t.Fatalf("%s: %v, %q: %v", id, r, got, err)
		}
		if len(fmt.Sprintf("%+v", r.Subs[0].Match.Where)) != len(whole[id]) { // its filter is a part of it
			t.Errorf("%s alone is %+v, want %s", id, r.Subs[0].Match.Where, whole[id])
		}
	}
	if r, _, err := RuleOf(pkg, "nobody"); r != nil || err != nil {
		t.Errorf("a rule that is not there: %v %v", r, err)
	}
}

// TestRulesOfPackageFaults: one document that cannot be used refuses the package, and not too many of them are named.
func TestRulesOfPackageFaults(t *testing.T) {
	var files []string
	for i := range maxFaultsNamed + 2 {
		files = append(files, fmt.Sprintf("%02d.yml", i), "title: t\nlogsource: {product: toaster}\ndetection: {a: {b: c}, condition: a}\n")
	}
	_, err := RulesOf(rulePackage(files[:2]...))
	if !errors.Is(err, storage.ErrInvalid) || !strings.HasPrefix(err.Error(), "00.yml:1:") {
		t.Errorf("got %v", err)
	}
	files = nil
	for i := range maxFaultsNamed + 2 {
		files = append(files, fmt.Sprintf("%02d.yml", i), "title: t\n")
	}
	if _, err := RulesOf(rulePackage(files...)); !errors.Is(err, storage.ErrInvalid) || !strings.Contains(err.Error(), "and 2 further faults") {
		t.Errorf("got %v", err)
	}
	if rules, err := RulesOf(&registry.Artifact{}); rules != nil || err != nil {
		t.Errorf("no rule package: %v %v", rules, err)
	}
}
