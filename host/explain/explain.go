// Package explain says why an event takes part in a rule or does not: the tests that decided, each with what it wants
// beside what the event has.
//
// Whether a test holds is asked of the matcher that runs live, test by test, so that an explanation can never say
// something else than what happened.
package explain

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Verdict says what a rule makes of an event.
type Verdict struct {
	Matches  bool     // it takes part in one of the sub-patterns
	Excepted []string // reasons of the exceptions that select it
	Subs     []Sub    // in the order of the rule
}

// Sub says what a sub-pattern makes of an event.
type Sub struct {
	Name, Title string
	Matches     bool
	Code        bool // Matches is that of the pre-filter: the package's code decides
	// Tests are, of a sub-pattern that matches, those that hold; else the first that failed, and of alternatives the first
	// of each; at most MaxTests.
	Tests []Test
}

// Test is one condition beside what the event has.
type Test struct {
	Holds  bool
	Field  string   // "": any field
	Says   string   // "is", "contains", "is not"
	Wanted []string // shortened; one of them, or with All all of them
	All    bool
	Value  string // of the event, shortened
	Lacks  bool   // the event has no such field
}

// Of explains a rule. It belongs to one goroutine.
type Of struct {
	rule   *rule.Rule
	at     map[*rule.Test]int // number of each test, as of the sub-patterns of asked
	match  func(*storage.Event) []int
	truth  []bool
	event  *storage.Event
	numbed []*rule.Test
}

// Matcher makes a function that names the sub-patterns of a rule that an event matches; its slice is valid until the next
// call.
type Matcher func(*rule.Rule) (func(*storage.Event) []int, error)

// New prepares to explain a rule by a matcher; nil: detect.Matcher, for which all lists are empty.
func New(r *rule.Rule, matcher Matcher) (*Of, error) {
	o := &Of{rule: r, at: map[*rule.Test]int{}}
	for i := range r.Subs {
		o.number(r.Subs[i].Match.Where)
	}
	for i := range r.Exceptions {
		o.number(r.Exceptions[i].Where)
	}
	asked := &rule.Rule{ID: r.ID, File: r.File, Subs: make([]rule.Sub, len(o.numbed))}
	for i, t := range o.numbed {
		asked.Subs[i] = rule.Sub{Match: &rule.Match{Sub: i, Where: t}}
	}
	if matcher == nil {
		matcher = detect.Matcher
	}
	var err error
	if o.match, err = matcher(asked); err != nil {
		return nil, fmt.Errorf("explain rule %s: %w", r.ID, err)
	}
	o.truth = make([]bool, len(o.numbed))
	return o, nil
}

// number gives every test of a predicate a number.
func (o *Of) number(p rule.Pred) {
	switch p := p.(type) {
	case rule.AllOf:
		for _, q := range p {
			o.number(q)
		}
	case rule.AnyOf:
		for _, q := range p {
			o.number(q)
		}
	case rule.Not:
		o.number(p.Of)
	case *rule.Test:
		if _, there := o.at[p]; !there {
			o.at[p] = len(o.numbed)
			o.numbed = append(o.numbed, p)
		}
	}
}

// Why explains the rule for an event.
func (o *Of) Why(ev *storage.Event) Verdict {
	clear(o.truth)
	for _, n := range o.match(ev) {
		o.truth[n] = true
	}
	o.event = ev
	defer func() { o.event = nil }()
	var v Verdict
	for i := range o.rule.Exceptions {
		if x := &o.rule.Exceptions[i]; x.Where != nil && o.holds(x.Where) {
			v.Excepted = append(v.Excepted, x.Reason)
		}
	}
	for i := range o.rule.Subs {
		s := o.sub(&o.rule.Subs[i])
		v.Matches = v.Matches || s.Matches
		v.Subs = append(v.Subs, s)
	}
	return v
}

// FieldFirings is the field that a sub-pattern over the firings of another rule looks at.
const FieldFirings = "rule.id"

