package pipeline_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

const learningManifest = "publisher: local\nname: learning\nversion: 1.0.0\nkind: rule\ntitle: New badges at a door\nabi: \"1.0\"\nentry: {documents: [rule.yaml]}\n"

const learningRule = `kind: pattern
id: local.learning
name: A badge that a door has not seen
version: 1.0.0
severity: low
subs:
  badge: {where: {event.action: open}, by: [observer.name], first_seen: {fields: [user.name], within: 30d}}
incident: {title: "{user.name}"}
`

// TestLearnt: what a rule has learnt is shown while the pipeline runs, survives a restart, and is forgotten by a control record.
func TestLearnt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"module.yaml": learningManifest, "rule.yaml": learningRule} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pkg, err := author.Build(t.Context(), dir, author.StandardGo)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	log := queueConfig(filepath.Join(dir, "log"))
	var now atomic.Int64
	now.Store(epoch.UnixNano())
	log.Now, log.TickEvery = func() time.Time { return time.Unix(0, now.Load()) }, 2*time.Millisecond
	m := newMachineOn(t, w, dir, 0, log)
	p := start(t, m.config(2, time.Hour), nil)
	for name, digest := range map[string]string{parserName: w.v1, "local/learning": w.packages.add(pkg)} {
		if err := p.Wait(t.Context(), m.control(t, module.Control{Kind: module.Activate, Name: name, Digest: digest, Who: "sim"})); err != nil {
			t.Fatal(err)
		}
	}
	known := func(want int) {
		t.Helper()
		if err := p.Wait(t.Context(), m.queue.Last()); err != nil {
			t.Fatal(err)
		}
		list, total, err := p.Learnt(t.Context(), 1, "local.learning", "")
		if err != nil || len(list) != min(want, 1) || total != len(list) || want > 0 && list[0].ValueCount != want {
			t.Fatalf("%+v, %d, %v; want %d values", list, total, err, want)
		}
	}
	known(0)
	m.put(t, 1, "192.0.2.1", "door=north badge=ada result=open", "door=north badge=bob result=open", "door=north badge=ada result=open")
	want := now.Add(int64(10 * time.Minute)) // the watermark follows the log at a distance
	for limit := time.Now().Add(10 * time.Second); p.Positions().LogTime < want; runtime.Gosched() {
		if time.Now().After(limit) {
			t.Fatal("no tick")
		}
	}
	known(2)
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	p = start(t, m.config(2, time.Hour), nil)
	known(2)
	forget := module.Control{Kind: module.Relearn, Tenant: 1, Name: "local.learning", Key: []string{"south"}, Who: "sim"}
	if err := p.Wait(t.Context(), m.control(t, forget)); err != nil {
		t.Fatal(err)
	}
	known(2)
	forget.Key = nil
	if err := p.Wait(t.Context(), m.control(t, forget)); err != nil {
		t.Fatal(err)
	}
	known(0)
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := p.Learnt(ctx, 1, "local.learning", ""); !errors.Is(err, storage.ErrUnavailable) {
		t.Error(err)
	}
}
