package sdks

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

// maxDistBytes is the largest file that dist may hold.
const maxDistBytes = 60 << 10

func distFile(build, module string) string { return filepath.Join("dist", build, module+".wasm") }

// lock is dist/lock.json, by the names of builds.
type lock map[string]*lockBuild

type lockBuild struct {
	Toolchain string               `json:"toolchain"` // the only one whose output dist may hold
	Args      []string             `json:"args"`
	Modules   map[string]lockEntry `json:"modules"`
}

// lockEntry says which sources a file in dist was built of.
type lockEntry struct {
	Source string `json:"source"` // digest over the SDK's and the module's sources
	Wasm   string `json:"wasm"`   // digest of the file
	Size   int    `json:"size"`   // its bytes
}

func readLock(t *testing.T) lock {
	t.Helper()
	l := lock{}
	b, err := os.ReadFile("dist/lock.json")
	if err == nil {
		err = json.Unmarshal(b, &l)
	}
	if err != nil && !*update {
		t.Fatal(err)
	}
	return l
}

// sources are the files that decide the bytes of a module, from root.
func sources(t *testing.T, b *build, module string) []string {
	t.Helper()
	if b.name == "c" {
		return []string{"sdk/c/vedette.h", "sdk/c/reference/" + module + ".c"}
	}
	files := []string{"sdk/rust/Cargo.toml", "sdk/rust/Cargo.lock", "sdk/rust/.cargo/config.toml"}
	for _, dir := range []string{"sdk/rust/src", "sdk/rust/reference/" + module} {
		err := fs.WalkDir(os.DirFS(root), dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !strings.HasSuffix(path, "_test.rs") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(files)
	return files
}

// sourceDigest is the digest over a module's sources, the list of names left out: what is appended to it changes no
// module that was built before.
func sourceDigest(t *testing.T, b *build, module string) string {
	t.Helper()
	var lines []string
	for _, name := range sources(t, b, module) {
		text := read(t, filepath.Join(root, name))
		if head, rest, ok := bytes.Cut(text, []byte(namesBegin)); ok {
			_, tail, _ := bytes.Cut(rest, []byte(namesEnd))
			text = slices.Concat(head, tail)
		}
		lines = append(lines, name+" "+manifest.Sum(text))
	}
	return manifest.Sum([]byte(strings.Join(lines, "\n")))
}

// toolchain is what an installed tool calls itself.
func toolchain(t *testing.T, b *build) string {
	t.Helper()
	commands := [][]string{{b.here(), "--version"}, {"wasm-ld-19", "--version"}}
	if b.name == "rust" {
		commands[0] = []string{filepath.Join(filepath.Dir(b.here()), "rustc"), "--version"}
	}
	var names []string
	for _, c := range commands {
		out, err := exec.Command(c[0], c[1:]...).Output()
		if err != nil {
			t.Fatalf("%s: %v", strings.Join(c, " "), err)
		}
		first, _, _ := strings.Cut(string(out), "\n")
		names = append(names, strings.TrimSpace(first))
	}
	return strings.Join(names, ", ")
}

// TestDist: dist holds what the locked toolchains make of the present sources, byte for byte where they are installed.
func TestDist(t *testing.T) {
	l := readLock(t)
	for i := range builds {
		b := &builds[i]
		if !b.dist {
			continue
		}
		t.Run(b.name, func(t *testing.T) {
			switch have := ""; {
			case b.here() == "" && *update:
				t.Fatalf("%s is not installed: `%s`", b.tool, b.hint)
			case b.here() == "":
				t.Logf("%s is not installed: sources and digests are compared, nothing is built; `%s` does it", b.tool, b.hint)
			default:
				have = toolchain(t, b)
				if *update {
					l[b.name] = &lockBuild{Toolchain: have, Args: b.args, Modules: map[string]lockEntry{}}
				} else if have != l[b.name].Toolchain {
					t.Fatalf("this is %s; dist was built with %s: `make sdk` writes it anew", have, l[b.name].Toolchain)
				}
			}
			for _, module := range reference {
				l.check(t, b, module)
			}
		})
	}
	if *update {
		text, _ := json.MarshalIndent(l, "", "  ")
		if err := os.WriteFile("dist/lock.json", append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (l lock) check(t *testing.T, b *build, module string) {
	t.Helper()
	file := distFile(b.name, module)
	if *update {
		code := b.wasm(t, module)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, code, 0o644); err != nil {
			t.Fatal(err)
		}
		l[b.name].Modules[module] = lockEntry{sourceDigest(t, b, module), manifest.Sum(code), len(code)}
	}
	e, code := l[b.name].Modules[module], read(t, file)
	here, _ := filepath.Abs(root)
	switch {
	case manifest.Sum(code) != e.Wasm || len(code) != e.Size:
		t.Errorf("%s is not the file that the lock names", file)
	case sourceDigest(t, b, module) != e.Source:
		t.Errorf("the sources of %s have changed since it was built: `make sdk`", file)
	case !slices.Equal(l[b.name].Args, b.args):
		t.Errorf("the arguments of %s have changed since it was built: `make sdk`", file)
	case bytes.Contains(code, []byte(here)):
		t.Errorf("%s holds the path %s of this machine", file, here)
	case len(code) > maxDistBytes:
		t.Errorf("%s has %d bytes, at most %d", file, len(code), maxDistBytes)
	case b.here() != "" && !bytes.Equal(b.wasm(t, module), code):
		t.Errorf("%s is not what the toolchain makes of its sources", file)
	}
}

// TestPackages: every build is a package that the registry and a host take, with the same manifest but for WASI.
func TestPackages(t *testing.T) {
	for i := range builds {
		b := &builds[i]
		for _, module := range reference {
			t.Run(b.name+"/"+module, func(t *testing.T) {
				m := readManifest(t, module)
				m.WASI = b.wasi
				canonical, err := m.Canonical()
				if err != nil {
					t.Fatal(err)
				}
				code, err := manifest.Embed(b.wasm(t, module), canonical)
				if err != nil {
					t.Fatal(err)
				}
				unused, err := m.CheckWasm(code)
				if err != nil || len(unused) > 0 {
					t.Errorf("it asks for %v without a use: %v", unused, err)
				}
				t.Logf("%d bytes", len(code))
			})
		}
	}
}
