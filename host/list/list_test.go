package list

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

func of(tb testing.TB, kind index.Kind, values ...string) *List {
	tb.Helper()
	l, err := New(kind)
	if err != nil {
		tb.Fatal(err)
	}
	var put []Entry
	for _, v := range values {
		put = append(put, Entry{Value: v})
	}
	if l, _, err = l.With(nil, put, 0); err != nil {
		tb.Fatal(err)
	}
	return l
}

func TestHas(t *testing.T) {
	for _, c := range []struct {
		kind   index.Kind
		values string
		has    string
		not    string
	}{
		{index.Exact, "a B", "a B", "A b"},
		{index.NoCase, "aB É", "AB ab É", "é a"},
		{index.CIDR, "10.0.0.0/8 ::ffff:192.0.2.0/120 2001:db8::1", "10.9.9.9 ::ffff:10.1.1.1 192.0.2.7 2001:db8::1%eth0", "11.0.0.1 2001:db8::2 host 10.0.0.0/8 10.1"},
		{index.Domain, "*.Evil.Example. a.b", "evil.example x.EVIL.example. a.b", "bevil.example example b ."},
	} {
		l := of(t, c.kind, strings.Fields(c.values)...)
		for _, v := range strings.Fields(c.has) {
			if !l.Has(v, 0) {
				t.Errorf("%s %s: %s is not in it", c.kind, c.values, v)
			}
		}
		for _, v := range append(strings.Fields(c.not), "", strings.Repeat("x", index.MaxKeyBytes+1)) {
			if l.Has(v, 0) {
				t.Errorf("%s %s: %s is in it", c.kind, c.values, v)
			}
		}
	}
	if (*List)(nil).Has("x", 0) {
		t.Error("something is in no list")
	}
}

func TestEnds(t *testing.T) {
	l, err := New(index.NoCase)
	if err != nil {
		t.Fatal(err)
	}
	l, _, err = l.With(nil, []Entry{{Value: "x", Expires: 100}}, 1)
	if err != nil || !l.Has("X", 99) || l.Has("x", 100) {
		t.Errorf("an entry does not end when it should: %v", err)
	}
	again, _, err := l.With(nil, []Entry{{Value: "X", Expires: 200}}, 2)
	if err != nil || again.Len() != 1 || !again.Has("x", 150) || l.Has("x", 150) {
		t.Error("an entry that was put again")
	}
}

// What With returns is the same as a map of which it is told, and what it was asked of stays what it was.
func TestWith(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, err := New(index.Exact)
		if err != nil {
			t.Fatal(err)
		}
		type version struct {
			list *List
			want map[string]int64
		}
		versions := []version{{l, map[string]int64{}}}
		value := rapid.StringMatching(`[a-z]{1,2}`)
		for n := range rapid.IntRange(1, 20).Draw(t, "changes") {
			from := versions[rapid.IntRange(0, len(versions)-1).Draw(t, "from")]
			want := map[string]int64{}
			for k, v := range from.want {
				want[k] = v
			}
			remove := rapid.SliceOfN(value, 0, 20).Draw(t, "remove")
			for _, v := range remove {
				delete(want, v)
			}
			var put []Entry
			for _, v := range rapid.SliceOfN(value, 0, 60).Draw(t, "put") {
				put = append(put, Entry{Value: v, At: int64(n)})
				want[v] = int64(n)
			}
			next, _, err := from.list.With(remove, put, int64(n))
			if err != nil {
				t.Fatal(err)
			}
			versions = append(versions, version{next, want})
		}
		for _, v := range versions {
			if v.list.Len() != len(v.want) {
				t.Fatalf("%d entries, want %d", v.list.Len(), len(v.want))
			}
			for _, e := range v.list.Entries() {
				if at, there := v.want[e.Value]; !there || at != e.At || v.list.Find(e.Value, 0) != e {
					t.Fatalf("%s at %d, want %d", e.Value, e.At, at)
				}
			}
		}
	})
}

