package storage_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/storage"
	"pgregory.net/rapid"
)

func names(e storage.Event) (n []string) {
	for _, f := range e.Fields {
		n = append(n, f.Name+"="+f.Value)
	}
	return n
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		note    string
		in      []string // name, value, …
		want    []string
		changed int
	}{
		{"nothing to do", []string{"b", "1", "a", "2"}, []string{"b=1", "a=2"}, 0},
		{"the first of equal names stays", []string{"a", "1", "b", "2", "a", "3"}, []string{"a=1", "b=2"}, 1},
		{"no value", []string{"a", "", "b", "2"}, []string{"b=2"}, 1},
		{"no name", []string{"", "1"}, nil, 1},
		{"an empty first one does not count", []string{"a", "", "a", "2"}, []string{"a=2"}, 1},
		{"reserved names", []string{"_time", "1", "_msg", "2", "vedette.id", "3", "vedette.parser", "4"}, []string{"raw._time=1", "raw._msg=2", "raw.vedette.id=3", "vedette.parser=4"}, 3},
		{"a reserved name and its new one", []string{"_stream_id", "1", "raw._stream_id", "2"}, []string{"raw._stream_id=1"}, 2},
		{"not UTF-8", []string{"a\xff", "b\xfe"}, []string{"a\uFFFD=b\uFFFD"}, 1},
		{"the dataset lives in Stream", []string{"event.dataset", "s", "a", "1"}, []string{"a=1"}, 0},
		{"another dataset", []string{"event.dataset", "other"}, nil, 1},
	} {
		t.Run(c.note, func(t *testing.T) {
			e := storage.Event{Stream: "s"}
			for i := 0; i < len(c.in); i += 2 {
				e.Fields = append(e.Fields, storage.Field{Name: c.in[i], Value: c.in[i+1]})
			}
			if n := storage.Canonical(&e); n != c.changed || !slices.Equal(names(e), c.want) {
				t.Errorf("changed %d: %q, want %d: %q", n, names(e), c.changed, c.want)
			}
		})
	}
	e := storage.Event{Fields: []storage.Field{{Name: "event.dataset", Value: "x"}}}
	if storage.Canonical(&e); e.Stream != "x" || len(e.Fields) != 0 {
		t.Errorf("event.dataset did not fill an empty Stream: %+v", e)
	}
}

// Each limit is met exactly, and then exceeded by one.
func TestCanonicalLimits(t *testing.T) {
	many := func(n, size int) (f []storage.Field) {
		for i := range n {
			f = append(f, storage.Field{Name: fmt.Sprintf("f%04d", i), Value: strings.Repeat("v", size)})
		}
		return append(f, storage.Field{Name: storage.FieldParser, Value: "p"})
	}
	text := func(n int) string { return strings.Repeat("x", n) }
	full := storage.MaxRowBytes - 5*(5+1000) - len(storage.FieldParser) - 1
	for _, c := range []struct {
		limit string
		event func(over int) storage.Event
	}{
		{"raw", func(o int) storage.Event { return storage.Event{Raw: text(storage.MaxRawBytes + o)} }},
		{"stream", func(o int) storage.Event { return storage.Event{Stream: text(storage.MaxStreamBytes + o)} }},
		{"name", func(o int) storage.Event {
			return storage.Event{Fields: []storage.Field{{Name: text(storage.MaxFieldNameBytes + o), Value: "v"}}}
		}},
		{"value", func(o int) storage.Event {
			return storage.Event{Fields: []storage.Field{{Name: "n", Value: text(storage.MaxFieldValueBytes + o)}}}
		}},
		{"field", func(o int) storage.Event { return storage.Event{Fields: many(storage.MaxFieldsPerEvent-1+o, 1)} }},
		{"row", func(o int) storage.Event {
			e := storage.Event{Raw: text(storage.MaxRawBytes), Fields: many(5, 1000)}
			for i, left := 0, full-storage.MaxRawBytes+o; left > 0; i++ {
				f := storage.Field{Name: fmt.Sprintf("big%02d", i)}
				f.Value = text(min(left-len(f.Name), 100_000))
				if left -= 5 + len(f.Value); left > 0 && left < 100 {
					f.Value, left = f.Value[:len(f.Value)-100], left+100
				}
				e.Fields = append([]storage.Field{f}, e.Fields...)
			}
			return e
		}},
	} {
		t.Run(c.limit, func(t *testing.T) {
			e := c.event(0)
			if n := storage.Canonical(&e); n != 0 {
				t.Fatalf("at the limit %d things changed", n)
			}
			e = c.event(1)
			n := storage.Canonical(&e)
			if mark := e.Get(storage.FieldTruncated); n == 0 || !strings.Contains(mark, `"`+c.limit+`"`) {
				t.Fatalf("one over: %d changed, marked %q", n, mark)
			}
			if len(e.Fields) > 1 && strings.HasPrefix(c.limit, "f") && e.Get(storage.FieldParser) == "" {
				t.Fatal("one over: a field of ours was cut")
			}
			if n := storage.Canonical(&e); n != 0 {
				t.Fatalf("a second time %d things changed", n)
			}
		})
	}
}

