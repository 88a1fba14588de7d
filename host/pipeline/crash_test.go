package pipeline_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/storage"
)

const (
	parserName = "local/doors"
	ruleName   = "local/refused"
	watchName  = "local/watched"
	listName   = "local/listed"
	stepsName  = "local/steps"
	followName = "local/follows"
	lateName   = "local/overdue"
)

// writeLog runs a machine without interruption on a log that it writes meanwhile: three organizations of which one is removed, modules that are
// swapped, rolled back, replaced and switched off, a rule that remembers and whose state is dropped for one of them, a rule that
// looks into a table of which there are several versions, records
// that nobody reads or survives, and people who work incidents.
// It returns the end of the log.
func writeLog(tb testing.TB, m *machine, r *rand.Rand, p *running) uint64 {
	tb.Helper()
	w := m.world
	changes := []module.Control{
		{Kind: module.Activate, Name: parserName, Digest: w.v1},
		{Kind: module.Activate, Name: ruleName, Digest: w.rule},
		{Kind: module.Activate, Name: watchName, Digest: w.watched1, Grants: stateGrants},
		{Kind: module.Activate, Name: lateName, Digest: w.overdue[0], Grants: timerGrants},
		{Kind: module.Activate, Name: listingName, Digest: w.listing},
		{Kind: module.Activate, Name: listName, Digest: w.listed, Grants: tableGrants}, // refused: there is no such table
		{Kind: module.Activate, Name: stepsName, Digest: w.steps[0], Grants: stateGrants[1:]},
		{Kind: module.Activate, Name: followName, Digest: w.follows[0]},
		w.tables.set(tb, 0, "1,first"),
		{Kind: module.Activate, Name: listName, Digest: w.listed, Grants: tableGrants},
		w.tables.set(tb, 1, "1,own", "2,own"),
		{Kind: module.Activate, Name: parserName, Digest: w.v2},
		{Kind: module.Activate, Tenant: 2, Name: ruleName, Digest: w.ownRule},
		{Kind: module.Activate, Name: "local/other", Digest: w.badRule}, // refused: its rule has the id of another
		{Kind: module.Rollback, Name: parserName},
		{Kind: module.Activate, Tenant: 2, Name: watchName, Digest: w.watched2, Grants: stateGrants},
		{Kind: module.Activate, Name: stepsName, Digest: w.steps[1], Grants: stateGrants[1:]},
		{Kind: module.Activate, Tenant: 2, Name: stepsName, Digest: w.steps[2], Grants: stateGrants[1:]},
		{Kind: module.Activate, Tenant: 2, Name: lateName, Digest: w.overdue[1], Grants: timerGrants},
		{Kind: module.Activate, Tenant: 1, Name: stepsName, Digest: w.steps[3], Grants: stateGrants[1:]},
		{Kind: module.Activate, Name: followName, Digest: w.follows[1]},
		{Kind: module.Disable, Tenant: 1, Name: parserName},
		{Kind: module.Forget, Tenant: 3},
		{Kind: module.Rollback, Tenant: 2, Name: ruleName},
		{Kind: module.Rollback, Tenant: 1, Name: stepsName},
		{Kind: module.Activate, Name: stepsName, Digest: w.steps[2], Grants: stateGrants[1:]}, // of one organization it fails
		{Kind: module.Rollback, Tenant: 2, Name: stepsName},
		{Kind: module.Rollback, Tenant: 2, Name: lateName},
		w.tables.set(tb, 0, "1,second", "3,second"),
		{Kind: module.RemoveTable, Name: "badges"}, // refused: it is in use
		{Kind: module.RemoveTable, Tenant: 1, Name: "badges"},
		{Kind: module.Enable, Tenant: 1, Name: parserName},
		{Kind: module.Rollback, Name: parserName}, // refused: there is no earlier version
	}
	all := storage.Principal{User: "sim", Role: storage.RoleAdmin, Tenants: []storage.Tenant{1, 2, 3}}
	actions := []string{"acknowledged", "commented", "resolved", "assigned"}
	const frames = 96
	for i := range frames {
		if i%(frames/len(changes)) == 0 && i/(frames/len(changes)) < len(changes) {
			c := changes[i/(frames/len(changes))]
			c.Who = "sim"
			m.control(tb, c)
		}
		lines := make([]string, 1+r.IntN(30))
		for j := range lines {
			switch r.IntN(24) {
			case 0:
				lines[j] = fmt.Sprintf("door=%d badge=trap result=open", j)
			case 1:
				lines[j] = "window=north"
			case 2:
				lines[j] = fmt.Sprintf("door=north badge=%d result=%s", j, []string{"none", "broken", "double"}[r.IntN(3)])
			case 3:
				lines[j] = "door=north badge=sneak result=refused"
			case 4, 5:
				lines[j] = fmt.Sprintf("door=north badge=%d result=open", r.IntN(40))
			case 6:
				lines[j] = fmt.Sprintf("door=north badge=%s result=refused", []string{"cursed", fmt.Sprint(r.IntN(40))}[min(r.IntN(10), 1)])
			default:
				lines[j] = fmt.Sprintf("door=%d badge=%d result=refused", r.IntN(3), r.IntN(4))
			}
		}
		m.put(tb, storage.Tenant(1+r.IntN(3)), fmt.Sprint("192.0.2.", r.IntN(3)), lines...)
		if i%7 != 6 {
			continue
		}
		if err := p.Wait(tb.Context(), m.queue.Last()); err != nil {
			tb.Fatal(err)
		}
		tb.Helper()
		for _, in := range incidents(tb, m, all) {
			if r.IntN(3) == 0 {
				c := module.Control{Kind: module.Incident, Tenant: in.Tenant, Who: "ann", IncidentID: in.ID, Action: actions[r.IntN(len(actions))], Argument: "benign"}
				m.control(tb, c)
			}
		}
	}
	settled(tb, m, p)
	return m.queue.Last()
}

