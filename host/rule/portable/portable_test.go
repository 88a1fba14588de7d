package portable

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/modules/rules/portable/interp"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

func single(id string, p rule.Pred) *rule.Rule {
	return &rule.Rule{ID: id, Name: id, Severity: storage.High, Subs: []rule.Sub{{Name: "a", Match: &rule.Match{Where: p}}}}
}

func program(t testing.TB, rules ...*rule.Rule) *interp.Program {
	t.Helper()
	b, err := Program(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := interp.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func event(fields ...string) (b []byte) {
	for i := 0; i < len(fields); i += 2 {
		b = abi.AppendField(b, fields[i], fields[i+1])
	}
	return b
}

var expressions = []string{
	"", "a", "^a", "a$", "^$", "ab|cd", "(a|ab)(c|bcd)", "x*y+z?", "[a-f0-9]{2,4}", "(?i)hello\\s+WORLD", "\\bword\\b", "\\Bx", "(?m)^line$", "(?s)a.b", "a.b", "ä+ö",
	"(?i)ÄÖ", "[^a]", "\\d+\\.\\d+", "a{3}", "(foo|bar)+baz", "\\\\cmd\\.exe$", "(?i)k", "\\p{Greek}", "x{0}", "(a*)*b", "[[:^alpha:]]", "\\z", "\\A",
}

var texts = []string{
	"", "a", "b", "ab", "abcd", "xyz", "yyyz", "hello  world", "a word here", "swordx", "one\nline\ntwo", "a\nb", "axb", "Äö ÖÖ ääö", "äöÄÖ", "12.34", "aaa", "foobarbaz",
	`C:\Windows\cmd.exe`, "\u212a", "αβ", "aaaaaaaaaaaaaaaaaaaaaac", "\xff\xfe", "a\x00b", "LINE\nline",
}

// Expressions match where Go's do.
func TestExpressions(t *testing.T) {
	for _, expr := range expressions {
		re := regexp.MustCompile(expr)
		p := program(t, single("r", &rule.Test{Field: "f", Op: rule.OpRegexp, Regexps: []*regexp.Regexp{re}}))
		for _, s := range texts {
			if got, want := len(p.Match(event("f", s), 0)) == 1, re.MatchString(s); got != want {
				t.Errorf("%q on %q: %v, want %v", expr, s, got, want)
			}
		}
	}
}

func FuzzExpression(f *testing.F) {
	for i, expr := range expressions {
		f.Add(expr, texts[i%len(texts)])
	}
	f.Fuzz(func(t *testing.T, expr, s string) {
		re, err := regexp.Compile(expr)
		if err != nil || len(expr) > 200 || strings.HasPrefix(s, `["`) {
			return
		}
		p := program(t, single("r", &rule.Test{Field: "f", Op: rule.OpRegexp, Regexps: []*regexp.Regexp{re}}))
		if got, want := len(p.Match(event("f", s), 0)) == 1, re.MatchString(s); got != want {
			t.Errorf("%q on %q: %v, want %v", expr, s, got, want)
		}
	})
}

// patternCases are patterns, each with values that it matches or nearly does.
var patternCases = [][2]string{
	{"", ""},
	{"*", "any"},
	{"whole", "WHOLE"},
	{"beg*", "Begin"},
	{"*end", "the end"},
	{"*mid*", "amid it"},
	{"*x*", "ax"},
	{"*ab*", "aab"},
	{"q?est*on", "quest, question"},
	{"*a*b?c*", "xaxbacx"},
	{"*ärger*", "Großer ÄRGER"},
	{"*k*", "\u212a"},
	{"*-e *", "powershell.exe -E abc"},
	{"?", "ä"},
	{"*.exe", `C:\A\B.EXE`},
	{"1", "1"},
	{"*aab*", "aaaaaaaaaaab"},
	{"*\xff*", "a\xffb"},
	{"\xfe\xfeab*", "ab"},
	{"abcdefghijklmnop", "ABCDEFGHIJKLMNOP"},
}

// FuzzPattern: a compiled pattern matches what the pattern does, however it is found.
func FuzzPattern(f *testing.F) {
	for _, c := range patternCases {
		f.Add(c[0], c[1], false)
		f.Add(c[0], c[1], true)
	}
	f.Fuzz(func(t *testing.T, text, s string, cased bool) {
		if strings.HasPrefix(s, `["`) {
			return
		}
		pattern, value := rule.ParsePattern(text), s
		test := &rule.Test{Field: "f", Op: rule.OpMatch, Patterns: []rule.Pattern{pattern}, Cased: cased}
		if !cased {
			pattern, value = pattern.Fold(), strings.ToLower(s)
		}
		any := *test
		any.Field = ""
		want := pattern.Match(value)
		p := program(t, single("r", test), single("not", rule.Not{Of: test}))
		if got := p.Match(event("f", s), 0); len(got) != 1 || got[0] == 0 != want {
			t.Errorf("%q on %q: %v, want %v", text, s, got, want)
		}
		if got := len(program(t, single("any", &any)).Match(event("f", s, "event.original", s), 0)) == 1; got != want {
			t.Errorf("%q on %q of any field: %v, want %v", text, s, got, want)
		}
	})
}

// A text that is too long for the index is looked for where a rule asks.
func TestLongText(t *testing.T) {
	for _, n := range []int{interp.MaxTextBytes, interp.MaxTextBytes + 1} {
		long := strings.Repeat("x", n-1) + "y"
		p := program(t, single("r", &rule.Test{Field: "f", Op: rule.OpMatch, Patterns: []rule.Pattern{rule.ParsePattern("*" + long + "*")}}))
		if len(p.Match(event("f", "x"+long+"z"), 0)) != 1 || len(p.Match(event("f", long[1:]), 0)) != 0 {
			t.Errorf("a text of %d bytes", n)
		}
	}
}

// BenchmarkMatch is what an event takes that no rule matches: nothing is allocated.
func BenchmarkMatch(b *testing.B) {
	var rules []*rule.Rule
	for i := range 500 {
		rules = append(rules, single(fmt.Sprint(i), rule.AllOf{
			&rule.Test{Field: "process.name", Op: rule.OpMatch, Patterns: []rule.Pattern{rule.ParsePattern(fmt.Sprintf("tool%d.exe", i))}},
			&rule.Test{Field: "process.command_line", Op: rule.OpMatch, Patterns: []rule.Pattern{rule.ParsePattern(fmt.Sprintf("*--option%d *", i))}},
		}))
	}
	p := program(b, rules...)
	e := event("process.name", "tool7.exe", "process.command_line", `C:\Program Files\Tools\Tool7.exe --Verbose --option8 file.txt`, "user.name", "somebody")
	b.ReportAllocs()
	for b.Loop() {
		if len(p.Match(e, 0)) > 0 {
			b.Fatal("it matches")
		}
	}
}

// FuzzRead: any bytes are a program or are refused, and a program says something about any event.
func FuzzRead(f *testing.F) {
	sample, err := Program([]*rule.Rule{
		single("one", rule.AllOf{
			&rule.Test{Field: "a", Op: rule.OpMatch, Patterns: []rule.Pattern{rule.ParsePattern("x*y?z")}},
			rule.Not{Of: &rule.Test{Op: rule.OpRegexp, Regexps: []*regexp.Regexp{regexp.MustCompile("(a|b)+c$")}}},
		}),
		single("two", &rule.Test{Field: "b", Op: rule.OpField, Refs: []string{"a", "c"}, Every: true}),
	}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample, event("a", "xyz", "b", `["a","b"]`))
	f.Fuzz(func(t *testing.T, b, e []byte) {
		if len(b) >= 8 {
			b[4], b[5], b[6], b[7] = byte(len(b)), byte(len(b)>>8), byte(len(b)>>16), byte(len(b)>>24)
		}
		if p, err := interp.Read(b); err == nil && len(e) < 1<<10 && len(b) < 1<<12 {
			p.Match(e, 0)
		}
	})
}

// What a module cannot decide by itself is refused with its name; tests that several rules have are one.
func TestProgram(t *testing.T) {
	for name, r := range map[string]*rule.Rule{
		"code":         {ID: "coded", Subs: []rule.Sub{{Match: &rule.Match{Where: rule.AllOf{}, Code: true}}}},
		"a firing":     {ID: "fired", Subs: []rule.Sub{{Match: &rule.Match{Where: rule.AllOf{}, Rule: "x"}}}},
		"no test":      single("odd", &rule.Test{Field: "a"}),
		"no predicate": single("none", nil),
	} {
		if _, err := Program([]*rule.Rule{r}, nil); !errors.Is(err, rule.ErrNotImplemented) || !strings.Contains(err.Error(), r.ID) {
			t.Errorf("%s: %v", name, err)
		}
	}
	listed := single("listed", &rule.Test{Field: "a", Op: rule.OpList, Lists: []string{"bad"}})
	if _, err := Program([]*rule.Rule{listed}, nil); !errors.Is(err, storage.ErrNotFound) || !strings.Contains(err.Error(), "listed") || !strings.Contains(err.Error(), "--list bad=FILE") {
		t.Errorf("a list that is not there: %v", err)
	}
	deep := rule.Pred(&rule.Test{Field: "a", Op: rule.OpExists})
	for range MaxDepth + 1 {
		deep = rule.Not{Of: deep}
	}
	if _, err := Program([]*rule.Rule{single("deep", deep)}, nil); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("too deep: %v", err)
	}
	var fields rule.AnyOf
	for n := range interp.MaxFields + 1 {
		fields = append(fields, &rule.Test{Field: fmt.Sprint("f", n), Op: rule.OpExists})
	}
	many := []*rule.Rule{single("fields", fields)}
	if _, err := Program(many, nil); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("too many fields: %v", err)
	}
	many[0] = single("fields", fields[1:])
	program(t, many...)
	for n := range interp.MaxRules {
		many = append(many, single(fmt.Sprint(n), fields[1]))
	}
	if _, err := Program(many, nil); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("too many rules: %v", err)
	}
	program(t, many[1:]...)
	test := &rule.Test{Field: "a", Op: rule.OpMatch, Patterns: []rule.Pattern{rule.ParsePattern(strings.Repeat("long", 200))}}
	one, _ := Program([]*rule.Rule{single("1", test)}, nil)
	three, _ := Program([]*rule.Rule{single("1", test), single("2", rule.Not{Of: test}), single("3", rule.AnyOf{test, test})}, nil)
	if len(three) > len(one)+100 {
		t.Errorf("%d bytes for one rule, %d for three of the same test", len(one), len(three))
	}
	joined := single("joined", rule.AllOf{})
	joined.Subs = append(joined.Subs, rule.Sub{Name: "b", Title: "the second", Match: &rule.Match{Where: &rule.Test{Field: "a", Op: rule.OpExists, Absent: true}}})
	p := program(t, joined, single("last", &rule.Test{Field: "a", Op: rule.OpExists}))
	var got []string
	for _, e := range [][]byte{event(), event("a", "1")} {
		for _, n := range p.Match(e, 0) {
			got = append(got, string(p.Rule(n).Key)+" "+string(p.Rule(n).Title))
		}
	}
	if s := strings.Join(got, "; "); s != "joined/a joined; joined/b joined: the second; joined/a joined; last last" {
		t.Error(s)
	}
}

