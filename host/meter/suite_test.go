package meter

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// suite is run against the rewriter, where all must pass, and against each mutant of it, where one must fail.
var suite = []struct {
	name string
	run  func(omit) error
}{
	{"exact fuel", exactFuel},
	{"fuel by size", fuelBySize},
	{"long loop", longLoop},
	{"straight path", straightPath},
	{"unwinding", unwinding},
	{"descent", descent},
	{"bulk storm", bulkStorm},
	{"stack", stackExhaustion},
	{"every way out", everyWayOut},
	{"memory maximum", memoryMaximum},
	{"host charges", hostCharges},
	{"indexes", indexes},
	{"differential", many(60, differ)},
	{"start section", startSection},
	{"endless", many(40, stop)},
}

func TestSuite(t *testing.T) {
	for _, c := range suite {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(0); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestMutants leaves out each part of the rewriting, in a child process since a mutant may hang, and requires that the suite notices.
func TestMutants(t *testing.T) {
	const variable = "VEDETTE_METER_MUTANT"
	if name := os.Getenv(variable); name != "" {
		for i, o := 0, omit(1); o < omitLast; i, o = i+1, o<<1 {
			if mutantNames[i] != name {
				continue
			}
			for _, c := range suite {
				if err := c.run(o); err != nil {
					fmt.Fprintf(os.Stdout, "killed by %s: %s\n", c.name, trap(err))
					os.Exit(3)
				}
			}
		}
		return
	}
	if 1<<len(mutantNames) != omitLast {
		t.Fatalf("%d mutants have %d names", omitLast, len(mutantNames))
	}
	for _, name := range mutantNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestMutants$")
			cmd.Env = append(os.Environ(), variable+"="+name)
			out, err := cmd.CombinedOutput()
			switch {
			case ctx.Err() != nil:
				t.Error("the suite noticed only by not ending")
			case err == nil:
				t.Errorf("the suite passes without this part")
			case cmd.ProcessState.ExitCode() != 3:
				t.Errorf("%v: %s", err, out)
			default:
				t.Log(strings.TrimSpace(string(out)))
			}
		})
	}
}

// mutantNames are in the order of the omit constants.
var mutantNames = []string{
	"block charge", "entry check", "loop check", "path check", "exit check", "bulk charge", "bulk check", "grow charge", "table charge",
	"locals charge", "depth", "depth exit", "spill", "reload", "return", "weight", "memory maximum", "shift call", "shift ref", "shift element",
	"shift export", "shift start",
}

const plenty = 1 << 40

// expectFuel runs f and requires the exact charge, which was counted by hand from the table in cost.go.
func expectFuel(om omit, m *testModule, want int64, args ...uint64) error {
	o, err := runMetered(m, Limits{}, om, plenty, 500, "f", args...)
	if err != nil || o.err != nil {
		return fmt.Errorf("%v, %v", err, o.err)
	}
	if o.fuel != want {
		return fmt.Errorf("%d fuel, want %d", o.fuel, want)
	}
	return nil
}

func one(params, results, locals string, body ...[]byte) *testModule {
	m := newTestModule()
	return m.export("f", m.fn(params, results, locals, body...))
}

