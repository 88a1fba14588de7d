package rule

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/storage"
)

// TestCorrelations: the documents of testdata/sigma/correlations.txtar come to what stands above them, or have the faults
// that stand there behind two exclamation marks.
func TestCorrelations(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/sigma/correlations.txtar")
	if err != nil {
		t.Fatal(err)
	}
	base := Document{"base.yml", ar.Files[0].Data}
	for _, f := range ar.Files[1:] {
		t.Run(f.Name, func(t *testing.T) {
			want, src, _ := strings.Cut(string(f.Data), "\ntitle:")
			got, err := ParseTogether([]Document{{"r.yml", []byte("title:" + src)}, base}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(want, "!! ") {
				compareFaults(t, got.Refused, strings.Split(want, "\n"))
				return
			}
			for _, err := range got.Refused {
				t.Error(err)
			}
			if text := describeAll(got.Rules); text != want+"\n" {
				t.Errorf("got\n%swant\n%s", text, want)
			}
		})
	}
}

func compareFaults(t *testing.T, got []error, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %v\nwant %q", got, want)
	}
	for i, err := range got {
		if !strings.HasPrefix(err.Error(), strings.TrimPrefix(want[i], "!! ")) {
			t.Errorf("got  %v\nwant %s", err, want[i])
		}
	}
}

