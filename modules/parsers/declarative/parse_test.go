package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/template"
	"github.com/vedette-siem/vedette/sdk/spec"
)

// parserOf sets the module up with a spec, as its host does.
func parserOf(t testing.TB, yaml []byte) (sdk.Parser, *spec.Spec) {
	t.Helper()
	s, err := spec.Check("spec.yaml", yaml)
	if err != nil {
		t.Fatal(err)
	}
	if err := Init(s.Settings()); err != nil {
		t.Fatal(err)
	}
	return sdk.Parser{Parse: Parse, Init: Init}, s
}

func file(a *txtar.Archive, name string) []byte {
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func TestCases(t *testing.T) {
	moduletest.CasesOf(t, func(t *testing.T, a *txtar.Archive) (sdk.Parser, []string) {
		p, s := parserOf(t, file(a, "spec.yaml"))
		return p, s.Names()
	})
}

// TestReadmeNamesEveryType: the reference page is complete.
func TestReadmeNamesEveryType(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range template.Names {
		if !bytes.Contains(text, []byte("`"+name+"`")) {
			t.Errorf("README.md lacks the type %s", name)
		}
	}
}

func TestInitRefuses(t *testing.T) {
	for _, settings := range []string{"", "{}", `{"program":""}`, `{"program":"VkRQAQ"}`, `{"program":"####"}`, `[]`, `{"program":1}`} {
		if err := Init([]byte(settings)); err == nil {
			t.Errorf("%q is taken", settings)
		}
	}
}

// TestShippedSpecs runs the cases of the shipped parsers that are specs, natively.
func TestShippedSpecs(t *testing.T) {
	specs, err := filepath.Glob("../*/spec.yaml")
	if err != nil || len(specs) == 0 {
		t.Fatalf("no shipped specs: %v", err)
	}
	for _, name := range specs {
		t.Run(filepath.Base(filepath.Dir(name)), func(t *testing.T) {
			yaml, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(filepath.Dir(name))
			moduletest.CasesOf(t, func(t *testing.T, _ *txtar.Archive) (sdk.Parser, []string) {
				p, s := parserOf(t, yaml)
				return p, s.Names()
			})
		})
	}
}
