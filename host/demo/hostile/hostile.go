// Package hostile holds parsers that try to hurt their host on a marked record: what the demo shows being stopped.
//
// Each behaves on all other records, so its own package tests pass: what stops it is what runs, not what was tested.
// module.wasm is made of module.wat by `wat2wasm --debug-names module.wat -o module.wasm` (Debian package wabt).
package hostile

import (
	"embed"
	"fmt"
	"io/fs"
	"sync"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

//go:embed */module.yaml */module.wasm */testdata/*.txtar
var folders embed.FS

// Packages returns the hostile parsers, by name. They are shared and must not be changed.
var Packages = sync.OnceValues(func() ([]manifest.Package, error) {
	names, err := fs.Glob(folders, "*")
	if err != nil {
		return nil, fmt.Errorf("hostile parsers: %w", err)
	}
	var out []manifest.Package
	for _, name := range names {
		folder, err := fs.Sub(folders, name)
		if err != nil {
			return nil, fmt.Errorf("hostile parser %s: %w", name, err)
		}
		wasm, err := fs.ReadFile(folder, "module.wasm")
		if err != nil {
			return nil, fmt.Errorf("hostile parser %s: %w", name, err)
		}
		p, err := manifest.ReadFolder(name, folder, wasm)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
})

// Mark is how a record begins that a hostile parser is asked for, and goes wild on.
func Mark(m *manifest.Manifest) string { return m.Match.Signatures[0].Prefix }
