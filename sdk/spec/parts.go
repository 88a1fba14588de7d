package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/template"
)

// part is a piece of a template: a literal, a hole, or parts that may be missing.
type part struct {
	literal  string
	hole     *hole
	optional []part
	offset   int // in the template's text
}

// readsKeys says that a part holds a hole whose text is pairs or an object.
func (p part) readsKeys() bool {
	return p.hole != nil && (p.hole.kind == template.Pairs || p.hole.kind == template.JSON) || slices.ContainsFunc(p.optional, part.readsKeys)
}

// hole is a typed hole, and the way in which a key's value is read.
type hole struct {
	name   string // field; "" when the value is only gone over
	kind   template.Kind
	arg    string // layout of a time
	table  string // lookup table; "" for none
	offset int    // in the template's text
	stop   string // what stands behind it
}

// cutter reads a template's text.
type cutter struct {
	text string
	pos  int
	fail func(offset int, hint, format string, args ...any)
	bad  bool
}

func (c *cutter) wrong(offset int, hint, format string, args ...any) {
	c.bad = true
	c.fail(offset, hint, format, args...)
}

// parts reads up to the end, or to the brace that ends an optional part.
func (c *cutter) parts(inside bool) []part {
	var out []part
	var literal strings.Builder
	start := c.pos
	flush := func() {
		if literal.Len() > 0 {
			out = append(out, part{literal: literal.String(), offset: start})
			literal.Reset()
		}
	}
	for c.pos < len(c.text) && !c.bad {
		rest := c.text[c.pos:]
		switch {
		case strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "}}"):
			literal.WriteByte(rest[0])
			c.pos += 2
			continue
		case rest[0] == '}':
			if !inside {
				c.wrong(c.pos, "write }} for a brace in the text", "a } that closes nothing")
				return nil
			}
			flush()
			return out
		case rest[0] != '{':
			literal.WriteByte(rest[0])
			c.pos++
			continue
		}
		flush()
		if strings.HasPrefix(rest, "{?") {
			out = append(out, c.option(inside))
		} else {
			out = append(out, part{hole: c.hole(), offset: c.pos})
		}
		start = c.pos
	}
	if inside && !c.bad {
		c.wrong(len(c.text), "close it with }", "an optional part that does not end")
	}
	flush()
	return out
}

func (c *cutter) option(inside bool) part {
	p := part{offset: c.pos}
	if inside {
		c.wrong(c.pos, "put them one behind the other", "an optional part inside another")
		return p
	}
	c.pos += 2
	if p.optional = c.parts(true); c.bad {
		return p
	}
	if len(p.optional) == 0 {
		c.wrong(p.offset, "write {?text that may be missing}", "an empty optional part")
	}
	c.pos++ // the closing brace
	return p
}

// hole reads "{name:type(arg)|table}".
func (c *cutter) hole() *hole {
	h := &hole{offset: c.pos}
	end := c.holeEnd()
	if end < 0 {
		c.wrong(c.pos, "write {field:type}, and {{ for a brace in the text", "a hole that does not end")
		return h
	}
	inner := c.text[c.pos+1 : end]
	c.pos = end + 1
	inner, h.table, _ = strings.Cut(inner, "|")
	name, kind, typed := strings.Cut(inner, ":")
	h.name = strings.TrimSpace(name)
	if typed {
		c.kind(h, strings.TrimSpace(kind))
	} else if h.kind = usualKind(h.name); h.name == "" {
		c.wrong(h.offset, "write {:word} for a value that is not kept", "an empty hole")
	}
	return h
}

// holeEnd returns where the brace that closes the hole at pos stands; braces in its argument's parentheses do not count.
func (c *cutter) holeEnd() int {
	depth := 0
	for i := c.pos + 1; i < len(c.text); i++ {
		switch c.text[i] {
		case '(':
			depth++
		case ')':
			depth--
		case '{':
			return -1
		case '}':
			if depth <= 0 {
				return i
			}
		}
	}
	return -1
}

// kind reads a type and its argument.
func (c *cutter) kind(h *hole, text string) {
	word, arg, called := strings.Cut(text, "(")
	if called {
		arg = strings.TrimSuffix(arg, ")")
	}
	switch i := slices.Index(template.Names[:], text); {
	case i >= 0:
		h.kind = template.Kind(i)
		return
	case word == "time" && called:
		h.kind, h.arg = template.Time, arg
		if why := badLayout(arg); why != "" {
			c.wrong(h.offset, "iso, syslog, clf, epoch, or fields such as %d/%m/%Y %H:%M:%S", "%s", why)
		}
		return
	}
	hint := nearest(word, template.Names[:])
	c.wrong(h.offset, hint, "unknown type %q", text)
}

// badLayout says what is wrong with a layout of time, "" for nothing.
func badLayout(layout string) string {
	switch layout {
	case template.ISO, template.Syslog, template.CLF, template.Epoch:
		return ""
	}
	if !strings.Contains(layout, "%") {
		return fmt.Sprintf("unknown time layout %q", layout)
	}
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' {
			continue
		}
		if i++; i == len(layout) || !strings.Contains(template.Fields, layout[i:i+1]) {
			return fmt.Sprintf("time layout %q: %%%s is unknown", layout, layout[i:min(i+1, len(layout))])
		}
	}
	return ""
}

// variants settles the optional parts of a template in all ways, those with most parts first, and joins literals.
func variants(parts []part) [][]part {
	out := [][]part{nil}
	for _, p := range parts {
		if p.optional == nil {
			for i := range out {
				out[i] = join(out[i], p)
			}
			continue
		}
		with := make([][]part, 0, 2*len(out))
		for _, v := range out {
			longer := slices.Clone(v)
			for _, o := range p.optional {
				longer = join(longer, o)
			}
			with = append(with, longer, slices.Clone(v))
		}
		out = with
	}
	return out
}

// join appends a part, joining literals that meet.
func join(v []part, p part) []part {
	if n := len(v); n > 0 && p.hole == nil && v[n-1].hole == nil {
		v[n-1].literal += p.literal
		return v
	}
	if p.hole != nil {
		h := *p.hole // a hole's stop depends on the variant
		p.hole = &h
	}
	return append(v, p)
}

// stops says what ends each hole of a variant. fail is told of holes that nothing ends.
func stops(v []part, fail func(h *hole, hint, text string)) {
	for i := range v {
		h := v[i].hole
		if h == nil {
			continue
		}
		last := i == len(v)-1
		switch {
		case h.kind.Last() && !last:
			fail(h, "put it last", template.Names[h.kind]+" takes everything that is left, so nothing can follow")
		case last:
		case !h.kind.Open():
			if h.kind == template.IP && strings.HasPrefix(v[i+1].literal, ":") {
				h.stop = ":"
			}
		case v[i+1].hole == nil:
			next := v[i+1].literal
			if h.kind == template.Text || h.kind == template.LastText {
				h.stop = next[:min(len(next), template.MaxStopBytes)]
			} else if next[0] != ' ' && next[0] != '\t' {
				h.stop = next[:1]
			}
		case h.kind == template.Text || h.kind == template.LastText || v[i+1].hole.kind != template.Blank:
			fail(h, "put a text between the two holes, or give this one a type with an end of its own, such as int or ip",
				"nothing ends this "+template.Names[h.kind]+": a hole follows directly")
		}
	}
}
