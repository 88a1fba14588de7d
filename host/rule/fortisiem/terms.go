package fortisiem

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
)

// terms writes selections as constraints.
type terms struct {
	*export
	place *place
}

// group writes a selection; outer is one without an operator around it.
func (t *terms) group(g *rule.FormGroup, outer bool) string {
	op, kinds, used := " AND ", map[int]string{}, map[int]bool{}
	if g.Any {
		op = " OR "
	} else {
		kinds, used = eventKinds(g.Rows)
	}
	var out []string
	for i := range g.Rows {
		if kinds[i] != "" {
			out = append(out, "eventType = "+quote(kinds[i]))
		}
		if used[i] {
			continue
		}
		if s := t.row(&g.Rows[i], outer && len(g.Rows) == 1); s != "" {
			out = append(out, s)
		}
	}
	if text := strings.Join(out, op); outer || len(out) < 2 {
		return text
	}
	return "(" + strings.Join(out, op) + ")"
}

// eventKinds returns the event types that rows select together, where the first of these rows stands, and all of them.
func eventKinds(rows []rule.FormRow) (kinds map[int]string, used map[int]bool) {
	kinds, used = map[int]string{}, map[int]bool{}
	for {
		name, of := named(rows, used)
		if name == "" {
			return kinds, used
		}
		first := len(rows)
		for i := range of {
			first, used[i] = min(first, i), true
		}
		kinds[first] = name
	}
}

func (t *terms) row(r *rule.FormRow, outer bool) string {
	switch {
	case r.Group == nil:
		return t.test(r)
	case r.Not:
		if of := t.group(r.Group, true); of != "" {
			return "NOT (" + of + ")"
		}
		return ""
	}
	return t.group(r.Group, outer)
}

// test writes a test of a field, "" when it cannot be said.
func (t *terms) test(r *rule.FormRow) string {
	mods := slices.Clone(r.Modifiers)
	take := func(name string) bool {
		i := slices.Index(mods, name)
		if i >= 0 {
			mods = slices.Delete(mods, i, i+1)
		}
		return i >= 0
	}
	not, every := take("neq"), take("all")
	if take("cased") {
		t.place.changes("%s: that case matters cannot be said", r.Field)
	}
	hour := take("hour")
	kind := strings.Join(mods, "|")
	attr := "rawEventMsg"
	if r.Field == rule.AnyField {
		t.place.changes("any field: only the record as received is looked at there")
	} else {
		attr = t.attribute(r.Field)
	}
	if hour {
		attr = hourOf + "(" + attr + ")"
	}
	var out, list []string
	for _, v := range r.Values {
		switch {
		case v == nil:
			out = append(out, attr+" IS NULL")
		case hour && kind == "":
			list = append(list, *v)
		case kind == "" || kind == "cidr" || kind == "in" || kind == "fieldref":
			if s := t.equal(r.Field, kind, *v); strings.HasPrefix(s, "REGEXP ") {
				out = append(out, attr+" "+s)
			} else {
				list = append(list, s)
			}
		default:
			if s := t.compare(r, kind, *v); s != "" {
				out = append(out, attr+" "+s)
			}
		}
	}
	switch {
	case len(list) == 1 && !every:
		sign := "="
		if strings.HasPrefix(list[0], "Group@") {
			sign, list[0] = "IN", "("+list[0]+")"
		}
		out = append([]string{attr + " " + sign + " " + list[0]}, out...)
	case len(list) > 0 && !every:
		out = append([]string{attr + " IN (" + strings.Join(list, ", ") + ")"}, out...)
	default:
		for _, s := range list {
			out = append(out, attr+" = "+s)
		}
	}
	return t.joined(r, attr, out, not, every)
}

// joined joins the tests of one row's values.
func (t *terms) joined(r *rule.FormRow, attr string, out []string, not, every bool) string {
	if len(out) == 0 {
		t.place.changes("%s|%s: the test cannot be said and is left out", r.Field, strings.Join(r.Modifiers, "|"))
		return ""
	}
	if not {
		for i := range out {
			out[i] = negated(attr, out[i])
		}
	}
	op := " OR "
	if every != not {
		op = " AND "
	}
	if len(out) == 1 {
		return out[0]
	}
	return "(" + strings.Join(out, op) + ")"
}

// negated writes that a field is there and a test of it does not hold.
func negated(attr, test string) string {
	op := strings.TrimPrefix(test, attr+" ")
	for _, o := range [...][2]string{
		{"= ", "!= "}, {"IN ", "NOT IN "}, {"CONTAIN ", "NOT CONTAIN "}, {"REGEXP ", "NOT REGEXP "}, {"IS NULL", "IS NOT NULL"},
	} {
		if rest, ok := strings.CutPrefix(op, o[0]); ok {
			return attr + " " + o[1] + rest
		}
	}
	return "(" + attr + " IS NOT NULL AND NOT (" + test + "))"
}

// equal writes a value that = or IN takes; one with wildcards is an expression.
func (t *terms) equal(field, kind, value string) string {
	switch kind {
	case "in":
		return "Group@" + value
	case "cidr":
		return value
	case "fieldref":
		return t.attribute(value)
	}
	if text, ok := exact(value); ok {
		return quote(text)
	}
	t.place.note("%s: %q has wildcards and is written as an expression", field, value)
	return "REGEXP " + quote(expression(value, true, true))
}

// compare writes an operator and its value.
func (t *terms) compare(r *rule.FormRow, kind, value string) string {
	text, plain := exact(value)
	sign, number := map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[kind]
	switch {
	case number:
		return sign + " " + value
	case kind == "exists":
		return map[bool]string{true: "IS NOT NULL", false: "IS NULL"}[value == "true"]
	case kind == "contains" && plain:
		return "CONTAIN " + quote(text)
	case kind == "contains" || kind == "startswith" || kind == "endswith":
		t.place.note("%s|%s: %q is written as an expression", r.Field, kind, value)
		return "REGEXP " + quote(expression(value, kind == "startswith", kind == "endswith"))
	case strings.HasPrefix(kind, "re"):
		flags := strings.ReplaceAll(strings.TrimPrefix(kind, "re"), "|", "")
		if flags != "" {
			return "REGEXP " + quote(fmt.Sprintf("(?%s)%s", flags, value))
		}
		return "REGEXP " + quote(value)
	}
	return ""
}
