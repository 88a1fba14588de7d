package meter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

var (
	errFuel  = errors.New("E_FUEL")
	errStack = errors.New("E_STACK")
)

// guest is a module instance with the host's side of the meter, as host/runtime does it.
type guest struct {
	rt     wazero.Runtime
	mod    api.Module
	budget int64 // not yet handed out
	slice  int64
	given  int64
	ticks  int
	err    error       // why tick panicked
	left   int64       // fuel then
	stop   atomic.Bool // from outside
}

// outcome is what one call did.
type outcome struct {
	results []uint64
	err     error // errFuel, errStack, or the guest's trap
	fuel    int64 // charged
	ticks   int
}

func newGuest(wasm []byte, budget, slice int64, hosts ...func(wazero.Runtime)) (*guest, error) {
	ctx := context.Background()
	g := &guest{rt: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler()), budget: budget, slice: slice}
	_, err := g.rt.NewHostModuleBuilder(TickModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(g.tick), nil, nil).Export(TickName).Instantiate(ctx)
	if err != nil {
		return nil, errors.Join(err, g.close())
	}
	for _, h := range hosts {
		h(g.rt)
	}
	c, err := g.rt.CompileModule(ctx, wasm)
	if err != nil {
		return nil, errors.Join(err, g.close())
	}
	g.mod, err = g.rt.InstantiateModule(ctx, c, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		if g.err != nil {
			err = g.err
		}
		return g, err
	}
	return g, nil
}

func (g *guest) close() error { return g.rt.Close(context.Background()) }

func (g *guest) fuel() api.MutableGlobal { return g.mod.ExportedGlobal(FuelExport).(api.MutableGlobal) }

func (g *guest) tick(_ context.Context, mod api.Module, _ []uint64) {
	g.ticks++
	fuel := mod.ExportedGlobal(FuelExport).(api.MutableGlobal)
	left, deep := Spent(int64(fuel.Get()))
	switch need := -left; {
	case deep:
		g.err, g.left = errStack, left
		panic(errStack)
	case g.budget < need || g.stop.Load():
		g.err, g.left = errFuel, left
		panic(errFuel)
	default:
		give := min(max(g.slice, need), g.budget)
		g.budget -= give
		g.given += give
		fuel.Set(uint64(left + give))
	}
}

// call runs an exported function of a metered module. depth is restored as a host does after a panic.
func (g *guest) call(name string, args ...uint64) outcome {
	g.err, g.ticks = nil, 0
	before := g.given - int64(g.fuel().Get())
	results, err := g.mod.ExportedFunction(name).Call(context.Background(), args...)
	o := outcome{results: results, err: err, ticks: g.ticks, fuel: g.given - int64(g.fuel().Get()) - before}
	if g.err != nil {
		o.err, o.fuel = g.err, g.given-g.left-before
		g.fuel().Set(0)
	}
	if err != nil {
		g.mod.ExportedGlobal(DepthExport).(api.MutableGlobal).Set(0)
	}
	return o
}

// trap is the first line of an error: what remains are stack traces, which differ.
func trap(err error) string {
	if err == nil {
		return ""
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// meterWith rewrites with parts left out.
func meterWith(wasm []byte, l Limits, o omit) ([]byte, error) {
	m := newModule(l, o)
	if err := m.decode(wasm); err != nil {
		return nil, err
	}
	return m.encode(), nil
}

// runMetered rewrites, instantiates and calls once.
func runMetered(m *testModule, l Limits, o omit, budget, slice int64, name string, args ...uint64) (outcome, error) {
	out, err := meterWith(m.bytes(), l, o)
	if err != nil {
		return outcome{}, fmt.Errorf("rewrite: %w", err)
	}
	g, err := newGuest(out, budget, slice)
	if err != nil {
		if g != nil {
			return outcome{err: err}, g.close()
		}
		return outcome{}, fmt.Errorf("instantiate: %w", err)
	}
	r := g.call(name, args...)
	return r, g.close()
}
