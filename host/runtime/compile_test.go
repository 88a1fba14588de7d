package runtime

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// What ships with the host is loaded by several at once, those of the same code one after another; foreign code is loaded
// one after another whatever it is.
func TestTurns(t *testing.T) {
	t.Parallel()
	shipped, foreign := []string{"a", "b"}, []string{"x", "y"}
	h := newHost(t, Config{Trusted: func(wasm []byte) bool { return slices.Contains(shipped, string(wasm)) }})
	inside := map[string]*atomic.Int32{"a": {}, "b": {}, "foreign": {}}
	var all sync.WaitGroup
	for i := range 400 {
		code := slices.Concat(shipped, foreign)[i%4]
		in := inside[code]
		if in == nil {
			in = inside["foreign"]
		}
		all.Go(func() {
			done, err := h.wait(t.Context(), []byte(code))
			if err != nil {
				t.Error(err)
				return
			}
			if n := in.Add(1); n != 1 {
				t.Errorf("%d load %s at once", n, code)
			}
			runtime.Gosched()
			in.Add(-1)
			done()
		})
	}
	all.Wait()
	if len(h.compiling) != 0 {
		t.Errorf("%d are being compiled", len(h.compiling))
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, code := range []string{"a", "x"} {
		done, err := h.wait(t.Context(), []byte(code))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.wait(stopped, []byte(code)); !errors.Is(err, context.Canceled) {
			t.Errorf("who waits for %s and is told to end: %v", code, err)
		}
		other, err := h.wait(t.Context(), []byte(map[string]string{"a": "b", "x": "a"}[code]))
		if err != nil {
			t.Fatal(err)
		}
		other()
		done()
	}
}
