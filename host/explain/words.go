package explain

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
)

// says is what a test does with its field, in words.
func says(t *rule.Test, negated bool) string {
	words, contrary := verbs(t)
	if negated {
		return contrary
	}
	return words
}

func verbs(t *rule.Test) (words, contrary string) {
	switch t.Op {
	case rule.OpExists:
		if t.Absent {
			return "is missing", "is there"
		}
		return "is there", "is missing"
	case rule.OpRegexp:
		return "matches", "does not match"
	case rule.OpCIDR:
		return "is in", "is not in"
	case rule.OpList:
		return "is in the list", "is not in the list"
	case rule.OpNumber:
		return compares(t)
	case rule.OpField:
		words, contrary = placed(t.Place)
		return words + " the value of", contrary + " the value of"
	}
	return placed(PlaceOf(t.Patterns))
}

func compares(t *rule.Test) (words, contrary string) {
	of := ""
	if t.Part != "" {
		of = "has a " + t.Part + " that "
	}
	op := t.Cmp
	if op == "==" {
		op = "="
	}
	return of + "is " + op, of + "is not " + op
}

func placed(p rule.Place) (words, contrary string) {
	switch p {
	case rule.Prefix:
		return "begins with", "does not begin with"
	case rule.Suffix:
		return "ends with", "does not end with"
	case rule.Inside:
		return "contains", "does not contain"
	}
	return "is", "is not"
}

// PlaceOf returns where in a value the texts of patterns stand, when that is the same for all, and Whole otherwise: then
// they are shown with their wildcards.
func PlaceOf(list []rule.Pattern) rule.Place {
	place := rule.Whole
	for i, p := range list {
		here := placeOf(p)
		if i > 0 && here != place {
			return rule.Whole
		}
		place = here
	}
	return place
}

func placeOf(p rule.Pattern) rule.Place {
	wild := func(i int) bool { return p[i].Wild == rule.AnyRun }
	switch n := len(p); {
	case n == 3 && wild(0) && p[1].Wild == 0 && wild(2):
		return rule.Inside
	case n == 2 && wild(0) && p[1].Wild == 0:
		return rule.Suffix
	case n == 2 && p[0].Wild == 0 && wild(1):
		return rule.Prefix
	}
	return rule.Whole
}

// Wanted returns what a test wants, shortened.
func Wanted(t *rule.Test) []string {
	var out []string
	n := 0
	add := func(s string) {
		if n++; n <= MaxWanted {
			out = append(out, short(s))
		}
	}
	bare := PlaceOf(t.Patterns) != rule.Whole
	for _, p := range t.Patterns {
		add(patternText(p, bare))
	}
	for _, re := range t.Regexps {
		add("/" + re.String() + "/")
	}
	for _, net := range t.Nets {
		add(net.String())
	}
	for _, x := range t.Number {
		add(strconv.FormatFloat(x, 'f', -1, 64))
	}
	for _, s := range append(t.Refs[:len(t.Refs):len(t.Refs)], t.Lists...) {
		add(s)
	}
	if n > MaxWanted {
		out = append(out, fmt.Sprintf("%d more", n-MaxWanted))
	}
	return out
}

// patternText is a pattern as a person writes it; bare without its wildcards.
func patternText(p rule.Pattern, bare bool) string {
	var b strings.Builder
	for _, t := range p {
		switch {
		case t.Wild == 0:
			b.WriteString(t.Text)
		case !bare:
			b.WriteByte(t.Wild)
		}
	}
	return b.String()
}

// Meaning says in words what a rule looks for: a line for each sub-pattern, and one for how they are joined.
func Meaning(r *rule.Rule) []string {
	var out []string
	for i := range r.Subs {
		text := subMeaning(&r.Subs[i])
		if len(r.Subs) > 1 {
			text = r.Subs[i].Name + ": " + text
		}
		out = append(out, text)
	}
	if len(r.Subs) > 1 {
		out = append(out, "fires: "+nodeText(r, r.Root.Of, 0))
	}
	if c := r.Root.Clear; c != nil {
		switch {
		case c.Of != nil:
			out = append(out, "ends: "+nodeText(r, c.Of, 0))
		case c.After > 0:
			out = append(out, "ends: after "+span(c.After)+" without a firing")
		}
	}
	if len(r.Root.Incident.Key) > 0 {
		out = append(out, "one incident for each "+strings.Join(r.Root.Incident.Key, ", "))
	}
	for _, w := range r.Root.WatchLists {
		out = append(out, fmt.Sprintf("writes %s to the list %s", w.Value, w.Name))
	}
	for i := range out {
		if len(out[i]) > MaxLineBytes {
			out[i] = strings.ToValidUTF8(out[i][:MaxLineBytes], "") + "…"
		}
	}
	return out
}