func exactFuel(om omit) error {
	leaf := newTestModule()
	inner := leaf.fn("i", "i", "", get(0), get(0), op(0x6e)) // 2 + 1 + 1 + 16
	// Outside: 2, get 1, call 16; the second call and its blocks: if 1, const 1, call 16, drop 1 and 1.
	leaf.export("f", leaf.fn("i", "", "", get(0), call(inner), when(c32(5), call(inner), op(0x1a))))
	// Calling through loops, so that what the caller was charged before and after the call must survive it.
	busy := newTestModule()
	callee := busy.fn("i", "i", "", get(0))
	body := loop(
		get(0), op(0x45), when(op(1), op(1)), get(0), call(callee), op(0x1a),
		get(0), c32(1), op(opI32Sub), tee(0), brIf(0))
	busy.export("f", busy.fn("i", "", "", body, op(1)))
	for i, c := range []struct {
		m    *testModule
		want int64
		args []uint64
	}{
		{one("", "", ""), 2, nil},
		{one("", "i", "", c32(1), op(1), op(1)), 5, nil},
		{one("i", "", "", get(0), when(op(1), op(1), op(1))), 7, []uint64{1}},
		{one("i", "", "", get(0), when(op(1), op(1), op(1))), 4, []uint64{0}},
		{one("i", "", "", loop(get(0), c32(1), op(opI32Sub), tee(0), brIf(0))), 2 + 10*6, []uint64{10}},
		// Behind a branch forward up to 16 units are paid by whoever takes it; with one more it pays none of them.
		{one("i", "", "", block(get(0), brIf(0), slices.Repeat(op(1), 16))), 2 + 2 + 16, []uint64{1}},
		{one("i", "", "", block(get(0), brIf(0), slices.Repeat(op(1), 17))), 2 + 2, []uint64{1}},
		{one("i", "", "", block(get(0), brIf(0), slices.Repeat(op(1), 17))), 2 + 2 + 17, []uint64{0}},
		{one("i", "", "", block(get(0), brIf(0), op(1), get(0), brIf(0), slices.Repeat(op(1), 14))), 2 + 2 + 3, []uint64{1}},
		{one("", "", "", op(opVec, 0x0c), make([]byte, 16), op(0x1a)), 2 + 2 + 1, nil},
		{one("", "", "", fill(c32(0), c32(0), c32(800))), 2 + 3 + 32 + 100, nil},
		{one("", "", "", memGrowOp(c32(2)), op(0x1a)), 2 + 1 + 256 + 2*65536 + 1, nil},
		{one("", "", "", memGrowOp(c32(-1)), op(0x1a)), 2 + 1 + 256 + 1, nil},
		{leaf, 2 + 1 + 16 + 20 + 1 + (1 + 16 + 20 + 1), []uint64{4}},
		{busy, 2 + 20*(4+1+16+3+1+5) + 1, []uint64{20}},
	} {
		if err := expectFuel(om, c.m, c.want, c.args...); err != nil {
			return fmt.Errorf("case %d: %w", i, err)
		}
	}
	return nil
}

// fuelBySize: what costs more by its size is charged more.
func fuelBySize(om omit) error {
	table := func(n int) *testModule {
		targets := make([]int, n)
		return one("", "", "", block(c32(0), brTable(targets...)))
	}
	for name, c := range map[string]struct {
		small, large *testModule
		least        int64
	}{
		"br_table":    {table(1), table(5000), 12},
		"locals":      {one("", "", ""), one("", "", strings.Repeat("l", 1600)), 400},
		"memory.copy": {one("", "", "", copyMem(c32(0), c32(9), c32(8))), one("", "", "", copyMem(c32(0), c32(9), c32(16_000))), 1999},
		"memory.grow": {one("", "", "", memGrowOp(c32(0)), op(0x1a)), one("", "", "", memGrowOp(c32(15)), op(0x1a)), 15 * 65536},
	} {
		a, err := runMetered(c.small, Limits{}, om, plenty, plenty, "f")
		if err != nil {
			return err
		}
		b, err := runMetered(c.large, Limits{}, om, plenty, plenty, "f")
		if err != nil {
			return err
		}
		if b.fuel-a.fuel < c.least {
			return fmt.Errorf("%s: %d and %d fuel", name, a.fuel, b.fuel)
		}
	}
	return nil
}

// expectStop requires that f is stopped before it is over the budget by more than slack.
func expectStop(om omit, m *testModule, budget, slack int64, args ...uint64) error {
	o, err := runMetered(m, Limits{}, om, budget, 10_000, "f", args...)
	if err != nil {
		return err
	}
	if o.err != errFuel || o.fuel < budget || o.fuel > budget+slack {
		return fmt.Errorf("%v after %d fuel of %d, slack %d", o.err, o.fuel, budget, slack)
	}
	return nil
}

// longLoop would end, much later than its budget.
func longLoop(om omit) error {
	return expectStop(om, one("", "", "i", c32(3_000_000), set(0), loop(get(0), c32(1), op(opI32Sub), tee(0), brIf(0))), 10_000, 2*pathFuel)
}

// straightPath: neither a long block nor a long path without loops runs on. The path avoids every block that is not on it.
func straightPath(om omit) error {
	var paths []byte
	for range 2500 {
		paths = append(paths, cat(c32(0), op(opIf, emptyBlock), slices.Repeat(op(1), 900), op(opElse), slices.Repeat(op(1), 60), op(opEnd))...)
	}
	if err := expectStop(om, one("", "", "", slices.Repeat(op(1), 200_000)), 5000, 2*pathFuel); err != nil {
		return fmt.Errorf("one block: %w", err)
	}
	l := Limits{FunctionBodyBytes: 4 << 20}
	o, err := runMetered(one("", "", "", paths), l, om, 5000, 5000, "f")
	if err != nil {
		return err
	}
	if o.err != errFuel || o.fuel > 5000+2*pathFuel {
		return fmt.Errorf("many paths: %v after %d fuel", o.err, o.fuel)
	}
	return nil
}

