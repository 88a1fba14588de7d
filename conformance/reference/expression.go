package reference

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The nodes of an expression.
type (
	node interface{}
	leaf int
	or   []node
	and  struct {
		of     []node
		within int64
		id     *int // tells nodes apart
	}
	followed struct {
		a, b   node
		within int64
		id     *int
	}
	absent struct { // a !-> b
		a, b   node
		within int64
	}
	without struct { // a and not b
		a, b   node
		within int64
		before bool
	}
	short struct { // (a) span W
		of     node
		within int64
	}
)

var words = regexp.MustCompile(`!->|->|[()]|[A-Za-z0-9_.]+`)

// expression reads section 6 by its grammar.
type expression struct {
	rule   *Rule
	toks   []string
	window int64
}

func (x *expression) peek() string {
	if len(x.toks) == 0 {
		return ""
	}
	return x.toks[0]
}

func (x *expression) take(word string) bool {
	if x.peek() != word {
		return false
	}
	x.toks = x.toks[1:]
	return true
}

func (x *expression) all() (node, error) {
	n, err := x.or()
	if err == nil && len(x.toks) > 0 {
		err = fmt.Errorf("%q", x.peek())
	}
	return n, err
}

func (x *expression) or() (node, error) {
	n, err := x.and()
	if err != nil || x.peek() != "or" {
		return n, err
	}
	any := or{n}
	for x.take("or") {
		if n, err = x.and(); err != nil {
			return nil, err
		}
		any = append(any, n)
	}
	return any, nil
}

// within reads the word and a duration; otherwise it is the rule's window.
func (x *expression) within() (int64, error) {
	if !x.take("within") {
		return x.window, nil
	}
	w := x.peek()
	x.take(w)
	return span(w)
}

func (x *expression) and() (node, error) {
	n, err := x.seq()
	if err != nil {
		return nil, err
	}
	for x.take("and") {
		if x.take("not") {
			w := without{a: n, before: x.take("before")}
			if w.b, err = x.seq(); err != nil {
				return nil, err
			}
			if w.within, err = x.within(); err != nil {
				return nil, err
			}
			n = w
			continue
		}
		b, err := x.seq()
		if err != nil {
			return nil, err
		}
		explicit := x.peek() == "within"
		w, err := x.within()
		if err != nil {
			return nil, err
		}
		// a and b and c within W is one conjunction: each but the last has no within of its own.
		if p, ok := n.(*pending); ok {
			p.of = append(p.of, b)
			p.within = w
			if explicit {
				n = and{p.of, p.within, new(int)}
			}
			continue
		}
		if explicit {
			n = and{[]node{n, b}, w, new(int)}
		} else {
			n = &pending{and{[]node{n, b}, w, new(int)}}
		}
	}
	return settle(n), nil
}

// pending is a conjunction that may go on.
type pending struct{ and }

func settle(n node) node {
	switch n := n.(type) {
	case *pending:
		for i := range n.of {
			n.of[i] = settle(n.of[i])
		}
		return n.and
	case without:
		n.a = settle(n.a)
		return n
	case and:
		for i := range n.of {
			n.of[i] = settle(n.of[i])
		}
		return n
	}
	return n
}

func (x *expression) seq() (node, error) {
	n, err := x.term()
	for err == nil && (x.peek() == "->" || x.peek() == "!->") {
		op := x.peek()
		x.take(op)
		var b node
		if b, err = x.term(); err != nil {
			break
		}
		var w int64
		if w, err = x.within(); err != nil {
			break
		}
		if op == "->" {
			n = followed{n, b, w, new(int)}
		} else {
			n = absent{n, b, w}
		}
	}
	return n, err
}

func (x *expression) term() (node, error) {
	if !x.take("(") {
		name := x.peek()
		x.take(name)
		i := x.rule.sub(name)
		if i < 0 {
			return nil, fmt.Errorf("%q is no sub", name)
		}
		return leaf(i), nil
	}
	n, err := x.or()
	if err == nil && !x.take(")") {
		err = fmt.Errorf("a parenthesis is not closed")
	}
	if err == nil && x.take("span") {
		w := x.peek()
		x.take(w)
		var d int64
		d, err = span(w)
		n = short{n, d}
	}
	return n, err
}

// condition is one comparison of `having`.
type condition struct {
	fn, op string
	fields []string
	rank   float64
	than   []string // of a threshold, in postfix order: numbers, stat.mean, stat.std, stat.n and operators
}

// eager: more events can only make it true.
func (c *condition) eager() bool {
	switch c.fn {
	case "count", "distinct", "sum", "max":
		return c.op == ">=" || c.op == ">"
	case "min":
		return c.op == "<=" || c.op == "<"
	}
	return false
}

var comparisonForm = regexp.MustCompile(`^\s*([a-z]+)\(([^)]*)\)\s*(>=|<=|==|!=|>|<)\s*(.+?)\s*$`)

func conditions(text string) (out []condition, err error) {
	for _, part := range strings.Split(text, " and ") {
		m := comparisonForm.FindStringSubmatch(part)
		if m == nil {
			return nil, fmt.Errorf("having %q", part)
		}
		c := condition{fn: m[1], op: m[3]}
		for _, f := range strings.Split(m[2], ",") {
			if f = strings.TrimSpace(f); f != "" {
				c.fields = append(c.fields, f)
			}
		}
		if c.fn == "percentile" {
			if c.rank, err = strconv.ParseFloat(c.fields[1], 64); err != nil {
				return nil, err
			}
			c.fields = c.fields[:1]
		}
		c.than = postfix(m[4])
		out = append(out, c)
	}
	return out, nil
}

var arithmetic = regexp.MustCompile(`[0-9.]+|stat\.[a-z]+|[-+*/()]`)

// postfix puts a sum of products into postfix order (Dijkstra's shunting yard).
func postfix(text string) (out []string) {
	rank := map[string]int{"+": 1, "-": 1, "*": 2, "/": 2}
	var ops []string
	for _, t := range arithmetic.FindAllString(text, -1) {
		switch {
		case t == "(":
			ops = append(ops, t)
		case t == ")":
			for ops[len(ops)-1] != "(" {
				out, ops = append(out, ops[len(ops)-1]), ops[:len(ops)-1]
			}
			ops = ops[:len(ops)-1]
		case rank[t] > 0:
			for len(ops) > 0 && rank[ops[len(ops)-1]] >= rank[t] {
				out, ops = append(out, ops[len(ops)-1]), ops[:len(ops)-1]
			}
			ops = append(ops, t)
		default:
			out = append(out, t)
		}
	}
	for len(ops) > 0 {
		out, ops = append(out, ops[len(ops)-1]), ops[:len(ops)-1]
	}
	return out
}

// threshold computes what a condition compares with.
func threshold(than []string, stat map[string]float64) float64 {
	var stack []float64
	for _, t := range than {
		n := len(stack)
		switch t {
		case "+":
			stack = append(stack[:n-2], stack[n-2]+stack[n-1])
		case "-":
			stack = append(stack[:n-2], stack[n-2]-stack[n-1])
		case "*":
			stack = append(stack[:n-2], stack[n-2]*stack[n-1])
		case "/":
			stack = append(stack[:n-2], stack[n-2]/stack[n-1])
		case "stat.mean", "stat.std", "stat.n":
			stack = append(stack, stat[t])
		default:
			v, err := strconv.ParseFloat(t, 64)
			if err != nil {
				panic("reference: threshold " + t)
			}
			stack = append(stack, v)
		}
	}
	return stack[0]
}
