package detect

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
	"pgregory.net/rapid"
)

// oracle decides predicates literally, one after the other; it shares only the documents' types with the set.
func oracle(p rule.Pred, ev *storage.Event) bool {
	switch p := p.(type) {
	case rule.AllOf:
		for _, q := range p {
			if !oracle(q, ev) {
				return false
			}
		}
		return true
	case rule.AnyOf:
		for _, q := range p {
			if oracle(q, ev) {
				return true
			}
		}
		return false
	case rule.Not:
		return !oracle(p.Of, ev)
	case *rule.Test:
		return oracleTest(p, ev)
	}
	panic("oracle")
}

func oracleTest(t *rule.Test, ev *storage.Event) bool {
	if t.Field == "" {
		var values []string
		for _, f := range ev.Fields {
			values = append(values, elementsOf(f.Value)...)
		}
		return oracleWants(t, ev, append(values, ev.Raw))
	}
	values, ok := oracleValues(ev, t.Field)
	if t.Op == rule.OpExists {
		return ok != t.Absent
	}
	return ok && oracleWants(t, ev, values)
}

func oracleValues(ev *storage.Event, field string) ([]string, bool) {
	text, ok := rule.Value(ev, field)
	return elementsOf(text), ok
}

func elementsOf(text string) (list []string) {
	if json.Unmarshal([]byte(text), &list) == nil && len(list) > 0 && text[0] == '[' {
		return list
	}
	return []string{text}
}

func oracleWants(t *rule.Test, ev *storage.Event, values []string) bool {
	var wants []func(string) bool
	for _, p := range t.Patterns {
		wants = append(wants, func(s string) bool {
			if !t.Cased {
				p, s = p.Fold(), strings.ToLower(s)
			}
			return slowGlob(p, []rune(s))
		})
	}
	for _, re := range t.Regexps {
		wants = append(wants, re.MatchString)
	}
	for _, n := range t.Nets {
		wants = append(wants, func(s string) bool {
			a, err := netip.ParseAddr(s)
			return err == nil && n.Contains(a.WithZone("").Unmap())
		})
	}
	for _, n := range t.Number {
		wants = append(wants, func(s string) bool {
			v, err := strconv.ParseFloat(s, 64)
			if t.Part != "" {
				at, bad := time.Parse(time.RFC3339, s)
				_, week := at.ISOWeek()
				v, err = map[string]float64{"hour": float64(at.Hour()), "week": float64(week), "year": float64(at.Year())}[t.Part], bad
			}
			return err == nil && map[string]bool{">": v > n, ">=": v >= n, "<": v < n, "<=": v <= n, "==": v == n}[t.Cmp]
		})
	}
	for _, ref := range t.Refs {
		others, _ := oracleValues(ev, ref)
		wants = append(wants, func(s string) bool {
			return slices.ContainsFunc(others, func(o string) bool {
				if !t.Cased {
					s, o = strings.ToLower(s), strings.ToLower(o)
				}
				in := map[rule.Place]func(s, o string) bool{
					rule.Whole:  func(s, o string) bool { return s == o },
					rule.Prefix: strings.HasPrefix, rule.Suffix: strings.HasSuffix, rule.Inside: strings.Contains,
				}
				return o != "" && in[t.Place](s, o)
			})
		})
	}
	matched := 0
	for _, want := range wants {
		for _, v := range values {
			if want(v) {
				matched++
				break
			}
		}
	}
	if t.Every {
		return matched == len(wants)
	}
	return matched > 0
}

func slowGlob(p rule.Pattern, s []rune) bool {
	if len(p) == 0 {
		return len(s) == 0
	}
	switch p[0].Wild {
	case rule.AnyRun:
		for i := 0; i <= len(s); i++ {
			if slowGlob(p[1:], s[i:]) {
				return true
			}
		}
		return false
	case rule.AnyOne:
		return len(s) > 0 && slowGlob(p[1:], s[1:])
	}
	lit := []rune(p[0].Text)
	return len(s) >= len(lit) && string(s[:len(lit)]) == string(lit) && slowGlob(p[1:], s[len(lit):])
}

