package rule

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/storage"
)

// TestSigmaFaults: each document of testdata/sigma/faults.txtar gives the error that it begins with.
func TestSigmaFaults(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/sigma/faults.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseSigma("base", ar.Files[0].Data, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, f := range ar.Files[1:] {
		t.Run(f.Name, func(t *testing.T) {
			want, body, _ := strings.Cut(string(f.Data), "\n")
			_, err := ParseSigma("r.yml", []byte(body), Options{})
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Fatalf("got  %v\nwant %s", err, want)
			}
			if lacks := strings.HasPrefix(f.Name, "lacks-"); errors.Is(err, ErrNotImplemented) != lacks {
				t.Fatalf("not implemented: %v", err)
			}
		})
	}
}

func TestSigmaLower(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/sigma/faults.txtar")
	if err != nil {
		t.Fatal(err)
	}
	all, err := ParseSigma("base.yml", ar.Files[0].Data, Options{})
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	native, err := Native()
	if err != nil {
		t.Fatal(err)
	}
	all[0].Date = "2024-03-07"
	r, err := all[0].Lower(native)
	if err != nil {
		t.Fatal(err)
	}
	if r.ID != "6f2c1f0e-6a2b-4d55-9b5d-1f3f5d0a1b22" || r.Severity != storage.High || r.Version != "2024.3.7" || !slices.Equal(r.Techniques, []string{"T1059.001"}) {
		t.Errorf("%+v", r)
	}
	all[0].Source = LogSource{Product: "toaster"}
	if _, err := all[0].Lower(native); !errors.Is(err, ErrLogSource) || !strings.Contains(err.Error(), "mapping native has no log source product toaster") {
		t.Errorf("unknown log source: %v", err)
	}
}

// TestUnmapped names what a mapping does not.
func TestUnmapped(t *testing.T) {
	ecs, err := ECS()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ source, fields, want string }{
		{"product: windows, category: process_creation", "Image: a, Whatever: b", ""}, // Windows' data is kept under its names
		{"product: linux, category: process_creation", "Image: a, Signed: b, user.name: c, Other|fieldref: Third", "Other Signed Third"},
		{"category: webserver", "cs-method: GET", ""},
	} {
		all, err := ParseSigma("r.yml", fmt.Appendf(nil, "title: t\nid: a\nlogsource: {%s}\ndetection: {a: {%s}, condition: not a}\n", c.source, c.fields), Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := all[0].Lower(ecs)
		if err != nil || strings.Join(r.Unmapped, " ") != c.want {
			t.Errorf("%s: %q, %v; want %q", c.source, r.Unmapped, err, c.want)
		}
	}
}

func TestMappingFaults(t *testing.T) {
	for text, want := range map[string]string{
		"nam: x":                                   "m.yaml:1:1: mapping: unknown key",
		"missing: perhaps":                         `m.yaml:1:10: missing: "perhaps" (unknown or false)`,
		"sources: [{where: {a: b}}]":               "m.yaml:1:12: source: category, product or service, and where, must be there",
		"sources: [{product: a}]":                  "m.yaml:1:12: source:",
		"sources: [{product: a, where: {a|x: 1}}]": "m.yaml:1:32: field a: unknown modifier",
	} {
		if _, err := ParseMapping("m.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestVersion(t *testing.T) {
	for date, want := range map[string]string{"2024-03-07": "2024.3.7", "2024/10/30": "2024.10.30", "": "1.0.0", "2024": "1.0.0", "yesterday-a-b": "1.0.0", "2024-00-01": "1.0.0"} {
		if got := version(date); got != want {
			t.Errorf("%q: %q, want %q", date, got, want)
		}
	}
}

// TestEncodings: what a value becomes, by hand and by the specification's appendix.
func TestEncodings(t *testing.T) {
	for _, c := range []struct{ modifiers, value, want string }{
		{"base64", "/bin/bash", "L2Jpbi9iYXNo"},
		{"base64offset|contains", "foo", "*Zm9v* *Zvb* *mb2*"},
		{"base64offset|contains", "foob", "*Zm9vY* *Zvb2* *mb29i*"},
		{"wide|base64", "a", "YQA="},
		{"utf16|base64", "a", "//5hAA=="},
		{"utf16be|base64", "a", "AGE="},
		{"windash", "x -a", "x -a x /a x \u2013a x \u2014a x \u2015a"},
		{"windash", "a-b c/d", "a-b c/d"},
		{"windash", "/a*b", "-a*b /a*b \u2013a*b \u2014a*b \u2015a*b"},
		{"expand", "a%x%b", "a1b a2b"},
		{"expand", `a\%x%x%`, "a%x1 a%x2"},
		{"expand", "a%x", "a%x"},
	} {
		doc := fmt.Sprintf("title: t\nid: a\nlogsource: {product: p}\ndetection: {a: {f|%s: %q}, condition: a}\n", c.modifiers, c.value)
		all, err := ParseSigma("r.yml", []byte(doc), Options{Placeholders: map[string][]string{"x": {"1", "2"}}})
		if err != nil {
			t.Errorf("%s %s: %v", c.modifiers, c.value, err)
			continue
		}
		var have []string
		for _, p := range all[0].Where.(AllOf)[0].(*Test).Patterns {
			text := ""
			for _, tok := range p {
				if text += tok.Text; tok.Wild != 0 {
					text += string(tok.Wild)
				}
			}
			have = append(have, text)
		}
		if got := strings.Join(have, " "); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.modifiers, c.value, got, c.want)
		}
	}
}

