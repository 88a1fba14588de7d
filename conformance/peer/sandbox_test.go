package peer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"                                //nolint:depguard // the engine alone is what the sandbox is measured beside
	"github.com/tetratelabs/wazero/api"                            //nolint:depguard // the engine alone is what the sandbox is measured beside
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1" //nolint:depguard // the engine alone is what the sandbox is measured beside
	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/conformance/abi/guests"
	"github.com/vedette-siem/vedette/host/meter"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// guest is one parser in one language.
type guest struct {
	name, language string
	wasm           []byte
	lines          []string
	wasi           bool
	limits         manifest.Limits
	most           float64 // times that metering may cost
}

// languages returns guests of each language: the reference parser in C and Rust as conformance/sdks keeps it, and shipped
// parsers in TinyGo with the records of their own cases.
func languages(t *testing.T) []guest {
	t.Helper()
	ref := refLines(batch)
	sdks := filepath.Join(root, "conformance/sdks/dist")
	out := []guest{
		{name: "refkv", language: "C", wasm: read(t, filepath.Join(sdks, "c/refkv.wasm")), lines: ref, most: 1.4},
		{name: "refkv", language: "Rust", wasm: read(t, filepath.Join(sdks, "rust/refkv.wasm")), lines: ref, most: 1.4},
	}
	for _, name := range []string{"kv", "nginx", "syslog", "fortigate", "windows"} {
		out = append(out, guest{
			name: name, language: "TinyGo", wasm: read(t, filepath.Join(root, "modules/dist", name+".wasm")),
			lines: ownLines(t, name), wasi: true, most: 1.25,
		})
	}
	return out
}

// ownLines are the records of a shipped parser's own cases.
func ownLines(t *testing.T, name string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "modules/parsers", name, "testdata/*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no cases: %v", name, err)
	}
	var out []string
	for _, file := range files {
		for _, f := range txtar.Parse(read(t, file)).Files {
			if f.Name == "input" {
				out = append(out, strings.Split(strings.TrimSuffix(string(f.Data), "\n"), "\n")...)
			}
		}
	}
	return out
}

// standardGo builds the shipped kv parser with standard Go.
func standardGo(t *testing.T) guest {
	t.Helper()
	out := filepath.Join(t.TempDir(), "kv.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", out, "./modules/parsers/kv")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	g := languages(t)[2]
	g.language, g.wasm, g.limits = "Go", read(t, out), manifest.Limits{FuelPerCall: 20_000_000, FuelPerRecord: 2_000_000}
	return g
}

// batch returns n records, fewer when they would not fit into an ordinary IN.
func (g *guest) batch(n int) ([]byte, int) {
	var lines []string
	for size := 0; len(lines) < n && size < 48<<10; {
		lines = append(lines, g.lines[len(lines)%len(g.lines)])
		size += len(lines[len(lines)-1])
	}
	return encode(lines...), len(lines)
}

func (g *guest) spec() runtime.ModuleSpec {
	return runtime.ModuleSpec{Digest: g.language + g.name, Wasm: g.wasm, Names: make([]string, 64), WASIStub: g.wasi, Limits: g.limits}
}

// cpu is the CPU time that this process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bare is a guest on the engine alone, with or without the meter's instructions in it.
type bare struct {
	mod    api.Module
	parse  api.Function
	fuel   api.MutableGlobal
	in     uint32
	stack  [1]uint64
	output []byte
}

func newBare(t *testing.T, g *guest, metered bool) *bare {
	t.Helper()
	ctx := t.Context()
	wasm := g.wasm
	if metered {
		var err error
		if wasm, _, err = meter.Rewrite(wasm, meter.Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(api.CoreFeaturesV2))
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	b := &bare{}
	// Every tick refills, as the runtime's does.
	tick := func(context.Context, api.Module, []uint64) { b.fuel.Set(b.fuel.Get() + 1_000_000) }
	_, err := r.NewHostModuleBuilder(meter.TickModule).NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(tick), nil, nil).Export(meter.TickName).Instantiate(ctx)
	must(err)
	i32 := api.ValueTypeI32
	_, err = r.NewHostModuleBuilder(abi.ImportCore).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(func(context.Context, api.Module, []uint64) {}), []api.ValueType{i32, i32, i32}, nil).Export("log").Instantiate(ctx)
	must(err)
	if g.wasi {
		_, err = wasi_snapshot_preview1.Instantiate(ctx, r)
		must(err)
	}
	b.mod, err = r.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	must(err)
	if metered {
		b.fuel = b.mod.ExportedGlobal(meter.FuelExport).(api.MutableGlobal)
	}
	if f := b.mod.ExportedFunction("_initialize"); f != nil {
		_, err = f.Call(ctx)
		must(err)
	}
	const inBytes, outBytes = 96 << 10, 320 << 10
	at, err := b.mod.ExportedFunction(abi.ExportBuffers).Call(ctx, inBytes, outBytes)
	must(err)
	_, err = b.mod.ExportedFunction(abi.ExportInit).Call(ctx, 0)
	must(err)
	b.in, b.parse = uint32(at[0]>>32), b.mod.ExportedFunction(abi.ExportParse)
	b.output, _ = b.mod.Memory().Read(uint32(at[0]), outBytes)
	return b
}

func (b *bare) run(t *testing.T, in []byte) {
	t.Helper()
	b.mod.Memory().Write(b.in, in)
	b.stack[0] = uint64(len(in))
	if err := b.parse.CallWithStack(t.Context(), b.stack[:]); err != nil {
		t.Fatal(err)
	}
	if status, n := abi.Unpack(b.stack[0]); status != abi.StatusOK || n == 0 {
		t.Fatalf("status %d, %d bytes", status, n)
	}
}