var (
	fields = []string{"event.code", "event.action", "process.name", "source.ip", "n", storage.FieldDataset, "x"}
	words  = []string{
		"4625", "4624", "Login", "LOGIN", "ab", "abc", "bÉ", "bé", "10.1.2.3", "::ffff:10.1.2.3", "192.0.2.9", "7", "-3", "1e2", "nan",
		`["a","Ab"]`, `["x"]`, `["a\"b","\u00c9B","\ud83d\ude00"]`, `["a",1]`, `[]`, `["a"`, `C:\Win\cmd.EXE`, "[\"a\tb\"]",
		"cmd /enc abcabd", "abcabcabd", "xyzzyxyzzy", "2026-11-22T05:06:07Z", "ſudo su", "Kill -9",
	}
	globs = []string{
		"abc", "abcabd", "cabd", "bca", "xyzzy", "yxy", "zzy*", "* -enc *", "sudo", "kill", "*cmd*abd",
		"4625", "login", "a*", "*b", "*B*", "a?c", "*", "?", "*a*c", `*\\cmd.exe`, "é", "*é*", `a"b`, "éb", "😀", "[*",
	}
)

func drawSelection(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth > 2 {
		kind = min(kind, 5)
	}
	field := rapid.SampledFrom(fields).Draw(t, "field")
	list := func(of []string) string {
		b, _ := json.Marshal(rapid.SliceOfN(rapid.SampledFrom(of), 1, 4).Draw(t, "values"))
		return string(b)
	}
	one := func(key, value string) string { return fmt.Sprintf("{%q: %s}", key, value) }
	switch kind {
	case 0, 1:
		return one(field, list(globs[:2]))
	case 2:
		mod := rapid.SampledFrom([]string{"", "|contains", "|startswith", "|endswith", "|cased", "|contains|all", "|cased|startswith", "|all", "|neq", "|windash|contains", "|contains|neq"}).Draw(t, "mod")
		return one(field+mod, list(globs))
	case 3:
		return one(field+rapid.SampledFrom([]string{"|gt", "|gte", "|lt", "|lte"}).Draw(t, "cmp"), list([]string{"7", "-3", "100"}))
	case 4:
		return one(field+"|cidr", list([]string{"10.0.0.0/8", "192.0.2.9", "2001:db8::/32"}))
	case 5:
		return rapid.SampledFrom([]string{
			one(field+"|exists", "true"), one(field+"|exists", "false"), one(field, "null"),
			one(field, `[null, "login"]`), one(field+"|re", `"^[ab]+$"`), one(field+"|re|i", `"LOG"`),
			one(field+"|re|i", `"(SUDO|kil+) (su|-9)"`), one(field+"|re", `["(abc)+d", "x.*xyz"]`), one(field+"|fieldref|contains", `["x", "n"]`),
			one(field+"|fieldref|all", `["x", "n"]`), one(field+"|hour", "5"), one(field+"|week|gte", "47"), one(field+"|year|lt", "2026"),
		}).Draw(t, "special")
	}
	a, b := drawSelection(t, depth+1), drawSelection(t, depth+1)
	switch kind {
	case 6:
		return `{"any": [` + a + "," + b + "]}"
	case 7:
		return `{"not": ` + a + "}"
	case 8:
		return "[" + a + "," + b + "]"
	}
	return `{"all": [` + a + "," + b + "]}"
}

// drawSigma draws a Sigma rule of two selections and keywords.
func drawSigma(t *rapid.T, id string) string {
	words, _ := json.Marshal(rapid.SliceOfN(rapid.SampledFrom(globs), 1, 3).Draw(t, "keywords"))
	mapping := func() string { // a selection without any, all and not, which are no words of Sigma
		field := rapid.SampledFrom(fields).Draw(t, "field")
		value, _ := json.Marshal(rapid.SampledFrom(globs).Draw(t, "value"))
		return fmt.Sprintf("{%q: %s}", field+rapid.SampledFrom([]string{"", "|contains", "|neq"}).Draw(t, "mod"), value)
	}
	condition := rapid.SampledFrom([]string{
		"sel1 and not sel2", "1 of sel*", "all of them", "not (sel1 or keywords)", "keywords and not 1 of sel*", "not all of sel* or keywords",
	}).Draw(t, "condition")
	return fmt.Sprintf("title: t\nid: %s\nlogsource: {product: p}\ndetection:\n  sel1: %s\n  sel2: [%s, %s]\n  keywords: %s\n  condition: %s\n",
		id, mapping(), mapping(), mapping(), words, condition)
}