// unwinding: functions that do their work after the last call, on the way back.
func unwinding(om omit) error {
	m := newTestModule()
	work := slices.Repeat(cat(get(0), when(op(1))), 100) // 300 fuel in many blocks
	m.export("f", m.fn("i", "", "", get(0), when(get(0), c32(1), op(opI32Sub), call(0)), work))
	const depth = 4000
	down := int64(depth * 24)
	return expectStop(om, m, down+10_000, 2*pathFuel+depth*exitFuel, depth)
}

// descent: functions that do their work before the first call.
func descent(om omit) error {
	m := newTestModule()
	m.export("f", m.fn("i", "", "", slices.Repeat(op(1), 400), get(0), when(get(0), c32(1), op(opI32Sub), call(0))))
	return expectStop(om, m, 50_000, 2*pathFuel, 4000)
}

// bulkStorm: bulk operations without a loop. Each is stopped before it runs, so that at most one is charged beyond the budget.
func bulkStorm(om omit) error {
	const size = 1 << 20
	m := one("", "", "", slices.Repeat(fill(c32(0), c32(1), c32(size)), 25))
	m.pages = [2]int{16, 16}
	return expectStop(om, m, size/8*3, size/8+2*pathFuel)
}

// stackExhaustion: recursion ends by the depth, before the engine's own stack does, whatever the frames.
func stackExhaustion(om omit) error {
	wide := newTestModule()
	locals := 1500
	sum := c64(0)
	for i := range locals {
		sum = cat(sum, get(i), op(opI64Add))
	}
	var fresh []byte // each local holds another value across the call
	for i := range locals {
		fresh = cat(fresh, load8(c32(i)), op(opI64ExtendU), set(i))
	}
	wide.export("f", wide.fn("", "l", strings.Repeat("l", locals), fresh, call(0), set(0), sum))
	operands := newTestModule()
	operands.export("f", operands.fn("", "i", "", slices.Repeat(load8(c32(1)), 4000), call(0), slices.Repeat(op(opI32Add), 4000)))
	small, mutual := newTestModule(), newTestModule()
	small.export("f", small.fn("", "", "", call(0)))
	mutual.fn("", "", "", c32(1), callIndirect(1))
	mutual.export("f", mutual.fn("", "", "", call(0)))
	mutual.withTable(0, 1)
	for name, m := range map[string]*testModule{"small": small, "mutual": mutual, "wide": wide, "operands": operands} {
		o, err := runMetered(m, Limits{}, om, 1<<34, 1<<34, "f")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if o.err != errStack {
			return fmt.Errorf("%s: %v", name, trap(o.err))
		}
	}
	return nil
}

// everyWayOut: 20,000 calls of a function that leaves in each possible way must not add up to a deep stack.
func everyWayOut(om omit) error {
	for name, leave := range map[string][]byte{
		"end": nil, "return": op(0x0f), "return in blocks": block(loop(op(0x0f))), "br": br(0), "br in blocks": block(loop(br(2))),
		"br_if": cat(c32(1), brIf(0)), "br_table": block(c32(9), brTable(0, 1)), "dead code": cat(op(0x0f), block(br(0))),
	} {
		m := newTestModule()
		nop := m.fn("", "", "")
		f := m.fn("", "", "", call(nop), leave)
		m.export("f", m.fn("", "", "i", c32(20_000), set(0), loop(call(f), get(0), c32(1), op(opI32Sub), tee(0), brIf(0))))
		o, err := runMetered(m, Limits{}, om, plenty, plenty, "f")
		if err != nil || o.err != nil {
			return fmt.Errorf("%s: %v, %v", name, err, o.err)
		}
	}
	m := newTestModule() // with results, and values below them that a return discards
	nop := m.fn("", "", "")
	f := m.fn("", "il", "", c32(7), call(nop), c32(1), c64(2), op(0x0f))
	m.export("f", m.fn("", "il", "i", c32(20_000), set(0),
		loop(call(f), op(0x1a), op(0x1a), get(0), c32(1), op(opI32Sub), tee(0), brIf(0)), call(f)))
	o, err := runMetered(m, Limits{}, om, plenty, plenty, "f")
	if err != nil || o.err != nil || !slices.Equal(o.results, []uint64{1, 2}) {
		return fmt.Errorf("results: %v, %v, %v", o.results, err, o.err)
	}
	return nil
}

