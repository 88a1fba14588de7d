package fortisiem

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
)

// scanner takes constraints apart into words.
type scanner struct {
	words []word
	depth int
	terms int
}

type word struct {
	text   string
	quoted bool
}

var wordForm = regexp.MustCompile(`^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|>=|<=|!=|<>|[=<>(),+*/]|[^\s"'=<>!(),*]+)`)

func scan(text string) (*scanner, error) {
	if len(text) > maxConstraint {
		return nil, fmt.Errorf("%d bytes, the limit is %d", len(text), maxConstraint)
	}
	s := &scanner{}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		w := wordForm.FindString(text)
		if w == "" {
			return nil, fmt.Errorf("it cannot be read from %q on", text[:min(len(text), 20)])
		}
		text = text[len(w):]
		if w[0] == '"' || w[0] == '\'' {
			s.words = append(s.words, word{unquote(w[1 : len(w)-1]), true})
		} else {
			s.words = append(s.words, word{w, false})
		}
	}
	return s, nil
}

// unquote takes a backslash before a quote or another backslash away.
func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`"'\`, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func quote(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }

func (s *scanner) peek(at int) string {
	if at >= len(s.words) || s.words[at].quoted {
		return ""
	}
	return s.words[at].text
}

// accept takes words that stand next, whatever their case.
func (s *scanner) accept(words ...string) bool {
	for i, w := range words {
		if !strings.EqualFold(s.peek(i), w) {
			return false
		}
	}
	s.words = s.words[len(words):]
	return true
}

func (s *scanner) next() (word, error) {
	if len(s.words) == 0 {
		return word{}, fmt.Errorf("it ends where more was expected")
	}
	w := s.words[0]
	s.words = s.words[1:]
	return w, nil
}

// constraint reads a SingleEvtConstr. What has no counterpart is reported and left out.
type constraint struct {
	*scanner
	report func(string, ...any)
	part   []string // the modifier of a test that looks at a part of a time
}

// hourOf is the function of an attribute that has a modifier here.
const hourOf = "HourOfDay"

func (p *place) constraint(text string) (rule.FormGroup, error) {
	s, err := scan(text)
	if err != nil {
		return rule.FormGroup{}, err
	}
	c := constraint{scanner: s, report: p.changes}
	if len(s.words) == 0 {
		return rule.FormGroup{}, nil
	}
	row, err := c.or()
	if err == nil && len(s.words) > 0 {
		err = fmt.Errorf("%q where AND, OR or the end was expected", s.words[0].text)
	}
	if err != nil || row == nil {
		return rule.FormGroup{}, err
	}
	if row.Group != nil && !row.Not {
		return *row.Group, nil
	}
	return rule.FormGroup{Rows: []rule.FormRow{*row}}, nil
}

// or and and return nil when nothing is left of what they read.
func (c *constraint) or() (*rule.FormRow, error) {
	return c.several("OR", true, func() (*rule.FormRow, error) { return c.several("AND", false, c.not) })
}

func (c *constraint) several(op string, any bool, of func() (*rule.FormRow, error)) (*rule.FormRow, error) {
	g := rule.FormGroup{Any: any}
	for {
		r, err := of()
		if err != nil {
			return nil, err
		}
		if r != nil && r.Group != nil && !r.Not && r.Group.Any == any {
			g.Rows = append(g.Rows, r.Group.Rows...)
		} else if r != nil {
			g.Rows = append(g.Rows, *r)
		}
		if !c.accept(op) {
			break
		}
	}
	if any {
		g.Rows = together(g.Rows)
	}
	switch len(g.Rows) {
	case 0:
		return nil, nil
	case 1:
		return &g.Rows[0], nil
	}
	return &rule.FormRow{Group: &g}, nil
}

// together makes alternatives of one field one row with several values.
func together(rows []rule.FormRow) []rule.FormRow {
	first := rows[:min(1, len(rows))]
	for i := 1; i < len(rows); i++ {
		r := &rows[i]
		if r.Group != nil || r.Field != first[0].Field || slices.Contains(r.Modifiers, "neq") || slices.Contains(r.Modifiers, "exists") ||
			!slices.Equal(r.Modifiers, first[0].Modifiers) {
			return rows
		}
	}
	if len(rows) < 2 || first[0].Group != nil {
		return rows
	}
	one := first[0]
	one.Values = nil
	for i := range rows {
		one.Values = append(one.Values, rows[i].Values...)
	}
	return []rule.FormRow{one}
}

func (c *constraint) not() (*rule.FormRow, error) {
	if c.depth++; c.depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	defer func() { c.depth-- }()
	if c.accept("NOT") {
		r, err := c.not()
		if err != nil || r == nil {
			return nil, err
		}
		if r.Group == nil || r.Not {
			return &rule.FormRow{Not: true, Group: &rule.FormGroup{Rows: []rule.FormRow{*r}}}, nil
		}
		return &rule.FormRow{Not: true, Group: r.Group}, nil
	}
	if c.accept("(") {
		r, err := c.or()
		if err == nil && !c.accept(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return r, err
	}
	if c.terms++; c.terms > maxTerms {
		return nil, fmt.Errorf("more than %d tests", maxTerms)
	}
	return c.test()
}

// test reads one comparison.
func (c *constraint) test() (*rule.FormRow, error) {
	name, err := c.next()
	if err != nil {
		return nil, err
	}
	if name.quoted || !attributeForm.MatchString(name.text) {
		return nil, fmt.Errorf("%q where an attribute was expected", name.text)
	}
	c.part = nil
	if c.accept("(") {
		attr := c.peek(0)
		if !strings.EqualFold(name.text, hourOf) || c.peek(1) != ")" || !attributeForm.MatchString(attr) {
			c.skip()
			c.report("%s(…) is computed from an attribute; the test is left out", name.text)
			return nil, c.rest()
		}
		if c.part = []string{"hour"}; strings.EqualFold(attr, "phRecvTime") { // rules go by that there, and by event time here
			attr = "deviceTime"
		}
		c.words, name.text = c.words[2:], attr
	}
	op, err := c.operator()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name.text, err)
	}
	switch op {
	case "IS NULL", "IS NOT NULL":
		return c.row(name.text, strconv.FormatBool(op == "IS NOT NULL"), "exists"), nil
	case "BETWEEN", "NOT BETWEEN":
		return c.between(name.text, op == "NOT BETWEEN")
	}
	values, err := c.values()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", name.text, op, err)
	}
	return c.compare(name.text, op, values)
}

var (
	attributeForm = regexp.MustCompile(`^[A-Za-z_@][A-Za-z0-9_.@-]*$`)
	bareWord      = regexp.MustCompile(`^[a-z]+[A-Z][A-Za-z0-9]*$`) // as attributes are written
)

// operators are tried in this order: the longer ones first.
var operators = [...]struct {
	words []string
	op    string
}{
	{[]string{"IS", "NOT", "NULL"}, "IS NOT NULL"},
	{[]string{"IS", "NULL"}, "IS NULL"},
	{[]string{"NOT", "IN"}, "NOT IN"},
	{[]string{"NOT", "CONTAIN"}, "NOT CONTAIN"},
	{[]string{"NOT", "REGEXP"}, "NOT REGEXP"},
	{[]string{"NOT", "BETWEEN"}, "NOT BETWEEN"},
	{[]string{"IN"}, "IN"},
	{[]string{"CONTAIN"}, "CONTAIN"},
	{[]string{"REGEXP"}, "REGEXP"},
	{[]string{"BETWEEN"}, "BETWEEN"},
	{[]string{"IS", "NOT"}, "!="},
	{[]string{"IS"}, "="},
	{[]string{"="}, "="},
	{[]string{"!="}, "!="},
	{[]string{"<>"}, "!="},
	{[]string{">="}, ">="},
	{[]string{"<="}, "<="},
	{[]string{">"}, ">"},
	{[]string{"<"}, "<"},
}

// operator reads the words between an attribute and its value.
func (c *constraint) operator() (string, error) {
	for _, o := range operators {
		if c.accept(o.words...) {
			return o.op, nil
		}
	}
	w, _ := c.next()
	return "", fmt.Errorf("%q where an operator was expected", w.text)
}

// values reads one value, or several in parentheses.
func (c *constraint) values() (out []word, err error) {
	if !c.accept("(") {
		w, err := c.next()
		if err == nil && !w.quoted && c.accept("(") {
			c.skip()
			c.report("%s(…) is computed; the test is left out", w.text)
			return nil, nil
		}
		return []word{w}, err
	}
	for {
		w, err := c.next()
		if err != nil {
			return nil, err
		}
		if out = append(out, w); c.accept(")") {
			return out, nil
		}
		if !c.accept(",") {
			return nil, fmt.Errorf("a list that does not end")
		}
	}
}

// skip passes over what is left of a parenthesis.
func (c *constraint) skip() {
	for open := 1; len(c.words) > 0; {
		w := c.words[0]
		c.words = c.words[1:]
		switch {
		case w.quoted:
		case w.text == "(":
			open++
		case w.text == ")":
			open--
		}
		if open == 0 {
			return
		}
	}
}

// rest passes over the operator and the value of a test that is left out.
func (c *constraint) rest() error {
	op, err := c.operator()
	if err != nil || strings.HasSuffix(op, "NULL") {
		return err
	}
	_, err = c.values()
	if err == nil && strings.HasSuffix(op, "BETWEEN") && c.accept("AND") {
		_, err = c.values()
	}
	return err
}

func (c *constraint) row(attr, value string, modifiers ...string) *rule.FormRow {
	r := row(c.field(attr), value, modifiers...)
	return &r
}

// field names an attribute as it is called here.
func (c *constraint) field(attr string) string {
	f, ok := field(attr)
	if !ok {
		c.report("attribute %s: the table has no field for it; the name is kept", attr)
	}
	return f
}

func (c *constraint) between(attr string, not bool) (*rule.FormRow, error) {
	values, err := c.values()
	if err == nil && len(values) == 1 {
		if !c.accept("AND") && !c.accept(",") {
			return nil, fmt.Errorf("%s BETWEEN: AND is missing", attr)
		}
		var high word
		high, err = c.next()
		values = append(values, high)
	}
	if err != nil || len(values) != 2 {
		return nil, fmt.Errorf("%s BETWEEN: want two values", attr)
	}
	if nets := between(values[0].text, values[1].text); nets != nil && c.part == nil {
		return negate([]rule.FormRow{{Field: c.field(attr), Modifiers: []string{"cidr"}, Values: nets}}, not), nil
	}
	if !number(values[0]) || !number(values[1]) {
		c.report("%s BETWEEN %s AND %s: a range of what is no number; the test is left out", attr, values[0].text, values[1].text)
		return nil, nil
	}
	above, below := "gte", "lte"
	if not {
		above, below = "gt", "lt"
		slices.Reverse(values)
	}
	g := rule.FormGroup{Any: not, Rows: []rule.FormRow{*c.row(attr, values[0].text, c.number(above)...), *c.row(attr, values[1].text, c.number(below)...)}}
	return &rule.FormRow{Group: &g}, nil
}

// number returns the modifiers of a test of a number.
func (c *constraint) number(cmp string) []string { return append(slices.Clone(c.part), cmp) }

// number reports whether a value is a finite number.
func number(w word) bool {
	f, err := strconv.ParseFloat(w.text, 64)
	return err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

// compare makes a row of a comparison.
func (c *constraint) compare(attr, op string, values []word) (*rule.FormRow, error) {
	if len(values) == 0 {
		return nil, nil
	}
	op, negated := strings.CutPrefix(op, "NOT ")
	if op == "!=" {
		op, negated = "=", true
	}
	var rows []rule.FormRow
	add := func(field, value string, modifiers ...string) {
		for i := range rows {
			if rows[i].Field == field && slices.Equal(rows[i].Modifiers, modifiers) && rows[i].Group == nil {
				rows[i].Values = append(rows[i].Values, &value)
				return
			}
		}
		rows = append(rows, row(field, value, modifiers...))
	}
	for _, v := range values {
		switch {
		case c.part == nil || strings.ContainsAny(op, "<>"):
		case op != "=" && op != "IN" || !number(v):
			c.report("%s of a time %s %s: no number; the test is left out", c.part[0], op, v.text)
			continue
		default:
			add(c.field(attr), v.text, c.part...)
			continue
		}
		switch op {
		case "CONTAIN":
			add(c.field(attr), literal(v.text), "contains")
		case "REGEXP":
			if _, err := regexp.Compile(v.text); err != nil {
				c.report("%s REGEXP %q: %v; the test is left out", attr, v.text, err)
				continue
			}
			add(c.field(attr), v.text, "re")
		case ">", ">=", "<", "<=":
			if !number(v) {
				c.report("%s %s %s: no number; the test is left out", attr, op, v.text)
				continue
			}
			add(c.field(attr), v.text, c.number(map[string]string{">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}[op])...)
		default:
			if g := c.equal(attr, v, add); g != nil {
				rows = append(rows, *g)
			}
		}
	}
	return negate(rows, negated), nil
}

// equal adds what = with one value means; a kind of event is several rows.
func (c *constraint) equal(attr string, v word, add func(field, value string, modifiers ...string)) *rule.FormRow {
	name := c.field(attr)
	if list, ok := strings.CutPrefix(v.text, "Group@"); ok && !v.quoted {
		add(name, list, "in")
		return nil
	}
	if _, fired := cutFold(v.text, rulePrefix); strings.EqualFold(attr, "eventType") && !fired {
		if of := rows(v.text); len(of) == 1 {
			return &of[0]
		} else if of != nil {
			return &rule.FormRow{Group: &rule.FormGroup{Rows: of}}
		}
		c.report("event type %s: the table has no fields for it; it is looked for in %s", v.text, name)
	}
	if _, err := netip.ParsePrefix(v.text); err == nil && !v.quoted {
		add(name, v.text, "cidr")
		return nil
	}
	if low, high, ok := strings.Cut(v.text, "-"); ok && !v.quoted {
		if nets := between(low, high); nets != nil {
			for _, net := range nets {
				add(name, *net, "cidr")
			}
			return nil
		}
	}
	if other, known := field(v.text); known && !v.quoted {
		add(name, other, "fieldref")
		return nil
	} else if !v.quoted && bareWord.MatchString(v.text) {
		c.report("%s = %s: it has no quotes, and the table has no such attribute; it is taken as a text", attr, v.text)
	}
	add(name, literal(v.text))
	return nil
}

// negate puts alternatives into one row. When none of them shall hold, the field is there and has another value.
func negate(rows []rule.FormRow, not bool) *rule.FormRow {
	one := len(rows) == 1
	fields := !slices.ContainsFunc(rows, func(r rule.FormRow) bool { return r.Group != nil })
	switch {
	case len(rows) == 0:
		return nil
	case not && fields:
		for i := range rows {
			rows[i].Modifiers = append(rows[i].Modifiers, "neq")
		}
	case not && one:
		return &rule.FormRow{Group: rows[0].Group, Not: true}
	}
	if one {
		return &rows[0]
	}
	return &rule.FormRow{Group: &rule.FormGroup{Any: !not || !fields, Rows: rows}, Not: not && !fields}
}
