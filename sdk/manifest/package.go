package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// File is one file of a package; Path is relative to the module's folder, with slashes.
type File struct {
	Path string
	Data []byte
}

// Package is everything that a module consists of, as it is pushed, pulled and installed. Files are sorted by path.
type Package struct {
	Manifest      Manifest
	ManifestBytes []byte // canonical form of Manifest
	Wasm          []byte // nil when the manifest's entry has no code; with a spec, the interpreter's, as it is
	Documents     []File // the manifest's entry.documents, or its spec
	Vectors       []File // what the manifest's vectors select
	Docs          []File // README.md
}

// Check verifies that the parts fit each other and the limits. The error wraps ErrInvalid.
func (p *Package) Check() error {
	canonical, err := p.Manifest.Canonical()
	if err != nil {
		return err
	}
	name := p.Manifest.Reference()
	if err := p.Manifest.Validate(); err != nil {
		return fmt.Errorf("package %s: %w", name, err)
	}
	if !bytes.Equal(canonical, p.ManifestBytes) {
		return fmt.Errorf("package %s: the manifest's bytes are not its canonical form: %w", name, ErrInvalid)
	}
	switch {
	case p.Manifest.Entry.Wasm:
		if _, err := p.Manifest.CheckWasm(p.Wasm); err != nil {
			return fmt.Errorf("package %s: %w", name, err)
		}
	case p.Manifest.Entry.Spec != "":
		if _, err := p.Interpreter(); err != nil {
			return fmt.Errorf("package %s: %w", name, err)
		}
	case len(p.Wasm) > 0:
		return fmt.Errorf("package %s holds code that its manifest does not mention: %w", name, ErrInvalid)
	}
	if len(p.Documents)+len(p.Vectors)+len(p.Docs) > MaxFiles {
		return fmt.Errorf("package %s: more than %d files: %w", name, MaxFiles, ErrInvalid)
	}
	for _, set := range [][]File{p.Documents, p.Vectors, p.Docs} {
		if err := checkFiles(set); err != nil {
			return fmt.Errorf("package %s: %w", name, err)
		}
	}
	return p.checkNames(name)
}

// Interpreter returns the manifest of the code that reads the package's spec. The error wraps ErrInvalid.
func (p *Package) Interpreter() (Manifest, error) {
	w, err := ReadWasm(p.Wasm)
	if err != nil {
		return Manifest{}, fmt.Errorf("interpreter of the spec: %w", err)
	}
	m, err := Decode(w.Manifest)
	if err != nil {
		return m, fmt.Errorf("interpreter of the spec: %w", err)
	}
	if !m.Entry.Interprets || len(m.Capabilities) > 0 {
		return m, fmt.Errorf("interpreter of the spec: %s reads no specs, or asks for capabilities: %w", m.Reference(), ErrInvalid)
	}
	if _, err := m.CheckWasm(p.Wasm); err != nil {
		return m, fmt.Errorf("interpreter of the spec: %w", err)
	}
	return m, nil
}

// documents lists the paths and patterns of the manifest's entry.
func (m *Manifest) documents() []string {
	names := slices.Clone(m.Entry.Documents)
	if m.Entry.Spec != "" {
		names = append(names, m.Entry.Spec)
	}
	return names
}

func (p *Package) checkNames(name string) error {
	if err := checkSelected("documents", p.Manifest.documents(), p.Documents); err != nil {
		return fmt.Errorf("package %s: %w", name, err)
	}
	if err := checkSelected("vectors", p.Manifest.Vectors, p.Vectors); err != nil {
		return fmt.Errorf("package %s: %w", name, err)
	}
	for _, f := range p.Docs {
		if f.Path != DocsName {
			return fmt.Errorf("package %s: docs hold %q, want only %s: %w", name, f.Path, DocsName, ErrInvalid)
		}
	}
	return nil
}

