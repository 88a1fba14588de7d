package fortisiem

import (
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/vedette-siem/vedette/host/rule"
)

// randomForm draws a rule of what the XML can say.
func randomForm(t *rapid.T) rule.Form {
	f := rule.Form{
		ID: "random-rule_1", Name: text(t), Version: importedVersion, Severity: one(t, "informational", "low", "medium", "high", "critical"),
		Description: text(t), Window: one(t, "5m", "1h30m", "90s"), Title: "on {host.name} {{by}} {user.name}", Suppress: one(t, "", "1h"),
		Techniques: []string{"T1110", "T1110.001"}, NextSteps: []string{"look", text(t)},
	}
	names := []string{"first", "second", "third"}[:rapid.IntRange(1, 3).Draw(t, "subs")]
	by := some(t, 1, 3, []string{"source.ip", "user.name", "host.name", "destination.port"})
	for i, name := range names {
		s := randomSub(t)
		s.Name, s.By = name, by
		if i > 0 && rapid.Bool().Draw(t, "other names") {
			s.By = []string{"destination.ip", "user.target.name", "host.ip"}[:len(by)]
		}
		f.Subs = append(f.Subs, s)
	}
	if len(names) > 1 {
		x := randomExpr(t, names)
		f.Expr = &x
		f.Join = append(f.Join, "first."+by[0]+" == second."+f.Subs[1].By[0])
		for i := 2; i < len(names); i++ {
			f.Join = append(f.Join, "first."+by[0]+" == "+names[i]+"."+f.Subs[i].By[0])
		}
		if rapid.Bool().Draw(t, "compare") && len(f.Subs[0].Having)+len(f.Subs[1].Having) == 0 {
			f.Join = append(f.Join, "first.event.outcome "+one(t, "!=", "<", ">=")+" second.event.reason")
		}
	} else if len(by) > 1 && rapid.Bool().Draw(t, "key") {
		f.Key = by[:1]
	}
	if rapid.Bool().Draw(t, "clear") {
		f.Clear = &rule.FormClear{After: "1d"}
		if rapid.Bool().Draw(t, "pattern") {
			s := randomSub(t)
			if s.Baseline = nil; len(s.Having) > 0 && strings.Contains(s.Having[0].Threshold, "stat") {
				s.Having = nil
			}
			f.Clear.Sub = &s
		}
	}
	if rapid.Bool().Draw(t, "list") {
		f.WatchList = []rule.FormWatchList{{Name: "Tor", Value: "source.ip", TTL: importedTTL}}
	}
	return f
}

func one(t *rapid.T, of ...string) string { return rapid.SampledFrom(of).Draw(t, "one") }

func some(t *rapid.T, least, most int, of []string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(of), least, most, rapid.ID[string]).Draw(t, "some")
}

func text(t *rapid.T) string {
	return one(t, "plain", "two words", `"quoted"`, "it's", `C:\Windows\*`, "a, b (c)", "a AND b", "<tag> & more", "ünï", "IN (Group@x)", "10.0.0.0/8", "$x", "{x}")
}

func randomSub(t *rapid.T) rule.FormSub {
	where := randomGroup(t, 2, rapid.Bool().Draw(t, "any"))
	s := rule.FormSub{Where: &where, Title: one(t, "", "in words")}
	if one(t, "events", "firings") == "firings" {
		s.Rule = "another-rule"
	}
	switch rapid.IntRange(0, 4).Draw(t, "having") {
	case 0:
		s.Having = []rule.FormHaving{{Func: "count", Op: ">=", Threshold: "5"}, {Func: "distinct", Fields: some(t, 1, 2, []string{"user.name", "host.name"}), Op: one(t, "<", ">", "!=", "=="), Threshold: "3"}}
	case 1:
		s.Having = []rule.FormHaving{
			{Func: one(t, "sum", "avg", "min", "max"), Fields: []string{"network.bytes"}, Op: "<=", Threshold: "-1.5"},
			{Func: "percentile", Fields: []string{"network.bytes"}, Rank: "95", Op: ">", Threshold: "2"},
		}
	case 2:
		s.Having = []rule.FormHaving{{Func: "count", Op: ">", Threshold: "3 * stat.std + (stat.mean - 2) * 2"}}
		s.Baseline = &rule.FormBaseline{Slots: "hour"}
	}
	return s
}

// randomExpr draws an expression in which the sub-patterns stand in their order, each once.
func randomExpr(t *rapid.T, names []string) rule.FormExpr {
	if len(names) == 1 {
		return rule.FormExpr{Sub: names[0]}
	}
	at := rapid.IntRange(1, len(names)-1).Draw(t, "split")
	x := rule.FormExpr{Op: one(t, "and", "or", "->", "!->", "and not"), Of: []rule.FormExpr{randomExpr(t, names[:at]), randomExpr(t, names[at:])}}
	for _, op := range []string{"and", "or"} { // a conjunction of conjunctions is one there
		if x.Op == op && slices.ContainsFunc(x.Of, func(of rule.FormExpr) bool { return of.Op == op }) {
			x.Op = "->"
		}
	}
	return x
}

