package rule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/goccy/go-yaml/ast"

	"github.com/vedette-siem/vedette/storage"
)

// The keys of a document. pattern.schema.json lists the same; a test compares them.
var (
	ruleKeys = []string{
		"kind", "id", "name", "version", "description", "severity", "techniques", "window", "lateness",
		"subs", "expr", "rearm", "incident", "exceptions", "clear", "false_positives",
		"next_steps", "references", "tests", "join", "suppress", "watchlist",
	}
	subKeys       = []string{"title", "where", "by", "having", "window", "code", "first_seen", "baseline"}
	incidentKeys  = []string{"key", "title", "group"}
	clearKeys     = []string{"after", "pattern"}
	exceptionKeys = []string{"reason", "where"}
	testKeys      = []string{"name", "events", "until", "expect"}
	eventKeys     = []string{"at", "fields", "repeat", "every"}
	expectKeys    = []string{"incidents", "count", "title"}
)

var (
	idForm        = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,127}$`)
	subForm       = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	techniqueForm = regexp.MustCompile(`^T[0-9]{4}(\.[0-9]{3})?$`)
	reservedSubs  = []string{"and", "or", "not", "within"}
)

// Parse reads one pattern document. Faults are *Error with file, line, column and hint; those that wrap
// ErrNotImplemented name an operator that the language has and the evaluator lacks.
func Parse(file string, src []byte) (*Rule, error) {
	root, err := parseYAML(file, src)
	if err != nil {
		return nil, err
	}
	d := &document{reader: reader{file: file}, rule: &Rule{File: file, Lateness: DefaultLateness}, at: map[string]entry{}}
	d.read(root)
	if d.err != nil {
		return nil, d.err
	}
	return d.rule, nil
}

// document is a rule being read.
type document struct {
	reader
	rule   *Rule
	root   ast.Node
	at     map[string]entry // top-level entries
	window time.Duration
}

func (d *document) read(root ast.Node) {
	d.root = root
	for _, e := range d.mapping(root, "rule", ruleKeys) {
		d.at[e.key] = e
	}
	for _, key := range [...]string{"kind", "id", "name", "version", "severity", "subs", "incident"} {
		if _, ok := d.at[key]; !ok {
			d.fail(root, "", "rule: %s is missing", key)
		}
	}
	for _, x := range [...][2]string{
		{"join", "Join (the by lists of all subs are joined by position)"},
		{"suppress", "suppress"},
		{"watchlist", "Emit to a watch list"},
	} {
		if e, ok := d.at[x[0]]; ok {
			d.lacking(e.node, "%s", x[1])
		}
	}
	if d.err != nil {
		return
	}
	d.head()
	d.patterns()
	for _, part := range [...]func(){d.exceptions, d.emit, d.cases} {
		if d.err == nil {
			part()
		}
	}
}

// head reads what describes the rule.
func (d *document) head() {
	r := d.rule
	if k := d.text(d.at["kind"].val, "kind"); k != "pattern" {
		d.fail(d.at["kind"].val, `kind: pattern`, "kind %q", k)
	}
	if r.ID = d.text(d.at["id"].val, "id"); !idForm.MatchString(r.ID) {
		d.fail(d.at["id"].val, "lower-case letters, digits, dots, dashes; such as ssh-bruteforce or a UUID", "id %q", r.ID)
	}
	r.Name = d.text(d.at["name"].val, "name")
	r.Version = d.text(d.at["version"].val, "version")
	if _, err := semver.StrictNewVersion(r.Version); err != nil {
		d.fail(d.at["version"].val, "such as 1.0.0", "version %q: %v", r.Version, err)
	}
	sev, err := storage.ParseSeverity(d.text(d.at["severity"].val, "severity"))
	if err != nil {
		d.fail(d.at["severity"].val, "", "%v", err)
	}
	r.Severity = sev
	if e, ok := d.at["description"]; ok {
		r.Description = d.text(e.val, "description")
	}
	r.FalsePositives, r.NextSteps, r.References = d.advice("false_positives"), d.advice("next_steps"), d.advice("references")
	for _, u := range r.References {
		if !strings.HasPrefix(u, "https://") {
			d.fail(d.at["references"].val, "URLs that begin with https://", "references: %q", u)
		}
	}
	if e, ok := d.at["techniques"]; ok {
		for i, t := range d.texts(e.val, "techniques") {
			if r.Techniques = append(r.Techniques, t); !techniqueForm.MatchString(t) {
				d.fail(e.val, "ATT&CK ids such as T1110 or T1110.001", "techniques: %q (number %d)", t, i+1)
			}
		}
	}
	if e, ok := d.at["window"]; ok {
		d.window = d.duration(e.val, "window", MaxDuration)
	}
	if e, ok := d.at["lateness"]; ok {
		r.Lateness = d.duration(e.val, "lateness", MaxDuration)
	}
}

// advice reads a list of texts for people.
func (d *document) advice(key string) []string {
	e, ok := d.at[key]
	if !ok {
		return nil
	}
	list := d.texts(e.val, key)
	if len(list) > MaxAdvice {
		d.fail(e.val, "", "%s: %d entries, the limit is %d", key, len(list), MaxAdvice)
	}
	for _, text := range list {
		if len(text) > MaxAdviceBytes {
			d.fail(e.val, "", "%s: an entry of %d bytes, the limit is %d", key, len(text), MaxAdviceBytes)
		}
	}
	return list
}

// patterns reads the subs.
func (d *document) patterns() {
	entries := d.mapping(d.at["subs"].val, "subs", nil)
	if len(entries) == 0 || len(entries) > MaxSubs {
		d.fail(d.at["subs"].val, "", "subs: %d sub-patterns, want 1 to %d", len(entries), MaxSubs)
	}
	for i, e := range entries {
		if d.err != nil {
			return
		}
		if !subForm.MatchString(e.key) || contains(reservedSubs, e.key) {
			d.fail(e.node, "a word of lower-case letters, digits and _", "subs: name %q", e.key)
		}
		d.rule.Subs = append(d.rule.Subs, d.sub(i, e))
	}
}

func (d *document) sub(i int, e entry) Sub {
	m := &Match{Sub: i}
	s := Sub{Name: e.key, Match: m}
	window := d.window
	var having, windowAt ast.Node
	for _, k := range d.mapping(e.val, "sub "+e.key, subKeys) {
		switch k.key {
		case "title":
			if s.Title = d.text(k.val, "title"); len(s.Title) > MaxAdviceBytes {
				d.fail(k.val, "", "sub %s: title of %d bytes, the limit is %d", e.key, len(s.Title), MaxAdviceBytes)
			}
		case "where":
			m.Where = d.selection(k.val, "where", 0)
		case "by":
			if m.By = d.texts(k.val, "by"); len(m.By) > MaxKeyFields {
				d.fail(k.val, "", "by: %d fields, the limit is %d", len(m.By), MaxKeyFields)
			}
			d.fields(k.val, "by", m.By)
		case "window":
			window, windowAt = d.duration(k.val, "window", MaxDuration), k.node
		case "having":
			having = k.val
		case "code":
			t := d.text(k.val, "code")
			if m.Code = t == "true"; t != "true" && t != "false" {
				d.fail(k.val, "", "code: %q, want true or false", t)
			}
		case "first_seen":
			d.lacking(k.node, "FirstSeen")
		case "baseline":
			d.lacking(k.node, "Baseline")
		}
	}
	if m.Where == nil {
		d.fail(e.node, "", "sub %s: where is missing", e.key)
	}
	if having != nil && d.err == nil {
		s.Aggregate = d.having(having, m, window)
	} else if windowAt != nil {
		d.fail(windowAt, "add having, or write within in expr", "sub %s: window without having", e.key)
	}
	return s
}

// fields checks a list of field names.
func (r *reader) fields(n ast.Node, what string, names []string) {
	seen := map[string]bool{}
	for _, f := range names {
		if !validField(f) || seen[f] {
			r.fail(n, "ECS names, each once", "%s: field %q", what, f)
		}
		seen[f] = true
	}
}

// exceptions folds the allow-list into every sub-pattern that is not only awaited: an exception must not turn an event
// that did happen into an absence.
func (d *document) exceptions() {
	root := d.tree()
	if d.err != nil {
		return
	}
	d.rule.Root = &Emit{Of: root}
	e, ok := d.at["exceptions"]
	if !ok {
		return
	}
	var any AnyOf
	for _, n := range d.list(e.val, "exceptions") {
		var x Exception
		for _, k := range d.mapping(n, "exception", exceptionKeys) {
			if k.key == "reason" {
				x.Reason = d.text(k.val, "reason")
			} else {
				x.Where = d.selection(k.val, "where", 0)
			}
		}
		if d.err == nil && (x.Reason == "" || x.Where == nil) {
			d.fail(n, "say why, and what is selected", "exception: reason and where are needed")
		}
		d.rule.Exceptions = append(d.rule.Exceptions, x)
		any = append(any, x.Where)
	}
	if len(any) == 0 {
		return
	}
	positive := map[int]bool{}
	mark(root, positive)
	for i := range d.rule.Subs {
		if positive[i] {
			m := d.rule.Subs[i].Match
			m.Where = AllOf{m.Where, Not{any}}
		}
	}
}

// mark collects the sub-patterns that must occur.
func mark(n Node, into map[int]bool) {
	switch n := n.(type) {
	case *Match:
		into[n.Sub] = true
	case *Aggregate:
		into[n.Of.Sub] = true
	case *FollowedBy:
		mark(n.A, into)
		mark(n.B, into)
	case *NotFollowedBy:
		mark(n.A, into)
	}
}

// tree reads expr and rearm into the rule's operators, and checks what holds between sub-patterns.
func (d *document) tree() Node {
	latest := false
	if e, ok := d.at["rearm"]; ok {
		if t := d.text(e.val, "rearm"); t != "latest" {
			d.fail(e.val, "rearm: latest, or leave it out", "rearm: %q", t)
		}
		latest = true
	}
	e, ok := d.at["expr"]
	if !ok {
		if len(d.rule.Subs) != 1 {
			d.fail(d.at["subs"].node, `such as expr: "a -> b within 5m"`, "rule: %d subs and no expr", len(d.rule.Subs))
		}
		if latest {
			d.fail(d.at["rearm"].node, "", "rearm without !->")
		}
		return d.rule.Subs[0].Node()
	}
	text := d.text(e.val, "expr")
	if len(text) > maxExpressionBytes {
		d.fail(e.val, "", "expr of %d bytes, the limit is %d", len(text), maxExpressionBytes)
	}
	if d.err != nil {
		return nil
	}
	x := &expression{r: &d.reader, at: e.val, toks: tokenize(text), subs: d.rule.Subs, window: d.window, latest: latest}
	root := x.parse()
	if d.err == nil {
		d.evaluable(e.val, root)
	}
	if _, absence := root.(*NotFollowedBy); latest && !absence {
		d.fail(d.at["rearm"].node, "", "rearm without !->")
	}
	d.joined(e.val, root)
	return root
}

// joined checks that every sub-pattern takes part and that all are grouped by as many fields: they are joined by position.
func (d *document) joined(at ast.Node, root Node) {
	if d.err != nil {
		return
	}
	used := map[int]bool{}
	mark(root, used)
	if x, ok := root.(*NotFollowedBy); ok {
		mark(x.B, used)
	}
	first := d.rule.Subs[0].Match.By
	for i := range d.rule.Subs {
		s := &d.rule.Subs[i]
		if !used[i] {
			d.fail(at, "", "expr: sub %s is not used", s.Name)
		}
		if len(s.Match.By) != len(first) {
			d.lacking(d.at["subs"].node, "Join of by lists of different length (%s has %d fields, %s has %d)",
				d.rule.Subs[0].Name, len(first), s.Name, len(s.Match.By))
		}
	}
}

// emit reads incident and clear.
func (d *document) emit() {
	inc := &Incident{}
	d.rule.Root.Incident = inc
	first := d.rule.Subs[0].Match
	inc.Key = first.By
	titled := false
	for _, k := range d.mapping(d.at["incident"].val, "incident", incidentKeys) {
		switch k.key {
		case "key":
			inc.Key = d.texts(k.val, "key")
			d.fields(k.val, "key", inc.Key)
			_, single := d.rule.Root.Of.(*Match)
			for _, f := range inc.Key {
				if !single && !contains(first.By, f) {
					d.fail(k.val, "the incident's key is made of the first sub's by fields", "key: %s is not in by", f)
				}
			}
			if len(inc.Key) > MaxKeyFields {
				d.fail(k.val, "", "key: %d fields, the limit is %d", len(inc.Key), MaxKeyFields)
			}
		case "title":
			inc.Title, titled = d.title(k.val, d.text(k.val, "title"), d.rule.Subs), true
		case "group":
			d.lacking(k.node, "group: incidents of several keys in one case")
		}
	}
	if !titled {
		inc.Title = Title{{Text: d.rule.Name}}
	}
	e, ok := d.at["clear"]
	if !ok {
		return
	}
	d.rule.Root.Clear = &Clear{}
	for _, k := range d.mapping(e.val, "clear", clearKeys) {
		if k.key == "after" {
			d.rule.Root.Clear.After = d.duration(k.val, "clear.after", MaxQuietPeriod)
		} else {
			d.lacking(k.node, "clear by a pattern")
		}
	}
	if d.err == nil && d.rule.Root.Clear.After <= 0 {
		d.fail(e.node, "clear: {after: 60m}", "clear: after is missing")
	}
}

// cases reads the inline tests.
func (d *document) cases() {
	e, ok := d.at["tests"]
	if !ok {
		return
	}
	list := d.list(e.val, "tests")
	if len(list) > MaxTestsPerRule {
		d.fail(e.val, "", "tests: %d, the limit is %d", len(list), MaxTestsPerRule)
	}
	for i, n := range list {
		if d.err != nil {
			return
		}
		d.rule.Tests = append(d.rule.Tests, d.oneCase(i, n))
	}
}

func (d *document) oneCase(i int, n ast.Node) Case {
	c := Case{Name: fmt.Sprintf("test %d", i+1), Count: -1, Line: n.GetToken().Position.Line}
	expected := false
	for _, k := range d.mapping(n, "test", testKeys) {
		switch k.key {
		case "name":
			c.Name = d.text(k.val, "name")
		case "until":
			c.Until = d.duration(k.val, "until", 10*MaxDuration)
		case "events":
			for _, v := range d.list(k.val, "events") {
				d.caseEvents(&c, v)
			}
		case "expect":
			expected = true
			for _, x := range d.mapping(k.val, "expect", expectKeys) {
				switch x.key {
				case "incidents":
					c.Incidents = d.number(x.val, "incidents")
				case "count":
					c.Count = d.number(x.val, "count")
				case "title":
					c.Title = d.text(x.val, "title")
				}
			}
		}
	}
	if !expected {
		d.fail(n, "expect: {incidents: 1}", "%s: no expect", c.Name)
	}
	return c
}

// caseEvents reads one entry: an event, or with repeat and every a row of equal ones.
func (d *document) caseEvents(c *Case, n ast.Node) {
	ev, times, every := CaseEvent{At: -1}, 1, time.Duration(0)
	for _, k := range d.mapping(n, "event", eventKeys) {
		switch k.key {
		case "at":
			ev.At = d.duration(k.val, "at", 10*MaxDuration)
		case "fields":
			for _, f := range d.mapping(k.val, "fields", nil) {
				ev.Fields = append(ev.Fields, storage.Field{Name: f.key, Value: d.text(f.val, f.key)})
			}
		case "repeat":
			times = d.number(k.val, "repeat")
		case "every":
			every = d.duration(k.val, "every", MaxDuration)
		}
	}
	switch {
	case d.err != nil:
		return
	case ev.At < 0 || len(ev.Fields) == 0:
		d.fail(n, `{at: "+0s", fields: {…}}`, "event: at and fields are needed")
	case times > 1 && every == 0:
		d.fail(n, `every: 1s`, "event: repeat without every")
	case len(c.Events)+times > MaxEventsPerTest:
		d.fail(n, "", "test of more than %d events", MaxEventsPerTest)
		return
	}
	for i := range times {
		c.Events = append(c.Events, CaseEvent{At: ev.At + time.Duration(i)*every, Fields: ev.Fields})
	}
}

func (r *reader) number(n ast.Node, what string) int {
	v, err := strconv.Atoi(r.text(n, what))
	if err != nil || v < 0 || v > 1e6 {
		r.fail(n, "", "%s: want a number from 0 to 1000000", what)
		return 0
	}
	return v
}
