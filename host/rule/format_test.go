package rule

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestFormat: a rule that is written, and a form that is made of its text, are the rule that was read.
func TestFormat(t *testing.T) {
	for name, src := range shipped(t) {
		r, err := Parse(name, src)
		if err != nil {
			continue // TestSchemaAccepts reports it
		}
		written(t, r, src)
	}
	rapid.Check(t, func(t *rapid.T) {
		src, err := randomForm(t).Document()
		if err != nil {
			t.Fatal(err)
		}
		r, err := Parse("r.yaml", src)
		if err != nil {
			t.Fatalf("%v\n%s", err, src)
		}
		written(t, r, src)
	})
}

func written(t interface{ Fatalf(string, ...any) }, r *Rule, src []byte) {
	doc, err := Format(r)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	again, err := Parse("written", doc)
	if err != nil {
		t.Fatalf("%v\n%s\nof\n%s", err, doc, src)
	}
	if !Equal(r, again) {
		t.Fatalf("another rule\n%s\nof\n%s", doc, src)
	}
	form, err := FormOf("r.yaml", src)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	of, err := form.Document()
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	if again, err = Parse("form", of); err != nil {
		t.Fatalf("%v\n%s\nof\n%s", err, of, src)
	}
	if !Equal(r, again) {
		t.Fatalf("another rule\n%s\nof\n%s", of, src)
	}
	if next, err := FormOf("form", of); err != nil || cmp.Diff(form, next, cmpopts.EquateEmpty()) != "" {
		t.Fatalf("%v\n%s\n%s", err, cmp.Diff(form, next, cmpopts.EquateEmpty()), of)
	}
}

var (
	someFields = []string{"source.ip", "user.name", "host.name", "event.code", "bytes"}
	someTimes  = []string{"90s", "5m", "1h30m", "1d", "250ms"}
)

func one(t *rapid.T, of ...string) string { return rapid.SampledFrom(of).Draw(t, "one") }

func some(t *rapid.T, least, most int, of []string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(of), least, most, rapid.ID[string]).Draw(t, "some")
}

// randomForm draws a form of a rule that Parse admits.
func randomForm(t *rapid.T) Form {
	f := Form{
		ID: "random", Name: randomText(t), Version: "1.2.3", Severity: "high", Description: randomText(t), Window: one(t, someTimes...),
		Title: "{source.ip|none} {{" + one(t, "}}", "x}} {host.name}"), Lateness: one(t, "", "10s"), Techniques: []string{"T1110"},
		NextSteps: []string{randomText(t), "b"}, Containment: []string{randomText(t)}, Suppress: one(t, "", "1h"), MaxKeys: one(t, "", "500"),
	}
	names := []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "subs")]
	same := rapid.Bool().Draw(t, "same")
	by := some(t, 1, 3, someFields)
	for _, name := range names {
		s := randomSub(t, name)
		if s.By = append(by, some(t, 0, 2, []string{"x.a", "x.b", "x.c"})...); same {
			s.By = by
		}
		f.Subs = append(f.Subs, s)
	}
	if len(names) > 1 || rapid.Bool().Draw(t, "expr") {
		x := randomExpr(t, 2, names)
		f.Expr = &x
		for _, name := range names {
			f.Expr = &FormExpr{Op: one(t, "and", "or", "->", "!->", "and not", "and not before"), Of: []FormExpr{*f.Expr, {Sub: name}}}
		}
		if absent(f.Expr) {
			f.Rearm = one(t, "", "latest")
		}
	}
	if len(names) > 1 && rapid.Bool().Draw(t, "join") {
		f.Join = []string{fmt.Sprintf("a.%s %s b.%s", by[0], one(t, "==", "!=", "<"), by[len(by)-1])}
	}
	if rapid.Bool().Draw(t, "exceptions") {
		f.Exceptions = []FormException{{Reason: randomText(t), Where: randomGroup(t, 1)}, {Reason: "x", Where: randomGroup(t, 0)}}
	}
	if rapid.Bool().Draw(t, "clear") {
		f.Clear = &FormClear{After: one(t, "", "1d")}
		if f.Clear.After == "" {
			s := randomSub(t, "")
			s.FirstSeen, s.Code, s.Baseline = nil, "", nil
			if strings.Contains(s.Threshold(), "stat") {
				s.Having = nil
				s.Window, s.Windows, s.Gap = "", "", ""
			}
			f.Clear.Sub = &s
		}
	}
	if rapid.Bool().Draw(t, "watchlist") {
		f.WatchList = []FormWatchList{{Name: "Tor", Value: "source.ip", TTL: "7d"}}
	}
	if rapid.Bool().Draw(t, "tests") {
		f.Tests = "- lists: {a: [1, x]}\n  events: [{at: 1s, repeat: 3, every: 2s, fields: {a: b}}, {at: 8s, fields: {a: b}}]\n  expect: {incidents: 1, title: " + doubleQuoted(randomText(t)+"x") + "}\n"
	}
	return f
}

func (s *FormSub) Threshold() string {
	if len(s.Having) == 0 {
		return ""
	}
	return s.Having[0].Threshold
}

func randomText(t *rapid.T) string {
	s := rapid.OneOf(rapid.StringMatching(`[a-z]{1,5}`), rapid.String(), rapid.SampledFrom([]string{
		"null", "~", "true", "0", "12", "1.5", "007", "0x1f", "1e3", ".inf", "a: b", "a #b", "- a", "'", `"`, `\`, "a\nb\n", "one: line\n- two", "# a\n# b", "a\n\nb", " a ", "*a", "&a", "!a", "?", "{a}", "[", "a,b", "@", "`", "%", "é", "\u2028", "\ufeff",
	})).Draw(t, "text")
	if strings.TrimSpace(s) == "" {
		return "empty"
	}
	return s
}

