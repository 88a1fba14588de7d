package correlate

import (
	"strconv"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// fireMatch emits a firing of a rule of a single match.
func (s *State) fireMatch(tb *table, h *Hit) {
	f := s.firing(tb, h)
	r := tb.prog.rule
	for _, name := range r.Root.Incident.Key {
		if v, ok := rule.Value(h.Event, name); ok {
			f.Key = append(f.Key, storage.Field{Name: name, Value: strings.Clone(cut(v, MaxKeyBytes))})
		}
	}
	f.Key = append(f.Key, cloneFields(h.ExtraKey)...)
	f.Trigger, f.Time = h.Event.ID, h.Event.Time
	f.Entities = entitiesOf(f.Key, h.Event)
	f.Evidence = []storage.Evidence{{Sub: r.Subs[0].Name, ID: h.Event.ID, Time: h.Event.Time}}
	if f.Title == "" {
		f.Title = title(r, func(name string) (string, bool) { return rule.Value(h.Event, name) },
			func(int) string { return "1" })
	}
	s.out = append(s.out, f)
}

// fire emits the completion of a positive pattern: c is the chain with m in it, h the hit that carried m, or whose
// arrival completed the pattern behind it.
func (s *State) fire(tb *table, mc *machine, c *chain, m *mark, h *Hit) {
	f := s.firing(tb, h)
	f.Trigger, f.Time = m.id, m.time
	field := func(string) (string, bool) { return "", false }
	if h != nil {
		f.Trigger = h.Event.ID
		field = func(name string) (string, bool) { return rule.Value(h.Event, name) }
	}
	s.complete(tb, mc, c, held{set: true, time: m.time, id: m.id}, &f, field)
}

// fireAbsence emits the firing of an armed absence at its deadline.
func (s *State) fireAbsence(tb *table, mc *machine, h *held) {
	p := tb.prog
	f := s.firing(tb, nil)
	f.Trigger, f.Time = h.id, p.deadline(h)
	s.complete(tb, mc, &mc.settled, held{}, &f, func(name string) (string, bool) {
		for i, c := range p.captures {
			if c == name && i < len(h.vals) {
				return h.vals[i], h.vals[i] != ""
			}
		}
		return "", false
	})
}

func (s *State) firing(tb *table, h *Hit) Firing {
	r := tb.prog.rule
	f := Firing{
		Tenant: tb.owner.id, Rule: r.ID, RuleName: r.Name, RuleVersion: r.Version, RuleDigest: r.Package, Severity: r.Severity, Techniques: r.Techniques,
	}
	if r.Root.Clear != nil {
		f.QuietFor = r.Root.Clear.After
	}
	if h != nil {
		f.Title = strings.Clone(h.Title)
		if h.Severity != 0 {
			f.Severity = h.Severity
		}
	}
	return f
}

// complete fills in key, evidence, conditions and title, and emits. last is the event of the last stage, unset when the
// last stage is an absence.
func (s *State) complete(tb *table, mc *machine, c *chain, last held, f *Firing, field func(string) (string, bool)) {
	p := tb.prog
	parts := splitKey(mc.key)
	by := p.rule.Subs[0].Match.By
	for _, name := range p.rule.Root.Incident.Key {
		for i, b := range by {
			if b == name {
				f.Key = append(f.Key, storage.Field{Name: name, Value: parts[i]})
			}
		}
	}
	for i := len(by); i+1 < len(parts); i += 2 {
		f.Key = append(f.Key, storage.Field{Name: parts[i], Value: parts[i+1]})
	}
	f.Entities = mc.entities(p, parts, f)
	counts := make([]string, len(p.rule.Subs))
	for i := range p.stages {
		at := last
		if i < len(c.held) {
			at = c.held[i]
		}
		p.explain(c, i, at, f, counts)
	}
	if f.Title == "" {
		f.Title = title(p.rule, func(name string) (string, bool) {
			if i := p.keyIndex(name); i >= 0 {
				return parts[i], true
			}
			return field(name)
		}, func(sub int) string { return counts[sub] })
	}
	s.out = append(s.out, *f)
}

// explain adds what stage i, which held at the event at, contributes: its events, its threshold and its edge.
func (p *program) explain(c *chain, i int, at held, f *Firing, counts []string) {
	sub := p.stages[i].sub
	name := p.rule.Subs[sub].Name
	if r := p.ringOf[sub]; r >= 0 && at.set {
		spec := &p.rings[r]
		window := c.rings[r].within(at.time, spec.window)
		n := strconv.Itoa(len(window))
		if len(window) == spec.keep && spec.keep > spec.need {
			n += "+" // more are not remembered
		}
		counts[sub] = n
		f.Conditions = append(f.Conditions, storage.Condition{
			Sub: name, Actual: n, Expr: describe(spec),
			Threshold: strconv.FormatFloat(spec.agg.Threshold, 'g', -1, 64),
		})
		for _, x := range window[max(0, len(window)-storage.MaxEvidence):] {
			f.Evidence = append(f.Evidence, storage.Evidence{Sub: name, ID: x.id, Time: x.time})
		}
	} else if at.set {
		counts[sub] = "1"
		f.Evidence = append(f.Evidence, storage.Evidence{Sub: name, ID: at.id, Time: at.time})
	}
	if i == 0 {
		return
	}
	within := time.Duration(p.stages[i].within)
	edge := storage.Condition{Sub: name, Threshold: within.String()}
	prev := p.rule.Subs[p.stages[i-1].sub].Name
	if at.set {
		edge.Expr = prev + " -> " + name + " within " + within.String()
		edge.Actual = time.Duration(at.time - c.held[i-1].time).String()
	} else {
		edge.Expr = prev + " !-> " + name + " within " + within.String()
		edge.Actual = "none"
		counts[sub] = "0"
	}
	f.Conditions = append(f.Conditions, edge)
}

func describe(spec *ringSpec) string {
	a := spec.agg
	return string(a.Func) + "(" + strings.Join(a.Fields, ", ") + ") " + a.Op + " " + strconv.FormatFloat(a.Threshold, 'g', -1, 64) +
		" within " + time.Duration(spec.window).String()
}

// title renders the template; for a field that is not there stands what the template says.
func title(r *rule.Rule, field func(string) (string, bool), count func(sub int) string) string {
	var b strings.Builder
	for _, part := range r.Root.Incident.Title {
		switch {
		case part.Count:
			b.WriteString(count(part.Sub))
		case part.Field != "":
			v, ok := field(part.Field)
			if !ok {
				v = part.Text
			}
			b.WriteString(cut(v, MaxCaptureBytes))
		default:
			b.WriteString(part.Text)
		}
	}
	return b.String()
}

func cloneFields(fields []storage.Field) []storage.Field {
	out := make([]storage.Field, len(fields))
	for i, f := range fields {
		out[i] = storage.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)}
	}
	return out
}