func TestSigmaLimits(t *testing.T) {
	dashes := strings.Repeat(" -a", 6) // 5^6 values
	doc := "title: t\nid: a\nlogsource: {product: p}\ndetection: {a: {f|windash: '" + dashes + "'}, condition: a}\n"
	if _, err := ParseSigma("r.yml", []byte(doc), Options{}); err == nil || !strings.Contains(err.Error(), "more than 10000 values") {
		t.Errorf("six dashes: %v", err)
	}
	if _, err := ParseSigma("r.yml", make([]byte, MaxSigmaBytes+1), Options{}); err == nil || !strings.Contains(err.Error(), "the limit is") {
		t.Errorf("one byte over: %v", err)
	}
	many := "detection: {a: {f: [" + strings.Repeat("x, ", 999) + "x]}, condition: a" + strings.Repeat(" or a", MaxSigmaValues/1001) + "}\n"
	if _, err := ParseSigma("r.yml", []byte("title: t\nid: a\nlogsource: {product: p}\n"+many), Options{}); err == nil || !strings.Contains(err.Error(), "it comes to 100100 values, the limit is 100000") {
		t.Errorf("one search too often: %v", err)
	}
	deep := strings.Repeat("(", MaxNestingDepth+2) + "a" + strings.Repeat(")", MaxNestingDepth+2)
	doc = "title: t\nid: a\nlogsource: {product: p}\ndetection: {a: {f: x}, condition: '" + deep + "'}\n"
	if _, err := ParseSigma("r.yml", []byte(doc), Options{}); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Errorf("too deep: %v", err)
	}
}

// TestReadFolder: what can be used is used, what cannot is named.
func TestReadFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a/good.yml":   "title: t\nid: a\nlogsource: {product: windows, service: security}\ndetection: {a: {EventID: 1}, condition: a}\n",
		"a/two.yaml":   "title: t\nid: b\nlogsource: {product: windows}\ndetection: {a: {f: 1}, condition: a}\n---\ntitle: t\nid: c\nlogsource: {product: toaster}\ndetection: {a: {f: 1}, condition: a}\n",
		"twin.yaml":    "kind: pattern\nid: a\nname: n\nversion: 1.0.0\nseverity: low\nsubs: {a: {where: {f: x}}}\nincident: {title: t}\n",
		"pattern.yaml": "kind: pattern\nid: p\nname: n\nversion: 1.0.0\nseverity: low\nsubs: {a: {where: {f: x}}}\nincident: {title: t}\n",
		"bad.yml":      "title: [\n",
		"README.md":    "no rule",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	native, err := Native()
	if err != nil {
		t.Fatal(err)
	}
	f, err := ReadFolder(os.DirFS(dir), Options{Names: native})
	if err != nil || f.Files != 5 || len(f.Rules) != 3 || len(f.Refused) != 3 {
		t.Errorf("%d files, %d rules, refused %v: %v", f.Files, len(f.Rules), f.Refused, err)
	}
	if _, err := ReadFolder(os.DirFS(filepath.Join(dir, "none")), Options{Names: native}); err == nil {
		t.Error("a folder that is not there is read")
	}
}

// FuzzParseSigma: nothing makes it panic, and what it accepts can be lowered or has no log source.
func FuzzParseSigma(f *testing.F) {
	ar, err := txtar.ParseFile("testdata/sigma/faults.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, x := range ar.Files {
		f.Add(x.Data)
	}
	native, err := Native()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		all, err := ParseSigma("r.yml", src, Options{})
		if err != nil {
			var at *Error
			if !errors.As(err, &at) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		for _, s := range all {
			if r, err := s.Lower(native); err == nil && r.Subs[0].Match.Where == nil || err != nil && !errors.Is(err, ErrLogSource) {
				t.Fatalf("%+v: %v", r, err)
			}
		}
	})
}

// TestSigmaDocuments: files as tools and people write them, and the ids of the rules that are read from each.
func TestSigmaDocuments(t *testing.T) {
	const rest = "logsource: {product: linux}\ndetection:\n  s:\n    a: x\n  condition: s\n"
	native, err := Native()
	if err != nil {
		t.Fatal(err)
	}
	for doc, want := range map[string]string{
		"\ufefftitle: T\nid: bom\n" + rest:                                                                                          "bom",
		strings.ReplaceAll("title: T\nid: crlf\n"+rest, "\n", "\r\n"):                                                               "crlf",
		"# of us\n\n---\ntitle: T\nid: a\n" + rest + "---\n\n---\n# c\n---\ntitle: T\nid: b\n" + rest + "---\n...\n":                "a b",
		"title: T\nid: nothing\n" + rest + "level:\ntags: [null]\nreferences: []\nfalsepositives:\n-\n":                             "nothing",
		"title: Two words\n" + rest + "---\ntitle: Two words\n" + rest:                                                              "two-words two-words-2",
		"%YAML 1.2\n--- # first\ntitle: T\nid: a\n" + rest + "...\n---\n--- # second\ntitle: T\nid: b\n" + rest:                     "a b",
		"title: T\nid: texts\nauthor: [a, b]\nlevel: High\nstatus: test\n" + rest + "falsepositives:\n- Known: updates of x\n- 5\n": "texts",
		"title: 日本語\n" + rest: "sigma-77710aedc74ecfa3",
		`{"title": "T", "id": "json", "logsource": {"product": "linux"}, "detection": {"s": {"a": "x"}, "condition": "s"}}`: "json",
	} {
		all, err := ParseDocuments("r.yml", []byte(doc), Options{Names: native})
		var ids []string
		for _, r := range all {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != want {
			t.Errorf("%q: %s, %v, want %s", doc, got, err, want)
		}
	}
}
