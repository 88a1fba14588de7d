package fortisiem

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vedette-siem/vedette/host/rule"
)

// TestImport reads each file of testdata, and compares documents and problems with the .want beside it.
func TestImport(t *testing.T) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all, err := Import(filepath.Base(file), src)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, in := range all {
				b.WriteString("# " + in.Name + "\n")
				b.Write(in.Document)
				for _, p := range in.Problems {
					b.WriteString("# " + map[bool]string{true: "changes: ", false: "note: "}[p.Changes] + p.String() + "\n")
				}
				b.WriteString("\n")
			}
			want, err := os.ReadFile(file + ".want")
			if err != nil || string(want) != b.String() {
				t.Errorf("%v\ngot\n%s", err, b.String())
			}
		})
	}
}

// TestThereAndBack: a rule that XML can say is the same after export and import, and no problem is named for it that
// changes it.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, err := randomForm(t).Document()
		if err != nil {
			t.Fatal(err)
		}
		r, err := rule.Parse("r.yaml", doc)
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		text, problems, err := Export(r)
		if err != nil || len(problems) > 0 {
			t.Fatalf("%v %v\n%s", err, problems, doc)
		}
		all, err := Import("r.xml", text)
		if err != nil || len(all) != 1 || all[0].Rule == nil {
			t.Fatalf("%v %v\n%s\n%s", err, all, text, doc)
		}
		for _, p := range all[0].Problems {
			if p.Changes && !strings.Contains(p.Text, "event type") {
				t.Fatalf("%s\n%s\n%s", p, text, doc)
			}
		}
		if !rule.Equal(r, all[0].Rule) {
			t.Fatalf("another rule\n%s\n%s\n%s", all[0].Document, text, doc)
		}
	})
}

// TestShipped exports the shipped rules: what comes back is the rule, or a problem says what does not.
func TestShipped(t *testing.T) {
	files, _ := filepath.Glob("../../../modules/rules/*/*.yaml")
	same, named := 0, 0
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(src), "kind: pattern") {
			continue
		}
		r, err := rule.Parse(file, src)
		if err != nil {
			continue // the test of host/rule reports it
		}
		text, problems, err := Export(r)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		all, err := Import(file, text)
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %v\n%s", file, err, text)
		}
		switch {
		case all[0].Rule != nil && rule.Equal(r, all[0].Rule):
			same++
		case len(problems)+len(all[0].Problems) == 0:
			t.Errorf("%s: another rule, and nothing says so\n%s\n%s", file, text, all[0].Document)
		default:
			named++
		}
	}
	if same+named == 0 {
		t.Error("no shipped rules")
	}
	t.Logf("%d equal, %d with what is lost named", same, named)
}

// TestUnsaid: what the XML cannot say is named.
func TestUnsaid(t *testing.T) {
	const head = "kind: pattern\nid: a\nname: b\nversion: 1.0.0\nseverity: low\nwindow: 5m\nincident: {title: t}\n"
	for doc, want := range map[string]string{
		"subs: {a: {where: {user.name|cased: x}}}":                                                    "a: user.name: that case matters",
		"subs: {a: {where: {user.name|startswith: x}}}":                                               `a: user.name|startswith: "x" is written`,
		"subs: {a: {where: {user.name: 'x*y'}}}":                                                      `"x*y" has wildcards`,
		"subs: {a: {where: {event.created|hour: 3}}}":                                                 "the test cannot be said",
		"subs: {a: {where: {no.attribute: 3}}}":                                                       "field no.attribute: the table has no attribute",
		"subs: {a: {where: {user.name: x}, by: [user.name], null_key: include}}":                      "null_key: include cannot be said",
		"subs: {a: {where: {user.name: x}, first_seen: {fields: [user.name], within: 30d}}}":          "first_seen cannot be said",
		"subs: {a: {where: {user.name: x}, having: count() > 2, windows: tumbling}}":                  "windows: tumbling cannot be said",
		"subs: {a: {where: {user.name: x}, having: 'count() > stat.mean', baseline: {}}}":             "baseline: what is learnt",
		"subs: {a: {where: {user.name: x}, having: 'percentile(bytes, 99.5) > 1', window: 90500ms}}":  "percentile(bytes, 99.5) > 1 cannot be said",
		"subs: {a: {where: {user.name: x}, having: 'count() > 1', window: 90500ms}}":                  "times are whole seconds",
		"subs: {a: {where: {user.name: x}}, b: {where: {user.name: y}}}\nexpr: a -> b within 1m -> a": "several windows",
		"subs: {a: {where: {user.name: x}}, b: {where: {user.name: y}}}\nexpr: a -> b -> a":           "a stands twice",
		"subs: {a: {where: {user.name: x}}, b: {where: {user.name: y}}}\nexpr: a and not before b":    "and not before cannot be said",
		"subs: {a: {where: {user.name: x}}, b: {where: {user.name: y}}}\nexpr: (a -> b) span 5m":      "span cannot be said",
		"subs: {a: {where: {user.name: x}}}\nexpr: a !-> a\nrearm: latest":                            "rearm: latest",
		"subs: {a: {where: {user.name: x}}}\nexceptions: [{reason: r, where: {user.name: y}}]":        "exceptions",
		"subs: {a: {where: {user.name: x}}}\nlimits: {max_keys: 5}":                                   "limits",
		"subs: {a: {where: {user.name: x}}}\nwatchlist: [{name: l, value: user.name, ttl: 3d}]":       "ttl 3d cannot be said",
	} {
		r, err := rule.Parse("r.yaml", []byte(head+doc+"\n"))
		if err != nil {
			t.Errorf("%v\n%s", err, doc)
			continue
		}
		_, problems, err := Export(r)
		found := false
		for _, p := range problems {
			found = found || strings.Contains(p.String(), want)
		}
		if err != nil || !found {
			t.Errorf("%s: %v, %v, want %s", doc, problems, err, want)
		}
	}
}