// memoryMaximum: memory.grow fails at the limit, though the engine would allow more.
func memoryMaximum(om omit) error {
	m := one("", "i", "", loop(memGrowOp(c32(1)), c32(-1), op(0x47), brIf(0)), op(opMemorySize, 0))
	m.pages = [2]int{1, 300}
	o, err := runMetered(m, Limits{MemoryPages: 50}, om, plenty, plenty, "f")
	if err != nil || o.err != nil || o.results[0] != 50 {
		return fmt.Errorf("%v pages, %v, %v", o.results, err, o.err)
	}
	return nil
}

// hostCharges: a host function sees all that was charged so far, and can charge.
func hostCharges(om omit) error {
	m := newTestModule()
	m.types = []funcType{{}}
	m.withImport("h", "charge")
	m.export("f", m.fn("", "", "", op(1), block(c32(0), brIf(0), op(1), op(1), call(0)), op(1)))
	out, err := meterWith(m.bytes(), Limits{}, om)
	if err != nil {
		return err
	}
	var seen int64
	g, err := newGuest(out, plenty, 1_000_000, func(rt wazero.Runtime) {
		_, err = rt.NewHostModuleBuilder("h").NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(
			func(_ context.Context, mod api.Module, _ []uint64) {
				fuel := mod.ExportedGlobal(FuelExport).(api.MutableGlobal)
				seen = int64(fuel.Get())
				fuel.Set(uint64(seen - 5000))
			}), nil, nil).Export("charge").Instantiate(context.Background())
	})
	if err != nil {
		return err
	}
	defer g.close()
	o := g.call("f")
	before := int64(2 + 1 + 1 + 1 + 2 + costImport)
	if used := g.given - seen; o.err != nil || used != before || o.fuel != before+5000+1 {
		return fmt.Errorf("the host saw %d used, want %d; %d in all; %v", used, before, o.fuel, o.err)
	}
	return nil
}

// indexes: with an import before the tick, every kind of reference to a function still finds its own.
func indexes(om omit) error {
	value := func(n int) [][]byte { return [][]byte{c32(n)} }
	m := newTestModule()
	m.types = []funcType{{[]byte{i32}, []byte{i32}}}
	m.withImport("h", "mix")
	m.global(i32, true, c32(0)).global(typeFuncref, false, op(opRefFunc, 3))
	m.start = m.fn("", "", "", c32(100), gset(0))
	m.fn("", "i", "", value(20)...)
	thirty := m.fn("", "i", "", value(30)...)
	m.fn("", "i", "", value(40)...)
	m.export("f", m.fn("", "i", "",
		gget(0), c32(0), callIndirect(2), op(opI32Add), c32(1), callIndirect(2), op(opI32Add), c32(2), callIndirect(2), op(opI32Add),
		call(thirty), op(opI32Add), c32(1), call(0), op(opI32Add),
		op(opRefFunc, 2), op(0xd1), op(opI32Add), gget(1), op(0xd1), op(opI32Add)))
	m.withTable(2, 3, 4)
	// All forms: active, passive, declarative; by index and by expression.
	m.extra = map[byte][]byte{secElement: cat(
		op(8), op(0, opI32Const, 0, opEnd, 1, 2), op(1, 0, 1, 2), op(2, 0, opI32Const, 1, opEnd, 0, 1, 3), op(3, 0, 1, 2),
		op(4, opI32Const, 2, opEnd, 1, opRefFunc, 4, opEnd), op(5, typeFuncref, 1, opRefNull, typeFuncref, opEnd),
		op(6, 0, opI32Const, 2, opEnd, typeFuncref, 1, opRefFunc, 4, opEnd), op(7, typeFuncref, 1, opRefFunc, 2, opEnd))}
	out, err := meterWith(m.bytes(), Limits{}, om)
	if err != nil {
		return err
	}
	g, err := newGuest(out, plenty, 100, withMix)
	if err != nil {
		return err
	}
	defer g.close()
	if g.mod.ExportedFunction("f") == nil {
		return fmt.Errorf("no function is exported")
	}
	if o := g.call("f"); o.err != nil || len(o.results) != 1 || o.results[0] != 100+20+30+40+30+4 {
		return fmt.Errorf("%v, %v", o.results, o.err)
	}
	return nil
}

func startSection(om omit) error {
	m := with(loop(br(0)))
	m.start = 0
	o, err := runMetered(m, Limits{}, om, 100_000, 1000, "")
	if err != nil || o.err != errFuel {
		return fmt.Errorf("%v, %v", err, o.err)
	}
	return nil
}
