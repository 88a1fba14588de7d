package detect

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAutomaton: a scan finds what looking for each text one by one finds, with few dense rows as with many.
func TestAutomaton(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abcé\x00")), 1, 6, -1)
		texts := rapid.SliceOfNDistinct(text, 1, 20, rapid.ID[string]).Draw(t, "texts")
		a := newAutomaton(texts, rapid.SampledFrom([]int{1, 40, maxDense}).Draw(t, "dense"))
		s := rapid.StringOfN(rapid.SampledFrom([]rune("abcéd\x00")), 0, 60, -1).Draw(t, "s")
		var have, want []string
		a.scan(s, func(n int32, end int) { have = append(have, fmt.Sprint(texts[n], " ", end)) })
		for _, x := range texts {
			for end := len(x); end <= len(s); end++ {
				if strings.HasSuffix(s[:end], x) {
					want = append(want, fmt.Sprint(x, " ", end))
				}
			}
		}
		slices.Sort(have)
		slices.Sort(want)
		if !slices.Equal(have, want) {
			t.Fatalf("found %q, want %q", have, want)
		}
	})
}

// TestAllBytes: a set of texts with every byte there is.
func TestAllBytes(t *testing.T) {
	var texts []string
	for c := range 256 {
		texts = append(texts, string([]byte{byte(c), byte(255 - c), byte(c)}))
	}
	a := newAutomaton(texts, maxDense)
	for n, x := range texts {
		found := 0
		a.scan("--"+x+"--", func(m int32, end int) {
			if int(m) == n && end == 5 {
				found++
			}
		})
		if found != 1 {
			t.Errorf("%q is found %d times", x, found)
		}
	}
}

func TestLiterals(t *testing.T) {
	for re, want := range map[string]string{
		`abc`:                    "abc",
		`^ABC$`:                  "abc",
		`(?i)powershell`:         "power hell", // (?i)s is more than s and S
		`ab|abcd`:                "",
		`abc|defg`:               "abc defg",
		`(abc)+x?`:               "abc",
		`(abc)?x`:                "",
		`[ab]cde.*fg`:            "cde",
		`x.*longest.*abc`:        "longest",
		`\x{FFFD}abcd`:           "abcd", // it matches any byte that is no UTF-8
		`\.exe\s+(one|three){2}`: ".exe",
	} {
		got := strings.Join(literalsOf(re), " ")
		if re == `(?i)powershell` { // either part will do
			if got != "power" && got != "hell" {
				t.Errorf("%s: %q", re, got)
			}
			continue
		}
		if got != want {
			t.Errorf("%s: %q, want %q", re, got, want)
		}
	}
}

// FuzzLiterals: what an expression matches holds one of its texts once it is folded.
func FuzzLiterals(f *testing.F) {
	f.Add(`(?i)(sudo|kill)\s+-9`, "\u017Fudo \u212Aill -9")
	f.Add(`a+bc{2,3}(d|e)`, "aabccd")
	f.Fuzz(func(t *testing.T, expression, s string) {
		re, err := regexp.Compile(expression)
		if err != nil || !re.MatchString(s) {
			return
		}
		texts := literalsOf(expression)
		if texts == nil {
			return
		}
		var m memory
		folded := m.fold(s)
		if !slices.ContainsFunc(texts, func(x string) bool { return strings.Contains(folded, x) }) {
			t.Fatalf("%q matches %q, which has none of %q", expression, s, texts)
		}
	})
}
