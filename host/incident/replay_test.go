package incident

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// record is one record of a log: firings or an action.
type record struct {
	at      int64
	firings []Firing
	action  *Action
}

// drawLog draws a log with few keys, so that they meet, long jumps of time, so that episodes end and are forgotten,
// and actions on incidents that exist, are forgotten, belong to another tenant or are made up.
func drawLog(t *rapid.T) []record {
	var ids []string
	probe := New(Config{MaxTracked: 3})
	at := start
	log := make([]record, rapid.IntRange(1, 40).Draw(t, "records"))
	for i := range log {
		seq := uint64(i + 1)
		at += rapid.SampledFrom([]int64{0, second, 3600 * second, 30 * 3600 * second}).Draw(t, "pass")
		log[i].at = at
		if len(ids) > 0 && rapid.Bool().Draw(t, "act") {
			log[i].action = &Action{
				Tenant: storage.Tenant(rapid.IntRange(1, 2).Draw(t, "tenant")), Who: "ann", Incident: rapid.SampledFrom(append(ids, "made up")).Draw(t, "id"),
				Do:  rapid.SampledFrom([]Do{Acknowledge, Reopen, Resolve, Assign, Comment, SetSeverity, Merge}).Draw(t, "do"),
				Arg: rapid.SampledFrom([]string{"", "benign", "informational", "critical", "bob"}).Draw(t, "arg"),
			}
			if log[i].action.Do == Merge {
				log[i].action.Arg = rapid.SampledFrom(append(ids, "made up")).Draw(t, "into")
			}
			_ = probe.Act(seq, at, *log[i].action) // its result is not what is tested
			continue
		}
		for n := range rapid.IntRange(0, 4).Draw(t, "firings") {
			f := firing(storage.Tenant(rapid.IntRange(1, 2).Draw(t, "tenant")), rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "key"), seq, 0)
			f.Trigger.Record = uint32(n)
			f.Time = at - rapid.Int64Range(0, 100).Draw(t, "late")*second
			f.Severity = storage.Severity(rapid.IntRange(1, 5).Draw(t, "severity"))
			f.RuleDigest = rapid.SampledFrom([]string{"one", "one", "one", "two"}).Draw(t, "version")
			f.Entities = []storage.Entity{{Kind: storage.UserEntity, Value: f.Key[0].Value, Field: "user.name"}, {
				Kind: storage.HostEntity, Value: rapid.SampledFrom([]string{"h1", "h2"}).Draw(t, "host"), Field: "host.name",
			}}
			log[i].firings = append(log[i].firings, f)
		}
		probe.Fire(seq, at, slices.Clone(log[i].firings))
		for _, in := range probe.Take().Incidents {
			ids = append(ids, in.ID)
		}
	}
	return log
}

func (r record) fold(f *Fold, seq uint64) {
	if r.action != nil {
		_ = f.Act(seq, r.at, *r.action) // a refused action changes nothing, in every run
		return
	}
	f.Fire(seq, r.at, slices.Clone(r.firings))
}

