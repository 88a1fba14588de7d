package policy_test

import (
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/registry/registrytest"
)

// What is said about an artifact is shown, whoever says it, and who is known to say it beside.
func TestDocuments(t *testing.T) {
	p, err := policy.Parse("policy", []byte("version: 1\n"+registrytest.KeysYAML(t, "a")+"scopes: [{name: all, modules: [\"*/*\"], level: unsigned-allowed}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	module := registrytest.Module(t, "acme/oven:1.0.0", "")
	other := layout.Bare(registrytest.Module(t, "acme/oven:1.0.1", ""))
	pkg := layout.Bare(module)
	bill, err := attest.SBOM(&module, pkg.Digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	build, err := attest.Provenance(parsed(t, "acme/oven:1.0.0"), pkg.Digest, attest.Build{Builder: "https://ci.example.com", Source: "git+https://example.com/x"})
	if err != nil {
		t.Fatal(err)
	}
	report, err := attest.Conformance{Level: 3, At: registrytest.Now}.Statement(parsed(t, "acme/oven:1.0.1"), other.Digest)
	if err != nil {
		t.Fatal(err)
	}
	list := []layout.Referrer{
		{Type: layout.TypeSignature, Envelope: registrytest.Release(t, module, pkg.Digest, registrytest.Key(t, "a"), registrytest.Key(t, "b"))},
		{Type: layout.TypeSBOM, Envelope: registrytest.Seal(t, bill, registrytest.Key(t, "b"))},
		{Type: layout.TypeProvenance, Envelope: registrytest.Seal(t, build, registrytest.Key(t, "a"))},
		{Type: layout.TypeConformance, Envelope: registrytest.Seal(t, report, registrytest.Key(t, "a"))},
		{Type: layout.TypeSBOM, Envelope: []byte("{")},
		{Type: layout.TypeSBOM, Envelope: registrytest.Seal(t, []byte("{}"), registrytest.Key(t, "a"))},
	}
	got := policy.Documents([]*policy.Policy{p}, pkg.Digest, list)
	for i, c := range []struct {
		read, signed bool
		problem      string // "": it is believed
	}{
		{got[0].Release != nil, true, ""},
		{got[1].Bill != nil, false, "0 of 1 signatures by trusted keys"},
		{got[2].Build != nil, true, ""},
		{got[3].Report != nil, true, "another artifact"},
		{true, false, "envelope"},
		{true, true, "statement"},
	} {
		x := got[i]
		if !c.read || (len(x.Signers) > 0) != c.signed || (x.Problem == nil) != (c.problem == "") || x.Problem != nil && !strings.Contains(x.Problem.Error(), c.problem) {
			t.Errorf("document %d: %+v", i, x)
		}
	}
	if len(got[0].Unknown) != 1 || got[0].Unknown[0] != registrytest.Key(t, "b").Public().ID() {
		t.Errorf("beside the known key: %v", got[0].Unknown)
	}
}

func parsed(t *testing.T, s string) registry.Ref {
	t.Helper()
	r, err := registry.ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
