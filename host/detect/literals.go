package detect

import (
	"regexp/syntax"
	"unicode"
)

const maxLiterals = 64 // of one expression; with more the expression is looked at wherever its field is there

// literalsOf returns texts, folded, of which one stands in whatever an expression matches; nil when there is none to tell.
func literalsOf(expression string) []string {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil
	}
	return literalsIn(re.Simplify())
}

func literalsIn(re *syntax.Regexp) (texts []string) {
	switch re.Op {
	case syntax.OpLiteral:
		if text := literalOf(re); len(text) >= minScanned {
			return []string{text}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return literalsIn(re.Sub[0])
	case syntax.OpConcat: // the part whose shortest text is longest
		for _, sub := range re.Sub {
			if of := literalsIn(sub); of != nil && (texts == nil || shortest(of) > shortest(texts)) {
				texts = of
			}
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			of := literalsIn(sub)
			if texts = append(texts, of...); of == nil || len(texts) > maxLiterals {
				return nil
			}
		}
	}
	return texts
}

// literalOf returns the longest part of a literal that folded text has wherever the literal matches: (?i)s also matches
// U+017F, whose lower case is not s.
func literalOf(re *syntax.Regexp) string {
	var best, part []rune
	for _, r := range re.Rune {
		low, same := unicode.ToLower(r), true
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

func shortest(texts []string) int {
	n := len(texts[0])
	for _, t := range texts[1:] {
		n = min(n, len(t))
	}
	return n
}
