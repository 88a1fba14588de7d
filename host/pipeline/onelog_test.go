package pipeline_test

import (
	"embed"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/backtest"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// every has a rule for each operator of the language.
//
//go:embed testdata/every/*.yaml
var every embed.FS

const everyName = "local/every"

// everyRule packages the rules.
func (w *world) everyRule(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "every")
	if err := os.CopyFS(dir, every); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "testdata", "every")
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	text := fmt.Sprintf("publisher: local\nname: every\nversion: 1.0.0\nkind: rule\ntitle: Every operator\nabi: \"1.0\"\nentry: {documents: [%s]}\n", strings.Join(files, ", "))
	if err := os.WriteFile(filepath.Join(dir, "module.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := author.Build(t.Context(), dir, author.StandardGo)
	if err != nil {
		t.Fatal(err)
	}
	return w.packages.add(p)
}

// TestOneLogOneAnswer: one log, read with one worker, with eight, and through many kills, leaves the same incidents byte for
// byte; and a backtest over what it stored tells of the same ones.
func TestOneLogOneAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	digest := w.everyRule(t)
	dir := t.TempDir()
	log := queueConfig(filepath.Join(dir, "log"))
	var now atomic.Int64
	now.Store(epoch.UnixNano())
	log.Now, log.TickEvery = func() time.Time { return time.Unix(0, now.Load()) }, 2*time.Millisecond
	whole := newMachineOn(t, w, dir, 0, log)
	cfg := whole.config(1, time.Hour)
	cfg.KeepAll = true
	p := start(t, cfg, nil)
	waitFor := func(c module.Control) *module.Generation {
		if err := p.Wait(t.Context(), whole.control(t, c)); err != nil {
			t.Fatal(err)
		}
		return p.Generation()
	}
	without := waitFor(module.Control{Kind: module.Activate, Name: parserName, Digest: w.v1, Who: "sim"})
	with := waitFor(module.Control{Kind: module.Activate, Name: everyName, Digest: digest, Who: "sim"})
	writeDoors(t, whole, p, &now, rand.New(rand.NewPCG(20261122, 7)))
	if err := p.Wait(t.Context(), whole.queue.Last()); err != nil {
		t.Fatal(err)
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	want := whole.state(t)
	for _, file := range ruleNames(t) {
		if !strings.Contains(want, "every."+file) {
			t.Errorf("rule %s raises no incident: it shows nothing", file)
		}
	}
	if d := cmp.Diff(foundBy(t, without, with, whole), raised(t, whole)); d != "" {
		t.Errorf("-backtest +live:\n%.3000s", d)
	}
	if err := whole.queue.Close(); err != nil {
		t.Fatal(err)
	}
	same := func(how string, m *machine) {
		if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(m.state(t), "\n")); d != "" {
			t.Errorf("%s; -one worker +this:\n%.3000s", how, d)
		}
	}
	m := copyOf(t, whole, 0)
	last := m.queue.Last()
	again := start(t, m.config(8, time.Hour), nil)
	if err := again.Wait(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if err := again.end(); err != nil {
		t.Fatal(err)
	}
	same("eight workers", m)
	r := rand.New(rand.NewPCG(20261122, 8))
	m = copyOf(t, whole, r.IntN(20))
	crashes := m.crashOnce(t, r, last, 4)
	same(fmt.Sprintf("%d kills", crashes), m)
}

func ruleNames(t *testing.T) (names []string) {
	t.Helper()
	files, err := every.ReadDir("testdata/every")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	return names
}

// writeDoors writes what happens at three doors within days, some of it out of order, and then lets time pass: always by
// more than five minutes, since log time follows the wall clock only then.
func writeDoors(t *testing.T, m *machine, p *running, now *atomic.Int64, r *rand.Rand) {
	t.Helper()
	pass := func(seconds int) { // and wait for the tick that says so
		want := now.Add(int64(seconds) * int64(time.Second))
		for limit := time.Now().Add(10 * time.Second); p.Positions().LogTime < want; runtime.Gosched() {
			if time.Now().After(limit) {
				t.Fatal("log time does not follow the clock")
			}
		}
	}
	for range 240 {
		pass(310 + r.IntN(400))
		lines := make([]string, 1+r.IntN(4))
		for j := range lines {
			lines[j] = fmt.Sprintf("door=%s badge=b%d result=%s", []string{"north", "south", "east"}[r.IntN(3)], r.IntN(5), []string{"refused", "open"}[r.IntN(2)])
		}
		m.putAt(t, 1, now.Load()-int64(r.IntN(4))*int64(time.Second), lines...)
	}
	for range 8 { // what waits for time is decided
		pass(3600)
		m.putAt(t, 1, now.Load(), "door=west badge=nobody result=none", "door=west badge=nobody result=closed")
	}
}

// raised counts the firings in the incidents of a machine, by rule and key.
func raised(t *testing.T, m *machine) map[string]uint64 {
	t.Helper()
	out := map[string]uint64{}
	q := metaQuery
	for {
		page, err := m.db.ListIncidents(t.Context(), storage.Principal{User: "sim", Role: storage.RoleAdmin, Tenants: []storage.Tenant{1}}, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range page.Incidents {
			out[fmt.Sprint(in.Rule, in.Key)] += in.Count
		}
		if page.Next == "" {
			return out
		}
		q.Cursor = page.Next
	}
}

// foundBy counts the firings that a backtest of the rules tells of, over what a machine stored.
func foundBy(t *testing.T, without, with *module.Generation, m *machine) map[string]uint64 {
	t.Helper()
	out := map[string]uint64{}
	x := backtest.New(without, with, false)
	var frame []storage.Event
	flush := func() {
		if err := x.Frame(t.Context(), frame); err != nil {
			t.Fatal(err)
		}
		frame = nil
	}
	for _, id := range slices.SortedFunc(maps.Keys(m.store.rows), compareIDs) {
		if len(frame) > 0 && frame[0].ID.Seq != id.Seq {
			flush()
		}
		frame = append(frame, m.store.rows[id])
	}
	flush()
	for _, in := range x.Report().Incidents {
		out[fmt.Sprint(in.Rule, in.Key)] += in.Would
	}
	return out
}
