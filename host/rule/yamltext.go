package rule

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// yamlText is a YAML value to be written: a scalar, a list or a mapping.
type yamlText struct {
	text  string
	null  bool
	list  []yamlText // with isList
	keys  []string   // of a mapping
	vals  []yamlText // of keys
	is    yamlKind
	block bool // a list or mapping that is never written on one line
	bare  bool // true, false or a number, written as such
}

type yamlKind uint8

const (
	isText yamlKind = iota
	isList
	isMap
)

const maxFlowBytes = 100 // longest list or mapping on one line

// textOf is a text: one that looks like a number is quoted, since other readers of YAML, and the JSON Schema, see its type.
func textOf(s string) yamlText { return yamlText{text: s} }

// valueOf is a value that an event can have: a number stands as one.
func valueOf(s string) yamlText { return yamlText{text: s, bare: plainNumber.MatchString(s)} }

func listOf(items []string) yamlText {
	y := yamlText{is: isList}
	for _, s := range items {
		y.list = append(y.list, valueOf(s))
	}
	return y
}

// put adds an entry to a mapping.
func (y *yamlText) put(key string, v yamlText) {
	y.is, y.keys, y.vals = isMap, append(y.keys, key), append(y.vals, v)
}

// putText adds an entry unless the text is empty.
func (y *yamlText) putText(key, text string) {
	if text != "" {
		y.put(key, textOf(text))
	}
}

// putNumber adds an entry unless the text is empty.
func (y *yamlText) putNumber(key, text string) {
	if text != "" {
		y.put(key, valueOf(text))
	}
}

// putList adds an entry unless the list is empty.
func (y *yamlText) putList(key string, items []string) {
	if len(items) > 0 {
		y.put(key, listOf(items))
	}
}

var (
	plainForm   = regexp.MustCompile(`^[A-Za-z0-9_/]([A-Za-z0-9_./@()%+|<>=! -]*[A-Za-z0-9_./@()%+])?$`)
	plainNumber = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?$`)
	notPlain    = regexp.MustCompile(`^(?i:null|true|false|yes|no|on|off|y|n|[0-9.+]*e[0-9+-]*|0[xob].*|[0-9_.]*_[0-9_.]*|[0-9]+\.?[0-9]*)$`)
)

// scalar writes a text so that it is read back as it is.
func scalar(s string) string {
	switch {
	case plainForm.MatchString(s) && !notPlain.MatchString(s):
		return s
	case !printable(s):
		return doubleQuoted(s)
	case !strings.ContainsAny(s, `"\`):
		return `"` + s + `"`
	case !strings.Contains(s, "'"):
		return "'" + s + "'"
	}
	return doubleQuoted(s)
}

// inLines reports whether a text can stand as the lines that it has.
func inLines(s string) bool {
	lines := strings.Split(s, "\n")
	for _, l := range lines {
		if l == "" || l[0] == ' ' || !printable(l) || strings.TrimSpace(l) != l {
			return false
		}
	}
	return len(lines) > 1
}

func printable(s string) bool {
	for _, c := range s {
		if c == '\uFEFF' || !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}

func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(c) && c != '\uFEFF':
			b.WriteRune(c)
		case c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// flow writes a value on one line.
func (y *yamlText) flow(b *strings.Builder) {
	switch {
	case y.is == isList:
		b.WriteByte('[')
		for i := range y.list {
			if i > 0 {
				b.WriteString(", ")
			}
			y.list[i].flow(b)
		}
		b.WriteByte(']')
	case y.is == isMap:
		b.WriteByte('{')
		for i, k := range y.keys {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(scalar(k) + ": ")
			y.vals[i].flow(b)
		}
		b.WriteByte('}')
	case y.null:
		b.WriteString("null")
	case y.bare:
		b.WriteString(y.text)
	default:
		b.WriteString(scalar(y.text))
	}
}

// line returns a value on one line, and false when it should have several.
func (y *yamlText) line() (string, bool) {
	var b strings.Builder
	y.flow(&b)
	short := y.is == isText || !y.blocks() && b.Len() <= maxFlowBytes
	return b.String(), short
}

// blocks reports whether something in a value wants lines of its own.
func (y *yamlText) blocks() bool {
	if y.block && len(y.list)+len(y.keys) > 0 {
		return true
	}
	for i := range y.list {
		if y.list[i].blocks() {
			return true
		}
	}
	for i := range y.vals {
		if y.vals[i].blocks() {
			return true
		}
	}
	return false
}

// write writes a mapping or a list in lines that begin with indent; the first begins where the writer is.
func (y *yamlText) write(b *strings.Builder, indent string) {
	for i, k := range y.keys {
		if i > 0 {
			b.WriteString(indent)
		}
		b.WriteString(scalar(k) + ":")
		v := &y.vals[i]
		if v.is == isText && inLines(v.text) {
			b.WriteString(" |-\n" + indent + "  " + strings.ReplaceAll(v.text, "\n", "\n"+indent+"  ") + "\n")
			continue
		}
		if s, ok := v.line(); ok {
			b.WriteString(" " + s + "\n")
			continue
		}
		b.WriteString("\n" + indent + "  ")
		v.write(b, indent+"  ")
	}
	for i := range y.list {
		if i > 0 {
			b.WriteString(indent)
		}
		b.WriteString("- ")
		v := &y.list[i]
		if s, ok := v.line(); ok {
			b.WriteString(s + "\n")
			continue
		}
		v.write(b, indent+"  ")
	}
}

func (y *yamlText) String() string {
	if s, ok := y.line(); ok {
		return s + "\n"
	}
	var b strings.Builder
	y.write(&b, "")
	return b.String()
}

// valid reports the first text that YAML cannot carry.
func (y *yamlText) valid() error {
	for _, s := range append([]string{y.text}, y.keys...) {
		if !utf8.ValidString(s) {
			return fmt.Errorf("%q is not UTF-8", s)
		}
	}
	for _, of := range [...][]yamlText{y.list, y.vals} {
		for i := range of {
			if err := of[i].valid(); err != nil {
				return err
			}
		}
	}
	return nil
}

// yamlOf copies what was read.
func (r *reader) yamlOf(n ast.Node) (y yamlText) {
	switch n := n.(type) {
	case *ast.SequenceNode:
		y.is = isList
		for _, v := range n.Values {
			y.list = append(y.list, r.yamlOf(v))
		}
	case *ast.MappingNode, *ast.MappingValueNode:
		y.is = isMap
		for _, e := range r.mapping(n, "mapping", nil) {
			y.put(e.key, r.yamlOf(e.val))
		}
	default:
		y.text, y.null = r.scalar(n, "value")
		switch n.(type) {
		case *ast.IntegerNode, *ast.FloatNode:
			y.bare = plainNumber.MatchString(y.text)
		}
	}
	return y
}
