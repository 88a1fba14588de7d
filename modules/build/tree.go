package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

// interpreter is the module whose code is that of every parser with a spec.
const interpreter = "declarative"

// kinds are the folders of modules/ that hold module folders.
var kinds = []string{"parsers", "monitors", "rules"}

// tree is the repository, seen as modules and what is built of them.
type tree struct {
	root    string // absolute
	tinygo  string
	modules []module
	lock    lock
}

// module is one folder with a module.yaml.
type module struct {
	dir      string // "modules/parsers/fortigate", from the root
	name     string // "fortigate": the folder's name, and the dist file's
	manifest manifest.Manifest
	source   string // digest of everything that the build reads; "" without code
}

// lock is modules/dist/lock.json.
type lock struct {
	Toolchain string               `json:"toolchain"`
	Flags     []string             `json:"flags"`
	Modules   map[string]lockEntry `json:"modules"` // by module name
}

// lockEntry says which sources a file in dist was built of.
type lockEntry struct {
	Source string `json:"source"` // digest over the sources, sdk/go, toolchain and flags
	Wasm   string `json:"wasm"`   // digest of dist/NAME.wasm
	Size   int    `json:"size"`   // its bytes
}

func openTree(root, tinygo string) (*tree, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("root: %w", err)
	}
	t := &tree{root: abs, tinygo: tinygo}
	if t.tinygo == "" {
		t.tinygo = filepath.Join(abs, ".tmp/bin/tinygo")
	}
	if err := t.readLock(); err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, kind := range kinds {
		dirs, err := filepath.Glob(filepath.Join(abs, "modules", kind, "*", manifest.FileName))
		if err != nil {
			return nil, fmt.Errorf("finding modules: %w", err)
		}
		for _, file := range dirs {
			m, err := t.readModule(filepath.Dir(file))
			if err != nil {
				return nil, err
			}
			if names[m.name] != "" {
				return nil, fmt.Errorf("%s and %s have the same name", names[m.name], m.dir)
			}
			names[m.name] = m.dir
			if want := strings.TrimSuffix(kind, "s"); string(m.manifest.Kind) != want {
				return nil, fmt.Errorf("%s is a %s, its folder is for a %s", m.dir, m.manifest.Kind, want)
			}
			t.modules = append(t.modules, m)
		}
	}
	return t, nil
}

func (t *tree) readModule(dir string) (module, error) {
	rel, err := filepath.Rel(t.root, dir)
	if err != nil {
		return module{}, fmt.Errorf("module folder: %w", err)
	}
	m := module{dir: filepath.ToSlash(rel), name: filepath.Base(dir)}
	src, err := os.ReadFile(filepath.Join(dir, manifest.FileName))
	if err != nil {
		return module{}, fmt.Errorf("module %s: %w", m.dir, err)
	}
	if m.manifest, err = manifest.Parse(m.dir+"/"+manifest.FileName, src); err != nil {
		return module{}, err
	}
	if m.manifest.Entry.Wasm {
		if m.source, err = t.sourceDigest(m); err != nil {
			return module{}, fmt.Errorf("module %s: %w", m.dir, err)
		}
	}
	return m, nil
}

func (t *tree) dist(name string) string { return filepath.Join(t.root, "modules/dist", name) }

