package logs_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		text   string
		at     int
		says   string // part of the message; "" when the query is right
		tables bool
	}{
		{text: ""},
		{text: "*"},
		{text: `user.name:="ada" AND _time:5m`},
		{text: "* | stats by (host.name) count() n", tables: true},
		{text: "error | fields host.name", tables: true},
		{text: "(a OR b", at: 7, says: "')'"},
		{text: "a)", at: 1, says: "end here"},
		{text: "* | stats", at: 9, says: "stats"},
		{text: "* | stats count( by (x)", at: 20, says: "count"},
		{text: "a | statz by (b) count()", at: 4, says: "statz"},
		{text: "a | stats by (b) cuont() n", at: 17, says: "cuont"},
		{text: strings.Repeat("x", storage.MaxQueryBytes+1), at: storage.MaxQueryBytes, says: "bytes"},
		{text: strings.Repeat("word ", 20) + "| limit ten", at: 111, says: "ten"},
	} {
		got := logs.Check(c.text, time.Unix(1, 0))
		name := c.text[:min(len(c.text), 40)]
		wrong := c.says != "" || c.at > 0
		if (got.Message != "") != wrong || !strings.Contains(got.Message, c.says) || got.Table != c.tables {
			t.Errorf("%s: %+v", name, got)
		}
		if wrong && got.Offset != c.at {
			t.Errorf("%s: offset %d, want %d (%s)", name, got.Offset, c.at, got.Message)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{`a:"b`, "* | stats by (x) count(", "(((", "_time:[", "a:in(*|fields b)", "\xff|"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if c := logs.Check(text, time.Unix(1, 0)); c.Offset < 0 || c.Offset > len(text) || c.Message == "" && c.Offset != 0 {
			t.Errorf("%q: %+v", text, c)
		} else if !utf8.ValidString(c.Message) && utf8.ValidString(text) {
			t.Errorf("%q: the message is no text: %q", text, c.Message)
		}
	})
}
