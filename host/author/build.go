package author

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vedette-siem/vedette/host/meter"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Toolchain compiles Go to a module.
type Toolchain string

// The toolchains. Standard Go is always there; TinyGo's modules are faster and fifty times smaller.
const (
	StandardGo Toolchain = "go"
	TinyGo     Toolchain = "tinygo"
)

// Build compiles the module in dir to build/NAME.wasm, with its manifest inside, and returns the package. A module
// without code is only checked. Compiler errors are returned as the compiler wrote them.
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
	var cmd *exec.Cmd
	switch with {
	case StandardGo:
		cmd = exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", out, ".")
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=-mod=mod", "GOWORK=off")
	case TinyGo:
		cmd = exec.CommandContext(ctx, "tinygo", "build", "-target=wasip1", "-buildmode=c-shared", "-opt=2", "-no-debug", "-gc=precise", "-scheduler=none", "-o", out, ".")
	default:
		return fmt.Errorf("build: toolchain %q: want go or tinygo: %w", with, storage.ErrInvalid)
	}
	cmd.Dir = dir
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Run(); ctx.Err() != nil {
		return fmt.Errorf("build with %s: %w", with, ctx.Err())
	} else if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("build: %s is not installed: install it, or choose the other toolchain with --toolchain: %w", with, storage.ErrNotFound)
	} else if err != nil {
		return fmt.Errorf("build with %s:\n%s: %w", with, strings.TrimSpace(text.String()), storage.ErrInvalid)
	}
	return nil
}

// Report is what can be known about a package without running it.
type Report struct {
	Manifest     manifest.Manifest
	Digest       string   // of the code; "" without code
	Imports      []string // "module.name"
	Exports      []string
	Functions    int
	MemoryPages  uint32
	MeteredBytes int
}

// Inspect returns what a package asks for. The error is that of static admission.
func Inspect(p manifest.Package) (Report, error) {
	r := Report{Manifest: p.Manifest}
	if len(p.Wasm) == 0 {
		return r, nil
	}
	r.Digest = manifest.Sum(p.Wasm)
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

// Test runs a package's own cases in the sandbox.
func Test(ctx context.Context, p manifest.Package, cacheDir string) (pipeline.Outcome, error) {
	rt, err := runtime.New(ctx, runtime.Config{CacheDir: cacheDir, Fetch: (&runtime.HTTP{}).Fetch})
	if err != nil {
		return pipeline.Outcome{}, err
	}
	defer func() { _ = rt.Close(ctx) }()
	lib := module.NewLibrary(nil, rt, func(storage.Tenant, string) []runtime.Target { return nil })
	in := module.Install{Name: p.Manifest.Publisher + "/" + p.Manifest.Name, Digest: "candidate"}
	for _, c := range p.Manifest.Capabilities {
		in.Grants = append(in.Grants, c.ID)
	}
	m, err := lib.Prepare(ctx, storage.NoTenant, in, p)
	if err != nil {
		return pipeline.Outcome{}, err
	}
	return pipeline.Test(ctx, m, p.Vectors)
}
