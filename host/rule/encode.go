package rule

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// dashes are the characters that Windows commands take for one another before a flag.
var dashes = []string{"-", "/", "\u2013", "\u2014", "\u2015"}

// encode applies the modifiers that turn a value into others, in the order of the document.
func (it *item) encode(v ast.Node, p Pattern) []Pattern {
	list := []Pattern{p}
	for _, m := range it.mods {
		var next []Pattern
		for _, p := range list {
			switch m {
			case "windash":
				next = append(next, it.windash(v, p)...)
			case "utf16", "utf16le", "utf16be", "wide":
				next = append(next, utf16Of(p, m))
			case "base64", "base64offset":
				text, ok := p.Exact()
				if !ok {
					it.fail(v, "escape * and ?", "%s: a value with wildcards cannot be encoded as base64", it.name())
					return nil
				}
				if m == "base64" {
					next = append(next, literally(base64.StdEncoding.EncodeToString([]byte(text))))
				} else {
					next = append(next, offsets(text)...)
				}
			default:
				next = append(next, p)
			}
		}
		if list = next; len(list) > MaxValuesPerTest {
			it.fail(v, "", "%s: its modifiers make more than %d values", it.name(), MaxValuesPerTest)
			return nil
		}
	}
	return list
}

func literally(text string) Pattern { return Pattern{{Text: text}} }

// offsets are the parts of a base64 text that do not depend on what stands around the encoded text, for each of the
// three places where it may begin in a group of three bytes.
func offsets(text string) []Pattern {
	var out []Pattern
	for before := range 3 {
		enc := base64.StdEncoding.EncodeToString(append(make([]byte, before), text...))
		from := [...]int{0, 2, 3}[before]
		to := len(enc) - [...]int{0, 3, 2}[(len(text)+before)%3]
		if from < to {
			out = append(out, literally(enc[from:to]))
		}
	}
	return out
}

// utf16Of encodes the literal parts.
func utf16Of(p Pattern, form string) Pattern {
	out := make(Pattern, len(p))
	for i, tok := range p {
		out[i] = tok
		if tok.Wild != 0 {
			continue
		}
		var b []byte
		if form == "utf16" && i == 0 {
			b = append(b, 0xff, 0xfe)
		}
		for _, u := range utf16.Encode([]rune(tok.Text)) {
			if form == "utf16be" {
				b = binary.BigEndian.AppendUint16(b, u)
			} else {
				b = binary.LittleEndian.AppendUint16(b, u)
			}
		}
		out[i].Text = string(b)
	}
	return out
}

// windash makes a pattern of each combination of the dashes before flags: one of dashes that no word character precedes
// and one follows.
func (it *item) windash(v ast.Node, p Pattern) []Pattern {
	list := []Pattern{nil}
	add := func(tok Token, of ...string) {
		var next []Pattern
		for _, q := range list {
			for _, text := range of {
				tok.Text = text
				next = append(next, append(q[:len(q):len(q)], tok))
			}
		}
		list = next
	}
	for _, tok := range p {
		if tok.Wild != 0 {
			add(tok, "")
			continue
		}
		from := 0
		for at, c := range tok.Text {
			if !slices.Contains(dashes, string(c)) {
				continue
			}
			end := at + utf8.RuneLen(c)
			before, _ := utf8.DecodeLastRuneInString(tok.Text[:at])
			after, _ := utf8.DecodeRuneInString(tok.Text[end:])
			if isWord(before) || !isWord(after) {
				continue
			}
			if at > from {
				add(Token{}, tok.Text[from:at])
			}
			if len(list)*len(dashes) > MaxValuesPerTest {
				it.fail(v, "", "%s: windash makes more than %d values", it.name(), MaxValuesPerTest)
				return nil
			}
			add(Token{}, dashes...)
			from = end
		}
		if from < len(tok.Text) {
			add(Token{}, tok.Text[from:])
		}
	}
	for i, q := range list {
		list[i] = joined(q)
	}
	return list
}

func isWord(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) }

// joined puts adjacent literal tokens together.
func joined(p Pattern) (q Pattern) {
	for _, tok := range p {
		if n := len(q); n > 0 && tok.Wild == 0 && q[n-1].Wild == 0 {
			q[n-1].Text += tok.Text
			continue
		}
		q = append(q, tok)
	}
	return q
}

// expand replaces %name% by each of the placeholder's values.
func (it *item) expand(v ast.Node, text string) []string {
	if !it.has("expand") {
		return []string{text}
	}
	list := []string{""}
	for text != "" {
		at := strings.IndexByte(text, '%')
		escaped := at > 0 && text[at-1] == '\\'
		end := -1
		if at >= 0 && !escaped {
			end = strings.IndexByte(text[at+1:], '%')
		}
		upTo, skip, values := len(text), len(text), []string{""}
		switch {
		case escaped:
			upTo, skip, values = at-1, at+1, []string{"%"}
		case end >= 0:
			name := text[at+1 : at+1+end]
			upTo, skip, values = at, at+end+2, it.placeholders[name]
			if len(values) == 0 {
				it.fail(v, "give it values, one of which must match", "%s: nothing is known of the placeholder %%%s%%", it.name(), name)
				return nil
			}
		}
		var next []string
		for _, s := range list {
			for _, val := range values {
				next = append(next, s+text[:upTo]+val)
			}
		}
		if list, text = next, text[skip:]; len(list) > MaxValuesPerTest {
			it.fail(v, "", "%s: placeholders make more than %d values", it.name(), MaxValuesPerTest)
			return nil
		}
	}
	return list
}
