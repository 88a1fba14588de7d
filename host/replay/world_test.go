package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/replay"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/meta"
)

const patience = 60 * time.Second

// cacheDir keeps compiled code for all tests of the package.
var cacheDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "vedette-replay-test-")
	if err != nil {
		panic(err)
	}
	cacheDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// world is log, pipeline, store and database as they are live, with the shipped parsers and rules, and a clock that
// the test moves.
type world struct {
	testing.TB
	queue    *queue.Queue
	pipeline *pipeline.Pipeline
	store    *logs.Store
	db       *meta.DB
	packages *layout.Layout
	began    time.Time
	offset   atomic.Int64
	one, two storage.Tenant
}

func (w *world) now() time.Time { return w.began.Add(time.Duration(w.offset.Load())) }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, began: time.Now().Truncate(time.Second)}
	ctx, dir := t.Context(), t.TempDir()
	var err error
	w.queue, err = queue.Open(ctx, queue.Config{
		Dir: filepath.Join(dir, "log"), Shards: 2, MaxBytes: 64 << 20, MinFreeBytes: -1, TickEvery: 20 * time.Millisecond,
		Linger: time.Millisecond, PutLinger: time.Millisecond, Now: w.now,
	})
	w.must(err)
	w.db, err = meta.Open(ctx, meta.Config{Path: filepath.Join(dir, "vedette.db")})
	w.must(err)
	w.store, err = logs.Open(ctx, logs.Config{Dir: filepath.Join(dir, "logs"), MinFreeBytes: -1, GroupDelay: 10 * time.Millisecond, Now: w.now})
	w.must(err)
	w.packages, err = layout.Open(filepath.Join(dir, "modules"))
	w.must(err)
	rt, err := runtime.New(ctx, runtime.Config{CacheDir: cacheDir})
	w.must(err)
	lib := module.NewLibrary(module.Namespaces{Layout: w.packages}, rt, func(storage.Tenant, string) []runtime.Target { return nil })
	w.one, err = w.db.CreateTenant(ctx, "one", "One")
	w.must(err)
	w.two, err = w.db.CreateTenant(ctx, "two", "Two")
	w.must(err)
	w.pipeline, err = pipeline.New(ctx, pipeline.Config{
		Dir: dir, Workers: 2, Queue: w.queue, Store: w.store, DB: w.db, Library: lib,
		Report: func(_ pipeline.Level, text string, args ...any) { t.Log(append([]any{text}, args...)...) },
	})
	w.must(err)
	run, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.pipeline.Run(run) }()
	t.Cleanup(func() {
		stop()
		_, err := w.store.Close(context.Background())
		w.must(errors.Join(<-done, err, w.queue.Close(), w.db.Close(), rt.Close(context.Background())))
	})
	w.ship()
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// ship activates the shipped parsers and rules.
func (w *world) ship() {
	w.Helper()
	all, err := modules.Builtin()
	w.must(err)
	for _, p := range all {
		if p.Manifest.Kind == manifest.Monitor {
			continue
		}
		d, err := w.packages.Push(w.Context(), p)
		w.must(err)
		w.control(module.Control{
			Kind: module.Activate, Who: "vedette", Name: p.Manifest.Publisher + "/" + p.Manifest.Name, Digest: string(d), Grants: p.Manifest.Asks(),
		})
	}
}

// control puts a control record into the log and waits for it.
func (w *world) control(c module.Control) {
	w.Helper()
	b, err := c.Encode()
	w.must(err)
	seq, err := w.queue.PublishControl(w.Context(), b)
	w.must(err)
	w.must(w.pipeline.Wait(w.Context(), seq))
}

// send puts each line into the log as a record of its own frame, a step of time apart.
func (w *world) send(t storage.Tenant, peer string, step time.Duration, lines ...string) {
	w.Helper()
	for _, l := range lines {
		w.offset.Add(int64(step))
		w.must(w.queue.Put(w.Context(), t, queue.Source{Listener: "syslog-udp:514", Peer: peer}, []queue.Raw{{Bytes: []byte(l), Received: w.now().UnixNano()}}))
	}
}

func (w *world) eventually(what string, holds func() bool) {
	w.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			w.Fatalf("no %s within %v", what, patience)
		}
		<-tick.C
	}
}

// leapt waits until log time has followed the clock.
func (w *world) leapt() {
	w.Helper()
	w.eventually("log time after the leap", func() bool {
		return w.now().Sub(time.Unix(0, w.pipeline.Positions().LogTime)) < time.Minute
	})
}

func of(ts ...storage.Tenant) storage.Principal {
	return storage.Principal{User: "ann", Role: storage.RoleAnalyst, Tenants: ts}
}

// incident waits for the newest incident of a rule that has fired count times.
func (w *world) incident(t storage.Tenant, rule string, count uint64) (in storage.Incident) {
	w.Helper()
	w.eventually(fmt.Sprintf("incident of %s that fired %d times", rule, count), func() bool {
		page, err := w.db.ListIncidents(w.Context(), of(t), meta.IncidentQuery{Rule: rule})
		w.must(err)
		at := slices.IndexFunc(page.Incidents, func(x storage.Incident) bool { return x.Count == count })
		if at >= 0 {
			in = page.Incidents[at]
		}
		return at >= 0
	})
	return in
}

// export waits until the events can be found.
func (w *world) export(who storage.Principal, id string) []byte {
	w.Helper()
	var b bytes.Buffer
	w.eventually("export of "+id, func() bool {
		b.Reset()
		err := replay.Export(w.Context(), w.host(), who, id, &b)
		if err != nil && !errors.Is(err, replay.ErrCannot) {
			w.Fatal(err)
		}
		return err == nil
	})
	return b.Bytes()
}

func (w *world) host() replay.Host {
	return replay.Host{Incidents: w.db, Store: w.store, Packages: module.Namespaces{Layout: w.packages}, Running: w.pipeline.Generation().Running}
}

// replay reads an export as another machine would, and computes it.
func (w *world) replay(data []byte) (*replay.Bundle, replay.Result) {
	w.Helper()
	b, err := replay.Read(bytes.NewReader(data))
	w.must(err)
	res, err := b.Run(w.Context(), cacheDir)
	w.must(err)
	return b, res
}
