package conform

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

// glance is one row of the guest tables.
type glance struct {
	letter, table, key string
	n                  int64

	low  int32  // the result
	high uint32 // what it is about: bits, or the row's sum
}

func (g *glance) want() int64 { return int64(uint64(g.high)<<32 | uint64(uint32(g.low))) }

// glances has a rule look into tables and requires what it finds.
func (r *run) glances(ctx context.Context, tables []protocol.Table, list ...glance) error {
	m, err := r.lookingUp(ctx, kindRule)
	if err != nil {
		return err
	}
	c := protocol.Call{Seq: logSeq, At: logTime, Columns: 4, Tables: tables}
	for _, g := range list {
		c.Rows = append(c.Rows, protocol.Row{Time: logTime, Cells: []protocol.Bytes{bytesOf(g.letter), bytesOf(g.table), bytesOf(g.key), bytesOf(number(g.n))}})
	}
	said, err := r.answersOf(ctx, m, c)
	if err != nil {
		return err
	}
	for i, g := range list {
		if said[i] != g.want() {
			return fmt.Errorf("%s of %.40q in %q, %d: %d and %#x, want %d and %#x", g.letter, g.key, g.table, g.n,
				int32(uint32(said[i])), uint64(said[i])>>32, g.low, g.high)
		}
	}
	return nil
}

func (r *run) lookingUp(ctx context.Context, kind string) (string, error) {
	return r.loaded(ctx, "tables", protocol.Load{
		Kind: kind, Grants: []string{"vedette_set_v1", "vedette_lookup_v1"}, Tables: []string{"t", "u", "exact", "nocase", "cidr", "domain"},
		Limits: limits(80_000_000, 2_000_000, 500),
	})
}

func keyTable(kind string, keys ...string) protocol.Table {
	t := protocol.Table{Name: kind, Kind: kind, Columns: []string{"key"}}
	for _, k := range keys {
		t.Rows = append(t.Rows, []string{k})
	}
	return t
}

// tableKinds compares keys as 14.2 says; "-" before a key says that it is in no row.
func tableKinds(ctx context.Context, r *run) error {
	tables := []protocol.Table{
		keyTable("exact", "Eva", "b", strings.Repeat("k", 512)), keyTable("nocase", "Eva", "É"),
		keyTable("cidr", "10.0.0.0/8", "192.0.2.7", "2001:db8::/32"), keyTable("domain", "evil.example", "Sub.Good.example."),
	}
	var list []glance
	for table, keys := range map[string][]string{
		"exact":  {"Eva", "b", strings.Repeat("k", 512), "-eva", "-E", "-Evaa", "-", "-" + strings.Repeat("k", 511)},
		"nocase": {"Eva", "eva", "EVA", "É", "-é", "-ev"},
		"cidr": {
			"10.0.0.0", "10.255.1.2", "192.0.2.7", "2001:db8::1", "2001:DB8:0:0::2", "::ffff:10.1.2.3", "-11.0.0.0", "-192.0.2.8", "-2001:db9::1",
			"-10.0.0", "-10.0.0.256", "-10.1.2.3 ", "-host", "-",
		},
		"domain": {
			"evil.example", "EVIL.example", "evil.example.", "a.b.evil.example", "sub.good.example", "x.SUB.good.example.", "-notevil.example", "-good.example", "-example",
			"-evil.example.org", "-",
		},
	} {
		for _, k := range keys {
			g := glance{letter: "m", table: table, key: k, low: 1, high: 1}
			if rest, absent := strings.CutPrefix(k, "-"); absent {
				g = glance{letter: "m", table: table, key: rest}
			}
			list = append(list, g)
		}
	}
	return r.glances(ctx, tables, list...)
}