func randomSub(t *rapid.T, name string) FormSub {
	where := randomGroup(t, 2)
	s := FormSub{Name: name, Where: &where, Title: randomText(t), NullKey: one(t, "", "include")}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		s.Having = []FormHaving{{Func: "count", Op: ">=", Threshold: "5"}, {Func: "distinct", Fields: some(t, 1, 2, someFields), Op: one(t, "<", ">", "!="), Threshold: "3"}}
		s.Window = one(t, "", "10m")
	case 1:
		s.Having = []FormHaving{
			{Func: one(t, "sum", "avg", "min", "max"), Fields: []string{"bytes"}, Op: one(t, "<=", "=="), Threshold: one(t, "-1.5", "1e30", "7")},
			{Func: "percentile", Fields: []string{"bytes"}, Rank: "99.5", Op: "<", Threshold: "2"},
		}
		if s.Windows = one(t, "", "sliding", "tumbling", "session"); s.Windows == "session" {
			s.Gap = one(t, someTimes...)
		}
	case 2:
		s.Having = []FormHaving{{Func: "count", Op: ">", Threshold: randomStat(t, 3) + " - stat." + one(t, "mean", "std", "n")}}
		s.Baseline = &FormBaseline{Slots: one(t, "", "hour", "hour_of_week"), Least: one(t, "", "7"), Peers: one(t, "", "user.department")}
	case 3:
		s.FirstSeen = &FormFirstSeen{Fields: some(t, 1, 2, someFields), Within: "30d", Learn: one(t, "", "7d")}
	}
	return s
}

func randomStat(t *rapid.T, depth int) string {
	if depth == 0 || rapid.Bool().Draw(t, "leaf") {
		return one(t, "stat.mean", "stat.std", "stat.n", "3", "-2.5")
	}
	return "(" + randomStat(t, depth-1) + one(t, "+", "-", "*", "/") + randomStat(t, depth-1) + ")"
}

func absent(x *FormExpr) bool {
	for i := range x.Of {
		if absent(&x.Of[i]) {
			return true
		}
	}
	return x.Op == "!->"
}

func randomExpr(t *rapid.T, depth int, names []string) FormExpr {
	if depth == 0 || rapid.Bool().Draw(t, "leaf") {
		return FormExpr{Sub: one(t, names...)}
	}
	x := FormExpr{Op: one(t, "and", "or", "->", "!->", "and not", "and not before", "span"), Within: one(t, "", "2m", "1h")}
	n := 2
	switch x.Op {
	case "span":
		n, x.Within = 1, "1h"
	case "and", "or":
		n = rapid.IntRange(2, 3).Draw(t, "operands")
	}
	if x.Op == "or" {
		x.Within = ""
	}
	for range n {
		x.Of = append(x.Of, randomExpr(t, depth-1, names))
	}
	return x
}

func randomGroup(t *rapid.T, depth int) FormGroup {
	g := FormGroup{Any: rapid.Bool().Draw(t, "any")}
	for range rapid.IntRange(1, 3).Draw(t, "rows") {
		if depth > 0 && rapid.Bool().Draw(t, "group") {
			of := randomGroup(t, depth-1)
			g.Rows = append(g.Rows, FormRow{Not: rapid.Bool().Draw(t, "not"), Group: &of})
			continue
		}
		g.Rows = append(g.Rows, randomRow(t))
	}
	return g
}

func randomRow(t *rapid.T) FormRow {
	row := FormRow{Field: one(t, someFields...)}
	add := func(values ...string) {
		for _, v := range values {
			row.Values = append(row.Values, &v)
		}
	}
	switch rapid.IntRange(0, 8).Draw(t, "test") {
	case 0, 1:
		add(randomText(t), randomText(t))
		row.Modifiers = append(row.Modifiers, some(t, 0, 1, []string{"contains", "startswith", "endswith"})...)
		row.Modifiers = append(row.Modifiers, some(t, 0, 2, []string{"cased", "all", "windash"})...)
	case 2:
		add(`C:\*\\a?`, "*b*", "*", `\*`)
		if rapid.Bool().Draw(t, "null") {
			row.Values = append(row.Values, nil)
		}
		row.Modifiers = some(t, 0, 1, []string{"cased"})
	case 3:
		add("a.*b$", "[0-9]+")
		row.Modifiers = append([]string{"re"}, some(t, 0, 2, []string{"i", "s", "all"})...)
	case 4:
		add("10.0.0.0/8", "192.0.2.1", "2001:db8::/32")
		row.Modifiers = []string{"cidr"}
	case 5:
		add("5", "-2.5")
		row.Modifiers = append([]string{one(t, "gt", "gte", "lt", "lte")}, some(t, 0, 1, []string{"hour", "week"})...)
	case 6:
		add(one(t, "true", "false"))
		row.Modifiers = []string{"exists"}
	case 7:
		add("Tor", "scanners")
		row.Modifiers = []string{"in"}
	default:
		row.Values = []*string{nil}
	}
	if len(row.Modifiers) > 0 && row.Values[0] != nil && rapid.Bool().Draw(t, "neq") {
		row.Modifiers = append(row.Modifiers, "neq")
	}
	return row
}
