package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/vedette-siem/vedette/host/runtime/testdata/kv"
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	seq = 42
	at  = int64(1_700_000_000_000_000_000)
)

// toolchains build one guest source in more than one way.
var toolchains = []struct {
	name  string
	tool  func() string // "" when it is not installed
	args  []string
	env   []string
	limit manifest.Limits
}{
	{
		name: "go", tool: func() string { return "go" }, args: []string{"build", "-ldflags=-s -w", "-buildmode=c-shared"},
		env: []string{"GOOS=wasip1", "GOARCH=wasm"}, limit: manifest.Limits{FuelPerCall: 5_000_000, FuelPerRecord: 500_000},
	},
	{name: "tinygo", tool: tinygo, args: []string{"build", "-target=vedette", "-opt=2", "-no-debug"}},
}

func tinygo() string {
	tool, _ := filepath.Abs("../../.tmp/bin/tinygo")
	if _, err := os.Stat(tool); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return tool
}

var built sync.Map // toolchain and package -> wasm

// buildGuest compiles a guest package once per test run.
func buildGuest(tb testing.TB, toolchain int, pkg string) []byte {
	tb.Helper()
	t := toolchains[toolchain]
	if b, ok := built.Load(t.name + pkg); ok {
		return b.([]byte)
	}
	tool := t.tool()
	if tool == "" {
		tb.Skipf("%s is not installed: make .tmp/bin/%s", t.name, t.name)
	}
	out := filepath.Join(tb.TempDir(), "guest.wasm")
	cmd := exec.Command(tool, append(append([]string{}, t.args...), "-o", out, pkg)...)
	cmd.Env = append(os.Environ(), t.env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build %s with %s: %v\n%s", pkg, t.name, err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	built.Store(t.name+pkg, b)
	return b
}

func newHost(tb testing.TB, cfg Config) *Host {
	tb.Helper()
	h, err := New(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return h
}

func load(tb testing.TB, h *Host, spec ModuleSpec) *Module {
	tb.Helper()
	if spec.Kind == "" {
		spec.Kind = manifest.Parser
	}
	m, err := h.Load(tb.Context(), spec)
	if err != nil {
		tb.Fatalf("load: %v", err)
	}
	return m
}

func encode(lines ...string) []byte {
	var e abi.RecordsEncoder
	e.Begin(len(lines), seq, at)
	for _, l := range lines {
		e.Add([]byte(l), "syslog 192.0.2.1:514", at, 0)
	}
	return e.Bytes()
}

func kvLines(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`src=10.0.%d.%d dst=192.0.2.7 user="user %d" action=allow port=%d bytes=%d proto=tcp rule=web policy=7 zone=dmz`,
			i/250, i%250, i, 1024+i, i*37)
	}
	return lines
}

// TestGuestEqualsNative: one source gives the same bytes natively, under standard Go and under TinyGo.
func TestGuestEqualsNative(t *testing.T) {
	batches := [][]string{
		kvLines(1), kvLines(256),
		{"no pairs here", `a=1 =2`, `user="open`, `user=root x=`, ``, `k=` + string(bytes.Repeat([]byte("v"), 60_000))},
	}
	for n, tool := range toolchains {
		t.Run(tool.name, func(t *testing.T) {
			wasm := buildGuest(t, n, "./testdata/kvguest")
			m := load(t, newHost(t, Config{}), ModuleSpec{Digest: "kv", Wasm: wasm, WASIStub: true, Limits: tool.limit})
			var r Result
			var b sdk.Buffers
			for _, lines := range batches {
				in := encode(lines...)
				status, want := sdk.RunParser(kv.Parser, in, b.Grow(0, 512<<10))
				if status != abi.StatusOK {
					t.Fatalf("native: status %d", status)
				}
				if err := m.Parse(t.Context(), in, &r); err != nil {
					t.Fatal(err)
				}
				if len(r.Parts) != 1 || len(r.Poison) != 0 {
					t.Fatalf("%d parts, poison %v", len(r.Parts), r.Poison)
				}
				if !bytes.Equal(r.out, want) {
					t.Fatalf("guest and native differ: %d and %d bytes", len(r.out), len(want))
				}
				t.Logf("%d records: %d fuel, %d a record", len(lines), r.Fuel, r.Fuel/int64(len(lines)))
			}
		})
	}
}

