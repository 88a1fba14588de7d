package meter

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// goGuest builds testdata/goguest once per process, with standard Go.
var goGuest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "meter")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "guest.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildmode=c-shared", "-o", out, "./testdata/goguest")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if b, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the guest: %w: %s", err, b)
	}
	return os.ReadFile(out)
})

func withWASI(rt wazero.Runtime) { wasi_snapshot_preview1.MustInstantiate(context.Background(), rt) }

// plainGuest runs a module as it is.
func plainGuest(t testing.TB, wasm []byte, hosts ...func(wazero.Runtime)) api.Module {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
	t.Cleanup(func() { rt.Close(ctx) })
	for _, h := range hosts {
		h(rt)
	}
	c, err := rt.CompileModule(ctx, wasm)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	mod, err := rt.InstantiateModule(ctx, c, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		t.Fatalf("instantiate: %v", err)
	}
	return mod
}

func meteredGuest(t testing.TB, wasm []byte, hosts ...func(wazero.Runtime)) *guest {
	t.Helper()
	out, _, err := Rewrite(wasm, Limits{})
	if err != nil {
		t.Fatalf("rewrite: %v", err)
	}
	g, err := newGuest(out, 1<<60, 100_000, hosts...)
	if err != nil {
		t.Fatalf("instantiate: %v", err)
	}
	t.Cleanup(func() { g.close() })
	return g
}

func must(t testing.TB, mod api.Module, name string, args ...uint64) uint64 {
	t.Helper()
	r, err := mod.ExportedFunction(name).Call(context.Background(), args...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(r) == 0 {
		return 0
	}
	return r[0]
}

// lines are n bytes of firewall-like key=value records, with quotes and escapes.
func lines(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "date=2026-03-%02d time=10:%02d:07 devname=\"edge %d\" srcip=10.0.%d.%d dstip=192.0.2.%d "+
			"action=accept msg=\"said \\\"hello\\\" to %d\" sentbyte=%d\n", i%28+1, i%60, i%7, i%200, i%250, i%251, i, i*i%100_000)
	}
	return b.Bytes()[:n]
}

func TestStandardGoGuest(t *testing.T) {
	wasm, err := goGuest()
	if err != nil {
		t.Fatal(err)
	}
	plain, metered := plainGuest(t, wasm, withWASI), meteredGuest(t, wasm, withWASI)
	input := lines(20_000)
	run := func(mod api.Module) (string, []byte) {
		must(t, mod, "_initialize")
		at := must(t, mod, "buffers")
		if !mod.Memory().Write(uint32(at>>32), input) {
			t.Fatal("the input does not fit")
		}
		n := must(t, mod, "parse", uint64(len(input)))
		out, ok := mod.Memory().Read(uint32(at), uint32(n))
		if !ok || n == 0 {
			t.Fatalf("parse wrote %d bytes", n)
		}
		out = bytes.Clone(out)
		return fmt.Sprint(n, must(t, mod, "count", uint64(len(input)), 50), mod.Memory().Size()), out
	}
	wantText, want := run(plain)
	gotText, got := run(metered.mod)
	if wantText != gotText || !bytes.Equal(want, got) {
		t.Fatalf("metered: %s, plain: %s, equal output: %v", gotText, wantText, bytes.Equal(want, got))
	}
	if depth := metered.mod.ExportedGlobal(DepthExport).Get(); depth != 0 {
		t.Errorf("depth at rest is %d", depth)
	}
}

