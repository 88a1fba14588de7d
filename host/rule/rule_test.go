package rule

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// TestFaults runs testdata/faults.txtar: each document and the start of the error it must give.
func TestFaults(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/faults.txtar")
	if err != nil {
		t.Fatal(err)
	}
	base, faults := string(ar.Files[0].Data), ar.Files[1:]
	if _, err := Parse("base", []byte(base)); err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Run(f.Name, func(t *testing.T) {
			want, body, _ := strings.Cut(string(f.Data), "\n")
			doc := edit(t, base, body)
			_, err := Parse("r.yaml", []byte(doc))
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Fatalf("got  %v\nwant %s\n%s", err, want, doc)
			}
		})
	}
}

// edit replaces the base document's top-level keys by those in body; "-key" removes one.
func edit(t *testing.T, base, body string) string {
	if strings.HasPrefix(body, "whole:\n") {
		return strings.TrimPrefix(body, "whole:\n")
	}
	for _, line := range strings.Split(strings.TrimRight(body, "\n"), "\n") {
		key, _, _ := strings.Cut(strings.TrimPrefix(line, "-"), ":")
		found := false
		lines := strings.Split(base, "\n")
		for i, l := range lines {
			if strings.HasPrefix(l, key+":") {
				found = true
				lines[i] = line
				if strings.HasPrefix(line, "-") {
					lines = append(lines[:i], lines[i+1:]...)
				}
				break
			}
		}
		base = strings.Join(lines, "\n")
		if !found {
			base = strings.TrimRight(base, "\n") + "\n" + line + "\n"
		}
	}
	return base
}

func TestLowering(t *testing.T) {
	r, err := Parse("r.yaml", []byte(`
kind: pattern
id: guessed
name: Guessed
version: 1.0.0
severity: high
techniques: [T1110, T1110.001]
window: 10m
subs:
  fail: {where: {event.code: 4625}, by: [source.ip], having: "distinct(user.name) > 5"}
  ok: {where: [{a: 1}, {b|endswith: '.exe'}], by: [client.ip]}
  log: {where: {c: x}, by: [source.ip]}
expr: (fail -> ok within 90s) !-> log
rearm: latest
exceptions:
  - {reason: the scanner, where: {source.ip|cidr: 10.0.0.0/8}}
incident: {key: [source.ip], title: "{source.ip}: {count}"}
clear: {after: 1d}
`))
	if err != nil {
		t.Fatal(err)
	}
	absence := r.Root.Of.(*NotFollowedBy)
	chain := absence.A.(*FollowedBy)
	agg := chain.A.(*Aggregate)
	if absence.Within != 10*time.Minute || !absence.Latest || chain.Within != 90*time.Second || agg.Window != 10*time.Minute ||
		agg.All[0].Least() != 6 || agg.All[0].Fields[0] != "user.name" || r.Root.Clear.After != 24*time.Hour || r.Lateness != DefaultLateness {
		t.Errorf("%+v %+v %+v", absence, chain, agg)
	}
	if _, folded := r.Subs[1].Match.Where.(AllOf)[1].(Not); !folded {
		t.Error("the exception is not folded into ok")
	}
	if _, folded := r.Subs[2].Match.Where.(AllOf)[0].(Not); folded || len(r.Subs[2].Match.Where.(AllOf)) != 1 {
		t.Error("the exception hides the event whose absence is awaited")
	}
	if want := (Title{{Field: "source.ip", Text: "-"}, {Text: ": "}, {Count: true}}); !reflect.DeepEqual(r.Root.Incident.Title, want) {
		t.Errorf("%+v", r.Root.Incident.Title)
	}
}

