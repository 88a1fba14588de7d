package pipeline_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// store is a log store that loses, in a crash, any part of what is not durable yet.
type store struct {
	mu    sync.Mutex
	lag   int // appended frames that are not durable
	seqs  []uint64
	rows  map[storage.EventID]storage.Event
	fresh map[storage.EventID]bool // rows of this run
	twice int
	down  int // how many calls answer ErrUnavailable from now on
}

func newStore(lag int) *store {
	return &store{lag: lag, rows: map[storage.EventID]storage.Event{}, fresh: map[storage.EventID]bool{}}
}

func (s *store) Append(_ context.Context, seq uint64, events []storage.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down > 0 {
		s.down--
		return storage.ErrUnavailable
	}
	s.seqs = append(s.seqs, seq)
	for _, e := range events {
		if n := storage.Canonical(&e); n != 0 {
			return fmt.Errorf("event %s was not canonical: %w", e.ID, storage.ErrInvalid)
		}
		if _, there := s.rows[e.ID]; there {
			s.twice++
		}
		s.rows[e.ID], s.fresh[e.ID] = pipeline.Sorted(e), true
	}
	return nil
}

func (s *store) durable() uint64 {
	if len(s.seqs) <= s.lag {
		return 0
	}
	return s.seqs[len(s.seqs)-1-s.lag]
}

func (s *store) Durable() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.durable()
}

func (s *store) Stored(_ context.Context, lo, hi uint64, from, to time.Time) (map[storage.EventID]struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[storage.EventID]struct{}{}
	for id, e := range s.rows {
		if id.Seq >= lo && id.Seq <= hi && e.Time >= from.UnixNano() && e.Time < to.UnixNano() {
			out[id] = struct{}{}
		}
	}
	return out, nil
}

