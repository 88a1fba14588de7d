package interp

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

func stands(s, text string, place uint32) bool {
	switch place {
	case Prefix:
		return strings.HasPrefix(s, text)
	case Suffix:
		return strings.HasSuffix(s, text)
	case Inside:
		return contains(s, text)
	}
	return s == text
}

// contains is strings.Contains, eight places at a time: those where the first byte of the text does not stand.
func contains(s, text string) bool {
	n := len(text)
	if n == 0 || len(s) < n {
		return n == 0
	}
	b, t := bytesOf(s), bytesOf(text)
	first := uint64(t[0]) * ones
	at, last := 0, len(b)-n // where the text may begin
	for at <= last {
		if at+8 <= len(b) {
			x := load64(b, at) ^ first
			if x = (x - ones) &^ x & (0x80 * ones); x == 0 { // no byte of it is 0
				at += 8
				continue
			}
			if at += bits.TrailingZeros64(x) / 8; at > last {
				return false
			}
		}
		if equal(t, b[at:]) {
			return true
		}
		at++
	}
	return false
}

// glob matches all of s with tokens, three words each. Its time is O(len(tokens)·len(s)).
func (p *Program) glob(tokens []uint32, s string) bool {
	// The last run is the only point worth returning to: what was matched before it need not be tried again.
	i, at := 0, 0        // token and offset in s
	run, runAt := -1, -1 // token after the last run, and where its text may begin
	for {
		if i == len(tokens) {
			if at == len(s) {
				return true
			}
		} else {
			switch t := tokens[i:][:3]; t[0] {
			case TokenRun:
				i += 3
				run, runAt = i, at
				continue
			case TokenOne:
				if at < len(s) {
					_, n := utf8.DecodeRuneInString(s[at:])
					i, at = i+3, at+n
					continue
				}
			default:
				if text := p.string(t[1], t[2]); strings.HasPrefix(s[at:], text) {
					i, at = i+3, at+len(text)
					continue
				}
			}
		}
		if run < 0 || runAt >= len(s) {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[runAt:])
		runAt += n
		i, at = run, runAt
	}
}