// A full list gives up those that have ended, and then the oldest.
func TestFull(t *testing.T) {
	l, err := New(index.Exact)
	if err != nil {
		t.Fatal(err)
	}
	var put []Entry
	for n := range MaxEntries {
		e := Entry{Value: fmt.Sprint("value ", n), At: int64(n)}
		if n%1000 == 0 {
			e.Expires = 5
		}
		put = append(put, e)
	}
	l, did, err := l.With(nil, put, 1)
	if err != nil || l.Len() != MaxEntries || did != (Changed{}) {
		t.Fatalf("%d entries, %+v, %v", l.Len(), did, err)
	}
	l, did, err = l.With(nil, []Entry{{Value: "one more", At: MaxEntries}}, 10)
	if err != nil || l.Len() != MaxEntries-99 || did.Ended != 100 || did.Evicted != 0 {
		t.Fatalf("%d entries, %+v, %v", l.Len(), did, err)
	}
	put = put[:0]
	for n := range 100 {
		put = append(put, Entry{Value: fmt.Sprint("new ", n), At: MaxEntries + 1})
	}
	l, did, err = l.With(nil, put, 10)
	if err != nil || l.Len() != MaxEntries-roomMade || did.Evicted != roomMade+1 || l.Has("value 1", 10) || !l.Has("new 99", 10) || !l.Has("value 99999", 10) {
		t.Fatalf("%d entries, %+v, %v", l.Len(), did, err)
	}
}

func TestLimits(t *testing.T) {
	if _, err := New("regex"); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("a kind: %v", err)
	}
	for why, e := range map[string]Entry{
		"no value": {}, "a long value": {Value: strings.Repeat("x", index.MaxKeyBytes+1)},
		"a long note": {Value: "x", Note: strings.Repeat("x", MaxNoteBytes+1)}, "a long origin": {Value: "x", Origin: strings.Repeat("x", MaxOriginBytes+1)},
	} {
		if _, _, err := of(t, index.Exact).With(nil, []Entry{e}, 0); !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if _, _, err := of(t, index.CIDR).With(nil, []Entry{{Value: "host"}}, 0); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("no address: %v", err)
	}
	if _, _, err := of(t, index.Domain).With([]string{"*."}, nil, 0); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("no domain: %v", err)
	}
}

// Removing the last network of a width takes the width away; the list before keeps it.
func TestWidths(t *testing.T) {
	was := of(t, index.CIDR, "10.0.0.0/8", "10.1.0.0/16")
	now, _, err := was.With([]string{"10.0.0.0/8"}, nil, 0)
	if err != nil || now.Has("10.2.0.1", 0) || !now.Has("10.1.0.1", 0) || !was.Has("10.2.0.1", 0) {
		t.Error(err)
	}
	if now.widths.v4[8] != 0 || was.widths.v4[8] != 1 {
		t.Error("widths")
	}
}

func FuzzJSON(f *testing.F) {
	for _, kind := range []index.Kind{index.Exact, index.NoCase, index.CIDR, index.Domain} {
		text, err := json.Marshal(of(f, kind, "10.0.0.1", "::1"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"kind":"cidr","entries":[{"v":"10.0.0.0/8","x":1},null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var l List
		if json.Unmarshal(text, &l) != nil {
			return
		}
		once, err := json.Marshal(&l)
		if err != nil {
			t.Fatal(err)
		}
		var again List
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatal(err)
		}
		if twice, err := json.Marshal(&again); err != nil || !bytes.Equal(once, twice) || again.Len() != l.Len() {
			t.Fatalf("%s, then %s: %v", once, twice, err)
		}
	})
}

func BenchmarkHas(b *testing.B) {
	for _, size := range []int{100, MaxEntries} {
		for _, c := range []struct {
			kind  index.Kind
			value string
			key   string
		}{{index.NoCase, "User-%d", "USER-77"}, {index.CIDR, "10.0.%d.0/24", "10.0.77.9"}, {index.Domain, "host-%d.example.com", "a.b.Host-77.example.com"}} {
			b.Run(fmt.Sprintf("%s/%d", c.kind, size), func(b *testing.B) {
				values := make([]string, 0, size)
				for n := range size {
					if c.kind == index.CIDR {
						values = append(values, fmt.Sprintf("10.%d.%d.0/24", n>>8&255, n&255))
					} else {
						values = append(values, fmt.Sprintf(c.value, n))
					}
				}
				l := of(b, c.kind, values...)
				b.ReportAllocs()
				for b.Loop() {
					if !l.Has(c.key, 1) {
						b.Fatal("not there")
					}
				}
			})
		}
	}
}

// BenchmarkWith adds one value to a full list.
func BenchmarkWith(b *testing.B) {
	values := make([]string, MaxEntries-1)
	for n := range values {
		values[n] = fmt.Sprint("user-", n)
	}
	l := of(b, index.NoCase, values...)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := l.With(nil, []Entry{{Value: "one more"}}, 1); err != nil {
			b.Fatal(err)
		}
	}
}
