// Package storagetest is the one suite that every log store passes: what is appended comes back, once, and only to
// whom it belongs.
package storagetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// Store is what the suite needs of a log store. See logs.Store for what the methods promise.
type Store interface {
	Append(ctx context.Context, seq uint64, events []storage.Event) error
	Flush(ctx context.Context) error
	Search(ctx context.Context, p storage.Principal, q logs.Query, emit func([]logs.Row) error) (logs.Progress, error)
	Stored(ctx context.Context, lo, hi uint64, from, to time.Time) (map[storage.EventID]struct{}, error)
	CountByID(ctx context.Context, lo, hi uint64, from, to time.Time) (map[storage.EventID]int, error)
}

// Run runs the suite. open returns an empty store, whose clock is the wall clock, and closes it when the test ends.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s Store)
	}{
		{"what was appended comes back as it was", returnsEvents},
		{"nasty events come back in canonical form", returnsCanonical},
		{"newest first, every row once, over windows", newestFirst},
		{"many rows of one time", oneTime},
		{"a table", table},
		{"nobody sees another tenant", isolation},
		{"a forced filter holds in subqueries", forcedFilter},
		{"limits", limits},
		{"stored ids", storedIDs},
		{"an emit that fails ends the search", emitError},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// Analyst returns a principal who sees these tenants.
func Analyst(tenants ...storage.Tenant) storage.Principal {
	return storage.Principal{User: "analyst", Role: storage.RoleAnalyst, Tenants: tenants}
}

// Search returns all rows of a search and fails the test on an error.
func Search(t testing.TB, s Store, p storage.Principal, q logs.Query) []logs.Row {
	t.Helper()
	var rows []logs.Row
	if _, err := s.Search(t.Context(), p, q, func(r []logs.Row) error { rows = append(rows, r...); return nil }); err != nil {
		t.Fatalf("searching %q: %v", q.Text, err)
	}
	return rows
}

// Put appends events as one frame, at the position of the first, and makes them searchable.
func Put(t testing.TB, s Store, events ...storage.Event) {
	t.Helper()
	if err := s.Append(t.Context(), events[0].ID.Seq, events); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

func returnsEvents(t *testing.T, s Store) {
	r := rand.New(rand.NewPCG(1, 2))
	var want []storage.Event
	for i := range 300 {
		want = append(want, Firewall(r, 7, uint32(i), storage.Tenant(1+i%3), now().Add(-time.Duration(i)*time.Minute-time.Duration(i))))
	}
	Put(t, s, slices.Clone(want)...)
	compare(t, want, Search(t, s, Analyst(1, 2, 3), logs.Query{}))
}

// compare checks that rows are the events, in whatever order.
func compare(t *testing.T, want []storage.Event, rows []logs.Row) {
	t.Helper()
	got := make([]storage.Event, len(rows))
	for i := range rows {
		var err error
		if got[i], err = rows[i].Event(); err != nil {
			t.Fatal(err)
		}
	}
	for _, events := range [][]storage.Event{want, got} {
		slices.SortFunc(events, func(a, b storage.Event) int {
			if a.ID.Less(b.ID) {
				return -1
			}
			return 1
		})
		for i := range events {
			events[i].Fields = slices.Clone(events[i].Fields)
			slices.SortFunc(events[i].Fields, func(a, b storage.Field) int { return cmp.Compare(a.Name, b.Name) })
		}
	}
	if d := gocmp.Diff(want, got); d != "" {
		t.Fatalf("stored events differ (-appended +returned):\n%.4000s", d)
	}
}

// Nasty are values and names that stores like to change.
var Nasty = struct{ Values, Names []string }{
	Values: []string{
		"0", "00", "-0", "+1", "1.0", "1.50", "1e3", "0x10", "007", "18446744073709551615", "18446744073709551616", "-9223372036854775808",
		"3.141592653589793", "NaN", "inf", "1.7976931348623157e308", "0.1", ".5", "5.", "1_000",
		"10.0.0.1", "010.0.0.1", "10.0.0.256", "::1", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.1Z",
		"2026-02-30T03:04:05.678Z", " leading", "trailing ", "\x00nul\x00", "tab\tnewline\n", `"quoted"`, `back\slash`, "{curly}", "[\"a\",\"b\"]",
		"ünïcödé", "日本語", "\U0001F600", "\xff\xfebad", "a\xc3", strings.Repeat("long ", 2000), "true", "null", "-", "*", "_msg", "\u2028",
		"1s", "5m", "10KB", "1.5GiB", "\ufffd",
	},
	Names: []string{
		"a", "field with spaces", `quo"ted`, "star*", "_time", "_stream", "_stream_id", "_msg", "vedette.id", "vedette.seq", "vedette.received",
		"event.dataset", "", "ünïcode", "\xffbad", strings.Repeat("n", 200), "time", "a.b.c", "|", "-", "!x", "0", "and", "or", "not",
	},
}

func returnsCanonical(t *testing.T, s Store) {
	r := rand.New(rand.NewPCG(3, 4))
	var events, want []storage.Event
	for i := range 400 {
		e := Event(9, uint32(i), 1, now().Add(-time.Duration(i)*time.Second), Nasty.Values[r.IntN(len(Nasty.Values))])
		e.Stream = []string{"a", `quote"d`, "sp ace", "", "ü"}[r.IntN(5)]
		for range r.IntN(12) {
			e.Fields = append(e.Fields, storage.Field{
				Name: Nasty.Names[r.IntN(len(Nasty.Names))], Value: Nasty.Values[(i+r.IntN(3))%len(Nasty.Values)],
			})
		}
		// A column of numbers, times or addresses is stored in another way than one of text.
		e.Fields = append(e.Fields, storage.Field{Name: "typed", Value: Nasty.Values[i*len(Nasty.Values)/400]})
		events = append(events, e)
		c := e
		c.Fields = slices.Clone(e.Fields)
		storage.Canonical(&c)
		want = append(want, c)
	}
	slices.SortStableFunc(events, func(a, b storage.Event) int { return cmp.Compare(a.Stream, b.Stream) })
	for i, portion := range slices.Collect(slices.Chunk(events, 7)) { // small blocks of one type, and merged ones
		if err := s.Append(t.Context(), uint64(9+i), portion); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	compare(t, want, Search(t, s, Analyst(1), logs.Query{}))
}

func newestFirst(t *testing.T, s Store) {
	r := rand.New(rand.NewPCG(5, 6))
	const n = 5000
	var events []storage.Event
	for i := range n {
		at := now().Add(-time.Duration(r.Int64N(int64(9 * 24 * time.Hour))))
		if i%3 == 0 {
			at = at.Truncate(time.Hour) // many rows share a time
		}
		events = append(events, Event(1, uint32(i), 1, at, "row", "parity", fmt.Sprint(i%2)))
	}
	Put(t, s, events...)
	slices.SortFunc(events, func(a, b storage.Event) int { return cmp.Compare(b.Time, a.Time) })
	for _, limit := range []int{1, 10, 999, 1000, 1001, 2500, n, n + 1} {
		rows := Search(t, s, Analyst(1), logs.Query{Limit: limit})
		if len(rows) != min(limit, n) {
			t.Fatalf("limit %d: %d rows", limit, len(rows))
		}
		seen := map[storage.EventID]bool{}
		for i := range rows {
			if rows[i].Time != events[i].Time || seen[rows[i].ID] {
				t.Fatalf("limit %d: row %d is of %d, want %d; seen before: %v", limit, i, rows[i].Time, events[i].Time, seen[rows[i].ID])
			}
			seen[rows[i].ID] = true
		}
	}
	from, to := now().Add(-72*time.Hour), now().Add(-24*time.Hour)
	want := 0
	for i := range events {
		if events[i].Time >= from.UnixNano() && events[i].Time < to.UnixNano() && slices.Contains(events[i].Fields, storage.Field{Name: "parity", Value: "1"}) {
			want++
		}
	}
	if got := len(Search(t, s, Analyst(1), logs.Query{Text: "parity:=1", From: from, To: to, Limit: n})); got != want {
		t.Fatalf("%d rows in a time range, want %d", got, want)
	}
}

func oneTime(t *testing.T, s Store) {
	at := now().Add(-time.Hour)
	var events []storage.Event
	for i := range 3500 {
		events = append(events, Event(1, uint32(i), 1, at, "row"))
	}
	Put(t, s, events...)
	Put(t, s, events...) // and all of them twice, as after a bad recovery
	rows := Search(t, s, Analyst(1), logs.Query{Limit: 5000})
	ids := map[storage.EventID]bool{}
	for i := range rows {
		ids[rows[i].ID] = true
	}
	if len(rows) != 3500 || len(ids) != 3500 {
		t.Fatalf("%d rows with %d ids, want 3500 of both", len(rows), len(ids))
	}
}

func table(t *testing.T, s Store) {
	Put(t, s, Event(1, 0, 1, now(), "x", "k", "a"), Event(1, 1, 1, now(), "x", "k", "b"), Event(1, 2, 1, now(), "x", "k", "b"), Event(1, 3, 2, now(), "x", "k", "b"))
	rows := Search(t, s, Analyst(1), logs.Query{Text: "* | stats by (k) count() n | sort by (n desc)"})
	line := func(r logs.Row) string {
		slices.SortFunc(r.Fields, func(a, b storage.Field) int { return cmp.Compare(a.Name, b.Name) })
		return fmt.Sprint(r.Tenant, r.Fields)
	}
	if len(rows) != 2 || line(rows[0]) != "1 [{k b} {n 2}]" || line(rows[1]) != "1 [{k a} {n 1}]" {
		t.Fatalf("got %+v", rows)
	}
	if rows = Search(t, s, Analyst(1, 2), logs.Query{Text: "k:b | count() n"}); len(rows) != 1 || rows[0].Fields[0].Value != "3" || rows[0].Tenant != storage.NoTenant {
		t.Fatalf("got %+v over two tenants", rows)
	}
}

func isolation(t *testing.T, s Store) {
	for tenant := storage.Tenant(1); tenant <= 3; tenant++ {
		Put(t, s, Event(uint64(tenant), 0, tenant, now(), "secret of "+tenant.String(), "source.ip", "10.0.0.1", "tenant", "2", "_stream_id", strings.Repeat("0", 48)),
			Event(uint64(tenant), 1, tenant, now(), "other", "source.ip", "10.0.0.1"))
	}
	stream := "0000000100000000"
	if rows := Search(t, s, Analyst(1), logs.Query{Text: "* | fields _stream_id | limit 1"}); len(rows) == 1 && len(rows[0].Fields) == 1 {
		stream = rows[0].Fields[0].Value
	}
	for _, text := range []string{
		"*", "secret", `"secret of 1"`, "_stream_id:" + stream, "_stream_id:in(" + stream + ") or *", `{event.dataset="test.log"}`, "source.ip:=10.0.0.1",
		"!tenant:2", "vedette.seq:=1", "vedette.id:=\"1-0-1-0-0\"", "_stream_id:in(* | fields _stream_id)", "* | union (*)", "* | union (secret) | union (other)",
		"_stream_id:" + stream + " | union (_stream_id:" + stream + ")", "* | join by (source.ip) (*)", "* | stream_context before 10 after 10",
		"_msg:in(* | fields _msg)", "options(ignore_global_time_filter=true) *", "* | fields _msg", "* | format \"" + stream + "\" as _stream_id | stream_context before 5",
	} {
		for _, p := range []storage.Principal{Analyst(2), Analyst(2, 2), Analyst(storage.NoTenant, 2), Analyst(9)} {
			rows, err := search(t, s, p, logs.Query{Text: text})
			if err != nil && !errors.Is(err, storage.ErrInvalid) && !errors.Is(err, storage.ErrExhausted) {
				t.Errorf("%s: %v", text, err)
			}
			for i := range rows {
				if s := fmt.Sprint(rows[i]); strings.Contains(s, "secret of 1") || strings.Contains(s, "secret of 3") || rows[i].Tenant == 1 || rows[i].Tenant == 3 {
					t.Errorf("%v with %s sees %v", p.Tenants, text, rows[i])
				}
			}
		}
	}
	if rows := Search(t, s, Analyst(3, 1), logs.Query{Text: "secret"}); len(rows) != 2 || rows[0].Tenant+rows[1].Tenant != 4 {
		t.Errorf("tenants given in descending order: %v", rows)
	}
	if _, err := search(t, s, Analyst(), logs.Query{}); !errors.Is(err, storage.ErrForbidden) {
		t.Errorf("no tenant: %v", err)
	}
}

func search(t *testing.T, s Store, p storage.Principal, q logs.Query) (rows []logs.Row, err error) {
	t.Helper()
	_, err = s.Search(t.Context(), p, q, func(r []logs.Row) error { rows = append(rows, r...); return nil })
	return rows, err
}

func forcedFilter(t *testing.T, s Store) {
	Put(t, s, Event(1, 0, 1, now(), "open", "zone", "dmz", "k", "1"), Event(1, 1, 1, now(), "hidden", "zone", "core", "k", "1"))
	p := Analyst(1)
	p.Filter = "zone:=dmz"
	for _, text := range []string{
		"*", "hidden or open", "zone:=core or zone:=dmz", "* | union (*)", "k:in(zone:=core | fields k) zone:=core", "* | join by (k) (zone:=core | fields k, _msg)",
		"options(ignore_global_time_filter=true) *", "* | stream_context before 5 after 5", "* | uniq by (_msg)", "!zone:=dmz",
	} {
		rows, err := search(t, s, p, logs.Query{Text: text})
		if err != nil && !errors.Is(err, storage.ErrForbidden) {
			t.Errorf("%s: %v", text, err)
		}
		for i := range rows {
			if strings.Contains(fmt.Sprint(rows[i]), "hidden") || strings.Contains(fmt.Sprint(rows[i]), "core") {
				t.Errorf("%s shows %v", text, rows[i])
			}
		}
	}
	p.Filter = "zone:("
	if _, err := search(t, s, p, logs.Query{}); !errors.Is(err, storage.ErrForbidden) {
		t.Errorf("a broken forced filter: %v", err)
	}
}

func limits(t *testing.T, s Store) {
	Put(t, s, Event(1, 0, 1, now(), "x"))
	long := `"` + strings.Repeat("a", storage.MaxQueryBytes-2) + `"`
	for _, c := range []struct {
		name string
		q    logs.Query
		want error
	}{
		{"query at the limit", logs.Query{Text: long}, nil},
		{"query one over", logs.Query{Text: long + " "}, storage.ErrExhausted},
		{"rows at the limit", logs.Query{Limit: logs.MaxSearchRows}, nil},
		{"rows one over", logs.Query{Limit: logs.MaxSearchRows + 1}, storage.ErrExhausted},
		{"rows below zero", logs.Query{Limit: -1}, storage.ErrExhausted},
		{"deep nesting", logs.Query{Text: strings.Repeat("(", storage.MaxQueryBytes)}, storage.ErrInvalid},
		{"bad syntax", logs.Query{Text: "a and"}, storage.ErrInvalid},
		{"bad pipe", logs.Query{Text: "* | stats foo()"}, storage.ErrInvalid},
		{"time range backwards", logs.Query{From: now(), To: now().Add(-time.Hour)}, nil},
		{"far times", logs.Query{From: time.Time{}.Add(1), To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, nil},
	} {
		if _, err := search(t, s, Analyst(1), c.q); !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if err := s.Append(t.Context(), 2, []storage.Event{Event(2, 0, storage.NoTenant, now(), "x")}); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("an event without tenant: %v", err)
	}
	big := Event(3, 0, 1, now(), strings.Repeat("r", 2<<20), "v", strings.Repeat("v", 1<<20))
	for i := range 3000 {
		big.Fields = append(big.Fields, storage.Field{Name: fmt.Sprint("f", i), Value: strings.Repeat("w", 1000)})
	}
	Put(t, s, big)
	rows := Search(t, s, Analyst(1), logs.Query{Text: "vedette.seq:=3"})
	if len(rows) != 1 || len(rows[0].Raw) != storage.MaxRawBytes || len(rows[0].Fields) > storage.MaxFieldsPerEvent+4 {
		t.Fatalf("an event over every limit was not kept: %d rows", len(rows))
	}
	if i := slices.IndexFunc(rows[0].Fields, func(f storage.Field) bool { return f.Name == storage.FieldTruncated }); i < 0 || rows[0].Fields[i].Value != `["field","raw","row","value"]` {
		t.Fatalf("the cut event does not say so")
	}
}

func storedIDs(t *testing.T, s Store) {
	at := now()
	from, to := at.Add(-48*time.Hour), at.Add(time.Hour)
	for seq := uint64(10); seq < 20; seq++ {
		Put(t, s, Event(seq, 0, 1, at, "x"), Event(seq, 1, 2, at.Add(-25*time.Hour), "y"), Event(seq, 2, 300, at, "z"))
	}
	ids, err := s.Stored(t.Context(), 12, 14, from, to)
	if err != nil || len(ids) != 9 {
		t.Fatalf("%d ids (%v), want 9: of all tenants and days", len(ids), err)
	}
	for id := range ids {
		if id.Seq < 12 || id.Seq > 14 {
			t.Fatalf("%s is outside", id)
		}
	}
	Put(t, s, Event(13, 0, 1, at, "x"))
	counts, err := s.CountByID(t.Context(), 0, ^uint64(0), from, to)
	if err != nil || len(counts) != 30 || counts[storage.EventID{Seq: 13, Segment: 1}] != 2 {
		t.Fatalf("%d ids (%v), 13-0-1-0-0 %d times, want 30 and 2", len(counts), err, counts[storage.EventID{Seq: 13, Segment: 1}])
	}
	if ids, err = s.Stored(t.Context(), 5, 9, from, to); err != nil || len(ids) != 0 {
		t.Fatalf("%d ids (%v) before the first frame", len(ids), err)
	}
}

func emitError(t *testing.T, s Store) {
	Put(t, s, Event(1, 0, 1, now(), "x"))
	gone := errors.New("reader is gone")
	if _, err := s.Search(t.Context(), Analyst(1), logs.Query{}, func([]logs.Row) error { return gone }); !errors.Is(err, gone) {
		t.Fatalf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Search(ctx, Analyst(1), logs.Query{}, func([]logs.Row) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled search: %v", err)
	}
}
