package rule

import (
	"time"

	"github.com/goccy/go-yaml/ast"
)

// patterns reads the subs.
func (d *document) patterns() {
	entries := d.mapping(d.at["subs"].val, "subs", nil)
	if len(entries) == 0 || len(entries) > MaxSubs {
		d.fail(d.at["subs"].val, "", "subs: %d sub-patterns, want 1 to %d", len(entries), MaxSubs)
	}
	for _, e := range entries {
		if d.err != nil {
			return
		}
		if !subForm.MatchString(e.key) || contains(reservedSubs, e.key) {
			d.fail(e.node, "a word of lower-case letters, digits and _, and none of expr", "subs: name %q", e.key)
		}
		d.sub(e.node, e.key, d.mapping(e.val, "sub "+e.key, subKeys))
	}
}

// subReader is a sub-pattern being read: what its keys say, and where they stand.
type subReader struct {
	*document
	node   ast.Node // of its name
	sub    Sub
	window time.Duration
	at     map[string]entry
}

// sub adds a sub-pattern to the rule. node is where its name stands.
func (d *document) sub(node ast.Node, name string, entries []entry) {
	s := &subReader{
		document: d, node: node, window: d.window, at: map[string]entry{},
		sub: Sub{Name: name, Match: &Match{Sub: len(d.rule.Subs)}},
	}
	for _, e := range entries {
		s.at[e.key] = e
		s.key(e)
	}
	m := s.sub.Match
	if m.Where == nil {
		if m.Rule == "" {
			d.fail(node, "where: {field: value}, or rule: ID", "sub %s: where is missing", name)
		}
		m.Where = AllOf{}
	}
	if d.err == nil {
		s.holds()
	}
	d.rule.Subs = append(d.rule.Subs, s.sub)
}

// key reads one key of a sub-pattern; having and what belongs to it are read when all are known.
func (s *subReader) key(e entry) {
	m := s.sub.Match
	switch e.key {
	case "title":
		if s.sub.Title = s.text(e.val, "title"); len(s.sub.Title) > MaxAdviceBytes {
			s.fail(e.val, "", "sub %s: title of %d bytes, the limit is %d", s.sub.Name, len(s.sub.Title), MaxAdviceBytes)
		}
	case "where":
		m.Where = s.selection(e.val, "where", 0)
	case "rule":
		if m.Rule = s.text(e.val, "rule"); !idForm.MatchString(m.Rule) || m.Rule == s.rule.ID {
			s.fail(e.val, "the id of another rule", "rule: %q", m.Rule)
		}
	case "by":
		m.By = s.fieldList(e.val, "by")
	case "null_key":
		m.NullKey = s.oneOf(e.val, "null_key", "include") == "include"
	case "window":
		s.window = s.duration(e.val, "window", MaxDuration)
	case "code":
		m.Code = s.oneOf(e.val, "code", "true", "false") == "true"
	}
}

// holds reads when the sub-pattern holds: at each match, or as having or first_seen say.
func (s *subReader) holds() {
	_, counted := s.at["having"]
	first, seen := s.at["first_seen"]
	if seen && counted {
		s.fail(first.node, "write two subs", "sub %s: having and first_seen", s.sub.Name)
	}
	if !counted {
		for _, key := range [...]string{"window", "windows", "gap", "baseline"} {
			if e, ok := s.at[key]; ok {
				s.fail(e.node, "add having, or write within in expr", "sub %s: %s without having", s.sub.Name, key)
			}
		}
		if seen {
			s.sub.FirstSeen = s.firstSeen(first.val)
		}
		return
	}
	s.sub.Aggregate = s.aggregate()
	if s.err == nil {
		s.sub.Baseline = s.baseline()
	}
}

// aggregate reads having, windows and gap.
func (s *subReader) aggregate() *Aggregate {
	at := s.at["having"].val
	h := having{r: &s.reader, at: at, text: s.text(at, "having")}
	a := &Aggregate{Of: s.sub.Match, All: h.parse(), Window: s.window, Windows: Sliding}
	if _, ok := s.at["baseline"]; ok {
		a.Windows = Tumbling
	}
	if e, ok := s.at["windows"]; ok {
		w := Windows(s.oneOf(e.val, "windows", string(Sliding), string(Tumbling), string(Session)))
		if a.Windows == Tumbling && w != Tumbling {
			s.fail(e.val, "leave windows out", "sub %s: the windows of a baseline are tumbling", s.sub.Name)
		}
		a.Windows = w
	}
	gap, ok := s.at["gap"]
	switch {
	case ok && a.Windows != Session:
		s.fail(gap.node, "windows: session", "sub %s: gap without windows: session", s.sub.Name)
	case ok:
		a.Gap = s.duration(gap.val, "gap", MaxDuration)
	case a.Windows == Session:
		s.fail(s.at["windows"].node, "add gap: 5m", "sub %s: windows: session without gap", s.sub.Name)
	}
	if a.Window <= 0 || ok && a.Gap <= 0 {
		s.fail(at, "add window: 10m", "having: no window")
	}
	s.thresholds(at, a)
	return a
}

