package rule

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

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
