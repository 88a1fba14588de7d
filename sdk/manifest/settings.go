package manifest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// EditorSchema is the JSON Schema of module.yaml, for completion and hints in editors. Parse checks more than it can
// say.
//
//go:embed module.schema.json
var EditorSchema []byte

// Schema is a JSON Schema (draft 2020-12) in canonical form. References to other documents are refused.
type Schema []byte

// MarshalJSON returns the schema itself.
func (s Schema) MarshalJSON() ([]byte, error) {
	if len(s) == 0 {
		return []byte("null"), nil
	}
	return s, nil
}

// UnmarshalJSON keeps the bytes.
func (s *Schema) UnmarshalJSON(b []byte) error {
	*s = append((*s)[:0], b...)
	return nil
}

// UnmarshalYAML takes the schema as it stands in module.yaml.
func (s *Schema) UnmarshalYAML(decode func(any) error) error {
	var tree any
	if err := decode(&tree); err != nil {
		return err
	}
	b, err := CanonicalJSON(tree)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	*s = b
	return nil
}

// noLoader refuses every reference that would leave the schema.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("reference to %s: a settings schema must be complete in itself", url)
}

const settingsURL = "vedette:settings"

func (s Schema) compile() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(s))
	if err != nil {
		return nil, err
	}
	if m, ok := doc.(map[string]any); !ok || m["type"] != "object" {
		return nil, errors.New(`want a JSON Schema with type: object at the top`)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource(settingsURL, doc); err != nil {
		return nil, err
	}
	return c.Compile(settingsURL)
}

// CheckSettings validates JSON settings against the manifest's schema and returns their canonical form, which is what
// the module is given. Empty settings are "{}". The error wraps ErrInvalid and names every place that does not fit.
func (m *Manifest) CheckSettings(settings []byte) ([]byte, error) {
	if len(settings) == 0 {
		settings = []byte("{}")
	}
	if len(settings) > MaxSettingsBytes {
		return nil, fmt.Errorf("settings of %d bytes, the limit is %d: %w", len(settings), MaxSettingsBytes, ErrInvalid)
	}
	if err := checkDepth(settings); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	canonical, err := CanonicalJSON(json.RawMessage(settings))
	if err != nil {
		return nil, fmt.Errorf("settings: %w: %w", err, ErrInvalid)
	}
	if len(m.Settings) == 0 {
		if string(canonical) != "{}" {
			return nil, fmt.Errorf("settings: %s/%s has none: %w", m.Publisher, m.Name, ErrInvalid)
		}
		return canonical, nil
	}
	schema, err := m.Settings.compile()
	if err != nil {
		return nil, fmt.Errorf("settings schema of %s: %w: %w", m.Reference(), err, ErrInvalid)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(canonical))
	if err != nil {
		return nil, fmt.Errorf("settings: %w: %w", err, ErrInvalid)
	}
	if err := schema.Validate(doc); err != nil {
		return nil, fmt.Errorf("settings: %s: %w", schemaText(err), ErrInvalid)
	}
	return canonical, nil
}

// schemaText puts the library's report into one line, without the schema's made-up address.
func schemaText(err error) string {
	lines := strings.Split(err.Error(), "\n")
	if len(lines) > 1 {
		lines = lines[1:] // the first one only names the schema
	}
	for i := range lines {
		lines[i] = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(lines[i]), "-"))
	}
	return strings.Join(lines, "; ")
}