// TestPristineRestore: memory and the exported globals are all the state that a guest has.
func TestPristineRestore(t *testing.T) {
	wasm, err := goGuest()
	if err != nil {
		t.Fatal(err)
	}
	_, shape, err := Rewrite(wasm, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	g := meteredGuest(t, wasm, withWASI)
	must(t, g.mod, "_initialize")
	at := must(t, g.mod, "buffers")
	g.mod.Memory().Write(uint32(at>>32), lines(5000))
	must(t, g.mod, "count", 5000, 200) // let it grow before the image is taken
	size := g.mod.Memory().Size()
	image, _ := g.mod.Memory().Read(0, size)
	image = bytes.Clone(image)
	var globals []uint64
	for _, name := range shape.MutableGlobals {
		globals = append(globals, g.mod.ExportedGlobal(name).Get())
	}
	input := lines(5000)
	var first outcome
	for i := range 5 {
		g.mod.Memory().Write(uint32(at>>32), input)
		o := g.call("count", uint64(len(input)), 3)
		if o.err != nil {
			t.Fatal(o.err)
		}
		if i == 0 {
			first = o
		} else if o.fuel != first.fuel || o.results[0] != first.results[0] {
			t.Fatalf("call %d: %d for %d fuel, the first: %d for %d", i, o.results[0], o.fuel, first.results[0], first.fuel)
		}
		if g.mod.Memory().Size() != size {
			t.Fatal("memory grew: the restore of this test does not cover that")
		}
		g.mod.Memory().Write(0, image)
		for j, name := range shape.MutableGlobals {
			g.mod.ExportedGlobal(name).(api.MutableGlobal).Set(globals[j])
		}
	}
}

// scanner is a hand-written byte scanner, about what C compiles to: it counts '=' and sums the bytes before each.
func scanner() *testModule {
	m := newTestModule()
	m.pages = [2]int{2, 2}
	const n, i, sum, found, c = 0, 1, 2, 3, 4
	f := m.fn("i", "i", "iiii",
		block(loop(
			get(i), get(n), op(0x4f), brIf(1), // i >= n
			load8(get(i)), set(c),
			get(i), c32(1), op(opI32Add), set(i),
			get(c), c32('='), op(0x47), op(opIf, emptyBlock), // c != '='
			get(sum), c32(31), op(0x6c), get(c), op(opI32Add), set(sum),
			br(1), op(opEnd),
			get(found), get(sum), op(0x73), set(found),
			c32(0), set(sum), br(0),
		)), get(found))
	return m.export("parse", f)
}

func BenchmarkRewrite(b *testing.B) {
	wasm, err := goGuest()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(wasm)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Rewrite(wasm, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOverhead interleaves plain and metered calls, so that a busy machine hurts both alike; x-plain is the ratio of the fastest.
func BenchmarkOverhead(b *testing.B) {
	wasm, err := goGuest()
	if err != nil {
		b.Fatal(err)
	}
	files := map[string][]byte{"go": wasm, "scanner": scanner().bytes()}
	if path := os.Getenv("METER_WASM"); path != "" {
		if files["file"], err = os.ReadFile(path); err != nil {
			b.Fatal(err)
		}
	}
	for name, wasm := range files {
		b.Run(name, func(b *testing.B) { benchmarkOverhead(b, wasm) })
	}
}

func benchmarkOverhead(b *testing.B, wasm []byte) {
	input := lines(20_000)
	g := meteredGuest(b, wasm, withWASI)
	mods := [2]api.Module{plainGuest(b, wasm, withWASI), g.mod}
	var parse [2]api.Function
	for i, mod := range mods {
		if mod.ExportedFunction("_initialize") != nil {
			must(b, mod, "_initialize")
		}
		at := uint64(0)
		if mod.ExportedFunction("buffers") != nil {
			at = must(b, mod, "buffers")
		}
		mod.Memory().Write(uint32(at>>32), input)
		parse[i] = mod.ExportedFunction("parse")
	}
	fuel := g.call("parse", uint64(len(input))).fuel
	best := [2]time.Duration{time.Hour, time.Hour}
	b.ReportAllocs()
	stack := make([]uint64, 1)
	for b.Loop() {
		for i := range mods {
			stack[0] = uint64(len(input))
			start := time.Now()
			if err := parse[i].CallWithStack(context.Background(), stack); err != nil {
				b.Fatal(err)
			}
			best[i] = min(best[i], time.Since(start))
		}
	}
	b.ReportMetric(float64(best[1])/float64(best[0]), "x-plain")
	b.ReportMetric(float64(best[1].Nanoseconds())/float64(fuel), "ns/fuel")
	b.ReportMetric(float64(fuel)/float64(len(input)), "fuel/byte")
}
