package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/meta"
)

const killConfig = `no_syslog: true
organizations:
  - {slug: alpha, name: Alpha}
  - {slug: beta, name: Beta}
queue: {keep_all: true}
checkpoint_every: 1s
`

// setting reads a number from the environment.
func setting(name string, def int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return def
}

// TestKill kills the host with SIGKILL again and again, at random moments, under HTTP load and with module versions
// being swapped, a rule that remembers among them, and then reads the raw rows: every acknowledged record is there exactly once, and incidents, rows and
// versions are those of an uninterrupted run over the same log.
func TestKill(t *testing.T) {
	kills, seed := setting("VEDETTE_KILLS", 10), setting("VEDETTE_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("kills %d, VEDETTE_SEED=%d repeats the run's moments", kills, seed)
	rnd := rand.New(rand.NewPCG(uint64(seed), 1))
	ctx := context.Background()
	s := newServer(t, killConfig)
	versions := [2][]byte{parserPackage(t, "1.0.0"), parserPackage(t, "2.0.0")}
	s.start()
	s.signIn(ctx)
	for name, doc := range map[string]string{"busy": ledgerRule, "handover": ledgerSequence} {
		s.install(ctx, rulePackage(t, name, doc))
	}
	s.install(ctx, tallyPackage(t), "vedette_kv_v1", "vedette_window_v1")
	s.install(ctx, versions[1]) // both are compiled once, so that a swap takes no longer than a run
	s.install(ctx, versions[0])
	writers := []*writer{newWriter("a1", 1), newWriter("a2", 1), newWriter("b1", 2), newWriter("b2", 2)}
	for _, w := range writers {
		w.token = s.ingestToken(ctx, w.tenant, "kill test "+w.name)
	}
	swaps := 0
	for i := range kills {
		running, cancel := context.WithCancel(ctx)
		swapAt, killAt := time.Duration(rnd.IntN(400))*time.Millisecond, time.Duration(100+rnd.IntN(1900))*time.Millisecond
		var all sync.WaitGroup
		for _, w := range writers {
			all.Go(func() { w.write(running, s) })
		}
		all.Go(func() {
			if wait(running, swapAt) && s.tryInstall(running, versions[(i+1)%2]) == nil {
				swaps++
			}
		})
		wait(ctx, killAt)
		s.kill()
		cancel()
		all.Wait()
		s.start()
	}
	s.drain(ctx)
	took := s.stop()
	t.Logf("%d kills, %d swaps answered, the last stop took %v", kills, swaps, took)
	if took > 5*time.Second {
		t.Errorf("Ctrl-C took %v, at most 5 s are allowed", took)
	}

	again := newServer(t, killConfig)
	copyDir(t, filepath.Join(s.dir, "queue"), filepath.Join(again.dir, "queue"))
	copyDir(t, filepath.Join(s.dir, "modules"), filepath.Join(again.dir, "modules"))
	again.start()
	again.signIn(ctx)
	again.drain(ctx)
	again.stop()

	killed, uninterrupted := readRows(t, s.dir), readRows(t, again.dir)
	checkLedger(t, killed, writers)
	if d := cmp.Diff(versionsOf(uninterrupted), versionsOf(killed)); d != "" {
		t.Errorf("rows differ from those of an uninterrupted run (-want +got):\n%s", short(d))
	}
	want, got := readIncidents(t, again.dir, 1, 2), readIncidents(t, s.dir, 1, 2)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("incidents differ from those of an uninterrupted run (-want +got):\n%s", short(d))
	}
	if len(got) == 0 {
		t.Error("the run raised no incident: it shows nothing")
	}
	firings, tallied := uint64(0), uint64(0)
	for _, i := range got {
		firings += i.Incident.Count
		if i.Incident.Rule == "e2e.tally" {
			tallied += i.Incident.Count
		}
	}
	if tallied == 0 {
		t.Error("the rule that remembers found nothing")
	}
	t.Logf("%d rows, %d incidents, %d firings: equal to the uninterrupted run", len(killed), len(got), firings)
}

// wait waits and reports whether ctx is still alive.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *server) tryInstall(ctx context.Context, pkg []byte, grants ...string) error {
	_, err := s.modules().InstallModule(ctx, connect.NewRequest(&v1.InstallModuleRequest{Package: pkg, Grants: grants}))
	return err
}

func (s *server) install(ctx context.Context, pkg []byte, grants ...string) {
	s.t.Helper()
	if err := s.tryInstall(ctx, pkg, grants...); err != nil {
		s.t.Fatalf("install: %v", err)
	}
}

// drain waits until everything in the log has been processed.
func (s *server) drain(ctx context.Context) {
	s.t.Helper()
	target := uint64(0)
	s.until("the log to be processed", 5*time.Minute, func() bool {
		h, err := s.health().GetHealth(ctx, connect.NewRequest(&v1.GetHealthRequest{}))
		if err != nil {
			return false
		}
		if target == 0 {
			target = h.Msg.Positions.Last
		}
		return h.Msg.Positions.Processed >= target
	})
}

// writer sends numbered lines and remembers which were acknowledged.
type writer struct {
	name      string
	tenant    uint32
	token     string
	next      int
	acked     map[int]bool
	uncertain map[int]bool // sent, but the answer never came
}

func newWriter(name string, tenant uint32) *writer {
	return &writer{name: name, tenant: tenant, acked: map[int]bool{}, uncertain: map[int]bool{}}
}

const linesPerRequest = 20

