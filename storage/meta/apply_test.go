package meta

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/storage"
)

func TestApplyKeepsWhatItIsGiven(t *testing.T) {
	w := newWorld(t)
	full, bare := incident(w.a, "full", 1), storage.Incident{ID: "bare", Tenant: w.a, Severity: storage.Low, State: storage.Resolved, Verdict: storage.Benign, Assignee: "ann", Applied: 1}
	w.apply(Batch{Incidents: []storage.Incident{full, bare}, History: []storage.HistoryEntry{opened("full", 1)}})
	for _, want := range []storage.Incident{full, bare} {
		if d := cmp.Diff(want, must(w.GetIncident(ctx, of(w.a), want.ID))(t)); d != "" {
			t.Error(d)
		}
	}
	if d := cmp.Diff([]storage.HistoryEntry{opened("full", 1)}, must(w.History(ctx, of(w.a), "full"))(t)); d != "" {
		t.Error(d)
	}
	if seq := must(w.AppliedSeq(ctx))(t); seq != 1 {
		t.Errorf("applied %d", seq)
	}
}

func TestApplyTwiceChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.must(w.PutWebhook(ctx, w.a, Webhook{Name: "hook", URL: "https://example.com", Secret: "s", Enabled: true}))
	b := Batch{
		Incidents:  []storage.Incident{incident(w.a, "x", 3)},
		History:    []storage.HistoryEntry{opened("x", 3)},
		Notices:    []Notice{{Tenant: w.a, Key: "x.opened.3", Kind: "opened", Payload: []byte("{}")}},
		Quarantine: []QuarantineEntry{{Tenant: w.a, Position: storage.EventID{Seq: 3}, Module: "m", Digest: "d", Raw: []byte("raw")}},
	}
	w.must(w.Apply(ctx, 3, b))
	before := dump(t, w.DB)
	w.must(w.Apply(ctx, 3, b))
	w.must(w.Apply(ctx, 2, Batch{Incidents: []storage.Incident{incident(w.a, "older", 2)}}))
	if d := cmp.Diff(before, dump(t, w.DB)); d != "" {
		t.Error(d)
	}
	// A replay from further back may reach further: only what is newer takes effect.
	again := b
	again.Incidents = append([]storage.Incident{incident(w.a, "y", 4)}, b.Incidents...)
	w.must(w.Apply(ctx, 4, again))
	c := must(w.Changes(ctx, w.a, 0, 0))(t)
	if len(c.List) != 2 || c.List[0].Incident.ID != "x" || c.List[1].Incident.ID != "y" || c.Last != 2 {
		t.Errorf("changes %+v", c)
	}
	if list := must(w.DueDeliveries(ctx, 1, 0))(t); len(list) != 1 {
		t.Errorf("%d deliveries", len(list))
	}
}