// A module is made of the interpreter that ships and of nothing else, and holds its manifest.
func TestBuild(t *testing.T) {
	r := single("r", &rule.Test{Field: "a", Op: rule.OpExists})
	p, err := Build([]*rule.Rule{r}, nil, About{Name: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	if unused, err := p.Manifest.CheckWasm(p.Wasm); err != nil || len(unused) > 0 || !strings.HasPrefix(p.Manifest.Reference(), "local/mine") || p.Manifest.Entry.Interprets {
		t.Errorf("%v %v %+v", unused, err, p.Manifest)
	}
	if rules, err := rule.ParseDocuments(document, p.Documents[0].Data, rule.Options{}); err != nil || len(rules) != 1 || rules[0].ID != "local.mine" || !rules[0].Subs[0].Match.Code {
		t.Errorf("its document: %v", err)
	}
	if again, err := Build([]*rule.Rule{r}, nil, About{Name: "mine"}); err != nil || !bytes.Equal(again.Wasm, p.Wasm) {
		t.Errorf("twice the same is not the same: %v", err)
	}
	if _, err := Build([]*rule.Rule{r}, nil, About{Name: "No Name"}); !errors.Is(err, manifest.ErrInvalid) {
		t.Errorf("a bad name: %v", err)
	}
	other, err := modules.Interpreter()
	if err != nil {
		t.Fatal(err)
	}
	for name, wasm := range map[string][]byte{"another module": other, "no module": []byte("\x00asm"), "an empty one": []byte("\x00asm\x01\x00\x00\x00")} {
		if _, err := Link(wasm, nil); !errors.Is(err, manifest.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
