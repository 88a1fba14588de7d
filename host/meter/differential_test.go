package meter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// observe is all that a run of a generated program leaves behind.
type observed struct {
	results []uint64
	trap    string
	globals [4]uint64
	memory  []byte
}

func (a observed) diff(b observed) error {
	switch {
	case a.trap != b.trap:
		return fmt.Errorf("trap %q, unmetered %q", a.trap, b.trap)
	case fmt.Sprint(a.results) != fmt.Sprint(b.results):
		return fmt.Errorf("results %v, unmetered %v", a.results, b.results)
	case a.globals != b.globals:
		return fmt.Errorf("globals %v, unmetered %v", a.globals, b.globals)
	case !bytes.Equal(a.memory, b.memory):
		return fmt.Errorf("memory differs: %d and %d bytes", len(a.memory), len(b.memory))
	}
	return nil
}

func observe(g *guest, results []uint64, err error) observed {
	o := observed{results: results, trap: trap(err)}
	for i := range o.globals {
		o.globals[i] = g.mod.ExportedGlobal(fmt.Sprint("g", i)).Get()
	}
	mem, _ := g.mod.Memory().Read(0, g.mod.Memory().Size())
	o.memory = bytes.Clone(mem)
	return o
}

// differ runs a generated program plain, and metered with two slices.
func differ(src []byte, om omit) error {
	wasm := terminating(src).bytes()
	arg := uint64(len(src))
	plain, err := newGuest(wasm, 0, 0, withMix)
	if err != nil {
		return fmt.Errorf("the generator made an invalid module: %w", err)
	}
	defer plain.close()
	results, err := plain.mod.ExportedFunction("main").Call(context.Background(), arg)
	want := observe(plain, results, err)

	out, err := meterWith(wasm, Limits{}, om)
	if err != nil {
		return fmt.Errorf("rewrite: %w", err)
	}
	var fuel [2]int64
	for i, slice := range []int64{1 << 40, 777} {
		g, err := newGuest(out, 1<<50, slice, withMix)
		if err != nil {
			return fmt.Errorf("instantiate: %w", err)
		}
		defer g.close()
		o := g.call("main", arg)
		if err := observe(g, o.results, o.err).diff(want); err != nil {
			return err
		}
		fuel[i] = o.fuel
		if depth := g.mod.ExportedGlobal(DepthExport).Get(); depth != 0 {
			return fmt.Errorf("depth %d after the call", depth)
		}
		if blocks := int64(want.globals[globalBlock]); want.trap == "" && o.fuel < blocks {
			return fmt.Errorf("%d fuel for %d blocks", o.fuel, blocks)
		}
	}
	if fuel[0] != fuel[1] {
		return fmt.Errorf("%d fuel in one slice, %d in many", fuel[0], fuel[1])
	}
	return nil
}

// stop runs a program that never ends and requires that the meter ends it.
func stop(src []byte, om omit) error {
	wasm := endless(src).bytes()
	out, err := meterWith(wasm, Limits{}, om)
	if err != nil {
		return fmt.Errorf("rewrite: %w", err)
	}
	const budget = 1_000_000
	g, err := newGuest(out, budget, 100_000, withMix)
	if err != nil {
		return fmt.Errorf("instantiate: %w", err)
	}
	defer g.close()
	o := g.call("main", 0)
	switch {
	case o.err == errStack && o.fuel <= budget:
	case o.err != errFuel:
		return fmt.Errorf("ended with %v", o.err)
	case o.fuel < budget || o.fuel > budget*11/10:
		return fmt.Errorf("stopped after %d fuel of %d", o.fuel, budget)
	}
	return nil
}

