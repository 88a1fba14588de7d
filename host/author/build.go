package author

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/meter"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/sdk/c"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Toolchain compiles a module's source.
type Toolchain string

// The toolchains. Standard Go is always there; TinyGo's modules are faster and fifty times smaller.
const (
	StandardGo Toolchain = "go"
	TinyGo     Toolchain = "tinygo"
	Cargo      Toolchain = "cargo"
	Clang      Toolchain = "clang"
)

// Toolchains are all of them.
var Toolchains = []Toolchain{StandardGo, TinyGo, Cargo, Clang}

// ToolchainOf returns the toolchain of the language that the module in dir is written in.
func ToolchainOf(dir string) Toolchain {
	for file, with := range map[string]Toolchain{"Cargo.toml": Cargo, "module.c": Clang} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return with
		}
	}
	return StandardGo
}

// Build compiles the module in dir to build/NAME.wasm, with its manifest inside, and returns the package. A module
// without code is only checked; with "" the toolchain is that of its language. Compiler errors are returned as the compiler wrote them.
func Build(ctx context.Context, dir string, with Toolchain) (manifest.Package, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifest.FileName))
	if err != nil {
		return Folder(dir)
	}
	m, err := manifest.Parse(filepath.Join(dir, manifest.FileName), text)
	if err != nil {
		return manifest.Package{}, err
	}
	if !m.Entry.Wasm {
		return Folder(dir)
	}
	out := wasmFile(dir, m.Name)
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return manifest.Package{}, fmt.Errorf("build: %w", err)
	}
	if err := compile(ctx, dir, out, with); err != nil {
		return manifest.Package{}, err
	}
	code, err := os.ReadFile(out)
	if err != nil {
		return manifest.Package{}, fmt.Errorf("build: %w", err)
	}
	canonical, err := m.Canonical()
	if err != nil {
		return manifest.Package{}, err
	}
	if code, err = manifest.Embed(code, canonical); err != nil {
		return manifest.Package{}, err
	}
	if err := os.WriteFile(out, code, 0o644); err != nil {
		return manifest.Package{}, fmt.Errorf("build: %w", err)
	}
	return Folder(dir)
}

func compile(ctx context.Context, dir, out string, with Toolchain) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	if with == "" {
		with = ToolchainOf(dir)
	}
	var args, env []string
	switch with {
	case StandardGo:
		args = []string{"build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", out, "."}
		env = []string{"GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=-mod=mod", "GOWORK=off"}
	case TinyGo:
		args = []string{"build", "-target=" + tinyTarget(ctx), "-buildmode=c-shared", "-opt=2", "-no-debug", "-gc=leaking", "-scheduler=none", "-o", out, "."}
	case Cargo:
		args = []string{"build", "--quiet", "--release", "--offline", "--target=wasm32-unknown-unknown", "--target-dir=target"}
	case Clang:
		args = slices.Concat(c.Flags, []string{"-I", sdkFolder, "-o", out, "module.c"})
	default:
		return fmt.Errorf("build: toolchain %q: want go, tinygo, cargo or clang: %w", with, storage.ErrInvalid)
	}
	if err := tool(ctx, dir, with, env, args); err != nil || with != Cargo {
		return err
	}
	code, err := os.ReadFile(filepath.Join(dir, "target", "wasm32-unknown-unknown", "release", "module.wasm"))
	if err == nil {
		err = os.WriteFile(out, code, 0o644)
	}
	if err != nil {
		return fmt.Errorf("build with cargo: %w", err)
	}
	return nil
}

// tinyTarget is this project's target where TinyGo has it, which needs no libc of WASI, and else the one that every TinyGo has.
// Nothing is collected with either, since all memory is restored before each call.
func tinyTarget(ctx context.Context) string {
	if err := exec.CommandContext(ctx, string(TinyGo), "info", "-target=vedette").Run(); err == nil {
		return "vedette"
	}
	return "wasip1"
}

// tool runs a compiler in the module's folder.
func tool(ctx context.Context, dir string, with Toolchain, env, args []string) error {
	cmd := exec.CommandContext(ctx, string(with), args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Dir = dir
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Run(); ctx.Err() != nil {
		return fmt.Errorf("build with %s: %w", with, ctx.Err())
	} else if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("build: %s is not installed: install it, or choose another toolchain with --toolchain: %w", with, storage.ErrNotFound)
	} else if err != nil {
		return &BuildError{With: with, Text: compilerText(text.String())}
	}
	return nil
}

// BuildError is what a compiler says about a module: lines that begin with a place. It wraps storage.ErrInvalid.
type BuildError struct {
	With Toolchain
	Text string
}

func (e *BuildError) Error() string { return fmt.Sprintf("%s does not build it:\n%s", e.With, e.Text) }

// Unwrap makes errors.Is(err, storage.ErrInvalid) true.
func (e *BuildError) Unwrap() error { return storage.ErrInvalid }

// compilerText leaves out what go says before the mistakes: the package's name.
func compilerText(text string) string {
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(text), "\n"), func(l string) bool { return strings.HasPrefix(l, "# ") })
	return strings.Join(lines, "\n")
}

// Report is what can be known about a package without running it.
type Report struct {
	Manifest     manifest.Manifest `json:"manifest"`
	Digest       string            `json:"code_digest,omitempty"` // "" without code
	Imports      []string          `json:"imports,omitempty"`     // "module.name"
	Exports      []string          `json:"exports,omitempty"`
	CodeBytes    int               `json:"code_bytes,omitempty"`
	Functions    int               `json:"functions,omitempty"`
	MemoryPages  uint32            `json:"memory_pages,omitempty"` // of 64 KiB, at start
	MeteredBytes int               `json:"metered_bytes,omitempty"`
}

// Inspect returns what a package asks for. The error is that of static admission.
func Inspect(p manifest.Package) (Report, error) {
	r := Report{Manifest: p.Manifest}
	if len(p.Wasm) == 0 {
		return r, nil
	}
	r.Digest, r.CodeBytes = manifest.Sum(p.Wasm), len(p.Wasm)
	metered, shape, err := meter.Rewrite(p.Wasm, meter.Limits{})
	if err != nil {
		return r, fmt.Errorf("inspect %s: %w", p.Manifest.Reference(), err)
	}
	for _, i := range shape.Imports {
		r.Imports = append(r.Imports, i.Module+"."+i.Name)
	}
	for _, e := range shape.Exports {
		r.Exports = append(r.Exports, e.Name)
	}
	r.Functions, r.MemoryPages, r.MeteredBytes = shape.Functions, shape.MemoryMinPages, len(metered)
	return r, nil
}

// Test runs a package's own cases in the sandbox, as a host does before it installs one.
func Test(ctx context.Context, p manifest.Package, cacheDir string) (pipeline.Outcome, error) {
	s, err := Open(ctx, p, "", Config{CacheDir: cacheDir})
	if err != nil {
		return pipeline.Outcome{}, err
	}
	defer func() { _ = s.Close() }() // frees memory; there is nothing to do about an error
	return pipeline.Test(ctx, s.Module, p.Vectors)
}