// write posts until ctx ends or the server is gone.
func (w *writer) write(ctx context.Context, s *server) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for ctx.Err() == nil {
		from := w.next
		var body strings.Builder
		for range linesPerRequest {
			body.WriteString(line(w.name, w.next) + "\n")
			w.next++
		}
		err := s.ingest(ctx, client, w.token, body.String())
		for n := from; n < w.next; n++ {
			if err == nil {
				w.acked[n] = true
			} else if !errors.Is(err, errRefused) {
				w.uncertain[n] = true
			}
		}
		if !wait(ctx, 10*time.Millisecond) {
			return
		}
	}
}

// row is a stored row as the tests look at it.
type row struct {
	Writer, Version, Generation, Digest string
	Seq                                 int
	Tenant                              storage.Tenant
}

// readRows opens a stopped host's log store and reads every row of the ledger, by event id. A row that is there twice
// fails the test.
func readRows(t *testing.T, dir string) map[string]row {
	t.Helper()
	ctx := context.Background()
	store, err := logs.Open(ctx, logs.Config{Dir: filepath.Join(dir, "logs")})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close(ctx)
	counts, err := store.CountByID(ctx, 0, 1<<62, time.Unix(0, 0), time.Unix(1<<33, 0))
	if err != nil {
		t.Fatal(err)
	}
	for id, n := range counts {
		if n != 1 {
			t.Errorf("event %s is stored %d times", id, n)
		}
	}
	rows := map[string]row{}
	p := storage.Principal{User: "test", Role: storage.RoleAdmin, Tenants: []storage.Tenant{1, 2}}
	for _, name := range []string{"a1", "a2", "b1", "b2"} {
		for user := range users { // a search returns at most logs.MaxSearchRows
			readUser(t, store, p, fmt.Sprintf("service.name:=%s user.name:=u%d", name, user), rows)
		}
	}
	return rows
}

// readUser adds the rows that a query finds, all of them.
func readUser(t *testing.T, store *logs.Store, p storage.Principal, query string, rows map[string]row) {
	t.Helper()
	progress, err := store.Search(context.Background(), p, logs.Query{Text: query, Limit: logs.MaxSearchRows}, func(found []logs.Row) error {
		for _, r := range found {
			e := storage.Event{Fields: r.Fields}
			n, err := strconv.Atoi(e.Get("event.sequence"))
			if err != nil {
				return fmt.Errorf("row %s: %w", r.ID, err)
			}
			rows[r.ID.String()] = row{e.Get("service.name"), e.Get("service.version"), e.Get(storage.FieldGeneration), e.Get(storage.FieldDigest), n, r.Tenant}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if progress.Truncated {
		t.Fatalf("%s: more than %d rows", query, logs.MaxSearchRows)
	}
}

// checkLedger compares what was acknowledged with what is stored, by the numbers inside the records.
func checkLedger(t *testing.T, rows map[string]row, writers []*writer) {
	t.Helper()
	stored := map[string]map[int]int{}
	seen := map[string]int{}
	for _, r := range rows {
		if stored[r.Writer] == nil {
			stored[r.Writer] = map[int]int{}
		}
		stored[r.Writer][r.Seq]++
		seen[r.Version]++
	}
	acked, lost, twice, unknown := 0, 0, 0, 0
	for _, w := range writers {
		for n := range w.acked {
			acked++
			if stored[w.name][n] == 0 {
				lost++
			}
		}
		for n, times := range stored[w.name] {
			if times > 1 {
				twice++
			}
			if !w.acked[n] && !w.uncertain[n] {
				unknown++
			}
		}
	}
	t.Logf("%d records acknowledged: %d lost, %d stored twice, %d never sent; rows by parser version %v", acked, lost, twice, unknown, seen)
	if lost+twice+unknown > 0 || acked == 0 {
		t.Errorf("acknowledged %d, lost %d, twice %d, unknown %d", acked, lost, twice, unknown)
	}
	if len(seen) < 2 {
		t.Errorf("rows of parser versions %v only: no swap took effect", seen)
	}
}

// versionsOf is what an uninterrupted run must agree with.
func versionsOf(rows map[string]row) []string {
	out := make([]string, 0, len(rows))
	for id, r := range rows {
		out = append(out, fmt.Sprintf("%s %s#%d tenant %s version %s generation %s digest %s", id, r.Writer, r.Seq, r.Tenant, r.Version, r.Generation, r.Digest))
	}
	slices.Sort(out)
	return out
}

// worked is an incident with its history.
type worked struct {
	Incident storage.Incident
	History  []storage.HistoryEntry
}

func readIncidents(t *testing.T, dir string, tenants ...storage.Tenant) []worked {
	t.Helper()
	ctx := context.Background()
	db, err := meta.Open(ctx, meta.Config{Path: filepath.Join(dir, "vedette.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p := storage.Principal{User: "test", Role: storage.RoleAdmin, Tenants: tenants}
	var out []worked
	q := meta.IncidentQuery{Limit: meta.MaxListed}
	for {
		page, err := db.ListIncidents(ctx, p, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Incidents {
			h, err := db.History(ctx, p, i.ID)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, worked{i, h})
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	slices.SortFunc(out, func(a, b worked) int { return strings.Compare(a.Incident.ID, b.Incident.ID) })
	return out
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(to), 0o700)
	if err == nil {
		err = exec.Command("cp", "-a", from, to).Run()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func short(d string) string {
	if len(d) > 4000 {
		return d[:4000] + "\n…"
	}
	return d
}
