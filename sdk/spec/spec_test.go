package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

var update = flag.Bool("update", false, "rewrite the wanted problems and suggestions")

// TestProblems: every mistake has a line, a column and a hint.
func TestProblems(t *testing.T) {
	const name = "testdata/problems.txtar"
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(a.Files); i += 2 {
		s, problems := Parse(a.Files[i].Data)
		if s != nil {
			t.Errorf("%s is taken", a.Files[i].Name)
		}
		var got strings.Builder
		for _, p := range problems {
			fmt.Fprintln(&got, p)
		}
		if *update {
			a.Files[i+1].Data = []byte(got.String())
			continue
		}
		if d := cmp.Diff(string(a.Files[i+1].Data), got.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", a.Files[i].Name, d)
		}
	}
	if *update {
		if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestErrorNamesTheFile(t *testing.T) {
	_, err := Check("dir/spec.yaml", []byte("framing: xml\n"))
	if !errors.Is(err, manifest.ErrInvalid) || !strings.HasPrefix(err.Error(), "dir/spec.yaml:1:10: framing:") {
		t.Errorf("got %v", err)
	}
}

// shipped are all specs of the tree: those of shipped parsers and of the declarative parser's cases.
func shipped(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	files, _ := filepath.Glob("../../modules/parsers/*/spec.yaml")
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = src
	}
	cases, _ := filepath.Glob("../../modules/parsers/declarative/testdata/*.txtar")
	for _, name := range cases {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if f.Name == FileName {
				all[name] = f.Data
			}
		}
	}
	if len(files) == 0 || len(cases) == 0 {
		t.Fatalf("%d shipped specs, %d cases", len(files), len(cases))
	}
	return all
}

