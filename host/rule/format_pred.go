package rule

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// simple returns a predicate without parts that always or never hold; nil when it always holds.
func simple(p Pred) Pred {
	if p, is := constant(p); !is {
		return p
	} else if all, ok := p.(AllOf); ok && len(all) == 0 {
		return nil
	}
	return AnyOf{}
}

// constant simplifies a predicate. It reports whether the result is AllOf{}, which always holds, or AnyOf{}, which never does.
func constant(p Pred) (Pred, bool) {
	switch p := p.(type) {
	case AllOf:
		return reduced(p, false)
	case AnyOf:
		if _, ok := orMissing(p); ok {
			return p, false
		}
		return reduced(p, true)
	case Not:
		of, is := constant(p.Of)
		if !is {
			return Not{of}, false
		}
		if _, always := of.(AllOf); always {
			return AnyOf{}, true
		}
		return AllOf{}, true
	case *Test:
		if p.Op == OpMatch && !slices.ContainsFunc(p.Patterns, func(q Pattern) bool { return len(q) > 0 }) {
			return AnyOf{}, true // events have no empty values
		}
	}
	return p, false
}

func reduced(list []Pred, any bool) (Pred, bool) {
	var kept []Pred
	for _, p := range list {
		q, is := constant(p)
		if _, never := q.(AnyOf); is && never != any { // it decides
			return q, true
		}
		if !is {
			kept = append(kept, q)
		}
	}
	if any {
		return AnyOf(kept), len(kept) == 0
	}
	return AllOf(kept), len(kept) == 0
}

// alone takes a predicate out of the lists that have nothing but it.
func alone(p Pred) Pred {
	for {
		switch of := p.(type) {
		case AllOf:
			if len(of) != 1 {
				return p
			}
			p = of[0]
		case AnyOf:
			if len(of) != 1 {
				return p
			}
			p = of[0]
		default:
			return p
		}
	}
}

// group makes rows of a predicate. What stands in one of its kind goes into it.
func (w *formWriter) group(p Pred) *FormGroup {
	var list []Pred
	any := false
	switch p := alone(p).(type) {
	case AllOf:
		list = p
	case AnyOf:
		if list, any = p, true; len(p) == 0 {
			w.fail("a selection that no event passes")
		}
	default:
		return &FormGroup{Rows: []FormRow{w.row(p)}}
	}
	g := &FormGroup{Any: any}
	if row, ok := w.single(p); ok {
		return &FormGroup{Rows: []FormRow{row}}
	}
	for _, of := range list {
		row := w.row(of)
		if row.Group != nil && !row.Not && row.Group.Any == any {
			g.Rows = append(g.Rows, row.Group.Rows...)
		} else {
			g.Rows = append(g.Rows, row)
		}
	}
	return g
}

// single makes one row of what a modifier or null makes two tests of.
func (w *formWriter) single(p Pred) (FormRow, bool) {
	switch p := alone(p).(type) {
	case AllOf:
		return w.otherValue(p)
	case AnyOf:
		return w.orMissing(p)
	}
	return FormRow{}, false
}

func (w *formWriter) row(p Pred) FormRow {
	if row, ok := w.single(p); ok {
		return row
	}
	switch p := alone(p).(type) {
	case *Test:
		return w.test(p)
	case Not:
		return FormRow{Not: true, Group: w.group(p.Of)}
	}
	return FormRow{Group: w.group(p)}
}

// otherValue makes one row of what neq makes: the field is there, and another test of it does not hold.
func (w *formWriter) otherValue(p AllOf) (FormRow, bool) {
	if len(p) != 2 {
		return FormRow{}, false
	}
	there, ok := p[0].(*Test)
	not, negated := p[1].(Not)
	if !ok || !negated || there.Op != OpExists || there.Absent || there.Cased || there.Every {
		return FormRow{}, false
	}
	var row FormRow
	switch of := not.Of.(type) {
	case *Test:
		if of.Field != there.Field {
			return FormRow{}, false
		}
		row = w.test(of)
	case AnyOf:
		if row, ok = w.orMissing(of); !ok || row.Field != fieldText(there.Field) {
			return FormRow{}, false
		}
	default:
		return FormRow{}, false
	}
	row.Modifiers = append(row.Modifiers, "neq")
	return row, true
}

// orMissing returns the test of what null, or an empty text, among other values makes: a test of them, or the field is
// missing.
func orMissing(p AnyOf) (*Test, bool) {
	if len(p) != 2 {
		return nil, false
	}
	t, ok := p[0].(*Test)
	missing, both := p[1].(*Test)
	if !ok || !both || t.Op != OpMatch || t.Every || t.Field == "" || missing.Op != OpExists || !missing.Absent ||
		missing.Cased || missing.Every || missing.Field != t.Field {
		return nil, false
	}
	_, before, after := ends(t.Patterns)
	return t, !before && !after
}