// For any event the result obeys the limits, and a second time changes nothing.
func TestCanonicalProperties(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "é", "\xff", "日", "_time", "_msg", "vedette.", "id", ".", "", "raw.", "\xf0\x9f"})
	text := rapid.Custom(func(t *rapid.T) string {
		s := strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(t, "pieces"), "")
		return strings.Repeat(s, rapid.SampledFrom([]int{1, 1, 1, 1, 1, 1, 1, 40, 130, 9000}).Draw(t, "times"))
	})
	rapid.Check(t, func(t *rapid.T) {
		e := storage.Event{Raw: text.Draw(t, "raw"), Stream: text.Draw(t, "stream")}
		e.Raw = strings.Repeat(e.Raw, rapid.SampledFrom([]int{1, 1, 1, 40}).Draw(t, "raw times"))
		for range rapid.SampledFrom([]int{0, 3, 20, 498, 500, 501, 700}).Draw(t, "fields") {
			e.Fields = append(e.Fields, storage.Field{Name: text.Draw(t, "name"), Value: text.Draw(t, "value")})
		}
		storage.Canonical(&e)
		check(t, e)
	})
}

type failer interface{ Fatalf(string, ...any) }

func check(t failer, e storage.Event) {
	seen, size := map[string]bool{}, len(e.Raw)+len(e.Stream)
	for _, f := range e.Fields {
		switch f.Name {
		case "", "_time", "_stream", "_stream_id", "_msg", storage.FieldID, storage.FieldSeq, storage.FieldReceived, storage.FieldDataset:
			t.Fatalf("reserved name %q", f.Name)
		}
		if seen[f.Name] || f.Value == "" || !utf8.ValidString(f.Name+f.Value) || len(f.Name) > storage.MaxFieldNameBytes || len(f.Value) > storage.MaxFieldValueBytes {
			t.Fatalf("field %.200q: %.200q (seen %v)", f.Name, f.Value, seen[f.Name])
		}
		seen[f.Name] = true
		size += len(f.Name) + len(f.Value)
	}
	if len(e.Fields) > storage.MaxFieldsPerEvent || size > storage.MaxRowBytes || len(e.Raw) > storage.MaxRawBytes || len(e.Stream) > storage.MaxStreamBytes || !utf8.ValidString(e.Raw+e.Stream) {
		t.Fatalf("%d fields, %d bytes, raw %d, stream %q", len(e.Fields), size, len(e.Raw), e.Stream)
	}
	before := slices.Clone(e.Fields)
	raw, stream := e.Raw, e.Stream
	if n := storage.Canonical(&e); n != 0 || !slices.Equal(before, e.Fields) || raw != e.Raw || stream != e.Stream {
		t.Fatalf("the second time changed %d things: %.500q to %.500q", n, before, e.Fields)
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add("raw", "stream", "a\x00b\x00_time\x00c\x00a\x00d")
	f.Add("\xff", "\xf0\x9f", "event.dataset\x00s\x00vedette.id\x00x")
	f.Fuzz(func(t *testing.T, raw, stream, fields string) {
		e := storage.Event{Raw: raw, Stream: stream}
		parts := strings.Split(fields, "\x00")
		for i := 0; i+1 < len(parts); i += 2 {
			e.Fields = append(e.Fields, storage.Field{Name: parts[i], Value: parts[i+1]})
		}
		storage.Canonical(&e)
		check(t, e)
	})
}

func BenchmarkCanonical(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	e := storage.Event{Raw: strings.Repeat("raw line ", 55), Stream: "fortinet_fortigate.log"}
	for i := range 30 {
		e.Fields = append(e.Fields, storage.Field{Name: fmt.Sprintf("some.field.name.%d", i), Value: strings.Repeat("v", 1+r.IntN(20))})
	}
	b.ReportAllocs()
	for b.Loop() {
		if storage.Canonical(&e) != 0 {
			b.Fatal("not canonical")
		}
	}
}
