package fortisiem

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
)

// rulePrefix begins the event types of incidents.
const rulePrefix = "PH_RULE_"

const (
	importedVersion = "1.0.0"
	importedTTL     = "7d" // the XML does not say how long a list keeps a value
)

// Imported is a rule that was read.
type Imported struct {
	Name     string // as the XML has it
	Line     int    // where it begins
	Document []byte // the pattern document
	Rule     *rule.Rule
	Problems []Problem // what the document does not say, or says otherwise
}

// Problem is something that has no counterpart.
type Problem struct {
	Place   string // such as: rules.xml:12: PH_RULE_SCAN, SubPattern Filter, SingleEvtConstr
	Text    string
	Changes bool // the rule selects, counts or joins otherwise; false: only what is shown or noted is lost
}

func (p Problem) String() string { return p.Place + ": " + p.Text }

// Import reads the rules of an XML file. The error is that of a file that is no rule XML; a rule that cannot be had has no
// Rule, and a problem says why.
func Import(file string, src []byte) ([]Imported, error) {
	root, err := parseXML(file, src)
	if err != nil {
		return nil, err
	}
	all := root.find("Rule")
	if len(all) == 0 {
		return nil, fmt.Errorf("%s:%d: no Rule element", file, root.line)
	}
	var out []Imported
	for _, e := range all {
		out = append(out, importRule(file, e))
	}
	return out, nil
}

// place reports problems of one rule, with where in it they are.
type place struct {
	in   *Imported
	path string
}

func (p *place) at(step string) *place { return &place{p.in, p.path + ", " + step} }

func (p *place) add(changes bool, format string, args []any) {
	problem := Problem{Place: p.path, Text: fmt.Sprintf(format, args...), Changes: changes}
	if len(p.in.Problems) < maxProblems && !slices.Contains(p.in.Problems, problem) {
		p.in.Problems = append(p.in.Problems, problem)
	}
}

func (p *place) changes(format string, args ...any) { p.add(true, format, args) }
func (p *place) note(format string, args ...any)    { p.add(false, format, args) }

// reading is a rule being read.
type reading struct {
	*place
	form     rule.Form
	names    map[string]string   // of sub-patterns, by the name there in lower case
	elements map[string]*element // of sub-patterns, by the name here
	general  int                 // how many problems do not come of the form
}

func importRule(file string, e *element) Imported {
	r, err := readRule(file, e)
	var members map[string]json.RawMessage
	if err == nil {
		members, err = r.extend(e)
	}
	if err == nil {
		r.in.Document, r.in.Rule, err = ruleOf(members)
	}
	if err != nil {
		r.in.Document, r.in.Rule = nil, nil
		r.changes("no rule comes of it: %v", err)
	}
	return *r.in
}

// readRule reads what the elements of the product say.
func readRule(file string, e *element) (*reading, error) {
	in := Imported{Name: e.value("Name"), Line: e.line}
	r := &reading{names: map[string]string{}, elements: map[string]*element{}}
	def := e.child("IncidentDef")
	kind := e.attr("id")
	if def != nil && def.attr("eventType") != "" {
		kind = def.attr("eventType")
	}
	r.place = &place{&in, fmt.Sprintf("%s:%d: %s", file, e.line, kind)}
	id := kind
	if rest, ok := cutFold(kind, rulePrefix); ok {
		id = rest
	}
	r.form = rule.Form{
		ID: slug(id), Name: in.Name, Version: importedVersion, Severity: "medium", Description: e.value("Description"), Title: title(e.value("IncidentTitle")),
	}
	r.form.Techniques = strings.FieldsFunc(e.attr("technique"), func(c rune) bool { return c == ',' || c == ' ' })
	for _, line := range strings.Split(e.value("Remediation"), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			r.form.NextSteps = append(r.form.NextSteps, line)
		}
	}
	r.rest(e)
	r.general = len(in.Problems)
	err := r.pattern(e.child("PatternClause"))
	if err == nil && def != nil {
		r.incident(def)
	}
	if err == nil {
		err = r.clear(e.child("ClearCondition"))
	}
	r.lists(e)
	return r, err
}

var notSlug = regexp.MustCompile(`[^a-z0-9._-]+`)

// slug makes an id of an event type.
func slug(s string) string {
	return strings.Trim(notSlug.ReplaceAllString(strings.ToLower(s), "-"), ".-_")
}

var variable = regexp.MustCompile(`\$([A-Za-z_@][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*)`)

// title makes a template of "$user on $hostName".
func title(text string) string {
	text = strings.NewReplacer("{", "{{", "}", "}}").Replace(text)
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		f, _ := field(v[1:])
		return "{" + f + "}"
	})
}