// source are the bytes of a generated program.
func source(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	b := make([]byte, 40+r.IntN(1500))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func many(n int, f func([]byte, omit) error) func(omit) error {
	return func(om omit) error {
		for seed := range n {
			if err := f(source(uint64(seed)), om); err != nil {
				return fmt.Errorf("seed %d: %w", seed, err)
			}
		}
		return nil
	}
}

// TestGenerator: the programs that the differential test runs must do something.
func TestGenerator(t *testing.T) {
	var blocks, traps, calls, ops int
	const programs = 100
	seen := map[byte]bool{}
	for seed := range uint64(programs) {
		m := terminating(source(seed))
		wasm := m.bytes()
		g, err := newGuest(wasm, 0, 0, withMix)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		results, err := g.mod.ExportedFunction("main").Call(context.Background(), 3)
		o := observe(g, results, err)
		blocks += int(o.globals[globalBlock])
		if o.trap != "" {
			traps++
		}
		for _, f := range m.funcs {
			ops += len(f.body)
			calls += bytes.Count(f.body, []byte{0x11})
			for _, b := range f.body {
				seen[b] = true
			}
		}
		g.close()
	}
	if blocks < 100*programs || traps == 0 || traps > programs/2 || calls == 0 || ops < 200*programs {
		t.Errorf("%d programs: %d blocks ran, %d trapped, %d bytes", programs, blocks, traps, ops)
	}
	for _, b := range []byte{opLoop, opIf, opElse, opBr, 0x0d, 0x0e, 0x0f, opCall, 0x11, opMemoryGrow, opMisc, opVec, opUnreachable} {
		if !seen[b] {
			t.Errorf("opcode 0x%02x was never generated", b)
		}
	}
	for kind := range byte(spins) {
		g, err := newGuest(endless([]byte{kind}).bytes(), 0, 0, withMix)
		if err != nil {
			t.Fatalf("spin %d: %v", kind, err)
		}
		g.close()
	}
}

func FuzzDifferential(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(source(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if err := differ(src, 0); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzEndless(f *testing.F) {
	for kind := range byte(spins) {
		f.Add(append([]byte{kind}, source(uint64(kind))...))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if err := stop(src, 0); err != nil {
			t.Fatal(err)
		}
	})
}

// compiles says whether the engine takes a module.
func compiles(wasm []byte) error {
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer rt.Close(ctx)
	c, err := rt.CompileModule(ctx, wasm)
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

// FuzzRewrite changes a few bytes of valid modules (pairs of position and value) and also takes raw bytes. Whatever is admitted and
// compiles is stopped by the meter.
func FuzzRewrite(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(terminating(source(seed)).bytes(), []byte{})
		f.Add(endless(append([]byte{byte(seed)}, source(seed)...)).bytes(), []byte{1, 7, byte(seed), 99, 0, 0x0c})
	}
	for _, c := range shapes() {
		f.Add(c.wasm, []byte{0, 90, 11})
	}
	f.Fuzz(func(t *testing.T, wasm, edits []byte) {
		wasm = bytes.Clone(wasm)
		for ; len(edits) >= 3; edits = edits[3:] {
			if at := int(edits[0])<<8 | int(edits[1]); at < len(wasm) {
				wasm[at] = edits[2]
			}
		}
		if err := admission(wasm); err != nil {
			t.Fatal(err)
		}
	})
}

// TestEdited is FuzzRewrite with edits from a fixed source.
func TestEdited(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for seed := range uint64(1500) {
		wasm := terminating(source(seed % 50)).bytes()
		for range 1 + r.IntN(3) {
			wasm[8+r.IntN(len(wasm)-8)] = byte(r.Uint32())
		}
		if err := admission(wasm); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// admission rewrites anything and compares the engine's opinion before and after.
func admission(wasm []byte) error {
	out, shape, err := Rewrite(wasm, Limits{MemoryPages: 16, TableElements: 100})
	if err != nil {
		if e := new(Error); !errors.As(err, &e) || !strings.HasPrefix(e.Code, "E_") || e.Detail == "" || shape != nil || out != nil {
			return fmt.Errorf("not an *Error with a code, or not alone: %w", err)
		}
		return nil
	}
	if _, _, err := Rewrite(out, Limits{ModuleBytes: 1 << 30}); err == nil || err.(*Error).Code != CodeABI {
		return fmt.Errorf("rewriting twice: %v", err)
	}
	input, output := compiles(wasm), compiles(out)
	if input == nil && output != nil {
		return fmt.Errorf("the engine takes the input but not the output: %w", output)
	}
	// What is inserted must not make an invalid guest valid: it might then reach what is inserted.
	if _, named := shape.Customs["name"]; input != nil && output == nil && !named {
		return fmt.Errorf("the engine takes the output but not the input: %w", input)
	}
	if output != nil || len(shape.Imports) > 0 && shape.Imports[0].Module != "h" {
		return nil
	}
	const budget = 200_000
	g, err := newGuest(out, budget, 50_000, withMix)
	if err != nil {
		if g != nil {
			return g.close()
		}
		return nil
	}
	defer g.close()
	for _, e := range shape.Exports {
		if e.Kind != KindFunction || g.err != nil {
			continue
		}
		args := make([]uint64, 2*len(e.Params))
		if o := g.call(e.Name, args[:len(e.Params)]...); o.fuel > budget*11/10+bulkSlack {
			return fmt.Errorf("%s: %d fuel of %d", e.Name, o.fuel, budget)
		}
	}
	return nil
}

// bulkSlack is what one bulk operation or memory.grow, refused before it runs, can be charged in a memory of 16 pages; longer ones trap.
const bulkSlack = 1<<29 + 16*costPage
