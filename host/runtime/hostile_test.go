package runtime

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

const hostileDir = "../../conformance/hostile"

func hostile(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(hostileDir, name+".wasm"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestHostileSources: the committed modules are what their sources say.
func TestHostileSources(t *testing.T) {
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Skip("wat2wasm is not installed: apt-get install wabt")
	}
	sources, _ := filepath.Glob(filepath.Join(hostileDir, "*.wat"))
	if len(sources) == 0 {
		t.Fatal("no sources")
	}
	for _, src := range sources {
		out := filepath.Join(t.TempDir(), "out.wasm")
		if text, err := exec.Command(tool, "--debug-names", src, "-o", out).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", src, err, text)
		}
		got, _ := os.ReadFile(out)
		if want := hostile(t, strings.TrimSuffix(filepath.Base(src), ".wat")); !slices.Equal(got, want) {
			t.Errorf("%s: the committed module is not what wat2wasm --debug-names makes of it", src)
		}
	}
}

// trapOf returns the *Trap in err, or fails.
func trapOf(t *testing.T, err error, code, detail string) *Trap {
	t.Helper()
	var trap *Trap
	if !errors.As(err, &trap) {
		t.Fatalf("got %v, want a trap %s", err, code)
	}
	if trap.Code != code || !strings.Contains(trap.Detail, detail) {
		t.Fatalf("got %v, want %s with %q", trap, code, detail)
	}
	return trap
}

func TestHostileLoad(t *testing.T) {
	h := newHost(t, Config{Limits: Limits{FuelStart: 20_000_000}})
	for _, c := range []struct{ name, code, detail string }{
		{"start_loop", CodeFuel, ""},
		{"init_loop", CodeFuel, ".init("},
		{"init_refuses", CodeSettings, "no"},
		{"unknown_import", CodeImport, "3.1: vedette_core_v1.exec (unknown), env.abort (unknown)"},
		{"ungranted_import", CodeImport, "vedette_http_v1.fetch (not granted)"},
		{"wrong_type", CodeImport, "vedette_core_v1.log (has type (i64), want (i32,i32,i32))"},
		{"imported_memory", CodeABI, "no function"},
		{"no_marker", CodeABI, "2.1: vedette_parse has type (i64)"},
		{"huge_memory", "E_LIMIT_MEMORY_PAGES", ""},
		{"wild_buffers", CodeABI, "2.2"},
		{"table_state", "E_OPCODE", ""},
		{"segment_state", "E_OPCODE", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := h.Load(t.Context(), ModuleSpec{Digest: c.name, Kind: manifest.Parser, Wasm: hostile(t, c.name)})
			trapOf(t, err, c.code, c.detail)
		})
	}
	t.Run("truncated", func(t *testing.T) {
		wasm := hostile(t, "echo")
		for n := range len(wasm) {
			if m, err := h.Load(t.Context(), ModuleSpec{Digest: "cut", Kind: manifest.Parser, Wasm: wasm[:n]}); err == nil {
				// What is cut off at a section's end may be a whole module, without its names.
				if err := m.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
			} else {
				var trap *Trap
				if !errors.As(err, &trap) {
					t.Fatalf("%d bytes: %v is no trap", n, err)
				}
			}
		}
	})
}

func TestHostileCall(t *testing.T) {
	var lines atomic.Int64
	h := newHost(t, Config{Log: func(string, uint32, string) { lines.Add(1) }})
	ask := manifest.Limits{FuelPerCall: 60_000_000}
	in := encode("one")
	for _, c := range []struct{ name, code, detail string }{
		{"endless_loop", CodeFuel, ".parse("},
		{"exponential", CodeFuel, ".f("},
		{"memset", CodeFuel, ""},
		{"memory_bomb", CodeMemory, "unreachable"},
		{"deep_recursion", CodeStack, ".f("},
		{"branch_table", CodeFuel, ""},
		{"log_flood", CodeFuel, ""},
		{"wild_pointer", CodeABI, "3.2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := load(t, h, ModuleSpec{Digest: c.name, Wasm: hostile(t, c.name), Limits: ask})
			var fuel [2]int64
			for n := range fuel {
				began := time.Now()
				var r Result
				if err := m.Parse(t.Context(), in, &r); err != nil {
					t.Fatal(err)
				}
				if len(r.Poison) != 1 || len(r.Parts) != 0 {
					t.Fatalf("poison %v, %d parts", r.Poison, len(r.Parts))
				}
				trap := trapOf(t, r.Poison[0].Trap, c.code, c.detail)
				if most := m.price.call + m.price.record + m.price.byte*200 + overrun; trap.Fuel <= 0 || trap.Fuel > most {
					t.Errorf("consumed %d of %d", trap.Fuel, most)
				}
				if trap.Took <= 0 || trap.Took > time.Since(began) {
					t.Errorf("it says that it took %v of %v", trap.Took, time.Since(began))
				}
				fuel[n] = r.Fuel
				t.Logf("%s: %d fuel in %v", trap.Code, trap.Fuel, time.Since(began))
			}
			if fuel[0] != fuel[1] {
				t.Errorf("consumed %v: not the same twice", fuel)
			}
		})
	}
	if n := lines.Load(); n > int64(2*h.lim.LogLinesPerCall)+2 {
		t.Errorf("%d lines were logged", n)
	}
}

