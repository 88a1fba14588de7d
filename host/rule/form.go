package rule

import (
	"fmt"
	"strings"
)

// Form is a pattern document as a form shows it: texts as they are written, selections and expressions as trees. It is
// what the console edits, and what other formats are read into and written from. Document writes it as YAML; whether
// that is a rule, Parse says. Empty members are left out of the document.
type Form struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	Version        string          `json:"version"`
	Severity       string          `json:"severity"`
	Description    string          `json:"description,omitempty"`
	Techniques     []string        `json:"techniques,omitempty"`
	DataSources    []string        `json:"data_sources,omitempty"`
	Window         string          `json:"window,omitempty"`
	Lateness       string          `json:"lateness,omitempty"`
	Subs           []FormSub       `json:"subs"`
	Expr           *FormExpr       `json:"expr,omitempty"` // nil: the only sub
	Rearm          string          `json:"rearm,omitempty"`
	Join           []string        `json:"join,omitempty"` // "a.user.name == b.user.name"
	Key            []string        `json:"key,omitempty"`  // of the incident
	KeyEmpty       bool            `json:"key_empty,omitempty"`
	Title          string          `json:"title,omitempty"`
	Suppress       string          `json:"suppress,omitempty"`
	Clear          *FormClear      `json:"clear,omitempty"`
	WatchList      []FormWatchList `json:"watchlist,omitempty"`
	Exceptions     []FormException `json:"exceptions,omitempty"`
	MaxKeys        string          `json:"max_keys,omitempty"`
	FalsePositives []string        `json:"false_positives,omitempty"`
	NextSteps      []string        `json:"next_steps,omitempty"`
	Containment    []string        `json:"containment,omitempty"`
	Eradication    []string        `json:"eradication,omitempty"`
	References     []string        `json:"references,omitempty"`
	Tests          string          `json:"tests,omitempty"` // the list of inline tests, as YAML
}

// FormSub is a sub-pattern.
type FormSub struct {
	Name      string         `json:"name"`
	Title     string         `json:"title,omitempty"`
	Where     *FormGroup     `json:"where,omitempty"`
	Rule      string         `json:"rule,omitempty"`
	By        []string       `json:"by,omitempty"`
	NullKey   string         `json:"null_key,omitempty"`
	Having    []FormHaving   `json:"having,omitempty"`
	Window    string         `json:"window,omitempty"`
	Windows   string         `json:"windows,omitempty"`
	Gap       string         `json:"gap,omitempty"`
	Baseline  *FormBaseline  `json:"baseline,omitempty"`
	FirstSeen *FormFirstSeen `json:"first_seen,omitempty"`
	Code      string         `json:"code,omitempty"`
}

// FormGroup is a selection: rows that must all hold, or of which one must.
type FormGroup struct {
	Any  bool      `json:"any,omitempty"`
	Rows []FormRow `json:"rows"`
}

// FormRow is a test of a field, or with Group a selection in its place.
type FormRow struct {
	Not       bool       `json:"not,omitempty"` // of Group
	Group     *FormGroup `json:"group,omitempty"`
	Field     string     `json:"field,omitempty"` // "*": any field
	Modifiers []string   `json:"modifiers,omitempty"`
	Values    []*string  `json:"values,omitempty"` // null: the field is missing
}

// FormHaving is one condition of having.
type FormHaving struct {
	Func      string   `json:"func"`
	Fields    []string `json:"fields,omitempty"`
	Rank      string   `json:"rank,omitempty"` // of percentile
	Op        string   `json:"op"`
	Threshold string   `json:"threshold"` // a number, or an expression of stat.mean, stat.std and stat.n
}

// FormBaseline says how thresholds are learnt.
type FormBaseline struct {
	Slots string `json:"slots,omitempty"`
	Least string `json:"least,omitempty"`
	Peers string `json:"peers,omitempty"`
}

// FormFirstSeen says which values are new.
type FormFirstSeen struct {
	Fields []string `json:"fields"`
	Within string   `json:"within"`
	Learn  string   `json:"learn,omitempty"`
}

// FormExpr is an expression: a sub, or an operator over others.
type FormExpr struct {
	Sub    string     `json:"sub,omitempty"`
	Op     string     `json:"op,omitempty"` // and, or, ->, !->, "and not", "and not before", span
	Of     []FormExpr `json:"of,omitempty"`
	Within string     `json:"within,omitempty"` // "": the rule's window
}

// FormClear ends an incident.
type FormClear struct {
	After string   `json:"after,omitempty"`
	Sub   *FormSub `json:"sub,omitempty"`
}