func drawEvent(t *rapid.T) *storage.Event {
	ev := &storage.Event{}
	for _, f := range fields {
		if rapid.Bool().Draw(t, "has") {
			v := rapid.SampledFrom(words).Draw(t, "value")
			if f == storage.FieldDataset {
				ev.Stream = v
			} else {
				ev.Fields = append(ev.Fields, storage.Field{Name: f, Value: v})
			}
		}
	}
	return ev
}

func document(id, where string) []byte {
	return []byte(fmt.Sprintf("kind: pattern\nid: %s\nname: n\nversion: 1.0.0\nseverity: low\nsubs: {a: {where: %s}}\nincident: {title: t}\n", id, where))
}

// TestAgainstOracle matches random events with sets of random rules.
func TestAgainstOracle(t *testing.T) {
	var sc Scratch // kept, so that what one event leaves behind would show
	rapid.Check(t, func(t *rapid.T) {
		var rules []*rule.Rule
		for i := range rapid.IntRange(1, 5).Draw(t, "rules") {
			doc := document(fmt.Sprint("r", i), drawSelection(t, 0))
			r, err := rule.Parse("r.yaml", doc)
			if err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			rules = append(rules, r)
		}
		for range rapid.IntRange(0, 2).Draw(t, "sigma rules") {
			doc := drawSigma(t, fmt.Sprint("s", len(rules)))
			all, err := rule.ParseSigma("s.yml", []byte(doc), rule.Options{})
			if err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			r, err := all[0].Lower(&rule.Mapping{Name: "m", Unknown: rapid.Bool().Draw(t, "unknown"), Sources: []rule.Source{{LogSource: rule.LogSource{Product: "p"}, Where: rule.AllOf{}}}})
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, r)
		}
		set, err := Compile(rules)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 4 {
			if n == 2 { // guards are chosen anew
				if set, err = CompileFor(rules, sc.Shares()); err != nil {
					t.Fatal(err)
				}
			}
			ev := drawEvent(t)
			var have, want []string
			for _, h := range set.Match(ev, &sc) {
				have = append(have, h.Rule.ID)
			}
			for _, r := range rules {
				if oracle(r.Subs[0].Match.Where, ev) {
					want = append(want, r.ID)
				}
			}
			if fmt.Sprint(have) != fmt.Sprint(want) {
				t.Fatalf("matched %v, want %v\nevent %+v", have, want, ev)
			}
		}
	})
}

func parse(t testing.TB, id, where string) *rule.Rule {
	t.Helper()
	r, err := rule.Parse(id, document(id, where))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestView(t *testing.T) {
	global, err := Compile([]*rule.Rule{parse(t, "a", "{x: 1}"), parse(t, "b", "{x: 1}"), parse(t, "c", "{x: 1}")})
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := Compile([]*rule.Rule{parse(t, "b", "{x: 2}"), parse(t, "d", "{x: 1}"), parse(t, "e", "{x: 1}")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		global, overlay *Set
		off             []string
		want            string
	}{
		{global, nil, nil, "a b c"},
		{global, nil, []string{"b", "unknown"}, "a c"},
		{nil, overlay, nil, "d e"},
		{nil, nil, nil, ""},
		{global, overlay, nil, "a c d e"},
		{global, overlay, []string{"c", "d"}, "a e"},
		{global, overlay, []string{"b"}, "a c d e"},
	} {
		v, err := NewView(c.global, c.overlay, c.off)
		if err != nil {
			t.Fatal(err)
		}
		var sc Scratch
		var have []string
		for _, h := range v.Match(&storage.Event{Fields: []storage.Field{{Name: "x", Value: "1"}}}, &sc) {
			have = append(have, h.Rule.ID)
			if v.Rule(h.Rule.ID) != h.Rule {
				t.Errorf("off %v: Rule(%s) is another", c.off, h.Rule.ID)
			}
		}
		if got := strings.Join(have, " "); got != c.want {
			t.Errorf("off %v: %q, want %q", c.off, got, c.want)
		}
		for _, id := range c.off {
			if v.Rule(id) != nil {
				t.Errorf("Rule(%s) runs though it is off", id)
			}
		}
	}
	if _, err := Compile([]*rule.Rule{global.rules[0], global.rules[0]}); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("an id twice: %v", err)
	}
	if _, err := Compile(make([]*rule.Rule, MaxRulesPerSet+1)); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one rule over the limit: %v", err)
	}
}

