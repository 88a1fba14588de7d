package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Parse reads a module.yaml and validates it. Unknown keys, duplicate keys, anchors, aliases and tags are errors. The
// error is Problems, each with file, line and column; file is only used in it.
func Parse(file string, src []byte) (m Manifest, err error) {
	if len(src) > MaxSourceBytes {
		return m, Problems{{File: file, Text: fmt.Sprintf("%d bytes, the limit is %d", len(src), MaxSourceBytes)}}
	}
	if !utf8.Valid(src) {
		return m, Problems{{File: file, Text: "not valid UTF-8"}}
	}
	if problem := tooDeep(src); problem != nil {
		problem.File = file
		return m, Problems{*problem}
	}
	// The YAML library is known to panic on some malformed documents; here that is one more way to be malformed.
	defer func() {
		if p := recover(); p != nil {
			m, err = Manifest{}, Problems{{File: file, Text: "not readable as YAML"}}
		}
	}()
	tree, err := parser.ParseBytes(src, 0)
	if err != nil {
		return m, Problems{yamlProblem(file, err)}
	}
	if problem := checkTree(tree); problem != nil {
		problem.File = file
		return m, Problems{*problem}
	}
	if err := yaml.NewDecoder(bytes.NewReader(src), yaml.Strict()).Decode(&m); err != nil {
		return Manifest{}, Problems{yamlProblem(file, err)}
	}
	if err := m.Validate(); err != nil {
		var problems Problems
		if errors.As(err, &problems) {
			locate(file, tree, problems)
		}
		return Manifest{}, err
	}
	return m, nil
}

// tooDeep refuses, before the YAML reader sees it, what would make it recurse for long: it takes a time quadratic in
// the depth. Brackets are counted wherever they stand, since telling where they matter is the reader's own job.
func tooDeep(src []byte) *Problem {
	if n := bytes.Count(src, []byte("[")) + bytes.Count(src, []byte("{")); n > MaxBrackets {
		return &Problem{Text: fmt.Sprintf("%d opening brackets, the limit is %d", n, MaxBrackets)}
	}
	line := 0
	for text := range bytes.Lines(src) {
		line++
		n := 0
		for _, c := range text {
			if c == '-' || c == '?' {
				n++
			} else if c != ' ' {
				break
			}
		}
		if n > MaxDepth {
			return &Problem{Line: line, Text: fmt.Sprintf("nested deeper than %d", MaxDepth)}
		}
	}
	return nil
}

// checkTree refuses what a manifest has no use for and what could make a small file large.
func checkTree(tree *ast.File) *Problem {
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return &Problem{Line: 1, Text: "want exactly one YAML document"}
	}
	if _, ok := tree.Docs[0].Body.(ast.MapNode); !ok {
		return &Problem{Line: 1, Text: "want a mapping, such as name: fortigate"}
	}
	v := &treeCheck{}
	ast.Walk(v, tree.Docs[0].Body)
	return v.problem
}

type treeCheck struct {
	nodes   int
	problem *Problem
}

// Visit implements ast.Visitor.
func (v *treeCheck) Visit(n ast.Node) ast.Visitor {
	if v.problem != nil {
		return nil
	}
	v.nodes++
	text := ""
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		text = "anchors, aliases and merge keys are not allowed"
	case *ast.TagNode:
		text = "tags are not allowed"
	}
	if v.nodes > MaxNodes {
		text = fmt.Sprintf("more than %d keys and values", MaxNodes)
	}
	if strings.Count(n.GetPath(), ".")+strings.Count(n.GetPath(), "[") > 2*MaxDepth {
		text = fmt.Sprintf("nested deeper than %d", MaxDepth)
	}
	if text == "" {
		return v
	}
	v.problem = &Problem{Text: text}
	if t := n.GetToken(); t != nil && t.Position != nil {
		v.problem.Line, v.problem.Column = t.Position.Line, t.Position.Column
	}
	return nil
}

// yamlProblem keeps the library's message and position without its drawing of the source.
func yamlProblem(file string, err error) Problem {
	p := Problem{File: file, Text: err.Error()}
	var located yaml.Error
	if errors.As(err, &located) {
		p.Text = located.GetMessage()
		if t := located.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	return p
}

// locate fills in where each problem stands: at its own key, or at the nearest parent that the file has.
func locate(file string, tree *ast.File, problems Problems) {
	for i := range problems {
		p := &problems[i]
		p.File = file
		for path := p.Path; ; path = path[:max(0, strings.LastIndexAny(path, ".["))] {
			if p.Line, p.Column = position(tree, path); p.Line != 0 || path == "" {
				break
			}
		}
	}
}

func position(tree *ast.File, path string) (line, column int) {
	if path == "" {
		return 1, 1
	}
	at, err := yaml.PathString("$." + path)
	if err != nil {
		return 0, 0
	}
	node, err := at.FilterFile(tree)
	if err != nil || node == nil {
		return 0, 0
	}
	if t := node.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line, t.Position.Column
	}
	return 0, 0
}

func writePosition(b *strings.Builder, file string, line, column int) {
	if file == "" {
		return
	}
	b.WriteString(file)
	if line > 0 {
		b.WriteString(":" + strconv.Itoa(line))
		if column > 0 {
			b.WriteString(":" + strconv.Itoa(column))
		}
	}
	b.WriteString(": ")
}
