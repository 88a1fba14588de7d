package logs_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/storagetest"
)

// clock is a settable time.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ns.Store(time.Now().UnixNano())
	return c
}
func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func event(seq uint64, record uint32) storage.Event {
	return storagetest.Event(seq, record, 1, time.Now(), fmt.Sprint("row ", record))
}

func TestOpenTwice(t *testing.T) {
	dir := t.TempDir()
	s, err := logs.Open(t.Context(), logs.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := logs.Open(t.Context(), logs.Config{Dir: dir}); !errors.Is(err, logs.ErrLocked) || !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("a second Open: %v", err)
	}
	if _, err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	open(t, logs.Config{Dir: dir})
}

func TestConfig(t *testing.T) {
	for _, c := range []logs.Config{{}, {Dir: "x", RetentionDays: -1}, {Dir: "x", RetentionDays: 36501}, {Dir: "x", MaxBytes: -1}} {
		if _, err := logs.Open(t.Context(), c); !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := logs.Open(t.Context(), logs.Config{Dir: file}); err == nil {
		t.Error("opened a file")
	}
}

func TestClosedAndReopened(t *testing.T) {
	dir := t.TempDir()
	s, err := logs.Open(t.Context(), logs.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), 41, []storage.Event{event(41, 0), event(41, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), 42, nil); err != nil {
		t.Fatal(err)
	}
	if s.Durable() != 0 {
		t.Error("durable at once")
	}
	for range 2 {
		if seq, err := s.Close(t.Context()); seq != 42 || err != nil {
			t.Fatalf("closed at %d: %v", seq, err)
		}
	}
	if err := s.Append(t.Context(), 43, nil); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("append after Close: %v", err)
	}
	if err := s.Flush(t.Context()); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("flush after Close: %v", err)
	}
	if _, err := s.Search(t.Context(), storagetest.Analyst(1), logs.Query{}, nil); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("search after Close: %v", err)
	}
	s.Stats()
	s = open(t, logs.Config{Dir: dir})
	if rows := storagetest.Search(t, s, storagetest.Analyst(1), logs.Query{}); len(rows) != 2 {
		t.Fatalf("%d rows after reopening", len(rows))
	}
	ids, err := s.Stored(t.Context(), 0, 99, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil || len(ids) != 2 {
		t.Fatalf("%d ids after reopening (%v): the tenants were forgotten", len(ids), err)
	}
}

func TestDurableIsAnAge(t *testing.T) {
	c := newClock()
	s := open(t, logs.Config{Now: c.now})
	put := func(seq uint64) {
		if err := s.Append(t.Context(), seq, []storage.Event{event(seq, 0)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(t.Context()); err != nil { // handed over now
			t.Fatal(err)
		}
	}
	expect := func(want uint64) {
		t.Helper()
		if got := s.Durable(); got != want {
			t.Fatalf("durable %d, want %d", got, want)
		}
	}
	put(7)
	c.advance(20 * time.Second)
	put(9)
	expect(0)
	c.advance(10*time.Second - 1)
	expect(0)
	c.advance(1)
	expect(7)
	c.advance(20 * time.Second)
	expect(9)
	c.advance(-time.Hour)
	expect(9)
}

func TestDropsAreCounted(t *testing.T) {
	s := open(t, logs.Config{RetentionDays: 2})
	at := func(d time.Duration) storage.Event {
		return storagetest.Event(1, uint32(d.Hours()+10000), 1, time.Now().Add(d), "x")
	}
	storagetest.Put(t, s, at(-73*time.Hour), at(-1000*time.Hour), at(-47*time.Hour), at(0), at((logs.MaxFutureSkewHours-1)*time.Hour), at((logs.MaxFutureSkewHours+1)*time.Hour),
		storage.Event{Tenant: 1, Time: 0}, storage.Event{Tenant: 1, Time: -1 << 63}, storage.Event{Tenant: 1, Time: 1<<63 - 1})
	if d := s.Stats().Dropped; d != (logs.Dropped{TooOld: 4, TooNew: 2}) {
		t.Errorf("dropped %+v", d)
	}
	if rows := storagetest.Search(t, s, storagetest.Analyst(1), logs.Query{}); len(rows) != 3 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestFullDisk(t *testing.T) {
	s := open(t, logs.Config{MinFreeBytes: 1 << 60})
	if err := s.Append(t.Context(), 1, []storage.Event{event(1, 0)}); !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("append on a full disk: %v", err)
	}
	if st := s.Stats(); !st.ReadOnly || st.PendingRows != 0 {
		t.Fatalf("%+v", st)
	}
}

// Rows become searchable by themselves, without Flush.
func TestFreshness(t *testing.T) {
	s := open(t, logs.Config{})
	if err := s.Append(t.Context(), 1, []storage.Event{event(1, 0)}); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(storagetest.Search(t, s, storagetest.Analyst(1), logs.Query{})) == 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("not searchable")
		}
	}
}

