package runtime

import (
	"bytes"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// FuzzLoad: whatever is given as a module is loaded or refused with a *Trap, and what is loaded cannot hurt.
func FuzzLoad(f *testing.F) {
	seeds, _ := filepath.Glob(filepath.Join(hostileDir, "*.wasm"))
	for _, path := range seeds {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	h := newHost(f, Config{Instances: 1, Limits: Limits{FuelStart: 5_000_000, FuelPerCall: 500_000, MemoryPages: 64}})
	in := encode("a=1", "!", "x")
	f.Fuzz(func(t *testing.T, wasm []byte) {
		m, err := h.Load(t.Context(), ModuleSpec{Digest: "fuzz", Kind: manifest.Parser, Wasm: wasm, WASIStub: true})
		if err != nil {
			var trap *Trap
			if !errors.As(err, &trap) {
				t.Fatal(err)
			}
			return
		}
		var r Result
		if err := m.Parse(t.Context(), in, &r); err != nil {
			t.Error(err)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// FuzzAnswer: whatever a guest answers is a checked part or poison.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("VEB1"))
	f.Add(encode("x"))
	m := load(f, newHost(f, Config{Instances: 1}), ModuleSpec{Digest: "echo", Wasm: hostile(f, "echo")})
	f.Fuzz(func(t *testing.T, out []byte) {
		if len(out) > abi.MaxRecordBytes/2 {
			return
		}
		var r Result
		if err := m.Parse(t.Context(), encode(string(out)), &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Parts)+len(r.Poison) != 1 {
			t.Fatalf("%+v", r)
		}
	})
}

// FuzzPath: whatever path a module asks for, the request goes below its target's base or nowhere.
func FuzzPath(f *testing.F) {
	for _, p := range []string{"/", "/a?b=c", "//x", "/%2e%2e/", "/a/..;/b", "/@evil", "/%2f%2fevil", "/a%0d%0a"} {
		f.Add(p)
	}
	target := Target{Name: "t", URL: "https://target.example:8443/base"}
	f.Fuzz(func(t *testing.T, path string) {
		base, u, err := resolve(target, path)
		if err != nil {
			if !errors.Is(err, ErrDenied) {
				t.Fatal(err)
			}
			return
		}
		again, err := url.Parse(u.String()) // as the client and the server read it
		if err != nil {
			t.Fatalf("%q gives %q: %v", path, u, err)
		}
		if !sameOrigin(again, base) || !strings.HasPrefix(again.Path, "/base/") || bytes.ContainsAny([]byte(u.String()), "\r\n ") {
			t.Fatalf("%q leads to %q", path, again)
		}
		for _, segment := range strings.Split(again.Path, "/") {
			if segment == ".." {
				t.Fatalf("%q leaves the base: %q", path, again)
			}
		}
	})
}
