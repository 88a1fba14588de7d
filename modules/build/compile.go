package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

// toolchain is the only one whose output dist may hold; conformance/tools/tinygo.sh installs it.
const toolchain = "tinygo 0.41.1, go1.26.8, LLVM 19.1.7"

// flags make the output small, fast and free of paths. Nothing is ever collected, since the host restores all memory
// before each call: without the collector's bookkeeping the parsers take a sixth to two fifths less time. 640 KiB hold the
// stack, a module's data and the buffers of an ordinary instance: a memory that had to grow would double, and all of it is
// restored before each call.
var flags = []string{"-target=vedette", "-opt=2", "-gc=leaking", "-no-debug", "-ldflags=-extldflags=--initial-memory=655360"}

// Larger files lose their name section, which only traps' traces use.
const maxBytesWithNames = 1 << 20

var versionLine = regexp.MustCompile(`^tinygo version (\S+) \S+ \(using go version (\S+) and LLVM version (\S+)\)`)

// compile builds m with TinyGo and embeds its manifest. There is no fall-back to another compiler.
func (t *tree) compile(ctx context.Context, m module) ([]byte, error) {
	if err := t.checkToolchain(ctx); err != nil {
		return nil, err
	}
	dir, err := t.mainPackage(m)
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", m.dir, err)
	}
	tmp, err := os.MkdirTemp("", "vedette-module-")
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", m.dir, err)
	}
	defer os.RemoveAll(tmp)
	file := filepath.Join(tmp, "module.wasm")
	args := append(append([]string{"build"}, flags...), "-o", file, "./"+dir)
	cmd := exec.CommandContext(ctx, t.tinygo, args...)
	cmd.Dir = t.root
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %s: tinygo %s: %w\n%s", m.dir, strings.Join(args, " "), err, output)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", m.dir, err)
	}
	return t.finish(m, wasm)
}

// finish makes the compiler's output a module: names off when there are too many, manifest in, everything checked.
func (t *tree) finish(m module, wasm []byte) ([]byte, error) {
	if bytes.Contains(wasm, []byte(t.root)) {
		return nil, fmt.Errorf("building %s: the output holds the path %s of this machine", m.dir, t.root)
	}
	if len(wasm) > maxBytesWithNames {
		var err error
		if wasm, err = manifest.Strip(wasm, func(name string) bool { return name == "name" }); err != nil {
			return nil, fmt.Errorf("building %s: %w", m.dir, err)
		}
	}
	canonical, err := m.manifest.Canonical()
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", m.dir, err)
	}
	if wasm, err = manifest.Embed(wasm, canonical); err != nil {
		return nil, fmt.Errorf("building %s: %w", m.dir, err)
	}
	unused, err := m.manifest.CheckWasm(wasm)
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", m.dir, err)
	}
	if len(unused) > 0 {
		return nil, fmt.Errorf("building %s: the manifest asks for %s, which the code does not import", m.dir, strings.Join(unused, ", "))
	}
	return wasm, nil
}

func (t *tree) checkToolchain(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, t.tinygo, "version").Output()
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no %s: run `make .tmp/bin/tinygo`", t.tinygo)
	}
	if err != nil {
		return fmt.Errorf("tinygo version: %w", err)
	}
	v := versionLine.FindStringSubmatch(string(out))
	if v == nil {
		return fmt.Errorf("tinygo version: cannot read %q", out)
	}
	if have := fmt.Sprintf("tinygo %s, %s, LLVM %s", v[1], v[2], v[3]); have != toolchain {
		return fmt.Errorf("this is %s; dist is built with %s: run `make -B .tmp/bin/tinygo`", have, toolchain)
	}
	return nil
}
