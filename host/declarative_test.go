package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/sdk/spec"
	"github.com/vedette-siem/vedette/storage"
)

// TestFromAnUnknownLineToAParser is step two of an operator's first minute: paste a line that nobody reads, take the
// spec that is proposed, install it, and the next such line is read by it. The second spec does not compile again.
func TestFromAnUnknownLineToAParser(t *testing.T) {
	h := installer(t, func(*Config) {})
	rt, err := runtime.New(t.Context(), runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rt.Close(context.WithoutCancel(t.Context())) }()
	for i, product := range []string{"turnstile", "elevator", "escalator"} {
		line := func(n int) string {
			return fmt.Sprintf("%s: badge %d of user ada refused from 192.0.2.%d:4711", product, n, n)
		}
		if e := parsed(t, h, 1, line(1)); e.Stream != "unparsed" {
			t.Fatalf("somebody reads %q already: %s", line(1), e.Stream)
		}
		yaml := spec.Suggest([]string{line(1), line(2)}, product)
		p, err := author.PackSpec(t.Context(), rt, spec.About{Name: product}, []byte(yaml), [][]byte{[]byte(line(1)), []byte(line(2))}, time.Unix(0, 0))
		if err != nil {
			t.Fatalf("%s\n%v", yaml, err)
		}
		start := time.Now()
		done, err := h.Install(t.Context(), Candidate{Tenant: 1, Package: layout.Bare(p), Who: "ada"})
		if err != nil || done.Cases != 2 {
			t.Fatalf("%d cases, %v", done.Cases, err)
		}
		t.Logf("spec %d: installed in %v", i+1, time.Since(start))
		e := parsed(t, h, 1, line(3))
		if user := e.Get("user.name"); e.Stream != product+".log" || user != "ada" {
			t.Fatalf("after the installation: %+v", e)
		}
	}
}

// TestInterpreterIsNoModule: the code that reads specs cannot be installed by itself, and a package with a broken spec
// says where it is broken.
func TestInterpreterIsNoModule(t *testing.T) {
	h := installer(t, func(*Config) {})
	wasm, err := modules.Interpreter()
	if err != nil {
		t.Fatal(err)
	}
	p := manifest.Package{Wasm: wasm}
	if p.Manifest, err = p.Interpreter(); err != nil {
		t.Fatal(err)
	}
	if p.ManifestBytes, err = p.Manifest.Canonical(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(p), Shipped: true, Settings: `{"program":"AA"}`}); !errors.Is(err, storage.ErrInvalid) || !strings.Contains(err.Error(), "does nothing without one") {
		t.Errorf("the interpreter: %v", err)
	}
	good, err := spec.Package(spec.About{Name: "x"}, []byte("templates: [\"some text {user.name:word}\"]\n"), wasm, nil)
	if err != nil {
		t.Fatal(err)
	}
	good.Documents[0].Data = []byte("templates: [\"some text {user.nome:word}\"]\n")
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(good)}); !errors.Is(err, storage.ErrInvalid) || !strings.Contains(err.Error(), "spec.yaml:1:24: user.nome is not a field of ECS") {
		t.Errorf("a broken spec: %v", err)
	}
}
