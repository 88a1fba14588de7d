package rule

import (
	"fmt"
	"slices"
	"strings"
)

// stream is events that carry certain fields.
type stream struct {
	where  Pred
	rule   string // whose firings they are; "": events of the log
	fields []string
	title  string // of the rules that select them
}

// streams are the events of the rule number i of a correlation that carry fields of it.
func (t *sigmaTree) streams(e *sigmaEntry, i int, fields []string) (out []stream) {
	d, of, ref := e.correlation.doc, e.of[i], e.correlation.rules[i]
	if d.err != nil {
		return nil
	}
	var sources [][]under
	base := of.rules(nil)
	for _, s := range base {
		alternatives, err := t.set.names.of(s.Source, e.correlation.Taxonomy)
		if err != nil {
			d.fail(ref.node, "", "%s: rules: %q: %v", d.title(), ref.text, err)
			d.err.kind = ErrLogSource
			return nil
		}
		sources = append(sources, alternatives)
	}
	names := make([]string, len(fields))
	for k, f := range fields {
		var said bool
		names[k], said = e.names(i, f)
		if _, alias := e.correlation.aliases[f]; alias && !said && !knownTo(slices.Concat(sources...), f) {
			d.fail(e.correlation.at["aliases"].node, "name its field", "%s: aliases: %s says nothing of %q", d.title(), f, ref.text)
		}
	}
	if of.rule == nil { // of a firing, which carries the fields of its key and of the event that completed it
		of.inner = true
		return t.carrying(d, ref, stream{rule: of.head().ID, title: of.head().Title}, of.candidates(t.set.names, names))
	}
	own, err := t.set.names.of(of.rule.Source, of.rule.Taxonomy) // in the same order as sources
	if err != nil {
		d.fail(ref.node, "", "%s: rules: %q: %v", d.title(), ref.text, err)
		return nil
	}
	for n, u := range sources[0] {
		candidates := make([][]string, len(names))
		for k, name := range names {
			to, known := u.names(name)
			if known || !u.closed() {
				candidates[k] = to
			}
		}
		out = append(out, t.carrying(d, ref, stream{where: of.rule.where(t.set.names, own[n]), title: of.rule.Title}, candidates)...)
	}
	if len(out) == 0 {
		d.fail(ref.node, "", "%s: rules: the events of %q do not have all of the fields %s", d.title(), ref.text, strings.Join(names, ", "))
	}
	return out
}

// carrying divides a stream by which of its candidates carry each field: the first that is there does.
func (t *sigmaTree) carrying(d *sigmaDocument, ref reference, s stream, candidates [][]string) []stream {
	all := []stream{s}
	for _, names := range candidates {
		var next []stream
		for _, s := range all {
			var absent AllOf
			for _, name := range names {
				with := s
				with.fields = append(slices.Clone(s.fields), name)
				if len(absent) > 0 {
					with.where = slices.Concat(AllOf{}, absent)
					if s.where != nil {
						with.where = append(AllOf{s.where}, absent...)
					}
				}
				next = append(next, with)
				absent = append(absent, &Test{Field: name, Op: OpExists, Absent: true})
			}
		}
		if all = next; len(all) > MaxSubs {
			d.fail(ref.node, "", "%s: rules: %q names the group fields in more than %d ways", d.title(), ref.text, MaxSubs)
			return nil
		}
	}
	for i := range all {
		if all[i].where == nil {
			all[i].where = AllOf{}
		}
	}
	return all
}

// rules are the detection rules below an entry.
func (e *sigmaEntry) rules(into []*Sigma) []*Sigma {
	if e.rule != nil {
		return append(into, e.rule)
	}
	for _, of := range e.of {
		into = of.rules(into)
	}
	return into
}

// candidates are the names that fields may have in the firings of a correlation.
func (e *sigmaEntry) candidates(m *Mapping, fields []string) [][]string {
	out := make([][]string, len(fields))
	for k, field := range fields {
		for i, of := range e.of {
			name, _ := e.names(i, field)
			var more []string
			if of.rule == nil {
				more = of.candidates(m, []string{name})[0]
			} else if alternatives, err := m.of(of.rule.Source, e.correlation.Taxonomy); err == nil {
				for _, u := range alternatives {
					to, _ := u.names(name)
					more = append(more, to...)
				}
			}
			for _, name := range more {
				if !contains(out[k], name) {
					out[k] = append(out[k], name)
				}
			}
		}
	}
	return out
}

// merged joins streams that carry the same fields.
func merged(all []stream) (out []stream) {
	for _, s := range all {
		at := slices.IndexFunc(out, func(o stream) bool { return o.rule == s.rule && slices.Equal(o.fields, s.fields) })
		if at < 0 {
			out = append(out, s)
			continue
		}
		if to := &out[at]; to.title != s.title && len(to.title)+len(s.title) < MaxAdviceBytes-8 {
			to.title += " or " + s.title
		}
		if any, ok := out[at].where.(AnyOf); ok && len(any) > 0 {
			out[at].where = append(slices.Clip(any), s.where)
		} else {
			out[at].where = AnyOf{out[at].where, s.where}
		}
	}
	return out
}

// add makes a sub-pattern of a stream whose first fields are the group key.
func (t *sigmaTree) add(s stream, by int) *Match {
	n := len(t.rule.Subs)
	m := &Match{Sub: n, Where: s.where, Rule: s.rule, By: s.fields[:by:by]}
	if d := t.top.doc; n >= MaxSubs {
		d.fail(d.root, "", "%s: more than %d sub-patterns", d.title(), MaxSubs)
		return m
	}
	t.rule.Subs = append(t.rule.Subs, Sub{Name: fmt.Sprintf("s%d", n+1), Title: s.title[:min(len(s.title), MaxAdviceBytes)], Match: m})
	return m
}
