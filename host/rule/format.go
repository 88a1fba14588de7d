package rule

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// notWritten stands for the window of an operator that takes the rule's: no document can say it.
const notWritten = time.Duration(math.MaxInt64)

// Format writes a rule as a pattern document: Parse reads an equal rule from it. Whatever language the rule was written in,
// it is told with the words of this one; the error names what they cannot say.
func Format(r *Rule) ([]byte, error) {
	f, err := FormFrom(r)
	if err != nil {
		return nil, err
	}
	doc, err := f.Document()
	if err == nil && len(doc) > MaxDocumentBytes {
		err = fmt.Errorf("write rule %s: document of %d bytes, the limit is %d", r.ID, len(doc), MaxDocumentBytes)
	}
	return doc, err
}

// FormFrom makes a form of a rule.
func FormFrom(r *Rule) (Form, error) {
	f := Form{
		ID: r.ID, Name: r.Name, Version: r.Version, Severity: r.Severity.String(), Description: r.Description, Techniques: r.Techniques,
		DataSources: r.DataSources, FalsePositives: r.FalsePositives, NextSteps: r.NextSteps, Containment: r.Containment,
		Eradication: r.Eradication, Title: r.Root.Incident.Title.text(r.Subs),
		Tests: testsText(r.Tests),
	}
	for _, ref := range r.References {
		if strings.HasPrefix(ref, "https://") {
			f.References = append(f.References, ref)
		} else { // of a Sigma rule: a pattern document has links only
			f.Description = strings.TrimLeft(f.Description+"\nSee "+ref, "\n")
		}
	}
	if r.Lateness != DefaultLateness {
		f.Lateness = FormatDuration(r.Lateness)
	}
	if r.MaxKeys > 0 {
		f.MaxKeys = strconv.Itoa(r.MaxKeys)
	}
	w := formWriter{rule: r}
	subs := r.Subs
	if c := r.Root.Clear; c != nil {
		f.Clear = &FormClear{}
		if c.After > 0 {
			f.Clear.After = FormatDuration(c.After)
		}
		if c.Of != nil {
			last := len(subs) - 1
			sub := w.sub(&subs[last])
			f.Clear.Sub, subs = &sub, subs[:last]
		}
	}
	for i := range subs {
		sub := w.sub(&subs[i])
		sub.Name = subs[i].Name
		f.Subs = append(f.Subs, sub)
	}
	w.root(&f, subs)
	w.effects(&f)
	for _, x := range r.Exceptions {
		f.Exceptions = append(f.Exceptions, FormException{Reason: x.Reason, Where: *w.group(x.Where)})
	}
	if w.err != nil {
		return Form{}, fmt.Errorf("write rule %s: %w", r.ID, w.err)
	}
	return f, nil
}

// formWriter makes a form of a rule. It keeps the first fault.
type formWriter struct {
	rule *Rule
	err  error
}

func (w *formWriter) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

func (w *formWriter) root(f *Form, subs []Sub) {
	root := w.rule.Root.Of
	var on []Compare
	if j, ok := root.(*Join); ok {
		root, on = j.Of, j.On
	}
	if len(subs) > 1 || !isLeaf(root) {
		x := formExpr(root, subs)
		f.Expr = &x
	}
	Walk(root, func(n Node) {
		if x, ok := n.(*NotFollowedBy); ok && x.Latest {
			f.Rearm = "latest"
		}
	})
	if keyed(subs) {
		first := subs[0].Match.RuleKey()
		for i := 1; i < len(subs); i++ {
			for at, field := range subs[i].Match.RuleKey() {
				f.Join = append(f.Join, fmt.Sprintf("%s.%s == %s.%s", subs[0].Name, first[at], subs[i].Name, field))
			}
		}
	}
	for _, c := range on {
		f.Join = append(f.Join, fmt.Sprintf("%s.%s %s %s.%s", subs[c.A].Name, c.AField, c.Op, subs[c.B].Name, c.BField))
	}
}

