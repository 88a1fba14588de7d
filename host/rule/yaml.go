package rule

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Error is a fault of a rule document, with the place that a person should look at.
type Error struct {
	File      string
	Line, Col int // from 1; 0 when the fault has no place
	Msg       string
	Hint      string // what to write instead; "" for none
	kind      error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", e.File, e.Line, e.Col)
	if e.kind != nil {
		b.WriteString(e.kind.Error() + ": ")
	}
	b.WriteString(e.Msg)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Unwrap returns what kind of fault it is, such as ErrLogSource; nil for most.
func (e *Error) Unwrap() error { return e.kind }

// entry is one key of a mapping and its value.
type entry struct {
	key  string
	node ast.Node // the key, for positions
	val  ast.Node
}

// reader walks a document. It keeps the first fault and returns zero values after it, so that callers check once.
type reader struct {
	file         string
	err          *Error
	placeholders map[string][]string // values of %name% under the modifier expand
}

// parseYAML reads one document without anchors, aliases, tags or merges.
func parseYAML(file string, src []byte) (root ast.Node, err error) {
	docs, err := parseAll(file, src, MaxDocumentBytes)
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 {
		return nil, &Error{File: file, Line: 1, Col: 1, Msg: fmt.Sprintf("%d documents in one file, want one", len(docs))}
	}
	return docs[0], nil
}

// parseAll reads the documents of a file, empty ones left out.
func parseAll(file string, src []byte, maxBytes int) (docs []ast.Node, err error) {
	if len(src) > maxBytes {
		return nil, &Error{File: file, Msg: fmt.Sprintf("document of %d bytes, the limit is %d", len(src), maxBytes)}
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff")) // as some editors begin a file
	if line := tooDeep(src); line > 0 {
		return nil, &Error{File: file, Line: line, Col: 1, Msg: fmt.Sprintf("nested deeper than %d", MaxNestingDepth)}
	}
	if n := indicators(src); n > maxIndicators {
		return nil, &Error{
			File: file, Line: 1, Col: 1, Msg: fmt.Sprintf("%d anchors, tags and explicit keys, which rules do not use", n),
			Hint: "quote values that begin with &, *, ! or ?",
		}
	}
	defer func() { // the parser is known to panic on some malformed documents
		if p := recover(); p != nil {
			docs, err = nil, &Error{File: file, Msg: fmt.Sprintf("malformed YAML: %v", p)}
		}
	}()
	src, marked := withoutEmpty(src)
	f, err := parser.ParseBytes(src, 0)
	if err != nil {
		return nil, yamlFault(file, err)
	}
	for _, d := range f.Docs {
		if d.Body == nil {
			continue
		}
		switch d.Body.Type() {
		case ast.CommentType, ast.CommentGroupType, ast.DirectiveType:
		default:
			docs = append(docs, d.Body)
		}
	}
	if len(docs) < marked {
		return nil, &Error{File: file, Line: 1, Col: 1, Msg: fmt.Sprintf("malformed YAML: %d documents begin with ---, and %d can be read", marked, len(docs))}
	}
	return docs, nil
}

// withoutEmpty takes the marks of empty documents away, at the first of which the parser would stop without a word, and
// counts the others. Such a mark stands at the begin of a line and nowhere else.
func withoutEmpty(src []byte) (out []byte, marked int) {
	mark := -1 // of a document that has nothing yet
	for at := 0; at < len(src); {
		end := at + bytes.IndexByte(src[at:], '\n') + 1
		if end == at {
			end = len(src)
		}
		line := src[at:end]
		rest, marks := bytes.CutPrefix(line, []byte("---"))
		marks = marks && (len(rest) == 0 || strings.IndexByte(" \t\r\n", rest[0]) >= 0)
		if marks && mark >= 0 {
			if out == nil {
				out = bytes.Clone(src)
			}
			copy(out[mark:], "   ")
		}
		if marks {
			mark, line = at, rest
		}
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && string(line) != "..." {
			if mark >= 0 {
				marked++
			}
			mark = -1
		}
		at = end
	}
	if out == nil {
		out = src
	}
	return out, marked
}

// yamlFault takes the place out of a parser's error.
func yamlFault(file string, err error) *Error {
	e := &Error{File: file, Line: 1, Col: 1, Msg: "malformed YAML: " + err.Error()}
	var at interface{ GetToken() *token.Token }
	if t, ok := err.(interface{ GetToken() *token.Token }); ok {
		at = t
	}
	if m, ok := err.(interface{ GetMessage() string }); ok {
		e.Msg = "malformed YAML: " + m.GetMessage()
	}
	if at != nil && at.GetToken() != nil && at.GetToken().Position != nil {
		e.Line, e.Col = at.GetToken().Position.Line, at.GetToken().Position.Column
	}
	return e
}

// tooDeep returns the first line that could nest deeper than the limit, before a recursive parser sees it.
func tooDeep(src []byte) int {
	depth, line, inLine, start := 0, 1, 0, true
	for _, c := range src {
		switch c {
		case '\n':
			line, inLine, start = line+1, 0, true
			continue
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		case '-', '?', '!', '&', ':':
			if start {
				inLine++
			}
			if inLine > MaxNestingDepth {
				return line
			}
			continue
		case ' ', '\t':
			continue
		}
		start = false
		if depth > 4*MaxNestingDepth { // brackets in quoted text are counted too
			return line
		}
	}
	return 0
}

// indicators counts words that begin as anchors, aliases, tags and explicit keys do: the parser's time is quadratic in them.
func indicators(src []byte) (n int) {
	for i, c := range src {
		if (c == '&' || c == '*' || c == '!' || c == '?') && (i == 0 || src[i-1] == ' ' || src[i-1] == '\n' || src[i-1] == '\t') {
			n++
		}
	}
	return n
}

func (r *reader) fail(n ast.Node, hint, format string, args ...any) {
	if r.err != nil {
		return
	}
	r.err = &Error{File: r.file, Msg: fmt.Sprintf(format, args...), Hint: hint, Line: 1, Col: 1}
	if n != nil && n.GetToken() != nil && n.GetToken().Position != nil {
		p := n.GetToken().Position
		r.err.Line, r.err.Col = p.Line, p.Column
	}
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 { // a block mapping's own token is its first colon
		p := m.Values[0].Key.GetToken().Position
		r.err.Line, r.err.Col = p.Line, p.Column
	}
}

// mapping returns the entries in order. Keys given twice are refused, unless known is nil unknown ones are too.
func (r *reader) mapping(n ast.Node, what string, known []string) []entry {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		r.fail(n, "write key: value lines", "%s: want a mapping, not %s", what, kindOf(n))
		return nil
	}
	out := make([]entry, 0, len(values))
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		key, ok := r.keyText(v.Key)
		if !ok {
			r.fail(v.Key, "", "%s: keys must be plain text", what)
			return nil
		}
		if seen[key] {
			r.fail(v.Key, "", "%s: key %q is given twice", what, key)
		}
		seen[key] = true
		if known != nil && !contains(known, key) {
			r.fail(v.Key, suggest(key, known), "%s: unknown key %q", what, key)
		}
		out = append(out, entry{key, v.Key, v.Value})
	}
	return out
}

