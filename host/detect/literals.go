package detect

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/host/rule"
)

// literalsOf returns texts, folded, of which one stands in whatever an expression matches; nil when there is none to tell.
func literalsOf(expression string) []string {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil
	}
	return rule.Literals(re.Simplify(), func(text string) bool { return len(text) >= minScanned || rare(text) })
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