// known are the elements that are read elsewhere, and those that say nothing when they have their usual value.
var known = map[string]string{
	"Name": "", "Description": "", "IncidentTitle": "", "Remediation": "", "IncidentDef": "", "PatternClause": "", "ClearCondition": "",
	"DynWatchListDef": "", "TriggerEventDisplay": "", "active": "", "DetectionTechnology": "Correlation", "ignoreSIGMAUpdate": "false",
}

// rest names what of a rule is not read.
func (r *reading) rest(e *element) {
	for _, a := range e.attrs {
		switch a.Name.Local {
		case "id", "technique", "naturalId", "natural_id":
		default:
			if a.Value != "" {
				r.note("attribute %s=%q has no counterpart", a.Name.Local, a.Value)
			}
		}
	}
	for _, c := range e.of {
		usual, ok := known[c.name]
		text := strings.TrimSpace(c.text)
		switch {
		case c.name == "CustomerScope":
			r.scope(c)
		case c.space == namespace && c.name == extensionElement:
		case c.name == "TriggerEventDisplay" && e.extension() == nil:
			r.note("TriggerEventDisplay: the incident's page shows the fields that events have, not a list: %s", strings.TrimSpace(c.value("AttrList")))
		case !ok || usual != "" && text != usual:
			r.note("element %s (line %d) has no counterpart: %.80s", c.name, c.line, text)
		}
	}
	if e.value("active") == "false" {
		r.changes("the rule is switched off there; whether it runs here is decided where it is installed")
	}
}

func (r *reading) scope(e *element) {
	if e.attr("groupByEachCustomer") == "false" {
		r.changes("CustomerScope: over several customers together; here every rule works per organization")
	}
	include, exclude := e.child("Include"), e.child("Exclude")
	if include != nil && include.attr("all") != "true" || exclude != nil && (len(exclude.of) > 0 || strings.TrimSpace(exclude.text) != "") {
		r.changes("CustomerScope: for some customers only; which organizations run a rule is decided where it is installed")
	}
}

// severity makes one of five levels of 1 to 10.
func severity(n int) string {
	return [...]string{"informational", "low", "medium", "high", "critical"}[min(max(n-1, 0), 9)/2]
}

// incident reads IncidentDef: severity, how often it is told, and the attributes that make one incident.
func (r *reading) incident(e *element) {
	p := r.at("IncidentDef")
	n, err := strconv.Atoi(strings.TrimSpace(e.attr("severity")))
	if err != nil || n < 1 || n > 10 {
		p.changes("severity %q is none of 1 to 10; medium is taken", e.attr("severity"))
		n = 5
	}
	r.form.Severity = severity(n)
	for _, a := range e.attrs {
		switch a.Name.Local {
		case "eventType", "severity":
		case "fireFreq":
			if s, err := strconv.Atoi(a.Value); err == nil && s > 0 {
				r.form.Suppress = seconds(s)
			}
		default:
			p.note("attribute %s=%q has no counterpart", a.Name.Local, a.Value)
		}
	}
	if len(r.form.Subs) == 0 {
		return
	}
	var key []string
	first := &r.form.Subs[0]
	for _, arg := range strings.Split(e.value("ArgList"), ",") {
		to, from, ok := strings.Cut(arg, "=")
		sub, attr, dotted := strings.Cut(strings.TrimSpace(from), ".")
		if strings.TrimSpace(arg) == "" {
			continue
		}
		f, _ := field(attr)
		switch {
		case !ok || !dotted || r.names[strings.ToLower(sub)] == "" || strings.Contains(attr, "("):
			p.note("%s: computed; the incident shows its events instead", strings.TrimSpace(arg))
		case r.names[strings.ToLower(sub)] == first.Name && slices.Contains(first.By, f):
			if !slices.Contains(key, f) {
				key = append(key, f)
			}
			if name, _ := field(strings.TrimSpace(to)); name != f {
				p.note("%s: it keeps the name %s", strings.TrimSpace(arg), f)
			}
		default:
			p.changes("%s: it is not in the GroupByAttr of %s, so it cannot tell incidents apart", strings.TrimSpace(arg), first.Name)
		}
	}
	if !slices.Equal(key, first.By) {
		r.form.Key, r.form.KeyEmpty = key, len(key) == 0
	}
}

// seconds writes a number of seconds.
func seconds(n int) string { return rule.FormatDuration(time.Duration(n) * time.Second) }

var notName = regexp.MustCompile(`[^a-z0-9_]+`)