// keyed reports whether the key of a rule has to be said: it is not what the by lists alone make it.
func keyed(subs []Sub) bool {
	d := document{rule: &Rule{Subs: subs}}
	if d.sameLength() {
		return slices.ContainsFunc(subs, func(s Sub) bool { return s.Match.Key != nil })
	}
	common := d.common()
	for i := range subs {
		key := subs[i].Match.RuleKey()
		if len(key) != len(common) {
			return true
		}
		for at, c := range common {
			if key[at] != c[i] {
				return true
			}
		}
	}
	return false
}

func isLeaf(n Node) bool {
	switch n.(type) {
	case *Match, *Aggregate, *Baseline, *FirstSeen:
		return true
	}
	return false
}

func (w *formWriter) effects(f *Form) {
	emit := w.rule.Root
	if key := emit.Incident.Key; !slices.Equal(key, w.rule.Subs[0].Match.RuleKey()) {
		f.Key, f.KeyEmpty = key, len(key) == 0
	}
	if emit.Suppress > 0 {
		f.Suppress = FormatDuration(emit.Suppress)
	}
	for _, x := range emit.WatchLists {
		f.WatchList = append(f.WatchList, FormWatchList{Name: x.Name, Value: x.Value, TTL: FormatDuration(x.TTL)})
	}
}

// sub makes a form of a sub-pattern but for its name.
func (w *formWriter) sub(s *Sub) FormSub {
	m := s.Match
	out := FormSub{Title: s.Title, Rule: m.Rule, By: m.By}
	if m.NullKey {
		out.NullKey = "include"
	}
	if m.Code {
		out.Code = "true"
	}
	if len(m.Alias) > 0 || s.Aggregate != nil && len(s.Aggregate.Also) > 0 {
		w.fail("sub %s: it counts events of several rules under other names", s.Name)
	}
	if where := simple(w.withoutExceptions(m.Where)); where != nil {
		out.Where = w.group(where)
	} else if m.Rule == "" {
		w.fail("sub %s: it selects every event", s.Name)
	}
	if f := s.FirstSeen; f != nil {
		out.FirstSeen = &FormFirstSeen{Fields: f.Fields, Within: FormatDuration(f.Within)}
		if f.Learn > 0 {
			out.FirstSeen.Learn = FormatDuration(f.Learn)
		}
	}
	if a := s.Aggregate; a != nil {
		for i := range a.All {
			out.Having = append(out.Having, formHaving(&a.All[i]))
		}
		out.Window = FormatDuration(a.Window)
		if a.Windows != Sliding && s.Baseline == nil {
			out.Windows = string(a.Windows)
		}
		if a.Gap > 0 {
			out.Gap = FormatDuration(a.Gap)
		}
	}
	if b := s.Baseline; b != nil {
		out.Baseline = &FormBaseline{Slots: string(b.Slots), Least: strconv.Itoa(b.Least), Peers: b.Peers}
	}
	return out
}

// withoutExceptions returns a selection without the rule's exceptions, which are written apart.
func (w *formWriter) withoutExceptions(p Pred) Pred {
	for left := w.rule.Exceptions; len(left) > 0; {
		all, ok := p.(AllOf)
		if !ok || len(all) != 2 {
			break
		}
		not, ok := all[1].(Not)
		any, folded := not.Of.(AnyOf)
		from := len(left) - len(any)
		if !ok || !folded || len(any) == 0 || from < 0 {
			break
		}
		for i, x := range any {
			if !reflect.DeepEqual(x, left[from+i].Where) {
				return p
			}
		}
		p, left = all[0], left[:from]
	}
	return p
}

func formHaving(c *Condition) FormHaving {
	h := FormHaving{Func: string(c.Func), Fields: c.Fields, Op: c.Op, Threshold: numberText(c.Threshold)}
	if c.Func == Percentile {
		h.Rank = numberText(c.Rank)
	}
	if c.Stat != nil {
		h.Threshold = statText(c.Stat, 0)
	}
	return h
}

