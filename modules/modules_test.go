package modules

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

func TestBuiltin(t *testing.T) {
	all, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[manifest.Kind]int{}
	for _, p := range all {
		kinds[p.Manifest.Kind]++
		if len(p.Vectors) == 0 && !testsItself(p) {
			t.Errorf("%s ships without test vectors", p.Manifest.Reference())
		}
		if p.Manifest.Publisher != "vedette" || p.Manifest.License == "" || strings.TrimSpace(p.Manifest.Description) == "" {
			t.Errorf("%s: want publisher vedette, a license and a description", p.Manifest.Reference())
		}
		// Shipped modules start on machines where nobody has granted anything yet.
		if p.Manifest.Kind == manifest.Parser && len(p.Manifest.Capabilities) > 0 {
			t.Errorf("%s asks for capabilities", p.Manifest.Reference())
		}
	}
	for _, kind := range []manifest.Kind{manifest.Parser, manifest.Monitor, manifest.Rule} {
		if kinds[kind] == 0 {
			t.Errorf("no %s is shipped", kind)
		}
	}
}

// testsItself reports whether the documents of a declarative rule hold inline tests.
func testsItself(p manifest.Package) bool {
	for _, d := range p.Documents {
		if bytes.Contains(d.Data, []byte("\ntests:\n")) {
			return true
		}
	}
	return false
}
