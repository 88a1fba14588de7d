package rule

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/vedette-siem/vedette/storage"
)

// Sigma is a detection rule of the Sigma specification 2.1.0, as its author wrote it: fields have the names of the log
// source. Lower makes a Rule of it.
type Sigma struct {
	SigmaHead
	Source LogSource
	Where  Pred
}

// SigmaHead is what all Sigma documents say of themselves.
type SigmaHead struct {
	ID, Name, Title, Status, Description, Author, License, Date string

	Taxonomy       string           // whose names its fields have: "ecs", or Sigma's own
	Severity       storage.Severity // medium when the document has no level
	Techniques     []string         // ATT&CK
	Tags           []string
	FalsePositives []string
	References     []string
	File           string
	Line           int // where the document begins

	level bool // the document has one
	made  bool // the id was made of the name or the title
}

// LogSource says of which events a rule speaks; "" for any.
type LogSource struct{ Category, Product, Service string }

// has reports whether the words of l say the same of a source, as far as l names them.
func (l LogSource) has(source LogSource) bool {
	return (l.Category == "" || l.Category == source.Category) && (l.Product == "" || l.Product == source.Product) &&
		(l.Service == "" || l.Service == source.Service)
}

func (l LogSource) String() string {
	var parts []string
	for _, p := range [...][2]string{{"product", l.Product}, {"category", l.Category}, {"service", l.Service}} {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+p[1])
		}
	}
	return strings.Join(parts, ", ")
}

// ParseSigma reads the detection rules of a Sigma file; documents of other kinds are refused, ParseDocuments reads those
// too. Faults are *Error with file, line, column and hint.
func ParseSigma(file string, src []byte, o Options) ([]*Sigma, error) {
	docs, err := parseAll(file, src, MaxSigmaBytes)
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, &Error{File: file, Line: 1, Col: 1, Msg: "no document"}
	}
	var out []*Sigma
	for _, root := range docs {
		d := newSigmaDocument(file, root, o)
		for _, key := range [...]string{"correlation", "filter"} {
			if e, ok := d.at[key]; ok {
				d.fail(e.node, "", "a Sigma %s stands where a detection rule was expected", key)
			}
		}
		s := d.rule()
		if d.err != nil {
			return nil, d.err
		}
		out = append(out, s)
	}
	return out, nil
}

// sigmaDocument is a Sigma document being read, of any kind.
type sigmaDocument struct {
	reader
	root ast.Node
	what string           // "Sigma rule", "Sigma correlation" or "Sigma filter"
	at   map[string]entry // top-level entries
}

func newSigmaDocument(file string, root ast.Node, o Options) *sigmaDocument {
	d := &sigmaDocument{reader: reader{file: file, placeholders: o.Placeholders}, root: root, what: "Sigma rule", at: map[string]entry{}}
	for _, e := range d.mapping(root, d.what, nil) { // further keys are allowed
		d.at[e.key] = e
	}
	if e, ok := d.at["action"]; ok {
		d.fail(e.node, "write out each rule", "%s: action belongs to Sigma 1, whose documents complete each other", d.what)
	}
	return d
}

// rule reads a detection rule.
func (d *sigmaDocument) rule() *Sigma {
	s := &Sigma{SigmaHead: d.head("logsource", "detection")}
	if d.err != nil {
		return nil
	}
	s.Source = d.source()
	s.Where = d.detection(d.at["detection"], nil)
	return s
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

// some returns the texts of a list or a single value; what is empty among them says nothing, and a text with a colon, which
// YAML takes for a mapping, is still a text.
func (d *sigmaDocument) some(key string) (out []string) {
	e, ok := d.at[key]
	if !ok {
		return nil
	}
	values := []ast.Node{e.val}
	if list, ok := e.val.(*ast.SequenceNode); ok {
		values = list.Values
	}
	for _, v := range values {
		var text string
		switch v.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
			text = strings.TrimSpace(v.String())
		default:
			text, _ = d.scalar(v, key)
		}
		if strings.TrimSpace(text) != "" {
			out = append(out, text)
		}
	}
	return out
}

