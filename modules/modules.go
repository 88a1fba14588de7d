// Package modules holds the modules that ship inside the binary, ready to be installed like any other.
package modules

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

//go:embed all:dist */*/*.yaml */*/testdata/*.txtar
var files embed.FS

// Interpreter returns the code of every package with a spec (parsers/declarative), with its own manifest inside.
func Interpreter() ([]byte, error) { return code("declarative") }

// RuleInterpreter returns the code of every package of compiled rules (rules/portable), and its own manifest.
func RuleInterpreter() ([]byte, manifest.Manifest, error) {
	p, err := read("rules/portable")
	return p.Wasm, p.Manifest, err
}

// Ships reports whether code is that of a shipped module or the interpreter of specs, byte for byte.
func Ships(wasm []byte) bool { return shipped()[sha256.Sum256(wasm)] }

var shipped = sync.OnceValue(func() map[[sha256.Size]byte]bool {
	sums := map[[sha256.Size]byte]bool{}
	names, _ := fs.Glob(files, "dist/*.wasm") // the pattern is well formed
	for _, name := range names {
		if wasm, err := files.ReadFile(name); err == nil {
			sums[sha256.Sum256(wasm)] = true
		}
	}
	return sums
})

// code returns a file of dist, nil when there is none.
func code(name string) ([]byte, error) {
	wasm, err := files.ReadFile("dist/" + name + ".wasm")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return wasm, nil
}

// Builtin returns every shipped module as a package, parsers first, then monitors, then rules, each kind by name. The
// packages are complete and checked; the caller owns them. The interpreter of specs is not among them: it is part of
// every package with a spec and does nothing without one. An error means that the binary was built from a tree in which
// modules/dist does not belong to the module folders.
func Builtin() ([]manifest.Package, error) {
	var all []manifest.Package
	for _, kind := range []string{"parsers", "monitors", "rules"} {
		dirs, err := fs.Glob(files, kind+"/*/"+manifest.FileName)
		if err != nil {
			return nil, fmt.Errorf("shipped modules: %w", err)
		}
		for _, file := range dirs {
			p, err := read(path.Dir(file))
			if err != nil {
				return nil, fmt.Errorf("shipped modules: %w", err)
			}
			if !p.Manifest.Entry.Interprets {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

func read(dir string) (manifest.Package, error) {
	folder, err := fs.Sub(files, dir)
	if err != nil {
		return manifest.Package{}, err
	}
	src, err := fs.ReadFile(folder, manifest.FileName)
	if err != nil {
		return manifest.Package{}, err
	}
	m, err := manifest.Parse(path.Join(dir, manifest.FileName), src)
	if err != nil {
		return manifest.Package{}, err
	}
	wasm, err := code(path.Base(dir))
	if m.Entry.Spec != "" {
		wasm, err = Interpreter()
	}
	if err != nil {
		return manifest.Package{}, err
	}
	p, err := manifest.ReadFolder(dir, folder, wasm)
	if err != nil {
		return manifest.Package{}, fmt.Errorf("%w (run `make modules`)", err)
	}
	if !bytes.Equal(p.Wasm, wasm) {
		return manifest.Package{}, fmt.Errorf("%s: dist/%s.wasm holds another manifest (run `make modules`)", dir, path.Base(dir))
	}
	return p, nil
}