func (o *Of) sub(s *rule.Sub) Sub {
	out := Sub{Name: s.Name, Title: s.Title, Code: s.Match.Code}
	if s.Match.Rule != "" { // an event of the log is no firing
		if value, there := rule.Value(o.event, FieldFirings); value != s.Match.Rule {
			out.Tests = []Test{{Field: FieldFirings, Says: "is", Wanted: []string{s.Match.Rule}, Value: short(value), Lacks: !there}}
			return out
		}
	}
	out.Matches = true
	if s.Match.Where != nil {
		out.Matches, out.Tests = o.why(s.Match.Where, false)
	}
	if !out.Matches || s.Match.NullKey {
		return out
	}
	for _, by := range s.Match.By {
		name := by
		if alias, ok := s.Match.Alias[by]; ok {
			name = alias
		}
		if _, there := rule.Value(o.event, name); !there {
			out.Matches, out.Tests = false, []Test{{Field: name, Says: "is there, since the rule groups by it", Lacks: true}}
			return out
		}
	}
	return out
}

// holds reports whether a predicate holds.
func (o *Of) holds(p rule.Pred) bool {
	holds, _ := o.why(p, false)
	return holds
}

// why reports whether a predicate, or with negated its contrary, holds, and which tests decide that.
func (o *Of) why(p rule.Pred, negated bool) (bool, []Test) {
	switch p := p.(type) {
	case rule.Not:
		return o.why(p.Of, !negated)
	case rule.AllOf:
		return o.join(p, negated, !negated)
	case rule.AnyOf:
		return o.join(p, negated, negated)
	case *rule.Test:
		t := o.test(p, negated)
		return t.Holds, []Test{t}
	}
	return false, nil
}

// join is why for several predicates: with all every one has to hold, else one of them.
func (o *Of) join(list []rule.Pred, negated, all bool) (bool, []Test) {
	var gathered []Test
	for _, q := range list {
		holds, tests := o.why(q, negated)
		if holds != all { // this one decides
			return holds, tests
		}
		if gathered = append(gathered, tests...); len(gathered) > MaxTests {
			gathered = gathered[:MaxTests]
		}
	}
	return all, gathered
}

func (o *Of) test(t *rule.Test, negated bool) Test {
	out := Test{Holds: o.truth[o.at[t]] != negated, Field: t.Field, Says: says(t, negated), Wanted: Wanted(t), All: t.Every}
	if t.Field == "" {
		return out
	}
	value, there := rule.Value(o.event, t.Field)
	out.Value, out.Lacks = short(value), !there
	return out
}

// String says it in one sentence.
func (t Test) String() string {
	var b strings.Builder
	b.WriteString(t.wish())
	switch {
	case t.Field == "":
	case t.Lacks:
		b.WriteString("; the event has no such field")
	default:
		b.WriteString("; the event has " + t.Value)
	}
	return b.String()
}

// wish is what the test wants.
func (t Test) wish() string {
	field := t.Field
	if field == "" {
		field = "any field"
	}
	if len(t.Wanted) == 0 {
		return field + " " + t.Says
	}
	join := " or "
	if t.All {
		join = " and "
	}
	wanted := make([]string, len(t.Wanted))
	for i, v := range t.Wanted {
		wanted[i] = v
		if i < MaxWanted { // behind them it is how many more there are
			wanted[i] = quoted(v)
		}
	}
	return field + " " + t.Says + " " + strings.Join(wanted, join)
}

// quoted sets a value apart from the words around it, where it could be taken for some.
func quoted(v string) string {
	if strings.ContainsAny(v, " ()“”\"'`,;|&<>") && (len(v) < 2 || v[0] != '/' || v[len(v)-1] != '/') {
		return "“" + v + "”"
	}
	return v
}

// short cuts a value to what is shown of it. Lists are shown by their elements.
func short(v string) string {
	if strings.HasPrefix(v, "[") {
		var list []string
		if json.Unmarshal([]byte(v), &list) == nil {
			v = strings.Join(list, ", ")
		}
	}
	if len(v) <= MaxShownBytes {
		return v
	}
	return strings.ToValidUTF8(v[:MaxShownBytes], "") + "…"
}

// EventOf makes an event of fields as they stand in an inline test: its dataset and its record are fields there.
func EventOf(fields []storage.Field) *storage.Event {
	ev := &storage.Event{}
	for _, f := range fields {
		switch f.Name {
		case storage.FieldDataset:
			ev.Stream = f.Value
		case rule.FieldOriginal:
			ev.Raw = f.Value
		default:
			ev.Fields = append(ev.Fields, f)
		}
	}
	return ev
}