// tableRows reads rows: the guest answers with their number of cells and a sum over names and values.
func tableRows(ctx context.Context, r *run) error {
	found := func(table, key, text string) glance {
		h := fnv.New32a()
		_, _ = h.Write([]byte(text))
		return glance{letter: "g", table: table, key: key, n: 8192, low: 2, high: h.Sum32()}
	}
	return r.glances(ctx,
		[]protocol.Table{
			{Name: "t", Kind: "nocase", Columns: []string{"user", "department"}, Rows: [][]string{{"eva", ""}, {"bob", "it"}}},
			{Name: "cidr", Kind: "cidr", Columns: []string{"k", "n"}, Rows: [][]string{{"10.0.0.0/8", "wide"}, {"10.1.0.0/16", "narrow"}}},
			{Name: "domain", Kind: "domain", Columns: []string{"k", "n"}, Rows: [][]string{{"example", "short"}, {"evil.example", strings.Repeat("l", 4096)}}},
		},
		found("t", "eva", "user=eva;department=;"),
		found("t", "EVA", "user=eva;department=;"),
		found("t", "bob", "user=bob;department=it;"),
		found("cidr", "10.1.2.3", "k=10.1.0.0/16;n=narrow;"),
		found("cidr", "10.2.2.3", "k=10.0.0.0/8;n=wide;"),
		found("domain", "a.example", "k=example;n=short;"),
		found("domain", "a.evil.example", "k=evil.example;n="+strings.Repeat("l", 4096)+";"),
		glance{letter: "g", table: "t", key: "eva", n: 50, low: -3},
		glance{letter: "g", table: "t", key: "eva", low: -3},
		glance{letter: "g", table: "t", key: "ann", n: 8192, low: -2},
		glance{letter: "g", table: "t", n: 8192, low: -2},
		glance{letter: "g", table: "t", key: strings.Repeat("k", 513), n: 8192, low: -1},
		glance{letter: "g", table: "v", key: "eva", n: 8192, low: -4},
		glance{letter: "g", table: "", key: "eva", n: 8192, low: -4},
		glance{letter: "g", table: "T", key: "eva", n: 8192, low: -4},
	)
}

// tableMatches: the table holds its own name, so that the last of many keys is found and the bits behind it are 0.
func tableMatches(ctx context.Context, r *run) error {
	tables := []protocol.Table{{Name: "t", Kind: "exact", Columns: []string{"k"}, Rows: [][]string{{"t"}, {"x"}}}}
	err := r.glances(ctx, tables,
		glance{letter: "M", table: "t", key: "no", n: 0, low: 1, high: 1},
		glance{letter: "M", table: "t", key: "no", n: 7, low: 1, high: 0x80},
		glance{letter: "M", table: "t", key: "no", n: 8, low: 1, high: 1},
		glance{letter: "M", table: "t", key: "x", n: 10, low: 11, high: 7},
		glance{letter: "M", table: "t", key: "x", n: 1023, low: 1024, high: 0xff},
		glance{letter: "M", table: "t", key: "x", n: 1024, low: -1, high: 0xff}, // 0xff is what stood there
		glance{letter: "m", table: "t", key: strings.Repeat("k", 513)},
		glance{letter: "m", table: "v", key: "x", low: -4, high: 0xff},
		glance{letter: "m", table: "tt", key: "x", low: -4, high: 0xff},
		glance{letter: "m", table: "", key: "x", low: -4, high: 0xff},
	)
	if err != nil {
		return err
	}
	m, err := r.lookingUp(ctx, kindRule)
	if err != nil {
		return err
	}
	a, err := r.call(ctx, m, protocol.Call{Columns: 4, Tables: tables, Rows: []protocol.Row{{Time: logTime, Cells: []protocol.Bytes{bytesOf("w"), bytesOf("t"), nil, bytesOf(number(0))}}}})
	if err == nil {
		err = allRefused(a, 1)
	}
	return err
}

// tableVersions changes a table between the batches of a parser.
func tableVersions(ctx context.Context, r *run) error {
	m, err := r.lookingUp(ctx, kindParser)
	if err != nil {
		return err
	}
	for n, c := range []struct {
		keys []string
		says string
	}{{[]string{"x", "y"}, "1"}, {[]string{"y"}, "0"}, {[]string{"x"}, "1"}, {nil, "0"}} {
		t := keyTable("exact", c.keys...)
		t.Name = "t"
		call := records("x")
		call.Tables = []protocol.Table{t}
		a, err := r.call(ctx, m, call)
		if err != nil {
			return err
		}
		if err := spoken(m, a, c.says, 1); err != nil {
			return fmt.Errorf("version %d: %w", n+1, err)
		}
	}
	return nil
}