// sub reads a SubPattern.
func (r *reading) sub(e *element) error {
	there := e.attr("name")
	if there == "" {
		there = e.attr("displayName")
	}
	name := strings.Trim(notName.ReplaceAllString(strings.ToLower(there), "_"), "_")
	if name == "" || name[0] < 'a' || slices.Contains([]string{"and", "or", "not", "before", "within", "span", rule.ClearSub}, name) {
		name = "sub_" + name
	}
	name = name[:min(len(name), maxName)]
	for n := 2; slices.ContainsFunc(r.form.Subs, func(s rule.FormSub) bool { return s.Name == name }); n++ {
		name = strings.TrimRight(name[:min(len(name), maxName-3)], "0123456789") + strconv.Itoa(n)
	}
	s, err := r.content(e, there)
	if err != nil {
		return err
	}
	s.Name = name
	r.names[strings.ToLower(there)], r.elements[name] = name, e
	r.form.Subs = append(r.form.Subs, s)
	return nil
}

// content reads what a SubPattern selects, groups by and counts.
func (r *reading) content(e *element, name string) (s rule.FormSub, err error) {
	p := r.at("SubPattern " + name)
	if t := strings.TrimSpace(e.attr("displayName")); !strings.EqualFold(t, e.attr("name")) {
		s.Title = t
	}
	g, err := p.at("SingleEvtConstr").constraint(e.value("SingleEvtConstr"))
	if err != nil {
		return s, fmt.Errorf("SubPattern %s: SingleEvtConstr: %w", name, err)
	}
	if s.Rule = takeRule(&g); len(g.Rows) > 0 {
		s.Where = &g
	}
	for _, a := range strings.Split(e.value("GroupByAttr"), ",") {
		if a = strings.TrimSpace(a); a != "" {
			f, ok := field(a)
			if !ok {
				p.changes("GroupByAttr %s: the table has no field for it; the name is kept", a)
			}
			s.By = append(s.By, f)
		}
	}
	if err := p.at("GroupEvtConstr").having(&s, e.value("GroupEvtConstr")); err != nil {
		return s, fmt.Errorf("SubPattern %s: GroupEvtConstr: %w", name, err)
	}
	for _, c := range e.of {
		if !slices.Contains([]string{"SingleEvtConstr", "GroupByAttr", "GroupEvtConstr"}, c.name) {
			p.changes("element %s (line %d) has no counterpart", c.name, c.line)
		}
	}
	return s, nil
}

// takeRule takes the event type of another rule's incidents out of what must hold, and returns the rule's id.
func takeRule(g *rule.FormGroup) string {
	for i := range g.Rows {
		value, ok := plain(&g.Rows[i])
		if id, fired := cutFold(value, rulePrefix); ok && fired && g.Rows[i].Field == "event.code" && (!g.Any || len(g.Rows) == 1) {
			g.Rows = slices.Delete(g.Rows, i, i+1)
			return slug(id)
		}
	}
	return ""
}

// clear reads a ClearCondition: a quiet period, or a pattern of one sub-pattern.
func (r *reading) clear(e *element) error {
	if e == nil {
		return nil
	}
	p := r.at("ClearCondition")
	c := &rule.FormClear{}
	if text := e.value("QuietPeriod"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 {
			return fmt.Errorf("ClearCondition: QuietPeriod %q", text)
		}
		c.After = seconds(n)
	}
	if pattern := e.child("PatternClause"); pattern != nil {
		subs := pattern.find("SubPattern")
		if len(subs) != 1 {
			return fmt.Errorf("ClearCondition: a pattern of %d sub-patterns; one can clear", len(subs))
		}
		s, err := r.content(subs[0], rule.ClearSub)
		if err != nil {
			return fmt.Errorf("ClearCondition: %w", err)
		}
		if n, err := strconv.Atoi(pattern.attr("window")); err == nil && len(s.Having) > 0 {
			s.Window = seconds(n)
		}
		c.Sub = &s
		if constr := e.value("ClearConstr"); constr != "" {
			p.note("ClearConstr %q: the GroupByAttr of the pattern are the values of the incident, in its order", constr)
		}
	}
	if c.After == "" && c.Sub == nil {
		p.changes("neither QuietPeriod nor PatternClause: incidents are cleared by hand")
		return nil
	}
	r.form.Clear = c
	return nil
}

// lists reads DynWatchListDef.
func (r *reading) lists(e *element) {
	for _, d := range e.find("DynWatchListDef") {
		p := r.at("DynWatchListDef")
		f, ok := field(d.attr("attr"))
		if !ok {
			p.changes("attribute %s: the table has no field for it; the name is kept", d.attr("attr"))
		}
		name := strings.TrimSpace(d.text)
		p.note("list %s: how long it keeps a value is not said; %s is taken", name, importedTTL)
		r.form.WatchList = append(r.form.WatchList, rule.FormWatchList{Name: name, Value: f, TTL: importedTTL})
	}
}
