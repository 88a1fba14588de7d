package fortisiem

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
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

// TestUnsayable: a rule that XML cannot say comes back too, and what comes back has no problem.
func TestUnsayable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := randomForm(t)
		unsayable(t, &f)
		doc, err := f.Document()
		if err != nil {
			t.Fatal(err)
		}
		r, err := rule.Parse("r.yaml", doc)
		if err != nil {
			t.Skip(err) // some changes exclude each other
		}
		text, _, err := Export(r)
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		all, err := Import("r.xml", text)
		if err != nil || len(all) != 1 || all[0].Rule == nil {
			t.Fatalf("%v %v\n%s\n%s", err, all, text, doc)
		}
		for _, p := range all[0].Problems {
			if !strings.Contains(p.Text, "TriggerEventDisplay") {
				t.Fatalf("%s\n%s\n%s", p, text, doc)
			}
		}
		if !rule.Equal(r, all[0].Rule) {
			t.Fatalf("another rule\n%s\n%s\n%s", all[0].Document, text, doc)
		}
	})
}

// extended is a rule of which the XML cannot say some.
const extended = `kind: pattern
id: guessed
name: Guessed
version: 2.1.0
severity: high
window: 10m
subs:
  fail:
    where: {event.action|cased: Login, dns.question.name|startswith: a}
    by: [source.ip]
    having: count() >= 5
    window: 5m
  ok:
    where: {user.name|startswith: b}
    by: [source.ip]
expr: fail -> ok
incident: {title: "{source.ip|somewhere}: {count}"}
`

// TestEdited: what was edited in the product's own elements counts more than the extension, and the rest of that stays.
func TestEdited(t *testing.T) {
	doc := extended
	r, err := rule.Parse("r.yaml", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := Export(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, want, problem string }{
		{name: "nothing", want: doc},
		{name: "indentation", from: "\n  ", to: "\n\t  ", want: doc},
		{name: "severity", from: `severity="7"`, to: `severity="9"`, want: strings.Replace(doc, "high", "critical", 1)},
		{
			name: "a selection", from: "^b", to: "^c", problem: "subs.ok.where: the XML was edited",
			want: strings.Replace(doc, "user.name|startswith: b", "user.name|re: '(?is)^c'", 1),
		},
		{
			name: "a number", from: "&gt;= 5", to: "&gt;= 6", problem: "subs.fail.window: the XML was edited",
			want: strings.Replace(doc, "count() >= 5\n    window: 5m", "count() >= 6", 1),
		},
		{
			name: "the title", from: "$srcIpAddr:<", to: "$srcIpAddr<", problem: "title: the XML was edited",
			want: strings.Replace(doc, "{source.ip|somewhere}: {count}", "{source.ip}", 1),
		},
		{name: "a part that is none", from: `of="version"`, to: `of="vision"`, problem: "no rule comes of it"},
		{name: "a part that is no JSON", from: `"2.1.0"`, to: `2.1.0`, problem: "no JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			edited := string(text)
			if c.from != "" {
				edited = strings.ReplaceAll(edited, c.from, c.to)
			}
			if c.from != "" && edited == string(text) {
				t.Fatalf("%s is not in\n%s", c.from, text)
			}
			all, err := Import("r.xml", []byte(edited))
			if err != nil {
				t.Fatal(err)
			}
			said := ""
			for _, p := range all[0].Problems {
				said += p.String() + "\n"
			}
			if !strings.Contains(said, c.problem) || c.problem == "" && said != "" {
				t.Errorf("problems\n%s", said)
			}
			if c.want == "" {
				return
			}
			want, err := rule.Parse("r.yaml", []byte(c.want))
			if err != nil {
				t.Fatal(err)
			}
			if all[0].Rule == nil || !rule.Equal(want, all[0].Rule) {
				t.Errorf("%s\nof\n%s", all[0].Document, edited)
			}
		})
	}
}

