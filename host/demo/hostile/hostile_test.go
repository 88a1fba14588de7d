package hostile

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/storage"
)

// Each module passes its own tests, ends with its code on a marked record, and leaves other records alone.
func TestModules(t *testing.T) {
	rt, err := runtime.New(t.Context(), runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close(t.Context())
	lib := module.NewLibrary(nil, rt, func(storage.Tenant, string) []runtime.Target { return nil })
	packages, err := Packages()
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]string{"endless-loop": "E_FUEL", "branching-calls": "E_FUEL", "memory-bomb": "E_MEMORY", "memset-storm": "E_FUEL", "lying-offsets": "E_ABI"}
	if len(packages) != len(codes) {
		t.Fatalf("%d packages", len(packages))
	}
	for _, p := range packages {
		t.Run(p.Manifest.Name, func(t *testing.T) {
			loaded, err := lib.Prepare(t.Context(), 1, module.Install{Name: "hostile/" + p.Manifest.Name, Digest: p.Manifest.Name}, p)
			if err != nil {
				t.Fatal(err)
			}
			if o, err := pipeline.Test(t.Context(), loaded, p.Vectors); err != nil || o.Cases != 1 || len(o.Failures) > 0 {
				t.Fatalf("its own tests: %+v, %v", o, err)
			}
			var trial pipeline.Trial
			recs := []queue.Record{{Raw: []byte("quiet")}, {Raw: []byte(Mark(&p.Manifest) + "1")}, {Raw: []byte("quiet too")}}
			got, err := trial.Run(t.Context(), recs, func(*queue.Record) []*module.Loaded { return []*module.Loaded{loaded} })
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Failed != pipeline.NotMine || got[2].Failed != pipeline.NotMine || !strings.HasPrefix(got[1].Failed, codes[p.Manifest.Name]+": ") {
				t.Errorf("ended with %q, %q and %q", got[0].Failed, got[1].Failed, got[2].Failed)
			}
		})
	}
}

// The modules are what their sources say.
func TestSources(t *testing.T) {
	sources, err := filepath.Glob("*/module.wat")
	if err != nil || len(sources) == 0 {
		t.Fatalf("%d sources: %v", len(sources), err)
	}
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Skip("wat2wasm (Debian package wabt) is not installed")
	}
	for _, source := range sources {
		out := filepath.Join(t.TempDir(), "out.wasm")
		if text, err := exec.CommandContext(t.Context(), tool, "--debug-names", source, "-o", out).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		want, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(strings.TrimSuffix(source, ".wat") + ".wasm"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s does not make the module beside it: %v", source, err)
		}
	}
}
