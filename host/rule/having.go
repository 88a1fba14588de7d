package rule

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

var (
	functions  = []string{string(Count), string(Distinct), string(Sum), string(Avg), string(Min), string(Max), string(Percentile)}
	statistics = []string{"stat.mean", "stat.std", "stat.n"}

	wordForm    = regexp.MustCompile(`^[A-Za-z0-9_.@-]+`)
	numberForm  = regexp.MustCompile(`^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?`)
	compareForm = regexp.MustCompile(`^(>=|<=|==|!=|>|<)`)
	statForm    = regexp.MustCompile(`^[a-z]+\.[a-z]+`)
)

// having parses the conditions of a sub-pattern:
//
//	having    = condition { "and" condition }
//	condition = function "(" [ field { "," field } [ "," rank ] ] ")" operator sum
//	sum       = product { ( "+" | "-" ) product }      product = factor { ( "*" | "/" ) factor }
//	factor    = number | "stat.mean" | "stat.std" | "stat.n" | "(" sum ")"
type having struct {
	r     *reader
	at    ast.Node
	text  string
	rest  string // of text, what is not read yet
	depth int
}

const havingHint = `such as "count() >= 10" or "distinct(user.name) > 5"`

func (h *having) fail(hint, format string, args ...any) {
	h.r.fail(h.at, hint, "having: "+format, args...)
}

func (h *having) parse() (all []Condition) {
	if len(h.text) > maxExpressionBytes {
		h.fail("", "%d bytes, the limit is %d", len(h.text), maxExpressionBytes)
		return nil
	}
	h.rest = h.text
	for h.r.err == nil {
		all = append(all, h.condition())
		if strings.TrimSpace(h.rest) == "" {
			break
		}
		if h.take(wordForm) != "and" {
			h.fail(havingHint+"; several are joined by and", "%q", h.text)
		}
	}
	return all
}

// take reads what the form describes, "" when it does not stand next.
func (h *having) take(form *regexp.Regexp) string {
	h.rest = strings.TrimLeft(h.rest, " \t\n")
	s := form.FindString(h.rest)
	h.rest = h.rest[len(s):]
	return s
}

// accept reads one character if it stands next.
func (h *having) accept(c byte) bool {
	h.rest = strings.TrimLeft(h.rest, " \t\n")
	if h.rest == "" || h.rest[0] != c {
		return false
	}
	h.rest = h.rest[1:]
	return true
}

func (h *having) condition() (c Condition) {
	name := h.take(wordForm)
	if name == "" || !h.accept('(') {
		h.fail(havingHint, "%q", h.text)
		return c
	}
	if !contains(functions, name) {
		h.fail(suggest(name, functions), "unknown function %q", name)
		return c
	}
	c.Func = Func(name)
	var args []string
	for !h.accept(')') {
		if len(args) > 0 && !h.accept(',') || len(args) > MaxKeyFields {
			h.fail(havingHint, "arguments of %s", name)
			return c
		}
		args = append(args, h.take(wordForm))
	}
	h.arguments(&c, args)
	if c.Op = h.take(compareForm); c.Op == "" {
		h.fail(havingHint, "%q", h.text)
		return c
	}
	stat := h.sum()
	switch {
	case h.r.err != nil:
	case stat.Op == 0 && stat.Var == "":
		c.Threshold = stat.Value
	case !learns(stat):
		h.fail("write the number that it comes to", "arithmetic without a baseline")
	default:
		c.Stat = stat
	}
	return c
}

// arguments checks what stands between the parentheses of a function.
func (h *having) arguments(c *Condition, args []string) {
	if c.Func == Percentile && len(args) == 2 {
		rank, err := strconv.ParseFloat(args[1], 64)
		if err != nil || !(rank >= 0 && rank <= 100) {
			h.fail("percentile(field, 95)", "rank %q, want a number from 0 to 100", args[1])
		}
		c.Rank, args = rank, args[:1]
	} else if c.Func == Percentile {
		h.fail("percentile(field, 95)", "arguments of percentile")
	}
	for _, f := range args {
		if !validField(f) {
			h.fail("", "%s(%s): want a field name", c.Func, f)
		}
	}
	switch {
	case c.Func == Count && len(args) > 0:
		h.fail("distinct(field) counts values", "count() takes no argument")
	case c.Func != Count && len(args) == 0:
		h.fail("", "%s(): want a field name", c.Func)
	case c.Func != Distinct && len(args) > 1:
		h.fail("", "%s takes one field", c.Func)
	}
	c.Fields = args
}

func (h *having) sum() *Stat {
	a := h.product()
	for h.r.err == nil {
		switch {
		case h.accept('+'):
			a = &Stat{Op: '+', A: a, B: h.product()}
		case h.accept('-'):
			a = &Stat{Op: '-', A: a, B: h.product()}
		default:
			return a
		}
	}
	return a
}

func (h *having) product() *Stat {
	a := h.factor()
	for h.r.err == nil {
		switch {
		case h.accept('*'):
			a = &Stat{Op: '*', A: a, B: h.factor()}
		case h.accept('/'):
			a = &Stat{Op: '/', A: a, B: h.factor()}
		default:
			return a
		}
	}
	return a
}

func (h *having) factor() *Stat {
	if h.depth++; h.depth > 8*MaxNestingDepth {
		h.fail("", "too long")
		return &Stat{}
	}
	if h.accept('(') {
		s := h.sum()
		if !h.accept(')') {
			h.fail("", "a parenthesis is not closed")
		}
		return s
	}
	if n := h.take(numberForm); n != "" {
		v, err := strconv.ParseFloat(n, 64)
		if err != nil {
			h.fail("", "threshold %s: %v", n, err)
		}
		return &Stat{Value: v}
	}
	if name := h.take(statForm); contains(statistics, name) {
		return &Stat{Var: strings.TrimPrefix(name, "stat.")}
	} else if name != "" {
		h.fail(suggest(name, statistics), "threshold %q", name)
		return &Stat{}
	}
	h.fail("a number, or with baseline such as 3*stat.std + stat.mean", "threshold %q is not a number", strings.TrimSpace(h.rest))
	return &Stat{}
}

// learns reports whether an expression speaks of what was learnt.
func learns(s *Stat) bool {
	if s.Op == 0 {
		return s.Var != ""
	}
	return learns(s.A) || learns(s.B)
}