// TestInstances: copies and their memories are counted while they are there; one that failed is not.
func TestInstances(t *testing.T) {
	m := load(t, newHost(t, Config{Instances: 1}), ModuleSpec{Digest: "d", Wasm: hostile(t, "poison_trap")})
	var r Result
	for _, c := range []struct {
		record string
		want   int
	}{{"fine", 1}, {"!", 0}, {"fine", 1}} {
		if err := m.Parse(t.Context(), encode(c.record), &r); err != nil || m.Instances() != c.want || (m.Memory() > 0) != (c.want > 0) {
			t.Errorf("after %q there are %d copies of %d bytes, want %d: %v", c.record, m.Instances(), m.Memory(), c.want, err)
		}
	}
	if err := m.Close(t.Context()); err != nil || m.Instances() != 0 || m.Memory() != 0 {
		t.Errorf("closed, there are %d copies of %d bytes: %v", m.Instances(), m.Memory(), err)
	}
}

// overrun is what the meter allows between the end of the budget and the next check, and one bulk operation.
const overrun = 250_000

// TestTrapNamesFunctions: the text is for the module's author, and bounded.
func TestTrapNamesFunctions(t *testing.T) {
	m := load(t, newHost(t, Config{Limits: Limits{TrapBytes: 300}}), ModuleSpec{Digest: "d", Wasm: hostile(t, "deep_recursion")})
	var r Result
	if err := m.Parse(t.Context(), encode("x"), &r); err != nil {
		t.Fatal(err)
	}
	trap := r.Poison[0].Trap
	if len(trap.Detail) > 300 || !strings.Contains(trap.Detail, ".f(i32) i32") || trap.Module != "d" {
		t.Errorf("%+v", trap)
	}
}

func TestStatus(t *testing.T) {
	m := load(t, newHost(t, Config{}), ModuleSpec{Digest: "status", Wasm: hostile(t, "status")})
	for _, c := range []struct {
		result       uint64
		code, detail string
	}{
		{abi.Pack(abi.StatusOK, 1<<31), CodeABI, "2.4"},
		{abi.Pack(abi.StatusOK, m.narrow.out+1), CodeABI, "2.4"},
		{abi.Pack(abi.StatusOK, 8), CodeABI, "5.1"},
		{abi.Pack(abi.StatusOutTooShort, 0), CodeOutputLimit, ""},
		{abi.Pack(abi.StatusBadInput, 0), CodeABI, "2.4"},
		{abi.Pack(abi.StatusFailed, 0), CodeTrap, ""},
		{abi.Pack(abi.Status(7), 0), CodeABI, "2.4: unknown status 7"},
		{abi.Pack(abi.Status(-9), 0), CodeABI, "2.4: unknown status -9"},
	} {
		var r Result
		if err := m.Parse(t.Context(), encode(string(binary.LittleEndian.AppendUint64(nil, c.result))), &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Poison) != 1 {
			t.Fatalf("%#x: %+v", c.result, r)
		}
		trapOf(t, r.Poison[0].Trap, c.code, c.detail)
	}
}

// TestStateIsErased: memory, OUT, globals and growth of a call are gone in the next.
func TestStateIsErased(t *testing.T) {
	h := newHost(t, Config{Instances: 1})
	for name, want := range map[string]string{"hidden_state": "D", "grown": "B"} {
		m := load(t, h, ModuleSpec{Digest: name, Wasm: hostile(t, name)})
		for range 5 {
			var r Result
			if err := m.Parse(t.Context(), encode("x"), &r); err != nil || len(r.Parts) != 1 {
				t.Fatalf("%s: %v %+v", name, err, r.Poison)
			}
			o, message, err := r.Parts[0].Events.Outcome(0)
			if err != nil || o != abi.Failed || string(message) != want {
				t.Errorf("%s: outcome %d %q, want %q: state has survived", name, o, message, want)
			}
		}
	}
}

