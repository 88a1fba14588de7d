package main

import (
	"errors"
	"fmt"
	"go/build"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

const (
	rootModule = "github.com/vedette-siem/vedette/"
	sdkModule  = rootModule + "sdk/go"
)

// guest is how the Go tool sees a module's sources under TinyGo.
func guest() *build.Context {
	c := build.Default
	c.GOOS, c.GOARCH, c.CgoEnabled, c.Compiler = "wasip1", "wasm", false, "gc"
	c.BuildTags = []string{"tinygo", "tinygo.wasm"}
	return &c
}

// mainPackage is the folder of m's package main: the module's own, or the only one below it.
func (t *tree) mainPackage(m module) (string, error) {
	found := []string{}
	below, err := filepath.Glob(filepath.Join(t.root, m.dir, "*"))
	if err != nil {
		return "", fmt.Errorf("looking for package main: %w", err)
	}
	for _, dir := range append([]string{filepath.Join(t.root, m.dir)}, below...) {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() || filepath.Base(dir) == "testdata" {
			continue
		}
		p, err := guest().ImportDir(dir, 0)
		var none *build.NoGoError
		if errors.As(err, &none) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("reading %s: %w", dir, err)
		}
		if p.Name == "main" {
			rel, err := filepath.Rel(t.root, dir)
			if err != nil {
				return "", err
			}
			found = append(found, filepath.ToSlash(rel))
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("want one package main in %s or a folder of it, found %d %v", m.dir, len(found), found)
	}
	return found[0], nil
}

// sourceDigest is the digest over everything that decides the bytes of m's Wasm file: its manifest, every source file
// that is compiled in, the TinyGo target, the toolchain and the flags. Paths are those from the root, so that it is the
// same in every clone.
func (t *tree) sourceDigest(m module) (string, error) {
	dir, err := t.mainPackage(m)
	if err != nil {
		return "", err
	}
	canonical, err := m.manifest.Canonical()
	if err != nil {
		return "", err
	}
	files := map[string]bool{"conformance/tools/tinygo-target.json": true, "sdk/go/go.mod": true}
	if err := t.collect(dir, map[string]bool{}, files); err != nil {
		return "", err
	}
	lines := []string{toolchain, strings.Join(flags, " "), manifest.Sum(canonical)}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b, err := os.ReadFile(filepath.Join(t.root, name))
		if err != nil {
			return "", fmt.Errorf("source: %w", err)
		}
		lines = append(lines, name+" "+manifest.Sum(b))
	}
	return manifest.Sum([]byte(strings.Join(lines, "\n"))), nil
}

// collect adds the files of the package in dir and of our packages that it imports. A module is written against sdk/go
// and the standard library; any other import is refused, because its code would be outside the lock and the review.
func (t *tree) collect(dir string, seen, files map[string]bool) error {
	if seen[dir] {
		return nil
	}
	seen[dir] = true
	p, err := guest().ImportDir(filepath.Join(t.root, dir), 0)
	if err != nil {
		return fmt.Errorf("reading %s: %w", dir, err)
	}
	if len(p.CgoFiles)+len(p.CFiles)+len(p.SFiles) > 0 {
		return fmt.Errorf("%s holds C or assembly", dir)
	}
	for _, name := range p.GoFiles {
		files[path.Join(dir, name)] = true
	}
	for _, pattern := range p.EmbedPatterns {
		found, err := filepath.Glob(filepath.Join(t.root, dir, pattern))
		if err != nil || len(found) == 0 {
			return fmt.Errorf("%s embeds %q, which selects no file: %w", dir, pattern, errors.Join(err, os.ErrNotExist))
		}
		for _, name := range found {
			rel, err := filepath.Rel(t.root, name)
			if err != nil {
				return err
			}
			files[filepath.ToSlash(rel)] = true
		}
	}
	for _, imported := range p.Imports {
		first, _, _ := strings.Cut(imported, "/")
		switch {
		case imported == sdkModule || strings.HasPrefix(imported, sdkModule+"/"), strings.HasPrefix(imported, rootModule+"modules/"):
			if err := t.collect(strings.TrimPrefix(imported, rootModule), seen, files); err != nil {
				return err
			}
		case !strings.Contains(first, "."): // standard library: part of the toolchain
		default:
			return fmt.Errorf("%s imports %s: a shipped module imports sdk/go and the standard library only", dir, imported)
		}
	}
	return nil
}
