package runtime

import (
	"bytes"
	"context"
	"math/rand/v2"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/vedette-siem/vedette/host/meter"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// batch is what a guest may know about where it is: the log position and the log time, in ns.
type batch struct {
	seq uint64
	at  int64
}

// startTime is what a guest's clock shows while it starts, in ns: long ago, so that it never goes back, and not 0, which
// standard Go takes for a broken clock.
const startTime = int64(time.Second)

// instance is one running copy of a module, used by one call at a time.
type instance struct {
	mod         *Module
	pool        *pool
	guest       api.Module
	ready       bool                      // its start-up went well; it counts as a copy
	linear      experimental.LinearMemory // behind memory, so that it is freed even when the start function fails
	memory      api.Memory
	entries     [entries]api.Function // nil: it has none
	globals     []api.MutableGlobal
	fuel, depth api.MutableGlobal
	stack       [1]uint64

	call     callContext
	budget   int64
	granted  int64     // of the budget, so far
	began    time.Time // of the call, on the wall clock
	deadline time.Time // of running guest code; time spent outside is added to it
	until    time.Time // when nothing outside may be asked any more
	before   uint32    // bytes of memory when the call began
	batch    batch
	slept    int64          // ns that the guest believes to have slept
	random   *rand.ChaCha8  // made when first asked for
	lines    int            // logged in this call
	asked    map[string]int // uses of each capability in this call
	work     Work           // of this call
	targets  []Target       // of this call, beside the module's
	env      Env            // of this call
}

// callContext carries the instance to host functions without an allocation per call.
type callContext struct {
	context.Context //nolint:containedctx // it is a context, of one call at a time
	inst            *instance
}

type instanceKey struct{}

func (c *callContext) Value(key any) any {
	if _, ok := key.(instanceKey); ok {
		return c.inst
	}
	return c.Context.Value(key)
}

func instanceOf(ctx context.Context) *instance {
	i, _ := ctx.Value(instanceKey{}).(*instance)
	return i
}

// bind looks up once what is used on every call.
func (i *instance) bind(guest api.Module) error {
	i.guest, i.memory = guest, guest.Memory()
	i.before = i.memory.Size()
	i.entries = [entries]api.Function{
		entryKind: guest.ExportedFunction(i.mod.entry()), entryMigrate: guest.ExportedFunction(abi.ExportMigrate), entryDue: guest.ExportedFunction(abi.ExportDue),
	}
	i.fuel, _ = guest.ExportedGlobal(meter.FuelExport).(api.MutableGlobal)
	i.depth, _ = guest.ExportedGlobal(meter.DepthExport).(api.MutableGlobal)
	for n, name := range i.mod.globals {
		i.globals[n], _ = guest.ExportedGlobal(name).(api.MutableGlobal)
		if i.globals[n] == nil {
			return i.mod.fault(CodeABI, "the mutable global %s cannot be reached", name)
		}
	}
	return nil
}

// start runs the module's start-up in the pool's first instance and keeps its state as the image.
func (i *instance) start() error {
	if f := i.guest.ExportedFunction(exportInitialize); f != nil {
		if _, err := f.Call(&i.call); err != nil {
			return i.trap(err)
		}
	}
	p, size := i.pool, uint64(0)
	r, err := i.guest.ExportedFunction(abi.ExportBuffers).Call(&i.call, uint64(p.in), uint64(p.out))
	if err != nil {
		return i.trap(err)
	}
	img := &image{in: uint32(r[0] >> 32), out: uint32(r[0])}
	size = uint64(i.memory.Size())
	if uint64(img.in)+uint64(p.in) > size || uint64(img.out)+uint64(p.out) > size || img.in == 0 || img.out == 0 || img.in%8 != 0 || img.out%8 != 0 ||
		img.in < img.out+uint32(p.out) && img.out < img.in+uint32(p.in) {
		return i.mod.fault(CodeABI, "2.2: the buffers lie outside the memory, overlap or are misaligned")
	}
	settings := i.mod.spec.Settings
	if len(settings) > p.in {
		return i.mod.fault(CodeSettings, "settings of %d bytes, at most %d", len(settings), p.in)
	}
	i.memory.Write(img.in, settings)
	if r, err = i.guest.ExportedFunction(abi.ExportInit).Call(&i.call, uint64(len(settings))); err != nil {
		return i.trap(err)
	}
	status, n := abi.Unpack(r[0])
	text, _ := i.memory.Read(img.out, min(n, abi.MaxMessageBytes))
	switch status {
	case abi.StatusOK:
	case abi.StatusSettings:
		return i.mod.fault(CodeSettings, "%s", text)
	case abi.StatusFailed:
		return i.mod.fault(CodeTrap, "%s", text)
	default:
		return i.mod.fault(CodeABI, "2.4: vedette_init answers with status %d", status)
	}
	img.keep(i)
	p.image = img
	return nil
}

// growTo makes the memory as large as the image.
func (i *instance) growTo(size uint32) error {
	if have := i.memory.Size(); have < size {
		if _, ok := i.memory.Grow((size - have) / 65536); !ok {
			return i.mod.fault(CodeMemory, "the memory cannot grow to %d bytes", size)
		}
	}
	return nil
}

// image is the memory and the mutable globals of an instance that has been started and not yet called.
type image struct {
	in, out uint32
	size    uint32
	runs    []run
	globals []uint64
}

// run is a stretch of memory; data is nil where all bytes are zero, which is most of it.
type run struct {
	off, n uint32
	data   []byte
}

// imagePage is the grain in which zero stretches are told from others.
const imagePage = 4096

var zeroPage [imagePage]byte

func (g *image) keep(i *instance) {
	view, _ := i.memory.Read(0, i.memory.Size())
	g.size = uint32(len(view))
	for off := 0; off < len(view); off += imagePage {
		page := view[off : off+imagePage]
		zero := bytes.Equal(page, zeroPage[:])
		last := len(g.runs) - 1
		if last < 0 || (g.runs[last].data == nil) != zero {
			g.runs = append(g.runs, run{off: uint32(off)})
			last++
		}
		g.runs[last].n += imagePage
		if !zero {
			g.runs[last].data = append(g.runs[last].data, page...)
		}
	}
	for _, global := range i.globals {
		g.globals = append(g.globals, global.Get())
	}
}

// restore makes the instance as it was after its start-up. It is false when the memory has grown: memory never
// shrinks, and a guest could tell.
func (i *instance) restore() bool {
	img := i.pool.image
	view, _ := i.memory.Read(0, i.memory.Size())
	if uint32(len(view)) != img.size {
		return false
	}
	for _, r := range img.runs {
		if r.data == nil {
			clear(view[r.off : r.off+r.n])
		} else {
			copy(view[r.off:], r.data)
		}
	}
	for n, g := range i.globals {
		g.Set(img.globals[n])
	}
	return true
}

// begin gives a call its budget and its deadline.
func (i *instance) begin(ctx context.Context, budget int64, timeout time.Duration, b batch) {
	i.call.Context = ctx //nolint:fatcontext // replaced, not nested
	i.budget, i.granted = budget, 0
	i.began = i.mod.host.cfg.Now()
	i.deadline = i.began.Add(timeout)
	i.until = i.deadline
	i.batch, i.slept, i.random = b, 0, nil
	i.lines, i.asked, i.targets, i.work = 0, nil, nil, Work{}
	if i.fuel != nil {
		i.granted = min(sliceFuel, budget)
		i.fuel.Set(uint64(i.granted))
		i.depth.Set(0)
		i.before = i.memory.Size()
	}
}

// used is the fuel that the call has consumed: exact, and the same on every machine.
func (i *instance) used() int64 {
	if i.fuel == nil {
		return i.granted
	}
	left, _ := meter.Spent(int64(i.fuel.Get()))
	return i.granted - left
}

// outOfMemory guesses why a guest gave up: guests abort when memory.grow fails, and compilers' allocators at least
// double what they have.
func (i *instance) outOfMemory() bool {
	if i.memory == nil {
		return false
	}
	most, _ := i.memory.Definition().Max()
	size := i.memory.Size()
	return size > i.before && size/65536 > most/2
}

// tick is called by metered code when its slice of fuel is spent. Being in Go, it is also where a garbage collection
// finds the guest stopped.
func tick(ctx context.Context, guest api.Module, _ []uint64) {
	i := instanceOf(ctx)
	if i.fuel == nil { // the start function runs while the instance is being made
		i.fuel, _ = guest.ExportedGlobal(meter.FuelExport).(api.MutableGlobal)
		i.depth, _ = guest.ExportedGlobal(meter.DepthExport).(api.MutableGlobal)
	}
	left, deep := meter.Spent(int64(i.fuel.Get()))
	switch {
	case deep:
		panic(&abort{CodeStack, "calls are nested too deeply"})
	case i.budget-i.granted+left < 0:
		panic(&abort{CodeFuel, "the budget of the call is spent"})
	case i.call.Err() != nil:
		panic(i.call.Err())
	case i.mod.host.cfg.Now().After(i.deadline):
		panic(errStall)
	}
	slice := min(max(sliceFuel, -left), i.budget-i.granted)
	i.granted += slice
	i.fuel.Set(uint64(left + slice))
}

// run hands n bytes of IN to an entry of the module and returns what it left in OUT: a view that is valid until the
// instance is used again.
func (i *instance) run(entry api.Function, n int) (abi.Status, []byte, error) {
	i.stack[0] = uint64(n)
	if err := entry.CallWithStack(&i.call, i.stack[:]); err != nil {
		return 0, nil, i.trap(err)
	}
	status, size := abi.Unpack(i.stack[0])
	if uint64(size) > uint64(i.pool.out) {
		return 0, nil, &Trap{Code: CodeABI, Detail: "2.4: more bytes than OUT has", Module: i.mod.spec.Digest, Fuel: i.used()}
	}
	view, ok := i.memory.Read(i.pool.image.out, size)
	if !ok {
		return 0, nil, &Trap{Code: CodeABI, Detail: "2.4: OUT lies outside the memory", Module: i.mod.spec.Digest, Fuel: i.used()}
	}
	return status, view, nil
}

func (i *instance) close() {
	if i.ready {
		i.mod.copies.Add(-1)
	}
	if i.guest != nil {
		_ = i.guest.Close(context.Background()) // it has no exit code to report
	}
	if i.linear != nil {
		i.linear.Free()
	}
}
