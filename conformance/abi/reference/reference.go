// Package reference offers Vedette's own runtime as a host of the conformance protocol, so that the suite drives it as it
// would drive any other.
package reference

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	goruntime "runtime"
	"strconv"
	"sync"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/config"
	statekeys "github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/sdk/go/table"
	"github.com/vedette-siem/vedette/sdk/go/timer"
	"github.com/vedette-siem/vedette/sdk/go/window"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// capabilities are the import modules that the host can link.
var capabilities = []string{
	abi.ImportCore, abi.ImportHTTP, snmp.Import, ssh.Import, probe.Import, config.Import, statekeys.Import, window.Import,
	timer.Import, table.ImportSet, table.ImportLookup, abi.ImportWASI,
}

// Config is what a Host needs; the zero value works.
type Config struct {
	Version  string // shown in reports
	CacheDir string // of compiled code; empty: in memory
}

// Host answers the protocol with host/runtime. It is safe for concurrent use.
type Host struct {
	cfg Config
	rt  *runtime.Host

	mu     sync.Mutex
	loaded map[string]*module
	log    map[string][]protocol.Line // by digest, until the next answer takes them
}

// module is one loaded module. Calls hold it, so that closing waits for them.
type module struct {
	code    *runtime.Module
	kind    manifest.Kind
	targets []protocol.Target // of every poll

	mu    sync.Mutex   // held by a call that uses what follows
	state *state.Space // what the last call has left
	texts kept
}

// New returns a Host. Shutdown frees it.
func New(ctx context.Context, cfg Config) (*Host, error) {
	h := &Host{cfg: cfg, loaded: map[string]*module{}, log: map[string][]protocol.Line{}}
	var err error
	h.rt, err = runtime.New(ctx, runtime.Config{CacheDir: cfg.CacheDir, Fetch: (&runtime.HTTP{}).Fetch, Log: h.keep})
	if err != nil {
		return nil, fmt.Errorf("reference host: %w", err)
	}
	return h, nil
}

// Shutdown waits for running calls and frees everything.
func (h *Host) Shutdown() error { return h.rt.Close(context.Background()) }

// keep is where the runtime's log lines go.
func (h *Host) keep(digest string, level uint32, line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log[digest] = append(h.log[digest], protocol.Line{Level: int(level), Text: line})
}

func (h *Host) find(name string) *module {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.loaded[name]
}

// Do answers one request.
func (h *Host) Do(ctx context.Context, q protocol.Request) (protocol.Reply, error) {
	switch {
	case q.Op == protocol.OpHello:
		return protocol.Reply{Hello: &protocol.Hello{
			Protocol: protocol.Version, Host: "vedette", Version: h.cfg.Version,
			ABI: strconv.Itoa(abi.Major) + "." + strconv.Itoa(abi.Minor), Capabilities: capabilities,
		}}, nil
	case q.Op == protocol.OpLoad && q.Load != nil:
		return h.load(ctx, q.Module, q.Load), nil
	case q.Op == protocol.OpCall && q.Call != nil:
		return h.call(ctx, q.Module, q.Call), nil
	case q.Op == protocol.OpClose:
		h.mu.Lock()
		m := h.loaded[q.Module]
		delete(h.loaded, q.Module)
		h.mu.Unlock()
		if m == nil {
			return closed(q.Module), nil
		}
		return failure(m.code.Close(ctx)), nil
	case q.Op == protocol.OpStats:
		return h.stats(q.Stats), nil
	}
	return protocol.Reply{Code: protocol.CodeRequest, Detail: fmt.Sprintf("the operation %q, or its member is missing", q.Op)}, nil
}

func closed(name string) protocol.Reply {
	return protocol.Reply{Code: protocol.CodeClosed, Detail: fmt.Sprintf("no module %q", name)}
}

// failure is the reply to what went wrong: the module's code when it is to blame.
func failure(err error) protocol.Reply {
	var t *runtime.Trap
	switch {
	case err == nil:
		return protocol.Reply{}
	case errors.As(err, &t):
		return protocol.Reply{Code: t.Code, Detail: t.Detail}
	case errors.Is(err, runtime.ErrStalled):
		return protocol.Reply{Code: "E_DEADLINE", Detail: err.Error()}
	case errors.Is(err, runtime.ErrClosed):
		return protocol.Reply{Code: protocol.CodeClosed, Detail: err.Error()}
	}
	return protocol.Reply{Code: protocol.CodeHost, Detail: err.Error()}
}

func (h *Host) load(ctx context.Context, name string, l *protocol.Load) protocol.Reply {
	if h.find(name) != nil {
		return protocol.Reply{Code: protocol.CodeRequest, Detail: fmt.Sprintf("the name %q is taken", name)}
	}
	spec := runtime.ModuleSpec{
		Digest: manifest.Sum(l.Wasm), Wasm: l.Wasm, Kind: manifest.Kind(l.Kind), Settings: l.Settings, Grants: l.Grants,
		Names: l.Names, WASIStub: l.WASI, Tables: l.Tables,
		Limits: manifest.Limits{
			MemoryPages: l.Limits.MemoryPages, FuelPerCall: l.Limits.FuelPerCall,
			FuelPerRecord: l.Limits.FuelPerRecord, FuelPerByte: l.Limits.FuelPerByte,
		},
	}
	code, err := h.rt.Load(ctx, spec)
	if err != nil {
		return failure(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loaded[name] = &module{code: code, kind: spec.Kind, targets: l.Targets}
	return protocol.Reply{}
}

func (h *Host) call(ctx context.Context, name string, c *protocol.Call) protocol.Reply {
	m := h.find(name)
	if m == nil {
		return closed(name)
	}
	var a protocol.Answer
	var err error
	switch {
	case m.kind == manifest.Rule && c.From != 0:
		err = migrate(ctx, m, c, &a)
	case m.kind == manifest.Rule && c.Due:
		err = due(ctx, m, c, &a)
	case m.kind == manifest.Rule:
		err = eval(ctx, m, c, &a)
	case m.kind == manifest.Monitor:
		err = poll(ctx, m, c, &a)
	default:
		err = parse(ctx, m, c, &a)
	}
	h.mu.Lock()
	a.Log = h.log[m.code.Digest()]
	delete(h.log, m.code.Digest())
	h.mu.Unlock()
	if err != nil {
		return failure(err)
	}
	return protocol.Reply{Answer: &a}
}

func (h *Host) stats(s *protocol.Stats) protocol.Reply {
	var pause uint64
	if s != nil && s.Collect {
		goruntime.GC()
		var m goruntime.MemStats
		goruntime.ReadMemStats(&m)
		pause = m.PauseNs[(m.NumGC+255)%256] // from when the world was asked to stop
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	u := protocol.Usage{Modules: len(h.loaded), Memory: resident(), PauseNs: int64(pause)}
	for _, m := range h.loaded {
		u.Instances += m.code.Instances()
	}
	return protocol.Reply{Usage: &u}
}

// resident is the memory of this process, in bytes; 0 where the system does not tell.
func resident() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(string(fields[1]), 10, 64)
	return pages * uint64(os.Getpagesize())
}