// thresholds checks that the eager conditions can hold, and that what a sliding window remembers is bounded.
func (s *subReader) thresholds(at ast.Node, a *Aggregate) {
	if s.err != nil {
		return
	}
	eager := a.Eager()
	for i := range a.All {
		c := &a.All[i]
		if c.Stat != nil || !c.Eager() || c.Func != Count && c.Func != Distinct {
			continue
		}
		most := float64(maxThreshold)
		if eager && a.Windows == Sliding {
			most = MaxExactThreshold
		}
		if c.Threshold > most || c.Threshold < 0 || c.Least() < 1 || float64(c.Least()) > most {
			s.fail(at, "", "having: threshold %v, want one that is met by 1 to %.0f", c.Threshold, most)
		}
	}
}

// baseline reads how the thresholds of having are learnt; nil when they are numbers.
func (s *subReader) baseline() *Baseline {
	learnt := 0
	for i := range s.sub.Aggregate.All {
		if s.sub.Aggregate.All[i].Stat != nil {
			learnt++
		}
	}
	e, ok := s.at["baseline"]
	switch {
	case !ok && learnt == 0:
		return nil
	case !ok:
		s.fail(s.at["having"].val, "add baseline: {slots: hour_of_week}", "having: stat without baseline")
		return nil
	case learnt != 1:
		s.fail(e.node, `having: "count() > 3*stat.std + stat.mean"`, "sub %s: baseline of %d conditions with stat, want one", s.sub.Name, learnt)
		return nil
	}
	b := &Baseline{Of: s.sub.Aggregate, Slots: NoSlots, Least: DefaultLeast}
	for _, k := range s.mapping(e.val, "baseline", baselineKeys) {
		switch k.key {
		case "slots":
			b.Slots = Slots(s.oneOf(k.val, "slots", string(NoSlots), string(SlotHour), string(SlotHourOfWeek)))
		case "least":
			if b.Least = s.number(k.val, "least"); b.Least < 1 || b.Least > MaxLeast {
				s.fail(k.val, "", "least: %d samples, want 1 to %d", b.Least, MaxLeast)
			}
		case "peers":
			if b.Peers = s.text(k.val, "peers"); !validField(b.Peers) {
				s.fail(k.val, "an ECS name such as user.department", "peers: %q", b.Peers)
			}
		}
	}
	return b
}

func (s *subReader) firstSeen(n ast.Node) *FirstSeen {
	f := &FirstSeen{Of: s.sub.Match}
	for _, k := range s.mapping(n, "first_seen", firstSeenKeys) {
		switch k.key {
		case "fields":
			f.Fields = s.fieldList(k.val, "fields")
		case "within":
			f.Within = s.duration(k.val, "first_seen.within", MaxMemory)
		case "learn":
			f.Learn = s.duration(k.val, "first_seen.learn", MaxMemory)
		}
	}
	if len(f.Fields) == 0 || f.Within <= 0 {
		s.fail(n, "first_seen: {fields: [source.ip], within: 30d}", "first_seen: fields and within are needed")
	}
	return f
}

// fieldList reads names of fields, each once.
func (r *reader) fieldList(n ast.Node, what string) []string {
	list := r.texts(n, what)
	if len(list) > MaxKeyFields {
		r.fail(n, "", "%s: %d fields, the limit is %d", what, len(list), MaxKeyFields)
	}
	r.fields(n, what, list)
	return list
}

// fields checks a list of field names.
func (r *reader) fields(n ast.Node, what string, names []string) {
	seen := map[string]bool{}
	for _, f := range names {
		if !validField(f) || seen[f] {
			r.fail(n, "ECS names, each once", "%s: field %q", what, f)
		}
		seen[f] = true
	}
}

// oneOf reads one of some words.
func (r *reader) oneOf(n ast.Node, what string, words ...string) string {
	t := r.text(n, what)
	if r.err == nil && !contains(words, t) {
		r.fail(n, suggest(t, words), "%s: %q", what, t)
	}
	return t
}