// TestEditedBesideExceptions: what every sub-pattern selects has the exceptions in it, so an edit of one takes them away.
func TestEditedBesideExceptions(t *testing.T) {
	r, err := rule.Parse("r.yaml", []byte(extended+"exceptions: [{reason: ours, where: {user.name: me}}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := Export(r)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(text), `(user = &#34;me&#34;)`, `(user = &#34;you&#34;)`, 1)
	all, err := Import("r.xml", []byte(edited))
	if err != nil || all[0].Rule == nil || edited == string(text) {
		t.Fatalf("%v\n%s", err, edited)
	}
	doc := string(all[0].Document)
	if strings.Contains(doc, "exceptions") || !strings.Contains(doc, "not: {user.name: you}") || !strings.Contains(doc, "not: {user.name: me}") || !strings.Contains(doc, "version: 2.1.0") {
		t.Errorf("%s", doc)
	}
}

// TestShipped exports the shipped rules: what comes back is the rule, with nothing to say about it.
func TestShipped(t *testing.T) {
	files, _ := filepath.Glob("../../../modules/rules/*/*.yaml")
	n, size, parts := 0, 0, map[string]int{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(src), "kind: pattern") {
			continue
		}
		r, err := rule.Parse(file, src)
		if err != nil {
			continue // the test of host/rule reports it
		}
		text, _, err := Export(r)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		all, err := Import(file, text)
		if err != nil || len(all) != 1 || all[0].Rule == nil || !rule.Equal(r, all[0].Rule) || len(all[0].Problems) > 0 {
			t.Fatalf("%s: %v %v\n%s", file, err, all[0].Problems, text)
		}
		n++
		size += len(text)
		for _, m := range partForm.FindAllStringSubmatch(string(text), -1) {
			parts[m[1]+m[2]]++
		}
	}
	if n == 0 {
		t.Error("no shipped rules")
	}
	t.Logf("%d rules, %d bytes, parts %v", n, size, parts)
}

var partForm = regexp.MustCompile(`<vedette:Part of="(?:([a-z_]+)|subs\.[a-z0-9_]+(\.[a-z_]+))"`)

// TestUnsaid: what the XML cannot say is named.
func TestUnsaid(t *testing.T) {
	const head = "kind: pattern\nid: a\nname: b\nversion: 1.0.0\nseverity: low\nwindow: 5m\nincident: {title: t}\n"
	for doc, want := range map[string]string{
		"subs: {a: {where: {user.name|cased: x}}}":                                                    "a: user.name: that case matters",
		"subs: {a: {where: {user.name|startswith: x}}}":                                               `a: user.name|startswith: "x" is written`,
		"subs: {a: {where: {user.name: 'x*y'}}}":                                                      `"x*y" has wildcards`,
		"subs: {a: {where: {event.created|day: 3}}}":                                                  "the test cannot be said",
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

// TestCustomAttributes: whatever a field is called, its attribute has a name that FortiSIEM takes and that tells the field.
func TestCustomAttributes(t *testing.T) {
	for field, want := range map[string]string{
		"source.ip": "srcIpAddr", "myField": "myField", "dns.question.registered_domain": "ecs_dns_question_registered__domain",
		"user": "ecs_user", "NOT": "ecs_NOT", "ecs_x": "ecs_ecs__x", "a._b": "ecsx_612e5f62", "x-y": "ecsx_782d79", "größe": "ecsx_6772c3b6c39f65",
	} {
		if got, _ := attribute(field); got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.StringMatching(`[a-zA-Z_.@-]{1,12}`), rapid.StringN(1, 8, -1)).Draw(t, "field")
		a, _ := attribute(name)
		if back, _ := field(a); back != name || !plainAttribute.MatchString(a) {
			t.Fatalf("%q is %q, which is %q", name, a, back)
		}
	})
}

// TestBetween: the networks of a range have its addresses and no others.
func TestBetween(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint8().Draw(t, "low"), rapid.Uint8().Draw(t, "high")
		nets := between(netip.AddrFrom4([4]byte{10, 0, 0, a}).String(), netip.AddrFrom4([4]byte{10, 0, 0, b}).String())
		if (nets == nil) != (b < a) || len(nets) > 14 {
			t.Fatalf("%d networks", len(nets))
		}
		for i := range 256 {
			in := 0
			for _, n := range nets {
				if netip.MustParsePrefix(*n).Contains(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})) {
					in++
				}
			}
			if want := map[bool]int{true: 1}[i >= int(a) && i <= int(b)]; in != want {
				t.Fatalf("%d is in %d networks", i, in)
			}
		}
	})
	for _, c := range [][2]string{{"10.0.0.1", "::1"}, {"x", "10.0.0.1"}, {"fe80::1%a", "fe80::2%a"}, {"1", "2"}} {
		if nets := between(c[0], c[1]); nets != nil {
			t.Errorf("%v: %d networks", c, len(nets))
		}
	}
	if nets := between("0.0.0.0", "255.255.255.255"); len(nets) != 1 || *nets[0] != "0.0.0.0/0" {
		t.Errorf("all addresses: %d networks", len(nets))
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
	if r, err := rule.Parse("r.yaml", []byte(extended)); err == nil {
		if src, _, err := Export(r); err == nil {
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
			if in.Rule == nil {
				continue
			}
			text, problems, err := Export(in.Rule)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := Import("r.xml", text); err != nil || len(back) != 1 || back[0].Rule == nil || !rule.Equal(in.Rule, back[0].Rule) {
				t.Fatalf("%v %v\n%s\nof\n%s", err, problems, text, in.Document)
			}
		}
	})
}
