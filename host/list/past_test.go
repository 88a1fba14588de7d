package list

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vedette-siem/vedette/sdk/go/table/index"
)

// A past list made of the differences between lists says at each position what the list of then said.
func TestPastIsTheListOfThen(t *testing.T) {
	values := map[index.Kind][]string{
		index.Exact:  {"a", "A", "b"},
		index.NoCase: {"a", "A", "b"},
		index.CIDR:   {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "2001:db8::1"},
		index.Domain: {"example", "evil.example", "x.EVIL.example."},
	}
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]index.Kind{index.Exact, index.NoCase, index.CIDR, index.Domain}).Draw(t, "kind")
		asked := append(slices.Clone(values[kind]), "10.1.2.4", "10.2.0.1", "2001:db8::2", "y.example", "", "c")
		now, err := New(kind)
		if err != nil {
			t.Fatal(err)
		}
		past, err := NewPast(kind)
		if err != nil {
			t.Fatal(err)
		}
		lists, open := []*List{now}, map[string]*Member{}
		for seq := uint64(1); seq < 12; seq++ {
			draw := func(what string, most int) []string {
				return rapid.SliceOfN(rapid.SampledFrom(values[kind]), 0, most).Draw(t, what)
			}
			var put []Entry
			for _, v := range draw("put", 2) {
				put = append(put, Entry{Value: v, Expires: rapid.SampledFrom([]int64{0, 5, 20}).Draw(t, "expires")})
			}
			next, _, err := now.With(draw("remove", 2), put, int64(seq))
			if err != nil {
				t.Fatal(err)
			}
			gone, came := Diff(now, next)
			for _, e := range gone {
				open[e.Value].Until = seq
			}
			for _, e := range came {
				m := &Member{Value: e.Value, Expires: e.Expires, Since: seq}
				open[e.Value] = m
				if err := past.Add(m); err != nil {
					t.Fatal(err)
				}
			}
			now = next
			lists = append(lists, now)
		}
		for seq := range lists {
			for _, v := range asked {
				at := int64(seq)
				if got, want := past.Has(v, at, uint64(seq)+1), lists[seq].Has(v, at); got != want {
					t.Fatalf("%s at %d: %v, want %v", v, seq, got, want)
				}
			}
		}
	})
}

// Diff finds every change of a list that grows to more shards and gives way to the newest values.
func TestDiff(t *testing.T) {
	was := of(t, index.NoCase)
	have := map[string]bool{}
	for n := range 300 {
		var put []Entry
		for k := range 10 {
			put = append(put, Entry{Value: strings.Repeat("x", n+1) + string(rune('a'+k)), At: int64(n)})
		}
		var remove []string
		if n > 0 {
			remove = []string{strings.Repeat("x", n) + "a"}
		}
		now, _, err := was.With(remove, put, int64(n))
		if err != nil {
			t.Fatal(err)
		}
		gone, came := Diff(was, now)
		for _, e := range gone {
			delete(have, e.Value)
		}
		for _, e := range came {
			have[e.Value] = true
		}
		if len(gone) != len(remove) || len(came) != len(put) {
			t.Fatalf("change %d: %d gone and %d came", n, len(gone), len(came))
		}
		was = now
	}
	if len(have) != was.Len() {
		t.Errorf("%d values, want %d", len(have), was.Len())
	}
	if gone, came := Diff(was, was); gone != nil || came != nil {
		t.Error("a list differs from itself")
	}
}
