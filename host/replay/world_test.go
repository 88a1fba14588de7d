package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/replay"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/host/table"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
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

// world is log, pipeline, store and database as they are live, with shipped parsers and rules, and a clock that
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

func newWorld(t testing.TB, only ...string) *world {
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
	lib := module.NewLibrary(module.Namespaces{Layout: w.packages}, rt, func(storage.Tenant, string) []runtime.Target { return nil }).
		With(table.Kept{From: w.db}).WithIndicators(indicator.Kept{From: w.db})
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
	w.ship(only)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// ship activates the shipped parsers and rules, or only those of some names.
func (w *world) ship(only []string) {
	w.Helper()
	all, err := modules.Builtin()
	w.must(err)
	for _, p := range all {
		if p.Manifest.Kind == manifest.Monitor || len(only) > 0 && !slices.Contains(only, p.Manifest.Name) {
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

// install activates a package of rules, for an organization or all.
func (w *world) install(t storage.Tenant, version, name string, rules ...string) {
	w.Helper()
	files := map[string]string{}
	var documents []string
	for i, text := range rules {
		file := fmt.Sprintf("rule%d.yaml", i)
		files[file], documents = "kind: pattern\nversion: 1.0.0\nseverity: low\n"+text, append(documents, file)
	}
	files["module.yaml"] = fmt.Sprintf("publisher: local\nname: %s\nversion: %s\nkind: rule\ntitle: Rules\nabi: \"1.0\"\nentry: {documents: [%s]}\n", name, version, strings.Join(documents, ", "))
	w.build(t, name, files)
}

// build makes a package of rules of its source, and activates it with all that it asks for.
func (w *world) build(t storage.Tenant, name string, files map[string]string) {
	w.Helper()
	at := filepath.Join(w.TempDir(), name)
	kind := manifest.Rule
	if files["main.go"] != "" { // with the SDK beside it
		kind = manifest.Parser
	}
	w.must(author.New(at, kind))
	for file, text := range files {
		w.must(os.MkdirAll(filepath.Dir(filepath.Join(at, file)), 0o700))
		w.must(os.WriteFile(filepath.Join(at, file), []byte(text), 0o600))
	}
	p, err := author.Build(w.Context(), at, author.StandardGo)
	w.must(err)
	d, err := w.packages.In(registry.Namespace(t)).Push(w.Context(), p)
	w.must(err)
	w.control(module.Control{Kind: module.Activate, Tenant: t, Who: "ann", Name: "local/" + name, Digest: string(d), Grants: p.Manifest.Asks()})
}

// put changes what is in a list.
func (w *world) put(t storage.Tenant, name string, remove []string, values ...string) {
	w.Helper()
	e := &module.Entries{Remove: remove}
	for _, v := range values {
		e.Put = append(e.Put, module.PutEntry{Value: v})
	}
	w.control(module.Control{Kind: module.SetEntries, Tenant: t, Name: name, Who: "ann", Entries: e})
}

// table sets a table with one column.
func (w *world) table(t storage.Tenant, name string, keys ...string) {
	w.Helper()
	x, err := table.Read(index.NoCase, table.CSV, []byte("user\n"+strings.Join(keys, "\n")+"\n"))
	w.must(err)
	text, digest, err := table.Encode(x)
	w.must(err)
	w.must(w.db.PutTableContent(w.Context(), t, digest, text, w.now()))
	w.control(module.Control{Kind: module.SetTable, Tenant: t, Name: name, Who: "ann", Table: &module.Table{Name: name, Digest: digest, Kind: index.NoCase, Columns: []string{"user"}, Rows: len(keys), Bytes: len(text)}})
}

// feed sets an indicator set.
func (w *world) feed(t storage.Tenant, name string, all ...indicator.Indicator) {
	w.Helper()
	text, err := indicator.Encode(all)
	w.must(err)
	digest := indicator.Digest(text)
	w.must(w.db.PutTableContent(w.Context(), t, digest, text, w.now()))
	w.control(module.Control{Kind: module.SetIndicators, Tenant: t, Name: name, Who: "ann", Indicators: &module.Indicators{Name: name, Digest: digest, Bytes: len(text)}})
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

// export makes an export of an incident.
func (w *world) export(who storage.Principal, id string) []byte {
	w.Helper()
	var b bytes.Buffer
	w.must(replay.Export(w.Context(), w.host(), who, id, &b))
	return b.Bytes()
}

func (w *world) host() replay.Host {
	return replay.Host{Incidents: w.db, Store: prompt{w.store}, Packages: module.Namespaces{Layout: w.packages}, Past: w.db, Generation: w.pipeline.Generation()}
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

// prompt is a store that takes nothing for found before it was flushed: the test's clock leaps, and the disk does not.
type prompt struct{ *logs.Store }

func (prompt) Durable() uint64 { return 0 }
