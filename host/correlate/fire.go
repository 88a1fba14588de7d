package correlate

import (
	"cmp"
	"encoding/json"
	"slices"
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
	if tb.prog.clears {
		f.Trigger, f.Time = h.Event.ID, h.Event.Time
		s.clear(tb, f, splitKey(string(s.key)))
		return
	}
	for _, name := range r.Root.Incident.Key {
		if v, ok := rule.Value(h.Event, name); ok || r.Subs[0].Match.NullKey && slices.Contains(tb.prog.key, name) {
			f.Key = append(f.Key, storage.Field{Name: name, Value: strings.Clone(cut(v, MaxKeyBytes))})
		}
	}
	f.Key = append(f.Key, cloneFields(h.ExtraKey)...)
	f.Trigger, f.Time = h.Event.ID, h.Event.Time
	f.Entities = entitiesOf(f.Key, h.Event)
	f.Evidence = h.evidence(r.Subs[0].Name)
	s.emit(tb, f, h, func(name string) (string, bool) { return rule.Value(h.Event, name) }, func(int) string { return "1" })
}

// evidence returns what led to a hit: what its module names, in that order, and the event itself.
func (h *Hit) evidence(sub string) []storage.Evidence {
	list := make([]storage.Evidence, 0, len(h.Evidence)+1)
	own := true
	for _, e := range h.Evidence {
		e.Sub = sub
		list = append(list, e)
		own = own && e.ID != h.Event.ID
	}
	if own {
		list = append(list, storage.Evidence{Sub: sub, ID: h.Event.ID, Time: h.Event.Time})
	}
	return list
}

// fire emits the completion of a pattern: c is the run with m in it, which is nil when time completed it; h is the hit
// that carried m, or whose arrival completed the pattern behind it.
func (s *State) fire(tb *table, mc *machine, c run, m *mark, h *Hit) {
	p := tb.prog
	f := s.firing(tb, h)
	t := c.tell(p, m, &f)
	if h != nil {
		f.Trigger = h.Event.ID
		t.field = func(name string) (string, bool) { return rule.Value(h.Event, name) }
	}
	parts := splitKey(mc.key)
	if p.clears {
		s.clear(tb, f, parts)
		return
	}
	field := func(name string) (string, bool) {
		if i := p.keyIndex(name); i >= 0 && i < len(parts) {
			return parts[i], true
		}
		return t.field(name)
	}
	for _, name := range p.rule.Root.Incident.Key {
		if v, ok := field(name); ok {
			f.Key = append(f.Key, storage.Field{Name: name, Value: strings.Clone(cut(v, MaxKeyBytes))})
		}
	}
	for i := len(p.key); i+1 < len(parts); i += 2 {
		f.Key = append(f.Key, storage.Field{Name: parts[i], Value: parts[i+1]})
	}
	f.Evidence = mc.traced(f.Evidence)
	f.Entities = mc.entities(p, parts, &f)
	s.emit(tb, f, h, field, func(sub int) string { return t.counts[sub] })
}

// clear emits the firing of a clear pattern, whose key is that of the incident by position.
func (s *State) clear(tb *table, f Firing, parts []string) {
	f.Clears = true
	for i, name := range tb.prog.rule.Root.Incident.Key {
		f.Key = append(f.Key, storage.Field{Name: name, Value: parts[i]})
	}
	s.put(f, nil)
}

// emit completes a firing by what its fields say, and adds it to the firings. h is the hit that completed it, if one did.
func (s *State) emit(tb *table, f Firing, h *Hit, field func(string) (string, bool), count func(sub int) string) {
	root := tb.prog.rule.Root
	if f.Title == "" {
		f.Title = title(tb.prog.rule, field, count)
	}
	for _, w := range root.WatchLists {
		if v, _ := field(w.Value); v != "" {
			f.Writes = append(f.Writes, storage.ListWrite{List: w.Name, Value: strings.Clone(v), TTL: w.TTL})
		}
	}
	s.put(f, h)
}

func (s *State) put(f Firing, h *Hit) {
	s.out = append(s.out, f)
	if s.nesting == nil {
		return
	}
	var trigger *storage.Event
	if h != nil {
		trigger = h.Event
	}
	s.triggers = append(s.triggers, trigger)
}

func noField(string) (string, bool) { return "", false }