// FormWatchList is what a firing writes to a list.
type FormWatchList struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	TTL   string `json:"ttl"`
}

// FormException is an allow-list entry.
type FormException struct {
	Reason string    `json:"reason"`
	Where  FormGroup `json:"where"`
}

// Document writes the form as a pattern document in its canonical layout. The error says what YAML cannot carry, or what
// of Tests is not YAML.
func (f Form) Document() ([]byte, error) {
	var y yamlText
	for _, x := range [...][2]string{
		{"kind", "pattern"}, {"id", f.ID}, {"name", f.Name}, {"version", f.Version}, {"description", f.Description}, {"severity", f.Severity},
	} {
		y.putText(x[0], x[1])
	}
	y.putList("techniques", f.Techniques)
	y.putList("data_sources", f.DataSources)
	y.putText("window", f.Window)
	y.putText("lateness", f.Lateness)
	subs := yamlText{is: isMap, block: true}
	for i := range f.Subs {
		subs.put(f.Subs[i].Name, f.Subs[i].yaml())
	}
	y.put("subs", subs)
	if f.Expr != nil {
		y.put("expr", textOf(f.Expr.String()))
	}
	y.putText("rearm", f.Rearm)
	y.putList("join", f.Join)
	f.effects(&y)
	for _, x := range [...]struct {
		key  string
		list []string
	}{
		{"false_positives", f.FalsePositives},
		{"next_steps", f.NextSteps},
		{"containment", f.Containment},
		{"eradication", f.Eradication},
		{"references", f.References},
	} {
		list := listOf(x.list)
		if list.block = true; len(x.list) > 0 {
			y.put(x.key, list)
		}
	}
	if err := f.tests(&y); err != nil {
		return nil, err
	}
	if err := y.valid(); err != nil {
		return nil, fmt.Errorf("write rule %s: %w", f.ID, err)
	}
	return []byte(y.String()), nil
}

// effects writes what a firing does.
func (f *Form) effects(y *yamlText) {
	inc := yamlText{is: isMap, block: true}
	if f.KeyEmpty {
		inc.put("key", yamlText{is: isList})
	}
	inc.putList("key", f.Key)
	inc.putText("title", f.Title)
	y.put("incident", inc)
	y.putText("suppress", f.Suppress)
	if f.Clear != nil {
		clear := yamlText{is: isMap}
		clear.putText("after", f.Clear.After)
		if f.Clear.Sub != nil {
			f.Clear.Sub.into(&clear)
		}
		y.put("clear", clear)
	}
	if len(f.WatchList) > 0 {
		list := yamlText{is: isList, block: true}
		for _, w := range f.WatchList {
			var one yamlText
			one.putText("name", w.Name)
			one.putText("value", w.Value)
			one.putText("ttl", w.TTL)
			list.list = append(list.list, one)
		}
		y.put("watchlist", list)
	}
	if len(f.Exceptions) > 0 {
		list := yamlText{is: isList, block: true}
		for i := range f.Exceptions {
			var one yamlText
			one.putText("reason", f.Exceptions[i].Reason)
			one.put("where", f.Exceptions[i].Where.yaml())
			list.list = append(list.list, one)
		}
		y.put("exceptions", list)
	}
	if f.MaxKeys != "" {
		var limits yamlText
		limits.put("max_keys", valueOf(f.MaxKeys))
		y.put("limits", limits)
	}
}

// tests writes the inline tests, which a form has as text.
func (f *Form) tests(y *yamlText) error {
	if strings.TrimSpace(f.Tests) == "" {
		return nil
	}
	root, err := parseYAML("tests", []byte(f.Tests))
	if err != nil {
		return err
	}
	r := &reader{file: "tests"}
	tests := r.yamlOf(root)
	if r.err != nil {
		return r.err
	}
	y.put("tests", spread(tests))
	return nil
}

// spread has each test and each of its events on a line of its own.
func spread(tests yamlText) yamlText {
	tests.block = true
	for i := range tests.list {
		c := &tests.list[i]
		for j, k := range c.keys {
			c.vals[j].block = c.vals[j].block || k == "events"
		}
	}
	return tests
}

func (s *FormSub) yaml() yamlText {
	y := yamlText{is: isMap, block: true}
	s.into(&y)
	return y
}

