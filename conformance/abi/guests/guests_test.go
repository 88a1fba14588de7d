package guests

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the guests' modules")

// TestGuests assembles every guest: the modules that are kept are what their texts say.
func TestGuests(t *testing.T) {
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Fatal("wat2wasm is not installed: make deps")
	}
	sources, err := Sources()
	if err != nil {
		t.Fatal(err)
	}
	dir, have := t.TempDir(), map[string]bool{}
	for _, s := range sources {
		have[s.Name+".wasm"] = true
		in, out := filepath.Join(dir, s.Name+".wat"), filepath.Join(dir, s.Name+".wasm")
		if err := os.WriteFile(in, []byte(s.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		if text, err := exec.Command(tool, append(s.Flags, "--debug-names", in, "-o", out)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", s.Name, err, text)
			continue
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		kept := filepath.Join("wasm", s.Name+".wasm")
		if *update {
			if err := os.WriteFile(kept, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(kept); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what its text says (go test ./conformance/abi/guests -update): %v", kept, err)
		}
	}
	kept, _ := filepath.Glob("wasm/*.wasm")
	for _, path := range kept {
		if name := filepath.Base(path); !have[name] {
			t.Errorf("%s has no text", path)
		}
	}
	for name := range built {
		if have[name+".wasm"] {
			t.Errorf("%s is built and assembled", name)
		}
		if b, err := Wasm(name); err != nil || len(b) > 10<<20 && !strings.HasPrefix(name, "large") {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}
