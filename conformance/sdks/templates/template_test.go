// Package templates shows that a new module in Rust or C builds, passes its tests and says at which line it fails.
package templates

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/c"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/sdk/rust"
)

// root is the repository's folder as seen from this package.
const root = "../../.."

// languages are those that have a template for each kind of module.
var languages = []struct {
	name             string
	template, source embed.FS
	tool             string     // below root
	build            []string   // in the module's folder
	out              string     // where build puts the code
	native           [][]string // the module's native test
	line             [2]string  // a line of the parser, and one to put before it that fails on the record "boom"
	file             string     // the file that this line is in
}{
	{
		name: "rust", template: rust.Template, source: rust.Source, tool: ".tmp/sdk/bin/cargo",
		build:  []string{"build", "--quiet", "--release", "--offline", "--target=wasm32-unknown-unknown"},
		out:    "target/wasm32-unknown-unknown/release/module.wasm",
		native: [][]string{{".tmp/sdk/bin/cargo", "test", "--quiet", "--offline"}},
		line:   [2]string{"        let mut words", `        assert!(record.raw != b"boom", "on purpose");` + "\n"},
		file:   "src/lib.rs",
	},
	{
		name: "c", template: c.Template, source: c.Source, tool: ".tmp/sdk/bin/clang",
		build: slices.Concat(c.Flags, []string{"-Werror", "-I", ".sdk", "-o", "module.wasm", "module.c"}),
		out:   "module.wasm",
		native: [][]string{
			{"/usr/bin/cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-I", ".sdk", "-o", "native", "module_test.c"},
			{"./native"},
		},
		line: [2]string{"\tvedette_text line", "\tVEDETTE_ASSERT(r->raw.n != 4);\n"},
		file: "module.c",
	},
}

// wait leaves a test out that needs a tool which is not installed.
func wait(t *testing.T, tool string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(root, tool)); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not installed: it waits for `make sdk`", tool)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// scaffold writes a module of a template, with the SDK beside it.
func scaffold(t *testing.T, template, source embed.FS, kind string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "doors")
	files, err := fs.Sub(template, "template/"+kind)
	if err != nil {
		t.Fatal(err)
	}
	write(t, files, dir)
	write(t, source, filepath.Join(dir, ".sdk"))
	return dir
}

// write copies files with the module's name in place of @NAME@.
func write(t *testing.T, from fs.FS, to string) {
	t.Helper()
	err := fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(from, path)
		if err != nil {
			return err
		}
		file := filepath.Join(to, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "@NAME@", "doors")), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// compile builds a scaffolded module and puts its manifest inside, as `vedette module build` does.
func compile(t *testing.T, dir, tool, out string, args []string) manifest.Package {
	t.Helper()
	run(t, dir, append([]string{tool}, args...))
	m, err := manifest.Parse("module.yaml", read(t, filepath.Join(dir, manifest.FileName)))
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := m.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	code, err := manifest.Embed(read(t, filepath.Join(dir, out)), canonical)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "build"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "build", m.Name+".wasm"), code, 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := author.Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func run(t *testing.T, dir string, command []string) {
	t.Helper()
	tool := command[0]
	if strings.HasPrefix(tool, ".tmp/") {
		tool, _ = filepath.Abs(filepath.Join(root, tool))
	}
	cmd := exec.Command(tool, command[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
}

// TestTemplates: a new module of every kind passes its native test, builds without a network and passes its cases in the
// sandbox.
func TestTemplates(t *testing.T) {
	for _, l := range languages {
		for _, kind := range []string{"parser", "rule", "monitor"} {
			t.Run(l.name+"/"+kind, func(t *testing.T) {
				wait(t, l.tool)
				dir := scaffold(t, l.template, l.source, kind)
				for _, command := range l.native {
					run(t, dir, command)
				}
				o, err := author.Test(t.Context(), compile(t, dir, l.tool, l.out, l.build), "")
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range o.Failures {
					t.Error(f)
				}
				if o.Cases == 0 && kind != "monitor" {
					t.Error("no cases ran")
				}
			})
		}
	}
}

// TestPanicsNameTheLine: what goes wrong in a module is told in its log with the file and the line of the source.
func TestPanicsNameTheLine(t *testing.T) {
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			wait(t, l.tool)
			dir := scaffold(t, l.template, l.source, "parser")
			path := filepath.Join(dir, l.file)
			before, after, ok := strings.Cut(string(read(t, path)), l.line[0])
			if !ok {
				t.Fatalf("%s has no line %q", l.file, l.line[0])
			}
			if err := os.WriteFile(path, []byte(before+l.line[1]+l.line[0]+after), 0o644); err != nil {
				t.Fatal(err)
			}
			p := compile(t, dir, l.tool, l.out, l.build)
			var mu sync.Mutex
			var log []string
			h, err := runtime.New(t.Context(), runtime.Config{Log: func(_ string, _ uint32, line string) {
				mu.Lock()
				defer mu.Unlock()
				log = append(log, line)
			}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = h.Close(context.Background()) })
			m, err := h.Load(t.Context(), runtime.ModuleSpec{Digest: "boom", Wasm: p.Wasm, Kind: manifest.Parser})
			if err != nil {
				t.Fatal(err)
			}
			var e abi.RecordsEncoder
			e.Begin(3, 1, 0)
			for _, line := range []string{"door=a badge=b result=c", "boom", "x"} {
				e.Add([]byte(line), "test", 0, 0)
			}
			var r runtime.Result
			if err := m.Parse(t.Context(), e.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			want := l.file + ":" + strconv.Itoa(strings.Count(before, "\n")+1)
			if len(r.Poison) != 1 || r.Poison[0].Record != 1 || !strings.Contains(strings.Join(log, "\n"), want) {
				t.Errorf("poison %v, log %q, want %s", r.Poison, log, want)
			}
			t.Log(log[0])
		})
	}
}
