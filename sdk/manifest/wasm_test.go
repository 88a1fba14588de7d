package manifest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// wasmFile builds the least file that has these imports and exports. It has no code and is never run.
func wasmFile(imports []Import, exports []string) []byte {
	str := func(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	section := func(b []byte, id byte, content []byte) []byte {
		return append(binary.AppendUvarint(append(b, id), uint64(len(content))), content...)
	}
	in := binary.AppendUvarint(nil, uint64(len(imports)))
	for _, im := range imports {
		in = append(str(str(in, im.Module), im.Name), 0, 0)
	}
	ex := binary.AppendUvarint(nil, uint64(len(exports)))
	for _, name := range exports {
		ex = append(str(ex, name), 0, 0)
	}
	b := section(slices.Clone(wasmMagic), sectionImport, in)
	return section(section(b, sectionExport, ex), sectionCustom, str(nil, "name"))
}

func parserExports() []string {
	return []string{"memory", abi.ExportMarker, abi.ExportBuffers, abi.ExportInit, abi.ExportParse}
}

const parserYAML = "publisher: vedette\nname: p\nversion: 1.0.0\nkind: parser\ntitle: T\nabi: \"1.0\"\nentry: {wasm: true}\n" +
	"match: {generic: true}\nwasi: stub\nvectors: [\"testdata/*.txtar\"]\n"

func folder() fstest.MapFS {
	return fstest.MapFS{
		"module.yaml":       {Data: []byte(parserYAML)},
		"README.md":         {Data: []byte("# P")},
		"main.go":           {Data: []byte("package main")},
		"testdata/b.txtar":  {Data: []byte("b")},
		"testdata/a.txtar":  {Data: []byte("a")},
		"testdata/fuzz/bin": {Data: []byte("not a vector")},
	}
}

func TestEmbed(t *testing.T) {
	plain := wasmFile([]Import{{"wasi_snapshot_preview1", "fd_write"}}, parserExports())
	once, err := Embed(plain, []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	twice, err := Embed(once, []byte(`{"a":1}`))
	if err != nil || !bytes.Equal(once, twice) {
		t.Fatalf("embedding again changes the file: %v", err)
	}
	w, err := ReadWasm(once)
	if err != nil || string(w.Manifest) != `{"a":1}` {
		t.Fatalf("got section %q, %v", w.Manifest, err)
	}
	if want := []Import{{"wasi_snapshot_preview1", "fd_write"}}; !slices.Equal(w.Imports, want) || !slices.Equal(w.Exports, parserExports()) {
		t.Errorf("got imports %v, exports %v", w.Imports, w.Exports)
	}
	stripped, err := Strip(once, func(name string) bool { return name == abi.SectionName })
	if err != nil || !bytes.Equal(stripped, plain) {
		t.Errorf("stripping does not give the plain file back: %v", err)
	}
	if _, err := ReadWasm(append(slices.Clone(once), once[len(plain):]...)); !errors.Is(err, ErrInvalid) {
		t.Errorf("two manifest sections: got %v", err)
	}
}

func TestCheckWasm(t *testing.T) {
	m, err := Parse("m.yaml", []byte(parserYAML))
	if err != nil {
		t.Fatal(err)
	}
	own, err := m.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		imports  []Import
		exports  []string
		manifest string
		want     string
	}{
		{name: "sound", imports: []Import{{abi.ImportCore, "log"}, {abi.ImportWASI, "fd_write"}}, exports: parserExports()},
		{name: "undeclared import", imports: []Import{{abi.ImportHTTP, "fetch"}}, exports: parserExports(), want: "imports vedette_http_v1.fetch"},
		{name: "unknown import", imports: []Import{{"env", "system"}}, exports: parserExports(), want: "imports env.system"},
		{name: "no marker", exports: []string{"memory"}, want: "does not export vedette_abi_1"},
		{name: "wrong kind", exports: append(parserExports()[:4:4], abi.ExportEval), want: "does not export vedette_parse"},
		{name: "other manifest", exports: parserExports(), manifest: `{}`, want: "is not the package's"},
	} {
		section := own
		if c.manifest != "" {
			section = []byte(c.manifest)
		}
		file, err := Embed(wasmFile(c.imports, c.exports), section)
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.CheckWasm(file)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestReadFolder(t *testing.T) {
	wasm := wasmFile(nil, parserExports())
	p, err := ReadFolder("p", folder(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Vectors) != 2 || p.Vectors[0].Path != "testdata/a.txtar" || string(p.Vectors[1].Data) != "b" || len(p.Docs) != 1 {
		t.Errorf("got vectors %v, docs %v", p.Vectors, p.Docs)
	}
	for name, c := range map[string]struct {
		change func(fstest.MapFS) []byte
		want   string
	}{
		"no manifest":  {func(f fstest.MapFS) []byte { delete(f, "module.yaml"); return wasm }, "there is no module.yaml"},
		"no code":      {func(fstest.MapFS) []byte { return nil }, "not a WebAssembly"},
		"no vectors":   {func(f fstest.MapFS) []byte { delete(f, "testdata/a.txtar"); delete(f, "testdata/b.txtar"); return wasm }, "select no file"},
		"big vector":   {func(f fstest.MapFS) []byte { f["testdata/a.txtar"].Data = make([]byte, MaxFileBytes+1); return wasm }, "more than 1048576 bytes"},
		"big code":     {func(fstest.MapFS) []byte { return append(wasm, make([]byte, MaxWasmBytes)...) }, "the limit is 8388608"},
		"not a folder": {func(f fstest.MapFS) []byte { f["README.md/x"] = &fstest.MapFile{}; delete(f, "README.md"); return wasm }, "not a regular file"},
	} {
		f := folder()
		code := c.change(f)
		if _, err := ReadFolder("p", f, code); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestDocumentPatterns: a package of many documents names them by patterns, and holds just those.
func TestDocumentPatterns(t *testing.T) {
	f := fstest.MapFS{FileName: {Data: []byte(`publisher: a
name: b
version: 1.0.0
kind: rule
title: Many
abi: "1.0"
entry: {documents: ["rules/*.yml", extra.yaml]}
`)}}
	for _, name := range []string{"rules/b.yml", "rules/a.yml", "rules/skipped.txt", "rules/deeper/c.yml", "extra.yaml"} {
		f[name] = &fstest.MapFile{Data: []byte(name)}
	}
	p, err := ReadFolder("p", f, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range p.Documents {
		got = append(got, d.Path)
	}
	if want := []string{"extra.yaml", "rules/a.yml", "rules/b.yml"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	p.Documents = append(p.Documents, File{Path: "rules/deeper/c.yml"})
	if err := p.Check(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "do not select") {
		t.Errorf("a document too many: %v", err)
	}
	p.Documents = p.Documents[1:3]
	if err := p.Check(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `"extra.yaml" select no file`) {
		t.Errorf("a document too few: %v", err)
	}
}

func TestPackageLimitsOneOver(t *testing.T) {
	sound, err := ReadFolder("p", folder(), wasmFile(nil, parserExports()))
	if err != nil {
		t.Fatal(err)
	}
	vectors := func(n, size int) []File {
		files := make([]File, n)
		for i := range files {
			files[i] = File{Path: "testdata/" + strings.Repeat("x", i/26+1) + string(rune('a'+i%26)) + ".txtar", Data: make([]byte, size)}
		}
		slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
		return files
	}
	for name, c := range map[string]struct{ ok, over []File }{
		"files":   {vectors(MaxFiles-1, 1), vectors(MaxFiles, 1)}, // README.md is one too
		"bytes":   {vectors(1, MaxFileBytes), vectors(1, MaxFileBytes+1)},
		"content": {vectors(8, MaxContentBytes/8), append(vectors(8, MaxContentBytes/8), File{Path: "testdata/z.txtar", Data: []byte("1")})},
	} {
		p := sound
		if p.Vectors = c.ok; p.Check() != nil {
			t.Errorf("%s at the limit: %v", name, p.Check())
		}
		if p.Vectors = c.over; !errors.Is(p.Check(), ErrInvalid) {
			t.Errorf("%s one over: got %v", name, p.Check())
		}
	}
}

func TestDeepYAML(t *testing.T) {
	for name, text := range map[string]string{
		"brackets":    strings.Repeat("[", MaxBrackets+1),
		"deep":        "name: " + strings.Repeat("[", MaxBrackets) + strings.Repeat("]", MaxBrackets),
		"dashes":      strings.Repeat("- ", MaxDepth+1) + "a",
		"indentation": nested(3 * MaxDepth),
	} {
		if _, err := Parse("m.yaml", []byte(text)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}

func nested(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// The editor's schema names the same keys as the types, and accepts what Parse accepts.
func TestEditorSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(EditorSchema))
	if err != nil {
		t.Fatal(err)
	}
	compareKeys(t, "", doc.(map[string]any), reflect.TypeFor[Manifest]())
	c := jsonschema.NewCompiler()
	if err := c.AddResource("vedette:module", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("vedette:module")
	if err != nil {
		t.Fatal(err)
	}
	a, _ := cases(t, "valid.txtar")
	for _, f := range a.Files {
		var tree any
		if err := yaml.Unmarshal(f.Data, &tree); err != nil {
			t.Fatal(err)
		}
		b, err := CanonicalJSON(tree)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

func compareKeys(t *testing.T, at string, schema map[string]any, typ reflect.Type) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		if items, ok := schema["items"].(map[string]any); ok && typ.Kind() == reflect.Slice {
			schema = items
		}
		typ = typ.Elem()
	}
	properties, _ := schema["properties"].(map[string]any)
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[Schema]() {
		return
	}
	seen := map[string]bool{}
	for i := range typ.NumField() {
		key, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		seen[key] = true
		sub, ok := properties[key].(map[string]any)
		if !ok {
			t.Errorf("the schema lacks %s%s", at, key)
			continue
		}
		compareKeys(t, at+key+".", sub, typ.Field(i).Type)
	}
	for key := range properties {
		if !seen[key] {
			t.Errorf("the schema has %s%s, the types do not", at, key)
		}
	}
}

func FuzzReadWasm(f *testing.F) {
	f.Add(wasmFile([]Import{{abi.ImportCore, "log"}}, parserExports()))
	embedded, err := Embed(wasmFile(nil, nil), []byte(`{}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(embedded)
	f.Fuzz(func(t *testing.T, file []byte) {
		w, err := ReadWasm(file)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("%v does not wrap ErrInvalid", err)
			}
			return
		}
		out, err := Embed(file, []byte("x"))
		if err != nil {
			if len(w.Sections) < MaxWasmSections && len(file) < MaxWasmBytes/2 {
				t.Fatalf("readable, but nothing can be embedded: %v", err)
			}
			return
		}
		again, err := ReadWasm(out)
		if err != nil || string(again.Manifest) != "x" || !slices.Equal(again.Imports, w.Imports) {
			t.Fatalf("after embedding: %v, %q", err, again.Manifest)
		}
	})
}
