package monitor_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/monitor"
	"github.com/vedette-siem/vedette/host/probe"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// put is what a sink was given.
type put struct {
	tenant storage.Tenant
	src    queue.Source
	recs   []queue.Raw
}

// rig runs a scheduler of one shared monitor, for organizations 1 and 2, of which only 1 has granted a target.
type rig struct {
	packages map[registry.Digest]registry.Artifact
	gen      atomic.Pointer[module.Generation]
	puts     chan put
	refuse   atomic.Bool
	mu       sync.Mutex
	reports  []string
	lib      *module.Library
	db       *meta.DB
	run      module.Running
}

func (r *rig) Pull(_ context.Context, _ storage.Tenant, d registry.Digest) (registry.Artifact, error) {
	return r.packages[d], nil
}

func (r *rig) Generation() *module.Generation { return r.gen.Load() }

func (r *rig) Put(ctx context.Context, t storage.Tenant, src queue.Source, recs []queue.Raw) error {
	if r.refuse.Load() {
		return storage.ErrUnavailable
	}
	for i := range recs {
		recs[i].Bytes = slices.Clone(recs[i].Bytes)
	}
	select {
	case r.puts <- put{t, src, recs}:
	case <-ctx.Done():
	}
	return nil
}

func (r *rig) report(text string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, fmt.Sprint(text, args))
}

