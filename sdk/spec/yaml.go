package spec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// place is a line and a column, from 1.
type place struct{ line, column int }

// reader walks a document and gathers everything that is wrong with it.
type reader struct{ problems []Problem }

func (r *reader) add(at place, hint, format string, args ...any) {
	r.problems = append(r.problems, Problem{at.line, at.column, fmt.Sprintf(format, args...), hint})
}

// sorted returns the problems in the order of the text.
func (r *reader) sorted() []Problem {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	r.problems = slices.Compact(r.problems)
	return r.problems[:min(len(r.problems), MaxProblems)]
}

// parse returns the root of the document, nil when it is none.
func (r *reader) parse(src []byte) (root ast.Node) {
	top := place{1, 1}
	switch {
	case len(src) > MaxBytes:
		r.add(top, "split it by product or program", "%d bytes, the limit is %d", len(src), MaxBytes)
		return nil
	case !utf8.Valid(src):
		r.add(top, "", "not valid UTF-8")
		return nil
	}
	if line := tooDeep(src); line > 0 {
		r.add(place{line, 1}, "a spec nests three deep", "nested deeper than %d", MaxDepth)
		return nil
	}
	if n := indicators(src); n > MaxIndicators {
		r.add(top, "quote texts that begin with &, *, ! or ?", "%d words that look like anchors or tags, the limit is %d", n, MaxIndicators)
		return nil
	}
	defer func() { // the YAML reader is known to panic on some malformed documents
		if p := recover(); p != nil {
			r.add(top, "", "not readable as YAML")
			root = nil
		}
	}()
	f, err := parser.ParseBytes(src, 0)
	if err != nil {
		r.fault(err)
		return nil
	}
	for _, d := range f.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType || d.Body.Type() == ast.CommentGroupType {
			continue
		}
		if root != nil {
			r.add(at(d.Body), "", "more than one YAML document")
			return nil
		}
		root = d.Body
	}
	if root == nil {
		r.add(top, "begin with framing: and templates:", "an empty spec")
	}
	return root
}

// fault takes message and place out of the YAML reader's error.
func (r *reader) fault(err error) {
	where, text := place{1, 1}, err.Error()
	var located yaml.Error
	if errors.As(err, &located) {
		text = located.GetMessage()
		if t := located.GetToken(); t != nil && t.Position != nil {
			where = place{t.Position.Line, t.Position.Column}
		}
	}
	text, _, _ = strings.Cut(text, "\n")
	r.add(where, "put texts with : # { [ or quotes in quotes", "not readable as YAML: %s", text)
}

// tooDeep returns the first line that nests deeper than a spec may, before a recursive reader sees it.
func tooDeep(src []byte) int {
	line := 0
	for text := range strings.Lines(string(src)) {
		line++
		n := 0
		for _, c := range text {
			if c == '-' || c == '?' || c == '[' || c == '{' {
				n++
			} else if c != ' ' {
				break
			}
		}
		if n > MaxDepth || strings.Count(text, "[") > MaxTemplateBytes || strings.Count(text, "{") > MaxTemplateBytes {
			return line
		}
	}
	return 0
}

// indicators counts words that begin as anchors, aliases, tags and explicit keys do.
func indicators(src []byte) (n int) {
	for i, c := range src {
		if (c == '&' || c == '*' || c == '!' || c == '?') && (i == 0 || src[i-1] == ' ' || src[i-1] == '\n' || src[i-1] == '\t') {
			n++
		}
	}
	return n
}

// at returns where a node stands.
func at(n ast.Node) place {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 { // a block mapping's own token is its first colon
		return at(m.Values[0].Key)
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		return at(m.Key)
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return place{1, 1}
	}
	p := n.GetToken().Position
	return place{p.Line, p.Column}
}

// pair is one key of a mapping and its value.
type pair struct {
	key   string
	at    place
	value ast.Node
}

// mapping returns the pairs of a mapping in order. With known, other keys are problems.
func (r *reader) mapping(n ast.Node, what string, known ...string) []pair {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		r.add(at(n), "write key: value lines", "%s: want a mapping, not %s", what, kindOf(n))
		return nil
	}
	out := make([]pair, 0, len(values))
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		key, ok := text(v.Key)
		switch {
		case !ok:
			r.add(at(v.Key), "quote the key", "%s: want a plain text as key", what)
			continue
		case seen[key]:
			r.add(at(v.Key), "", "%s: %q stands there twice", what, key)
			continue
		case known != nil && !slices.Contains(known, key):
			r.add(at(v.Key), nearest(key, known), "%s: unknown key %q", what, key)
			continue
		}
		seen[key] = true
		out = append(out, pair{key, at(v.Key), v.Value})
	}
	return out
}

// list returns the elements of a sequence, or one value as a list of itself.
func (r *reader) list(n ast.Node, what string) []ast.Node {
	switch s := n.(type) {
	case *ast.SequenceNode:
		return s.Values
	case *ast.MappingNode, *ast.MappingValueNode:
		r.add(at(n), "begin each element with -", "%s: want a list, not %s", what, kindOf(n))
		return nil
	}
	return []ast.Node{n}
}

// text returns a scalar as it is written, so that 0010 and 1.10 stay what they are.
func text(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return strings.TrimSuffix(v.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// text returns a scalar of 1 to MaxTextBytes.
func (r *reader) text(n ast.Node, what string) string {
	s, ok := text(n)
	switch {
	case !ok:
		r.add(at(n), "quote the value", "%s: want one value, not %s", what, kindOf(n))
	case s == "":
		r.add(at(n), "", "%s: empty", what)
	case len(s) > MaxTextBytes:
		r.add(at(n), "", "%s: %d bytes, the limit is %d", what, len(s), MaxTextBytes)
	}
	return s
}

// texts returns a list of scalars.
func (r *reader) texts(n ast.Node, what string, limit int) []string {
	var out []string
	for _, v := range r.list(n, what) {
		out = append(out, r.text(v, what))
	}
	if len(out) > limit {
		r.add(at(n), "", "%s: %d, the limit is %d", what, len(out), limit)
	}
	return out
}

// choice returns the index of a scalar in the words that it may be.
func (r *reader) choice(n ast.Node, what string, words ...string) int {
	s := r.text(n, what)
	i := slices.Index(words, s)
	if i < 0 {
		r.add(at(n), "one of "+strings.Join(words, ", "), "%s: %q is unknown", what, s)
		return 0
	}
	return i
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias"
	case *ast.TagNode:
		return "a tagged value"
	}
	return "a single value"
}

// nearest says which of the known words may be meant, or all of them.
func nearest(word string, known []string) string {
	if best := closest(word, known); best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return "known are " + strings.Join(known, ", ")
}

// closest returns the known word that differs least, "" when all differ by more than a third.
func closest(word string, known []string) string {
	best, found := max(3, (len(word)+5)/3), ""
	for _, k := range known {
		if d := len(k) - len(word); d >= best || -d >= best {
			continue
		}
		if d := distance(word, k); d < best {
			best, found = d, k
		}
	}
	return found
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