func numberText(f float64) string {
	if math.Abs(f) < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// statText writes an expression; above is how strongly what stands around it binds.
func statText(s *Stat, above int) string {
	if s.Op == 0 {
		if s.Var != "" {
			return "stat." + s.Var
		}
		return numberText(s.Value)
	}
	binds := 1
	if s.Op == '*' || s.Op == '/' {
		binds = 2
	}
	text := fmt.Sprintf("%s %c %s", statText(s.A, binds), s.Op, statText(s.B, binds+1))
	if binds < above {
		return "(" + text + ")"
	}
	return text
}

// formExpr makes a form of operators.
func formExpr(n Node, subs []Sub) FormExpr {
	x := FormExpr{}
	within := notWritten
	switch n := n.(type) {
	case *Match:
		x.Sub = subs[n.Sub].Name
	case *Aggregate:
		x.Sub = subs[n.Of.Sub].Name
	case *Baseline:
		x.Sub = subs[n.Of.Of.Sub].Name
	case *FirstSeen:
		x.Sub = subs[n.Of.Sub].Name
	case *And:
		x.Op, within = "and", n.Within
	case *Or:
		x.Op = "or"
	case *FollowedBy:
		x.Op, within = "->", n.Within
	case *NotFollowedBy:
		x.Op, within = "!->", n.Within
	case *AndNot:
		if x.Op, within = "and not", n.Within; n.Before {
			x.Op = "and not before"
		}
	case *Span:
		x.Op, within = "span", n.Within
	}
	if within != notWritten {
		x.Within = FormatDuration(within)
	}
	if x.Op != "" {
		for _, of := range parts(n) {
			x.Of = append(x.Of, formExpr(of, subs))
		}
	}
	return x
}

// text writes a title's template.
func (t Title) text(subs []Sub) string {
	var b strings.Builder
	for _, p := range t {
		switch {
		case p.Count:
			b.WriteString("{" + subs[p.Sub].Name + ".count}")
		case p.Field == "":
			b.WriteString(strings.NewReplacer("{", "{{", "}", "}}").Replace(p.Text))
		case p.Text == "-":
			b.WriteString("{" + p.Field + "}")
		default:
			b.WriteString("{" + p.Field + "|" + p.Text + "}")
		}
	}
	return b.String()
}

// testsText writes inline tests as YAML. Equal events at one distance are one line.
func testsText(tests []Case) string {
	if len(tests) == 0 {
		return ""
	}
	y := yamlText{is: isList}
	for i := range tests {
		y.list = append(y.list, tests[i].yaml())
	}
	y = spread(y)
	return y.String()
}

func (c *Case) yaml() (y yamlText) {
	y.putText("name", c.Name)
	if len(c.Lists) > 0 {
		var lists yamlText
		for _, l := range c.Lists {
			lists.putList(l.Name, l.Values)
		}
		y.put("lists", lists)
	}
	events := yamlText{is: isList}
	for i := 0; i < len(c.Events); {
		n := c.run(i)
		var ev, fields yamlText
		ev.put("at", textOf(FormatDuration(c.Events[i].At)))
		if n > 1 {
			ev.put("repeat", valueOf(strconv.Itoa(n)))
			ev.put("every", textOf(FormatDuration(c.Events[i+1].At-c.Events[i].At)))
		}
		for _, f := range c.Events[i].Fields {
			fields.put(f.Name, valueOf(f.Value))
		}
		ev.put("fields", fields)
		events.list = append(events.list, ev)
		i += n
	}
	y.put("events", events)
	if c.Until > 0 {
		y.put("until", textOf(FormatDuration(c.Until)))
	}
	var expect yamlText
	expect.put("incidents", valueOf(strconv.Itoa(c.Incidents)))
	if c.Count >= 0 {
		expect.put("count", valueOf(strconv.Itoa(c.Count)))
	}
	expect.putText("title", c.Title)
	y.put("expect", expect)
	return y
}

// run returns how many events from the i-th on are equal and at one distance.
func (c *Case) run(i int) int {
	n := 1
	for i+n < len(c.Events) && slices.Equal(c.Events[i].Fields, c.Events[i+n].Fields) {
		step := c.Events[i+n].At - c.Events[i+n-1].At
		if step <= 0 || n > 1 && step != c.Events[i+1].At-c.Events[i].At {
			break
		}
		n++
	}
	return n
}
