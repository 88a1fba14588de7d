package monitor_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// cache keeps compiled code for all tests of the package: under the race detector compiling takes most of their time.
var cache string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "vedette-monitor-")
	if err != nil {
		panic(err)
	}
	cache = filepath.Join(dir, "cache")
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// stand is a scheduler with every shipped monitor, organizations 1 and 2, and a real database. It may be stopped and
// started again.
type stand struct {
	*testing.T
	packages map[registry.Digest]registry.Artifact
	lib      *module.Library
	db       *meta.DB
	vault    *probe.Vault
	polls    int // at once; 0: the default
	sched    *monitor.Scheduler
	stop     func()

	gen atomic.Pointer[module.Generation]
	run module.Running
	mu  sync.Mutex
	put map[storage.Tenant][]string // records, in the order in which they came
	got chan struct{}
	log []string
}

func (s *stand) Pull(_ context.Context, _ storage.Tenant, d registry.Digest) (registry.Artifact, error) {
	return s.packages[d], nil
}

func (s *stand) Generation() *module.Generation { return s.gen.Load() }

func (s *stand) Put(_ context.Context, t storage.Tenant, src queue.Source, recs []queue.Raw) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range recs {
		s.put[t] = append(s.put[t], src.Listener+" "+src.Peer+" "+string(r.Bytes))
	}
	select {
	case s.got <- struct{}{}:
	default:
	}
	return nil
}

func (s *stand) control(c module.Control) {
	s.Helper()
	next, err := s.run.Apply(s.run.Seq+1, time.Now().UnixNano(), c)
	if err != nil {
		s.Fatal(err)
	}
	s.run = next
	g, err := module.Build(s.Context(), s.lib, s.gen.Load(), s.run, c.Tenant)
	if err != nil {
		s.Fatal(err)
	}
	s.gen.Store(g)
}

func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{T: t, packages: map[registry.Digest]registry.Artifact{}, put: map[storage.Tenant][]string{}, got: make(chan struct{}, 1)}
	fetch := &runtime.HTTP{}
	rt, err := runtime.New(t.Context(), runtime.Config{Fetch: fetch.Fetch, CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	s.lib = module.NewLibrary(s, rt, func(storage.Tenant, string) []runtime.Target { return nil })
	dir := t.TempDir()
	if s.db, err = meta.Open(t.Context(), meta.Config{Path: filepath.Join(dir, "meta.db")}); err != nil {
		t.Fatal(err)
	}
	if s.vault, err = probe.OpenVault(filepath.Join(dir, "key"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	for _, slug := range []string{"one", "two"} {
		if _, err := s.db.CreateTenant(t.Context(), slug, slug); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if s.stop != nil {
			s.stop()
		}
		if err := errors.Join(s.lib.Keep(context.Background()), rt.Close(context.Background()), s.db.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// install makes shipped monitors run for all.
func (s *stand) install(names ...string) {
	s.Helper()
	all, err := modules.Builtin()
	if err != nil {
		s.Fatal(err)
	}
	for _, p := range all {
		if p.Manifest.Kind != manifest.Monitor || !slices.Contains(names, p.Manifest.Name) {
			continue
		}
		c := module.Control{Kind: module.Activate, Name: "vedette/" + p.Manifest.Name, Digest: p.Manifest.Name}
		for _, x := range p.Manifest.Capabilities {
			c.Grants = append(c.Grants, x.ID)
		}
		s.packages[registry.Digest(c.Digest)] = p
		s.control(c)
	}
}

func (s *stand) start() {
	s.sched = monitor.New(monitor.Config{
		Generations: s, Library: s.lib, Sink: s, Store: s.db, Vault: s.vault, Look: 5 * time.Millisecond, Polls: s.polls,
		Jitter:  func() float64 { return 0 },
		Tenants: func() []storage.Tenant { return []storage.Tenant{1, 2} },
		Device:  s.db.GetDevice,
		Report: func(text string, args ...any) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.log = append(s.log, fmt.Sprint(text, args))
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.sched.Run(ctx) }()
	s.stop = func() { cancel(); <-ended; s.stop = nil }
}

func (s *stand) credential(t storage.Tenant, name string, c probe.Credential) {
	s.Helper()
	if err := c.Check(); err != nil {
		s.Fatal(err)
	}
	box, err := s.vault.Seal(t, name, c)
	if err == nil {
		err = s.db.PutCredential(s.Context(), t, "ann", meta.Credential{Name: name, Kind: c.Kind, Login: c.Login}, box)
	}
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stand) device(t storage.Tenant, d meta.Device) {
	s.Helper()
	if err := monitor.CheckDevice(&d); err != nil {
		s.Fatal(err)
	}
	if err := s.db.PutDevice(s.Context(), t, "ann", d); err != nil {
		s.Fatal(err)
	}
}

// until waits for a record of an organization that holds all of the texts, and returns it.
func (s *stand) until(t storage.Tenant, texts ...string) string {
	s.Helper()
	deadline := time.After(60 * time.Second)
	for {
		s.mu.Lock()
		for _, r := range s.put[t] {
			if !slices.ContainsFunc(texts, func(x string) bool { return !strings.Contains(r, x) }) {
				s.mu.Unlock()
				return r
			}
		}
		all := strings.Join(s.put[t], "\n")
		log := s.log
		s.mu.Unlock()
		select {
		case <-s.got:
		case <-deadline:
			s.Fatalf("no record with %q; there are\n%s\nreports: %q", texts, all, log)
		}
	}
}

func (s *stand) records(t storage.Tenant) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.put[t])
}

func (s *stand) forgetRecords() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.put)
}

func (s *stand) loaded(name string) *module.Loaded {
	s.Helper()
	for _, m := range s.Generation().View(1).Monitors() {
		if m.Name() == name {
			return m
		}
	}
	s.Fatalf("%s does not run", name)
	return nil
}