// head reads what the document says of itself. The title and the keys of its kind must be there.
func (d *sigmaDocument) head(needed ...string) (h SigmaHead) {
	for _, key := range append([]string{"title"}, needed...) {
		if _, ok := d.at[key]; !ok {
			d.fail(d.root, "", "%s: %s is missing", d.what, key)
		}
	}
	if d.err != nil {
		return h
	}
	h.File, h.Line, h.Severity = d.file, d.root.GetToken().Position.Line, storage.Medium
	h.Title = d.text(d.at["title"].val, "title")
	h.ID, h.Name, h.Status = strings.ToLower(d.optional("id")), d.optional("name"), d.optional("status")
	h.Description, h.Author, h.License = d.optional("description"), strings.Join(d.some("author"), ", "), d.optional("license")
	if h.Date = d.optional("modified"); h.Date == "" {
		h.Date = d.optional("date")
	}
	if h.ID == "" { // the specification asks for none
		h.made = true
		if h.ID = slug(h.Name); h.ID == "" {
			h.ID = slug(h.Title)
		}
		if h.ID == "" { // none of its letters is of an id
			sum := sha256.Sum256([]byte(h.Title))
			h.ID = "sigma-" + hex.EncodeToString(sum[:8])
		}
	}
	if !idForm.MatchString(h.ID) {
		d.fail(d.at["title"].node, "a random UUID", "%s %q: id %q", d.what, h.Title, h.ID)
	}
	if h.Taxonomy = d.optional("taxonomy"); h.Taxonomy != "" && h.Taxonomy != "sigma" && h.Taxonomy != taxonomyECS {
		d.fail(d.at["taxonomy"].val, "sigma or ecs", "%s %q: taxonomy %q", d.what, h.Title, h.Taxonomy)
	}
	if level := d.optional("level"); level != "" {
		sev, err := storage.ParseSeverity(strings.ToLower(level))
		if err != nil {
			d.fail(d.at["level"].val, "", "%v", err)
		}
		h.Severity, h.level = sev, true
	}
	h.Tags, h.FalsePositives, h.References = d.some("tags"), d.some("falsepositives"), d.some("references")
	for _, tag := range h.Tags {
		if id, ok := strings.CutPrefix(strings.ToLower(tag), "attack."); ok {
			if id = strings.ToUpper(id); techniqueForm.MatchString(id) {
				h.Techniques = append(h.Techniques, id)
			}
		}
	}
	return h
}

// slug makes an id of a name or a title: its letters and digits, joined by dashes.
func slug(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '.' && r != '-'
	})
	id := strings.TrimLeft(strings.Join(words, "-"), "._-")
	return id[:min(len(id), 128)]
}

func (d *sigmaDocument) source() (l LogSource) {
	e := d.at["logsource"]
	for _, x := range d.mapping(e.val, "logsource", nil) {
		var to *string
		switch x.key {
		case "category":
			to = &l.Category
		case "product":
			to = &l.Product
		case "service":
			to = &l.Service
		default: // a definition is for people
			continue
		}
		text, _ := d.scalar(x.val, x.key)
		*to = strings.ToLower(text)
	}
	if d.err == nil && l == (LogSource{}) {
		d.fail(e.val, "category, product or service", "logsource: empty")
	}
	return l
}

// detection reads search identifiers and the condition over them. Keys among skip are neither.
func (d *sigmaDocument) detection(at entry, skip []string) Pred {
	var names []string
	searches := map[string]Pred{}
	var condition ast.Node
	for _, e := range d.mapping(at.val, at.key, nil) {
		switch {
		case contains(skip, e.key):
		case e.key == "condition":
			condition = e.val
		case e.key == "timeframe":
			d.fail(e.node, "write a correlation rule", "%s: a timeframe belongs to aggregations of Sigma 1, which correlations have replaced", at.key)
		default:
			names = append(names, e.key)
			searches[e.key] = d.search(e.val, e.key, 0)
		}
	}
	if condition == nil {
		d.fail(at.val, "", "%s: condition is missing", at.key)
	}
	if d.err != nil {
		return nil
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
			return nil
		}
		any = append(any, p)
	}
	values := 0 // a search that the condition names often is written out as often
	eachTest(any, func(t *Test) { values += 1 + len(t.Patterns) + len(t.Regexps) + len(t.Nets) + len(t.Number) })
	if values > MaxSigmaValues {
		d.fail(condition, "name each search identifier once", "condition: it comes to %d values, the limit is %d", values, MaxSigmaValues)
	}
	if len(any) == 1 {
		return any[0]
	}
	return any
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
	alternatives, err := m.of(s.Source, s.Taxonomy)
	if err != nil {
		return nil, &Error{
			File: s.File, Line: s.Line, Col: 1, Msg: fmt.Sprintf("%s: %v", s.Title, err), kind: ErrLogSource,
			Hint: "write it as a pattern with where: {event.dataset: …}",
		}
	}
	var any AnyOf
	for _, u := range alternatives {
		any = append(any, s.where(m, u))
	}
	match := &Match{Where: any}
	if len(any) == 1 {
		match.Where = any[0]
	}
	r := s.lowered()
	r.DataSources = []string{s.Source.String()}
	r.Subs = []Sub{{Name: "match", Match: match}}
	r.Root = &Emit{Of: match, Incident: &Incident{Key: m.Key, Title: Title{{Text: s.Title}}}}
	if !m.Unknown { // otherwise fields keep the names of their source
		r.Unmapped = s.unmapped(alternatives)
	}
	return r, nil
}

// where is the rule's condition for one of the alternatives of its log source.
func (s *Sigma) where(m *Mapping, u under) Pred {
	return append(u.where(), lowering{u, m.Unknown}.pred(s.Where, true))
}

// lowered is a rule of the same words, without patterns.
func (h *SigmaHead) lowered() *Rule {
	return &Rule{
		ID: h.ID, Name: h.Title, Version: version(h.Date), Description: h.Description, Severity: h.Severity, Techniques: h.Techniques,
		FalsePositives: h.FalsePositives, References: h.References, Author: h.Author, License: h.License, Language: SigmaLanguage,
		Lateness: DefaultLateness, File: h.File,
	}
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
