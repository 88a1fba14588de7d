package interp

import (
	"strings"
	"unicode/utf8"
)

// pattern is text with wildcards.
type pattern struct {
	tokens []token
	at     uint8 // places, of a pattern that is one text
	one    bool  // it is one text
	text   string
}

type token struct {
	kind uint8
	text string
}

// shape finds patterns that are one text.
func (p *pattern) shape() {
	var s []byte
	for _, t := range p.tokens {
		s = append(s, "t*?"[t.kind])
		if t.kind == TokenText {
			p.text = t.text
		}
	}
	p.one = true
	switch string(s) {
	case "", "t":
		p.at = Whole
	case "t*":
		p.at = Prefix
	case "*t":
		p.at = Suffix
	case "*t*":
		p.at = Inside
	default:
		p.one = false
	}
}

func (p *pattern) match(s string) bool {
	if p.one {
		return stands(s, p.text, p.at)
	}
	return p.glob(s)
}

func stands(s, text string, at uint8) bool {
	switch at {
	case Prefix:
		return strings.HasPrefix(s, text)
	case Suffix:
		return strings.HasSuffix(s, text)
	case Inside:
		return strings.Contains(s, text)
	}
	return s == text
}

// glob matches all of s. Its time is O(len(tokens)·len(s)).
func (p *pattern) glob(s string) bool {
	// The last run is the only point worth returning to: what was matched before it need not be tried again.
	i, at := 0, 0        // token and offset in s
	run, runAt := -1, -1 // token after the last run, and where its text may begin
	for {
		if i == len(p.tokens) {
			if at == len(s) {
				return true
			}
		} else {
			switch t := &p.tokens[i]; t.kind {
			case TokenRun:
				i++
				run, runAt = i, at
				continue
			case TokenOne:
				if at < len(s) {
					_, n := utf8.DecodeRuneInString(s[at:])
					i, at = i+1, at+n
					continue
				}
			default:
				if strings.HasPrefix(s[at:], t.text) {
					i, at = i+1, at+len(t.text)
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