// TestFuelIsExact: the same batch consumes the same fuel, whatever ran before and in whichever instance.
func TestFuelIsExact(t *testing.T) {
	wasm := buildGuest(t, 0, "./testdata/kvguest")
	m := load(t, newHost(t, Config{Instances: 2}), ModuleSpec{Digest: "kv", Wasm: wasm, WASIStub: true, Limits: toolchains[0].limit})
	var mu sync.Mutex
	seen := map[int64]int{}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			var r, other Result
			for k := range 4 {
				if err := m.Parse(t.Context(), encode(kvLines(20+g+k)...), &other); err != nil {
					t.Error(err)
				}
				if err := m.Parse(t.Context(), encode(kvLines(10)...), &r); err != nil {
					t.Error(err)
				}
				mu.Lock()
				seen[r.Fuel]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != 1 {
		t.Fatalf("the same batch consumed %v", seen)
	}
}

func BenchmarkParse(b *testing.B) {
	const n = 256
	in := encode(kvLines(n)...)
	b.Run("native", func(b *testing.B) {
		var buf sdk.Buffers
		buf.Grow(0, 512<<10)
		b.ReportAllocs()
		for b.Loop() {
			if s, _ := sdk.RunParser(kv.Parser, in, &buf); s != abi.StatusOK {
				b.Fatal(s)
			}
		}
		perRecord(b, n)
	})
	for k, tool := range toolchains {
		b.Run(tool.name, func(b *testing.B) {
			m := load(b, newHost(b, Config{}), ModuleSpec{Digest: "kv", Wasm: buildGuest(b, k, "./testdata/kvguest"), WASIStub: true, Limits: tool.limit})
			var r Result
			b.ReportAllocs()
			for b.Loop() {
				if err := m.Parse(b.Context(), in, &r); err != nil {
					b.Fatal(err)
				}
			}
			perRecord(b, n)
			b.ReportMetric(float64(r.Fuel)/n, "fuel/record")
		})
	}
}

func perRecord(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/record")
}

// BenchmarkRestore is what each call pays for beginning with the pristine memory.
func BenchmarkRestore(b *testing.B) {
	for k, tool := range toolchains {
		b.Run(tool.name, func(b *testing.B) {
			m := load(b, newHost(b, Config{}), ModuleSpec{Digest: "kv", Wasm: buildGuest(b, k, "./testdata/kvguest"), WASIStub: true, Limits: tool.limit})
			i, err := m.narrow.take(b.Context(), m)
			if err != nil {
				b.Fatal(err)
			}
			defer m.narrow.put(i)
			for b.Loop() {
				i.restore()
			}
			data := 0
			for _, r := range m.narrow.image.runs {
				data += len(r.data)
			}
			b.ReportMetric(float64(m.narrow.image.size)/1024, "KiB")
			b.ReportMetric(float64(data)/1024, "KiB-copied")
		})
	}
}

// BenchmarkEmptyCall is a batch without records: the price of crossing, restore included.
func BenchmarkEmptyCall(b *testing.B) {
	m := load(b, newHost(b, Config{}), ModuleSpec{Digest: "kv", Wasm: hostile(b, "poison_trap")})
	in := encode()
	var r Result
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Parse(b.Context(), in, &r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheck is what validating an answer costs per event, beside parsing it.
func BenchmarkCheck(b *testing.B) {
	const n = 256
	in := encode(kvLines(n)...)
	recs, _ := abi.DecodeRecords(in)
	var buf sdk.Buffers
	_, out := sdk.RunParser(kv.Parser, in, buf.Grow(0, 512<<10))
	b.ReportAllocs()
	for b.Loop() {
		ev, err := abi.DecodeEvents(out, n)
		if err == nil {
			err = ev.Check(&recs, 0, abi.Names{WellKnown: 1000})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	perRecord(b, n)
}
