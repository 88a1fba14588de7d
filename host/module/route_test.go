package module

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/manifest"
	"pgregory.net/rapid"
)

func TestRouteOrder(t *testing.T) {
	t.Parallel()
	r := NewRouter([]Candidate{
		{"syslog", &manifest.Match{Generic: true}},
		{"sshd", &manifest.Match{Signatures: []manifest.Signature{{Any: []string{"sshd[", "sudo:"}}}}},
		{"fortigate", &manifest.Match{Signatures: []manifest.Signature{{All: []string{"devid=", "logid=", "type="}}}}},
		{"unix", &manifest.Match{Signatures: []manifest.Signature{{All: []string{": "}, Priority: -10}}}},
		{"agent", &manifest.Match{Signatures: []manifest.Signature{{Listener: "http", Prefix: "{", Priority: 5}}}},
	})
	for _, c := range []struct {
		raw, listener string
		want          []int
	}{
		{`<189>date=2026-01-01 devid="FG" logid="1" type="traffic" msg="a: b"`, "udp", []int{2, 3, 0}},
		{"Jan  1 00:00:00 h sshd[1]: Failed password", "tcp", []int{1, 3, 0}},
		{`{"a":1}`, "http", []int{4, 0}},
		{`{"a":1}`, "tcp", []int{0}},
		{"", "tcp", []int{0}},
	} {
		var s Scratch
		for range 2 { // the scratch space must not remember the record before
			if got, _ := r.Route(nil, []byte(c.raw), c.listener, &s); !slices.Equal(got, c.want) {
				t.Errorf("Route(%q, %s) = %v, want %v", c.raw, c.listener, got, c.want)
			}
		}
	}
}

func TestRouteReadsOnlyTheHead(t *testing.T) {
	t.Parallel()
	r := NewRouter([]Candidate{{"late", &manifest.Match{Signatures: []manifest.Signature{{All: []string{"needle"}}}}}})
	raw := append(bytes.Repeat([]byte("x"), MaxRoutedBytes-5), "needle"...)
	if got, _ := r.Route(nil, raw, "", &Scratch{}); got != nil {
		t.Errorf("a literal that ends past MaxRoutedBytes was found: %v", got)
	}
	if got, _ := r.Route(nil, raw[1:], "", &Scratch{}); got == nil {
		t.Error("a literal that ends at MaxRoutedBytes was not found")
	}
}

// TestRouteAgainstDefinition: what is indexed gives the same order as asking every signature in turn.
func TestRouteAgainstDefinition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringMatching(`[ab]{1,3}`), 0, 3)
		var cs []Candidate
		for i := range rapid.IntRange(1, 9).Draw(t, "parsers") {
			m := &manifest.Match{Generic: rapid.IntRange(0, 3).Draw(t, "generic") == 0}
			for range rapid.IntRange(0, 3).Draw(t, "signatures") {
				m.Signatures = append(m.Signatures, manifest.Signature{
					All: texts.Draw(t, "all"), Any: texts.Draw(t, "any"), Prefix: rapid.StringMatching(`[ab]?`).Draw(t, "prefix"),
					Listener: rapid.SampledFrom([]string{"", "tcp", "udp"}).Draw(t, "listener"), Priority: rapid.IntRange(-1, 1).Draw(t, "priority"),
				})
			}
			cs = append(cs, Candidate{fmt.Sprint("p", i), m})
		}
		r := NewRouter(cs)
		var s Scratch
		for range 3 {
			raw := rapid.StringMatching(`[abc]{0,12}`).Draw(t, "raw")
			got, generic := r.Route(nil, []byte(raw), "tcp", &s)
			want, wantGeneric := ask(cs, raw, "tcp")
			if !slices.Equal(got, want) || generic != wantGeneric {
				t.Fatalf("Route(%q) = %v, generic from %d; want %v, from %d", raw, got, generic, want, wantGeneric)
			}
		}
	})
}

// ask is Route word for word.
func ask(cs []Candidate, raw, listener string) (to []int, generic int) {
	type asked struct {
		parser int
		sig    manifest.Signature
	}
	for _, round := range []bool{false, true} {
		var fit []asked
		for i, c := range cs {
			for _, g := range c.Match.Signatures {
				contains := func(l string) bool { return strings.Contains(raw, l) }
				all := !slices.ContainsFunc(g.All, func(l string) bool { return !contains(l) })
				if c.Match.Generic == round && (g.Listener == "" || g.Listener == listener) && strings.HasPrefix(raw, g.Prefix) &&
					all && (len(g.Any) == 0 || slices.ContainsFunc(g.Any, contains)) {
					fit = append(fit, asked{i, g})
				}
			}
		}
		slices.SortStableFunc(fit, func(a, b asked) int {
			return cmp.Or(b.sig.Priority-a.sig.Priority, b.sig.Specificity()-a.sig.Specificity(), a.parser-b.parser)
		})
		for _, f := range fit {
			if !slices.Contains(to, f.parser) {
				to = append(to, f.parser)
			}
		}
		if !round {
			generic = len(to)
		}
	}
	for i, c := range cs {
		if c.Match.Generic && !slices.Contains(to, i) {
			to = append(to, i)
		}
	}
	return to, generic
}

func TestAutomatonAgainstContains(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lits := rapid.SliceOfNDistinct(rapid.StringMatching(`[abc]{1,5}`), 1, 80, rapid.ID[string]).Draw(t, "literals")
		text := []byte(rapid.StringMatching(`[abcd]{0,200}`).Draw(t, "text")) // long ones are read at four places at once
		a := newAutomaton(lits)
		found := make([]uint64, 2)
		a.find(text, found)
		for n, l := range lits {
			if got, want := found[n/64]>>(n%64)&1 == 1, bytes.Contains(text, []byte(l)); got != want {
				t.Fatalf("%q in %q: %v, want %v", l, text, got, want)
			}
		}
	})
}

func TestAutomatonWithEveryByte(t *testing.T) {
	t.Parallel()
	var lits []string
	for b := range 256 {
		lits = append(lits, string([]byte{byte(b), byte(255 - b)}))
	}
	a := newAutomaton(lits)
	found := make([]uint64, 4)
	a.find([]byte{0x00, 0xff, 0x41}, found)
	if found[0]&1 == 0 {
		t.Error("literal 00 ff was not found")
	}
}

func BenchmarkRoute(b *testing.B) {
	var cs []Candidate
	for i := range 120 {
		cs = append(cs, Candidate{fmt.Sprint("p", i), &manifest.Match{Signatures: []manifest.Signature{
			{All: []string{fmt.Sprintf("product%d ", i), "type="}}, {All: []string{fmt.Sprintf("vendor%d:", i)}},
		}}})
	}
	r := NewRouter(cs)
	raw := append(bytes.Repeat([]byte(`key=value type="traffic" other=1 `), 18), "vendor77: x"...)
	var s Scratch
	var dst []int
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		dst, _ = r.Route(dst[:0], raw, "udp", &s)
	}
}