// sample is a failed login as the Linux parser gives it.
func sample() *storage.Event {
	ev := &storage.Event{Stream: "system.auth", Raw: "sshd[1]: Failed password for Root"}
	for _, f := range [][2]string{
		{"event.action", "ssh_login"},
		{"event.outcome", "failure"},
		{"event.category", `["authentication","session"]`},
		{"source.ip", "203.0.113.9"},
		{"source.port", "50022"},
		{"user.name", "Root"},
		{"host.name", "db1"},
		{"process.name", "sshd"},
		{"process.pid", "4211"},
		{"event.kind", "event"},
		{"log.syslog.priority", "38"},
		{"related.ip", `["203.0.113.9"]`},
	} {
		ev.Fields = append(ev.Fields, storage.Field{Name: f[0], Value: f[1]})
	}
	return ev
}

func TestOneScratchForManySets(t *testing.T) {
	long := "user.name.text" // names that begin at one address are not the same
	ev := &storage.Event{Fields: []storage.Field{{Name: long[:9], Value: "root"}, {Name: long, Value: "text"}, {Name: long[:4], Value: "bare"}}}
	rules := map[string]string{"user.name": "root", "user.name.text": "text", "user": "bare", "user.n": "root"}
	sets := map[string]*Set{}
	for field := range rules {
		s, err := Compile([]*rule.Rule{parse(t, field, fmt.Sprintf(`{%s: %q}`, field, rules[field]))})
		if err != nil {
			t.Fatal(err)
		}
		sets[field] = s
	}
	var sc Scratch
	for range 3 {
		for field, s := range sets {
			if got, want := len(s.Match(ev, &sc)) == 1, field != "user.n"; got != want {
				t.Errorf("%s matches: %v, want %v", field, got, want)
			}
		}
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	var rules []*rule.Rule
	for i, w := range []string{
		`{event.action: ssh_login, event.outcome: FAILURE}`, `{user.name|cased: Root}`, `{event.category: [session, web]}`,
		`{source.ip|cidr: 203.0.113.0/24}`, `{source.port|gt: 1024}`, `{user.name|re: 'o+'}`, `{event.original|contains: "FAILED"}`, `{host.name|cidr: 10.0.0.0/8}`,
		`{host.name|gt: 3}`, `{user.name: [a, b, root]}`,
	} {
		rules = append(rules, parse(t, fmt.Sprint("r", i), w))
	}
	set, err := Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	var sc Scratch
	ev := sample()
	if n := len(set.Match(ev, &sc)); n != 8 {
		t.Fatalf("%d hits, want 8", n)
	}
	if n := testing.AllocsPerRun(100, func() { set.Match(ev, &sc) }); n != 0 {
		t.Fatalf("%v allocations an event", n)
	}
}

// BenchmarkMatch matches one event with the shipped rules and with many rules that it concerns little.
func BenchmarkMatch(b *testing.B) {
	var shipped []*rule.Rule
	names, _ := filepath.Glob("../../modules/rules/*/rule.yaml")
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		r, err := rule.Parse(name, src)
		if err != nil {
			b.Fatal(err)
		}
		shipped = append(shipped, r)
	}
	many := shipped
	for i := range 2000 {
		many = append(many, parse(b, fmt.Sprint("many", i), fmt.Sprintf(`{event.code: %d, process.name|endswith: '\\a%d.exe'}`, i%300, i)))
	}
	for _, c := range []struct {
		name  string
		rules []*rule.Rule
	}{{"shipped", shipped}, {"2000 more", many}} {
		b.Run(c.name, func(b *testing.B) {
			set, err := Compile(c.rules)
			if err != nil {
				b.Fatal(err)
			}
			var sc Scratch
			ev := sample()
			b.ReportAllocs()
			for b.Loop() {
				set.Match(ev, &sc)
			}
		})
	}
}
