package rule

import (
	"strings"
	"unicode/utf8"
)

// Pattern is text with wildcards, in Sigma's sense: literal runs between AnyRun and AnyOne.
type Pattern []Token

// Token is a run of literal text, or a wildcard when Wild is not zero.
type Token struct {
	Text string
	Wild byte // AnyRun, AnyOne or 0
}

// The wildcards.
const (
	AnyRun = '*' // any text, also none
	AnyOne = '?' // one character
)

// ParsePattern reads a Sigma value: * and ? are wildcards, a backslash before *, ? or another backslash makes it
// literal, and a backslash before anything else is a backslash.
func ParsePattern(s string) Pattern {
	var p Pattern
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			p = append(p, Token{Text: lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`\*?`, s[i+1]) >= 0:
			i++
			lit.WriteByte(s[i])
		case c == AnyRun:
			flush()
			if len(p) == 0 || p[len(p)-1].Wild != AnyRun {
				p = append(p, Token{Wild: AnyRun})
			}
		case c == AnyOne:
			flush()
			p = append(p, Token{Wild: AnyOne})
		default:
			lit.WriteByte(c)
		}
	}
	flush()
	return p
}

// Around returns the pattern with any text allowed before or after it.
func (p Pattern) Around(before, after bool) Pattern {
	var q Pattern
	if before && (len(p) == 0 || p[0].Wild != AnyRun) {
		q = append(q, Token{Wild: AnyRun})
	}
	q = append(q, p...)
	if after && (len(q) == 0 || q[len(q)-1].Wild != AnyRun) {
		q = append(q, Token{Wild: AnyRun})
	}
	return q
}

// Exact returns the only text that the pattern matches, and false when it has wildcards.
func (p Pattern) Exact() (string, bool) {
	switch {
	case len(p) == 0:
		return "", true
	case len(p) == 1 && p[0].Wild == 0:
		return p[0].Text, true
	}
	return "", false
}

// Fold returns the pattern for text folded with strings.ToLower.
func (p Pattern) Fold() Pattern {
	q := make(Pattern, len(p))
	for i, t := range p {
		q[i] = Token{Text: strings.ToLower(t.Text), Wild: t.Wild}
	}
	return q
}

// Match reports whether the pattern matches all of s, byte for byte. Its time is O(len(p)·len(s)).
func (p Pattern) Match(s string) bool {
	// The last AnyRun is the only point worth returning to: what was matched before it need not be tried again.
	i, at := 0, 0          // token and offset in s
	star, starAt := -1, -1 // token after the last AnyRun and where its text may begin
	for {
		if i == len(p) {
			if at == len(s) {
				return true
			}
		} else {
			switch t := p[i]; t.Wild {
			case AnyRun:
				i++
				star, starAt = i, at
				continue
			case AnyOne:
				if at < len(s) {
					_, n := utf8.DecodeRuneInString(s[at:])
					i, at = i+1, at+n
					continue
				}
			default:
				if strings.HasPrefix(s[at:], t.Text) {
					i, at = i+1, at+len(t.Text)
					continue
				}
			}
		}
		if star < 0 || starAt >= len(s) {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[starAt:])
		starAt += n
		i, at = star, starAt
	}
}
