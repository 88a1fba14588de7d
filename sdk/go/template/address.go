package template

// address returns the length of the IP address that b begins with, 0 when it begins with none.
func address(b []byte) int {
	if n := ipv4(b); n > 0 && (n == len(b) || b[n] != ':' || !hextets(b)) {
		return n
	}
	return ipv6(b)
}

// portless returns the length of the address that b begins with when stop stands behind it. Before a colon the last
// group is none of an IPv6 address but a port, as in "2001:db8::7:44300".
func portless(b []byte, stop string) int {
	n := address(b)
	if stop != ":" || n > 0 && (n == len(b) || b[n] == ':') && ipv4(b[:n]) == n {
		return n
	}
	end, colon := 0, 0
	for end < len(b) && (hexDigit(b[end]) || b[end] == ':' || b[end] == '.') {
		if b[end] == ':' {
			colon = end
		}
		end++
	}
	if colon == 0 || ipv6(b[:colon]) != colon {
		return 0
	}
	return colon
}

// hextets says that b begins with the groups of an IPv6 address rather than with an IPv4 address and a port.
func hextets(b []byte) bool {
	n := 0
	for n < len(b) && hexDigit(b[n]) {
		n++
	}
	return n < len(b) && b[n] == ':'
}

// ipv4 reads four numbers of 0 to 255.
func ipv4(b []byte) int {
	n := 0
	for part := range 4 {
		if part > 0 {
			if n == len(b) || b[n] != '.' {
				return 0
			}
			n++
		}
		v, start := 0, n
		for n < len(b) && n < start+3 && digit(b[n]) {
			v = v*10 + int(b[n]-'0')
			n++
		}
		if n == start || v > 255 {
			return 0
		}
	}
	if n < len(b) && digit(b[n]) || n+1 < len(b) && b[n] == '.' && digit(b[n+1]) {
		return 0 // 1.2.3.4567 and 1.2.3.4.5 are something else
	}
	return n
}

// ipv6 reads groups of up to four hexadecimal digits, at most eight, one "::", and an IPv4 address at the end. A colon
// behind it is left to what follows ("fe80::1: link down").
func ipv6(b []byte) int {
	n, groups, gap := 0, 0, false
	if len(b) >= 2 && b[0] == ':' && b[1] == ':' {
		n, gap = 2, true
	}
	for n < len(b) && groups < 8 {
		start := n
		if groups <= 6 {
			if m := ipv4(b[n:]); m > 0 && (groups > 0 || gap) {
				return whole(n+m, groups+2, gap)
			}
		}
		for n < len(b) && n < start+4 && hexDigit(b[n]) {
			n++
		}
		if n == start {
			break
		}
		if n < len(b) && hexDigit(b[n]) {
			return 0
		}
		if groups++; n == len(b) || b[n] != ':' {
			return whole(n, groups, gap)
		}
		switch {
		case n+1 < len(b) && b[n+1] == ':' && !gap:
			gap = true
			n += 2
		case n+1 < len(b) && hexDigit(b[n+1]) && groups < 8:
			n++
		default:
			return whole(n, groups, gap)
		}
	}
	return whole(n, groups, gap)
}

// whole returns n when so many groups make an address.
func whole(n, groups int, gap bool) int {
	if gap && groups <= 7 && n > 2 || gap && n == 2 || !gap && groups == 8 {
		return n
	}
	return 0
}
