package runtime

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/vedette-siem/vedette/host/meter"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/config"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
	"github.com/vedette-siem/vedette/sdk/go/table"
	"github.com/vedette-siem/vedette/sdk/go/timer"
	"github.com/vedette-siem/vedette/sdk/go/window"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// ModuleSpec is what Load needs to know about a module. It is not changed and must not change after Load.
type ModuleSpec struct {
	Digest   string        // identity: in traps, logs and as the seed of the guest's randomness
	Wasm     []byte        // the module as published
	Kind     manifest.Kind // which of vedette_parse, vedette_eval and vedette_poll must be there
	Settings []byte        // JSON that passed the manifest's schema; nil for none
	Grants   []string      // import modules that may be linked beside vedette_core_v1
	Targets  []Target      // what every poll may reach, beside what Poll is given
	Tables   []string      // what vedette_set_v1 and vedette_lookup_v1 may be asked for, by name
	Copies   int           // instances that may run at once; 0: Config.Instances
	Names    []string      // the manifest's own field names: numbers 0x8000 and up
	Limits   manifest.Limits
	Timeout  time.Duration // of one poll; 0: Limits.PollTimeout
	WASIStub bool          // link the harmless stand-ins of wasi_snapshot_preview1
}

// Load checks, meters and compiles a module, runs its start-up under a budget and keeps the memory that it left: every
// call begins with that. The error wraps a *Trap when the module is to blame. Close the module when its last user is gone.
func (h *Host) Load(ctx context.Context, spec ModuleSpec) (*Module, error) {
	done, err := h.wait(ctx, spec.Wasm)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", spec.Digest, err)
	}
	defer done()
	m := &Module{host: h, spec: spec, price: h.lim.price(spec.Kind, spec.Limits), done: make(chan struct{})}
	wasm, err := m.admit()
	if err != nil {
		return nil, err
	}
	m.engine = h.engine(ctx)
	if err = m.compile(ctx, wasm); err == nil && !h.keep(m) {
		err = ErrClosed
	}
	if err != nil {
		return nil, errors.Join(err, m.free(ctx))
	}
	return m, nil
}

// codeSum tells code apart.
type codeSum [sha256.Size]byte

