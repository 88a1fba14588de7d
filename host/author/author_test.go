package author_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// A new module builds, passes its own cases in the sandbox, and says what it asks for.
func TestNewModule(t *testing.T) {
	t.Parallel()
	for kind, want := range map[manifest.Kind]struct {
		cases   int
		imports string
	}{
		manifest.Parser:  {3, "wasi_snapshot_preview1.fd_write"},
		manifest.Monitor: {0, "vedette_http_v1.fetch"},
		manifest.Rule:    {2, ""},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "my-"+string(kind))
			if err := author.New(dir, kind); err != nil {
				t.Fatal(err)
			}
			p, err := author.Build(t.Context(), dir, author.StandardGo)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check(); err != nil {
				t.Errorf("the package: %v", err)
			}
			got, err := author.Test(t.Context(), p, filepath.Join(t.TempDir(), "cache"))
			if err != nil || got.Cases != want.cases || len(got.Failures) > 0 {
				t.Errorf("Test = %+v, %v; want %d cases", got, err, want.cases)
			}
			r, err := author.Inspect(p)
			if err != nil || !strings.Contains(strings.Join(r.Imports, " "), want.imports) || (want.imports != "") != strings.HasPrefix(r.Digest, "sha256:") {
				t.Errorf("Inspect = %+v, %v; want import %q", r, err, want.imports)
			}
			again, err := author.Folder(dir)
			if err != nil || again.Manifest.Name != "my-"+string(kind) {
				t.Errorf("Folder = %s, %v", again.Manifest.Name, err)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		path string
		kind manifest.Kind
		is   error
		says string
	}{
		"a name":     {filepath.Join(dir, "My_Parser"), manifest.Parser, storage.ErrInvalid, "lower-case letters"},
		"a kind":     {filepath.Join(dir, "good"), "sensor", storage.ErrInvalid, "parser, monitor or rule"},
		"the folder": {dir, manifest.Rule, storage.ErrConflict, "exists already"},
	} {
		if name == "the folder" {
			c.path = filepath.Join(dir, "taken")
			if err := os.Mkdir(c.path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := author.New(c.path, c.kind); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// Errors say where the mistake is and what to do about it.
func TestBuildErrors(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "broken")
	if err := author.New(dir, manifest.Parser); err != nil {
		t.Fatal(err)
	}
	if _, err := author.Folder(dir); !errors.Is(err, storage.ErrNotFound) || !strings.Contains(err.Error(), "vedette module build") {
		t.Errorf("a module that is not built: %v", err)
	}
	if _, err := author.Folder(t.TempDir()); !errors.Is(err, storage.ErrNotFound) || !strings.Contains(err.Error(), "vedette module new") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := author.Build(t.Context(), dir, "rustc"); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("an unknown toolchain: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(string(text), "return sdk.OK", "return sdk.Okay", 1)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = author.Build(t.Context(), dir, author.StandardGo)
	if !errors.Is(err, storage.ErrInvalid) || !strings.Contains(err.Error(), "main.go:27:13: undefined: sdk.Okay") {
		t.Errorf("a compiler error: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := author.Build(ctx, dir, author.StandardGo); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted build: %v", err)
	}
}

func TestBuildWithoutToolchain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lonely")
	if err := author.New(dir, manifest.Parser); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := author.Build(t.Context(), dir, author.StandardGo); !errors.Is(err, storage.ErrNotFound) || !strings.Contains(err.Error(), "go is not installed") {
		t.Errorf("without Go: %v", err)
	}
	if _, err := author.Build(t.Context(), dir, author.TinyGo); !errors.Is(err, storage.ErrNotFound) || !strings.Contains(err.Error(), "tinygo is not installed") {
		t.Errorf("without TinyGo: %v", err)
	}
}
