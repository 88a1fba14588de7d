package fortisiem

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

const defaultWindow = 5 * time.Minute // of a rule that has none: the XML must say one

// Export writes a rule as the XML of one Rule element within Rules. Import reads an equal rule from it: what the product's
// elements do not say is in an extension. The problems say what FortiSIEM, which does not read that, makes otherwise of the
// rule. The error is that of a rule that FormFrom cannot write either.
func Export(r *rule.Rule) ([]byte, []Problem, error) {
	form, err := rule.FormFrom(r)
	if err != nil {
		return nil, nil, fmt.Errorf("export to FortiSIEM: %w", err)
	}
	in := Imported{}
	x := &export{place: &place{&in, r.ID}, rule: r, form: &form}
	x.w.b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	x.w.begin("Rules")
	x.write()
	x.extension()
	x.w.end("Rule")
	x.w.end("Rules")
	return x.w.b.Bytes(), in.Problems, nil
}

// extension adds what does not come back of what was written.
func (x *export) extension() {
	written := append(bytes.Clone(x.w.b.Bytes()), "</Rule></Rules>"...)
	root, err := parseXML("export", written)
	if err != nil {
		x.changes("it cannot be read back: %v", err)
		return
	}
	e := root.child("Rule")
	r, err := readRule("export", e)
	var read, meant map[string]json.RawMessage
	if err == nil {
		read, err = membersOf(&r.form)
	}
	if err == nil {
		meant, err = membersOf(x.form)
	}
	var parts []part
	if err == nil {
		parts, err = r.missing(e, read, meant)
	}
	if err != nil {
		x.changes("it cannot be read back: %v", err)
		return
	}
	x.w.extension(r, e, parts)
}

// export is a rule being written.
type export struct {
	*place
	w    writer
	rule *rule.Rule
	form *rule.Form
}

func (x *export) write() {
	r, f := x.rule, x.form
	kind := rulePrefix + strings.ToUpper(r.ID)
	attrs := []string{"id", kind}
	if len(r.Techniques) > 0 {
		attrs = append(attrs, "technique", strings.Join(r.Techniques, ","))
	}
	x.w.begin("Rule", attrs...)
	x.w.leaf("Name", r.Name)
	x.w.leaf("IncidentTitle", x.title())
	x.w.leaf("active", "true")
	x.w.leaf("Description", r.Description)
	x.w.leaf("Remediation", strings.Join(r.NextSteps, "\n"))
	x.w.begin("CustomerScope", "groupByEachCustomer", "true")
	x.w.leaf("Include", "", "all", "true")
	x.w.leaf("Exclude", "", "all", "false")
	x.w.end("CustomerScope")
	x.incident(kind)
	x.pattern()
	x.clear()
	for _, w := range r.Root.WatchLists {
		if rule.FormatDuration(w.TTL) != importedTTL {
			x.note("watchlist %s: ttl %s cannot be said", w.Name, rule.FormatDuration(w.TTL))
		}
		x.w.leaf("DynWatchListDef", w.Name, "attr", x.attribute(w.Value))
	}
	x.w.begin("TriggerEventDisplay")
	x.w.leaf("AttrList", strings.Join(append(append([]string{"phRecvTime"}, x.attributes(f.Subs[0].By)...), "rawEventMsg"), ","))
	x.w.end("TriggerEventDisplay")
	x.unsaid()
}

// unsaid names what of a rule the XML has no place for.
func (x *export) unsaid() {
	r := x.rule
	for _, u := range [...]struct {
		there bool
		what  string
	}{
		{r.Version != importedVersion, "version " + r.Version},
		{r.Lateness != rule.DefaultLateness, "lateness " + rule.FormatDuration(r.Lateness)},
		{r.MaxKeys > 0, "limits"},
		{len(r.DataSources) > 0, "data_sources"},
		{len(r.FalsePositives) > 0, "false_positives"},
		{len(r.Containment) > 0, "containment"},
		{len(r.Eradication) > 0, "eradication"},
		{len(r.References) > 0, "references"},
		{len(r.Tests) > 0, "tests"},
	} {
		if u.there {
			x.note("%s: FortiSIEM has no place for it", u.what)
		}
	}
	if x.form.Rearm != "" {
		x.changes("rearm: latest: a later event does not move the deadline there")
	}
	if len(r.Exceptions) > 0 {
		x.changes("exceptions: they are written as part of what each sub-pattern selects, without their reasons")
	}
}

// title writes $attributes for fields.
func (x *export) title() string {
	var b strings.Builder
	for _, p := range x.rule.Root.Incident.Title {
		switch {
		case p.Count:
			x.note("title: {count} cannot be said")
		case p.Field != "":
			if p.Text != "-" {
				x.note("title: {%s|%s}: the text for a field that is not there cannot be said", p.Field, p.Text)
			}
			b.WriteString("$" + x.attribute(p.Field))
		default:
			if variable.MatchString(p.Text) {
				x.note("title: %q reads as an attribute", p.Text)
			}
			b.WriteString(p.Text)
		}
	}
	return strings.TrimSpace(b.String())
}

