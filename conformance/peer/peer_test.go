package peer

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	extism "github.com/extism/go-sdk"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

const (
	root = "../.."

	batch  = 256 // records of a call of ours
	rounds = 15  // ours and the peer's in turn; the fastest of each counts, since what else runs only adds

	received = int64(1_709_294_400_000_000_000)
)

// clang is the compiler of make sdk, or the machine's.
func clang(t *testing.T) string {
	t.Helper()
	own, err := filepath.Abs(filepath.Join(root, ".tmp/sdk/bin/clang"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{own, "clang-19", "clang"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no clang: make sdk")
	return ""
}

// compileC builds a C file with the flags that sdk/c/vedette.h names.
func compileC(t *testing.T, file string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.wasm")
	cmd := exec.Command(clang(t), "--target=wasm32", "-std=c11", "-O3", "-ffreestanding", "-nostdlib", "-mbulk-memory",
		"-Wl,--no-entry,--stack-first,-zstack-size=65536", "-I", filepath.Join(root, "sdk/c"), "-I", filepath.Join(root, "sdk/c/reference"), "-o", out, file)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return read(t, out)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// refLines are records that the reference parser reads, ten fields each.
func refLines(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(`ref ts=%d user=user%d src=10.0.%d.%d port=%d exit=0 tty=no tags=vpn,web level=info msg="logged in from home" session=%d`,
			1_709_294_400_250+i, i%40, i/250, i%250, 1024+i, 100_000+i)
	}
	return out
}

func encode(lines ...string) []byte {
	var e abi.RecordsEncoder
	e.Begin(len(lines), 1, received)
	for _, l := range lines {
		e.Add([]byte(l), "syslog 192.0.2.1:514", received, 0)
	}
	return bytes.Clone(e.Bytes())
}

// load loads a module into a host of its own.
func load(t *testing.T, cfg runtime.Config, spec runtime.ModuleSpec) *runtime.Module {
	t.Helper()
	h, err := runtime.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if spec.Kind == "" {
		spec.Kind = manifest.Parser
	}
	m, err := h.Load(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// checked holds a batch to the ABI, as our runtime does before it hands it out.
func checked(t *testing.T, out, in []byte) {
	t.Helper()
	recs, ok := abi.DecodeRecords(in)
	ev, err := abi.DecodeEvents(out, recs.Len())
	if err == nil {
		err = ev.Check(&recs, 0, abi.Names{WellKnown: 1000, Local: 1})
	}
	if !ok || err != nil {
		t.Fatalf("the answer is no event batch: %v", err)
	}
}

// TestBenchExtism: the same parser in C, with the same answer held to the same rules, once by Extism's Go SDK, one event
// a call with its timeout on, and once by our runtime with its meter on.
func TestBenchExtism(t *testing.T) {
	b := newTable(t, "THE SAME PARSER IN C BESIDE EXTISM (go-sdk v1.7.1)")
	ours := load(t, runtime.Config{}, runtime.ModuleSpec{Digest: "refkv", Wasm: compileC(t, filepath.Join(root, "sdk/c/reference/refkv.c")), Names: []string{"ref.level"}})
	plugin, err := extism.NewPlugin(t.Context(), extism.Manifest{
		Wasm:    []extism.Wasm{extism.WasmData{Data: compileC(t, "testdata/refkv_extism.c")}},
		Timeout: 10_000,
	}, extism.PluginConfig{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer plugin.Close(t.Context())
	lines := refLines(batch)
	whole, single := encode(lines...), make([][]byte, batch)
	for i, l := range lines {
		single[i] = encode(l)
	}
	call := func(in []byte) []byte {
		code, out, err := plugin.Call("parse", in)
		if err != nil || code != 0 {
			t.Fatalf("extism: %d, %v", code, err)
		}
		checked(t, out, in)
		return out
	}
	var r runtime.Result
	parse := func(in []byte) {
		if err := ours.Parse(t.Context(), in, &r); err != nil || len(r.Poison) > 0 {
			t.Fatalf("ours: %v %+v", err, r.Poison)
		}
	}
	sameAnswers(t, single, parse, &r, call)
	var own, one, peer []float64
	for round := range rounds + 1 {
		a := perRecord(t, func() {
			for range 8 { // the clock of CPU time is coarse
				parse(whole)
			}
		}) / 8
		s := perRecord(t, func() {
			for _, in := range single {
				parse(in)
			}
		})
		p := perRecord(t, func() {
			for _, in := range single {
				call(in)
			}
		})
		if round > 0 { // the first fills caches
			own, one, peer = append(own, a), append(one, s), append(peer, p)
		}
	}
	fast, each, theirs := slices.Min(own), slices.Min(one), slices.Min(peer)
	b.figure("Extism, one event a call", "%.0f ns of CPU an event", theirs)
	b.figure("Vedette, one event a call", "%.0f ns of CPU an event, %.1f times as fast", each, theirs/each)
	b.goal(fmt.Sprintf("Vedette, %d events a call", batch), ">= 25 times", theirs/fast >= 25, "%.0f ns of CPU an event, %.1f times as fast", fast, theirs/fast)
}

// sameAnswers requires that both give the same events for each record.
func sameAnswers(t *testing.T, single [][]byte, parse func([]byte), r *runtime.Result, call func([]byte) []byte) {
	t.Helper()
	for _, in := range single[:16] {
		parse(in)
		theirs, err := abi.DecodeEvents(call(in), 1)
		if err != nil {
			t.Fatal(err)
		}
		recs, _ := abi.DecodeRecords(in)
		if a, b := meaning(t, &r.Parts[0].Events, &recs), meaning(t, &theirs, &recs); a != b || a == "" {
			t.Fatalf("ours says %s\nExtism says %s", a, b)
		}
	}
}

func meaning(t *testing.T, ev *abi.Events, recs *abi.Records) string {
	t.Helper()
	rec, _ := recs.Record(0)
	var out string
	for pos, n := 0, 0; n < ev.Count; n++ {
		v, next, err := ev.Next(pos, 0)
		if err != nil {
			t.Fatal(err)
		}
		pos = next
		out += fmt.Sprint(v.Time, v.Flags)
		for i := range v.Len() {
			f, err := ev.Field(&v, i, rec.Raw)
			if err != nil {
				t.Fatal(err)
			}
			out += fmt.Sprintf(" %d%s/%d=%q/%d", f.Name, f.Dynamic, f.Type, f.Bytes, f.SrcOff)
			if f.Bytes == nil {
				out += fmt.Sprint(f.Bits)
			}
		}
	}
	return out
}

// perRecord is the CPU time of f, which handles a batch, per record, in ns: what else runs on the machine counts little.
func perRecord(t *testing.T, f func()) float64 {
	t.Helper()
	began := cpu(t)
	f()
	return float64((cpu(t) - began).Nanoseconds()) / batch
}
