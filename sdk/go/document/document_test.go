package document_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/document"
)

func TestDocument(t *testing.T) {
	got := string(document.New(1_700_000_000_000_000_000).Event("a.b", "metric", "", "success").Text("t", "a\"\\\n\x01\xff€").Texts("l", []string{"x", "y"}).
		Int("i", math.MinInt64).Tenths("f", -125).Tenths("w", 30).Bool("y", true).Bytes())
	want := `{"@timestamp":"2023-11-14T22:13:20Z","event.dataset":"a.b","event.kind":"metric","event.outcome":"success","t":"a\"\\\n\u0001` + "\uFFFD" + `€","l":["x","y"],"i":-9223372036854775808,"f":-12.5,"w":3,"y":true}`
	if got != want || !json.Valid([]byte(got)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if long := document.New(0).Text("t", strings.Repeat("x", 10_000)).Bytes(); len(long) != document.MaxTextBytes+len(`{"t":""}`) {
		t.Errorf("%d bytes", len(long))
	}
}

func FuzzText(f *testing.F) {
	f.Add("plain", "\x00\"\\\xff\u2028")
	f.Fuzz(func(t *testing.T, a, b string) {
		var m map[string]any
		text := document.New(1).Text("a", a).Texts("b", []string{b}).Bytes()
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if a != "" && len(a) <= document.MaxTextBytes && m["a"] != strings.ToValidUTF8(a, "\uFFFD") && strings.ToValidUTF8(a, "") == a {
			t.Errorf("%q became %q", a, m["a"])
		}
	})
}