// TestTables: each attribute and field stands once, and each event type is read as the rows that it is written from.
func TestTables(t *testing.T) {
	if n := len(lines(attributesFile)); n < 100 || n != len(fieldOf) || n != len(attributeOf) {
		t.Errorf("%d lines, %d attributes, %d fields", n, len(fieldOf), len(attributeOf))
	}
	for _, e := range eventTypes {
		name := strings.Replace(e.before+"*"+e.after, "*", map[bool]string{true: "4625", false: ""}[e.wild], 1)
		if got, _ := named(rows(name), nil); got != name {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// TestLimits: what is over a limit is refused with its name, or reported.
func TestLimits(t *testing.T) {
	body := func(constraint string) []byte {
		return []byte(`<Rule><IncidentDef eventType="X" severity="5"/><PatternClause window="60"><SubPattern name="a"><SingleEvtConstr>` +
			constraint + `</SingleEvtConstr></SubPattern></PatternClause></Rule>`)
	}
	if _, err := Import("f", make([]byte, MaxFileBytes+1)); err == nil || !strings.Contains(err.Error(), "the limit is") {
		t.Errorf("a byte more: %v", err)
	}
	if _, err := Import("f", []byte(strings.Repeat("<a>", maxDepth+1))); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Errorf("deeper: %v", err)
	}
	if _, err := Import("f", []byte("<a>"+strings.Repeat("<b/>", maxElements)+"</a>")); err == nil || !strings.Contains(err.Error(), "elements") {
		t.Errorf("more elements: %v", err)
	}
	for what, c := range map[string]struct{ constraint, want string }{
		"a constraint that is longer": {`user = "` + strings.Repeat("x", maxConstraint) + `"`, "the limit is"},
		"a parenthesis more":          {strings.Repeat("(", maxDepth) + "user = 1" + strings.Repeat(")", maxDepth), "nested deeper"},
		"a test more":                 {"user=1" + strings.Repeat(" OR user=1", maxTerms), "more than"},
	} {
		all, err := Import("f", body(c.constraint))
		if err != nil || len(all) != 1 || all[0].Rule != nil || !strings.Contains(all[0].Problems[len(all[0].Problems)-1].Text, c.want) {
			t.Errorf("%s: %v, %v", what, all, err)
		}
	}
	all, err := Import("f", body(strings.Repeat("(", maxDepth-1)+"user = 1"+strings.Repeat(")", maxDepth-1)))
	if err != nil || all[0].Rule == nil && !strings.Contains(all[0].Problems[0].Text, "name is missing") {
		t.Errorf("as deep as allowed: %v, %v", all, err)
	}
}

func FuzzImport(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.xml")
	for _, file := range files {
		if src, err := os.ReadFile(file); err == nil {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		all, err := Import("r.xml", src)
		if err != nil {
			return
		}
		for _, in := range all {
			if in.Rule == nil && len(in.Problems) == 0 {
				t.Fatal("no rule and no reason")
			}
			if in.Rule != nil {
				if _, _, err := Export(in.Rule); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
