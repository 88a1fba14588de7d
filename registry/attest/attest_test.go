package attest

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"github.com/vedette-siem/vedette/registry/sign"
)

const digest = registry.Digest("sha256:1111111111111111111111111111111111111111111111111111111111111111")

var ref = registry.Ref{Publisher: "acme", Name: "fortigate", Version: "1.0.0"}

func statement(t testing.TB, payload []byte, err error) sign.Statement {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	s, err := sign.ReadStatement(payload)
	if err != nil {
		t.Fatal(err)
	}
	if !s.About(digest) {
		t.Errorf("it is about %v", s.Subject)
	}
	return s
}

func TestSBOM(t *testing.T) {
	a := registrytest.Module(t, ref.String(), "note")
	deps := []Dependency{{"b", "v2", "pkg:golang/b@v2", string(digest)}, {"a", "v1", "", ""}, {"a", "v1", "", ""}}
	payload, err := SBOM(&a, digest, deps)
	s := statement(t, payload, err)
	if again, err := SBOM(&a, digest, []Dependency{deps[1], deps[0]}); err != nil || !bytes.Equal(again, payload) {
		t.Errorf("in another order: %v\n%s\n%s", err, payload, again)
	}
	bom, err := ReadSBOM(s)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range *bom.Components {
		names = append(names, string(c.Type)+" "+c.Name)
	}
	want := []string{"file fortigate.wasm", "file testdata/a.txtar", "file README.md", "library a", "library b"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	if m := bom.Metadata.Component; m.Name != "fortigate" || m.Version != "1.0.0" || (*m.Hashes)[0].Value != strings.Repeat("1", 64) || (*m.Licenses)[0].Expression != "Apache-2.0" {
		t.Errorf("it is about %+v", m)
	}
	if !strings.Contains(string(s.Predicate), `"specVersion":"1.6"`) || strings.Contains(string(s.Predicate), "timestamp") {
		t.Errorf("%s", s.Predicate)
	}
	if bill, err := BillOf(s); err != nil || bill.Format != "CycloneDX 1.6" || len(bill.Parts) != 5 || bill.Parts[4] != (Part{"library", Dependency{"b", "v2", "pkg:golang/b@v2", ""}}) {
		t.Errorf("for people: %+v, %v", bill, err)
	}
	for name, bad := range map[string][]Dependency{"one over": make([]Dependency, MaxDependencies+1), "no name": {{}}, "long": {{Name: strings.Repeat("n", MaxTextBytes+1)}}} {
		if _, err := SBOM(&a, digest, bad); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, predicate := range map[string]string{"no BOM": `{}`, "another format": `{"bomFormat":"SPDX","components":[]}`, "no object": `7`} {
		if _, err := ReadSBOM(sign.Statement{PredicateType: PredicateSBOM, Predicate: []byte(predicate)}); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProvenance(t *testing.T) {
	b := Build{
		Builder: "https://ci.example.com/acme", Source: "git+https://example.com/x@refs/tags/v1", SourceDigest: "gitCommit:0a1b",
		Materials: []Material{{"pkg:golang/a@v1", "dirHash1:0b"}, {"pkg:golang/b@v2", ""}},
		Toolchain: map[string]string{"tinygo": "0.41.1"}, Started: registrytest.Now, Finished: registrytest.Now.Add(time.Minute),
	}
	payload, err := Provenance(ref, digest, b)
	got, err := ReadProvenance(statement(t, payload, err))
	if diff := cmp.Diff(b, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []Build{{Builder: "x"}, {Builder: "x", Source: "y", Materials: []Material{{}}}, {Builder: "x", Source: "y", Materials: make([]Material, MaxDependencies)}} {
		if _, err := Provenance(ref, digest, bad); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%+.100v: %v", bad, err)
		}
	}
	untimed := Build{Builder: "x", Source: "y", Materials: []Material{{"b", ""}, {"a", ""}, {"a", ""}}}
	first, err := Provenance(ref, digest, untimed)
	untimed.Materials = []Material{{"a", ""}, {"b", ""}}
	if again, err2 := Provenance(ref, digest, untimed); errors.Join(err, err2) != nil || !bytes.Equal(first, again) || bytes.Contains(first, []byte("startedOn")) {
		t.Errorf("the same build twice: %v, %v\n%s\n%s", err, err2, first, again)
	}
	// What another builder writes, shortened to what SLSA wants of it.
	foreign := `{"buildDefinition":{"buildType":"https://example.com/other","externalParameters":{"workflow":{"ref":"refs/heads/main"}},
	  "internalParameters":{"event":{"id":7}},"resolvedDependencies":[{"uri":"git+https://example.com/y","digest":{"sha1":"aa"},"annotations":{}}]},
	  "runDetails":{"builder":{"id":"https://example.com/builder","version":{}},"metadata":{"invocationId":"7"}}}`
	got, err = ReadProvenance(sign.Statement{PredicateType: PredicateProvenance, Predicate: []byte(foreign)})
	if err != nil || got.Builder != "https://example.com/builder" || got.Source != "git+https://example.com/y" || got.SourceDigest != "sha1:aa" {
		t.Errorf("of another builder: %+v, %v", got, err)
	}
	for name, predicate := range map[string]string{
		"no builder": `{}`, "no object": `7`, "too many": `{"runDetails":{"builder":{"id":"x"}},"buildDefinition":{"resolvedDependencies":[` + strings.Repeat("{},", MaxDependencies) + `{}]}}`,
	} {
		if _, err := ReadProvenance(sign.Statement{PredicateType: PredicateProvenance, Predicate: []byte(predicate)}); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConformance(t *testing.T) {
	c := Conformance{
		Level: 3, Suite: "1.0.0", Host: "vedette 1.0.0", Cases: 120, Skipped: 4, At: registrytest.Now,
		Failed: []Failure{{"module-4.02", "Settings that are none are taken or refused, with a status.", "E_TRAP"}},
	}
	payload, err := c.Statement(ref, digest)
	s := statement(t, payload, err)
	if got, err := ReadConformance(s); err != nil || !cmp.Equal(got, c) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := ParseConformance(s.Predicate); err != nil || !cmp.Equal(got, c) || got.Name() != "L3" {
		t.Errorf("without a statement: %+v, %v", got, err)
	}
	none := Conformance{Level: NoLevel, At: registrytest.Now}
	if _, err := none.Statement(ref, digest); err != nil || none.Name() != "none" {
		t.Errorf("one that fails all: %v, %s", err, none.Name())
	}
	for _, text := range []string{"", "7", `{"level":3}`} {
		if _, err := ParseConformance([]byte(text)); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for name, change := range map[string][2]string{"level": {`"level":3`, `"level":6`}, "unknown": {`"level":3`, `"level":3,"x":1`}, "spelling": {`"level"`, `"Level"`}} {
		bad := sign.Statement{PredicateType: s.PredicateType, Predicate: []byte(strings.Replace(string(s.Predicate), change[0], change[1], 1))}
		if _, err := ReadConformance(bad); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []Conformance{
		{},
		{Level: -2, At: registrytest.Now},
		{Level: MaxLevel + 1, At: registrytest.Now},
		{Suite: strings.Repeat("s", MaxTextBytes+1), At: registrytest.Now},
		{Failed: make([]Failure, MaxFailures+1), At: registrytest.Now},
		{Failed: []Failure{{}}, At: registrytest.Now},
		{Failed: []Failure{{ID: "module-1.01", Detail: strings.Repeat("d", MaxTextBytes+1)}}, At: registrytest.Now},
	} {
		if _, err := bad.Statement(ref, digest); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for _, read := range []func(sign.Statement) error{
		func(s sign.Statement) error { _, err := ReadConformance(s); return err },
		func(s sign.Statement) error { _, err := ReadProvenance(s); return err },
		func(s sign.Statement) error { _, err := ReadSBOM(s); return err },
	} {
		if err := read(sign.Statement{PredicateType: "x", Predicate: []byte("{}")}); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("another predicate: %v", err)
		}
	}
}

func FuzzPredicates(f *testing.F) {
	a := registrytest.Module(f, ref.String(), "note")
	sbom, err := SBOM(&a, digest, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(statement(f, sbom, nil).Predicate))
	f.Add(`{"runDetails":{"builder":{"id":"x"}}}`)
	f.Fuzz(func(t *testing.T, predicate string) {
		for kind, read := range map[string]func(sign.Statement) error{
			PredicateConformance: func(s sign.Statement) error { _, err := ReadConformance(s); return err },
			PredicateProvenance:  func(s sign.Statement) error { _, err := ReadProvenance(s); return err },
			PredicateSBOM:        func(s sign.Statement) error { _, err := ReadSBOM(s); return err },
		} {
			if err := read(sign.Statement{PredicateType: kind, Predicate: []byte(predicate)}); err != nil && !errors.Is(err, registry.ErrInvalid) {
				t.Fatalf("%s: %v is of no known kind", kind, err)
			}
		}
	})
}
