package rule

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// sigmaFilter is a filter document: a condition that the rules it names have in addition.
type sigmaFilter struct {
	SigmaHead
	doc    *sigmaDocument
	source LogSource
	rules  []reference
	any    bool // all rules of the source
	where  Pred
}

// reference is a rule that a document names, by id or by name.
type reference struct {
	text string
	node ast.Node
}

// references reads a list of rules, or one.
func (d *sigmaDocument) references(n ast.Node) (out []reference) {
	nodes := []ast.Node{n}
	if _, ok := n.(*ast.SequenceNode); ok {
		nodes = d.list(n, "rules")
	}
	seen := map[string]bool{}
	for _, n := range nodes {
		text := d.text(n, "rules")
		if seen[text] {
			d.fail(n, "", "%s: rules: %q is given twice", d.what, text)
		}
		seen[text] = true
		out = append(out, reference{text, n})
	}
	return out
}

// filter reads a filter document.
func (d *sigmaDocument) filter() *sigmaFilter {
	d.what = "Sigma filter"
	f := &sigmaFilter{SigmaHead: d.head("logsource", "filter"), doc: d}
	if d.err != nil {
		return nil
	}
	f.source = d.source()
	at := d.at["filter"]
	f.where = d.detection(at, []string{"rules"})
	for _, e := range d.mapping(at.val, "filter", nil) {
		if e.key == "rules" {
			f.rules = d.references(e.val)
		}
	}
	if len(f.rules) == 1 {
		word := strings.ToLower(f.rules[0].text)
		f.any = word == "any" || word == "all"
	}
	if len(f.rules) == 0 {
		d.fail(at.node, "ids or names of rules, or any", "%s %q: rules is missing", d.what, f.Title)
	}
	return f
}

// apply adds the filter's condition to its rules.
func (f *sigmaFilter) apply(set *sigmaSet) {
	if f.any {
		for _, s := range set.rules {
			if f.source.has(s.Source) {
				s.Where = AllOf{s.Where, f.where}
			}
		}
		return
	}
	for _, ref := range f.rules {
		found := set.find(f.doc, ref)
		if found == nil {
			return
		}
		s := found.rule
		switch {
		case s == nil:
			f.doc.fail(ref.node, "name the rules that it counts", "%s %q: rules: %q is a correlation, and filters are for detection rules", f.doc.what, f.Title, ref.text)
		case !f.source.has(s.Source):
			f.doc.fail(ref.node, "", "%s %q: rules: %q looks at %s, the filter at %s", f.doc.what, f.Title, ref.text, s.Source, f.source)
		default:
			s.Where = AllOf{s.Where, f.where}
		}
	}
}
