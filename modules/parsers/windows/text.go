package main

import "unsafe"

// str looks at the same bytes as a string, without a copy, under TinyGo too.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func is(b []byte, s string) bool { return len(b) == len(s) && str(b) == s }

func hasPrefix(b []byte, s string) bool { return len(b) >= len(s) && str(b[:len(s)]) == s }

func hasPrefixOf(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

// fold compares with a word in small letters, whatever the letters of b.
func fold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range len(s) {
		c := b[i]
		if c-'A' < 26 {
			c |= 0x20
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

// trim takes off blanks, line ends and zero bytes.
func trim(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// trimmed is t without the blanks around it.
func (t text) trimmed() text { return text{trim(t.v), t.at} }

// number reads a whole number, decimal or behind 0x; -1 when it is none.
func number(b []byte) int64 {
	base := int64(10)
	if len(b) > 2 && b[0] == '0' && b[1]|0x20 == 'x' {
		base, b = 16, b[2:]
	}
	if len(b) == 0 || len(b) > 15 {
		return -1
	}
	v := int64(0)
	for _, c := range b {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case base == 16 && (c|0x20)-'a' < 6:
			c = (c | 0x20) - 'a' + 10
		default:
			return -1
		}
		v = v*base + int64(c)
	}
	return v
}

// bits reads a mask of 64 bits as Windows writes it, 0x8020000000000000, or as a signed number.
func bits(b []byte) (v uint64, ok bool) {
	if len(b) > 2 && b[0] == '0' && b[1]|0x20 == 'x' {
		for _, c := range b[2:] {
			switch {
			case c-'0' <= 9:
				c -= '0'
			case (c|0x20)-'a' < 6:
				c = (c | 0x20) - 'a' + 10
			default:
				return 0, false
			}
			v = v<<4 | uint64(c)
		}
		return v, len(b) <= 18
	}
	minus := len(b) > 0 && b[0] == '-'
	if minus {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		v = v*10 + uint64(c-'0')
	}
	if minus {
		v = -v
	}
	return v, true
}

// lastIndex returns the last place of c in b, -1 when it is not there.
func lastIndex(b []byte, c byte) int {
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] == c {
			return i
		}
	}
	return -1
}

func index(b []byte, c byte) int {
	for i := range b {
		if b[i] == c {
			return i
		}
	}
	return -1
}

// address tells an IP address from a name by its characters, and takes the prefix off an IPv4 address written as IPv6.
func address(t text) (text, bool) {
	v := t.v
	if hasPrefix(v, "::ffff:") && index(v, '.') > 0 {
		v = v[len("::ffff:"):]
	}
	dots, colons, letters := 0, 0, 0
	for _, c := range v {
		switch {
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c == '%' && colons > 1: // the zone of a link-local address
			return text{v, t.place()}, true
		case c-'0' <= 9:
		case (c|0x20)-'a' < 6:
			letters++
		default:
			return t, false
		}
	}
	if len(v) == len(t.v) {
		return t, dots == 3 && colons+letters == 0 || colons >= 2
	}
	return text{v, t.place()}, dots == 3 && colons+letters == 0
}
