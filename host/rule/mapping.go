package rule

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// ErrLogSource marks a Sigma rule whose log source a mapping does not know.
var ErrLogSource = errors.New("unknown log source")

// Mapping says how the events of Sigma's log sources look here.
type Mapping struct {
	Name    string
	Key     []string // fields that make a case of the matches of one rule
	Unknown bool     // a test of a field that the event lacks is neither true nor false, nor is its negation; otherwise it is false
	Sources []Source
}

// Source is a log source, what its events have in common, and what their fields are called. Several entries with the same
// words are alternatives: the same thing told by different logs.
type Source struct {
	LogSource
	Where  Pred
	Fields map[string][]string // Sigma's name -> ours, of which one has the value
	Prefix string              // of fields that are not among Fields; "" when they are not known
	Closed bool                // its events have no other fields, so that nothing can be told of them
}

//go:embed mappings
var mappings embed.FS

// Native is the mapping for events with the field names of their log source, such as Windows' own.
func Native() (*Mapping, error) { return shippedMapping("native.yaml") }

// ECS is the mapping for events as the shipped parsers make them.
func ECS() (*Mapping, error) { return shippedMapping("ecs.yaml", "ecs") }

// shippedMapping reads a mapping, and further sources from the files of a folder.
func shippedMapping(file string, folders ...string) (*Mapping, error) {
	files := []string{"mappings/" + file}
	for _, folder := range folders {
		more, err := fs.Glob(mappings, path.Join("mappings", folder, "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("shipped mappings: %w", err)
		}
		files = append(files, more...)
	}
	var m *Mapping
	for _, file := range files {
		src, err := mappings.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("shipped mappings: %w", err)
		}
		part, err := ParseMapping(file, src)
		if err != nil {
			return nil, err
		}
		if m == nil {
			m = part
		} else {
			m.Sources = append(m.Sources, part.Sources...)
		}
	}
	return m, nil
}

