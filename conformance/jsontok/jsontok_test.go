// Package jsontok holds the tokenizer of sdk/go to what gjson reads from the same document.
package jsontok

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/vedette-siem/vedette/sdk/go/jsontok"
)

// FuzzAgainstGJSON walks over a document with both: the same members in the same order, the same kinds, the same raw
// texts at the same places, the same texts without escapes.
func FuzzAgainstGJSON(f *testing.F) {
	for _, doc := range []string{
		`{"@timestamp":"2024-03-01T11:04:22.517Z","winlog":{"event_id":"1","event_data":{"Image":"C:\\Windows\\x.exe","User":"EXAMPLE\\eva"}},"tags":["a",1,null]}`,
		`[{"a":{"b":[true,false,null,-0.5e+3]}},"\ud83d\ude00",""]`,
		`"text"`, `12`, `{"a":1,"a":2}`, `{"":[]}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		s := jsontok.New(doc)
		if !gjson.ValidBytes(doc) {
			for s.Next() {
			}
			if s.Err() == nil {
				t.Fatalf("%q is read, gjson refuses it", doc)
			}
			return
		}
		if !s.Next() {
			t.Fatalf("%q: %v", doc, s.Err())
		}
		if !compare(t, &s, gjson.ParseBytes(doc)) {
			return // deeper than the tokenizer goes
		}
		if s.Next() || s.Err() != nil {
			t.Fatalf("%q: behind the value: %v", doc, s.Err())
		}
	})
}

// same says whether a text is what gjson reads. Half a surrogate pair followed by an escape that is not the other half is one
// character for gjson; there the standard library decides, for
// which it is two; it also replaces bytes that are no UTF-8.
func same(text string, want gjson.Result) bool {
	if text == want.Str {
		return true
	}
	var std string
	return strings.Contains(want.Raw, `\u`) && json.Unmarshal([]byte(want.Raw), &std) == nil && string([]rune(text)) == std
}

// compare checks the token that s stands on, and all inside it; false when it nests too deep.
func compare(t *testing.T, s *jsontok.Scanner, want gjson.Result) bool {
	t.Helper()
	switch s.Kind {
	case jsontok.Object, jsontok.Array:
		if s.Kind == jsontok.Object != want.IsObject() || s.Kind == jsontok.Array != want.IsArray() {
			t.Fatalf("a container, gjson has %s", want.Raw)
		}
		ok := true
		want.ForEach(func(key, value gjson.Result) bool {
			if !s.Next() || s.Kind == jsontok.End {
				ok = errors.Is(s.Err(), jsontok.ErrDepth)
				if !ok {
					t.Fatalf("ended (%v) before %s", s.Err(), value.Raw)
				}
				ok = false
				return false
			}
			if want.IsObject() && !same(string(jsontok.Unescape(nil, s.Key)), key) {
				t.Fatalf("key %q, gjson has %q", s.Key, key.Str)
			}
			ok = compare(t, s, value)
			return ok
		})
		if !ok {
			return false
		}
		if !s.Next() || s.Kind != jsontok.End {
			if errors.Is(s.Err(), jsontok.ErrDepth) {
				return false
			}
			t.Fatalf("kind %d behind the last member of %s", s.Kind, want.Raw)
		}
	case jsontok.String:
		text := s.Value
		if s.Escaped {
			text = jsontok.Unescape(nil, text)
		}
		if want.Type != gjson.String || !same(string(text), want) || `"`+string(s.Value)+`"` != want.Raw {
			t.Fatalf("string %q, gjson has %s", s.Value, want.Raw)
		}
	default:
		kinds := map[jsontok.Kind]gjson.Type{jsontok.Null: gjson.Null, jsontok.False: gjson.False, jsontok.True: gjson.True, jsontok.Number: gjson.Number}
		if kind, known := kinds[s.Kind]; !known || kind != want.Type || string(s.Value) != want.Raw {
			t.Fatalf("%d %q, gjson has %s", s.Kind, s.Value, want.Raw)
		}
	}
	return true
}