func (r *rig) control(t *testing.T, c module.Control) {
	t.Helper()
	var err error
	if r.run, err = r.run.Apply(r.run.Seq+1, 0, c); err != nil {
		t.Fatal(err)
	}
	g, err := module.Build(t.Context(), r.lib, r.gen.Load(), r.run, c.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	r.gen.Store(g)
}

// watch starts the scheduler; target is the URL that organization 1 has granted.
func watch(t *testing.T, p registry.Artifact, target string) *rig {
	t.Helper()
	fetch := &runtime.HTTP{}
	rt, err := runtime.New(t.Context(), runtime.Config{CacheDir: cache, Fetch: fetch.Fetch})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{packages: map[registry.Digest]registry.Artifact{"d": p}, puts: make(chan put, 16)}
	r.lib = module.NewLibrary(r, rt, func(storage.Tenant, string) []runtime.Target { return nil })
	c := module.Control{Kind: module.Activate, Name: p.Manifest.Publisher + "/" + p.Manifest.Name, Digest: "d"}
	for _, capability := range p.Manifest.Capabilities {
		c.Grants = append(c.Grants, capability.ID)
	}
	r.control(t, c)
	if r.db, err = meta.Open(t.Context(), meta.Config{Path: filepath.Join(t.TempDir(), "meta.db")}); err != nil {
		t.Fatal(err)
	}
	for _, slug := range []string{"one", "two"} {
		if _, err := r.db.CreateTenant(t.Context(), slug, slug); err != nil {
			t.Fatal(err)
		}
	}
	vault, err := probe.OpenVault(filepath.Join(t.TempDir(), "key"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := monitor.New(monitor.Config{
		Generations: r, Library: r.lib, Sink: r, Look: 5 * time.Millisecond, Report: r.report, Jitter: func() float64 { return 0 },
		Tenants: func() []storage.Tenant { return []storage.Tenant{1, 2} }, Store: r.db, Vault: vault,
		Fixed: func(t storage.Tenant) []module.Watch {
			if t != 1 {
				return nil
			}
			return []module.Watch{{ID: "one", Module: c.Name, Targets: []module.WatchTarget{{Name: "target", Device: "shop"}}}}
		},
		Device: func(_ context.Context, _ storage.Tenant, name string) (meta.Device, error) {
			return meta.Device{Name: name, Private: true, HTTP: &meta.DeviceHTTP{URL: target}}, nil
		},
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	t.Cleanup(func() {
		stop()
		<-ended
		if err := errors.Join(r.lib.Keep(context.Background()), rt.Close(context.Background()), r.db.Close()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// next returns the records of the next poll.
func (r *rig) next(t *testing.T) put {
	t.Helper()
	select {
	case p := <-r.puts:
		return p
	case <-time.After(30 * time.Second):
		r.mu.Lock()
		defer r.mu.Unlock()
		t.Fatalf("no poll; reports: %q", r.reports)
		return put{}
	}
}

func TestHTTPCheck(t *testing.T) {
	t.Parallel()
	all, err := modules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(p manifest.Package) bool { return p.Manifest.Name == "httpcheck" })
	if at < 0 {
		t.Fatal("httpcheck does not ship")
	}
	asked := make(chan string, 8)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		asked <- q.Method + " " + q.URL.Path
		w.WriteHeader(http.StatusTeapot)
	}))
	defer target.Close()
	r := watch(t, all[at], target.URL)
	got := r.next(t)
	if a := <-asked; a != "GET /" {
		t.Errorf("the target was asked %q", a)
	}
	if got.tenant != 1 || got.src != (queue.Source{Listener: "monitor:httpcheck", Peer: "shop"}) || len(got.recs) != 1 || !strings.Contains(string(got.recs[0].Bytes), "418") {
		t.Errorf("put %d records of %s for organization %d: %q", len(got.recs), got.src.Listener, got.tenant, got.recs[0].Bytes)
	}
	target.Close() // a target that does not answer is a record too; a new control record starts a new task
	r.control(t, module.Control{Kind: module.Activate, Name: "vedette/httpcheck", Digest: "d", Grants: []string{"vedette_http_v1"}})
	if got := r.next(t); !strings.Contains(string(got.recs[0].Bytes), "failure") {
		t.Errorf("of a target that is gone: %q", got.recs[0].Bytes)
	}
}

// odd returns too long a record first, then too long a cursor, and traps when it is asked to.
const odd = `package main

import sdk "github.com/vedette-siem/vedette/sdk/go"

func init() { sdk.RegisterMonitor(sdk.Monitor{Poll: poll}) }

func main() {}

func poll(p *sdk.Poll) ([]byte, error) {
	if TRAP {
		panic("trapped")
	}
	if string(p.Cursor) != "first" {
		p.Record(make([]byte, 300<<10))
		return []byte("first"), nil
	}
	return make([]byte, 70<<10), nil
}
`

func oddMonitor(t *testing.T, trap string) registry.Artifact {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "odd")
	if err := author.New(dir, manifest.Monitor); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "module.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	yaml := strings.NewReplacer("interval: 30s", "interval: 1s", "jitter: 3s", "jitter: 0s").Replace(string(text))
	from, to := strings.Index(yaml, "capabilities:"), strings.Index(yaml, "schedule:")
	for file, text := range map[string]string{"main.go": strings.Replace(odd, "TRAP", trap, 1), "module.yaml": yaml[:from] + yaml[to:]} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := author.Build(t.Context(), dir, author.StandardGo)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLimitsOfAPoll(t *testing.T) {
	t.Parallel()
	r := watch(t, oddMonitor(t, "false"), "")
	if got := r.next(t).recs; len(got) != 1 || len(got[0].Bytes) != queue.MaxRecordBytes || got[0].Flags != queue.FlagTruncated {
		t.Errorf("%d records, the first of %d bytes with flags %d", len(got), len(got[0].Bytes), got[0].Flags)
	}
	for range 2 { // the cursor stays what it was
		if got := r.next(t).recs; len(got) != 1 || !strings.Contains(string(got[0].Bytes), "E_LIMIT") {
			t.Errorf("of a cursor over MaxCursorBytes: %.200q", got[0].Bytes)
		}
	}
}

// A poll that fails is a record. A monitor that is switched off stops, and what is refused is reported.
func TestFailingPoll(t *testing.T) {
	t.Parallel()
	r := watch(t, oddMonitor(t, "len(p.Cursor) == 0"), "")
	got := r.next(t)
	if b := string(got.recs[0].Bytes); !strings.Contains(b, `"error.code":"E_TRAP"`) || !strings.Contains(b, `"event.outcome":"failure"`) || !strings.Contains(b, `"event.provider":"local/odd"`) {
		t.Errorf("put %s", b)
	}
	r.refuse.Store(true)
	for deadline := time.Now().Add(30 * time.Second); ; {
		r.mu.Lock()
		n := len(r.reports)
		r.mu.Unlock()
		if n > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing was reported")
		}
		<-time.After(10 * time.Millisecond)
	}
	r.refuse.Store(false)
	r.control(t, module.Control{Kind: module.Disable, Name: "local/odd"})
	for range 10 { // what was on its way may still come
		select {
		case <-r.puts:
		case <-time.After(1500 * time.Millisecond): // longer than the interval
			return
		}
	}
	t.Error("it goes on polling")
}