// TestBenchMeter: the same guest on the same engine, as it was published and with the meter's instructions, the depth
// counter included, in turn.
func TestBenchMeter(t *testing.T) {
	b := newTable(t, "METERING, DEPTH COUNTER INCLUDED")
	for _, g := range languages(t) {
		in, n := g.batch(batch)
		plain, metered := newBare(t, &g, false), newBare(t, &g, true)
		best := [2]float64{1e18, 1e18}
		var ratios []float64
		for round := range 4 * rounds {
			var took [2]float64
			for i, x := range []*bare{plain, metered} {
				began := time.Now()
				for range 4 {
					x.run(t, in)
				}
				took[i] = float64(time.Since(began).Nanoseconds()) / 4 / float64(n)
			}
			if round > 0 {
				ratios = append(ratios, took[1]/took[0])
				best[0], best[1] = min(best[0], took[0]), min(best[1], took[1])
			}
		}
		ratio := best[1] / best[0]
		slices.Sort(ratios)
		b.goal(g.language+" "+g.name, fmt.Sprintf("<= %.2f", g.most), ratio <= g.most, "plain %.0f ns a record, metered %.0f: %.2f times (median %.2f)", best[0], best[1], ratio, ratios[len(ratios)/2])
	}
}

// TestBenchKill: how much longer a call takes than its budget of fuel lasts, which is the way to the next check, out of the
// guest, and the verdict. What a unit of fuel takes is found from two budgets.
func TestBenchKill(t *testing.T) {
	b := newTable(t, "KILL, FROM THE END OF THE BUDGET")
	const calls, most, little, much = 200, 2 * time.Millisecond, 2_000_000, 8_000_000
	for _, name := range []string{"loop_empty", "loop_busy", "loop_indirect", "exponential", "exponential_indirect", "branch_table", "fill_storm", "copy_storm", "division_storm"} {
		wasm, err := guests.Wasm(name)
		if err != nil {
			t.Fatal(err)
		}
		in := encode("!")
		var took [2][]time.Duration
		var fuel [2]int64
		for i, budget := range []uint64{little, much} {
			m := load(t, runtime.Config{}, runtime.ModuleSpec{Digest: name, Wasm: wasm, Limits: manifest.Limits{FuelPerCall: budget, FuelPerRecord: 1, FuelPerByte: 1}})
			var r runtime.Result
			for range calls {
				if err := m.Parse(t.Context(), in, &r); err != nil || len(r.Poison) != 1 || r.Poison[0].Trap.Code != runtime.CodeFuel {
					t.Fatalf("%s: %v %+v", name, err, r.Poison)
				}
				took[i] = append(took[i], r.Poison[0].Trap.Took)
			}
			slices.Sort(took[i])
			fuel[i] = r.Fuel
		}
		unit := float64(took[1][0]-took[0][0]) / float64(fuel[1]-fuel[0])
		late := func(at int) time.Duration { return took[0][at] - time.Duration(unit*little) }
		b.goal(name, "<= 2 ms", late(calls/2) <= most, "%v in the median, %v in 99 of 100 (%.2f ns a unit, %d units over)",
			late(calls/2).Round(time.Microsecond), late(calls*99/100).Round(time.Microsecond), unit, fuel[0]-little)
	}
}

// TestBenchRestore: a call without records is a restore, a crossing and the check of its answer.
func TestBenchRestore(t *testing.T) {
	b := newTable(t, "PRISTINE RESTORE, WITH AN EMPTY CALL AROUND IT")
	for _, g := range append(languages(t), standardGo(t)) {
		m := load(t, runtime.Config{Instances: 1}, g.spec())
		in, _ := g.batch(0)
		var took []time.Duration
		var r runtime.Result
		for range 2000 {
			began := time.Now()
			if err := m.Parse(t.Context(), in, &r); err != nil || len(r.Poison) > 0 {
				t.Fatalf("%s: %v %+v", g.name, err, r.Poison)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		mid := took[len(took)/2]
		goal := 50 * time.Microsecond
		if g.language == "Go" {
			goal = time.Millisecond
		}
		b.goal(g.language+" "+g.name, fmt.Sprintf("< %v", goal), mid < goal, "%v in the median, %v at best", mid.Round(100*time.Nanosecond), took[0].Round(100*time.Nanosecond))
	}
}

// resident is the memory of this process that is not shared, in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	goruntime.GC()
	debug.FreeOSMemory()
	fields := strings.Fields(string(read(t, "/proc/self/statm")))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestBenchDensity: resident memory of instances that have each parsed a batch, of which every one keeps its own memory.
func TestBenchDensity(t *testing.T) {
	b := newTable(t, "INSTANCES PER GiB, EACH USED")
	for _, g := range append(languages(t), standardGo(t)) {
		const n = 48
		m := load(t, runtime.Config{Instances: n}, g.spec())
		in, _ := g.batch(64)
		var r runtime.Result
		before := resident(t)
		for range n { // each takes the instance that has rested longest, or makes one
			if err := m.Parse(t.Context(), in, &r); err != nil || len(r.Poison) > 0 {
				t.Fatalf("%s: %v %+v", g.name, err, r.Poison)
			}
		}
		each := float64(resident(t)-before) / float64(m.Instances()-1)
		b.figure(g.language+" "+g.name, "%.0f (%.0f KiB each, %d of them)", float64(1<<30)/each, each/1024, m.Instances())
	}
}
