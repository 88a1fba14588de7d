package interp

import (
	"strings"
	"unicode/utf8"
)

// elements reads a JSON array of strings, the canonical form of a list-valued field; nil when s is something else.
func (m *memory) elements(s string) []string {
	from := len(m.list)
	i := 1
	for {
		if i >= len(s) || s[i] != '"' {
			m.list = m.list[:from]
			return nil
		}
		text, n := m.quoted(s[i:])
		if n == 0 {
			m.list = m.list[:from]
			return nil
		}
		m.list = append(m.list, text)
		i += n
		if i < len(s) && s[i] == ',' {
			i++
			continue
		}
		if i == len(s)-1 && s[i] == ']' {
			return m.list[from:len(m.list):len(m.list)]
		}
		m.list = m.list[:from]
		return nil
	}
}

// quoted reads a JSON string and returns its text and length with the quotes; 0 when it is malformed.
func (m *memory) quoted(s string) (string, int) {
	end := 1
	for end < len(s) && s[end] != '"' && s[end] != '\\' && s[end] >= ' ' {
		end++
	}
	if end < len(s) && s[end] == '"' {
		return s[1:end], end + 1
	}
	from := len(m.bytes)
	m.bytes = append(m.bytes, s[1:end]...)
	for i := end; i < len(s); {
		switch c := s[i]; {
		case c == '"':
			return m.text(from), i + 1
		case c < ' ':
			return "", 0
		case c != '\\':
			m.bytes = append(m.bytes, c)
			i++
		default:
			n := m.escape(s[i:])
			if n == 0 {
				return "", 0
			}
			i += n
		}
	}
	return "", 0
}

// escape appends what an escape at the start of s stands for and returns the escape's length.
func (m *memory) escape(s string) int {
	if len(s) < 2 {
		return 0
	}
	if at := strings.IndexByte(`"\/bfnrt`, s[1]); at >= 0 {
		m.bytes = append(m.bytes, "\"\\/\b\f\n\r\t"[at])
		return 2
	}
	r, ok := hex4(s)
	if !ok {
		return 0
	}
	n := 6
	if r >= 0xd800 && r < 0xdc00 {
		if low, ok := hex4(s[6:]); ok && low >= 0xdc00 && low < 0xe000 {
			r, n = (r-0xd800)<<10|(low-0xdc00)+0x10000, 12
		}
	}
	m.bytes = utf8.AppendRune(m.bytes, r) // a lone surrogate becomes U+FFFD
	return n
}

func hex4(s string) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(s[2:6]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