var (
	stateGrants = []string{"vedette_kv_v1", "vedette_window_v1"}
	timerGrants = []string{"vedette_kv_v1", "vedette_timer_v1"}
	tableGrants = []string{"vedette_set_v1:badges", "vedette_lookup_v1:badges"}
)

// passing is a clock of which a second passes whenever it is looked at.
func passing() func() time.Time {
	since := ticking(time.Second)
	return func() time.Time { return epoch.Add(since()) }
}

func TestCrashesChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seeds, runs := 2, uint64(2)
	if os.Getenv("VEDETTE_SOAK") != "" {
		seeds, runs = 20, 10
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("log ", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			dir := t.TempDir()
			log := queueConfig(filepath.Join(dir, "log"))
			log.Now, log.Elapsed = passing(), ticking(100*time.Millisecond)
			whole := newMachineOn(t, w, dir, 0, log)
			cfg := whole.config(1, time.Hour)
			cfg.KeepAll = true
			p := start(t, cfg, nil)
			last := writeLog(t, whole, r, p)
			if err := p.Wait(t.Context(), last); err != nil {
				t.Fatal(err)
			}
			if err := p.end(); err != nil {
				t.Fatal(err)
			}
			want := whole.state(t) // after the last usage was written
			if n := strings.Count(want, "opened"); n < 4 || strings.Count(want, "local.watched") < 4 || strings.Count(want, "local.steps") < 4 || strings.Count(want, "local.overdue") < 4 || strings.Count(want, "local.follows") < 4 || strings.Count(want, "local.reads") < 4 || !strings.Contains(want, "second") {
				t.Fatalf("the log raises too little to be a test: %d", n)
			}
			if err := whole.queue.Close(); err != nil {
				t.Fatal(err)
			}
			for run := range runs {
				r := rand.New(rand.NewPCG(seed, 100+run))
				m := copyOf(t, whole, r.IntN(20))
				crashes := m.crashOnce(t, r, last, []int{1, 4}[run%2])
				if n := m.queue.Last(); n != last {
					t.Errorf("log %d run %d: what was decided before is decided again: the log ends at %d, want %d", seed, run, n, last)
				}
				if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(m.state(t), "\n")); d != "" || m.store.twice > 0 {
					t.Fatalf("log %d run %d, %d crashes, %d rows twice; -uninterrupted +crashed:\n%.6000s", seed, run, crashes, m.store.twice, d)
				}
			}
		})
	}
}

// copyOf returns a fresh machine with the same log.
func copyOf(t *testing.T, m *machine, lag int) *machine {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "log"), os.DirFS(filepath.Join(m.dir, "log"))); err != nil {
		t.Fatal(err)
	}
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error { return os.Chmod(path, 0o700) })
	return newMachine(t, m.world, dir, lag)
}

var errCrash = errors.New("killed")

// crashOnce runs the log to its end through many crashes, each at a random step, and returns how many there were.
func (m *machine) crashOnce(t *testing.T, r *rand.Rand, last uint64, workers int) (crashes int) {
	t.Helper()
	for {
		left := 1 + r.IntN(150)
		if crashes > 12 {
			left = 1 << 30 // it gets to the end at last
		}
		p := start(t, m.config(workers, time.Duration(1+r.IntN(20))*time.Millisecond), func(string) error {
			if left--; left <= 0 {
				return errCrash
			}
			return nil
		})
		done := make(chan error, 1)
		go func() { done <- p.Wait(t.Context(), last) }()
		select {
		case err := <-done:
			if err != nil && !errors.Is(err, storage.ErrUnavailable) {
				t.Fatal(err)
			}
		case <-time.After(5 * time.Minute):
			t.Fatalf("the log does not come to its end: %+v", p.Positions())
		}
		if err := p.end(); err == nil {
			return crashes
		} else if !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		crashes++
		m.store.crash(r)
	}
}