// tell adds what the stages contribute.
func (c *chain) tell(p *program, m *mark, f *Firing) told {
	t := told{counts: make([]string, len(p.rule.Subs)), field: noField}
	last := held{}
	if m != nil {
		last = held{set: true, time: m.time, id: m.id}
		f.Trigger, f.Time = m.id, m.time
	} else if h := p.armed(c); h != nil {
		f.Trigger, f.Time = h.id, p.deadline(h)
		t.field = p.captured(h.vals)
	}
	at := append(slices.Clone(c.held), last)
	for i := len(at) - 2; i > 0 && at[i].led != nil; i-- {
		at[i-1] = *at[i].led
	}
	for i := range p.stages {
		p.explain(c, i, at, f, t.counts)
	}
	return t
}

// captured looks fields up in what was kept of an event.
func (p *program) captured(vals []string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i, c := range p.captures {
			if c == name && i < len(vals) {
				return vals[i], vals[i] != ""
			}
		}
		return "", false
	}
}

func (s *State) firing(tb *table, h *Hit) Firing {
	r := tb.prog.rule
	f := Firing{
		Tenant: tb.owner.id, Rule: tb.prog.source.ID, RuleName: r.Name, RuleVersion: r.Version, RuleDigest: r.Package, Severity: r.Severity, Techniques: r.Techniques,
		Suppress: r.Root.Suppress, Watermark: tb.watermark,
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

// explain adds what stage i contributes, of stages that held at some events: its events, its threshold and its edge.
func (p *program) explain(c *chain, i int, held []held, f *Firing, counts []string) {
	sub, at := p.stages[i].sub, held[i]
	name := p.rule.Subs[sub].Name
	if r := p.ringOf[sub]; r >= 0 && at.set {
		spec := &p.rings[r]
		saw := p.tally(c, i, &at, nil)
		n := strconv.Itoa(saw.count)
		if saw.count == spec.keep && spec.keep > spec.need {
			n += "+" // more are not remembered
		}
		counts[sub] = n
		f.Conditions = append(f.Conditions, storage.Condition{
			Sub: name, Actual: n, Expr: describe(spec),
			Threshold: strconv.FormatFloat(spec.agg.Threshold, 'g', -1, 64),
		})
		for _, x := range saw.events {
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
		edge.Actual = time.Duration(at.time - held[i-1].time).String()
	} else {
		edge.Expr = prev + " !-> " + name + " within " + within.String()
		edge.Actual = "none"
		counts[sub] = cmp.Or(counts[sub], "0")
	}
	f.Conditions = append(f.Conditions, edge)
}

func describe(spec *ringSpec) string {
	return condition(spec.agg, spec.agg.Threshold, nil) + " within " + duration(spec.window)
}

// condition says a condition in words, with the windows that it looks at unless w is nil.
func condition(c *rule.Condition, threshold float64, w *rule.Aggregate) string {
	args := strings.Join(c.Fields, ", ")
	if c.Func == rule.Percentile {
		args += ", " + number(c.Rank)
	}
	text := string(c.Func) + "(" + args + ") " + c.Op + " " + number(threshold)
	if c.Stat != nil {
		text = string(c.Func) + "(" + args + ") " + c.Op + " " + formula(c.Stat)
	}
	switch {
	case w == nil:
		return text
	case w.Windows == rule.Session:
		return text + " in a session of " + w.Window.String() + " at most, with gaps up to " + w.Gap.String()
	case w.Windows == rule.Tumbling:
		return text + " in " + w.Window.String()
	}
	return text + " within " + w.Window.String()
}

func duration(ns int64) string { return time.Duration(ns).String() }

// title renders the template; for a field that is not there stands what the template says.
func title(r *rule.Rule, field func(string) (string, bool), count func(sub int) string) string {
	var b strings.Builder
	for _, part := range r.Root.Incident.Title {
		switch {
		case part.Count:
			b.WriteString(count(part.Sub))
		case part.Field != "":
			v, _ := field(part.Field)
			if v == "" { // as that of a key is which an event does not have
				v = part.Text
			}
			b.WriteString(cut(words(v), MaxCaptureBytes))
		default:
			b.WriteString(part.Text)
		}
	}
	return b.String()
}

// words writes a list as people do, and any other value as it is.
func words(v string) string {
	var list []string
	if !strings.HasPrefix(v, `["`) || json.Unmarshal([]byte(v), &list) != nil {
		return v
	}
	return strings.Join(list, ", ")
}

func cloneFields(fields []storage.Field) []storage.Field {
	out := make([]storage.Field, len(fields))
	for i, f := range fields {
		out[i] = storage.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)}
	}
	return out
}