func (x *export) attribute(field string) string {
	a, ok := attribute(field)
	if !ok {
		x.changes("field %s: the table has no attribute for it; a custom attribute %s must be defined, and parsers must set it", field, a)
	}
	return a
}

func (x *export) attributes(fields []string) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = x.attribute(f)
	}
	return out
}

var levels = map[storage.Severity]string{
	storage.Informational: "1", storage.Low: "3", storage.Medium: "5", storage.High: "7", storage.Critical: "9",
}

func (x *export) incident(kind string) {
	r := x.rule
	attrs := []string{"eventType", kind, "severity", levels[r.Severity]}
	if s := r.Root.Suppress; s > 0 {
		attrs = append(attrs, "fireFreq", x.seconds("suppress", s))
	}
	var args []string
	by := r.Subs[0].Match.By
	for _, f := range r.Root.Incident.Key {
		if !slices.Contains(by, f) {
			x.changes("incident key %s: only what the first sub-pattern is grouped by tells incidents apart there", f)
			continue
		}
		a := x.attribute(f)
		args = append(args, fmt.Sprintf("%s = %s.%s", a, r.Subs[0].Name, a))
	}
	x.w.begin("IncidentDef", attrs...)
	x.w.leaf("ArgList", strings.Join(args, ", "))
	x.w.end("IncidentDef")
}

// seconds writes a time, which is whole seconds there.
func (x *export) seconds(what string, d time.Duration) string {
	if d%time.Second != 0 {
		x.changes("%s %s: times are whole seconds there", what, rule.FormatDuration(d))
	}
	return strconv.Itoa(max(1, int(d/time.Second)))
}

// window returns the one window of the rule: the longest of those that it has.
func (x *export) window() time.Duration {
	var all []time.Duration
	rule.Walk(x.rule.Root.Of, func(n rule.Node) {
		switch n := n.(type) {
		case *rule.Aggregate:
			all = append(all, n.Window)
		case *rule.FollowedBy:
			all = append(all, n.Within)
		case *rule.NotFollowedBy:
			all = append(all, n.Within)
		case *rule.And:
			all = append(all, n.Within)
		case *rule.AndNot:
			all = append(all, n.Within)
		}
	})
	if len(all) == 0 {
		return defaultWindow
	}
	longest := slices.Max(all)
	if slices.Min(all) != longest {
		x.changes("the rule has several windows; there is one for all there, and %s is taken", rule.FormatDuration(longest))
	}
	return longest
}

func (x *export) pattern() {
	f := x.form
	x.w.begin("PatternClause", "window", x.seconds("window", x.window()))
	ops, order := x.operators()
	for i, at := range order {
		x.sub(&f.Subs[at], f.Subs[at].Name)
		if i < len(ops) {
			x.w.leaf("Operator", "", "rank", strconv.Itoa(ops[i].rank), "type", ops[i].op)
		}
	}
	x.w.leaf("GlobalConstr", x.global())
	x.w.end("PatternClause")
}

// operators lays the expression out in a line, and returns the order of its sub-patterns.
func (x *export) operators() (ops []operator, order []int) {
	if x.form.Expr == nil {
		return nil, []int{0}
	}
	at := map[string]int{}
	for i := range x.form.Subs {
		at[x.form.Subs[i].Name] = i
	}
	var lay func(e *rule.FormExpr) int
	lay = func(e *rule.FormExpr) (height int) {
		if e.Op == "" {
			if slices.Contains(order, at[e.Sub]) {
				x.changes("expr: %s stands twice; a sub-pattern has one place there", e.Sub)
			}
			order = append(order, at[e.Sub])
			return 0
		}
		op := ""
		for name, o := range operatorNames {
			if o == strings.TrimSuffix(e.Op, " before") {
				op = name
			}
		}
		if e.Op == "span" || e.Op == "and not before" {
			x.changes("expr: %s cannot be said", e.Op)
		}
		var between []int
		for i := range e.Of {
			if i > 0 {
				between = append(between, len(ops))
				ops = append(ops, operator{op: op})
			}
			height = max(height, lay(&e.Of[i]))
		}
		for _, i := range between {
			ops[i].rank = height + 1
		}
		return height + len(between)/max(1, len(between))
	}
	lay(x.form.Expr)
	if !slices.IsSorted(order) {
		x.note("subs: they stand in the order of expr there, which decides whose by lists name the incident's key")
	}
	return ops, order
}

