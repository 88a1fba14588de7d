package portable

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/modules/rules/portable/interp"
)

// expressions compiles regular expressions, so that whoever runs them needs no compiler.
func (e *encoder) expressions(x *test, t *rule.Test) error {
	for _, re := range t.Regexps {
		tree, err := syntax.Parse(re.String(), syntax.Perl)
		if err != nil {
			return err
		}
		tree = tree.Simplify()
		prog, err := syntax.Compile(tree)
		if err != nil {
			return err
		}
		x.args = append(x.args, e.share(e.machine(tree, prog)))
		texts := rule.Literals(tree, func(text string) bool { return len(text) >= interp.GramBytes })
		x.partly = x.partly || texts == nil
		for _, text := range texts {
			x.needles = append(x.needles, needle{text: text})
		}
	}
	if x.partly {
		x.needles = nil // none of them decides
	}
	return nil
}

// machine writes an expression for whoever runs it.
func (e *encoder) machine(tree *syntax.Regexp, prog *syntax.Prog) []uint32 {
	first, none := firstOf(tree)
	if none {
		first = everyByte
	}
	code := append(first[:], uint32(least(tree)), e.needs(tree), uint32(prog.Start), uint32(len(prog.Inst)))
	for i := range prog.Inst {
		in := &prog.Inst[i]
		op, arg := uint32(interp.InstSkip), uint32(0)
		switch in.Op {
		case syntax.InstMatch:
			op = interp.InstMatch
		case syntax.InstFail:
			op = interp.InstFail
		case syntax.InstAlt, syntax.InstAltMatch:
			op, arg = interp.InstAlt, in.Arg
		case syntax.InstEmptyWidth:
			op, arg = interp.InstEmpty, in.Arg
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			ranges := rangesOf(in)
			op, arg = interp.InstRunes, e.share(append([]uint32{uint32(len(ranges) / 2)}, ranges...))
		}
		code = append(code, op, in.Out, arg)
	}
	return code
}

// rangesOf returns the characters that an instruction takes, as pairs of the first and last of a range, ascending.
func rangesOf(in *syntax.Inst) (out []uint32) {
	switch {
	case in.Op == syntax.InstRuneAny:
		return []uint32{0, utf8.MaxRune}
	case in.Op == syntax.InstRuneAnyNotNL:
		return []uint32{0, '\n' - 1, '\n' + 1, utf8.MaxRune}
	case len(in.Rune) == 1:
		for _, r := range slices.Sorted(slices.Values(folds(in.Rune[0], syntax.Flags(in.Arg)))) {
			out = append(out, uint32(r), uint32(r))
		}
		return out
	}
	for _, r := range in.Rune {
		out = append(out, uint32(r))
	}
	return out
}

// folds returns a character and, where case does not matter, its other forms.
func folds(r rune, flags syntax.Flags) []rune {
	out := []rune{r}
	if flags&syntax.FoldCase != 0 {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			out = append(out, f)
		}
	}
	return out
}

// byteSet has a bit for each byte.
type byteSet [8]uint32

var everyByte = byteSet{1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 1<<32 - 1}

// add adds the first bytes of a range of characters; those that are not of ASCII are one.
func (b *byteSet) add(first, last rune) {
	for r := first; r <= min(last, utf8.RuneSelf-1); r++ {
		b[r>>5] |= 1 << (r & 31)
	}
	if last >= utf8.RuneSelf {
		copy(b[4:], everyByte[4:])
	}
}

// firstOf returns the bytes that may begin what an expression matches, and whether that may be nothing.
func firstOf(re *syntax.Regexp) (set byteSet, none bool) {
	join := func(with byteSet) {
		for i := range set {
			set[i] |= with[i]
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range folds(re.Rune[0], re.Flags) {
			set.add(r, r)
		}
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			set.add(re.Rune[i], re.Rune[i+1])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return everyByte, false
	case syntax.OpCapture, syntax.OpPlus:
		return firstOf(re.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		set, _ = firstOf(re.Sub[0])
		return set, true
	case syntax.OpConcat:
		none = true
		for i := 0; none && i < len(re.Sub); i++ {
			var of byteSet
			of, none = firstOf(re.Sub[i])
			join(of)
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			of, empty := firstOf(sub)
			join(of)
			none = none || empty
		}
	case syntax.OpNoMatch:
	default: // it takes no character
		none = true
	}
	return set, none
}

// least returns how many characters whatever an expression matches has at least.
func least(re *syntax.Regexp) (n int) {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return least(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			n += least(sub)
		}
	case syntax.OpAlternate:
		n = least(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			n = min(n, least(sub))
		}
	}
	return n
}

// maxNeeds is how many texts are looked for before an expression is.
const maxNeeds = 4

// needs writes texts that all stand in whatever an expression matches, those with the least usual characters first. They may be as
// short as one byte: looking for it costs a hundredth of what the expression does.
func (e *encoder) needs(tree *syntax.Regexp) uint32 {
	var texts []string
	needsIn(tree, &texts)
	slices.SortStableFunc(texts, func(a, b string) int { return cmp.Compare(usual(a), usual(b)) })
	texts = slices.Compact(texts)
	texts = texts[:min(len(texts), maxNeeds)]
	list := []uint32{uint32(len(texts))}
	for _, s := range texts {
		at, n := e.text(s)
		list = append(list, at, n)
	}
	return e.share(list)
}

func needsIn(re *syntax.Regexp, texts *[]string) {
	switch re.Op {
	case syntax.OpLiteral:
		text := ""
		for _, r := range append(slices.Clone(re.Rune), -1) {
			if r >= 0 && r != utf8.RuneError && (re.Flags&syntax.FoldCase == 0 || unicode.SimpleFold(r) == r) { // the value is looked at as it is
				text += string(r)
			} else if text != "" {
				*texts = append(*texts, text)
				text = ""
			}
		}
	case syntax.OpCapture, syntax.OpPlus:
		needsIn(re.Sub[0], texts)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			needsIn(sub, texts)
		}
	}
}

// usual counts what stands in many values: letters, digits, blanks and dots, against what does not.
func usual(text string) (n int) {
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == ' ' || r == '.' {
			n++
		} else {
			n--
		}
	}
	return n
}