func (s *FormSub) into(y *yamlText) {
	y.putText("title", s.Title)
	y.putText("rule", s.Rule)
	if s.Where != nil {
		y.put("where", s.Where.yaml())
	}
	y.putList("by", s.By)
	y.putText("null_key", s.NullKey)
	var having []string
	for i := range s.Having {
		having = append(having, s.Having[i].String())
	}
	y.putText("having", strings.Join(having, " and "))
	y.putText("window", s.Window)
	y.putText("windows", s.Windows)
	y.putText("gap", s.Gap)
	if b := s.Baseline; b != nil {
		base := yamlText{is: isMap}
		base.putText("slots", b.Slots)
		base.putNumber("least", b.Least)
		base.putText("peers", b.Peers)
		y.put("baseline", base)
	}
	if f := s.FirstSeen; f != nil {
		first := yamlText{is: isMap}
		first.putList("fields", f.Fields)
		first.putText("within", f.Within)
		first.putText("learn", f.Learn)
		y.put("first_seen", first)
	}
	if s.Code != "" {
		y.put("code", truth(s.Code))
	}
}

// truth writes true and false as they are.
func truth(s string) yamlText { return yamlText{text: s, bare: s == "true" || s == "false"} }

func (h *FormHaving) String() string {
	args := strings.Join(h.Fields, ", ")
	if h.Rank != "" {
		args += ", " + h.Rank
	}
	return fmt.Sprintf("%s(%s) %s %s", h.Func, args, h.Op, h.Threshold)
}

// yaml writes a selection: all as a mapping, any as a list of them.
func (g *FormGroup) yaml() yamlText {
	if g.Any {
		y := yamlText{is: isList}
		for i := range g.Rows {
			y.list = append(y.list, g.Rows[i].alone())
		}
		return y
	}
	y := yamlText{is: isMap}
	from, to := g.apart()
	for i := range g.Rows {
		row := &g.Rows[i]
		if i >= from && i < to {
			if i == from {
				y.put("all", yamlText{is: isList})
			}
			last := &y.vals[len(y.vals)-1]
			last.list = append(last.list, row.alone())
			continue
		}
		y.put(row.key(), row.value())
	}
	return y
}

// apart returns the rows from the first to the last that cannot be a line of one mapping and go into a list under all:
// selections that must all hold, and what has a key that is there already.
func (g *FormGroup) apart() (from, to int) {
	seen := map[string]bool{}
	from = len(g.Rows)
	for i := range g.Rows {
		key := g.Rows[i].key()
		if key == "all" || seen[key] {
			from, to = min(from, i), i+1
		}
		seen[key] = true
	}
	return from, to
}

// key is what a row is called in a mapping.
func (r *FormRow) key() string {
	switch {
	case r.Group == nil:
		return strings.Join(append([]string{r.Field}, r.Modifiers...), "|")
	case r.Not:
		return "not"
	case r.Group.Any:
		return "any"
	}
	return "all"
}

func (r *FormRow) value() yamlText {
	if r.Group != nil {
		return r.Group.yaml()
	}
	y := yamlText{is: isList}
	for _, v := range r.Values {
		if v == nil {
			y.list = append(y.list, yamlText{null: true})
		} else if len(r.Modifiers) > 0 && r.Modifiers[0] == "exists" {
			y.list = append(y.list, truth(*v))
		} else {
			y.list = append(y.list, valueOf(*v))
		}
	}
	if len(y.list) == 1 {
		return y.list[0]
	}
	return y
}

// alone writes a row as a selection of its own.
func (r *FormRow) alone() yamlText {
	if r.Group != nil && !r.Not {
		return r.Group.yaml()
	}
	var y yamlText
	y.put(r.key(), r.value())
	return y
}

// String writes an expression.
func (x *FormExpr) String() string {
	if x.Op == "" {
		return x.Sub
	}
	var b strings.Builder
	for i := range x.Of {
		if i > 0 {
			b.WriteString(" " + x.Op + " ")
		}
		of := &x.Of[i]
		if x.open(of, i) {
			b.WriteString(of.String())
		} else {
			b.WriteString("(" + of.String() + ")")
		}
	}
	switch {
	case x.Op == "span":
		return b.String() + " span " + x.Within
	case x.Within != "":
		return b.String() + " within " + x.Within
	}
	return b.String()
}

// open reports whether an operand needs no parentheses.
func (x *FormExpr) open(of *FormExpr, i int) bool {
	edge := of.Op == "->" || of.Op == "!->"
	switch {
	case x.Op == "span":
		return false
	case of.Op == "", of.Op == "span":
		return true
	case x.Op == "or":
		return of.Op != "or"
	case x.Op == "->" || x.Op == "!->":
		return edge && i == 0
	case edge:
		return true
	}
	return i == 0 && x.Op != "and" && of.Op != "or"
}
