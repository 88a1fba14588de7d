package fortisiem

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
)

// functions are the aggregate functions by their names there; percentiles have their rank in the name.
var functions = map[string]string{"SUM": "sum", "AVG": "avg", "MIN": "min", "MAX": "max"}

var percentileForm = regexp.MustCompile(`(?i)^PCTILE([0-9]+)$`)

// having reads a GroupEvtConstr: conditions of a group, joined by AND.
type having struct {
	*scanner
	place *place
	stat  bool // what was learnt is asked for
}

// having adds what a GroupEvtConstr says to a sub-pattern. COUNT(*) >= 1 alone says nothing.
func (p *place) having(s *rule.FormSub, text string) error {
	sc, err := scan(text)
	if err != nil {
		return err
	}
	h := having{scanner: sc, place: p}
	for len(h.words) > 0 {
		c, err := h.condition()
		if err != nil {
			return err
		}
		s.Having = append(s.Having, c)
		if len(h.words) > 0 && !h.accept("AND") {
			return fmt.Errorf("%q where AND or the end was expected", h.words[0].text)
		}
	}
	if len(s.Having) == 1 && s.Having[0].Func == "count" && s.Having[0].Op == ">=" && s.Having[0].Threshold == "1" {
		s.Having = nil
	}
	if h.stat {
		s.Baseline = &rule.FormBaseline{Slots: string(rule.SlotHour)}
	}
	return nil
}

func (h *having) condition() (c rule.FormHaving, err error) {
	open := h.accept("(")
	if c.Func, c.Fields, c.Rank, err = h.function(); err != nil {
		return c, err
	}
	op, err := h.next()
	if err != nil {
		return c, err
	}
	c.Op = map[string]string{"=": "==", "<>": "!=", "!=": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}[op.text]
	if c.Op == "" {
		return c, fmt.Errorf("%q where a comparison was expected", op.text)
	}
	c.Threshold, err = h.threshold()
	if err == nil && open && !h.accept(")") {
		err = fmt.Errorf("a parenthesis is not closed")
	}
	return c, err
}

// function reads COUNT(*), COUNT(DISTINCT a), or another of one attribute.
func (h *having) function() (name string, fields []string, rank string, err error) {
	w, err := h.next()
	if err != nil {
		return "", nil, "", err
	}
	fn := strings.ToUpper(w.text)
	if !h.accept("(") {
		return "", nil, "", fmt.Errorf("%q where a function was expected", w.text)
	}
	switch {
	case fn == "COUNT" && h.accept("*"):
		name = "count"
	case fn == "COUNT" && h.accept("DISTINCT"):
		name = "distinct"
	case functions[fn] != "":
		name = functions[fn]
	case percentileForm.MatchString(fn):
		name, rank = "percentile", percentileForm.FindStringSubmatch(fn)[1]
	default:
		return "", nil, "", fmt.Errorf("function %s has no counterpart", w.text)
	}
	for name != "count" {
		a, err := h.next()
		if err != nil {
			return "", nil, "", err
		}
		f, ok := field(a.text)
		if !ok {
			h.place.changes("attribute %s: the table has no field for it; the name is kept", a.text)
		}
		if fields = append(fields, f); !h.accept(",") {
			break
		}
	}
	if !h.accept(")") {
		return "", nil, "", fmt.Errorf("%s(: a parenthesis is not closed", fn)
	}
	return name, fields, rank, nil
}

// threshold reads a number, or an expression of numbers and what was learnt.
func (h *having) threshold() (string, error) {
	var out []string
	for open := 0; ; {
		switch {
		case h.accept("("):
			out, open = append(out, "("), open+1
			continue
		case h.peek(0) == ")" && open > 0:
			h.accept(")")
			out, open = append(out, ")"), open-1
		default:
			operand, err := h.operand()
			if err != nil {
				return "", err
			}
			out = append(out, operand)
		}
		for open > 0 && h.accept(")") {
			out, open = append(out, ")"), open-1
		}
		op := h.peek(0)
		if op == "" || !strings.Contains("+-*/", op) {
			if open > 0 {
				return "", fmt.Errorf("a parenthesis is not closed")
			}
			return join(out), nil
		}
		h.accept(op)
		out = append(out, op)
	}
}

// join writes an expression with spaces around its operators.
func join(words []string) string {
	var b strings.Builder
	for _, w := range words {
		switch w {
		case "+", "-", "*", "/":
			b.WriteString(" " + w + " ")
		default:
			b.WriteString(w)
		}
	}
	return b.String()
}

func (h *having) operand() (string, error) {
	w, err := h.next()
	if err != nil {
		return "", err
	}
	if w.text == "-" { // of a number
		n, err := h.next()
		if err != nil {
			return "", err
		}
		w.text += n.text
	}
	if _, err := strconv.ParseFloat(w.text, 64); err == nil {
		return w.text, nil
	}
	stat := map[string]string{"STAT_AVG": "stat.mean", "STAT_STDDEV": "stat.std"}[strings.ToUpper(w.text)]
	if stat == "" || !h.accept("(") {
		return "", fmt.Errorf("%q where a number was expected", w.text)
	}
	h.stat = true
	if _, _, _, err := h.function(); err != nil {
		return "", err
	}
	if profile, ok := strings.CutPrefix(h.peek(0), ":"); ok {
		h.words = h.words[1:]
		h.place.note("%s: the profile %s is not looked up; what is learnt is the function that is compared, by hour", w.text, profile)
	}
	if !h.accept(")") {
		return "", fmt.Errorf("%s(: a parenthesis is not closed", w.text)
	}
	return stat, nil
}