func snapshot(t interface{ Fatal(...any) }, f *Fold) []byte {
	b, err := f.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSnapshotsAnywhereChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		cuts := rapid.SliceOfN(rapid.Bool(), len(log), len(log)).Draw(t, "cuts")
		whole, cut := New(Config{MaxTracked: 3}), New(Config{MaxTracked: 3})
		var want, got []Batch
		for i, r := range log {
			r.fold(whole, uint64(i+1))
			r.fold(cut, uint64(i+1))
			want, got = append(want, whole.Take()), append(got, cut.Take())
			if cuts[i] {
				state := snapshot(t, cut)
				cut = New(Config{MaxTracked: 3})
				if err := cut.Restore(bytes.NewReader(state)); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(snapshot(t, whole), snapshot(t, cut)) {
				t.Fatalf("states differ after record %d", i+1)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

// store is a real database that can be emptied and dumped.
type store struct {
	*meta.DB
	raw *sql.DB
}

func newStore(t *testing.T) *store {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "meta.db")
	db, err := meta.Open(ctx, meta.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close(); db.Close() })
	for i := range 2 {
		n, err := db.CreateTenant(ctx, fmt.Sprint("t", i), "T")
		if err != nil {
			t.Fatal(err)
		}
		if err := db.PutWebhook(ctx, n, meta.Webhook{Name: "h", URL: "http://example.com", Secret: "s", Enabled: true}); err != nil {
			t.Fatal(err)
		}
	}
	return &store{db, raw}
}

func (s *store) empty(t *rapid.T) {
	for _, table := range []string{"outbox", "changes", "change_heads", "incident_history", "incidents", "positions", "sqlite_sequence"} {
		if _, err := s.raw.Exec(`DELETE FROM ` + table); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *store) dump(t *rapid.T, queries ...string) (out []string) {
	for _, q := range queries {
		rows, err := s.raw.Query(q)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		for rows.Next() && err == nil {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			err = rows.Scan(into...)
			out = append(out, fmt.Sprint(values...))
		}
		if err != nil || rows.Err() != nil {
			t.Fatal(err, rows.Err())
		}
	}
	return out
}

func (s *store) apply(t *rapid.T, f *Fold) {
	b := f.Take()
	m := meta.Batch{Incidents: b.Incidents, History: b.History}
	for _, p := range b.Patches {
		m.Patches = append(m.Patches, meta.Patch(p))
	}
	for _, n := range b.Notices {
		m.Notices = append(m.Notices, meta.Notice(n))
	}
	if err := s.Apply(context.Background(), f.Seq(), m); err != nil {
		t.Fatal(err)
	}
}

// What must be equal however the log was cut into batches, and what besides when it was cut in the same places.
var (
	kept   = []string{`SELECT * FROM incidents ORDER BY id`, `SELECT * FROM incident_history ORDER BY 1, 2, 3`, `SELECT tenant, webhook, kind, key, payload, created FROM outbox ORDER BY key`, `SELECT * FROM positions`, `SELECT tenant, topic, key FROM changes ORDER BY 1, 2, 3`}
	exact  = append(slices.Clone(kept), `SELECT * FROM changes ORDER BY 1, 2`, `SELECT * FROM change_heads ORDER BY 1`, `SELECT * FROM outbox ORDER BY id`)
	orders = map[bool][]string{true: exact, false: kept}
)

// TestCrashesChangeNothing folds a log into a database without interruption, and into another with crashes: after
// each, the fold is restored from its newest snapshot, which is older than the database, and the log is folded again.
func TestCrashesChangeNothing(t *testing.T) {
	straight, crashing := newStore(t), newStore(t)
	rapid.Check(t, func(t *rapid.T) {
		straight.empty(t)
		crashing.empty(t)
		log := drawLog(t)
		sameCuts := rapid.Bool().Draw(t, "same cuts")
		cuts := rapid.SliceOfN(rapid.Bool(), len(log), len(log)).Draw(t, "cuts")
		others := cuts
		if !sameCuts {
			others = rapid.SliceOfN(rapid.Bool(), len(log), len(log)).Draw(t, "other cuts")
		}
		want := New(Config{MaxTracked: 3})
		for i, r := range log {
			r.fold(want, uint64(i+1))
			if cuts[i] || i == len(log)-1 {
				straight.apply(t, want)
			}
		}
		got := New(Config{MaxTracked: 3})
		saved := snapshot(t, got)
		for i, crashes := 0, 0; i < len(log); i++ {
			log[i].fold(got, uint64(i+1))
			if others[i] || i == len(log)-1 {
				crashing.apply(t, got)
				if rapid.Bool().Draw(t, "save") {
					saved = snapshot(t, got)
				}
			}
			if crashes < 5 && rapid.IntRange(0, 9).Draw(t, "crash") == 0 {
				crashes++
				got = New(Config{MaxTracked: 3})
				if err := got.Restore(bytes.NewReader(saved)); err != nil {
					t.Fatal(err)
				}
				i = int(got.Seq()) - 1 // seq of the record before the next one; records count from 1
			}
		}
		if got.Seq() != uint64(len(log)) {
			t.Fatalf("ended at %d of %d", got.Seq(), len(log))
		}
		if d := cmp.Diff(straight.dump(t, orders[sameCuts]...), crashing.dump(t, orders[sameCuts]...)); d != "" {
			t.Fatal(d)
		}
		if a, b := snapshot(t, want), snapshot(t, got); !bytes.Equal(a, b) {
			t.Fatal("the folds differ")
		}
	})
}
