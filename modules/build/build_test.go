package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

// clone writes testdata/tree.txtar to a new folder: a repository with one parser and one declarative rule.
func clone(t *testing.T) string {
	t.Helper()
	a, err := txtar.ParseFile("testdata/tree.txtar")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, f := range a.Files {
		write(t, root, f.Name, string(f.Data))
	}
	return root
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func source(t *testing.T, root string) string {
	t.Helper()
	tr, err := openTree(root, "")
	if err != nil {
		t.Fatal(err)
	}
	return tr.modules[0].source
}

func TestSourceDigestCoversWhatIsCompiled(t *testing.T) {
	root := clone(t)
	first := source(t, root)
	if again := source(t, clone(t)); again != first {
		t.Errorf("another clone gives %s, want %s", again, first)
	}
	for name, relevant := range map[string]bool{
		"modules/parsers/sample/main.go":           true,
		"modules/parsers/sample/extra.go":          true,
		"modules/parsers/sample/table.txt":         true, // embedded
		"sdk/go/sdk.go":                            true,
		"sdk/go/abi/abi.go":                        true, // imported by sdk.go
		"conformance/tools/tinygo-target.json":     true,
		"modules/parsers/sample/main_test.go":      false,
		"modules/parsers/sample/native.go":         false, // not for wasip1
		"modules/parsers/sample/README.md":         false,
		"modules/parsers/sample/testdata/b.txtar":  false,
		"sdk/go/ecs/ecs.go":                        false, // nobody imports it
		"modules/rules/declared/rule.yaml":         false,
		"modules/parsers/sample/testdata/fuzz/one": false,
	} {
		root := clone(t)
		text := "package main\n"
		switch {
		case strings.HasSuffix(name, "native.go"):
			text = "//go:build !wasip1\n\npackage main\n"
		case strings.HasPrefix(name, "sdk/go/"):
			text = "package " + strings.TrimSuffix(filepath.Base(name), ".go") + "\n\nconst Added = 1\n"
			if strings.HasSuffix(name, "sdk.go") {
				text += "\nimport _ \"github.com/vedette-siem/vedette/sdk/go/abi\"\n"
				text = strings.Replace(text, "const Added = 1\n", "", 1)
			}
		}
		write(t, root, name, text)
		if got := source(t, root); (got != first) != relevant {
			t.Errorf("%s changed: digest changes %t, want %t", name, got != first, relevant)
		}
	}
	write(t, root, "modules/parsers/sample/module.yaml", strings.Replace(read(t, root, "modules/parsers/sample/module.yaml"), "1.0.0", "1.0.1", 1))
	if source(t, root) == first {
		t.Error("the manifest changed, the digest did not")
	}
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestForeignImportsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"package main\n\nimport _ \"github.com/tidwall/gjson\"\n":                   "sdk/go and the standard library only",
		"package main\n\nimport _ \"github.com/vedette-siem/vedette/storage\"\n":    "sdk/go and the standard library only",
		"package main\n\nimport _ \"github.com/vedette-siem/vedette/sdk/gen/x\"\n":  "sdk/go and the standard library only",
		"package main\n\nimport _ \"embed\"\n\n//go:embed none.txt\nvar x string\n": "selects no file",
	} {
		root := clone(t)
		write(t, root, "modules/parsers/sample/extra.go", text)
		if _, err := openTree(root, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// install puts a file into dist as if TinyGo had made it.
func install(t *testing.T, root string) {
	t.Helper()
	tr, err := openTree(root, "")
	if err != nil {
		t.Fatal(err)
	}
	m := tr.modules[0]
	wasm, err := tr.finish(m, []byte("\x00asm\x01\x00\x00\x00\x07\x4b\x05"+
		"\x06memory\x02\x00\x0dvedette_abi_1\x00\x00\x0fvedette_buffers\x00\x00\x0cvedette_init\x00\x00\x0dvedette_parse\x00\x00"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, root, "modules/dist/sample.wasm", string(wasm))
	tr.lock.Modules["sample"] = lockEntry{Source: m.source, Wasm: manifest.Sum(wasm), Size: len(wasm)}
	if err := tr.writeLock(); err != nil {
		t.Fatal(err)
	}
	if tr, err = openTree(root, "/nowhere/tinygo"); err != nil {
		t.Fatal(err)
	}
	if err := tr.build(context.Background(), io.Discard, false); err != nil { // nothing to compile; writes the table
		t.Fatal(err)
	}
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"nothing changed":   {"README.md", "x", ""},
		"source changed":    {"modules/parsers/sample/extra.go", "package main\n", "have changed since it was built"},
		"dist changed":      {"modules/dist/sample.wasm", "x", "is not the file that the lock names"},
		"stray file":        {"modules/dist/gone.wasm", "x", "no module folder makes it"},
		"document missing":  {"modules/rules/declared/module.yaml", "publisher: vedette\nname: declared\nversion: 1.0.0\nkind: rule\ntitle: D\nabi: \"1.0\"\nentry: {documents: [other.yaml]}\n", "there is no other.yaml"},
		"table out of date": {"modules/README.md", tableBegin + tableEnd, "the table is not up to date"},
		"no table":          {"modules/README.md", "x", "lacks the lines"},
		"wrong folder":      {"modules/monitors/x/module.yaml", "publisher: vedette\nname: x\nversion: 1.0.0\nkind: rule\ntitle: D\nabi: \"1.0\"\nentry: {documents: [rule.yaml]}\n", "its folder is for a monitor"},
		"same name":         {"modules/rules/sample/module.yaml", "publisher: vedette\nname: x\nversion: 1.0.0\nkind: rule\ntitle: D\nabi: \"1.0\"\nentry: {documents: [rule.yaml]}\n", "have the same name"},
		"manifest unsound":  {"modules/rules/declared/module.yaml", "publisher: Vedette\n", "modules/rules/declared/module.yaml:1:12: publisher"},
	} {
		root := clone(t)
		install(t, root)
		write(t, root, c.file, c.text)
		err := run(context.Background(), []string{"-root", root, "-check"}, io.Discard)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestMissingToolchainIsAnError(t *testing.T) {
	root := clone(t)
	err := run(context.Background(), []string{"-root", root}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "make .tmp/bin/tinygo") {
		t.Errorf("got %v, want a hint at the toolchain", err)
	}
}

// The script that installs the toolchain and the program that demands it name the same versions.
func TestScriptInstallsTheToolchain(t *testing.T) {
	script, err := os.ReadFile("../../conformance/tools/tinygo.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{`(?m)^version=v(\S+)`, `(?m)^toolchain=(\S+)`} {
		v := regexp.MustCompile(pattern).FindSubmatch(script)
		if v == nil || !strings.Contains(toolchain, string(v[1])) {
			t.Errorf("%s in tinygo.sh is not in %q", pattern, toolchain)
		}
	}
}
