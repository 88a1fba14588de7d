package spec

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vedette-siem/vedette/sdk/go/template"
)

// naive matches a text with each template by itself, in every way to read it, and picks the best: what the tree has to
// find in one walk. It returns the values as "name=value", and false when no template reads the text.
func naive(d *document, text string) (values []string, ok bool) {
	literals, open := -1, 0
	for i := range d.templates {
		for _, v := range variants(d.templates[i].parts) {
			stops(v, func(*hole, string, string) {})
			got, fits, pos := []string{}, true, 0
			lits, free := 0, 0
			for _, p := range v {
				if p.hole == nil {
					lits += len(p.literal)
					if fits = fits && strings.HasPrefix(text[pos:], p.literal); fits {
						pos += len(p.literal)
					}
					continue
				}
				switch p.hole.kind {
				case template.Text, template.LastText, template.Rest:
					free++
				}
				if !fits {
					continue
				}
				end, reached := template.Reach(p.hole.kind, []byte(text), pos, p.hole.stop, p.hole.arg)
				if fits = reached; fits {
					got = append(got, p.hole.name+"="+text[pos:end])
					pos = end
				}
			}
			if fits && pos == len(text) && (lits > literals || lits == literals && free < open) {
				values, ok, literals, open = got, true, lits, free
			}
		}
	}
	return values, ok
}

// walked matches a text with the tree.
func walked(p *template.Program, names []string, text string) (values []string, ok bool, steps int) {
	var m template.Matcher
	m.Reset(p)
	ok = m.Match([]byte(text))
	values = []string{}
	for _, c := range m.Captures {
		name := ""
		if n := int(p.Holes[c.Hole].Target.Name); n >= 0x8000 {
			name = names[n-0x8000]
		}
		values = append(values, name+"="+text[c.Start:c.End])
	}
	if !ok {
		values = nil
	}
	return values, ok, m.Steps()
}

var (
	pieces = []string{"a", "b", "ab", " ", "=", ": ", "x1", "aa", " b", "\"", "1.2.3.4", "7", "  "}
	kinds  = []string{"word", "text", "text(last)", "int", "ip", "quoted", "blank", "hex", "hostname", "float"}
)

// drawTemplate makes a template whose open holes are followed by text.
func drawTemplate(t *rapid.T) string {
	var b strings.Builder
	holes := 0
	for range rapid.IntRange(1, 5).Draw(t, "parts") {
		piece := rapid.SampledFrom(pieces).Draw(t, "piece")
		switch rapid.IntRange(0, 3).Draw(t, "sort") {
		case 0:
			b.WriteString(piece)
		case 1:
			fmt.Fprintf(&b, "{?%s}", piece)
		default:
			fmt.Fprintf(&b, "{p.f%d:%s}%s", holes, rapid.SampledFrom(kinds).Draw(t, "kind"), piece)
			holes++
		}
	}
	if rapid.Bool().Draw(t, "rest") {
		b.WriteString("{p.rest:rest}")
	}
	return b.String()
}

func TestTreeMatchesAsTemplatesDoAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := "prefix: p\nmatch: [none]\ntemplates:\n"
		for range rapid.IntRange(1, 6).Draw(t, "templates") {
			src += "  - " + quote(drawTemplate(t)) + "\n"
		}
		s, problems := Parse([]byte(src))
		if s == nil {
			t.Skip(problems) // two holes side by side, or the same template twice
		}
		r := &reader{}
		d := r.document(r.parse([]byte(src)))
		for range 8 {
			text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(append(pieces, "c", "\\", "\"q\"")), 0, 8).Draw(t, "text"), "")
			want, fits := naive(d, text)
			got, ok, steps := walked(s.program, s.names, text)
			if ok != fits || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s%q: got %q %t, want %q %t", src, text, got, ok, want, fits)
			}
			if steps > len(s.program.Tree)/3 {
				t.Fatalf("%d steps in a tree of %d words", steps, len(s.program.Tree))
			}
		}
	})
}

// TestHostileSpecs: the largest and most ambiguous specs that Parse takes visit each node at most once for any text.
func TestHostileSpecs(t *testing.T) {
	long := strings.Repeat("aaaa aaaa ", 400)
	for name, src := range hostile() {
		s, problems := Parse([]byte(src))
		if s == nil {
			t.Fatalf("%s: %v", name, problems[:min(len(problems), 3)])
		}
		for _, text := range []string{long, long + "b", "", "a", strings.Repeat("a", 4000)} {
			_, _, steps := walked(s.program, s.names, text)
			if nodes := len(s.program.Tree) / 3; steps > nodes {
				t.Errorf("%s: %d steps, %d nodes", name, steps, nodes)
			}
		}
	}
	// Ten thousand templates are refused before anything is compiled.
	src := "templates:\n" + strings.Repeat("  - \"{:word} x\"\n", 6000)
	if s, problems := Parse([]byte(src)); s != nil || len(problems) != 1 {
		t.Errorf("6,000 templates: %v", problems)
	}
}

// hostile are specs as bad as the limits allow.
func hostile() map[string]string {
	all := map[string]string{}
	var wide, deep, options, many strings.Builder
	for i := range MaxWidth {
		fmt.Fprintf(&wide, "  - \"{:text}%s%02d\"\n", strings.Repeat("a", template.MaxStopBytes-2), i)
	}
	deep.WriteString("  - \"" + strings.Repeat("{:text}a", template.MaxHoles) + "b\"\n")
	options.WriteString("  - \"text " + strings.Repeat("{?{:word}a}", 5) + "b\"\n")
	for i := range MaxTemplates {
		fmt.Fprintf(&many, "  - \"%d{:int}a{:word} b\"\n", i)
	}
	all["wide"] = "match: [none]\ntemplates:\n" + wide.String()
	all["deep"] = "match: [none]\ntemplates:\n" + deep.String()
	all["options"] = "match: [none]\ntemplates:\n" + options.String()
	all["many"] = "match: [none]\ntemplates:\n" + many.String()
	return all
}