// TestPoisonIsExact: whichever records are poison, exactly those are found, every other record is answered exactly
// once, and all of it costs at most twice the batch's budget.
func TestPoisonIsExact(t *testing.T) {
	h := newHost(t, Config{})
	for _, name := range []string{"poison_trap", "poison_loop"} {
		m := load(t, h, ModuleSpec{Digest: name, Wasm: hostile(t, name)})
		for _, c := range []struct {
			n   int
			bad []int
		}{
			{1, nil},
			{1, []int{0}},
			{2, []int{1}},
			{3, []int{0, 2}},
			{256, []int{0}},
			{256, []int{255}},
			{256, []int{100}},
			{256, []int{7, 8, 9, 200}},
			{100, []int{0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99}},
			{1024, []int{1000}},
		} {
			lines := make([]string, c.n)
			budget := m.price.call
			for i := range lines {
				lines[i] = fmt.Sprintf("record %d", i)
				if slices.Contains(c.bad, i) {
					lines[i] = "!" + lines[i]
				}
				budget += m.price.record + m.price.byte*int64(abi.RecordSize+len(lines[i])+len("syslog 192.0.2.1:514"))
			}
			var r Result
			began := time.Now()
			if err := m.Parse(t.Context(), encode(lines...), &r); err != nil {
				t.Fatal(err)
			}
			var got []int
			seen := make([]int, c.n)
			for _, p := range r.Poison {
				got = append(got, p.Record)
				seen[p.Record]++
			}
			if !slices.Equal(got, c.bad) {
				t.Errorf("%s, %d records: poison %v, want %v", name, c.n, got, c.bad)
			}
			for _, p := range r.Parts {
				for k := range p.Events.Records {
					seen[p.First+k]++
				}
			}
			for i, times := range seen {
				if times != 1 {
					t.Fatalf("%s: record %d has %d verdicts", name, i, times)
				}
			}
			if r.Fuel > 2*budget+overrun {
				t.Errorf("%s, %d records: %d fuel, the budget is %d", name, c.n, r.Fuel, budget)
			}
			t.Logf("%s: %d of %d poison, %.2f budgets, %d parts, %v", name, len(c.bad), c.n, float64(r.Fuel)/float64(budget), len(r.Parts), time.Since(began))
		}
	}
}

func TestTooMuchPoison(t *testing.T) {
	m := load(t, newHost(t, Config{Limits: Limits{PoisonRecords: 3}}), ModuleSpec{Digest: "p", Wasm: hostile(t, "poison_trap")})
	var r Result
	if err := m.Parse(t.Context(), encode("!", "!", "!", "x"), &r); err != nil || len(r.Poison) != 3 {
		t.Fatalf("%v %+v", err, r.Poison)
	}
	err := m.Parse(t.Context(), encode("!", "!", "!", "!", "x"), &r)
	if !errors.Is(err, ErrFailing) {
		t.Fatalf("got %v", err)
	}
	trapOf(t, err, CodeTrap, "unreachable")
}

// TestGarbageCollection: a guest that never ends does not hold up a collection of the whole process.
func TestGarbageCollection(t *testing.T) {
	h := newHost(t, Config{})
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for _, name := range []string{"endless_loop", "memset", "exponential"} {
		m := load(t, h, ModuleSpec{Digest: name, Wasm: hostile(t, name)})
		wg.Go(func() {
			var r Result
			for ctx.Err() == nil {
				if err := m.Parse(ctx, encode("x"), &r); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	// A busy machine may take the processor from whoever holds up the world, so one round of three has to be good.
	best := time.Hour
	for range 3 {
		var round time.Duration
		for range 20 {
			goruntime.GC()
			var stats goruntime.MemStats
			goruntime.ReadMemStats(&stats)
			round = max(round, time.Duration(stats.PauseNs[(stats.NumGC+255)%256]))
		}
		t.Logf("20 forced collections stopped the world for %v at most", round)
		best = min(best, round)
	}
	cancel()
	wg.Wait()
	if limit := 50 * time.Millisecond; best > limit {
		t.Errorf("the world stood still for %v, at most %v", best, limit)
	}
}

// TestStall: the wall clock is no verdict on the module.
func TestStall(t *testing.T) {
	var now, step atomic.Int64
	h := newHost(t, Config{
		Limits: Limits{FuelPerCall: 50_000_000},
		Now:    func() time.Time { return time.Unix(now.Add(step.Load()), 0) },
	})
	m := load(t, h, ModuleSpec{Digest: "loop", Wasm: hostile(t, "endless_loop")})
	step.Store(20) // seconds pass whenever somebody looks
	var r Result
	err := m.Parse(t.Context(), encode("x"), &r)
	var trap *Trap
	if !errors.Is(err, ErrStalled) || errors.As(err, &trap) {
		t.Fatalf("got %v, want ErrStalled and no trap", err)
	}
	if _, err := h.Load(t.Context(), ModuleSpec{Digest: "s", Kind: manifest.Parser, Wasm: hostile(t, "start_loop")}); !errors.Is(err, ErrStalled) || errors.As(err, &trap) {
		t.Fatalf("load: got %v, want ErrStalled and no trap", err)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := newHost(t, Config{Limits: Limits{FuelPerCall: 1 << 50, CallTimeout: time.Hour}})
	m := load(t, h, ModuleSpec{Digest: "loop", Wasm: hostile(t, "endless_loop")})
	done := make(chan error)
	go func() {
		var r Result
		done <- m.Parse(ctx, encode("x"), &r)
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// TestCloseWhileRunning hammers Parse, Load and Close; run it under -race.
func TestCloseWhileRunning(t *testing.T) {
	h := newHost(t, Config{Instances: 2})
	for range 5 {
		m := load(t, h, ModuleSpec{Digest: "p", Wasm: hostile(t, "poison_trap")})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				var r Result
				for range 50 {
					if err := m.Parse(t.Context(), encode("a", "!", "b"), &r); err != nil {
						if !errors.Is(err, ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		wg.Go(func() {
			if err := m.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		var r Result
		if err := m.Parse(t.Context(), encode("a"), &r); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}