// ParseMapping reads a mapping. Faults are *Error with file, line, column and hint.
func ParseMapping(file string, src []byte) (*Mapping, error) {
	root, err := parseYAML(file, src)
	if err != nil {
		return nil, err
	}
	r := &reader{file: file}
	m := &Mapping{}
	for _, e := range r.mapping(root, "mapping", []string{"name", "key", "missing", "sources"}) {
		switch e.key {
		case "name":
			m.Name = r.text(e.val, "name")
		case "missing":
			text := r.text(e.val, "missing")
			if m.Unknown = text == "unknown"; !m.Unknown && text != "false" {
				r.fail(e.val, "unknown or false", "missing: %q", text)
			}
		case "key":
			m.Key = r.texts(e.val, "key")
		case "sources":
			for _, v := range r.list(e.val, "sources") {
				m.Sources = append(m.Sources, r.logSource(v))
			}
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}

func (r *reader) logSource(n ast.Node) (s Source) {
	for _, e := range r.mapping(n, "source", []string{"category", "product", "service", "where", "fields", "prefix", "closed"}) {
		switch e.key {
		case "where":
			s.Where = r.selection(e.val, "where", 0)
		case "fields":
			s.Fields = map[string][]string{}
			for _, f := range r.mapping(e.val, "fields", nil) {
				s.Fields[f.key] = r.texts(f.val, f.key)
			}
		case "closed":
			s.Closed = r.text(e.val, e.key) == "true"
		case "prefix":
			s.Prefix = r.text(e.val, e.key)
		case "category":
			s.Category = r.text(e.val, e.key)
		case "product":
			s.Product = r.text(e.val, e.key)
		case "service":
			s.Service = r.text(e.val, e.key)
		}
	}
	if s.Where == nil || s.LogSource == (LogSource{}) {
		r.fail(n, "", "source: category, product or service, and where, must be there")
	}
	return s
}

// under is what a mapping says of one log source: an entry for each of its words, from product to service.
type under []*Source

// taxonomyECS is the taxonomy of documents whose fields have our names already.
const taxonomyECS = "ecs"

// of returns the alternatives for a log source, of each of its words the most exact entries. Fields of the taxonomy ecs
// keep their names.
func (m *Mapping) of(l LogSource, taxonomy string) ([]under, error) {
	all, err := m.alternatives(l)
	if taxonomy != taxonomyECS {
		return all, err
	}
	for _, u := range all {
		for i, s := range u {
			u[i] = &Source{LogSource: s.LogSource, Where: s.Where}
		}
	}
	return all, err
}

func (m *Mapping) alternatives(l LogSource) ([]under, error) {
	var best [3][]*Source // by the last word that an entry has: product, category or service
	for i := range m.Sources {
		s := &m.Sources[i]
		if s.Category != "" && s.Category != l.Category || s.Product != "" && s.Product != l.Product || s.Service != "" && s.Service != l.Service {
			continue
		}
		word := 0
		switch {
		case s.Category != "":
			word = 1
		case s.Service != "":
			word = 2
		}
		switch b := best[word]; {
		case len(b) == 0 || s.exact() > b[0].exact():
			best[word] = []*Source{s}
		case s.exact() == b[0].exact():
			best[word] = append(b, s)
		}
	}
	all := []under{nil}
	for _, entries := range best {
		var next []under
		for _, u := range all {
			for _, s := range entries {
				next = append(next, append(u[:len(u):len(u)], s))
			}
		}
		if len(entries) > 0 {
			all = next
		}
	}
	if all[0] == nil {
		return nil, fmt.Errorf("mapping %s has no log source %s", m.Name, l)
	}
	return all, nil
}

// exact counts the words that an entry names.
func (l LogSource) exact() (n int) {
	for _, w := range [...]string{l.Category, l.Product, l.Service} {
		if w != "" {
			n++
		}
	}
	return n
}

// where is what holds of all events of the log source.
func (u under) where() (all AllOf) {
	for _, s := range u {
		all = append(all, s.Where)
	}
	return all
}

// names returns what a field of Sigma's is called here; false when the mapping does not say. A keyword has no field.
func (u under) names(field string) ([]string, bool) {
	for i := len(u) - 1; i >= 0; i-- {
		if to, ok := u[i].Fields[field]; ok {
			return to, true
		}
	}
	for i := len(u) - 1; i >= 0 && !u.closed(); i-- {
		if u[i].Prefix != "" && field != "" {
			return []string{u[i].Prefix + field}, true
		}
	}
	return []string{field}, field == ""
}

func (u under) closed() bool {
	return slices.ContainsFunc(u, func(s *Source) bool { return s.Closed })
}

// lowering puts a condition into the names of here.
//
// A test of a field that a closed source does not have is neither true nor false, and neither is its negation, as in
// Kleene's logic, which is SQL's: the condition holds when it is true. With unknown that goes for each event by the fields
// that it has. Negations end up at the tests.
type lowering struct {
	under
	unknown bool
}

// pred returns a condition that holds when p is want.
func (l lowering) pred(p Pred, want bool) Pred {
	switch p := p.(type) {
	case Not:
		return l.pred(p.Of, !want)
	case AllOf:
		return l.junction(p, want, want)
	case AnyOf:
		return l.junction(p, want, !want)
	case *Test:
		return l.test(p, want)
	}
	return p
}

// junction is pred for the parts of a conjunction, all true, or of a disjunction; a negated one is the other.
func (l lowering) junction(of []Pred, want, all bool) Pred {
	parts := make([]Pred, len(of))
	for i, p := range of {
		parts[i] = l.pred(p, want)
	}
	if all {
		return AllOf(parts)
	}
	return AnyOf(parts)
}

func (l lowering) test(t *Test, want bool) Pred {
	here := *t
	here.Refs = nil
	var there AllOf // that the fields are there, of which t speaks
	for _, name := range append([]string{t.Field}, t.Refs...) {
		to, known := l.names(name)
		if !known && l.closed() {
			return AnyOf{} // never
		}
		if name != "" {
			there = append(there, named(Test{Op: OpExists}, to))
		}
		if len(there) > 1 {
			here.Refs = append(here.Refs, to...)
		}
	}
	to, _ := l.names(t.Field)
	switch p := named(here, to); {
	case want:
		return p
	case l.unknown && t.Op != OpExists:
		return append(there, Not{p})
	default:
		return Not{p}
	}
}

// named is a test of fields of which one has the value.
func named(t Test, fields []string) Pred {
	var any AnyOf
	var all AllOf
	for _, name := range fields {
		here := t
		here.Field = name
		any, all = append(any, &here), append(all, &here)
	}
	switch {
	case len(fields) == 1:
		return any[0]
	case t.Op == OpExists && t.Absent: // none of them is there
		return all
	}
	return any
}

// unmapped returns the fields of a rule whose names here the mapping does not say, sorted.
func (s *Sigma) unmapped(alternatives []under) (out []string) {
	eachTest(s.Where, func(t *Test) {
		for _, name := range append([]string{t.Field}, t.Refs...) {
			if !knownTo(alternatives, name) {
				out = append(out, name)
			}
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// knownTo reports whether one of the alternatives says what a field is called here, or it is a name of ours already.
func knownTo(alternatives []under, field string) bool {
	return strings.Contains(field, ".") || slices.ContainsFunc(alternatives, func(u under) bool { _, known := u.names(field); return known })
}

func eachTest(p Pred, visit func(*Test)) {
	switch p := p.(type) {
	case AllOf:
		for _, q := range p {
			eachTest(q, visit)
		}
	case AnyOf:
		for _, q := range p {
			eachTest(q, visit)
		}
	case Not:
		eachTest(p.Of, visit)
	case *Test:
		visit(p)
	}
}
