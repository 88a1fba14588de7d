// Package sdks shows that a module behaves the same whatever language it is written in: the reference modules in Go, Rust
// and C answer every vector with the same bytes.
package sdks

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/c"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

var update = flag.Bool("update", false, "write what is generated: names of the SDKs, wanted answers of the vectors, dist")

// root is the repository's folder as seen from this package.
const root = "../.."

// reference are the modules that there are in every language; testdata has a folder for each.
var reference = []string{"refkv", "refrule", "refhttp", "refseen", "refsnmp"}

// build is one way to make a module of a reference source.
type build struct {
	name  string
	tool  string   // below root; empty: standard Go, which is always there
	hint  string   // what installs it
	args  []string // with OUT and MODULE
	dir   string   // where it runs, from root
	env   []string
	out   string // where it writes MODULE's code, from dir; empty: OUT
	wasi  manifest.WASI
	limit manifest.Limits
	dist  bool // dist has what it makes, for machines without the tool
}

var builds = []build{
	{
		name: "go", args: []string{"build", "-ldflags=-s -w", "-buildmode=c-shared", "-o", "OUT", "./conformance/sdks/reference/MODULE/module"},
		env: []string{"GOOS=wasip1", "GOARCH=wasm"}, wasi: manifest.WASIStub,
		limit: manifest.Limits{FuelPerCall: 50_000_000, FuelPerRecord: 2_000_000, FuelPerByte: 5000},
	},
	{
		name: "tinygo", tool: ".tmp/bin/tinygo", hint: "make .tmp/bin/tinygo", wasi: manifest.WASIStub, // as modules/build does
		args: []string{
			"build", "-target=vedette", "-opt=2", "-gc=leaking", "-no-debug", "-ldflags=-extldflags=--initial-memory=655360",
			"-o", "OUT", "./conformance/sdks/reference/MODULE/module",
		},
	},
	{
		name: "rust", tool: ".tmp/sdk/bin/cargo", hint: "make sdk", dir: "sdk/rust", dist: true,
		args: []string{"build", "--quiet", "--release", "--offline", "--locked", "--target=wasm32-unknown-unknown", "--target-dir=../../.tmp/sdk/target", "--package=MODULE"},
		out:  "../../.tmp/sdk/target/wasm32-unknown-unknown/release/MODULE.wasm",
	},
	{name: "c", tool: ".tmp/sdk/bin/clang", hint: "make sdk", dir: "sdk/c", dist: true, args: slices.Concat(c.Flags, []string{"-Werror", "-I", ".", "-o", "OUT", "reference/MODULE.c"})},
}

// here returns the tool's path, "" when it is not installed.
func (b *build) here() string {
	if b.tool == "" {
		return "go"
	}
	path, _ := filepath.Abs(filepath.Join(root, b.tool))
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}

var made sync.Map // build and module -> wasm

// wasm returns a module's code: built once per test run, or what dist has when the tool is not here.
func (b *build) wasm(tb testing.TB, module string) []byte {
	tb.Helper()
	if code, ok := made.Load(b.name + module); ok {
		return code.([]byte)
	}
	tool := b.here()
	if tool == "" && !b.dist {
		tb.Skipf("%s is not installed: it waits for `%s`", b.name, b.hint)
	}
	if tool == "" {
		tb.Logf("%s is not installed: dist/%s has what it makes of %s; `%s` builds it anew", b.tool, b.name, module, b.hint)
		code := read(tb, distFile(b.name, module))
		made.Store(b.name+module, code)
		return code
	}
	out := filepath.Join(tb.TempDir(), module+".wasm")
	args := make([]string, len(b.args))
	for i, a := range b.args {
		args[i] = strings.ReplaceAll(strings.ReplaceAll(a, "OUT", out), "MODULE", module)
	}
	cmd := exec.Command(tool, args...)
	cmd.Dir = filepath.Join(root, b.dir)
	cmd.Env = append(os.Environ(), b.env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s of %s: %v\n%s", b.name, module, err, text)
	}
	if b.out != "" {
		out = filepath.Join(cmd.Dir, strings.ReplaceAll(b.out, "MODULE", module))
	}
	code := read(tb, out)
	made.Store(b.name+module, code)
	return code
}

func read(tb testing.TB, file string) []byte {
	tb.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// readManifest returns the manifest that a reference module has in every language.
func readManifest(tb testing.TB, module string) manifest.Manifest {
	tb.Helper()
	file := filepath.Join("testdata", module, manifest.FileName)
	m, err := manifest.Parse(file, read(tb, file))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// spec is what a host is told about a build: what its manifest and its language ask for.
func (b *build) spec(tb testing.TB, module string, settings []byte) runtime.ModuleSpec {
	tb.Helper()
	m := readManifest(tb, module)
	spec := runtime.ModuleSpec{
		Digest: b.name + "/" + module, Wasm: b.wasm(tb, module), Kind: m.Kind, Settings: settings, Names: m.Names,
		Limits: b.limit, WASIStub: b.wasi == manifest.WASIStub, Grants: m.ImportModules(),
	}
	if m.Kind == manifest.Monitor {
		spec.Targets = []runtime.Target{{Name: "target", URL: "http://192.0.2.1"}}
	}
	return spec
}

// load runs a module, metered.
func (b *build) load(tb testing.TB, h *runtime.Host, module string) *runtime.Module {
	tb.Helper()
	m, err := h.Load(tb.Context(), b.spec(tb, module, nil))
	if err != nil {
		tb.Fatalf("%s/%s: %v", b.name, module, err)
	}
	return m
}

func newHost(tb testing.TB, cfg runtime.Config) *runtime.Host {
	tb.Helper()
	h, err := runtime.New(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = h.Close(tb.Context()) })
	return h
}
