package rule

import (
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

const maxLiterals = 64 // of one expression; with more the expression is looked at wherever its field is there

// Literals returns texts, folded, of which one stands in whatever a simplified expression matches; nil when there is none
// to tell. worth says which texts are worth looking for.
func Literals(re *syntax.Regexp, worth func(text string) bool) (texts []string) {
	switch re.Op {
	case syntax.OpLiteral:
		if text := literal(re); worth(text) {
			return []string{text}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return Literals(re.Sub[0], worth)
	case syntax.OpConcat: // the part whose shortest text is longest
		for _, sub := range re.Sub {
			if of := Literals(sub, worth); of != nil && (texts == nil || leastBytes(of) > leastBytes(texts)) {
				texts = of
			}
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			of := Literals(sub, worth)
			if texts = append(texts, of...); of == nil || len(texts) > maxLiterals {
				return nil
			}
		}
	}
	return texts
}

// literal returns the longest part of a literal that folded text has wherever the literal matches: (?i)s also matches
// U+017F, whose lower case is not s, and U+FFFD matches bytes that are no UTF-8.
func literal(re *syntax.Regexp) string {
	var best, part []rune
	for _, r := range re.Rune {
		low, same := unicode.ToLower(r), r != utf8.RuneError
		if re.Flags&syntax.FoldCase != 0 {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				same = same && unicode.ToLower(f) == low
			}
		}
		if part = append(part, low); !same {
			part = nil
		}
		if len(part) > len(best) {
			best = part[:len(part):len(part)]
		}
	}
	return string(best)
}

func leastBytes(texts []string) int {
	n := len(texts[0])
	for _, t := range texts[1:] {
		n = min(n, len(t))
	}
	return n
}
