package rule

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/vedette-siem/vedette/storage"
)

// Sigma is a detection rule of the Sigma specification 2.1.0, as its author wrote it: fields have the names of the log
// source. Lower makes a Rule of it.
type Sigma struct {
	ID, Name, Title, Status, Description, Author, License, Date string

	Severity       storage.Severity
	Techniques     []string // ATT&CK
	Tags           []string
	FalsePositives []string
	References     []string
	Source         LogSource
	Where          Pred
	File           string
	Line           int // where the document begins
}

// LogSource says of which events a rule speaks; "" for any.
type LogSource struct{ Category, Product, Service string }

func (l LogSource) String() string {
	var parts []string
	for _, p := range [...][2]string{{"product", l.Product}, {"category", l.Category}, {"service", l.Service}} {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+p[1])
		}
	}
	return strings.Join(parts, ", ")
}

// SigmaConfig is what a site adds to Sigma rules. The zero value adds nothing.
type SigmaConfig struct {
	Placeholders map[string][]string // values of %name% under the modifier expand
}

// ParseSigma reads the documents of a Sigma file. Faults are *Error with file, line, column and hint.
func ParseSigma(file string, src []byte, cfg SigmaConfig) ([]*Sigma, error) {
	docs, err := parseAll(file, src, MaxSigmaBytes)
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, &Error{File: file, Line: 1, Col: 1, Msg: "no document"}
	}
	var out []*Sigma
	for _, root := range docs {
		d := &sigmaDocument{reader: reader{file: file, placeholders: cfg.Placeholders}, rule: &Sigma{File: file}, at: map[string]entry{}}
		d.read(root)
		if d.err != nil {
			return nil, d.err
		}
		out = append(out, d.rule)
	}
	return out, nil
}

// sigmaDocument is a rule being read.
type sigmaDocument struct {
	reader
	rule *Sigma
	at   map[string]entry // top-level entries
}

func (d *sigmaDocument) read(root ast.Node) {
	for _, e := range d.mapping(root, "Sigma rule", nil) { // further keys are allowed
		d.at[e.key] = e
	}
	if d.err != nil {
		return
	}
	d.rule.Line = root.GetToken().Position.Line
	for _, key := range [...]string{"correlation", "filter"} {
		if e, ok := d.at[key]; ok {
			d.lacking(e.node, "Sigma %s documents", key)
		}
	}
	for _, key := range [...]string{"title", "logsource", "detection"} {
		if _, ok := d.at[key]; !ok {
			d.fail(root, "", "Sigma rule: %s is missing", key)
		}
	}
	if d.err != nil {
		return
	}
	d.head()
	d.source()
	d.detection()
}

// optional returns the text of a key, "" when it is not there or null.
func (d *sigmaDocument) optional(key string) string {
	e, ok := d.at[key]
	if !ok {
		return ""
	}
	text, _ := d.scalar(e.val, key)
	return strings.TrimSpace(text)
}

// some returns the texts of a list or a single value.
func (d *sigmaDocument) some(key string) []string {
	e, ok := d.at[key]
	if !ok {
		return nil
	}
	if _, null := e.val.(*ast.NullNode); null {
		return nil
	}
	return d.texts(e.val, key)
}

func (d *sigmaDocument) head() {
	r := d.rule
	r.Title = d.text(d.at["title"].val, "title")
	r.ID, r.Name, r.Status = strings.ToLower(d.optional("id")), d.optional("name"), d.optional("status")
	r.Description, r.Author, r.License = d.optional("description"), d.optional("author"), d.optional("license")
	if r.Date = d.optional("modified"); r.Date == "" {
		r.Date = d.optional("date")
	}
	if r.ID == "" {
		r.ID = r.Name
	}
	if !idForm.MatchString(r.ID) {
		d.fail(d.at["title"].node, "a random UUID", "Sigma rule %q: id %q", r.Title, r.ID)
	}
	r.Severity = storage.Medium
	if level := d.optional("level"); level != "" {
		sev, err := storage.ParseSeverity(level)
		if err != nil {
			d.fail(d.at["level"].val, "", "%v", err)
		}
		r.Severity = sev
	}
	r.Tags, r.FalsePositives, r.References = d.some("tags"), d.some("falsepositives"), d.some("references")
	for _, tag := range r.Tags {
		if id, ok := strings.CutPrefix(strings.ToLower(tag), "attack."); ok {
			if id = strings.ToUpper(id); techniqueForm.MatchString(id) {
				r.Techniques = append(r.Techniques, id)
			}
		}
	}
}

func (d *sigmaDocument) source() {
	e := d.at["logsource"]
	for _, x := range d.mapping(e.val, "logsource", nil) {
		var to *string
		switch x.key {
		case "category":
			to = &d.rule.Source.Category
		case "product":
			to = &d.rule.Source.Product
		case "service":
			to = &d.rule.Source.Service
		default: // a definition is for people
			continue
		}
		text, _ := d.scalar(x.val, x.key)
		*to = strings.ToLower(text)
	}
	if d.err == nil && d.rule.Source == (LogSource{}) {
		d.fail(e.val, "category, product or service", "logsource: empty")
	}
}