func (r *reader) keyText(k ast.MapKeyNode) (string, bool) {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return k.GetToken().Value, true
	}
	return "", false
}

// list returns the elements of a sequence.
func (r *reader) list(n ast.Node, what string) []ast.Node {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.fail(n, "write a list", "%s: want a list, not %s", what, kindOf(n))
		return nil
	}
	return s.Values
}

// scalar returns a value's text as written, so that 0010 and 1.10 stay what they are; null is reported apart.
func (r *reader) scalar(n ast.Node, what string) (text string, null bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, false
	case *ast.LiteralNode:
		return v.Value.Value, false
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, false
	case *ast.NullNode:
		return "", true
	}
	r.fail(n, "quote the value", "%s: want one value, not %s", what, kindOf(n))
	return "", false
}

// text returns a value that must be there.
func (r *reader) text(n ast.Node, what string) string {
	s, null := r.scalar(n, what)
	if null || strings.TrimSpace(s) == "" {
		r.fail(n, "", "%s: empty", what)
	}
	return s
}

// texts returns a list of values, or one value as a list of one.
func (r *reader) texts(n ast.Node, what string) []string {
	if _, ok := n.(*ast.SequenceNode); !ok {
		return []string{r.text(n, what)}
	}
	var out []string
	for _, v := range r.list(n, what) {
		out = append(out, r.text(v, what))
	}
	return out
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias (write the value out)"
	case *ast.TagNode:
		return "a tagged value (write it without the tag)"
	}
	return "a single value"
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// suggest names the nearest of the known words, or all when none is near.
func suggest(word string, known []string) string {
	best, at := 3, ""
	for _, k := range known {
		if d := distance(word, k); d < best {
			best, at = d, k
		}
	}
	if at != "" {
		return fmt.Sprintf("did you mean %q?", at)
	}
	return "known: " + strings.Join(known, ", ")
}

// distance is Levenshtein's.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diag, row[j] = row[j], min(row[j]+1, row[j-1]+1, diag+cost)
		}
	}
	return row[len(b)]
}