func incidents(tb testing.TB, m *machine, who storage.Principal) []storage.Incident {
	tb.Helper()
	page, err := m.db.ListIncidents(tb.Context(), who, metaQuery)
	if err != nil {
		tb.Fatal(err)
	}
	return page.Incidents
}

// A clean stop leaves nothing to be read again, wherever in the log it comes, and what ran goes on.
func TestCleanStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 1000)
	var want []string
	for i := range 6 {
		p := start(t, m.config(2, time.Hour), nil)
		from, rows, _ := p.Start()
		if last := m.queue.Last(); i > 0 && (from != last+1 || rows != 0) {
			t.Fatalf("start %d reads from %d with %d rows to look at, although the log ended at %d", i, from, rows, last)
		}
		if i > 0 {
			m.put(t, 1, "192.0.2.1", "door=north badge=ada result=refused")
			want = append(want, []string{"doors.v1", "doors.v2"}[(i-1)%2])
		}
		last := m.control(t, module.Control{Kind: module.Activate, Name: parserName, Digest: []string{w.v1, w.v2}[i%2], Who: "sim"})
		if err := p.Wait(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		if err := p.end(); err != nil {
			t.Fatal(err)
		}
		if err := p.Settle(m.store.close()); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, id := range slices.SortedFunc(maps.Keys(m.store.rows), compareIDs) {
		got = append(got, m.store.rows[id].Stream)
	}
	if m.store.twice > 0 || !slices.Equal(got, want) {
		t.Errorf("rows were read by %v, %d of them twice; want %v", got, m.store.twice, want)
	}
}

// What is refused to begin with cannot lose anything.
func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 0)
	m.put(t, 1, "192.0.2.1", "a", "b")
	p := start(t, m.config(1, time.Nanosecond), nil)
	if err := p.Wait(t.Context(), m.queue.Last()); err != nil {
		t.Fatal(err)
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	check := func(what, says string, change func(*pipeline.Config)) {
		t.Helper()
		cfg := m.config(1, 0)
		change(&cfg)
		if _, err := pipeline.New(t.Context(), cfg); !errors.Is(err, storage.ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", what, err, says)
		}
	}
	other := newMachine(t, w, t.TempDir(), 0)
	check("another log", "do not belong together", func(c *pipeline.Config) { c.Queue = other.queue })
	check("another database", "older than the log", func(c *pipeline.Config) { c.DB = other.db })
	checkpoint := func(change func(b []byte) []byte) func(*pipeline.Config) {
		return func(c *pipeline.Config) {
			c.Dir = t.TempDir()
			b, err := os.ReadFile(filepath.Join(m.dir, "checkpoint"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(c.Dir, "checkpoint"), change(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	check("a damaged checkpoint", "checksum", checkpoint(func(b []byte) []byte {
		b[len(b)-1] ^= 1
		return b
	}))
	earlier := checkpoint(func(b []byte) []byte {
		b = bytes.Replace(b, []byte("vedette incidents "), []byte("vedette incidentz "), 1)
		binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b[12:], crc32.MakeTable(crc32.Castagnoli)))
		return b
	})
	check("a checkpoint of an earlier version", "damaged or of another version of this program: ", earlier)
	check("with a whole log", "the log is whole: without the file", func(c *pipeline.Config) {
		earlier(c)
		whole := newMachine(t, w, t.TempDir(), 1000)
		for range m.queue.Last() {
			whole.put(t, 1, "192.0.2.1", "a")
		}
		c.Queue, c.Store = whole.queue, whole.store
	})
}

// The log is cut up to what is on disk and no further, and nothing that recovery keeps grows with the number of changes.
func TestCutAndBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := newMachine(t, w, t.TempDir(), 3)
	p := start(t, m.config(1, time.Nanosecond), nil)
	var frames []uint64
	for i := range 30 {
		m.control(t, module.Control{Kind: module.Activate, Name: parserName, Digest: []string{w.v1, w.v2}[i%2], Who: "sim"})
		m.put(t, 1, "192.0.2.1", "door=north badge=ada result=refused")
		frames = append(frames, m.queue.Last())
	}
	if err := p.Wait(t.Context(), m.queue.Last()); err != nil {
		t.Fatal(err)
	}
	live := p.Live()
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	if first, durable := m.queue.First(), frames[len(frames)-4]; first != durable+1 {
		t.Errorf("the log begins at %d, rows are on disk up to %d", first, durable)
	}
	if _, _, bases := p.Start(); bases > 5 || live > 1 {
		t.Errorf("%d bases and %d generations are held", bases, live)
	}
	if i := slices.IndexFunc(frames, func(f uint64) bool { return f >= m.queue.First() }); i != len(frames)-3 {
		t.Errorf("frames from %d on are in the log, want the last three", i)
	}
}
