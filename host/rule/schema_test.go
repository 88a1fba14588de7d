package rule

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"
)

// TestSchemaAccepts: the JSON Schema is valid, accepts every shipped rule and random ones, and refuses an unknown key on each level.
func TestSchemaAccepts(t *testing.T) {
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("pattern.json", raw); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("pattern.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(doc []byte) error {
		var v any
		if err := yaml.Unmarshal(doc, &v); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	for name, src := range shipped(t) {
		if _, err := Parse(name, src); err != nil {
			t.Error(err)
		}
		if err := validate(src); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		src, err := randomForm(t).Document()
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(src); err != nil {
			t.Fatalf("%v\n%s", err, src)
		}
	})
	ar, err := txtar.ParseFile("testdata/faults.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range ar.Files[1:] {
		switch f.Name {
		case "unknown-key", "unknown-modifier", "unknown-sub-key", "missing", "kind", "severity", "exception-without-reason":
			_, body, _ := bytes.Cut(f.Data, []byte("\n"))
			if validate([]byte(edit(t, string(ar.Files[0].Data), string(body)))) == nil {
				t.Errorf("%s: the schema accepts it", f.Name)
			}
		}
	}
}

// shipped returns the rule documents of modules/rules by file.
func shipped(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	files, _ := filepath.Glob("../../modules/rules/*/*.yaml")
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(src, []byte("kind: pattern")) {
			out[name] = src
		}
	}
	if len(out) == 0 {
		t.Fatal("no shipped rules")
	}
	return out
}
