package manifest

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	interpreterYAML = "publisher: vedette\nname: i\nversion: 1.0.0\nkind: parser\ntitle: I\nabi: \"1.0\"\nentry: {wasm: true, interprets: true}\nwasi: stub\n"
	specYAML        = "publisher: acme\nname: doors\nversion: 1.0.0\nkind: parser\ntitle: D\nabi: \"1.0\"\nentry: {spec: spec.yaml}\n"
)

// code is a Wasm file with the manifest of a module inside.
func code(t *testing.T, yaml string) []byte {
	t.Helper()
	m, err := Parse("m.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := m.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	file, err := Embed(wasmFile([]Import{{"wasi_snapshot_preview1", "fd_write"}}, parserExports()), canonical)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPackageWithSpec: the code is the interpreter's, byte for byte, and nothing else will do.
func TestPackageWithSpec(t *testing.T) {
	folder := fstest.MapFS{FileName: {Data: []byte(specYAML)}, "spec.yaml": {Data: []byte("templates: []")}}
	wasm := code(t, interpreterYAML)
	p, err := ReadFolder("doors", folder, wasm)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.Wasm, wasm) || len(p.Documents) != 1 || p.Documents[0].Path != "spec.yaml" {
		t.Errorf("%d bytes of code, documents %v", len(p.Wasm), p.Documents)
	}
	if m, err := p.Interpreter(); err != nil || m.Name != "i" {
		t.Errorf("interpreter %s, %v", m.Name, err)
	}
	for name, wasm := range map[string][]byte{
		"no code":                   nil,
		"code without a manifest":   wasmFile(nil, parserExports()),
		"the code of other parsers": code(t, parserYAML),
		"an import too much":        code(t, strings.Replace(interpreterYAML, "wasi: stub\n", "", 1)),
	} {
		if _, err := ReadFolder("doors", folder, wasm); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "interpreter of the spec") && !strings.Contains(err.Error(), "does not declare") {
			t.Errorf("%s: %v", name, err)
		}
	}
	delete(folder, "spec.yaml")
	if _, err := ReadFolder("doors", folder, wasm); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "there is no spec.yaml") {
		t.Errorf("without its spec: %v", err)
	}
}
