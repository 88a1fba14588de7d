// Package fortisiem reads and writes FortiSIEM's rule XML: what of it has no counterpart is named, never dropped, and what it
// cannot say travels beside it.
package fortisiem

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// element is one XML element with the line that it begins on.
type element struct {
	name  string
	space string // its namespace; FortiSIEM's have none
	attrs []xml.Attr
	text  string
	of    []*element
	line  int
}

// parseXML reads a document into elements.
func parseXML(file string, src []byte) (*element, error) {
	if len(src) > MaxFileBytes {
		return nil, fmt.Errorf("%s: %d bytes, the limit is %d", file, len(src), MaxFileBytes)
	}
	d := xml.NewDecoder(bytes.NewReader(src))
	d.CharsetReader = func(charset string, r io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "us-ascii") || strings.EqualFold(charset, "utf8") {
			return r, nil
		}
		return nil, fmt.Errorf("encoding %s: save the file as UTF-8", charset)
	}
	top := &element{}
	stack := []*element{top}
	for n := 0; ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := d.InputPos()
		if err != nil {
			return nil, fmt.Errorf("%s:%d: malformed XML: %w", file, line, err)
		}
		last := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			if n++; n > maxElements || len(stack) > maxDepth {
				return nil, fmt.Errorf("%s:%d: more than %d elements, or nested deeper than %d", file, line, maxElements, maxDepth)
			}
			e := &element{name: t.Name.Local, space: t.Name.Space, attrs: t.Attr, line: line}
			last.of = append(last.of, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			last.text += string(t)
		}
	}
	if len(top.of) != 1 {
		return nil, fmt.Errorf("%s:1: no XML document", file)
	}
	return top.of[0], nil
}

// attr returns an attribute's value, "" when it is not there, or the element is not.
func (e *element) attr(name string) string {
	if e == nil {
		return ""
	}
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func byName(a, b xml.Attr) int { return strings.Compare(a.Name.Local, b.Name.Local) }

// child returns the first element of a name, nil when there is none, or no element that has it.
func (e *element) child(name string) *element {
	if e == nil {
		return nil
	}
	for _, c := range e.of {
		if c.name == name {
			return c
		}
	}
	return nil
}

// value returns the text of an element's child.
func (e *element) value(name string) string {
	if c := e.child(name); c != nil {
		return strings.TrimSpace(c.text)
	}
	return ""
}

// find returns all elements of a name, none of them within another.
func (e *element) find(name string) (out []*element) {
	if e.name == name {
		return []*element{e}
	}
	for _, c := range e.of {
		out = append(out, c.find(name)...)
	}
	return out
}

// writer writes indented XML.
type writer struct {
	b     bytes.Buffer
	depth int
}

func (w *writer) indent() { w.b.WriteString(strings.Repeat("  ", w.depth)) }

func (w *writer) begin(name string, attrs ...string) {
	w.indent()
	w.start(name, attrs)
	w.b.WriteString(">\n")
	w.depth++
}

func (w *writer) end(name string) {
	w.depth--
	w.indent()
	w.b.WriteString("</" + name + ">\n")
}

// leaf writes an element with a text; nothing when it has neither text nor attributes.
func (w *writer) leaf(name, text string, attrs ...string) {
	if text == "" && len(attrs) == 0 {
		return
	}
	w.indent()
	w.start(name, attrs)
	if text == "" {
		w.b.WriteString("/>\n")
		return
	}
	w.b.WriteString(">")
	w.escape(text)
	w.b.WriteString("</" + name + ">\n")
}

// cdata writes an element with a text that stays as it is.
func (w *writer) cdata(name, text string, attrs ...string) {
	w.indent()
	w.start(name, attrs)
	if text == "" {
		w.b.WriteString("/>\n")
		return
	}
	w.b.WriteString("><![CDATA[" + strings.ReplaceAll(text, "]]>", "]]]]><![CDATA[>") + "]]></" + name + ">\n")
}

func (w *writer) start(name string, attrs []string) {
	w.b.WriteString("<" + name)
	for i := 0; i+1 < len(attrs); i += 2 {
		w.b.WriteString(" " + attrs[i] + `="`)
		w.escape(attrs[i+1])
		w.b.WriteByte('"')
	}
}

// escape writes a text. A buffer takes all of it.
func (w *writer) escape(text string) { _ = xml.EscapeText(&w.b, []byte(text)) }
