package attest

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vedette-siem/vedette/registry"
	"golang.org/x/tools/txtar"
)

// TestDependencies reads what package systems write, shortened.
func TestDependencies(t *testing.T) {
	for _, name := range []string{"go", "cargo"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + name + ".txtar")
			if err != nil {
				t.Fatal(err)
			}
			files := txtar.Parse(text).Files
			var deps []Dependency
			if name == "go" {
				deps, err = GoDependencies(strings.NewReader(string(files[0].Data)), "1.26.8")
			} else {
				deps, err = CargoDependencies(files[0].Data)
			}
			var got strings.Builder
			for _, d := range deps {
				fmt.Fprintf(&got, "%s %s %s %s\n", d.Name, d.Version, d.PURL, d.Digest)
			}
			if diff := cmp.Diff(string(files[1].Data), strings.ReplaceAll(got.String(), " \n", "\n")); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestDependenciesRefused(t *testing.T) {
	many := func(one string) string {
		var b strings.Builder
		for i := range MaxDependencies + 1 {
			fmt.Fprintf(&b, one, i)
		}
		return b.String()
	}
	for name, text := range map[string]string{"no JSON": "x", "half": `{"Module":{`, "one over": many(`{"Module":{"Path":"m%d","Version":"v1.0.0"}}`)} {
		if _, err := GoDependencies(strings.NewReader(text), "1"); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("Go, %s: %v", name, err)
		}
	}
	for name, text := range map[string]string{"no name": "[[package]]\n", "a long line": strings.Repeat("x", 70_000), "one over": many("[[package]]\nname = \"m%d\"\nversion = \"1.0.0\"\n")} {
		if _, err := CargoDependencies([]byte(text)); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("Cargo, %s: %v", name, err)
		}
	}
}

func FuzzDependencies(f *testing.F) {
	for _, name := range []string{"go", "cargo"} {
		text, err := os.ReadFile("testdata/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(txtar.Parse(text).Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func() ([]Dependency, error){
			func() ([]Dependency, error) { return GoDependencies(strings.NewReader(string(data)), "1") },
			func() ([]Dependency, error) { return CargoDependencies(data) },
		} {
			if deps, err := read(); err != nil && !errors.Is(err, registry.ErrInvalid) || len(deps) > MaxDependencies {
				t.Fatalf("%d dependencies, %v", len(deps), err)
			}
		}
	})
}
