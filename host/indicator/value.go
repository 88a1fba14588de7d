package indicator

import (
	"net/netip"
	"strings"
	"unsafe"
)

// buffer is where values are brought into canonical form, without allocation.
type buffer [MaxValueBytes]byte

// text returns the first n bytes as a string, until the buffer is used again.
func (b *buffer) text(n int) string { return unsafe.String(&b[0], n) }

// lower writes s with small ASCII letters to the buffer, from a place on, and returns where it ends.
func (b *buffer) lower(at int, s string) int {
	for i := range len(s) {
		c := s[i]
		if c-'A' < 26 {
			c |= 0x20
		}
		b[at+i] = c
	}
	return at + len(s)
}

// url writes a URL as it is kept: without scheme, user, port of the scheme, fragment and the slash of an empty path, the host in
// small letters. It returns its length and that of the host. An absolute one needs a scheme.
func (b *buffer) url(s string, absolute bool) (n, host int, ok bool) {
	if len(s) >= MaxValueBytes {
		return 0, 0, false
	}
	port := ""
	if scheme, rest, found := strings.Cut(s, "://"); found && len(scheme) > 0 && len(scheme) <= 10 {
		switch {
		case equalFold(scheme, "http"):
			port = ":80"
		case equalFold(scheme, "https"):
			port = ":443"
		}
		s = rest
	} else if absolute {
		return 0, 0, false
	}
	s, _, _ = strings.Cut(s, "#")
	end := strings.IndexAny(s, "/?")
	if end < 0 {
		end = len(s)
	}
	name, path := s[:end], s[end:]
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		name = name[at+1:]
	}
	if port != "" {
		name = strings.TrimSuffix(name, port)
	}
	if name == "" {
		return 0, 0, false
	}
	n = b.lower(0, name)
	if path != "/" {
		n += copy(b[n:], path)
	}
	return n, len(name), true
}

// equalFold compares a text with one of small ASCII letters.
func equalFold(s, small string) bool {
	if len(s) != len(small) {
		return false
	}
	for i := range len(s) {
		if s[i]|0x20 != small[i] {
			return false
		}
	}
	return true
}

// parse reads an address; what does not look like one is not tried, because the error would be allocated.
func parse(s string) (netip.Addr, bool) {
	if at := strings.IndexByte(s, '%'); at >= 0 {
		s = s[:at]
	}
	if !isAddress(s) {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil
}

// isNamed reports whether a text can be a domain: it has a dot and no character that none has.
func isNamed(s string) bool {
	dot := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			dot = true
		case c <= ' ' || c == '/' || c == ':' || c == '@' || c == '"':
			return false
		}
	}
	return dot
}
