package detect

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
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
		if text := literalOf(re); len(text) >= minScanned || rare(text) {
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

// needed returns texts that all stand in whatever an expression matches, the rarest kinds of bytes first. They may be as short
// as one byte: looking for it costs a hundredth of what the expression does.
func needed(expression string) []string {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil
	}
	texts := neededIn(re.Simplify(), nil)
	slices.SortStableFunc(texts, func(a, b string) int { return cmp.Compare(ordinary(a), ordinary(b)) })
	texts = slices.Compact(texts)
	return texts[:min(len(texts), maxNeeded)]
}

// rare reports whether a text has only bytes that few values have, so that it is worth looking for however short it is.
func rare(text string) bool {
	for i := range len(text) {
		if text[i] < utf8.RuneSelf && strings.IndexByte("`^{}<>|&;$#@!~*", text[i]) < 0 {
			return false
		}
	}
	return text != ""
}

const maxNeeded = 4 // texts that are looked for before an expression is

func neededIn(re *syntax.Regexp, texts []string) []string {
	switch re.Op {
	case syntax.OpLiteral:
		text := ""
		for _, r := range re.Rune {
			if re.Flags&syntax.FoldCase != 0 && unicode.SimpleFold(r) != r { // the value is looked at as it is, not folded
				text = longer(&texts, text)
				continue
			}
			text += string(r)
		}
		longer(&texts, text)
	case syntax.OpCapture, syntax.OpPlus:
		return neededIn(re.Sub[0], texts)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			texts = neededIn(sub, texts)
		}
	}
	return texts
}

func longer(texts *[]string, text string) string {
	if text != "" {
		*texts = append(*texts, text)
	}
	return ""
}

// ordinary counts what stands in many values: letters, digits, blanks and dots.
func ordinary(text string) (n int) {
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == ' ' || r == '.' {
			n++
		}
	}
	return 2*n - len(text)
}