// describeAll prints what rules come to.
func describeAll(rules []*Rule) string {
	var b strings.Builder
	for _, r := range rules {
		if r.Inner {
			b.WriteString("!")
		}
		fmt.Fprintf(&b, "%s %s", r.ID, r.Severity)
		if r.Interpreted {
			b.WriteString(" interpreted")
		}
		fmt.Fprintf(&b, ": %s\n", describe(r, r.Root.Of))
		if len(r.Subs) == 1 && r.Subs[0].Name == "match" {
			continue
		}
		for i := range r.Subs {
			m := r.Subs[i].Match
			fmt.Fprintf(&b, "  %s %v", r.Subs[i].Name, m.By)
			if m.Key != nil {
				fmt.Fprintf(&b, " key %v", m.Key)
			}
			if m.Rule != "" {
				fmt.Fprintf(&b, " of %s", m.Rule)
			}
			for from, to := range m.Alias {
				fmt.Fprintf(&b, " %s=%s", from, to)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func describe(r *Rule, n Node) string {
	join := func(of []Node, word string) string {
		parts := make([]string, len(of))
		for i, n := range of {
			parts[i] = describe(r, n)
		}
		return strings.Join(parts, word)
	}
	switch n := n.(type) {
	case *Match:
		text := r.Subs[n.Sub].Name
		if where, ok := n.Where.(AllOf); ok && len(where) > 0 && text == "match" { // of a filter, the field that it looks at
			if both, ok := where[len(where)-1].(AllOf); ok && len(both) == 2 {
				eachTest(both[1], func(t *Test) { text += " and not (" + t.Field + ")" })
			}
		}
		return text
	case *Aggregate:
		parts := make([]string, len(n.All))
		for i, c := range n.All {
			arg := strings.Join(c.Fields, ",")
			if c.Func == Percentile {
				arg += fmt.Sprintf(", %v", c.Rank)
			}
			parts[i] = fmt.Sprintf("%s(%s) %s %v", c.Func, arg, c.Op, c.Threshold)
		}
		text := fmt.Sprintf("%s in %s of %s", strings.Join(parts, " and "), n.Window, r.Subs[n.Of.Sub].Name)
		for _, m := range n.Also {
			text += " " + r.Subs[m.Sub].Name
		}
		return text
	case *FollowedBy:
		return fmt.Sprintf("(%s -> %s within %s)", describe(r, n.A), describe(r, n.B), n.Within)
	case *And:
		return fmt.Sprintf("(%s within %s)", join(n.Of, " and "), n.Within)
	case *Or:
		return "(" + join(n.Of, " or ") + ")"
	case *AndNot:
		return fmt.Sprintf("(%s and not %s within %s)", describe(r, n.A), describe(r, n.B), n.Within)
	case *Span:
		return fmt.Sprintf("%s span %s", describe(r, n.Of), n.Within)
	}
	return fmt.Sprintf("%T", n)
}

// TestPlaceholdersOfAPackage: a document of the package gives the values that its rules leave open.
func TestPlaceholdersOfAPackage(t *testing.T) {
	needs := Document{"r.yml", []byte("title: t\nlogsource: {product: windows}\ndetection: {a: {Computer|expand: '%dcs%'}, condition: a}\n")}
	values := Document{"placeholders.yaml", []byte("kind: placeholders\nvalues: {dcs: [dc1, dc2]}\n")}
	f, err := ParseTogether([]Document{needs, values}, Options{})
	if err != nil || len(f.Refused) > 0 || len(f.Rules) != 1 {
		t.Fatal(err, f)
	}
	found := 0
	eachTest(f.Rules[0].Subs[0].Match.Where, func(x *Test) {
		if x.Field == "winlog.computer_name" {
			found += len(x.Patterns)
		}
	})
	if found != 2 {
		t.Errorf("%d values", found)
	}
	if f, err := ParseTogether([]Document{needs}, Options{}); err != nil || len(f.Refused) != 1 {
		t.Errorf("without values: %v %v", f.Refused, err)
	}
	values.Data = []byte("kind: placeholders\nvalue: {dcs: [dc1]}\n")
	if _, err := ParseTogether([]Document{needs, values}, Options{}); err == nil || !strings.HasPrefix(err.Error(), `placeholders.yaml:2:1: placeholders: unknown key "value"`) {
		t.Errorf("a wrong key: %v", err)
	}
}

// TestParseDocuments tells the kinds of documents apart, and says of each rule where it comes from.
func TestParseDocuments(t *testing.T) {
	src := "title: t\nauthor: A. Nonymous\nlicense: MIT\ntags: [attack.t1110.001]\nlogsource: {product: windows, service: security}\n" +
		"detection: {a: {EventID: 1}, condition: a}\nfalsepositives: [tests]\nreferences: [https://example.org]\n"
	all, err := ParseDocuments("r.yml", []byte(src), Options{})
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	r := all[0]
	if r.ID != "t" || r.Language != SigmaLanguage || r.Author != "A. Nonymous" || r.License != "MIT" || r.Techniques[0] != "T1110.001" ||
		r.FalsePositives[0] != "tests" || r.References[0] != "https://example.org" || r.DataSources[0] != "product windows, service security" || r.File != "r.yml" {
		t.Errorf("%+v", r)
	}
	pattern := "kind: pattern\nid: p\nname: n\nversion: 1.0.0\nseverity: low\nsubs: {a: {where: {f: x}}}\nincident: {title: t}\n"
	if all, err := ParseDocuments("p.yaml", []byte(pattern), Options{}); err != nil || len(all) != 1 || all[0].ID != "p" {
		t.Errorf("a pattern: %v %v", all, err)
	}
	if all, err := ParseDocuments("r.yml", []byte("kind: mine\n"+src), Options{}); err != nil || all[0].Language != SigmaLanguage {
		t.Errorf("a kind of the author's: %v %v", all, err)
	}
	if _, err := ParseDocuments("p.yaml", []byte("kind: plan\n"), Options{}); err == nil {
		t.Error("a kind that there is not is taken")
	}
	linux := strings.Replace(src, "product: windows, service: security", "product: linux, category: process_creation", 1)
	if all, err := ParseDocuments("r.yml", []byte(strings.Replace(linux, "EventID", "Whatever", 1)), Options{}); err != nil || strings.Join(all[0].Unmapped, " ") != "Whatever" {
		t.Errorf("an unmapped field: %v %v", all, err)
	}
}

// TestCorrelationInWords: sub-patterns are called as the rules are, and a severity that is not said comes from below.
func TestCorrelationInWords(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/sigma/correlations.txtar")
	if err != nil {
		t.Fatal(err)
	}
	src := "title: Outer\ncorrelation: {type: temporal_ordered, rules: [inner, login], group-by: [User], timespan: 5m}\n---\n" +
		"title: Inner\nname: inner\ncorrelation: {type: event_count, rules: [failed, login], group-by: [User], timespan: 5m, condition: {gte: 3}}\n"
	f, err := ParseTogether([]Document{{"r.yml", []byte(src)}, {"base.yml", ar.Files[0].Data}}, Options{})
	if err != nil || len(f.Refused) > 0 {
		t.Fatal(err, f.Refused)
	}
	r := f.Rules[0]
	if r.Subs[0].Title != "Failed login or Login" || r.Subs[1].Title != "Login" {
		t.Errorf("titles %q and %q", r.Subs[0].Title, r.Subs[1].Title)
	}
	if r.Severity != storage.Medium || strings.Join(r.DataSources, "; ") != "product windows, service security" {
		t.Errorf("severity %s, data sources %q", r.Severity, r.DataSources)
	}
}

// FuzzParseDocuments: nothing makes it panic, and rules that it returns are whole.
func FuzzParseDocuments(f *testing.F) {
	ar, err := txtar.ParseFile("testdata/sigma/correlations.txtar")
	if err != nil {
		f.Fatal(err)
	}
	base := string(ar.Files[0].Data)
	for _, x := range ar.Files[1:] {
		_, src, _ := strings.Cut(string(x.Data), "\ntitle:")
		f.Add([]byte("title:" + src + "---\n" + base))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		got, err := ParseTogether([]Document{{"r.yml", src}}, Options{})
		if err != nil {
			return
		}
		for _, r := range got.Rules {
			if r.Root == nil || r.Root.Of == nil || len(r.Subs) == 0 {
				t.Fatalf("%+v", r)
			}
			for i := range r.Subs {
				if r.Subs[i].Match == nil || r.Subs[i].Match.Where == nil || r.Subs[i].Match.Sub != i {
					t.Fatalf("sub-pattern %d of %s", i, r.ID)
				}
			}
		}
	})
}

// TestManualOfSigma: the Sigma documents of LANGUAGE.md are right.
func TestManualOfSigma(t *testing.T) {
	text, err := os.ReadFile("LANGUAGE.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, part := range strings.Split(string(text), "```yaml\n")[1:] {
		src, _, _ := strings.Cut(part, "```")
		if !strings.HasPrefix(src, "title:") {
			continue
		}
		examples++
		if rules, err := ParseDocuments("LANGUAGE.md", []byte(src), Options{}); err != nil || len(rules) == 0 {
			t.Errorf("%v: %s", err, src)
		}
	}
	if examples == 0 {
		t.Error("no example")
	}
}