// Readers that take nothing hold nothing that other searches need.
func TestSlowReadersBlockNobody(t *testing.T) {
	s := open(t, logs.Config{})
	storagetest.Put(t, s, event(1, 0), event(1, 1))
	release := make(chan struct{})
	var blocked, done sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		blocked.Add(1)
		done.Go(func() {
			_, err := s.Search(t.Context(), storagetest.Analyst(1), logs.Query{}, func([]logs.Row) error {
				blocked.Done()
				<-release
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	blocked.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	rows := 0
	if _, err := s.Search(ctx, storagetest.Analyst(1), logs.Query{}, func(r []logs.Row) error { rows += len(r); return nil }); err != nil || rows != 2 {
		t.Errorf("%d rows: %v", rows, err)
	}
	if _, err := s.Histogram(ctx, storagetest.Analyst(1), logs.Query{From: time.Now().Add(-time.Hour)}, time.Minute, ""); err != nil {
		t.Error(err)
	}
	close(release)
	done.Wait()
}

func TestProgress(t *testing.T) {
	s := open(t, logs.Config{})
	var events []storage.Event
	for i := range 3000 {
		e := event(1, uint32(i))
		e.Time -= int64(i) * int64(time.Minute)
		events = append(events, e)
	}
	storagetest.Put(t, s, events...)
	var seen []logs.Progress
	q := logs.Query{Limit: 2500, Progress: func(p logs.Progress) { seen = append(seen, p) }}
	done, err := s.Search(t.Context(), storagetest.Analyst(1), q, func([]logs.Row) error { return nil })
	if err != nil || done.Rows != 2500 || !done.Truncated || done.Bytes == 0 || len(seen) < 3 {
		t.Fatalf("%+v, %d reports, %v", done, len(seen), err)
	}
	for i := 1; i < len(seen); i++ {
		if seen[i].From.After(seen[i-1].From) || seen[i].Rows < seen[i-1].Rows {
			t.Fatalf("went back from %+v to %+v", seen[i-1], seen[i])
		}
	}
	q = logs.Query{Limit: 5000}
	if done, err = s.Search(t.Context(), storagetest.Analyst(1), q, func([]logs.Row) error { return nil }); err != nil || done.Rows != 3000 || done.Truncated {
		t.Fatalf("%+v, %v", done, err)
	}
}

func TestQueryTimeout(t *testing.T) {
	s := open(t, logs.Config{QueryTimeout: 1})
	storagetest.Put(t, s, event(1, 0))
	_, err := s.Search(t.Context(), storagetest.Analyst(1), logs.Query{}, func([]logs.Row) error { return nil })
	if !errors.Is(err, storage.ErrExhausted) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
}

// Rows near the size limit do not fit logstorage's sorting memory a thousand at a time.
func TestBigRows(t *testing.T) {
	s := open(t, logs.Config{})
	r := rand.New(rand.NewPCG(1, 1))
	letters := make([]byte, 500<<10)
	for seq := range uint64(220) {
		for i := range letters {
			letters[i] = byte('a' + r.Uint32()%26)
		}
		if err := s.Append(t.Context(), seq, []storage.Event{storagetest.Event(seq, 0, 1, time.Now(), string(letters))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := 0
	done, err := s.Search(t.Context(), storagetest.Analyst(1), logs.Query{}, func(rows []logs.Row) error { n += len(rows); return nil })
	if err != nil || n != 220 || done.Bytes < 110_000_000 {
		t.Fatalf("%d rows, %+v, %v", n, done, err)
	}
}

func TestAggregates(t *testing.T) {
	s := open(t, logs.Config{})
	start := time.Now().UTC().Truncate(time.Hour).Add(-2 * time.Hour)
	var events []storage.Event
	for i := range 90 {
		action := []string{"deny", "accept", "accept"}[i%3]
		events = append(events, storagetest.Event(1, uint32(i), storage.Tenant(1+i%2), start.Add(time.Duration(i)*time.Minute), "x", "event.action", action, "n", fmt.Sprint(i)))
	}
	storagetest.Put(t, s, events...)
	p, ctx := storagetest.Analyst(1), t.Context()
	q := logs.Query{Text: "* | fields n", From: start, To: start.Add(2 * time.Hour)}
	buckets, err := s.Histogram(ctx, p, q, 30*time.Minute, "event.action")
	if err != nil || len(buckets) != 6 || buckets[0] != (logs.Bucket{Time: start, Value: "accept", Hits: 10}) || buckets[1].Value != "deny" || buckets[1].Hits != 5 {
		t.Errorf("histogram %v, %v", buckets, err)
	}
	if buckets, err = s.Histogram(ctx, p, q, time.Hour, ""); err != nil || len(buckets) != 2 || buckets[0].Hits != 30 || buckets[1].Hits != 15 {
		t.Errorf("histogram %v, %v", buckets, err)
	}
	facets, err := s.Facets(ctx, p, q, 5)
	if err != nil || len(facets) == 0 || strings.HasPrefix(facets[0].Field, "_") {
		t.Errorf("facets %v, %v", facets, err)
	}
	names, err := s.FieldNames(ctx, p, q)
	if err != nil || len(names) != 6 || names[0].Hits != 45 {
		t.Errorf("names %v, %v", names, err)
	}
	values, err := s.FieldValues(ctx, p, q, "event.action", 10)
	if err != nil || len(values) != 2 || values[0] != (logs.Count{Value: "accept", Hits: 30}) {
		t.Errorf("values %v, %v", values, err)
	}
	q.Text = "n:zzz"
	if values, err = s.FieldValues(ctx, p, q, "event.action", 10); err != nil || len(values) != 0 {
		t.Errorf("values of nothing %v, %v", values, err)
	}
}

func TestAggregateLimits(t *testing.T) {
	s := open(t, logs.Config{RetentionDays: 30})
	to := time.Now().Truncate(time.Second)
	p, ctx := storagetest.Analyst(1), t.Context()
	from := func(steps int) logs.Query {
		return logs.Query{From: to.Add(-time.Duration(steps) * time.Second), To: to}
	}
	errs := map[string]struct {
		err  error
		want error
	}{}
	add := func(name string, err, want error) {
		errs[name] = struct{ err, want error }{err, want}
	}
	_, err := s.Histogram(ctx, p, from(logs.MaxBuckets), time.Second, "")
	add("steps at the limit", err, nil)
	_, err = s.Histogram(ctx, p, from(logs.MaxBuckets+1), time.Second, "")
	add("steps one over", err, storage.ErrExhausted)
	_, err = s.Histogram(ctx, p, from(1), time.Second-1, "")
	add("step too small", err, storage.ErrInvalid)
	_, err = s.Histogram(ctx, p, from(1), time.Second, strings.Repeat("n", storage.MaxFieldNameBytes+1))
	add("name too long", err, storage.ErrInvalid)
	_, err = s.Facets(ctx, p, from(1), logs.MaxValues)
	add("facet values at the limit", err, nil)
	_, err = s.Facets(ctx, p, from(1), logs.MaxValues+1)
	add("facet values one over", err, storage.ErrExhausted)
	_, err = s.FieldValues(ctx, p, from(1), "n", logs.MaxValues+1)
	add("values one over", err, storage.ErrExhausted)
	_, err = s.FieldValues(ctx, p, from(1), "", 1)
	add("no field", err, storage.ErrInvalid)
	_, err = s.FieldValues(ctx, p, from(1), `a"b | * `, 1)
	add("odd field", err, nil)
	_, err = s.FieldValues(ctx, p, from(1), `a*`, 1)
	add("a pattern", err, storage.ErrInvalid)
	_, err = s.Histogram(ctx, p, from(1), time.Second, `a* ), (`)
	add("odd field of a histogram", err, nil)
	_, err = s.FieldNames(ctx, storagetest.Analyst(), from(1))
	add("no tenant", err, storage.ErrForbidden)
	for name, e := range errs {
		if !errors.Is(e.err, e.want) || (e.want == nil) != (e.err == nil) {
			t.Errorf("%s: %v, want %v", name, e.err, e.want)
		}
	}
}

func TestHistogramRows(t *testing.T) {
	s := open(t, logs.Config{})
	at := time.Now().Truncate(time.Hour)
	q := logs.Query{From: at, To: at.Add(time.Hour)}
	var events []storage.Event
	for i := range logs.MaxHistogramRows {
		events = append(events, storagetest.Event(1, uint32(i), 1, at, "x", "n", fmt.Sprint("value ", i)))
	}
	storagetest.Put(t, s, events...)
	if b, err := s.Histogram(t.Context(), storagetest.Analyst(1), q, time.Hour, "n"); err != nil || len(b) != logs.MaxHistogramRows {
		t.Errorf("at the limit: %d, %v", len(b), err)
	}
	storagetest.Put(t, s, storagetest.Event(1, logs.MaxHistogramRows, 1, at, "x", "n", "one over"))
	if _, err := s.Histogram(t.Context(), storagetest.Analyst(1), q, time.Hour, "n"); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one over: %v", err)
	}
}

// Append does not let rows pile up in memory, however long they may wait.
func TestPendingIsBounded(t *testing.T) {
	s := open(t, logs.Config{GroupDelay: time.Hour})
	raw := strings.Repeat("x", 256<<10)
	for seq := range uint64(140) { // 35 MiB
		if err := s.Append(t.Context(), seq, []storage.Event{storagetest.Event(seq, 0, 1, time.Now(), raw)}); err != nil {
			t.Fatal(err)
		}
	}
	if st := s.Stats(); st.PendingRows == 0 || st.PendingRows > 20 {
		t.Fatalf("%d rows are pending", st.PendingRows)
	}
}

func TestHammer(t *testing.T) {
	s := open(t, logs.Config{GroupDelay: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var readers, writer sync.WaitGroup
	const frames, perFrame = 150, 40
	writer.Go(func() {
		r := rand.New(rand.NewPCG(1, 2))
		for seq := uint64(1); seq <= frames; seq++ {
			var events []storage.Event
			for i := range perFrame {
				events = append(events, storagetest.Firewall(r, seq, uint32(i), storage.Tenant(1+i%5), time.Now()))
			}
			if err := s.Append(t.Context(), seq, events); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 6 {
		p := storagetest.Analyst(storage.Tenant(1+i%5), 3)
		readers.Go(func() {
			for ctx.Err() == nil {
				_, err := s.Search(ctx, p, logs.Query{Limit: 100}, func(rows []logs.Row) error {
					for _, r := range rows {
						if !p.Sees(r.Tenant) {
							t.Errorf("%v sees %d", p.Tenants, r.Tenant)
						}
					}
					return nil
				})
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				if _, err := s.FieldNames(ctx, p, logs.Query{}); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				s.Stats()
				s.Durable()
				if err := s.Flush(ctx); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	writer.Wait()
	cancel()
	readers.Wait()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts, err := s.CountByID(t.Context(), 1, frames, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil || len(counts) != frames*perFrame {
		t.Fatalf("%d ids, want %d: %v", len(counts), frames*perFrame, err)
	}
	for id, n := range counts {
		if n != 1 {
			t.Fatalf("%s is stored %d times", id, n)
		}
	}
}

// Close while everything runs.
func TestCloseUnderLoad(t *testing.T) {
	s, err := logs.Open(t.Context(), logs.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	storagetest.Put(t, s, event(1, 0))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				_, err := s.Search(t.Context(), storagetest.Analyst(1), logs.Query{}, func([]logs.Row) error { return nil })
				if errors.Is(err, storage.ErrUnavailable) {
					return
				} else if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	if seq, err := s.Close(t.Context()); seq != 1 || err != nil {
		t.Errorf("closed at %d: %v", seq, err)
	}
	all.Wait()
}
