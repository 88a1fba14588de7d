package meta

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vedette-siem/vedette/storage"
)

// incidentText holds the text columns of an incident.
type incidentText struct {
	key, search, techniques, evidence, conditions, entities, lists string
}

func (t *incidentText) encode(in *storage.Incident) error {
	key := make([][2]string, len(in.Key))
	words := make([]string, 0, 2+len(in.Key))
	words = append(words, in.Title, in.RuleName)
	for i, f := range in.Key {
		key[i] = [2]string{f.Name, f.Value}
		words = append(words, f.Value)
	}
	for _, e := range in.Entities {
		words = append(words, e.Value)
	}
	evidence := make([][3]any, len(in.Evidence))
	for i, e := range in.Evidence {
		evidence[i] = [3]any{e.Sub, e.ID.String(), e.Time}
	}
	t.search = strings.ToLower(strings.Join(words, "\n"))
	for _, c := range []struct {
		to    *string
		value any
		empty bool
	}{
		{&t.key, key, len(key) == 0},
		{&t.techniques, in.Techniques, len(in.Techniques) == 0},
		{&t.evidence, evidence, len(evidence) == 0},
		{&t.conditions, in.Conditions, len(in.Conditions) == 0},
		{&t.entities, in.Entities, len(in.Entities) == 0},
		{&t.lists, in.Lists, len(in.Lists) == 0},
	} {
		if *c.to = "[]"; c.empty {
			continue
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(c.value); err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		*c.to = strings.TrimSuffix(b.String(), "\n")
	}
	return nil
}

// jsonList returns words as one parameter for json_each, so that a statement's text does not grow with them.
func jsonList(words []string) string {
	b, err := json.Marshal(words)
	if err != nil { // strings cannot fail to encode
		panic("meta: encode a list: " + err.Error())
	}
	return string(b)
}

func (t *incidentText) decode(in *storage.Incident) error {
	var key [][2]string
	var evidence []evidenceRow
	for _, c := range []struct {
		from string
		to   any
	}{{t.key, &key}, {t.techniques, &in.Techniques}, {t.evidence, &evidence}, {t.conditions, &in.Conditions}, {t.entities, &in.Entities}, {t.lists, &in.Lists}} {
		if c.from == "[]" {
			continue
		}
		if err := json.Unmarshal([]byte(c.from), c.to); err != nil {
			return fmt.Errorf("decode incident %s: %w", in.ID, err)
		}
	}
	for _, k := range key {
		in.Key = append(in.Key, storage.Field{Name: k[0], Value: k[1]})
	}
	for _, e := range evidence {
		in.Evidence = append(in.Evidence, storage.Evidence(e))
	}
	return nil
}

// evidenceRow reads the form ["sub","event id",time].
type evidenceRow storage.Evidence

func (e *evidenceRow) UnmarshalJSON(b []byte) error {
	var id string
	row := [3]any{&e.Sub, &id, &e.Time}
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	if len(parts) != len(row) {
		return fmt.Errorf("evidence of %d parts, want %d: %w", len(parts), len(row), storage.ErrInvalid)
	}
	for i, p := range parts {
		if err := json.Unmarshal(p, row[i]); err != nil {
			return err
		}
	}
	var err error
	e.ID, err = storage.ParseEventID(id)
	return err
}