// TestSchema: the JSON Schema takes what Parse takes, and refuses what it can know to be wrong.
func TestSchema(t *testing.T) {
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(EditorSchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("spec.json", raw); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("spec.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(src []byte) error {
		var v any
		if err := yaml.Unmarshal(src, &v); err != nil {
			return err
		}
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(b)); err != nil {
			return err
		}
		return schema.Validate(v)
	}
	for name, src := range shipped(t) {
		if _, err := Check(name, src); err != nil {
			t.Error(err)
		}
		if err := validate(src); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	properties := raw.(map[string]any)["properties"].(map[string]any)
	for _, key := range sections {
		if properties[key] == nil {
			t.Errorf("the schema lacks %s", key)
		}
		delete(properties, key)
	}
	if len(properties) > 0 {
		t.Errorf("the schema has %v, which Parse does not know", properties)
	}
	for _, bad := range []string{"- a", "framing: xml", "template: [x]", "templates: [{txt: a}]", "fields: {a: {typ: ip}}", "others: maybe", "separator: ab"} {
		if validate([]byte(bad)) == nil {
			t.Errorf("the schema takes %q", bad)
		}
	}
}

func TestSpecOfPackage(t *testing.T) {
	s, problems := Parse([]byte("prefix: acme\ntemplates: [\"login of {user.name:word} with {acme.badge:word} today\"]\n"))
	if s == nil {
		t.Fatal(problems)
	}
	if s.Templates() != 1 || len(s.Names()) != 1 || s.Names()[0] != "acme.badge" {
		t.Errorf("%d templates, names %q", s.Templates(), s.Names())
	}
	want := &manifest.Match{Signatures: []manifest.Signature{{All: []string{"login of ", " with ", " today"}}}}
	if d := cmp.Diff(want, s.Match()); d != "" {
		t.Errorf("routing (-want +got):\n%s", d)
	}
	if !json.Valid(s.Settings()) {
		t.Errorf("settings are no JSON: %.60s", s.Settings())
	}
}

// TestLimits goes one over each limit.
func TestLimits(t *testing.T) {
	repeat := func(n int, line func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(line(i))
		}
		return b.String()
	}
	for name, c := range map[string]struct{ src, want string }{
		"bytes":      {"#" + strings.Repeat("x", MaxBytes), "limit is 131072"},
		"depth":      {"set: " + strings.Repeat("[", MaxDepth) + "\n" + strings.Repeat("- ", MaxDepth+1), "nested deeper"},
		"indicators": {"set:\n" + strings.Repeat("  !a", MaxIndicators+1), "2049 words that look like anchors"},
		"templates":  {"templates:\n" + repeat(MaxTemplates+1, func(i int) string { return fmt.Sprintf("  - \"line %d of\"\n", i) }), "1001 templates, the limit is 1000"},
		"template":   {"templates: [\"" + strings.Repeat("x", MaxTemplateBytes+1) + "\"]", "2049 bytes, the limit is 2048"},
		"variants":   {"templates: [\"text " + strings.Repeat("{?a}", 6) + "\"]", "64 ways to read it, the limit is 32"},
		"holes":      {"templates: [\"text " + strings.Repeat("{:int} ", 65) + "\"]", "65 holes, the limit is 64"},
		"width": {
			"match: [text]\ntemplates:\n" + repeat(MaxWidth+1, func(i int) string { return fmt.Sprintf("  - \"{:text}<%03d>\"\n", i) }),
			"have to be looked at 25 times, the limit is 24",
		},
		"keys":     {"framing: kv\nrequire: [key1]\nfields:\n" + repeat(MaxKeys+1, func(i int) string { return fmt.Sprintf("  key%d:\n", i) }), "513 keys, the limit is 512"},
		"set":      {"templates: [some text]\nset:\n" + repeat(MaxSet+1, func(i int) string { return fmt.Sprintf("  labels.x%d: y\n", i) }), "65 fields, the limit is 64"},
		"maps":     {"templates: [some text]\nmaps:\n" + repeat(MaxMaps+1, func(i int) string { return fmt.Sprintf("  m%d: {a: b}\n", i) }), "65, the limit is 64"},
		"map":      {"templates: [some text]\nmaps:\n  m:\n" + repeat(MaxMapEntries+1, func(i int) string { return fmt.Sprintf("    k%d: v\n", i) }), "513 entries, the limit is 512"},
		"required": {"framing: kv\nrequire:\n" + repeat(MaxRequired+1, func(i int) string { return fmt.Sprintf("  - key%d\n", i) }), "17, the limit is 16"},
		"programs": {"framing: syslog\ntemplates: [some text]\nprograms:\n" + repeat(MaxPrograms+1, func(i int) string { return fmt.Sprintf("  - p%d\n", i) }), "33, the limit is 32"},
		"text":     {"templates: [some text]\nset: {labels.a: " + strings.Repeat("x", MaxTextBytes+1) + "}", "1025 bytes, the limit is 1024"},
		"program": {
			"templates:\n" + repeat(350, func(i int) string {
				return fmt.Sprintf("  - \"%s %s\"\n", strings.Repeat(fmt.Sprintf("%dx", i), 20), strings.Repeat("{:int} ", 12))
			}),
			"the limit is 65536",
		},
		"fields": {"prefix: p\nmatch: [some]\ntemplates:\n" + repeat(MaxFields/50+1, func(i int) string {
			return fmt.Sprintf("  - \"%d %s\"\n", i, repeat(50, func(j int) string { return fmt.Sprintf("{p.f%dx%d:int} ", i, j) }))
		}), "different fields, the limit is 1023"},
	} {
		s, problems := Parse([]byte(c.src))
		if s != nil || len(problems) == 0 || !strings.Contains(problems[0].String(), c.want) {
			t.Errorf("%s: got %.300v, want %q", name, problems, c.want)
		}
	}
	if _, problems := Parse([]byte("set:\n" + repeat(MaxProblems+1, func(i int) string { return fmt.Sprintf("  no.such%d: x\n", i) }))); len(problems) != MaxProblems {
		t.Errorf("%d problems, want %d", len(problems), MaxProblems)
	}
}

func FuzzParse(f *testing.F) {
	a, err := txtar.ParseFile("testdata/problems.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range a.Files {
		f.Add(file.Data)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s, problems := Parse(src)
		if (s == nil) != (len(problems) > 0) {
			t.Fatalf("%q: a spec and problems, or neither", src)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Text == "" {
				t.Fatalf("%q: %+v", src, p)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	src := []byte("prefix: acme\ntemplates:\n")
	for i := range 50 {
		src = fmt.Appendf(src, "  - text: \"event %d of {user.name:word} from {source.ip:ip} port {source.port:int}: {acme.why:text}\"\n    set: {event.action: a%d}\n", i, i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if s, problems := Parse(src); s == nil {
			b.Fatal(problems)
		}
	}
}