func subMeaning(s *rule.Sub) string {
	var b strings.Builder
	switch {
	case s.Match.Rule != "" && s.Match.Where != nil:
		b.WriteString("rule " + s.Match.Rule + " fires, and " + predText(s.Match.Where, false, 1))
	case s.Match.Rule != "":
		b.WriteString("rule " + s.Match.Rule + " fires")
	default:
		b.WriteString(predText(s.Match.Where, false, 0))
	}
	if s.Match.Code {
		b.WriteString(", and the package's code agrees")
	}
	if a := s.Aggregate; a != nil {
		b.WriteString("; " + aggregateText(a))
	}
	if f := s.FirstSeen; f != nil {
		fmt.Fprintf(&b, "; for the first time in %s with its %s", span(f.Within), strings.Join(f.Fields, ", "))
	}
	if len(s.Match.By) > 0 {
		b.WriteString("; for each " + strings.Join(s.Match.By, ", "))
	}
	return b.String()
}

func aggregateText(a *rule.Aggregate) string {
	var parts []string
	for i := range a.All {
		c := &a.All[i]
		args := strings.Join(c.Fields, ", ")
		if c.Func == rule.Percentile {
			args += ", " + strconv.FormatFloat(c.Rank, 'f', -1, 64)
		}
		want := strconv.FormatFloat(c.Threshold, 'f', -1, 64)
		if c.Stat != nil {
			want = statText(c.Stat)
		}
		parts = append(parts, fmt.Sprintf("%s(%s) %s %s", c.Func, args, c.Op, want))
	}
	out := strings.Join(parts, " and ") + " within " + span(a.Window)
	switch a.Windows {
	case rule.Tumbling:
		out += " by the clock"
	case rule.Session:
		out += " until nothing came for " + span(a.Gap)
	}
	return out
}

func statText(s *rule.Stat) string {
	switch {
	case s.Var != "":
		return "the usual " + s.Var
	case s.Op == 0:
		return strconv.FormatFloat(s.Value, 'f', -1, 64)
	}
	return "(" + statText(s.A) + " " + string(s.Op) + " " + statText(s.B) + ")"
}

// predText says a predicate in words; depth above 0 puts several into parentheses.
func predText(p rule.Pred, negated bool, depth int) string {
	list := func(of []rule.Pred, join string) string {
		if len(of) == 0 {
			return "anything"
		}
		parts := make([]string, len(of))
		inner := depth
		if len(of) > 1 {
			inner++
		}
		for i := range of {
			parts[i] = predText(of[i], negated, inner)
		}
		text := strings.Join(parts, join)
		if depth > 0 && len(of) > 1 {
			text = "(" + text + ")"
		}
		return text
	}
	join := map[bool]string{false: " and ", true: " or "}
	switch p := p.(type) {
	case rule.AllOf:
		return list(p, join[negated])
	case rule.AnyOf:
		return list(p, join[!negated])
	case rule.Not:
		return predText(p.Of, !negated, depth)
	case *rule.Test:
		return Test{Field: p.Field, Says: says(p, negated), Wanted: Wanted(p), All: p.Every}.wish()
	}
	return "anything"
}

// nodeText says how sub-patterns are joined.
func nodeText(r *rule.Rule, n rule.Node, depth int) string {
	pair := func(a rule.Node, op string, b rule.Node, within time.Duration) string {
		text := nodeText(r, a, depth+1) + op + nodeText(r, b, depth+1) + " within " + span(within)
		if depth > 0 {
			return "(" + text + ")"
		}
		return text
	}
	list := func(of []rule.Node, op, after string) string {
		parts := make([]string, len(of))
		for i := range of {
			parts[i] = nodeText(r, of[i], depth+1)
		}
		text := strings.Join(parts, op) + after
		if depth > 0 {
			return "(" + text + ")"
		}
		return text
	}
	switch n := n.(type) {
	case *rule.Match:
		return r.Subs[n.Sub].Name
	case *rule.Aggregate:
		return r.Subs[n.Of.Sub].Name
	case *rule.Baseline:
		return r.Subs[n.Of.Of.Sub].Name
	case *rule.FirstSeen:
		return r.Subs[n.Of.Sub].Name
	case *rule.FollowedBy:
		return pair(n.A, ", then ", n.B, n.Within)
	case *rule.NotFollowedBy:
		return pair(n.A, ", then no ", n.B, n.Within)
	case *rule.AndNot:
		if n.Before {
			return pair(n.A, " and no ", n.B, n.Within) + " before"
		}
		return pair(n.A, " and no ", n.B, n.Within) + " around it"
	case *rule.And:
		return list(n.Of, " and ", " within "+span(n.Within))
	case *rule.Or:
		return list(n.Of, " or ", "")
	case *rule.Span:
		return nodeText(r, n.Of, depth+1) + " in no more than " + span(n.Within)
	case *rule.Join:
		return nodeText(r, n.Of, depth) + joinText(r, n.On)
	}
	return ""
}

func joinText(r *rule.Rule, on []rule.Compare) string {
	var b strings.Builder
	for i, c := range on {
		lead := ", where "
		if i > 0 {
			lead = " and "
		}
		fmt.Fprintf(&b, "%s%s.%s %s %s.%s", lead, r.Subs[c.A].Name, c.AField, c.Op, r.Subs[c.B].Name, c.BField)
	}
	return b.String()
}

// span is a duration without zeros behind it: "10m", not "10m0s".
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