// detection reads the search identifiers and the condition over them.
func (d *sigmaDocument) detection() {
	var names []string
	searches := map[string]Pred{}
	var condition ast.Node
	for _, e := range d.mapping(d.at["detection"].val, "detection", nil) {
		switch e.key {
		case "condition":
			condition = e.val
		case "timeframe":
			d.fail(e.node, "write a correlation rule", "detection: a timeframe belongs to aggregations of Sigma 1, which correlations have replaced")
		default:
			names = append(names, e.key)
			searches[e.key] = d.search(e.val, e.key, 0)
		}
	}
	if condition == nil {
		d.fail(d.at["detection"].val, "", "detection: condition is missing")
	}
	if d.err != nil {
		return
	}
	var any AnyOf
	conditions := []ast.Node{condition}
	if _, ok := condition.(*ast.SequenceNode); ok {
		conditions = d.list(condition, "condition")
	}
	for _, n := range conditions {
		p, err := parseCondition(d.text(n, "condition"), names, searches)
		if err != nil {
			d.fail(n, "", "condition: %v", err)
			return
		}
		any = append(any, p)
	}
	if d.rule.Where = any; len(any) == 1 {
		d.rule.Where = any[0]
	}
	values := 0 // a search that the condition names often is written out as often
	eachTest(d.rule.Where, func(t *Test) { values += 1 + len(t.Patterns) + len(t.Regexps) + len(t.Nets) + len(t.Number) })
	if values > MaxSigmaValues {
		d.fail(condition, "name each search identifier once", "condition: it comes to %d values, the limit is %d", values, MaxSigmaValues)
	}
}

// search reads a search identifier: a mapping of tests that must all hold, a list of such mappings or of keywords, of
// which one must, or one keyword.
func (d *sigmaDocument) search(n ast.Node, what string, depth int) Pred {
	if depth > MaxNestingDepth {
		d.fail(n, "", "%s: nested deeper than %d", what, MaxNestingDepth)
		return nil
	}
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		var all AllOf
		for _, e := range d.mapping(n, what, nil) {
			field, modifiers, _ := strings.Cut(e.key, "|")
			if len(field) > storage.MaxFieldNameBytes {
				d.fail(e.node, "", "%s: a field's name of %d bytes, the limit is %d", what, len(field), storage.MaxFieldNameBytes)
				return nil
			}
			all = append(all, d.item(e, field, modifiers))
		}
		return all
	case *ast.SequenceNode:
		var any AnyOf
		var words []ast.Node
		for _, v := range n.Values {
			switch v.(type) {
			case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
				any = append(any, d.search(v, what, depth+1))
			default:
				words = append(words, v)
			}
		}
		for _, w := range words {
			any = append(any, d.item(entry{key: what, node: n, val: w}, "", ""))
		}
		if len(any) == 0 {
			d.fail(n, "", "%s: empty list", what)
		}
		return any
	}
	return d.item(entry{key: what, node: n, val: n}, "", "")
}

// Lower makes a rule of a Sigma rule under a mapping, which says what its log source and its fields are called here. The
// error wraps ErrLogSource when the mapping knows nothing of the log source.
func (s *Sigma) Lower(m *Mapping) (*Rule, error) {
	alternatives, err := m.of(s.Source)
	if err != nil {
		return nil, &Error{File: s.File, Line: s.Line, Col: 1, Msg: fmt.Sprintf("%s: %v", s.Title, err), kind: ErrLogSource}
	}
	var any AnyOf
	for _, u := range alternatives {
		any = append(any, append(u.where(), lowering{u, m.Unknown}.pred(s.Where, true)))
	}
	match := &Match{Where: any}
	if len(any) == 1 {
		match.Where = any[0]
	}
	return &Rule{
		ID: s.ID, Name: s.Title, Version: version(s.Date), Description: s.Description, Severity: s.Severity, Techniques: s.Techniques,
		FalsePositives: s.FalsePositives, References: s.References, Lateness: DefaultLateness, File: s.File,
		Subs: []Sub{{Name: "match", Match: match}},
		Root: &Emit{Of: match, Incident: &Incident{Key: m.Key, Title: Title{{Text: s.Title}}}},
	}, nil
}

// version makes a semantic version of a date such as 2024-03-07 or 2024/03/07, which Sigma has in its place.
func version(date string) string {
	parts := strings.FieldsFunc(date, func(r rune) bool { return r == '-' || r == '/' })
	for i, p := range parts {
		if parts[i] = strings.TrimLeft(p, "0"); parts[i] == "" || strings.Trim(p, "0123456789") != "" {
			return "1.0.0"
		}
	}
	if len(parts) != 3 {
		return "1.0.0"
	}
	return strings.Join(parts, ".")
}
