package author

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Config says how a package is run for its author.
type Config struct {
	CacheDir string           // keeps compiled code; "": memory only
	Settings []byte           // JSON; nil: the defaults of the manifest's schema
	Targets  []runtime.Target // what a monitor may reach
	Fetch    runtime.Fetch    // answers vedette_http_v1; nil: the network, under the policy of a host
	Log      runtime.LogSink  // receives what the module logs, beside the sandbox itself; nil: nobody
}

// received is the receive time of records that nobody has received.
var received = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

// candidate stands for the digest of a package that is in no registry.
const candidate = "candidate"

// Sandbox holds one package as a host would run it, with everything granted that it asks for. It belongs to one
// goroutine.
type Sandbox struct {
	Module *module.Loaded

	pkg     manifest.Package
	runtime *runtime.Host
	said    *transcript
	source  sourceTree
}

// Open makes a package ready to run. The error is the package's: of static admission, or of its start. Close it.
func Open(ctx context.Context, p manifest.Package, dir string, cfg Config) (*Sandbox, error) {
	if cfg.Fetch == nil {
		cfg.Fetch = (&runtime.HTTP{}).Fetch
	}
	s := &Sandbox{pkg: p, said: &transcript{next: cfg.Log}, source: readSource(dir)}
	settings, err := p.Manifest.CheckSettings(cfg.Settings)
	if err != nil {
		return nil, err
	}
	// What a module says when it falls is what its author needs: an author's sandbox cuts less of it than a host.
	limits := runtime.Limits{LogLinesPerCall: maxTranscriptLines, LogLinesPerSecond: maxTranscriptLines * 100}
	if s.runtime, err = runtime.New(ctx, runtime.Config{CacheDir: cfg.CacheDir, Fetch: cfg.Fetch, Log: s.said.write, Limits: limits}); err != nil {
		return nil, err
	}
	lib := module.NewLibrary(nil, s.runtime, func(storage.Tenant, string) []runtime.Target { return cfg.Targets })
	in := module.Install{Name: p.Manifest.Publisher + "/" + p.Manifest.Name, Digest: candidate, Grants: p.Manifest.Asks(), Settings: string(settings)}
	if s.Module, err = lib.Prepare(ctx, storage.NoTenant, in, p); err != nil {
		return nil, errors.Join(s.explain(err), s.runtime.Close(ctx))
	}
	return s, nil
}

// Package returns what is run.
func (s *Sandbox) Package() manifest.Package { return s.pkg }

// Close frees the module.
func (s *Sandbox) Close() error {
	return s.runtime.Close(context.Background()) // memory is freed, whatever was cancelled
}

// Test runs the package's own cases. The outcome is a host's; what it says of failures is for the author.
func (s *Sandbox) Test(ctx context.Context) (Tested, error) {
	s.said.clear()
	o, err := pipeline.Test(ctx, s.Module, s.pkg.Vectors)
	if err != nil {
		return Tested{}, err
	}
	t := Tested{Cases: o.Cases}
	if len(o.Failures) > 0 {
		t.Failures, err = s.failures(ctx, o.Failures)
	}
	return t, err
}

// Tested is what a package's own cases say about it.
type Tested struct {
	Cases    int
	Failures []Failure
}

// one runs a parser on one record and returns its answer with the fuel that it took. A trap is no error.
func (s *Sandbox) one(ctx context.Context, raw []byte, at time.Time, res *runtime.Result) (*runtime.Trap, error) {
	var e abi.RecordsEncoder
	e.Begin(1, 1, at.UnixNano())
	e.Add(raw, "test 192.0.2.1:514", at.UnixNano(), 0)
	s.said.clear()
	err := s.Module.Code.Parse(ctx, e.Bytes(), res)
	var trap *runtime.Trap
	switch {
	case err == nil && len(res.Poison) == 0:
		return nil, nil
	case err == nil:
		return res.Poison[0].Trap, nil
	case errors.Is(err, runtime.ErrFailing) && errors.As(err, &trap):
		return trap, nil
	}
	return nil, fmt.Errorf("run %s: %w", s.pkg.Manifest.Reference(), err)
}

// explain adds to a trap what the module said when it fell.
func (s *Sandbox) explain(err error) error {
	var trap *runtime.Trap
	if !errors.As(err, &trap) {
		return err
	}
	if c := s.source.crash(s.said.text()); c.Message != "" {
		return fmt.Errorf("%s: %w", c, err)
	}
	return err
}

// crash says how the module fell that was just called.
func (s *Sandbox) crash(trap *runtime.Trap) Crash {
	c := s.source.crash(s.said.text())
	if c.Message == "" {
		c.Message = trapMessage(trap.Detail)
	}
	c.Code = trap.Code
	return c
}

const (
	maxTranscriptLines = 4096
	maxTranscriptBytes = 64 << 10
)

// transcript keeps what a module has written as an error since it was cleared. Standard Go writes a trace in pieces,
// each of which arrives as a line.
type transcript struct {
	next  runtime.LogSink
	mu    sync.Mutex
	lines []string
	bytes int
}

func (t *transcript) write(digest string, level uint32, line string) {
	if t.next != nil {
		t.next(digest, level, line)
	}
	if level < abi.LogError {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bytes += len(line); t.bytes > maxTranscriptBytes { // one that falls again and again: the last time is enough
		t.lines, t.bytes = nil, len(line)
	}
	t.lines = append(t.lines, line)
}

func (t *transcript) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines, t.bytes = t.lines[:0], 0
}

func (t *transcript) text() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}
