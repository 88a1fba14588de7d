package meter

import (
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"
)

// hostile modules, each with an f of type () -> () that has to be stopped with one of the errors.
func hostile() map[string]*testModule {
	h := map[string]*testModule{
		"endless loop":   one("", "", "", loop(br(0))),
		"busy loop":      one("", "", "i", loop(get(0), c32(1), op(opI32Add), set(0), store8(c32(0), get(0)), br(0))),
		"memset loop":    one("", "", "", loop(fill(c32(0), c32(1), c32(16*65536)), br(0))),
		"memcpy loop":    one("", "", "", loop(copyMem(c32(8), c32(0), c32(15*65536)), br(0))),
		"memory bomb":    one("", "", "", loop(memGrowOp(c32(1)), op(0x1a), br(0))),
		"grow storm":     one("", "", "", loop(memGrowOp(c32(0)), op(0x1a), br(0))),
		"huge br_table":  one("", "", "i", loop(get(0), c32(1), op(opI32Add), tee(0), c32(0x1fff), op(0x71), brTable(make([]int, 9_000)...))),
		"straight line":  one("", "", "", slices.Repeat(op(1), 500_000)),
		"division storm": one("", "", "l", c64(1), set(0), loop(slices.Repeat(cat(c64(-1), get(0), op(0x7f), set(0)), 1000), br(0))),
	}
	for _, name := range []string{"memset loop", "memcpy loop", "memory bomb"} {
		h[name].pages = [2]int{16, 1024}
	}
	tree := newTestModule()
	tree.fn("i", "", "", get(0), when(get(0), c32(1), op(opI32Sub), call(0), get(0), c32(1), op(opI32Sub), call(0)))
	h["exponential recursion"] = tree.export("f", tree.fn("", "", "", c32(60), call(0)))
	deep := newTestModule()
	h["deep recursion"] = deep.export("f", deep.fn("", "", "", call(0)))
	locals := newTestModule()
	locals.fn("", "", strings.Repeat("l", 1999))
	h["locals storm"] = locals.export("f", locals.fn("", "", "", loop(slices.Repeat(call(0), 1000), br(0))))
	return h
}

// TestHostile: each is stopped within its budget, whoever runs beside it.
func TestHostile(t *testing.T) {
	for name, m := range hostile() {
		t.Run(name, func(t *testing.T) {
			const budget = 40_000_000
			l := Limits{FunctionBodyBytes: 1 << 20}
			if name == "straight line" {
				l.MemoryPages = 16
			}
			start := time.Now()
			slack := int64(budget / 10)
			o, err := runMetered(m, l, 0, budget, 1_000_000, "f")
			if err != nil {
				t.Fatal(err)
			}
			if name == "straight line" {
				if o.err != nil {
					t.Fatal(o.err)
				}
				o, err = runMetered(m, l, 0, 100_000, 1_000_000, "f")
				slack = 10_000 - (budget - 100_000)
			}
			if err != nil || o.err != errFuel && o.err != errStack || o.fuel > budget+slack {
				t.Fatalf("%v after %d fuel; %v", o.err, o.fuel, err)
			}
			t.Logf("%v after %d fuel, %v with compiling", o.err, o.fuel, time.Since(start).Round(time.Millisecond))
		})
	}
	t.Run("start section", func(t *testing.T) {
		if err := startSection(0); err != nil {
			t.Fatal(err)
		}
	})
}

// TestCollectorBesideHostile: a garbage collection must stop the world while a guest runs native code that cannot be preempted. It waits for
// a tick, never for the guest's end. The best of some rounds counts: other processes may hold
// the machine now and then, an unmetered guest always does.
func TestCollectorBesideHostile(t *testing.T) {
	for name, m := range hostile() {
		if name == "straight line" || name == "deep recursion" {
			continue // end by themselves before a collection begins
		}
		t.Run(name, func(t *testing.T) {
			var median, pause time.Duration
			for range 6 {
				if median, pause = collect(t, m); max(median, pause) < 50*time.Millisecond {
					t.Logf("a collection took %v, the longest stop of the world %v", median, pause)
					return
				}
			}
			t.Errorf("a collection took %v, the longest stop of the world %v", median, pause)
		})
	}
}

// collect returns how long a collection took, in the median, while the guest ran, and the longest stop of the world.
func collect(t *testing.T, m *testModule) (median, pause time.Duration) {
	t.Helper()
	out, err := meterWith(m.bytes(), Limits{FunctionBodyBytes: 1 << 20}, 0)
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGuest(out, plenty, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	before := pauses()
	done := make(chan outcome, 1)
	go func() { done <- g.call("f") }()
	var took []time.Duration
	for range 7 {
		start := time.Now()
		runtime.GC()
		took = append(took, time.Since(start))
	}
	g.stop.Store(true)
	if o := <-done; o.err != errFuel {
		t.Fatal(o.err)
	}
	slices.Sort(took)
	return took[len(took)/2], longest(before, pauses())
}

// pauses is the runtime's histogram of stops of the world by the collector, from the request on.
func pauses() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(s)
	return s[0].Value.Float64Histogram()
}

func longest(before, after *metrics.Float64Histogram) time.Duration {
	for i := len(after.Counts) - 1; i >= 0; i-- {
		if after.Counts[i] > before.Counts[i] {
			return time.Duration(after.Buckets[i] * float64(time.Second))
		}
	}
	return 0
}

// TestTraceNames: the engine's stack traces name the guest's functions, though their indexes moved.
func TestTraceNames(t *testing.T) {
	m := newTestModule()
	m.types = []funcType{{[]byte{i32}, []byte{i32}}}
	m.withImport("h", "mix")
	inner := m.fn("", "", "", op(opUnreachable))
	m.export("f", m.fn("", "", "", call(inner)))
	names := cat(appendSection(nil, 0, []byte("\x03mod")), appendSection(nil, 1, []byte("\x03\x00\x03mix\x01\x05inner\x02\x05outer")), appendSection(nil, 2, []byte{0}))
	wasm := slices.Concat(m.bytes(), appendSection(nil, secCustom, append([]byte("\x04name"), names...)))
	g := meteredGuest(t, wasm, withMix)
	o := g.call("f")
	if o.err == nil || !strings.Contains(o.err.Error(), "mod.inner()") || !strings.Contains(o.err.Error(), "mod.outer()") {
		t.Errorf("%v", o.err)
	}
	for _, broken := range []string{"\x01\x7f", "\x01\x02\x01\x09", "\x01\x03\x01\x09\x00", "\x00\x02\x01\xff", "\x01\x05\x02\x01\x00\x01\x00"} {
		out, _, err := Rewrite(slices.Concat(m.bytes(), appendSection(nil, secCustom, append([]byte("\x04name"), broken...))), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if err := compiles(out); err != nil {
			t.Errorf("names %q: %v", broken, err)
		}
	}
}