func TestApplyIsAllOrNothing(t *testing.T) {
	w := newWorld(t)
	w.put(w.a, "x")
	before := dump(t, w.DB)
	for what, c := range map[string]struct {
		seq  uint64
		b    Batch
		kind error
	}{
		"position 0":            {0, Batch{}, storage.ErrInvalid},
		"position beyond int64": {1 << 63, Batch{}, storage.ErrInvalid},
		"newer incident":        {5, Batch{Incidents: []storage.Incident{incident(w.a, "y", 6)}}, storage.ErrInvalid},
		"incident of nobody":    {5, Batch{Incidents: []storage.Incident{incident(w.a, "y", 5), incident(0, "z", 5)}}, storage.ErrInvalid},
		"unknown tenant":        {5, Batch{Incidents: []storage.Incident{incident(w.a, "y", 5), incident(99, "z", 5)}}, storage.ErrNotFound},
		"newer history":         {5, Batch{History: []storage.HistoryEntry{opened("x", 6)}}, storage.ErrInvalid},
		"history of nothing":    {5, Batch{Incidents: []storage.Incident{incident(w.a, "y", 5)}, History: []storage.HistoryEntry{opened("z", 5)}}, storage.ErrNotFound},
		"patch of nobody":       {5, Batch{Patches: []Patch{{Entry: opened("x", 5)}}}, storage.ErrInvalid},
		"large notice":          {5, Batch{Notices: []Notice{{Tenant: w.a, Key: "k", Payload: make([]byte, MaxPayloadBytes+1)}}}, storage.ErrInvalid},
		"quarantine of nobody":  {5, Batch{Quarantine: []QuarantineEntry{{Position: storage.EventID{Seq: 5}}}}, storage.ErrInvalid},
	} {
		t.Run(what, func(t *testing.T) {
			w.want(w.Apply(ctx, c.seq, c.b), c.kind)
			if d := cmp.Diff(before, dump(t, w.DB)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestIncidentOfAnotherTenantIsNotOverwritten(t *testing.T) {
	w := newWorld(t)
	w.put(w.a, "x")
	w.put(w.b, "x") // the same id, which a fold would never make
	if in := must(w.GetIncident(ctx, of(w.a), "x"))(t); in.Applied != 1 {
		t.Errorf("tenant a's incident is at %d", in.Applied)
	}
	if c := must(w.Changes(ctx, w.b, 0, 0))(t); len(c.List) != 0 || c.Last != 0 {
		t.Errorf("tenant b has changes %+v", c)
	}
}

func TestPatches(t *testing.T) {
	w := newWorld(t)
	w.put(w.a, "x")
	patch := func(t storage.Tenant, what string, p Patch) Batch {
		p.Tenant, p.Entry = t, storage.HistoryEntry{Incident: "x", Seq: w.seq + 1, At: 7, Who: "ann", What: what}
		return Batch{Patches: []Patch{p}}
	}
	open := []storage.State{storage.Open}
	w.apply(patch(w.b, "resolved", Patch{State: storage.Resolved, Verdict: storage.Benign}))
	w.apply(patch(w.a, "acknowledged", Patch{From: []storage.State{storage.Acknowledged}, State: storage.Resolved}))
	if in := must(w.GetIncident(ctx, of(w.a), "x"))(t); in.State != storage.Open || in.Applied != 1 {
		t.Fatalf("patched by another tenant or from another state: %+v", in)
	}
	w.apply(patch(w.a, "resolved", Patch{From: open, State: storage.Resolved, Verdict: storage.Benign}))
	w.apply(patch(w.a, "assigned", Patch{Assign: true, Assignee: "bob"}))
	w.apply(patch(w.a, "severity", Patch{Severity: storage.Critical}))
	w.apply(patch(w.a, "resolved", Patch{From: open, State: storage.Resolved, Verdict: storage.TruePositive})) // not open any more
	in := must(w.GetIncident(ctx, of(w.a), "x"))(t)
	if in.State != storage.Resolved || in.Verdict != storage.Benign || in.Assignee != "bob" || in.Severity != storage.Critical || in.UpdatedAt != 7 || in.Applied != 6 {
		t.Errorf("incident %+v", in)
	}
	var got []string
	for _, h := range must(w.History(ctx, of(w.a), "x"))(t) {
		got = append(got, h.What)
	}
	if want := "opened resolved assigned severity"; strings.Join(got, " ") != want {
		t.Errorf("history %v; want %s", got, want)
	}
	w.apply(patch(w.a, "reopened", Patch{From: []storage.State{storage.Resolved}, State: storage.Open}))
	if in := must(w.GetIncident(ctx, of(w.a), "x"))(t); in.State != storage.Open || in.Verdict != "" {
		t.Errorf("reopened: %s, verdict %q", in.State, in.Verdict)
	}
}

func TestWhatIsOlderThanTheRowChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.must(w.Apply(ctx, 5, Batch{Incidents: []storage.Incident{incident(w.a, "x", 5)}, History: []storage.HistoryEntry{opened("x", 1)}}))
	before := dump(t, w.DB)
	entry := opened("x", 5)
	entry.What = "severity"
	w.must(w.Apply(ctx, 6, Batch{Incidents: []storage.Incident{incident(w.a, "x", 4)}, Patches: []Patch{{Tenant: w.a, Severity: storage.Low, Entry: entry}}}))
	after := dump(t, w.DB)
	before["positions"] = after["positions"]
	if d := cmp.Diff(before, after); d != "" {
		t.Error(d)
	}
}

// TestPagesAreReadFromAnIndex looks at the plans of the two queries that every open console asks again and again.
func TestPagesAreReadFromAnIndex(t *testing.T) {
	w := newWorld(t)
	for _, p := range []storage.Principal{of(w.a), root} {
		where, args, err := (&IncidentQuery{}).condition(p)
		w.must(err)
		for query, args := range map[string][]any{
			`SELECT ` + incidentColumns + ` FROM incidents i WHERE ` + where + ` ORDER BY i.opened_at DESC, i.id DESC LIMIT 10`: args,
			`SELECT cursor FROM changes WHERE tenant = ? AND topic = 'incident' AND cursor > ? ORDER BY cursor LIMIT 10`:        {1, 0},
		} {
			rows, err := w.read.Query(`EXPLAIN QUERY PLAN `+query, args...)
			plan, err := collect(rows, err, func(r *sql.Rows) (s string, err error) {
				var a, b, c int
				return s, r.Scan(&a, &b, &c, &s)
			})
			w.must(err)
			if text := strings.Join(plan, "\n"); strings.Contains(text, "TEMP B-TREE") {
				t.Errorf("%d tenants: sorts:\n%s", len(p.Tenants), text)
			}
		}
	}
}

func TestListIncidents(t *testing.T) {
	w := newWorld(t)
	states := []storage.State{storage.Open, storage.Acknowledged, storage.Resolved}
	for i := range 25 {
		in := incident(w.a, fmt.Sprintf("i%02d", i), w.seq+1)
		in.OpenedAt, in.State, in.Severity = int64(100+i/2), states[i%3], storage.Severity(1+i%5)
		in.Rule = fmt.Sprint("rule", i%2)
		in.Title = []string{"100% of\\it", "under_score", "Über alles"}[i%3]
		w.apply(Batch{Incidents: []storage.Incident{in}})
	}
	w.put(w.b, "other")
	count := func(q IncidentQuery) int { return len(must(w.ListIncidents(ctx, of(w.a), q))(t).Incidents) }
	for what, c := range map[string]struct {
		q    IncidentQuery
		want int
	}{
		"all": {IncidentQuery{}, 25}, "limit": {IncidentQuery{Limit: 3}, 3}, "state": {IncidentQuery{States: states[:1]}, 9},
		"two states": {IncidentQuery{States: states[:2]}, 17}, "severity": {IncidentQuery{Severities: []storage.Severity{5}}, 5},
		"rule": {IncidentQuery{Rule: "rule1"}, 12}, "percent": {IncidentQuery{Text: "100%"}, 9}, "a percent is no wildcard": {IncidentQuery{Text: "1%0"}, 0},
		"backslash": {IncidentQuery{Text: `of\it`}, 9}, "an underscore is no wildcard": {IncidentQuery{Text: "r_s"}, 8}, "case": {IncidentQuery{Text: "üBER"}, 8},
		"key value": {IncidentQuery{Text: "bob <b@x>"}, 25}, "together": {IncidentQuery{Text: "über", States: states[:1]}, 0},
	} {
		if got := count(c.q); got != c.want {
			t.Errorf("%s: %d; want %d", what, got, c.want)
		}
	}
	var pages []string
	q := IncidentQuery{Limit: 4}
	for {
		page := must(w.ListIncidents(ctx, of(w.a), q))(t)
		for _, in := range page.Incidents {
			pages = append(pages, in.ID)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if len(pages) != 25 || pages[0] != "i24" || pages[1] != "i23" || pages[24] != "i00" {
		t.Errorf("pages %v", pages)
	}
	for _, bad := range []IncidentQuery{{Cursor: "!"}, {Cursor: "aGVsbG8"}, {Text: strings.Repeat("x", MaxSearchBytes+1)}, {States: make([]storage.State, 9)}} {
		_, err := w.ListIncidents(ctx, of(w.a), bad)
		w.want(err, storage.ErrInvalid)
	}
	var n uint64
	for _, c := range must(w.CountIncidents(ctx, of(w.a)))(t) {
		n += c.N
	}
	if all := must(w.ListIncidents(ctx, root, IncidentQuery{}))(t); n != 25 || len(all.Incidents) != 26 {
		t.Errorf("%d counted of tenant a; %d listed for an admin", n, len(all.Incidents))
	}
	if listed(0) != DefaultListed || listed(MaxListed+1) != MaxListed {
		t.Error("limits of a list")
	}
}

func TestChangesAreCoalescedAndResumable(t *testing.T) {
	w := newWorld(t)
	w.put(w.a, "x")
	w.put(w.b, "other")
	w.put(w.a, "y")
	w.put(w.a, "x")
	c := must(w.Changes(ctx, w.a, 0, 1))(t)
	if len(c.List) != 1 || c.List[0].Incident.ID != "y" || c.Next != 2 || c.Last != 3 || c.Gap {
		t.Errorf("first %+v", c)
	}
	c = must(w.Changes(ctx, w.a, c.Next, 1))(t)
	if len(c.List) != 1 || c.List[0].Incident.ID != "x" || c.List[0].Incident.Applied != 4 || c.Next != 3 {
		t.Errorf("second %+v", c)
	}
	if c = must(w.Changes(ctx, w.a, c.Next, 1))(t); len(c.List) != 0 || c.Next != 3 || c.Gap {
		t.Errorf("at the end %+v", c)
	}
	if last := must(w.LastCursor(ctx, w.a))(t); last != 3 {
		t.Errorf("last cursor %d", last)
	}
	if c = must(w.Changes(ctx, w.a, 4, 1))(t); !c.Gap || c.Next != 3 {
		t.Errorf("a cursor from the future: %+v", c)
	}
	if c = must(w.Changes(ctx, 77, 0, 1))(t); c.Gap || c.Next != 0 {
		t.Errorf("a tenant without changes: %+v", c)
	}
}

func TestPruneLeavesAGapThatReadersAreTold(t *testing.T) {
	w := newWorld(t)
	w.put(w.a, "x")
	// Through Apply this many would take minutes under the race detector.
	_, err := w.write.Exec(`WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= ?1)
		INSERT INTO changes (tenant, cursor, topic, key) SELECT ?2, i, 'incident', 'old' || i FROM n WHERE i <= ?1`, MaxChangesPerTenant, w.a)
	w.must(err)
	_, err = w.write.Exec(`UPDATE change_heads SET last = ? WHERE tenant = ?`, MaxChangesPerTenant, w.a)
	w.must(err)
	w.put(w.a, "y")
	if c := must(w.Changes(ctx, w.a, 0, 1))(t); c.Gap {
		t.Fatal("a gap before pruning")
	}
	if p := must(w.Prune(ctx, w.cfg.Now()))(t); p != (Pruned{Changes: 1}) {
		t.Errorf("pruned %+v; want the one change over the limit", p)
	}
	if c := must(w.Changes(ctx, w.a, 0, 1))(t); !c.Gap || c.Next != MaxChangesPerTenant+1 || c.Floor != 1 {
		t.Errorf("behind the floor: %+v", c)
	}
	if c := must(w.Changes(ctx, w.a, 1, 1))(t); c.Gap || len(c.List) != 1 {
		t.Errorf("at the floor: %+v", c)
	}
}

func TestPruneRemovesOldResolvedIncidents(t *testing.T) {
	w := newWorld(t)
	now := w.cfg.Now()
	for _, c := range []struct {
		id    string
		state storage.State
		age   time.Duration
	}{{"old", storage.Resolved, DefaultKeepResolved + 1}, {"young", storage.Resolved, DefaultKeepResolved}, {"open", storage.Open, 2 * DefaultKeepResolved}} {
		in := incident(w.a, c.id, w.seq+1)
		in.State, in.UpdatedAt = c.state, now.Add(-c.age).UnixNano()
		w.apply(Batch{Incidents: []storage.Incident{in}, History: []storage.HistoryEntry{opened(c.id, w.seq+1)}})
	}
	if p := must(w.Prune(ctx, now))(t); p != (Pruned{Incidents: 1, Changes: 1}) {
		t.Errorf("pruned %+v", p)
	}
	_, err := w.GetIncident(ctx, of(w.a), "old")
	w.want(err, storage.ErrNotFound)
	_, err = w.History(ctx, of(w.a), "old")
	w.want(err, storage.ErrNotFound)
	if c := must(w.Changes(ctx, w.a, 0, 0))(t); len(c.List) != 2 || c.Gap {
		t.Errorf("changes %+v", c)
	}
}

func TestReplayDoesNotBringBackWhatQuarantineDropped(t *testing.T) {
	w := newWorld(t)
	var b Batch
	for i := range MaxQuarantinePerTenant + 5 {
		b.Quarantine = append(b.Quarantine, QuarantineEntry{Tenant: w.a, Position: storage.EventID{Seq: 1, Record: uint32(i)}, Digest: "d"})
	}
	w.must(w.Apply(ctx, 1, b))
	before := dump(t, w.DB)
	w.must(w.Apply(ctx, 2, b)) // the same part of the log, cut elsewhere
	after := dump(t, w.DB)
	before["positions"] = after["positions"]
	if d := cmp.Diff(before, after); d != "" {
		t.Error(d)
	}
}

// TestHammer applies batches while readers page, follow changes and sign in, and while old rows are pruned. Each
// change reader must end with every incident's newest state, having seen its cursors rise.
func TestHammer(t *testing.T) {
	w := newWorld(t)
	const incidents, batches = 20, 150
	w.must(w.CreateUser(ctx, User{Name: "ann", Role: storage.RoleAnalyst, Tenant: w.a}, "correct horse"))
	session := must(w.CreateSession(ctx, storage.Principal{User: "ann"}))(t)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(done)
		for i := range batches {
			seq := uint64(i + 1)
			b := Batch{Incidents: []storage.Incident{incident(w.a, fmt.Sprint("a", i%incidents), seq), incident(w.b, fmt.Sprint("b", i%incidents), seq)}}
			if err := w.Apply(ctx, seq, b); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for _, tenant := range []storage.Tenant{w.a, w.b} {
		wg.Go(func() { w.follow(tenant, done, incidents, batches-incidents) })
	}
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := w.ListIncidents(ctx, root, IncidentQuery{Text: "fail", Limit: 5}); err != nil {
					t.Error(err)
				}
				if _, err := w.CountIncidents(ctx, of(w.b)); err != nil {
					t.Error(err)
				}
				if p, err := w.PrincipalOf(ctx, session); err != nil || p.User != "ann" {
					t.Error(err)
				}
				if _, err := w.Prune(ctx, w.cfg.Now()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// follow reads a tenant's changes until done and the end, and checks that every incident's newest state came by.
func (w *world) follow(tenant storage.Tenant, done <-chan struct{}, incidents int, newest uint64) {
	seen, after := map[string]uint64{}, uint64(0)
	for ended := false; ; {
		c, err := w.Changes(ctx, tenant, after, 7)
		if err != nil || c.Gap || c.Next < after {
			w.Errorf("changes after %d: %+v, %v", after, c, err)
			return
		}
		for _, ch := range c.List {
			if ch.Incident.Tenant != tenant || seen[ch.Incident.ID] > ch.Incident.Applied {
				w.Errorf("incident %s of %d went back to %d", ch.Incident.ID, ch.Incident.Tenant, ch.Incident.Applied)
			}
			seen[ch.Incident.ID] = ch.Incident.Applied
		}
		if after = c.Next; ended && len(c.List) == 0 {
			break
		}
		select {
		case <-done:
			ended = true
		default:
		}
	}
	for id, applied := range seen {
		if applied <= newest {
			w.Errorf("incident %s ended at %d", id, applied)
		}
	}
	if len(seen) != incidents {
		w.Errorf("saw %d incidents", len(seen))
	}
}

// dump returns every row of every table that Apply writes, sorted.
func dump(t testing.TB, db *DB) map[string][]string {
	out := map[string][]string{}
	for _, table := range []string{"incidents", "incident_history", "changes", "change_heads", "outbox", "positions", "quarantine", "quarantine_totals"} {
		rows, err := db.read.Query(`SELECT * FROM ` + table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			out[table] = append(out[table], fmt.Sprint(values...))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(out[table])
	}
	return out
}

func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("incidents=%d", n), func(b *testing.B) {
			db, err := Open(ctx, Config{Path: b.TempDir() + "/meta.db"})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			if _, err := db.CreateTenant(ctx, "a", "A"); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for seq := uint64(1); b.Loop(); seq++ {
				batch := Batch{Incidents: make([]storage.Incident, n)}
				for i := range batch.Incidents {
					batch.Incidents[i] = incident(1, fmt.Sprint("i", i), seq)
				}
				if err := db.Apply(ctx, seq, batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/incident")
		})
	}
}
