package rule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

var durationForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(ms|s|m|h|d|w)([0-9]+(\.[0-9]+)?(ms|s|m|h))*$`)

// parseDuration reads 90s, 10m, 1h30m, 7d, 2w.
func parseDuration(s string) (time.Duration, error) {
	if !durationForm.MatchString(s) {
		return 0, fmt.Errorf("duration %q", s)
	}
	unit := time.Duration(0)
	switch {
	case strings.HasSuffix(s, "d"):
		unit = 24 * time.Hour
	case strings.HasSuffix(s, "w"):
		unit = 7 * 24 * time.Hour
	default:
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseFloat(s[:len(s)-1], 64)
	if err != nil || n > 10000 {
		return 0, fmt.Errorf("duration %q", s)
	}
	return time.Duration(n * float64(unit)), nil
}

// duration reads a duration above zero and not above limit.
func (r *reader) duration(n ast.Node, what string, limit time.Duration) time.Duration {
	s := r.text(n, what)
	if r.err != nil {
		return 0
	}
	d, err := parseDuration(strings.TrimPrefix(s, "+"))
	if err != nil {
		r.fail(n, "such as 90s, 10m, 1h or 7d", "%s: %v", what, err)
	}
	if d > limit {
		r.fail(n, "", "%s: %s is over the limit of %s", what, s, limit)
	}
	return d
}

var (
	havingForm = regexp.MustCompile(`^\s*([a-z_]+)\s*\(([^()]*)\)\s*(>=|<=|==|!=|>|<)\s*(.+?)\s*$`)
	functions  = []string{"count", "distinct", "sum", "avg", "min", "max", "percentile"}
)

// having reads "count() >= 10" or "distinct(user.name) > 5" into an Aggregate over m.
func (r *reader) having(n ast.Node, m *Match, window time.Duration) *Aggregate {
	text := r.text(n, "having")
	f := havingForm.FindStringSubmatch(text)
	if r.err != nil || f == nil {
		r.fail(n, `such as "count() >= 10" or "distinct(user.name) > 5"`, "having: %q", text)
		return nil
	}
	if !contains(functions, f[1]) {
		r.fail(n, suggest(f[1], functions), "having: unknown function %q", f[1])
		return nil
	}
	a := &Condition{Func: Func(f[1]), Op: f[3]}
	arg, rank, ranked := strings.Cut(strings.TrimSpace(f[2]), ",")
	field := strings.TrimSpace(arg)
	if field != "" {
		a.Fields = []string{field}
	}
	if ranked {
		a.Rank, _ = strconv.ParseFloat(strings.TrimSpace(rank), 64)
	}
	switch {
	case a.Func == Count && field != "":
		r.fail(n, "distinct(field) counts values", "having: count() takes no argument")
	case a.Func != Count && !validField(field):
		r.fail(n, "", "having: %s(%s): want a field name", a.Func, field)
	case ranked != (a.Func == Percentile) || a.Rank < 0 || a.Rank > 100:
		r.fail(n, "percentile(field, 95)", "having: arguments of %s", a.Func)
	}
	t, err := strconv.ParseFloat(f[4], 64)
	a.Threshold = t
	switch {
	case err != nil && strings.Contains(f[4], "stat."):
		r.lacking(n, "thresholds of a baseline (%s)", f[4])
	case err != nil:
		r.fail(n, "", "having: threshold %q is not a number", f[4])
	case a.Func != Count && a.Func != Distinct:
		r.lacking(n, "%s() as an aggregate", a.Func)
	case a.Op != ">=" && a.Op != ">":
		r.lacking(n, "%s() %s: conditions that are decided when a window closes", a.Func, a.Op)
	case t < 0 || a.Op == ">=" && t < 1 || t > MaxExactThreshold || a.Least() > MaxExactThreshold:
		r.fail(n, "", "having: threshold %s, want one that is met by 1 to %d", f[4], MaxExactThreshold)
	}
	if r.err == nil && window <= 0 {
		r.fail(n, "add window: 10m", "having: no window")
	}
	return &Aggregate{Of: m, All: []Condition{*a}, Window: window, Windows: Sliding}
}

// expression parses the expr of a rule:
//
//	expr = and { "or" and }         and  = seq { "and" [ "not" ] seq }
//	seq  = term { ( "->" | "!->" ) term [ "within" duration ] }
//	term = sub | "(" expr ")"
type expression struct {
	r      *reader
	at     ast.Node
	toks   []string
	subs   []Sub
	window time.Duration
	latest bool
	depth  int
}

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

func (x *expression) parse() Node {
	n := x.or()
	if t := x.peek(); t != "" {
		x.r.fail(x.at, `such as "fail -> ok within 10m"`, "expr: unexpected %q", t)
	}
	return n
}

func (x *expression) or() Node {
	of := []Node{x.and()}
	for x.peek() == "or" {
		x.next()
		of = append(of, x.and())
	}
	if len(of) == 1 {
		return of[0]
	}
	return &Or{Of: of}
}

func (x *expression) and() Node {
	n := x.seq()
	for x.peek() == "and" {
		x.next()
		if x.peek() == "not" {
			x.next()
			n = &AndNot{A: n, B: x.seq(), Within: x.window}
			continue
		}
		n = &And{Of: []Node{n, x.seq()}, Within: x.window}
	}
	return n
}

func (x *expression) seq() Node {
	n := x.term()
	for x.peek() == "->" || x.peek() == "!->" {
		op := x.next()
		b := x.term()
		within := x.window
		if x.peek() == "within" {
			x.next()
			d, err := parseDuration(x.next())
			if err != nil || d <= 0 || d > MaxDuration {
				x.r.fail(x.at, "such as within 10m, at most "+MaxDuration.String(), "expr: within what?")
			}
			within = d
		}
		if within <= 0 {
			x.r.fail(x.at, "write within 10m after it, or give the rule a window", "expr: %s has no window", op)
		}
		if op == "->" {
			n = &FollowedBy{A: n, B: b, Within: within}
		} else {
			n = &NotFollowedBy{A: n, B: b, Within: within, Latest: x.latest}
		}
	}
	return n
}

func (x *expression) term() Node {
	if x.depth++; x.depth > 8*MaxNestingDepth {
		x.r.fail(x.at, "", "expr: too long")
		return nil
	}
	t := x.next()
	if t == "(" {
		n := x.or()
		if x.next() != ")" {
			x.r.fail(x.at, "", "expr: a parenthesis is not closed")
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

// evaluable refuses trees that the evaluator lacks: it runs one sub-pattern, or a chain of FollowedBy whose last edge
// may be NotFollowedBy.
func (r *reader) evaluable(at ast.Node, root Node) {
	n := root
	if x, ok := n.(*NotFollowedBy); ok {
		r.leaf(at, x.B, "the right side of !->")
		n = x.A
	}
	for {
		x, ok := n.(*FollowedBy)
		if !ok {
			break
		}
		r.leaf(at, x.B, "the right side of ->")
		n = x.A
	}
	r.leaf(at, n, "expr")
}

func (r *reader) leaf(at ast.Node, n Node, where string) {
	switch n.(type) {
	case *Match, *Aggregate, nil:
	case *And:
		r.lacking(at, "and in %s", where)
	case *AndNot:
		r.lacking(at, "and not in %s", where)
	case *Or:
		r.lacking(at, "or in %s", where)
	case *NotFollowedBy:
		r.lacking(at, "!-> before another edge")
	default:
		r.lacking(at, "a sequence inside %s", where)
	}
}

// Title is a template: text with {field}, {field|text}, {count} and {sub.count}; {{ and }} are literal braces.
type Title []TitlePart

// TitlePart is a run of text, or one placeholder.
type TitlePart struct {
	Text  string // a run of text; beside a field, what stands for one that is not there
	Field string // {source.ip}: of the incident's key, otherwise of the event that triggered the firing
	Count bool   // {count} or {sub.count}: events counted for Sub at the firing
	Sub   int
}

func (r *reader) title(n ast.Node, text string, subs []Sub) (t Title) {
	if len(text) > MaxTitleBytes {
		r.fail(n, "", "title of %d bytes, the limit is %d", len(text), MaxTitleBytes)
		return nil
	}
	var lit strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if (c == '{' || c == '}') && i+1 < len(text) && text[i+1] == c {
			i++
			lit.WriteByte(c)
			continue
		}
		if c != '{' {
			lit.WriteByte(c)
			continue
		}
		end := strings.IndexByte(text[i:], '}')
		if end < 0 {
			r.fail(n, "write {{ for a brace", "title: a placeholder is not closed")
			return nil
		}
		if lit.Len() > 0 {
			t = append(t, TitlePart{Text: lit.String()})
			lit.Reset()
		}
		t = append(t, r.placeholder(n, text[i+1:i+end], subs))
		i += end
	}
	if lit.Len() > 0 {
		t = append(t, TitlePart{Text: lit.String()})
	}
	return t
}

func (r *reader) placeholder(n ast.Node, name string, subs []Sub) TitlePart {
	if name == "count" {
		for i := range subs { // the count that the rule is about: of its first aggregate
			if subs[i].Aggregate != nil {
				return TitlePart{Count: true, Sub: i}
			}
		}
		r.fail(n, "", "title: {count} in a rule that counts nothing")
	}
	for i := range subs {
		if name == subs[i].Name+".count" {
			return TitlePart{Count: true, Sub: i}
		}
	}
	name, otherwise, named := strings.Cut(name, "|")
	if !validField(name) || named && otherwise == "" {
		r.fail(n, "{field}, {field|text}, {count} or {sub.count}", "title: placeholder {%s}", name)
	}
	if !named {
		otherwise = "-"
	}
	return TitlePart{Field: name, Text: otherwise}
}
