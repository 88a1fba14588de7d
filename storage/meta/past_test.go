package meta

import (
	"fmt"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// What was in lists is known by position, once however often the log is read again, for a time and up to a number.
func TestPast(t *testing.T) {
	w := newWorld(t)
	at := func(h int) int64 { return time.Unix(0, 0).Add(time.Duration(h) * time.Hour).UnixNano() }
	put := func(of storage.Tenant, seq uint64, value string) Listed {
		return Listed{Tenant: of, List: "l", Compared: "nocase", Value: value, Seq: seq, At: at(int(seq))}
	}
	gone := func(of storage.Tenant, seq uint64, value string) Listed {
		return Listed{Tenant: of, List: "l", Value: value, Seq: seq, At: at(int(seq)), Gone: true}
	}
	b := Batch{
		Listed: []Listed{
			put(w.a, 1, "x"), put(w.b, 1, "of b"), put(storage.NoTenant, 2, "of all"), gone(w.a, 3, "x"), put(w.a, 3, "x"), put(w.a, 4, "y"), gone(w.a, 6, ""),
			put(99, 1, "of one that was removed"),
		},
		Controls: []Control{
			{Seq: 1, At: at(1), Kind: "table", Name: "t", Record: "{}"},
			{Tenant: w.a, Seq: 2, At: at(2), Kind: "table", Name: "t", Record: "{}"},
			{Tenant: w.a, Seq: 5, At: at(5), Kind: "untable", Name: "t", Record: "{}"},
			{Tenant: w.b, Seq: 4, At: at(4), Kind: KindLayer, Record: "{}"},
		},
	}
	first := b
	first.Listed, first.Controls = b.Listed[:3], b.Controls[:2]
	w.must(w.Apply(ctx, 2, first))
	w.must(w.Apply(ctx, 6, b)) // overlaps with what is applied
	w.must(w.Apply(ctx, 6, b))
	show := func(p storage.Principal, from, to uint64) (out string) {
		w.must(w.EachMember(ctx, p, "l", from, to, func(m *Member) error {
			out += fmt.Sprintf("%s %d-%d ", m.Value, m.Since, m.Until)
			return nil
		}))
		return out
	}
	for _, c := range []struct {
		p        storage.Principal
		from, to uint64
		want     string
	}{
		{of(w.a), 0, 9, "x 1-3 of all 2-0 x 3-6 y 4-6 "},
		{of(w.a), 3, 3, "of all 2-0 x 3-6 "},
		{of(w.a), 6, 9, "of all 2-0 "},
		{of(w.b), 0, 9, "of b 1-0 of all 2-0 "},
		{of(99), 0, 9, "of all 2-0 "},
	} {
		if got := show(c.p, c.from, c.to); got != c.want {
			t.Errorf("%v %d-%d: %s, want %s", c.p.Tenants, c.from, c.to, got, c.want)
		}
	}
	if list := must(w.Controls(ctx, of(w.a), 9))(t); len(list) != 3 || list[0].Tenant != storage.NoTenant || list[2].Kind != "untable" {
		t.Errorf("%+v", list)
	}
	for p, want := range map[storage.Tenant]uint64{w.a: 0, w.b: 4} {
		if got := must(w.ListsKnownFrom(ctx, of(p)))(t); got != want {
			t.Errorf("known to %s from %d, want %d", p, got, want)
		}
	}
	if !must(w.KeepsControls(ctx))(t) {
		t.Error("no control records are kept")
	}
	must(w.Prune(ctx, time.Unix(0, at(5)+1).Add(DefaultKeepEvents+keepPastLonger)))(t)
	if got := show(of(w.a), 0, 9); got != "of all 2-0 x 3-6 y 4-6 " {
		t.Errorf("after their time: %s", got)
	}
	if list := must(w.Controls(ctx, of(w.a), 9))(t); len(list) != 2 {
		t.Errorf("after their time: %+v", list)
	}
}

func TestPastIsBounded(t *testing.T) {
	w := newWorld(t)
	_, err := w.write.ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO members (tenant, list, compared, value, expires, since, until, until_at) SELECT ?, 'l', 'exact', i, 0, i, i + 1, 1 FROM n`, MaxEndedMembers+1, w.a)
	w.must(err)
	must(w.Prune(ctx, time.Unix(0, 2)))(t)
	n := 0
	w.must(w.EachMember(ctx, of(w.a), "l", 0, 1<<40, func(*Member) error { n++; return nil }))
	if from := must(w.ListsKnownFrom(ctx, of(w.a)))(t); n != MaxEndedMembers || from != 2 {
		t.Errorf("%d values are left, known from %d", n, from)
	}
	if from := must(w.ListsKnownFrom(ctx, of(w.b)))(t); from != 0 {
		t.Errorf("another organization's are known from %d", from)
	}
}

// The content of a table that was in force is kept as long as that is known, but for the oldest where there is much.
func TestPastContents(t *testing.T) {
	w := newWorld(t)
	now := time.Unix(1_000_000, 0)
	for _, d := range []string{"first", "second", "nobody's"} {
		w.must(w.PutTableContent(ctx, w.a, d, []byte(d), now))
	}
	w.must(w.PutTableContent(ctx, w.b, "first", nil, now))
	record := func(seq uint64, digest string) Control {
		return Control{Tenant: w.a, Seq: seq, At: now.UnixNano(), Kind: "table", Name: "t", Record: `{"table":{"digest":"` + digest + `"}}`}
	}
	w.must(w.Apply(ctx, 3, Batch{Controls: []Control{record(1, "first"), record(2, "second"), record(3, "large")}}))
	now = now.Add(2 * KeepTableContents)
	if n := must(w.PruneTableContents(ctx, now, nil))(t); n != 2 {
		t.Errorf("%d contents are pruned, want that of nobody and the other organization's", n)
	}
	_, err := w.write.ExecContext(ctx, `INSERT INTO table_contents (owner, digest, content, size, added) VALUES (?, 'large', zeroblob(?), 1, ?)`,
		w.a, MaxTableContentsPerTenant/2+1, now.UnixNano())
	w.must(err)
	if n := must(w.PruneTableContents(ctx, now, map[string]bool{"large": true}))(t); n != 2 {
		t.Errorf("%d contents are pruned, want the older ones", n)
	}
}
