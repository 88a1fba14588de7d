package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Arrived is what an organization's events of some time have.
type Arrived struct {
	Events uint64
	Fields map[string]uint64   // events that have each field
	Values map[string][]string // of some fields: every value that there was
}

// Listed are the fields of which every value is worth knowing: they say what sort of event it is, and have few values.
var Listed = []string{
	storage.FieldDataset, "event.module", "event.provider", "event.kind", "event.category", "event.type", "event.action", "event.code",
	"observer.vendor", "observer.product", "cloud.provider", "host.os.type",
}

// Need is something that a rule needs and that did not arrive.
type Need struct {
	Sub    string
	Field  string
	Wanted []string // one of these; empty: any value
	Text   string   // for people
}

// Missing returns what of a rule's needs did not arrive; nil when it could fire. What it returns is what stood in the way
// first, for each sub-pattern that has to occur. It takes a rule for possible where it cannot know. Only the tests that
// this depends on are prepared by the matcher (nil as in New), so that thousands of rules can be asked about at once.
func Missing(of *rule.Rule, matcher Matcher, a *Arrived) []Need {
	if matcher == nil {
		matcher = detect.Matcher
	}
	r := &reach{rule: of, matcher: matcher, arrived: a}
	if r.node(of.Root.Of) {
		return nil
	}
	return r.needs
}

type reach struct {
	rule    *rule.Rule
	matcher Matcher
	arrived *Arrived
	sub     string
	needs   []Need
}

// node reports whether what an operator says can occur.
func (r *reach) node(n rule.Node) bool {
	switch n := n.(type) {
	case *rule.Match:
		return r.match(n)
	case *rule.Aggregate:
		ok := r.match(n.Of)
		for _, m := range n.Also {
			ok = r.match(m) || ok
		}
		return ok
	case *rule.Baseline:
		return r.node(n.Of)
	case *rule.FirstSeen:
		return r.match(n.Of)
	case *rule.FollowedBy:
		a, b := r.node(n.A), r.node(n.B)
		return a && b
	case *rule.NotFollowedBy:
		return r.node(n.A)
	case *rule.AndNot:
		return r.node(n.A)
	case *rule.And:
		ok := true
		for _, x := range n.Of {
			ok = r.node(x) && ok
		}
		return ok
	case *rule.Or:
		ok := false
		for _, x := range n.Of {
			ok = r.node(x) || ok
		}
		return ok
	case *rule.Span:
		return r.node(n.Of)
	case *rule.Join:
		return r.node(n.Of)
	}
	return true
}

// match notes the first thing that a sub-pattern lacks.
func (r *reach) match(m *rule.Match) bool {
	if m.Rule != "" {
		return true
	}
	r.sub = r.rule.Subs[m.Sub].Name
	needs := r.pred(m.Where)
	if len(needs) == 0 && !m.NullKey {
		for _, f := range m.By {
			if !r.has(f) {
				needs = append(needs, r.need(&Test{Field: f}))
			}
		}
	}
	r.needs = append(r.needs, needs...)
	return len(needs) == 0
}

// pred returns what is missing for a predicate to hold; nil when it can.
func (r *reach) pred(p rule.Pred) []Need {
	switch p := p.(type) {
	case rule.AllOf:
		for _, q := range p {
			if needs := r.pred(q); needs != nil {
				return needs
			}
		}
	case rule.AnyOf:
		var all []Need
		for _, q := range p {
			needs := r.pred(q)
			if needs == nil {
				return nil
			}
			for _, n := range needs {
				if len(all) < MaxWanted && !slices.ContainsFunc(all, func(had Need) bool { return had.Text == n.Text }) {
					all = append(all, n)
				}
			}
		}
		return all
	case *rule.Test:
		if !r.possible(p) {
			t := Test{Field: p.Field, Says: says(p, false), Wanted: Wanted(p), All: p.Every}
			return []Need{r.need(&t)}
		}
	}
	return nil
}

func (r *reach) has(field string) bool {
	switch field {
	case "", rule.FieldOriginal, rule.FieldTime:
		return r.arrived.Events > 0
	}
	return r.arrived.Fields[field] > 0
}

