package jsontok

import "unicode/utf8"

// Unescape appends the string v, as a Scanner found it, to dst without its escapes. It never appends more bytes than v
// has. Half a surrogate pair becomes U+FFFD.
func Unescape(dst, v []byte) []byte {
	for len(v) > 0 {
		n := plain(v, 0)
		dst = append(dst, v[:n]...)
		v = v[n:]
		if len(v) == 0 {
			break
		}
		if v[0] != '\\' || len(v) == 1 { // no string of a Scanner; keep what is there
			dst = append(dst, v[0])
			v = v[1:]
			continue
		}
		dst, n = character(dst, v)
		v = v[n:]
	}
	return dst
}

// character appends what the escape at the beginning of v stands for and returns its length.
func character(dst, v []byte) ([]byte, int) {
	switch c := v[1]; c {
	case 'b':
		return append(dst, '\b'), 2
	case 'f':
		return append(dst, '\f'), 2
	case 'n':
		return append(dst, '\n'), 2
	case 'r':
		return append(dst, '\r'), 2
	case 't':
		return append(dst, '\t'), 2
	case 'u':
		r, ok := hex4(v)
		if !ok {
			return append(dst, '\\'), 1
		}
		if r >= 0xD800 && r < 0xDC00 {
			if low, ok := hex4(v[6:]); ok && low >= 0xDC00 && low < 0xE000 {
				return utf8.AppendRune(dst, (r-0xD800)<<10|(low-0xDC00)+0x10000), 12
			}
		}
		return utf8.AppendRune(dst, r), 6 // a surrogate is written as U+FFFD
	default:
		return append(dst, c), 2
	}
}

// hex4 reads "\uXXXX" at the beginning of b.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case (c|0x20)-'a' < 6:
			c = (c | 0x20) - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// Scratch holds what had to be unescaped. Its buffer never grows and is never moved, so that every text that it hands
// out stays valid until Reset.
type Scratch struct {
	buf []byte
	n   int
}

// Reset forgets all texts and works in buf from now on.
func (s *Scratch) Reset(buf []byte) { s.buf, s.n = buf, 0 }

// Text returns v without escapes: v itself when it has none. ok is false, and v returned as written, when the buffer
// has no room for it.
func (s *Scratch) Text(v []byte, escaped bool) (text []byte, ok bool) {
	if !escaped {
		return v, true
	}
	if len(s.buf)-s.n < len(v) {
		return v, false
	}
	text = Unescape(s.buf[s.n:s.n:s.n+len(v)], v)
	s.n += len(text)
	return text, true
}

// Copy returns a copy of v that the caller may change. ok is false, and v returned, when the buffer has no room for it.
func (s *Scratch) Copy(v []byte) (text []byte, ok bool) {
	if len(s.buf)-s.n < len(v) {
		return v, false
	}
	text = s.buf[s.n : s.n+len(v) : s.n+len(v)]
	s.n += copy(text, v)
	return text, true
}