// orMissing makes one row of them.
func (w *formWriter) orMissing(p AnyOf) (FormRow, bool) {
	t, ok := orMissing(p)
	if !ok {
		return FormRow{}, false
	}
	row := w.test(t)
	if empty := ""; slices.ContainsFunc(t.Patterns, func(q Pattern) bool { return len(q) == 0 }) {
		row.Values = append(row.Values, &empty)
	} else {
		row.Values = append(row.Values, nil)
	}
	return row, true
}

func fieldText(name string) string {
	if name == "" {
		return AnyField
	}
	return name
}

// test writes a test with the modifiers that make an equal one.
func (w *formWriter) test(t *Test) FormRow {
	row := FormRow{Field: fieldText(t.Field)}
	if t.Field != "" && !validField(t.Field) {
		w.fail("field %q", t.Field)
	}
	add := func(s string) { row.Values = append(row.Values, &s) }
	mod := func(list ...string) { row.Modifiers = append(row.Modifiers, list...) }
	switch t.Op {
	case OpMatch:
		mod(w.patterns(t, add)...)
	case OpRegexp:
		mod("re")
		for _, re := range t.Regexps {
			add(re.String())
		}
	case OpCIDR:
		mod("cidr")
		for _, net := range t.Nets {
			add(net.String())
		}
	case OpNumber:
		for name, cmp := range cmps {
			if cmp == t.Cmp {
				mod(name)
			}
		}
		if t.Part != "" {
			mod(t.Part)
		} else if t.Cmp == "==" {
			w.fail("field %s: equality of numbers", t.Field)
		}
		for _, n := range t.Number {
			add(numberText(n))
		}
	case OpExists:
		mod("exists")
		add(map[bool]string{true: "false", false: "true"}[t.Absent])
	case OpField:
		mod("fieldref")
		mod(placeName(t.Place)...)
		for _, ref := range t.Refs {
			add(ref)
		}
	case OpList:
		mod("in")
		for _, name := range t.Lists {
			add(name)
		}
	}
	if t.Cased {
		mod("cased")
	}
	if t.Every {
		mod("all")
	}
	return row
}

func placeName(p Place) []string {
	switch p {
	case Prefix:
		return []string{"startswith"}
	case Suffix:
		return []string{"endswith"}
	case Inside:
		return []string{"contains"}
	}
	return nil
}

// ends returns the patterns that are not empty, which match nothing, and whether all of them have a wildcard at the same
// end, which a modifier can say.
func ends(all []Pattern) (list []Pattern, before, after bool) {
	list = slices.DeleteFunc(slices.Clone(all), func(p Pattern) bool { return len(p) == 0 })
	before, after = len(list) > 0, len(list) > 0
	for _, p := range list {
		before = before && len(p) > 1 && p[0].Wild == AnyRun
		after = after && len(p) > 1 && p[len(p)-1].Wild == AnyRun
	}
	if before && after && slices.ContainsFunc(list, func(p Pattern) bool { return len(p) < 3 }) {
		after = false // one wildcard is not both
	}
	return list, before, after
}

// patterns writes patterns, those that have wildcards at the same ends with a modifier in place of them.
func (w *formWriter) patterns(t *Test, add func(string)) []string {
	list, before, after := ends(t.Patterns)
	for _, p := range list {
		if before {
			p = p[1:]
		}
		if after {
			p = p[:len(p)-1]
		}
		text := p.String()
		if !utf8.ValidString(text) {
			w.fail("field %s: %q is not UTF-8", t.Field, text)
		}
		add(text)
	}
	switch {
	case before && after:
		return placeName(Inside)
	case after:
		return placeName(Prefix)
	case before:
		return placeName(Suffix)
	}
	return nil
}

// String writes the pattern so that ParsePattern reads it.
func (p Pattern) String() string {
	var b strings.Builder
	for i, t := range p {
		if t.Wild != 0 {
			b.WriteByte(t.Wild)
			continue
		}
		for j := 0; j < len(t.Text); j++ {
			c := t.Text[j]
			switch c {
			case AnyRun, AnyOne:
				b.WriteByte('\\')
			case '\\':
				next := byte(0)
				if j+1 < len(t.Text) {
					next = t.Text[j+1]
				} else if i+1 < len(p) {
					next = p[i+1].Wild
					if next == 0 && p[i+1].Text != "" {
						next = p[i+1].Text[0]
					}
				}
				if next == '\\' || next == AnyRun || next == AnyOne {
					b.WriteByte('\\')
				}
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}