// randomGroup draws a selection. Groups of one kind do not stand in each other: they are one there.
func randomGroup(t *rapid.T, depth int, any bool) rule.FormGroup {
	g := rule.FormGroup{Any: any}
	fields := some(t, 2, 3, []string{"source.ip", "user.name", "process.command_line", "destination.port", "url.path"})
	for _, field := range fields {
		if depth > 0 && rapid.Bool().Draw(t, "group") {
			of := randomGroup(t, depth-1, !any)
			g.Rows = append(g.Rows, rule.FormRow{Group: &of, Not: rapid.Bool().Draw(t, "not")})
			continue
		}
		g.Rows = append(g.Rows, randomRow(t, field))
	}
	if !g.Any && rapid.Bool().Draw(t, "event type") {
		g.Rows = append(g.Rows, rows(one(t, "Win-Security-4625", "Generic_Unix_Failed_SSH_Login", "Nginx-Web-Request"))...)
	}
	return g
}

func randomRow(t *rapid.T, field string) rule.FormRow {
	r := rule.FormRow{Field: field}
	add := func(values ...string) {
		for _, v := range values {
			r.Values = append(r.Values, &v)
		}
	}
	switch rapid.IntRange(0, 6).Draw(t, "test") {
	case 0, 1:
		for _, v := range some(t, 1, 3, []string{"plain", "two words", `"quoted"`, "it's", `C:\Windows\*`, "a AND b", "10.0.0.0/8", "Group@x", "srcIpAddr"}) {
			add(literal(v))
		}
		r.Modifiers = some(t, 0, 1, []string{"contains"})
	case 2:
		add("a.*b$", `x"y\d`)
		r.Modifiers = []string{"re"}
	case 3:
		add("10.0.0.0/8", "192.0.2.1/32")
		r.Modifiers = []string{"cidr"}
	case 4:
		add("5")
		r.Modifiers = []string{one(t, "gt", "gte", "lt", "lte")}
		return r
	case 5:
		add(one(t, "true", "false"))
		r.Modifiers = []string{"exists"}
		return r
	default:
		add(some(t, 1, 2, []string{"Tor", "scanners"})...)
		r.Modifiers = []string{"in"}
	}
	if rapid.Bool().Draw(t, "neq") && (len(r.Values) == 1 || !slices.Contains(r.Modifiers, "contains") && !slices.Contains(r.Modifiers, "re")) {
		r.Modifiers = append(r.Modifiers, "neq")
	}
	return r
}

// unsayable changes a form so that the XML cannot say all of it.
func unsayable(t *rapid.T, f *rule.Form) {
	field := func() string {
		return one(t, "dns.question.registered_domain", "no.such-field", "user", "winlog.event_data.X_y")
	}
	value := func(s string) []*string { return []*string{&s} }
	s := &f.Subs[len(f.Subs)-1]
	add := func(field, v string, modifiers ...string) {
		all := *s.Where
		s.Where = &rule.FormGroup{Rows: []rule.FormRow{{Field: field, Modifiers: modifiers, Values: value(v)}, {Group: &all}}}
	}
	changes := []func(){
		func() { f.Version, f.Lateness, f.MaxKeys = "2.3.4", "1m", "500" },
		func() { f.DataSources, f.FalsePositives = []string{text(t)}, []string{text(t)} },
		func() {
			f.Containment, f.Eradication, f.References = []string{text(t)}, []string{"two\nlines"}, []string{"https://example.org/?a=b&c"}
		},
		func() { f.NextSteps = []string{"one\ntwo", " ]]> "} },
		func() { f.Name, f.Description = "a  b ]]> <x>", "first\nsecond " },
		func() { f.Title = "{{x}} $user {host.name|no host} {" + f.Subs[0].Name + ".count}" },
		func() { f.Suppress = "1500ms" },
		func() { f.Exceptions = []rule.FormException{{Reason: text(t), Where: randomGroup(t, 1, true)}} },
		func() { f.WatchList = []rule.FormWatchList{{Name: "scanners", Value: "source.ip", TTL: "3d"}} },
		func() {
			f.Tests = "- {name: " + `"` + `t\u2028` + `"` + ", events: [{at: 1s, fields: {a.b: 'c\td'}}], expect: {incidents: 0}}"
		},
		func() { add(field(), "X", "cased") },
		func() { add(field(), "x*", one(t, "startswith", "endswith", "contains")) },
		func() { add("@timestamp", "3", "hour") },
		func() {
			s.Where = &rule.FormGroup{Rows: []rule.FormRow{{Field: "@timestamp", Modifiers: []string{"hour", "gt"}, Values: value("3")}}}
		},
		func() { add("*", "any"+string(rune(0xfffe))) },
		func() { s.NullKey = "include" },
		func() { s.Window = "3m" },
		func() { s.Title = strings.ToUpper(s.Name) },
		func() { s.Having, s.Windows = []rule.FormHaving{{Func: "count", Op: ">=", Threshold: "1"}}, "tumbling" },
		func() {
			s.Having, s.Baseline = nil, nil
			s.FirstSeen = &rule.FormFirstSeen{Fields: []string{field()}, Within: "30d", Learn: "1d"}
		},
		func() {
			if x := f.Expr; x != nil && x.Op != "!->" {
				f.Expr = &rule.FormExpr{Op: "span", Of: []rule.FormExpr{*x}, Within: "5m"}
			}
		},
		func() {
			if f.Expr != nil {
				f.Expr.Within = "7s"
			}
		},
		func() {
			if f.Expr != nil && len(f.Subs) == 2 {
				f.Expr = &rule.FormExpr{Op: "->", Of: []rule.FormExpr{{Sub: "second"}, {Sub: "first"}, {Sub: "second"}}}
			}
		},
	}
	for range rapid.IntRange(1, 4).Draw(t, "changes") {
		rapid.SampledFrom(changes).Draw(t, "change")()
	}
}