func (t *tree) readLock() error {
	t.lock = lock{Modules: map[string]lockEntry{}}
	b, err := os.ReadFile(t.dist("lock.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the lock: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&t.lock); err != nil {
		return fmt.Errorf("modules/dist/lock.json: %w", err)
	}
	return nil
}

func (t *tree) writeLock() error {
	t.lock.Toolchain, t.lock.Flags = toolchain, flags
	b, err := json.MarshalIndent(t.lock, "", "  ")
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return writeIfChanged(t.dist("lock.json"), append(b, '\n'))
}

// fresh reports whether dist holds what the lock says about m's present sources.
func (t *tree) fresh(m module) error {
	e, ok := t.lock.Modules[m.name]
	if !ok {
		return errors.New("never built")
	}
	if e.Source != m.source {
		return errors.New("its sources, the SDK or the toolchain have changed since it was built")
	}
	b, err := os.ReadFile(t.dist(m.name + ".wasm"))
	if err != nil {
		return fmt.Errorf("dist: %w", err)
	}
	if manifest.Sum(b) != e.Wasm || len(b) != e.Size {
		return fmt.Errorf("modules/dist/%s.wasm is not the file that the lock names", m.name)
	}
	return nil
}

// build brings dist, lock and table up to date.
func (t *tree) build(ctx context.Context, out io.Writer, all bool) error {
	if err := os.MkdirAll(t.dist(""), 0o755); err != nil {
		return fmt.Errorf("dist: %w", err)
	}
	for _, m := range t.modules {
		if m.source == "" || (!all && t.fresh(m) == nil) {
			continue
		}
		wasm, err := t.compile(ctx, m)
		if err != nil {
			return err
		}
		if err := writeIfChanged(t.dist(m.name+".wasm"), wasm); err != nil {
			return err
		}
		e := lockEntry{Source: m.source, Wasm: manifest.Sum(wasm), Size: len(wasm)}
		t.lock.Modules[m.name] = e
		if err := t.writeLock(); err != nil { // now: an interrupted run must not build this one again
			return err
		}
		fmt.Fprintf(out, "built %s: %d bytes, %s\n", m.dir, e.Size, e.Wasm)
	}
	for _, stray := range t.strays() {
		delete(t.lock.Modules, strings.TrimSuffix(stray, ".wasm"))
		if err := os.Remove(t.dist(stray)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing what no folder makes any more: %w", err)
		}
		fmt.Fprintf(out, "removed dist/%s\n", stray)
	}
	if err := t.writeLock(); err != nil {
		return err
	}
	readme, err := t.readme()
	if err != nil {
		return err
	}
	if err := writeIfChanged(filepath.Join(t.root, "modules/README.md"), readme); err != nil {
		return err
	}
	return t.check(out)
}

// strays lists the Wasm files and lock entries that no module folder accounts for, as file names.
func (t *tree) strays() []string {
	known := map[string]bool{}
	for _, m := range t.modules {
		known[m.name+".wasm"] = m.source != ""
	}
	found := map[string]bool{}
	files, _ := filepath.Glob(t.dist("*.wasm")) // the pattern is well formed
	for _, f := range files {
		found[filepath.Base(f)] = true
	}
	for name := range t.lock.Modules {
		found[name+".wasm"] = true
	}
	maps.DeleteFunc(found, func(name string, _ bool) bool { return known[name] })
	return slices.Sorted(maps.Keys(found))
}

// check reports everything that does not belong together, building nothing.
func (t *tree) check(out io.Writer) error {
	var bad []error
	for _, m := range t.modules {
		if m.source != "" {
			if err := t.fresh(m); err != nil {
				bad = append(bad, fmt.Errorf("%s: %w", m.dir, err))
				continue
			}
		}
		if err := t.checkPackage(m); err != nil {
			bad = append(bad, err)
		}
	}
	for _, stray := range t.strays() {
		bad = append(bad, fmt.Errorf("modules/dist/%s: no module folder makes it", stray))
	}
	want, err := t.readme()
	if err != nil {
		return err
	}
	have, err := os.ReadFile(filepath.Join(t.root, "modules/README.md"))
	if err != nil || !bytes.Equal(have, want) {
		bad = append(bad, errors.New("modules/README.md: the table is not up to date"))
	}
	if len(bad) > 0 {
		return fmt.Errorf("run `make modules`:\n%w", errors.Join(bad...))
	}
	fmt.Fprintf(out, "%d modules, dist is up to date\n", len(t.modules))
	return nil
}

// checkPackage does what installing the module would check without running it.
func (t *tree) checkPackage(m module) error {
	var wasm []byte
	code := m.name
	if m.manifest.Entry.Spec != "" {
		code = interpreter
	}
	if m.source != "" || code == interpreter {
		var err error
		if wasm, err = os.ReadFile(t.dist(code + ".wasm")); err != nil {
			return fmt.Errorf("%s: %w", m.dir, err)
		}
	}
	p, err := manifest.ReadFolder(m.dir, os.DirFS(filepath.Join(t.root, m.dir)), wasm)
	if err != nil {
		return err
	}
	if !bytes.Equal(p.Wasm, wasm) {
		return fmt.Errorf("%s: modules/dist/%s.wasm holds another manifest", m.dir, m.name)
	}
	return nil
}

// verify builds everything anew and compares.
func (t *tree) verify(ctx context.Context, out io.Writer) error {
	if err := t.check(io.Discard); err != nil {
		return err
	}
	for _, m := range t.modules {
		if m.source == "" {
			continue
		}
		wasm, err := t.compile(ctx, m)
		if err != nil {
			return err
		}
		if got, want := manifest.Sum(wasm), t.lock.Modules[m.name].Wasm; got != want {
			return fmt.Errorf("%s: built again it is %s, dist holds %s", m.dir, got, want)
		}
		fmt.Fprintf(out, "%s: the same %d bytes\n", m.dir, len(wasm))
	}
	return nil
}

func writeIfChanged(name string, data []byte) error {
	if have, err := os.ReadFile(name); err == nil && bytes.Equal(have, data) {
		return nil
	}
	if err := os.WriteFile(name+".new", data, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
