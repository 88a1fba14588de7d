package runtime

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

// compiler is this test binary in the place of the host's.
func compiler(t *testing.T, test string) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{self, "-test.run=^" + test + "$", "-test.count=1", "--"}
}

// TestCompilerProcess is the other process of TestPrecompile.
func TestCompilerProcess(t *testing.T) {
	if flag.NArg() != 1 {
		return // not called by it
	}
	if err := CompileTo(t.Context(), flag.Arg(0), os.Stdin); err != nil {
		t.Fatal(err)
	}
}

// TestCompilerHangs is a compiler that does not end.
func TestCompilerHangs(t *testing.T) {
	if flag.NArg() == 1 {
		<-t.Context().Done()
	}
}

// TestCompilerFails is a compiler that the kernel would have ended.
func TestCompilerFails(t *testing.T) {
	if flag.NArg() == 1 {
		os.Stderr.WriteString("out of memory " + strings.Repeat("x", 4*maxCompileError))
		os.Exit(2)
	}
}

func cached(t *testing.T, dir string) (files, marks int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files++
			if strings.HasPrefix(d.Name(), "compiled-") {
				marks++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, marks
}

func TestPrecompile(t *testing.T) {
	t.Parallel()
	spec := ModuleSpec{Digest: "echo", Kind: manifest.Parser, Wasm: hostile(t, "echo")}
	load := func(t *testing.T, ctx context.Context, cfg Config) error {
		t.Helper()
		h := newHost(t, cfg)
		m, err := h.Load(ctx, spec)
		if err == nil {
			err = m.Close(ctx)
		}
		return err
	}
	t.Run("another process compiles, once", func(t *testing.T) {
		dir := t.TempDir()
		cfg := Config{CacheDir: filepath.Join(dir, "cache"), Compiler: compiler(t, "TestCompilerProcess")}
		if err := load(t, t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		if files, marks := cached(t, cfg.CacheDir); marks != 1 || files != 2 { // the engine found it: one form of it
			t.Errorf("%d files, %d marks", files, marks)
		}
		cfg.Compiler = []string{"/nonexistent"} // no longer needed
		if err := load(t, t.Context(), cfg); err != nil {
			t.Error(err)
		}
	})
	t.Run("what ships is compiled here", func(t *testing.T) {
		cfg := Config{CacheDir: filepath.Join(t.TempDir(), "cache"), Compiler: []string{"/nonexistent"}, Trusted: func([]byte) bool { return true }}
		if err := load(t, t.Context(), cfg); err != nil {
			t.Error(err)
		}
	})
	t.Run("a compiler that fails is no verdict on the module", func(t *testing.T) {
		cfg := Config{CacheDir: filepath.Join(t.TempDir(), "cache"), Compiler: compiler(t, "TestCompilerFails")}
		err := load(t, t.Context(), cfg)
		var trap *Trap
		if !errors.Is(err, ErrCompile) || errors.As(err, &trap) || !strings.Contains(err.Error(), "out of memory") || len(err.Error()) > 2*maxCompileError {
			t.Errorf("%v", err)
		}
		if files, _ := cached(t, cfg.CacheDir); files != 0 {
			t.Errorf("%d files are left", files)
		}
	})
	t.Run("a compiler that does not end is ended", func(t *testing.T) {
		cfg := Config{CacheDir: filepath.Join(t.TempDir(), "cache"), Compiler: compiler(t, "TestCompilerHangs")}
		ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer stop()
		began := time.Now()
		if err := load(t, ctx, cfg); !errors.Is(err, ErrCompile) || time.Since(began) > 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
