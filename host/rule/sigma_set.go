package rule

import (
	"fmt"
	"strings"
)

// sigmaSet is Sigma documents that may name each other.
type sigmaSet struct {
	names        *Mapping
	entries      []*sigmaEntry // rules and correlations, in order
	rules        []*Sigma
	correlations []*sigmaEntry
	filters      []*sigmaFilter
	byID         map[string]*sigmaEntry
	byName       map[string][]*sigmaEntry
}

// sigmaEntry is a rule or a correlation of a set.
type sigmaEntry struct {
	rule        *Sigma
	correlation *correlation

	named    bool // a correlation names it
	generate bool // one that wants it to raise incidents of its own does
	inner    bool // one lives on its firings
	of       []*sigmaEntry
	depth    int // of a correlation, in correlations
	lowered  *Rule
	progress progress
}

// progress of a walk over correlations, to find circles.
type progress uint8

const (
	unseen progress = iota
	begun
	done
)

func (e *sigmaEntry) head() *SigmaHead {
	if e.rule != nil {
		return &e.rule.SigmaHead
	}
	return &e.correlation.SigmaHead
}

// is reports whether a reference is to the document.
func (h *SigmaHead) is(ref string) bool { return ref == h.Name || strings.EqualFold(ref, h.ID) }

// read adds a document to the set; what is wrong with it is in d.err.
func (set *sigmaSet) read(d *sigmaDocument) {
	_, correlates := d.at["correlation"]
	_, filters := d.at["filter"]
	switch {
	case d.err != nil:
	case correlates:
		if c := d.correlation(); d.err == nil {
			set.add(d, &sigmaEntry{correlation: c})
		}
	case filters:
		if f := d.filter(); d.err == nil {
			set.filters = append(set.filters, f)
		}
	default:
		if s := d.rule(); d.err == nil {
			set.add(d, &sigmaEntry{rule: s})
		}
	}
}

func (set *sigmaSet) add(d *sigmaDocument, e *sigmaEntry) {
	h := e.head()
	if set.byID == nil {
		set.byID, set.byName = map[string]*sigmaEntry{}, map[string][]*sigmaEntry{}
	}
	for n, id := 2, h.ID; h.made && set.byID[h.ID] != nil; n++ {
		h.ID = fmt.Sprintf("%.120s-%d", id, n)
	}
	if twin := set.byID[h.ID]; twin != nil {
		d.fail(d.root, "", "%s %q: its id %s is that of %s:%d", d.what, h.Title, h.ID, twin.head().File, twin.head().Line)
		return
	}
	set.byID[h.ID] = e
	if h.Name != "" {
		set.byName[h.Name] = append(set.byName[h.Name], e)
	}
	set.entries = append(set.entries, e)
	if e.rule != nil {
		set.rules = append(set.rules, e.rule)
	} else {
		set.correlations = append(set.correlations, e)
	}
}

// find returns the rule that a document names; when there is none, the document has a fault.
func (set *sigmaSet) find(d *sigmaDocument, ref reference) *sigmaEntry {
	if e := set.byID[strings.ToLower(ref.text)]; e != nil {
		return e
	}
	switch all := set.byName[ref.text]; len(all) {
	case 0:
		d.fail(ref.node, "it must be read together with this document", "%s: rules: no rule has the id or name %q", d.title(), ref.text)
	case 1:
		return all[0]
	default:
		d.fail(ref.node, "name it by its id", "%s: rules: %d rules are called %q", d.title(), len(all), ref.text)
	}
	return nil
}

// title names a document in its faults.
func (d *sigmaDocument) title() string {
	text, _ := d.scalar(d.at["title"].val, "title")
	return fmt.Sprintf("%s %q", d.what, text)
}

// lower makes rules of the set: of correlations, and of what no correlation names, or one that generates.
func (set *sigmaSet) lower() (rules []*Rule, refused []error) {
	for _, f := range set.filters {
		if f.apply(set); f.doc.err != nil {
			refused = append(refused, f.doc.err)
		}
	}
	for _, e := range set.correlations {
		set.resolve(e)
	}
	for _, e := range set.correlations {
		set.order(e)
	}
	for _, e := range set.correlations {
		if e.correlation.doc.err == nil {
			e.lowered = set.correlate(e)
		}
	}
	for _, e := range set.correlations {
		if err := e.correlation.doc.err; err != nil {
			refused, e.lowered = append(refused, err), nil
		}
	}
	for _, e := range set.entries {
		switch {
		case e.rule != nil && (!e.named || e.generate):
			r, err := e.rule.Lower(set.names)
			if err != nil {
				refused = append(refused, err)
				continue
			}
			rules = append(rules, r)
		case e.lowered != nil && (!e.named || e.generate || e.inner):
			e.lowered.Inner = e.named && !e.generate
			rules = append(rules, e.lowered)
		}
	}
	return rules, refused
}

// resolve finds the rules that a correlation names.
func (set *sigmaSet) resolve(e *sigmaEntry) {
	c := e.correlation
	for _, ref := range c.rules {
		of := set.find(c.doc, ref)
		if of == nil {
			return
		}
		of.named = true
		of.generate = of.generate || c.generate
		e.of = append(e.of, of)
	}
	e.checkAliases()
}

// order refuses circles of correlations, and more than maxCorrelations of them upon one another.
func (set *sigmaSet) order(e *sigmaEntry) {
	if e.rule != nil || e.progress == done {
		return
	}
	e.progress, e.depth = begun, 1
	d := e.correlation.doc
	for i, of := range e.of {
		at := e.correlation.rules[i].node
		if of.progress == begun {
			d.fail(at, "", "%s: rules: a circle: %q leads back to it", d.title(), of.head().Title)
			break
		}
		if set.order(of); of.correlation != nil && of.correlation.doc.err != nil {
			d.fail(at, "", "%s: rules: %q has a fault of its own", d.title(), of.head().Title)
		}
		if e.depth = max(e.depth, of.depth+1); e.depth > maxCorrelations {
			d.fail(at, "", "%s: rules: more than %d correlations upon one another", d.title(), maxCorrelations)
		}
	}
	e.progress = done
}
