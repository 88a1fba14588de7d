package rule

import (
	"regexp"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// expression parses the expr of a rule:
//
//	expr = and { "or" and }
//	and  = seq { "and" [ "not" [ "before" ] ] seq [ "within" duration ] }
//	seq  = term { ( "->" | "!->" ) term [ "within" duration ] }
//	term = sub | "(" expr ")" [ "span" duration ]
type expression struct {
	r      *reader
	at     ast.Node
	toks   []string
	subs   []Sub
	window time.Duration
	latest bool
	depth  int
}

// reservedSubs are the words of the grammar, and the name of the sub-pattern that clears.
var reservedSubs = []string{"and", "or", "not", "before", "within", "span", ClearSub}

var exprTokens = regexp.MustCompile(`\s*(!->|->|\(|\)|[A-Za-z0-9_.+-]*[A-Za-z0-9_.]|\S)`)

func tokenize(s string) []string {
	var out []string
	for _, m := range exprTokens.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	return out
}

func (x *expression) peek() string {
	if len(x.toks) == 0 {
		return ""
	}
	return x.toks[0]
}

func (x *expression) next() string {
	t := x.peek()
	if t != "" {
		x.toks = x.toks[1:]
	}
	return t
}

func (x *expression) accept(word string) bool {
	if x.peek() != word {
		return false
	}
	x.next()
	return true
}

func (x *expression) parse() Node {
	n := x.or()
	if t := x.peek(); t != "" {
		x.r.fail(x.at, `such as "fail -> ok within 10m"`, "expr: unexpected %q", t)
	}
	return n
}

func (x *expression) or() Node {
	of := []Node{x.and()}
	for x.accept("or") {
		of = append(of, x.and())
	}
	if len(of) == 1 {
		return of[0]
	}
	return &Or{Of: of}
}

// and reads conjunctions. What stands before one within is one conjunction: "a and b and c within 5m".
func (x *expression) and() Node {
	of := []Node{x.seq()}
	for x.accept("and") {
		if x.accept("not") {
			a, before := x.together(of), x.accept("before")
			b := x.seq()
			of = []Node{&AndNot{A: a, B: b, Before: before, Within: x.within("and not")}}
			continue
		}
		if of = append(of, x.seq()); x.peek() == "within" {
			of = []Node{x.together(of)}
		}
	}
	return x.together(of)
}

func (x *expression) together(of []Node) Node {
	if len(of) == 1 {
		return of[0]
	}
	return &And{Of: of, Within: x.within("and")}
}

func (x *expression) seq() Node {
	n := x.term()
	for x.peek() == "->" || x.peek() == "!->" {
		op := x.next()
		b := x.term()
		if within := x.within(op); op == "->" {
			n = &FollowedBy{A: n, B: b, Within: within}
		} else {
			n = &NotFollowedBy{A: n, B: b, Within: within, Latest: x.latest}
		}
	}
	return n
}

// within reads the time of an operator; without one it is the rule's window.
func (x *expression) within(op string) time.Duration {
	d := x.window
	if x.accept("within") {
		d = x.duration("within")
	}
	if d <= 0 {
		x.r.fail(x.at, "write within 10m after it, or give the rule a window", "expr: %s has no window", op)
	}
	return d
}

func (x *expression) duration(what string) time.Duration {
	d, err := parseDuration(x.next())
	if err != nil || d <= 0 || d > MaxDuration {
		x.r.fail(x.at, "such as "+what+" 10m, at most "+FormatDuration(MaxDuration), "expr: %s what?", what)
	}
	return d
}

func (x *expression) term() Node {
	if x.depth++; x.depth > 8*MaxNestingDepth {
		x.r.fail(x.at, "", "expr: too long")
		return nil
	}
	t := x.next()
	if t == "(" {
		n := x.or()
		if !x.accept(")") {
			x.r.fail(x.at, "", "expr: a parenthesis is not closed")
		}
		if x.accept("span") {
			n = &Span{Of: n, Within: x.duration("span")}
		}
		return n
	}
	names := make([]string, 0, len(x.subs))
	for i := range x.subs {
		if x.subs[i].Name == t {
			return x.subs[i].Node()
		}
		names = append(names, x.subs[i].Name)
	}
	x.r.fail(x.at, suggest(t, names), "expr: %q is no sub-pattern", t)
	return nil
}

// tree reads expr and rearm into the rule's operators.
func (d *document) tree() Node {
	latest := false
	if e, ok := d.at["rearm"]; ok {
		latest = d.oneOf(e.val, "rearm", "latest") == "latest"
	}
	e, ok := d.at["expr"]
	root := d.rule.Subs[0].Node()
	if ok {
		text := d.text(e.val, "expr")
		if len(text) > maxExpressionBytes {
			d.fail(e.val, "", "expr of %d bytes, the limit is %d", len(text), maxExpressionBytes)
		}
		if d.err != nil {
			return nil
		}
		x := &expression{r: &d.reader, at: e.val, toks: tokenize(text), subs: d.rule.Subs, window: d.window, latest: latest}
		root = x.parse()
	} else if len(d.rule.Subs) != 1 {
		d.fail(d.at["subs"].node, `such as expr: "a -> b within 5m"`, "rule: %d subs and no expr", len(d.rule.Subs))
	}
	if d.err != nil {
		return nil
	}
	absence := false
	used := map[int]bool{}
	Walk(root, func(n Node) {
		switch n := n.(type) {
		case *Match:
			used[n.Sub] = true
		case *NotFollowedBy:
			absence = true
		}
	})
	if latest && !absence {
		d.fail(d.at["rearm"].node, "", "rearm without !->")
	}
	for i := range d.rule.Subs {
		if !used[i] {
			d.fail(e.val, "", "expr: sub %s is not used", d.rule.Subs[i].Name)
		}
	}
	return root
}

// Walk calls f with a node and all below it, each before what it is made of.
func Walk(n Node, f func(Node)) {
	if n == nil {
		return
	}
	f(n)
	for _, of := range parts(n) {
		Walk(of, f)
	}
}

// parts returns what a node is made of.
func parts(n Node) []Node {
	switch n := n.(type) {
	case *Aggregate:
		all := []Node{n.Of}
		for _, m := range n.Also {
			all = append(all, m)
		}
		return all
	case *Baseline:
		return []Node{n.Of}
	case *FirstSeen:
		return []Node{n.Of}
	case *FollowedBy:
		return []Node{n.A, n.B}
	case *NotFollowedBy:
		return []Node{n.A, n.B}
	case *AndNot:
		return []Node{n.A, n.B}
	case *And:
		return n.Of
	case *Or:
		return n.Of
	case *Span:
		return []Node{n.Of}
	case *Join:
		return []Node{n.Of}
	case *Emit:
		if n.Clear != nil && n.Clear.Of != nil {
			return []Node{n.Of, n.Clear.Of}
		}
		return []Node{n.Of}
	}
	return nil
}

// mark collects the sub-patterns that must occur: not those of which only the absence counts.
func mark(n Node, into map[int]bool) {
	switch n := n.(type) {
	case *Match:
		into[n.Sub] = true
	case *NotFollowedBy:
		mark(n.A, into)
	case *AndNot:
		mark(n.A, into)
	default:
		for _, of := range parts(n) {
			mark(of, into)
		}
	}
}
