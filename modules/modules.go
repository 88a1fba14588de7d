// Package modules holds the modules that ship inside the binary, ready to be installed like any other.
package modules

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

//go:embed all:dist */*/*.yaml */*/testdata/*.txtar
var files embed.FS

// Builtin returns every shipped module as a package, parsers first, then monitors, then rules, each kind by name. The
// packages are complete and checked; the caller owns them. An error means that the binary was built from a tree in
// which modules/dist does not belong to the module folders.
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
			all = append(all, p)
		}
	}
	return all, nil
}

func read(dir string) (manifest.Package, error) {
	folder, err := fs.Sub(files, dir)
	if err != nil {
		return manifest.Package{}, err
	}
	wasm, err := files.ReadFile("dist/" + path.Base(dir) + ".wasm")
	if errors.Is(err, fs.ErrNotExist) {
		wasm = nil
	} else if err != nil {
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
