package fortisiem

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
)

// pattern reads a PatternClause: sub-patterns, the operators between them, and what relates their attributes.
func (r *reading) pattern(e *element) error {
	if e == nil {
		return fmt.Errorf("no PatternClause")
	}
	n, err := strconv.Atoi(strings.TrimSpace(e.attr("window")))
	if err != nil || n <= 0 {
		return fmt.Errorf("PatternClause: window %q", e.attr("window"))
	}
	r.form.Window = seconds(n)
	var ops []operator
	for _, c := range e.of {
		switch c.name {
		case "SubPattern":
			if err := r.sub(c); err != nil {
				return err
			}
		case "Operator":
			op, ok := operatorNames[strings.ToUpper(c.attr("type"))]
			if !ok {
				return fmt.Errorf("line %d: Operator %q has no counterpart", c.line, c.attr("type"))
			}
			rank, _ := strconv.Atoi(c.attr("rank"))
			ops = append(ops, operator{op, rank})
		case "GlobalConstr":
			if err := r.global(c); err != nil {
				return fmt.Errorf("line %d: GlobalConstr: %w", c.line, err)
			}
		default:
			r.changes("PatternClause: element %s (line %d) has no counterpart", c.name, c.line)
		}
	}
	if len(r.form.Subs) == 0 || len(ops) != len(r.form.Subs)-1 {
		return fmt.Errorf("PatternClause: %d SubPattern and %d Operator elements", len(r.form.Subs), len(ops))
	}
	if len(ops) > 0 {
		x := r.combine(ops)
		r.form.Expr = &x
		if len(r.form.Join) == 0 {
			r.note("no GlobalConstr: sub-patterns are joined by their GroupByAttr, in order")
		}
	}
	return nil
}

// operator stands between two sub-patterns. Those of a lower rank bind first; of one rank, those on the left.
type operator struct {
	op   string
	rank int
}

var operatorNames = map[string]string{
	"FOLLOWED_BY": "->", "NOT_FOLLOWED_BY": "!->", "AND": "and", "OR": "or", "AND_NOT": "and not",
}

// combine makes an expression of the sub-patterns in their order.
func (r *reading) combine(ops []operator) rule.FormExpr {
	var of []rule.FormExpr
	for i := range r.form.Subs {
		of = append(of, rule.FormExpr{Sub: r.form.Subs[i].Name})
	}
	var ranks []int
	for _, o := range ops {
		ranks = append(ranks, o.rank)
	}
	sort.Ints(ranks)
	for _, rank := range slices.Compact(ranks) {
		for i := 0; i < len(ops); {
			if ops[i].rank != rank {
				i++
				continue
			}
			a, op := of[i], ops[i].op
			if a.Op == op && (op == "and" || op == "or") {
				a.Of = append(slices.Clip(a.Of), of[i+1])
			} else {
				a = rule.FormExpr{Op: op, Of: []rule.FormExpr{a, of[i+1]}}
			}
			of[i] = a
			of, ops = slices.Delete(of, i+1, i+2), slices.Delete(ops, i, i+1)
		}
	}
	return of[0]
}

// global reads a GlobalConstr: "A.user = B.user AND A.srcIpAddr != B.srcIpAddr".
func (r *reading) global(e *element) error {
	s, err := scan(e.text)
	if err != nil {
		return err
	}
	for len(s.words) > 0 {
		open := s.accept("(")
		a, err := s.next()
		if err != nil {
			return err
		}
		op, err := s.next()
		if err != nil {
			return err
		}
		b, err := s.next()
		if err != nil {
			return err
		}
		sign := map[string]string{"=": "==", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}[op.text]
		left, lok := r.dotted(a.text)
		right, rok := r.dotted(b.text)
		if sign == "" || !lok || !rok || open && !s.accept(")") {
			return fmt.Errorf("%s %s %s cannot be read", a.text, op.text, b.text)
		}
		r.form.Join = append(r.form.Join, left+" "+sign+" "+right)
		if len(s.words) > 0 && !s.accept("AND") {
			return fmt.Errorf("%q where AND or the end was expected", s.words[0].text)
		}
	}
	return nil
}

// dotted reads "Filter.user".
func (r *reading) dotted(text string) (string, bool) {
	sub, attr, ok := strings.Cut(text, ".")
	name := r.names[strings.ToLower(sub)]
	f, mapped := field(attr)
	if ok && name != "" && !mapped {
		r.changes("GlobalConstr: attribute %s: the table has no field for it; the name is kept", attr)
	}
	return name + "." + f, ok && name != ""
}