// Before implements pipeline.History.
func (s *store) Before(_ context.Context, t storage.Tenant, seq uint64, from, to time.Time, limit int, f func([]storage.Event) error) error {
	s.mu.Lock()
	var events []storage.Event
	for _, id := range slices.SortedFunc(maps.Keys(s.rows), compareIDs) {
		if e := s.rows[id]; id.Seq < seq && e.Tenant == t && e.Time >= from.UnixNano() && e.Time < to.UnixNano() {
			events = append(events, e)
		}
	}
	s.mu.Unlock()
	for events = events[max(0, len(events)-limit):]; len(events) > 0; {
		n := 1
		for n < len(events) && events[n].ID.Seq == events[0].ID.Seq {
			n++
		}
		if err := f(events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// crash loses what a kill can lose: of each frame that is not durable, all rows of a tenant and stream or none.
func (s *store) crash(r *rand.Rand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.durable()
	fate := map[string]bool{}
	for _, id := range slices.SortedFunc(maps.Keys(s.rows), compareIDs) {
		e := s.rows[id]
		group := fmt.Sprint(id.Seq, e.Tenant, e.Stream)
		if id.Seq <= limit || !s.fresh[id] {
			continue
		}
		if _, known := fate[group]; !known {
			fate[group] = r.IntN(2) == 0
		}
		if fate[group] {
			delete(s.rows, id)
		}
	}
	s.seqs = nil
	clear(s.fresh)
}

func compareIDs(a, b storage.EventID) int {
	switch {
	case a.Less(b):
		return -1
	case b.Less(a):
		return 1
	}
	return 0
}

// machine is one data directory and what runs on it.
type machine struct {
	world *world
	dir   string
	queue *queue.Queue
	db    *meta.DB
	store *store
	lib   *module.Library // outlives a crash: loading is not what is tested, and takes long
}

// queueConfig is of a log of which a millisecond passes with everything that is written, however long that takes.
func queueConfig(dir string) queue.Config {
	return queue.Config{
		Dir: dir, Shards: 2, MaxBytes: 64 << 20, MinFreeBytes: -1, TickEvery: time.Hour, Linger: time.Millisecond, PutLinger: time.Millisecond,
		Now: func() time.Time { return epoch }, Elapsed: ticking(time.Millisecond),
	}
}

// ticking is a time that goes on by as much whenever it is looked at.
func ticking(by time.Duration) func() time.Duration {
	var n atomic.Int64
	return func() time.Duration { return time.Duration(n.Add(1)) * by }
}

func newMachine(tb testing.TB, w *world, dir string, lag int) *machine {
	tb.Helper()
	return newMachineOn(tb, w, dir, lag, queueConfig(filepath.Join(dir, "log")))
}

func newMachineOn(tb testing.TB, w *world, dir string, lag int, log queue.Config) *machine {
	tb.Helper()
	q, err := queue.Open(tb.Context(), log)
	if err != nil {
		tb.Fatal(err)
	}
	db, err := meta.Open(tb.Context(), meta.Config{Path: filepath.Join(dir, "vedette.db")})
	if err != nil {
		tb.Fatal(err)
	}
	for _, slug := range []string{"one", "two", "three"} {
		t, err := db.CreateTenant(tb.Context(), slug, slug)
		if err == nil {
			err = db.PutWebhook(tb.Context(), t, meta.Webhook{Tenant: t, Name: "hook", URL: "https://hook.example/", Secret: "s", Enabled: true})
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	m := &machine{world: w, dir: dir, queue: q, db: db, store: newStore(lag), lib: w.library()}
	tb.Cleanup(func() {
		if err := errors.Join(m.queue.Close(), m.db.Close(), m.lib.Keep(context.Background())); err != nil {
			tb.Error(err)
		}
	})
	return m
}

func (m *machine) config(workers int, every time.Duration) pipeline.Config {
	return pipeline.Config{
		Dir: m.dir, Workers: workers, CheckpointEvery: every, Queue: m.queue, Store: m.store, History: m.store, DB: m.db, Library: m.lib,
	}
}

// running is a pipeline that runs.
type running struct {
	*pipeline.Pipeline
	stop context.CancelFunc
	done chan error
}

func start(tb testing.TB, cfg pipeline.Config, step func(string) error) *running {
	tb.Helper()
	p, err := pipeline.New(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	p.OnStep(step)
	ctx, stop := context.WithCancel(context.Background())
	r := &running{Pipeline: p, stop: stop, done: make(chan error, 1)}
	go func() { r.done <- p.Run(ctx) }()
	return r
}

// end stops the run and returns its error.
func (r *running) end() error {
	r.stop()
	return <-r.done
}

// put adds a frame of records of some tenants and waits until it is in the log.
func (m *machine) put(tb testing.TB, t storage.Tenant, peer string, lines ...string) {
	tb.Helper()
	m.send(tb, t, peer, epoch.UnixNano(), lines)
}

// putAt is put for records that are received at a time of their own.
func (m *machine) putAt(tb testing.TB, t storage.Tenant, received int64, lines ...string) {
	tb.Helper()
	m.send(tb, t, "192.0.2.1", received, lines)
}

func (m *machine) send(tb testing.TB, t storage.Tenant, peer string, received int64, lines []string) {
	tb.Helper()
	recs := make([]queue.Raw, len(lines))
	for i, l := range lines {
		recs[i] = queue.Raw{Bytes: []byte(l), Received: received + int64(i)}
	}
	if err := m.queue.Put(tb.Context(), t, queue.Source{Listener: "test", Peer: peer}, recs); err != nil {
		tb.Fatal(err)
	}
}

func (m *machine) control(tb testing.TB, c module.Control) uint64 {
	tb.Helper()
	b, err := c.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	seq, err := m.queue.PublishControl(tb.Context(), b)
	if err != nil {
		tb.Fatal(err)
	}
	return seq
}

// state returns everything that a run leaves, as text: rows, incidents, history, outbox, quarantine.
func (m *machine) state(tb testing.TB) string {
	tb.Helper()
	var b strings.Builder
	for _, id := range slices.SortedFunc(maps.Keys(m.store.rows), compareIDs) {
		e := m.store.rows[id]
		fmt.Fprintf(&b, "%s %d %d %d %q %s %v\n", id, e.Tenant, e.Time, e.Received, e.Raw, e.Stream, e.Fields)
	}
	db, err := sql.Open("sqlite", filepath.Join(m.dir, "vedette.db"))
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{
		"SELECT * FROM incidents ORDER BY id", "SELECT * FROM incident_history ORDER BY incident, seq, what",
		"SELECT tenant, kind, key, payload, created FROM outbox ORDER BY key",
		"SELECT tenant, position, module, digest, code, detail, raw, at FROM quarantine ORDER BY tenant, position",
		"SELECT * FROM rule_hours ORDER BY tenant, rule, hour", "SELECT tenant, subject, kind, since, until, detail FROM rule_gaps ORDER BY 1, 2, 3, 4, 5",
		"SELECT tenant, seq, at, kind, name, record FROM controls ORDER BY seq, tenant", "SELECT tenant, list, compared, value, expires, since, until, until_at FROM members ORDER BY 1, 2, 4, 6",
		`SELECT tenant, module, shared, sum(calls), sum(records), sum(events), sum(findings), sum(errors), sum(bytes_in), sum(bytes_out), sum(fuel),
			sum(log_lines), sum(state_calls), sum(state_bytes), sum(stored), sum(stored_bytes) FROM usage GROUP BY tenant, module, shared ORDER BY tenant, module, shared`,
	} {
		dump(tb, &b, db, table)
	}
	return b.String()
}

func dump(tb testing.TB, b *strings.Builder, db *sql.DB, query string) {
	rows, err := db.QueryContext(tb.Context(), query)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	cols, _ := rows.Columns()
	vals, refs := make([]any, len(cols)), make([]any, len(cols))
	for i := range vals {
		refs[i] = &vals[i]
	}
	for rows.Next() {
		if err := rows.Scan(refs...); err != nil {
			tb.Fatal(err)
		}
		fmt.Fprintf(b, "%v\n", vals)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
}

// metaQuery lists all incidents.
var metaQuery = meta.IncidentQuery{Limit: 200}

// close writes everything to disk, as the store's Close does, and returns the highest position appended.
func (s *store) close() (last uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seqs) > 0 {
		last = s.seqs[len(s.seqs)-1]
	}
	s.seqs = nil
	return last
}