// wait returns when code may be loaded. Foreign code is loaded one module after another; what ships with the host, for
// which its first start would else take a core's time, only after others of the same code, from whom it takes what they
// have compiled.
func (h *Host) wait(ctx context.Context, wasm []byte) (done func(), err error) {
	if h.cfg.Trusted == nil || !h.cfg.Trusted(wasm) {
		select {
		case h.turn <- struct{}{}:
			return func() { <-h.turn }, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	sum, mine := codeSum(sha256.Sum256(wasm)), make(chan struct{})
	for {
		h.mu.Lock()
		other, busy := h.compiling[sum]
		if !busy {
			h.compiling[sum] = mine
		}
		h.mu.Unlock()
		if !busy {
			break
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return func() {
		h.mu.Lock()
		delete(h.compiling, sum)
		h.mu.Unlock()
		close(mine)
	}, nil
}

// admit decides on the module's shape alone, before anything of it is compiled, and returns its metered form.
func (m *Module) admit() ([]byte, error) {
	wasm, shape, err := meter.Rewrite(m.spec.Wasm, meter.Limits{MemoryPages: int(m.price.pages)})
	if err != nil {
		return nil, m.refuse(err)
	}
	if err := m.checkImports(shape); err != nil {
		return nil, err
	}
	want := map[string]string{
		abi.ExportMarker:  "()",
		abi.ExportBuffers: "(i32,i32)i64",
		abi.ExportInit:    "(i32)i64",
		m.entry():         "(i32)i64",
		exportMemory:      exportMemory,
	}
	if m.timed = slices.Contains(m.imports, timer.Import); m.timed {
		want[abi.ExportDue] = "(i32)i64"
	}
	for _, e := range shape.Exports {
		is := exportMemory
		if e.Kind == meter.KindFunction {
			is = signature(e.Params, e.Results)
		}
		if e.Name == exportInitialize && is != "()" {
			return nil, m.fault(CodeABI, "2.1: %s has type %s, want ()", e.Name, is)
		}
		if e.Name == abi.ExportMigrate && m.spec.Kind == manifest.Rule {
			if m.migrates = true; is != "(i32)i64" {
				return nil, m.fault(CodeABI, "2.1: %s has type %s, want (i32)i64", e.Name, is)
			}
		}
		if w, ok := want[e.Name]; ok && (is != w || e.Name == exportMemory && e.Kind != meter.KindMemory) {
			return nil, m.fault(CodeABI, "2.1: %s has type %s, want %s", e.Name, is, w)
		}
		delete(want, e.Name)
	}
	if len(want) > 0 {
		missing := make([]string, 0, len(want))
		for name := range want {
			missing = append(missing, name)
		}
		slices.Sort(missing)
		return nil, m.fault(CodeABI, "2.1: a %s must export %s", m.spec.Kind, strings.Join(missing, ", "))
	}
	m.globals = shape.MutableGlobals
	return wasm, nil
}

const (
	exportMemory     = "memory"
	exportInitialize = "_initialize"
)

// checkImports compares what the module imports with what was granted, and names all that is too much.
func (m *Module) checkImports(shape *meter.Shape) error {
	var wrong []string
	for _, im := range shape.Imports {
		name := im.Module + "." + im.Name
		f, known := offered[im.Module][im.Name]
		switch {
		case !known:
			wrong = append(wrong, name+" (unknown)")
		case !m.granted(im.Module):
			wrong = append(wrong, name+" (not granted)")
		case signature(im.Params, im.Results) != f.signature():
			wrong = append(wrong, fmt.Sprintf("%s (has type %s, want %s)", name, signature(im.Params, im.Results), f.signature()))
		default:
			if !slices.Contains(m.imports, im.Module) {
				m.imports = append(m.imports, im.Module)
			}
		}
	}
	if len(wrong) > 0 {
		return m.fault(CodeImport, "3.1: %s", strings.Join(wrong, ", "))
	}
	return nil
}

func (m *Module) granted(module string) bool {
	switch module {
	case abi.ImportCore:
		return true
	case abi.ImportWASI:
		return m.spec.WASIStub
	case abi.ImportHTTP:
		return m.host.cfg.Fetch != nil && slices.Contains(m.spec.Grants, module)
	case snmp.Import, ssh.Import, probe.Import, config.Import: // what is behind them comes with each target
		return m.spec.Kind == manifest.Monitor && slices.Contains(m.spec.Grants, module)
	case keys.Import, window.Import, timer.Import: // of events in log order: parsers see records, monitors have their cursor
		return m.spec.Kind == manifest.Rule && slices.Contains(m.spec.Grants, module)
	case table.ImportSet, table.ImportLookup:
		return m.spec.Kind != manifest.Monitor && slices.Contains(m.spec.Grants, module)
	}
	return false
}

func (m *Module) entry() string {
	switch m.spec.Kind {
	case manifest.Rule:
		return abi.ExportEval
	case manifest.Monitor:
		return abi.ExportPoll
	default:
		return abi.ExportParse
	}
}

// fault is a *Trap about the module itself.
func (m *Module) fault(code, format string, args ...any) error {
	return &Trap{Code: code, Detail: clip(fmt.Sprintf(format, args...), m.host.lim.TrapBytes), Module: m.spec.Digest}
}

// refuse passes on what the meter has against the module.
func (m *Module) refuse(err error) error {
	var e *meter.Error
	if errors.As(err, &e) {
		return m.fault(e.Code, "%s", e.Detail)
	}
	return m.fault(meter.CodeModule, "%v", err)
}

// compile links what the module imports, compiles it, and makes the first instance, whose memory is the pristine image.
func (m *Module) compile(ctx context.Context, wasm []byte) error {
	if err := m.link(ctx); err != nil {
		return err
	}
	if err := m.precompile(ctx, wasm); err != nil {
		return err
	}
	if err := m.build(ctx, wasm); err != nil {
		return err
	}
	lim := &m.host.lim
	copies := m.spec.Copies
	fill(&copies, m.host.cfg.Instances)
	m.narrow = newPool(copies, lim.InBytes, lim.OutBytes)
	m.wide = newPool(1, lim.WideInBytes, lim.WideOutBytes)
	i, err := m.narrow.take(ctx, m)
	if errors.Is(err, errStall) {
		return fmt.Errorf("start %s: %w", m.spec.Digest, ErrStalled)
	}
	if err != nil {
		return err
	}
	m.narrow.put(i)
	return nil
}

// build has the engine validate and compile. A panic of the compiler is the module's fault too: it must not end a process
// that serves others.
func (m *Module) build(ctx context.Context, wasm []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = m.fault(meter.CodeModule, "the compiler gave up: %v", r)
		}
	}()
	if m.code, err = m.engine.CompileModule(ctx, wasm); err != nil {
		return m.fault(meter.CodeModule, "%v", err)
	}
	return nil
}

// instantiate makes an instance for a pool. The first of a pool runs the module's start-up and leaves the image; the
// others take the image, so that they differ in nothing.
func (m *Module) instantiate(ctx context.Context, p *pool) (*instance, error) {
	i := &instance{mod: m, pool: p, globals: make([]api.MutableGlobal, len(m.globals))}
	i.call.inst = i
	i.begin(ctx, m.host.lim.FuelStart, m.host.lim.CallTimeout, batch{at: startTime})
	mctx := experimental.WithMemoryAllocator(&i.call, experimental.MemoryAllocatorFunc(func(least, most uint64) experimental.LinearMemory {
		i.linear = &counted{LinearMemory: allocate(least, most), total: &m.memory}
		return i.linear
	}))
	guest, err := m.engine.InstantiateModule(mctx, m.code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		err = i.trap(err)
		i.close()
		return nil, err
	}
	if err := i.bind(guest); err != nil {
		i.close()
		return nil, err
	}
	if p.image == nil {
		err = i.start()
	} else {
		err = i.growTo(p.image.size)
	}
	if err != nil {
		i.close()
		return nil, err
	}
	i.ready = true
	m.copies.Add(1)
	return i, nil
}

func signature(params, results []byte) string {
	var b strings.Builder
	b.WriteByte('(')
	for n, t := range params {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(api.ValueTypeName(t))
	}
	b.WriteByte(')')
	for n, t := range results {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(api.ValueTypeName(t))
	}
	return b.String()
}
