package receive

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func texts(recs []Record) []string {
	var out []string
	for _, r := range recs {
		out = append(out, string(r.Bytes))
	}
	return out
}

func TestSplitJSON(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
		err  string
	}{
		{``, nil, ""},
		{`[]`, nil, ""},
		{` [ ] `, nil, ""},
		{`{}`, []string{`{}`}, ""},
		{`{"a":1}`, []string{`{"a":1}`}, ""},
		{`{"a":1}{"b":2} {"c":3}`, []string{`{"a":1}`, `{"b":2}`, `{"c":3}`}, ""},
		{"[ {\"a\": [1, {}]} ,\n{\"b\":2}]", []string{`{"a": [1, {}]}`, `{"b":2}`}, ""},
		{`[{"a":1}][{"b":2}]`, []string{`{"a":1}`, `{"b":2}`}, ""},
		{`{"a":"}\"]\\"}`, []string{`{"a":"}\"]\\"}`}, ""},
		{`[{"a":1}`, nil, "array does not end"},
		{`{"a":"`, nil, "object 1, which begins at byte 0, does not end"},
		{`{"a":"\`, nil, "does not end"},
		{`{"a":1`, nil, "does not end"},
		{`[{"a":1},]`, nil, `byte 9 is ']'`},
		{`[,{"a":1}]`, nil, `byte 1 is ','`},
		{`[{"a":1}{"b":2}]`, nil, `byte 8 is '{'`},
		{`{"a":1},{"b":2}`, nil, `byte 7 is ','`},
		{`[1]`, nil, `byte 1 is '1'`},
		{`"text"`, nil, `byte 0 is '"'`},
		{`[[{}]]`, nil, `byte 1 is '['`},
		{`]`, nil, `byte 0 is ']'`},
	} {
		got, err := splitJSON(nil, []byte(c.in), 100)
		if (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: error %v, want %q", c.in, err, c.err)
		}
		if diff := cmp.Diff(c.want, texts(got)); err == nil && diff != "" {
			t.Errorf("%s: %s", c.in, diff)
		}
	}
}

func TestSplitLimits(t *testing.T) {
	for name, split := range map[string]func([]Record, []byte, int) ([]Record, error){"{}": splitJSON, "{}\n": splitLines} {
		if got, err := split(nil, []byte(strings.Repeat(name, 3)), 3); err != nil || len(got) != 3 {
			t.Errorf("%q: %d records, %v", name, len(got), err)
		}
		if _, err := split(nil, []byte(strings.Repeat(name, 4)), 3); !errors.Is(err, errTooMany) {
			t.Errorf("%q: one over: %v", name, err)
		}
	}
}

func TestSplitLines(t *testing.T) {
	got, err := splitLines(nil, []byte("a\r\n\n b \x00c"), 100)
	if diff := cmp.Diff([]string{"a", " b ", "c"}, texts(got)); err != nil || diff != "" {
		t.Fatal(diff, err)
	}
}

func TestLooksLikeObject(t *testing.T) {
	for in, want := range map[string]bool{`{}`: true, ` {"a":1} `: true, `[1]`: false, `{`: false, `}`: false, `x{}`: false, ``: false} {
		if got := looksLikeObject([]byte(in)); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

// FuzzSplitJSON compares with encoding/json: what that reads as objects is split into the same ones.
func FuzzSplitJSON(f *testing.F) {
	f.Add([]byte(`[{"a":"}\""},{"b":[1,{}]}]`))
	f.Add([]byte(`{"a":1} {"b":2}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := splitJSON(nil, in, 1000)
		total := 0
		for _, r := range got {
			total += len(r.Bytes)
		}
		if total > len(in) {
			t.Fatalf("%d bytes of records from %d", total, len(in))
		}
		var want []json.RawMessage
		if json.Unmarshal(in, &want) != nil {
			return
		}
		for _, w := range want {
			if len(w) == 0 || w[0] != '{' {
				return
			}
		}
		if err != nil {
			if want == nil { // null
				return
			}
			t.Fatalf("%s: %v", in, err)
		}
		if len(got) != len(want) {
			t.Fatalf("%d objects, want %d", len(got), len(want))
		}
		for i := range want {
			if string(want[i]) != string(got[i].Bytes) {
				t.Fatalf("object %d is %s, want %s", i, got[i].Bytes, want[i])
			}
		}
	})
}

func FuzzSplitLines(f *testing.F) {
	f.Add([]byte("a\nb\r\n\x00{}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := splitLines(nil, in, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, w := range strings.FieldsFunc(string(in), func(r rune) bool { return r == '\n' || r == 0 }) {
			if w = strings.TrimRight(w, "\r"); w != "" {
				want = append(want, w)
			}
		}
		if diff := cmp.Diff(want, texts(got)); diff != "" {
			t.Fatal(diff)
		}
	})
}