func (x *export) sub(s *rule.FormSub, name string) {
	p := x.at("sub " + name)
	attrs := []string{"displayName", name, "name", name}
	if s.Title != "" {
		attrs[1] = s.Title
	}
	x.w.begin("SubPattern", attrs...)
	x.w.leaf("SingleEvtConstr", x.where(p, s))
	x.w.leaf("GroupByAttr", strings.Join(x.attributes(s.By), ","))
	x.w.leaf("GroupEvtConstr", x.having(p, s))
	x.w.end("SubPattern")
	for _, u := range [...]struct {
		there bool
		what  string
	}{
		{s.NullKey != "", "null_key: include"},
		{s.FirstSeen != nil, "first_seen"},
		{s.Code == "true", "code"},
		{s.Windows != "" && s.Windows != string(rule.Sliding), "windows: " + s.Windows},
		{
			s.Baseline != nil && (s.Baseline.Slots != string(rule.SlotHour) || s.Baseline.Least != strconv.Itoa(rule.DefaultLeast) || s.Baseline.Peers != ""),
			"baseline: what is learnt there is by hour, from 3 samples on, of each group alone; another",
		},
	} {
		if u.there {
			p.changes("%s cannot be said", u.what)
		}
	}
}

// where writes what a sub-pattern selects: with the exceptions, which the form has apart.
func (x *export) where(p *place, s *rule.FormSub) string {
	g := rule.FormGroup{}
	if s.Where != nil {
		g = *s.Where
	}
	if all := g; len(x.form.Exceptions) > 0 {
		g = rule.FormGroup{Rows: []rule.FormRow{{Group: &all}}}
	}
	for i := range x.form.Exceptions {
		g.Rows = append(g.Rows, rule.FormRow{Not: true, Group: &x.form.Exceptions[i].Where})
	}
	t := terms{export: x, place: p}
	text := t.group(&g, s.Rule == "")
	if s.Rule == "" {
		return text
	}
	fired := "eventType = " + quote(rulePrefix+strings.ToUpper(s.Rule))
	if text == "" {
		return fired
	}
	return fired + " AND " + text
}

// having writes the conditions of a group.
func (x *export) having(p *place, s *rule.FormSub) string {
	if len(s.Having) == 0 {
		return "COUNT(*) >= 1"
	}
	var out []string
	for i := range s.Having {
		h := &s.Having[i]
		fn, ok := x.function(h)
		if !ok {
			p.changes("having: %s cannot be said; the condition is left out", h.String())
			continue
		}
		than := h.Threshold
		if strings.Contains(than, "stat.n") {
			p.changes("having: stat.n cannot be said; the condition is left out")
			continue
		}
		than = strings.NewReplacer("stat.mean", "STAT_AVG("+fn+")", "stat.std", "STAT_STDDEV("+fn+")").Replace(than)
		out = append(out, fmt.Sprintf("%s %s %s", fn, map[bool]string{true: "=", false: h.Op}[h.Op == "=="], than))
	}
	if len(out) == 0 {
		return "COUNT(*) >= 1"
	}
	return strings.Join(out, " AND ")
}

func (x *export) function(h *rule.FormHaving) (string, bool) {
	args := strings.Join(x.attributes(h.Fields), ", ")
	switch h.Func {
	case "count":
		return "COUNT(*)", true
	case "distinct":
		return "COUNT(DISTINCT " + args + ")", true
	case "percentile":
		name := "PCTILE" + h.Rank
		return name + "(" + args + ")", percentileForm.MatchString(name)
	}
	return strings.ToUpper(h.Func) + "(" + args + ")", true
}

// global writes what relates the sub-patterns. That they have one key goes without saying here, but not there.
func (x *export) global() string {
	subs := x.rule.Subs[:len(x.form.Subs)]
	var out []string
	first := subs[0].Match.RuleKey()
	for i := 1; i < len(subs); i++ {
		for at, f := range subs[i].Match.RuleKey() {
			out = append(out, fmt.Sprintf("%s.%s = %s.%s", subs[0].Name, x.attribute(first[at]), subs[i].Name, x.attribute(f)))
		}
	}
	if j, ok := x.rule.Root.Of.(*rule.Join); ok {
		for _, c := range j.On {
			op := strings.Replace(c.Op, "==", "=", 1)
			out = append(out, fmt.Sprintf("%s.%s %s %s.%s", subs[c.A].Name, x.attribute(c.AField), op, subs[c.B].Name, x.attribute(c.BField)))
		}
	}
	return strings.Join(out, " AND ")
}

func (x *export) clear() {
	c := x.rule.Root.Clear
	if c == nil {
		return
	}
	x.w.begin("ClearCondition", "method", "auto", "type", map[bool]string{true: "pattern", false: "quiet"}[c.Of != nil])
	if c.After > 0 {
		x.w.leaf("QuietPeriod", x.seconds("clear.after", c.After))
	}
	if s := x.form.Clear.Sub; s != nil {
		window := defaultWindow
		if a := x.rule.Subs[len(x.rule.Subs)-1].Aggregate; a != nil {
			window = a.Window
		}
		x.w.begin("PatternClause", "window", x.seconds("clear.window", window))
		x.sub(s, rule.ClearSub)
		x.w.end("PatternClause")
	}
	x.w.end("ClearCondition")
}
