// Package runtime runs modules: every call starts from the same memory, spends counted fuel, and can hurt nothing but itself.
//
// A [Host] loads modules. [Module.Parse], [Module.Eval] and [Module.Poll] hand a batch over in one crossing and return
// the answer as a copy that was checked against sdk/ABI.md. A guest's failure is a [*Trap]; a record that makes a guest
// fail is found and returned as [Poison], and the other records of its batch go on.
package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/vedette-siem/vedette/host/meter"
)

// Errors that are no verdict on a module.
var (
	// ErrStalled says that a call ran into the wall clock three times. The machine is to blame, not the module: the caller
	// stops the shard and reports it.
	ErrStalled = errors.New("E_DEADLINE: the machine did not run the module in time")
	// ErrClosed says that the module or the host is closed.
	ErrClosed = errors.New("the module is closed")
	// ErrFailing says that a batch held more poison than Limits.PoisonRecords: the module is to blame rather than its
	// records, and the caller suspends it. The last *Trap is wrapped beside it.
	ErrFailing = errors.New("the module fails too many records")
)

// Config is what a Host needs. The zero value works: no cache on disk, no HTTP, no logs, default limits.
type Config struct {
	// CacheDir keeps compiled code. It holds machine code that is executed, so it is created with mode 0700 and refused
	// when another user owns it or anybody else may read or write it. Empty: compiled code lives in memory only.
	CacheDir string
	// Compiler is the command that compiles foreign modules in a process of its own, which can be ended: it is given the
	// folder of the cache and, on its standard input, the code ([CompileTo]). Empty: this process compiles them. It needs
	// CacheDir.
	Compiler []string
	// Trusted says that code, as published, ships with the host and may be compiled by this process; nil: none does.
	Trusted func(wasm []byte) bool
	// Instances is how many copies of one module may run at once; 0: GOMAXPROCS + 1.
	Instances int
	// Limits of modules; zero fields have the defaults named in Limits.
	Limits Limits
	// Fetch answers vedette_http_v1.fetch ([HTTP.Fetch]); nil: no module may import it.
	Fetch Fetch
	// Log receives the lines that modules log, bounded by Limits; nil discards them. It is called by the goroutine that
	// runs the module, must not block, and may be called by many at once.
	Log LogSink
	// Now is the wall clock. It bounds stalled calls and the rate of log lines and is never shown to a module; nil: time.Now.
	Now func() time.Time
}

// LogSink takes one line of a module. level is one of abi.LogDebug to abi.LogError.
type LogSink func(digest string, level uint32, line string)

// Fetch answers one request of a monitor to a target that was granted to it. An error that wraps [ErrDenied] was
// refused by policy; any other means that the target could not be reached. ctx ends with the poll.
type Fetch func(ctx context.Context, t Target, path string) (Response, error)

// Host compiles modules and keeps what they share. It is safe for concurrent use.
type Host struct {
	cfg      Config
	lim      Limits
	cache    wazero.CompilationCache
	cacheDir string        // where cache is; "" when it is in memory
	turn     chan struct{} // compiling takes a whole core and is not metered: one foreign module at a time

	mu        sync.Mutex
	modules   map[*Module]struct{}
	compiling map[codeSum]chan struct{} // closed when the host's own code of this sum is compiled
	closed    bool
}

// New returns a Host. The error says what is wrong with the cache directory or the limits.
func New(ctx context.Context, cfg Config) (*Host, error) {
	if cfg.Instances <= 0 {
		cfg.Instances = goruntime.GOMAXPROCS(0) + 1
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	lim, err := cfg.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	h := &Host{cfg: cfg, lim: lim, turn: make(chan struct{}, 1), modules: map[*Module]struct{}{}, compiling: map[codeSum]chan struct{}{}}
	if cfg.CacheDir == "" {
		h.cache = wazero.NewCompilationCache()
		return h, nil
	}
	// Metered code depends on the meter's version; the engine adds its own and the code's digest.
	dir := filepath.Join(cfg.CacheDir, "meter-"+strconv.Itoa(meter.Version))
	for _, d := range []string{cfg.CacheDir, dir} {
		if err := privateDir(d); err != nil {
			return nil, fmt.Errorf("compilation cache: %w", err)
		}
	}
	h.cacheDir = dir
	if h.cache, err = wazero.NewCompilationCacheWithDir(dir); err != nil {
		return nil, fmt.Errorf("compilation cache: %w", err)
	}
	return h, nil
}

// privateDir makes sure that nobody else can put code into dir.
func privateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no directory", dir)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s has mode %#o: it holds code that is executed and must be 0700", dir, mode)
	}
	if !ownedByUs(info) {
		return fmt.Errorf("%s belongs to another user", dir)
	}
	return nil
}

// Close waits for running calls and frees everything. Modules of the host answer ErrClosed from then on.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	open := make([]*Module, 0, len(h.modules))
	for m := range h.modules {
		open = append(open, m)
	}
	h.mu.Unlock()
	var errs []error
	for _, m := range open {
		errs = append(errs, m.Close(ctx))
	}
	errs = append(errs, h.cache.Close(ctx))
	return errors.Join(errs...)
}

// keep remembers an open module; false when the host was closed meanwhile.
func (h *Host) keep(m *Module) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.modules[m] = struct{}{}
	return true
}

func (h *Host) forget(m *Module) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.modules, m)
}

// engine returns a Runtime for one module: mutually untrusting modules must not share one, or each could import what
// the other exports. Only compiled code is shared, by digest.
func (h *Host) engine(ctx context.Context) wazero.Runtime { return newEngine(ctx, h.cache) }
