package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// Module is a loaded module. It is safe for concurrent use; calls wait for a free instance.
type Module struct {
	host     *Host
	spec     ModuleSpec
	price    price
	imports  []string // import modules that it names
	globals  []string // exports of its mutable globals
	migrates bool     // it is a rule and exports vedette_migrate
	timed    bool     // it imports vedette_timer_v1
	engine   wazero.Runtime
	code     wazero.CompiledModule
	narrow   *pool
	wide     *pool
	log      throttle
	copies   atomic.Int32 // instances that there are
	memory   atomic.Int64 // bytes of their linear memories
	done     chan struct{}
	once     sync.Once
}

// Digest is the module's identity, as given to Load.
func (m *Module) Digest() string { return m.spec.Digest }

// Imports lists the import modules that the module's code names, in the order of their first use.
func (m *Module) Imports() []string { return m.imports }

// Instances returns how many copies of the module are ready or running.
func (m *Module) Instances() int { return int(m.copies.Load()) }

// Memory returns how many bytes the linear memories of the module's copies have together.
func (m *Module) Memory() int64 { return m.memory.Load() }

// Trim frees the copies that nobody uses at the moment. They are made anew when they are needed.
func (m *Module) Trim() {
	for _, p := range []*pool{m.narrow, m.wide} {
		p.trim()
	}
}

// Close waits for running calls and frees the module. Later calls answer ErrClosed.
func (m *Module) Close(ctx context.Context) error {
	var err error
	m.once.Do(func() {
		close(m.done)
		m.host.forget(m)
		err = m.free(ctx)
	})
	return err
}

func (m *Module) free(ctx context.Context) error {
	m.narrow.drain()
	m.wide.drain()
	var errs []error
	if m.code != nil {
		errs = append(errs, m.code.Close(ctx))
	}
	return errors.Join(append(errs, m.engine.Close(ctx))...)
}

// request is one call into a guest.
type request struct {
	in      []byte
	entry   entry // for whom it is
	targets []Target
	batch   batch
	env     Env
	budget  int64
	timeout time.Duration
	tries   int
	work    *Work // what it did is added here
}

// entry is one of a module's entry points.
type entry uint8

const (
	entryKind    entry = iota // of its kind
	entryMigrate              // vedette_migrate
	entryDue                  // vedette_due
	entries
)

// Work is what calls did, beside their fuel.
type Work struct {
	OutBytes     int64 // of their answers
	LogLines     int64 // those included that were left out
	StateCalls   int64 // of vedette_kv_v1, vedette_window_v1 and vedette_timer_v1
	StateBytes   int64 // of keys and values handed over in them
	Requests     int64 // to targets, those included that were refused
	RequestBytes int64 // of them and of the answers
}

// Add adds what other calls did.
func (w *Work) Add(o *Work) {
	w.OutBytes += o.OutBytes
	w.LogLines += o.LogLines
	w.StateCalls += o.StateCalls
	w.StateBytes += o.StateBytes
	w.Requests += o.Requests
	w.RequestBytes += o.RequestBytes
}

// errShort says that the guest's answer does not fit into OUT.
var errShort = errors.New("the answer does not fit")

// do runs one request in an instance of p and hands the answer to take before the instance is given back; take copies
// what it keeps and returns an error that condemns the answer. The fuel is that of the last try.
//
// Errors: *Trap, errShort, or what is no verdict: ErrStalled, ErrClosed, the context's.
func (m *Module) do(ctx context.Context, p *pool, q request, take func(out []byte) error) (fuel int64, err error) {
	if len(q.in) > p.in {
		return 0, fmt.Errorf("run %s: a batch of %d bytes, at most %d", m.spec.Digest, len(q.in), p.in)
	}
	for range q.tries {
		fuel, err = m.try(ctx, p, q, take)
		if !errors.Is(err, errStall) {
			return fuel, err
		}
	}
	return 0, fmt.Errorf("run %s: %w (%d tries of %v)", m.spec.Digest, ErrStalled, q.tries, q.timeout)
}

func (m *Module) try(ctx context.Context, p *pool, q request, take func(out []byte) error) (int64, error) {
	i, err := p.take(ctx, m)
	if err != nil {
		return 0, err
	}
	if !i.restore() {
		i.close()
		if i, err = p.fresh(ctx, m); err != nil {
			return 0, err
		}
		i.restore()
	}
	i.begin(ctx, q.budget, q.timeout, q.batch)
	i.targets = q.targets
	i.memory.Write(p.image.in, q.in)
	i.env = q.env
	if q.env.State != nil {
		q.env.State.Begin(q.batch.at)
	}
	status, out, err := i.run(i.entries[q.entry], len(q.in))
	fuel := i.used()
	i.work.OutBytes = int64(len(out))
	q.work.Add(&i.work)
	if err == nil {
		err = m.judge(status, out, fuel, take)
	}
	if q.env.State != nil {
		if err == nil {
			q.env.State.Commit()
		} else {
			q.env.State.Rollback()
		}
	}
	i.env = Env{}
	if t := (*Trap)(nil); errors.As(err, &t) {
		t.Took = m.host.cfg.Now().Sub(i.began)
	}
	if err != nil && !errors.Is(err, errShort) {
		p.drop(i) // a guest that failed is in no known state outside its memory
	} else {
		p.put(i)
	}
	return fuel, err
}

// judge turns an answer's status into an error, and takes a good one.
func (m *Module) judge(status abi.Status, out []byte, fuel int64, take func([]byte) error) error {
	trap := func(code, detail string) error {
		return &Trap{Code: code, Detail: clip(detail, m.host.lim.TrapBytes), Module: m.spec.Digest, Fuel: fuel}
	}
	switch status {
	case abi.StatusOK:
		if err := take(out); err != nil {
			return trap(CodeABI, err.Error())
		}
		return nil
	case abi.StatusOutTooShort:
		return errShort
	case abi.StatusBadInput:
		return trap(CodeABI, "2.4: the module does not know the input")
	case abi.StatusFailed:
		return trap(CodeTrap, string(out[:min(len(out), abi.MaxMessageBytes)]))
	default: // a refusal of settings outside vedette_init is no answer either
		return trap(CodeABI, fmt.Sprintf("2.4: unknown status %d", status))
	}
}
