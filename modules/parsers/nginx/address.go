package main

import "github.com/vedette-siem/vedette/sdk/go/scan"

// address tells an IP address from a name by its characters.
func address(b []byte) bool {
	dots, colons, letters := 0, 0, 0
	for _, c := range b {
		switch {
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c-'0' <= 9:
		case (c|0x20)-'a' < 6:
			letters++
		default:
			return false
		}
	}
	return dots == 3 && colons+letters == 0 || colons >= 2
}

// isPublic says whether an address is neither private, local, shared nor a loopback.
func isPublic(b []byte) bool {
	if scan.Byte(b, ':') >= 0 {
		return !is(b, "::1") && !is(b, "::") && !hasPrefix(b, "fe8") && !hasPrefix(b, "fe9") && !hasPrefix(b, "fea") && !hasPrefix(b, "feb") &&
			!hasPrefix(b, "fc") && !hasPrefix(b, "fd")
	}
	first, rest := octet(b)
	second, _ := octet(rest)
	switch {
	case first == 10, first == 127, first == 0,
		first == 172 && second >= 16 && second < 32,
		first == 192 && second == 168,
		first == 169 && second == 254,
		first == 100 && second >= 64 && second < 128:
		return false
	}
	return true
}

// octet reads a number up to a dot.
func octet(b []byte) (v int, rest []byte) {
	for i, c := range b {
		if c == '.' {
			return v, b[i+1:]
		}
		v = v*10 + int(c-'0')
	}
	return v, nil
}