// TestAdvice reads what a document says to people, and refuses more of it than the limits.
func TestAdvice(t *testing.T) {
	doc := func(steps, title string) []byte {
		return []byte("kind: pattern\nid: a\nname: b\nversion: 1.0.0\nseverity: low\nsubs: {a: {title: " + title + ", where: {b: c}}}\n" +
			"incident: {title: t}\nreferences: https://a.example/\nnext_steps: [" + steps + "]\n")
	}
	r, err := Parse("r.yaml", doc("look, ask", "an event"))
	if err != nil || !reflect.DeepEqual(r.NextSteps, []string{"look", "ask"}) || r.Subs[0].Title != "an event" || r.References[0] != "https://a.example/" {
		t.Fatalf("%+v, %v", r, err)
	}
	long := strings.Repeat("x", MaxAdviceBytes)
	for what, c := range map[string]struct {
		steps, title string
		fine         bool
	}{
		"as many as allowed": {strings.Repeat("x,", MaxAdvice-1) + "x", "t", true},
		"one more":           {strings.Repeat("x,", MaxAdvice) + "x", "t", false},
		"as long as allowed": {long, long, true},
		"a byte longer":      {long + "x", "t", false},
		"a longer title":     {"x", long + "x", false},
	} {
		if _, err := Parse("r.yaml", doc(c.steps, c.title)); (err == nil) != c.fine {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestLimits: as much as a limit allows is a rule, and one more is not.
func TestLimits(t *testing.T) {
	const head = "kind: pattern\nid: a\nname: b\nversion: 1.0.0\nseverity: low\nwindow: 5m\nincident: {title: t}\n"
	many := func(n int, text, between string) string { return strings.Repeat(text+between, n-1) + text }
	numbered := func(n int, form string) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf(form, i))
		}
		return strings.Join(out, ", ")
	}
	for what, doc := range map[string]func(more int) string{
		"lines of join": func(more int) string {
			return "subs: {a: {where: {x: 1}}, b: {where: {y: 2}}}\nexpr: a -> b\njoin: [" + many(MaxJoins+more, "a.k < b.k", ", ") + "]\n"
		},
		"lists of a test": func(more int) string {
			return "subs: {a: {where: {x|in: [" + numbered(MaxListsPerTest+more, "l%d") + "]}}}\n"
		},
		"fields of by": func(more int) string {
			return "subs: {a: {where: {x: 1}, by: [" + numbered(MaxKeyFields+more, "f%d") + "]}}\n"
		},
		"days of a test": func(more int) string {
			return "subs: {a: {where: {x: 1}}}\ntests: [{until: " + strconv.Itoa(100+more) + "d, expect: {incidents: 0}}]\n"
		},
		"days of first_seen": func(more int) string {
			return "subs: {a: {where: {x: 1}, first_seen: {fields: [y], within: " + strconv.Itoa(366+more) + "d}}}\n"
		},
		"sub-patterns": func(more int) string {
			return "subs: {" + numbered(MaxSubs+more, "s%d: {where: {x: 1}}") + "}\nexpr: " + strings.ReplaceAll(numbered(MaxSubs+more, "s%d"), ",", " or") + "\n"
		},
		"sub-patterns with that of clear": func(more int) string {
			return "clear: {where: {y: 1}}\nsubs: {" + numbered(MaxSubs-1+more, "s%d: {where: {x: 1}}") + "}\nexpr: " + strings.ReplaceAll(numbered(MaxSubs-1+more, "s%d"), ",", " or") + "\n"
		},
		"bytes of having": func(more int) string {
			return "subs: {a: {where: {x: 1}, having: 'count() > 1" + strings.Repeat(" ", maxExpressionBytes-11+more) + "'}}\n"
		},
	} {
		if _, err := Parse("r.yaml", []byte(head+doc(0))); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := Parse("r.yaml", []byte(head+doc(1))); err == nil {
			t.Errorf("%s: one more is allowed", what)
		}
	}
}