// possible reports whether some event may have passed a test.
func (r *reach) possible(t *rule.Test) bool {
	if t.Op == rule.OpExists && t.Absent {
		return true
	}
	if !r.has(t.Field) {
		return false
	}
	values, known := r.arrived.Values[t.Field]
	if !known || t.Op == rule.OpField || t.Op == rule.OpList { // what they compare with changes by itself
		return true
	}
	match, err := r.matcher(&rule.Rule{ID: r.rule.ID, File: r.rule.File, Subs: []rule.Sub{{Match: &rule.Match{Where: t}}}})
	if err != nil {
		return true
	}
	return slices.ContainsFunc(values, func(v string) bool {
		ev := storage.Event{Fields: []storage.Field{{Name: t.Field, Value: v}}}
		if t.Field == storage.FieldDataset {
			ev = storage.Event{Stream: v}
		}
		return len(match(&ev)) > 0
	})
}

func (r *reach) need(t *Test) Need {
	n := Need{Sub: r.sub, Field: t.Field, Wanted: t.Wanted}
	if r.has(t.Field) && len(t.Wanted) > 0 {
		n.Text = fmt.Sprintf("no event was there of which %s", t.wish())
		return n
	}
	n.Wanted = nil
	if r.arrived.Events == 0 {
		n.Text = "no event came"
		return n
	}
	n.Text = fmt.Sprintf("no event had %s", t.Field)
	if what := kindOfField(t.Field); what != "" {
		n.Text = fmt.Sprintf("no %s: %s", what, n.Text)
	}
	return n
}

// kindOfField names the events that carry a field, as people call them; "" where that is not clear.
func kindOfField(field string) string {
	for _, x := range [...]struct{ prefix, name string }{
		{"dns.", "DNS logs"},
		{"process.", "process events"},
		{"registry.", "registry events"},
		{"winlog.", "Windows events"},
		{"http.", "web or proxy logs"},
		{"url.", "web or proxy logs"},
		{"email.", "e-mail logs"},
		{"tls.", "TLS logs"},
		{"file.", "file events"},
		{"dll.", "library load events"},
		{"aws.", "AWS logs"},
		{"azure.", "Azure logs"},
		{"gcp.", "Google Cloud logs"},
		{"okta.", "Okta logs"},
		{"o365.", "Microsoft 365 logs"},
		{"kubernetes.", "Kubernetes logs"},
		{"fortinet.", "FortiGate logs"},
		{"threat.", "matches of indicators"},
	} {
		if strings.HasPrefix(field, x.prefix) {
			return x.name
		}
	}
	return ""
}

// Fields returns the names of the fields that a rule looks at, in their order.
func Fields(r *rule.Rule) []string {
	var out []string
	visit(r, func(t *rule.Test) {
		if t.Field != "" {
			out = append(out, t.Field)
		}
		if t.Op == rule.OpField {
			out = append(out, t.Refs...)
		}
	})
	for i := range r.Subs {
		out = append(out, r.Subs[i].Match.By...)
		if a := r.Subs[i].Aggregate; a != nil {
			for _, c := range a.All {
				out = append(out, c.Fields...)
			}
		}
		if f := r.Subs[i].FirstSeen; f != nil {
			out = append(out, f.Fields...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Lists returns the names of the lists that a rule looks into, in their order.
func Lists(r *rule.Rule) []string {
	var out []string
	visit(r, func(t *rule.Test) { out = append(out, t.Lists...) })
	slices.Sort(out)
	return slices.Compact(out)
}

// visit calls f with every test of a rule.
func visit(r *rule.Rule, f func(*rule.Test)) {
	var pred func(rule.Pred)
	pred = func(p rule.Pred) {
		switch p := p.(type) {
		case rule.AllOf:
			for _, q := range p {
				pred(q)
			}
		case rule.AnyOf:
			for _, q := range p {
				pred(q)
			}
		case rule.Not:
			pred(p.Of)
		case *rule.Test:
			f(p)
		}
	}
	for i := range r.Subs {
		pred(r.Subs[i].Match.Where)
	}
}