// checkSelected verifies that patterns of the manifest select just these files, and each of them one at least.
func checkSelected(what string, patterns []string, files []File) error {
	used := make([]bool, len(patterns))
	for _, f := range files {
		selected := false
		for i, pattern := range patterns {
			if ok, _ := path.Match(pattern, f.Path); ok {
				selected, used[i] = true, true
			}
		}
		if !selected {
			return fmt.Errorf("the manifest's %s do not select %q: %w", what, f.Path, ErrInvalid)
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		return fmt.Errorf("%s %q select no file: %w", what, patterns[i], ErrInvalid)
	}
	return nil
}

func checkFiles(files []File) error {
	total := 0
	for i, f := range files {
		if err := CheckPath(f.Path); err != nil {
			return err
		}
		if i > 0 && files[i-1].Path >= f.Path {
			return fmt.Errorf("files %q and %q are not in order: %w", files[i-1].Path, f.Path, ErrInvalid)
		}
		if len(f.Data) > MaxFileBytes {
			return fmt.Errorf("file %q of %d bytes, the limit is %d: %w", f.Path, len(f.Data), MaxFileBytes, ErrInvalid)
		}
		if total += len(f.Data); total > MaxContentBytes {
			return fmt.Errorf("files of more than %d bytes: %w", MaxContentBytes, ErrInvalid)
		}
	}
	return nil
}

// ReadFolder makes a package of a module's folder and its built Wasm file (nil for a package without code, the
// interpreter's for one with a spec). The manifest is embedded into wasm, so that it may come straight from the
// compiler; an interpreter's stays as it is. name is the folder's name in errors.
func ReadFolder(name string, folder fs.FS, wasm []byte) (Package, error) {
	var p Package
	src, err := readFile(folder, FileName)
	if err != nil {
		return p, fmt.Errorf("module %s: %w", name, err)
	}
	if p.Manifest, err = Parse(path.Join(name, FileName), src); err != nil {
		return Package{}, err
	}
	if p.ManifestBytes, err = p.Manifest.Canonical(); err != nil {
		return Package{}, fmt.Errorf("module %s: %w", name, err)
	}
	if p.Manifest.Entry.Spec != "" {
		p.Wasm = wasm
	} else if len(wasm) > 0 {
		if p.Wasm, err = Embed(wasm, p.ManifestBytes); err != nil {
			return Package{}, fmt.Errorf("module %s: %w", name, err)
		}
	}
	if p.Documents, err = readSelected(folder, p.Manifest.documents()); err != nil {
		return Package{}, fmt.Errorf("module %s: documents: %w", name, err)
	}
	if p.Vectors, err = readSelected(folder, p.Manifest.Vectors); err != nil {
		return Package{}, fmt.Errorf("module %s: vectors: %w", name, err)
	}
	if _, err := fs.Stat(folder, DocsName); err == nil {
		if p.Docs, err = readAll(folder, []string{DocsName}); err != nil {
			return Package{}, fmt.Errorf("module %s: docs: %w", name, err)
		}
	}
	if err := p.Check(); err != nil {
		return Package{}, fmt.Errorf("module %s: %w", name, err)
	}
	return p, nil
}

// readSelected reads the files that patterns select. A path without a pattern must be there.
func readSelected(folder fs.FS, patterns []string) ([]File, error) {
	var paths []string
	for _, pattern := range patterns {
		found, err := fs.Glob(folder, pattern)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", pattern, err)
		}
		if len(found) == 0 && !strings.ContainsAny(pattern, `*?[`) {
			found = []string{pattern} // reading it says what is wrong
		}
		paths = append(paths, found...)
	}
	return readAll(folder, paths)
}

func readAll(folder fs.FS, paths []string) ([]File, error) {
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if len(paths) > MaxFiles {
		return nil, fmt.Errorf("%d files, the limit is %d: %w", len(paths), MaxFiles, ErrInvalid)
	}
	var files []File
	for _, p := range paths {
		data, err := readFile(folder, p)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Path: p, Data: data})
	}
	return files, nil
}

// readFile reads a regular file of at most MaxFileBytes.
func readFile(folder fs.FS, name string) ([]byte, error) {
	if err := CheckPath(name); err != nil {
		return nil, err
	}
	info, err := fs.Stat(folder, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s: %w", name, ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: %w", name, ErrInvalid)
	}
	if info.Size() > MaxFileBytes {
		return nil, fmt.Errorf("%s has more than %d bytes: %w", name, MaxFileBytes, ErrInvalid)
	}
	data, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data, nil
}