// TestCostly: documents on which a YAML parser would spend seconds are refused or read at once.
func TestCostly(t *testing.T) {
	for _, unit := range []string{"&a ", "!a ", "? ", "- ", "[", "{a: ", "a: b\n", "'", "#\n", ": "} {
		n := MaxDocumentBytes / len(unit)
		begin := time.Now()
		if _, err := Parse("r.yaml", []byte(strings.Repeat(unit, n))); err == nil {
			t.Errorf("%q repeated is a rule", unit)
		}
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("%q repeated took %s", unit, d)
		}
	}
	if _, err := Parse("r.yaml", make([]byte, MaxDocumentBytes+1)); err == nil || !strings.Contains(err.Error(), "the limit is") {
		t.Errorf("one byte over the limit: %v", err)
	}
}

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"abc", "abc", true},
		{"abc", "abcd", false},
		{"a*c", "abbc", true},
		{"a*c", "ac", true},
		{"a?c", "ac", false},
		{"a?c", "aéc", true},
		{`a\*c`, "a*c", true},
		{`a\*c`, "abc", false},
		{`C:\Windows\*`, `C:\Windows\x`, false},
		{`C:\Windows\\*`, `C:\Windows\x`, true},
		{`C:\\Windows`, `C:\Windows`, true},
		{`C:\Windows`, `C:\Windows`, true},
		{"*", "", true},
		{"**a", "ba", true},
		{"*a*b*c", "xaxbxcxc", true},
		{"*a*b*c", "xaxcxb", false},
		{"?", "", false},
	} {
		if got := ParsePattern(c.pattern).Match(c.text); got != c.want {
			t.Errorf("%s on %s: %v", c.pattern, c.text, got)
		}
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "7d": 168 * time.Hour, "2w": 336 * time.Hour,
		"": 0, "10": 0, "-1s": 0, "1y": 0, "99999999d": 0,
	} {
		if got, err := parseDuration(s); got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
}

// TestSchema compares the keys of the JSON Schema with those that Parse knows.
func TestSchema(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(Schema, &doc); err != nil {
		t.Fatal(err)
	}
	at := func(path string) any {
		var v any = doc
		for _, p := range strings.Split(path, "/") {
			switch x := v.(type) {
			case map[string]any:
				v = x[p]
			case []any:
				i, _ := strconv.Atoi(p)
				v = x[i]
			}
		}
		return v
	}
	for path, want := range map[string][]string{
		"properties": ruleKeys, "$defs/sub/properties": subKeys, "properties/incident/properties": incidentKeys,
		"properties/clear/properties": clearKeys, "$defs/sub/properties/first_seen/properties": firstSeenKeys,
		"$defs/sub/properties/baseline/properties": baselineKeys, "properties/watchlist/items/properties": watchKeys,
		"properties/limits/properties": limitKeys, "properties/exceptions/items/properties": exceptionKeys,
		"properties/tests/items/properties": testKeys, "$defs/event/properties": eventKeys,
		"properties/tests/items/properties/expect/properties": expectKeys,
	} {
		m, ok := at(path).(map[string]any)
		if !ok {
			t.Errorf("schema has no %s", path)
			continue
		}
		var have []string
		for k := range m {
			have = append(have, k)
		}
		want = append([]string(nil), want...)
		sort.Strings(have)
		sort.Strings(want)
		if !reflect.DeepEqual(have, want) {
			t.Errorf("%s: schema has %v, Parse knows %v", path, have, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, src := range shipped(f) {
		f.Add(src)
	}
	f.Add([]byte("kind: pattern\nid: a\nname: b\nversion: 1.0.0\nseverity: low\nsubs: {a: {where: {b: c}}}\nincident: {title: '{b}'}"))
	f.Fuzz(func(t *testing.T, src []byte) {
		r, err := Parse("r.yaml", src)
		var fault *Error
		if (r == nil) == (err == nil) || err != nil && !errors.As(err, &fault) {
			t.Fatalf("%v, %v", r, err)
		}
		if r == nil {
			return
		}
		doc, err := Format(r)
		if err != nil {
			return // what YAML cannot carry
		}
		if again, err := Parse("written", doc); err != nil || !Equal(r, again) {
			t.Fatalf("%v\n%s", err, doc)
		}
	})
}
