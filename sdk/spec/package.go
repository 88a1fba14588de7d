package spec

import (
	"fmt"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// About is what a package says of itself beside its spec.
type About struct {
	Publisher   string // "" for "local"
	Name        string
	Version     string // "" for "1.0.0"
	Title       string // "" for the name
	Description string
}

// Manifest returns the manifest of a package with a spec.
func (a About) Manifest() manifest.Manifest {
	m := manifest.Manifest{
		Publisher: a.Publisher, Name: a.Name, Version: a.Version, Kind: manifest.Parser, Title: a.Title, Description: a.Description,
		ABI: fmt.Sprintf("%d.%d", abi.Major, abi.Minor), Entry: manifest.Entry{Spec: FileName},
	}
	fill := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	fill(&m.Publisher, "local")
	fill(&m.Version, "1.0.0")
	fill(&m.Title, a.Name)
	return m
}

// Package makes a complete package of a spec. interpreter is the code of the declarative parser (modules.Interpreter),
// cases are the package's own tests, "testdata/NAME.txtar", sorted. The error is an *Error about the spec or wraps
// manifest.ErrInvalid.
func Package(about About, yaml, interpreter []byte, cases []manifest.File) (manifest.Package, error) {
	if _, err := Check(FileName, yaml); err != nil {
		return manifest.Package{}, err
	}
	m := about.Manifest()
	if len(cases) > 0 {
		m.Vectors = []string{"testdata/*.txtar"}
	}
	canonical, err := m.Canonical()
	if err != nil {
		return manifest.Package{}, err
	}
	p := manifest.Package{
		Manifest: m, ManifestBytes: canonical, Wasm: interpreter, Documents: []manifest.File{{Path: FileName, Data: yaml}}, Vectors: cases,
	}
	if err := p.Check(); err != nil {
		return manifest.Package{}, err
	}
	return p, nil
}

// Of reads the spec of a package. The error is an *Error.
func Of(p *manifest.Package) (*Spec, error) {
	for _, f := range p.Documents {
		if f.Path == p.Manifest.Entry.Spec {
			return Check(f.Path, f.Data)
		}
	}
	return nil, fmt.Errorf("package %s has no spec: %w", p.Manifest.Reference(), manifest.ErrInvalid)
}
