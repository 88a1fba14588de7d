package index

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func table(tb testing.TB, kind Kind, keys ...string) *Table {
	tb.Helper()
	var rows [][]string
	for i, k := range keys {
		rows = append(rows, []string{k, fmt.Sprint("row ", i)})
	}
	t, err := New(kind, []string{"key", "what"}, rows)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		keys string
		want map[string]int // key: row; -1 none
	}{
		{Exact, "a A a", map[string]int{"a": 0, "A": 1, "b": -1, "": -1}},
		{NoCase, "aB É", map[string]int{"AB": 0, "ab": 0, "É": 1, "é": -1}},
		{CIDR, "10.0.0.0/8 10.1.0.0/16 10.1.2.3 2001:db8::/32 ::ffff:192.0.2.0/120 0.0.0.0/0", map[string]int{
			"10.9.9.9": 0, "10.1.9.9": 1, "10.1.2.3": 2, "::ffff:10.1.2.3": 2, "2001:db8::1": 3, "2001:db8::1%eth0": 3, "2001:db9::1": -1,
			"192.0.2.7": 4, "198.51.100.1": 5, "no address": -1, "10.1.2.3/32": -1, "10.1.2": -1,
		}},
		{Domain, "example.com *.Evil.Example. .co.uk a.example.com", map[string]int{
			"example.com": 0, "www.EXAMPLE.com.": 0, "b.a.example.com": 3, "badexample.com": -1, "evil.example": 1, "x.y.evil.example": 1, "example": -1, "x.co.uk": 2, "com": -1, ".": -1, "..": -1,
		}},
	} {
		tab := table(t, c.kind, strings.Fields(c.keys)...)
		for key, want := range c.want {
			got, ok := tab.Find([]byte(key))
			if !ok {
				got = -1
			}
			if got != want {
				t.Errorf("%s: %q is in row %d, want %d", c.kind, key, got, want)
			}
		}
	}
	if tab := table(t, Exact, "a", "b", "a"); tab.Twice() != 1 || tab.Len() != 3 {
		t.Errorf("%d rows, %d twice", tab.Len(), tab.Twice())
	}
	if _, ok := (*Table)(nil).Find([]byte("x")); ok {
		t.Error("something is in no table")
	}
}

func TestLimits(t *testing.T) {
	long := strings.Repeat("k", MaxKeyBytes+1)
	many := make([]string, MaxColumns+1)
	for i := range many {
		many[i] = fmt.Sprint("c", i)
	}
	for why, c := range map[string]struct {
		kind    Kind
		columns []string
		rows    [][]string
	}{
		`kind "x"`:              {"x", []string{"a"}, nil},
		"0 columns":             {Exact, nil, nil},
		"33 columns":            {Exact, many, nil},
		"129 bytes":             {Exact, []string{long[:129]}, nil},
		"stands there twice":    {Exact, []string{"a", "a"}, nil},
		"row 2: 2 cells":        {Exact, []string{"a"}, [][]string{{"x"}, {"y", "z"}}},
		"a key of 0 bytes":      {Exact, []string{"a"}, [][]string{{""}}},
		"a key of 513 bytes":    {Exact, []string{"a"}, [][]string{{long}}},
		"row 1, b: 4097 bytes":  {Exact, []string{"a", "b"}, [][]string{{"x", strings.Repeat("v", MaxCellBytes+1)}}},
		"neither an address":    {CIDR, []string{"a"}, [][]string{{"host"}}},
		"is no network":         {CIDR, []string{"a"}, [][]string{{"10.0.0.0/33"}}},
		"is no domain":          {Domain, []string{"a"}, [][]string{{"*."}}},
		"1000001 rows, at most": {Exact, []string{"a"}, make([][]string, MaxRows+1)},
	} {
		if _, err := New(c.kind, c.columns, c.rows); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", why, err)
		}
	}
	tab := table(t, Exact, "k")
	if tab.Get([]byte(long), nil) != Limit || tab.Get([]byte("k"), nil) != Short || tab.Get([]byte("x"), nil) != Absent {
		t.Error("codes")
	}
}

// FuzzFind compares the index with looking at every row.
func FuzzFind(f *testing.F) {
	f.Add("10.0.0.0/8 10.1.0.0/16 ::/0 2001:db8::/32", "10.1.2.3")
	f.Add("example.com www.example.com com", "a.www.example.com.")
	f.Fuzz(func(t *testing.T, keys, key string) {
		for _, kind := range []Kind{Exact, NoCase, CIDR, Domain} {
			var rows [][]string
			for _, k := range strings.Fields(keys) {
				if _, err := New(kind, []string{"k"}, [][]string{{k}}); err == nil {
					rows = append(rows, []string{k})
				}
			}
			tab, err := New(kind, []string{"k"}, rows)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := tab.Find([]byte(key))
			if want, is := naive(kind, rows, key); ok != is || ok && got != want {
				t.Fatalf("%s %q in %q: row %d %v, want %d %v", kind, key, rows, got, ok, want, is)
			}
		}
	})
}

func naive(kind Kind, rows [][]string, key string) (best int, ok bool) {
	width := -1
	if len(key) == 0 || len(key) > MaxKeyBytes {
		return 0, false
	}
	for i, r := range rows {
		w := -1
		switch kind {
		case Exact:
			if r[0] == key {
				w = 0
			}
		case NoCase:
			if lower(r[0]) == lower(key) {
				w = 0
			}
		case CIDR:
			p, _ := network(r[0])
			if a, err := netip.ParseAddr(key); err == nil && p.Contains(a.Unmap().WithZone("")) {
				w = p.Bits()
			}
		case Domain:
			d, name := domain(r[0]), strings.TrimSuffix(lower(key), ".")
			if name == d || strings.HasSuffix(name, "."+d) {
				w = len(d)
			}
		}
		if w > width {
			best, width, ok = i, w, true
		}
	}
	return best, ok
}

func BenchmarkFind(b *testing.B) {
	addrs, names := make([]string, 100_000), make([]string, 100_000)
	for i := range addrs {
		addrs[i] = fmt.Sprintf("10.%d.%d.0/24", i%250, i/250%250)
		names[i] = fmt.Sprintf("host-%d.example.com", i)
	}
	for _, c := range []struct {
		kind Kind
		keys []string
		key  string
	}{{Exact, names, "host-77.example.com"}, {NoCase, names, "HOST-77.example.com"}, {CIDR, addrs, "10.7.9.1"}, {Domain, names, "a.b.host-77.example.com"}} {
		b.Run(string(c.kind), func(b *testing.B) {
			tab, key := table(b, c.kind, c.keys...), []byte(c.key)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := tab.Find(key); !ok {
					b.Fatal("not there")
				}
			}
		})
	}
}
