package runtime

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// TestLies sends the golden event batches and every broken form of them through a guest that answers with its input:
// what decoders refuse never gets out of the runtime.
func TestLies(t *testing.T) {
	dir := "../../sdk/testdata/abi"
	text, err := os.ReadFile(filepath.Join(dir, "events.hex"))
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	good, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Broken []struct {
			Clause, Why, Hex string
			At               int
		}
	}
	text, err = os.ReadFile(filepath.Join(dir, "events.json"))
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil || len(v.Broken) == 0 {
		t.Fatalf("no broken vectors: %v", err)
	}
	m := load(t, newHost(t, Config{}), ModuleSpec{Digest: "echo", Wasm: hostile(t, "echo"), Names: []string{"own"}})
	parse := func(out []byte) *Result {
		r := &Result{}
		// The first record is the answer; the batch has three, as the vector expects.
		if err := m.Parse(t.Context(), encode(string(out), "x", "y"), r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := parse(good); len(r.Parts) != 1 || r.Parts[0].Events.Count != 2 {
		t.Fatalf("the good batch: %+v", r.Poison)
	}
	for _, c := range v.Broken {
		bad := slices.Clone(good)
		patch, _ := hex.DecodeString(c.Hex)
		copy(bad[c.At:], patch)
		if strings.Contains(c.Why, "record") && strings.HasPrefix(c.Clause, "5.4") || c.Clause == "5.5" || strings.Contains(c.Why, "host does not know") || c.Why == "another number of records" {
			continue // holds for the vector's own records and names only
		}
		r := parse(bad)
		if len(r.Parts) > 0 && r.Parts[0].First == 0 || len(r.Poison) == 0 || r.Poison[0].Trap.Code != CodeABI {
			t.Errorf("%s: %+v", c.Why, r)
		}
	}
}

func TestEval(t *testing.T) {
	for n, tool := range toolchains {
		t.Run(tool.name, func(t *testing.T) {
			wasm := buildGuest(t, n, "./testdata/ruleguest")
			m := load(t, newHost(t, Config{}), ModuleSpec{Digest: "rule", Kind: manifest.Rule, Wasm: wasm, WASIStub: true, Limits: tool.limit})
			var e abi.RowsEncoder
			users := []string{"ann", "root", "bob", "boom", "root", ""}
			e.Begin(len(users), 2, seq, at)
			for k, u := range users {
				e.Event(at)
				if u != "" {
					e.Cell(0, u)
				}
				e.Cell(1, fmt.Sprint("key", k))
			}
			var f Findings
			for range 2 {
				if err := m.Eval(t.Context(), e.Bytes(), &f); err != nil {
					t.Fatal(err)
				}
				if len(f.Poison) != 1 || f.Poison[0].Record != 3 {
					t.Fatalf("poison %+v", f.Poison)
				}
				if len(f.List) != 2 || f.List[0].Event != 1 || f.List[1].Event != 4 || string(f.List[1].Key) != "key4" || string(f.List[0].Title) != "root seen" {
					t.Fatalf("findings %+v", f.List)
				}
			}
			if err := m.Parse(t.Context(), encode("x"), &Result{}); err == nil {
				t.Error("a rule parses")
			}
		})
	}
}

// wasiLog collects log lines.
type wasiLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *wasiLog) add(_ string, level uint32, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprint(level, " ", line))
}

func TestWASI(t *testing.T) {
	var seen wasiLog
	h := newHost(t, Config{Log: seen.add})
	wasm := buildGuest(t, 0, "./testdata/wasiguest")
	ask := manifest.Limits{FuelPerCall: 50_000_000, FuelPerRecord: 2_000_000}
	m := load(t, h, ModuleSpec{Digest: "wasi", Wasm: wasm, WASIStub: true, Limits: ask})
	say := func(line string) string {
		var r Result
		if err := m.Parse(t.Context(), encode(line), &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Poison) > 0 {
			return r.Poison[0].Trap.Error()
		}
		_, message, _ := r.Parts[0].Events.Outcome(0)
		return string(message)
	}
	if got, want := say("clock"), fmt.Sprint(at, " true"); got != want {
		t.Errorf("clock: %q, want %q", got, want)
	}
	first := say("random")
	if len(first) != 32 || first != say("random") {
		t.Errorf("random: %q, then %q", first, say("random"))
	}
	if got := say("outside"); !strings.HasPrefix(got, "0") || !strings.Contains(got, "/etc/passwd") {
		t.Errorf("outside: %q", got)
	}
	say("print")
	if !slices.Contains(seen.lines, "1 to standard output") || !slices.Contains(seen.lines, "3 to standard error") {
		t.Errorf("log: %q", seen.lines)
	}
	if got := say("exit"); !strings.HasPrefix(got, "E_TRAP: the module exits with code 3") {
		t.Errorf("exit: %q", got)
	}
	seen.lines = nil
	if got := say("panic"); !strings.HasPrefix(got, "E_TRAP") || !strings.Contains(strings.Join(seen.lines, "\n"), "on purpose") {
		t.Errorf("panic: %q, log %q", got, seen.lines)
	}
	if got := say("other"); got != "" {
		t.Errorf("after a failure: %q", got)
	}
	_, err := h.Load(t.Context(), ModuleSpec{Digest: "w", Kind: manifest.Parser, Wasm: wasm})
	trapOf(t, err, CodeImport, "wasi_snapshot_preview1.fd_write (not granted)")
}

func TestWideRecords(t *testing.T) {
	m := load(t, newHost(t, Config{}), ModuleSpec{Digest: "kv", Wasm: buildGuest(t, 0, "./testdata/kvguest"), WASIStub: true, Limits: toolchains[0].limit})
	big := "k=" + strings.Repeat("v", abi.MaxRecordBytes-2)
	// One key in 2 bytes: the answer to 100 KiB needs more than the ordinary OUT.
	many := strings.Repeat("src=1 ", 20<<10)
	var r Result
	for _, lines := range [][]string{{big}, {"a=1", big, "b=2"}, {many}, {"a=1", many, many, many, "b=2"}} {
		if err := m.Parse(t.Context(), encode(lines...), &r); err != nil {
			t.Fatal(err)
		}
		records := 0
		for _, p := range r.Parts {
			records += p.Events.Records
		}
		if records != len(lines) || len(r.Poison) != 0 {
			t.Errorf("%d of %d records, poison %+v", records, len(lines), r.Poison)
		}
	}
	if err := m.Parse(t.Context(), encode(big, big, big), &r); err == nil {
		t.Error("a batch longer than the widest IN is accepted")
	}
}

func TestCacheDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	wasm := hostile(t, "poison_trap")
	for range 2 {
		h := newHost(t, Config{CacheDir: dir})
		load(t, h, ModuleSpec{Digest: "p", Wasm: wasm})
	}
	files, _ := filepath.Glob(filepath.Join(dir, "meter-*", "*", "*"))
	if len(files) == 0 {
		t.Error("nothing was kept")
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := New(t.Context(), Config{CacheDir: dir}); err == nil {
		t.Error("a directory that others may read is accepted")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(t.Context(), Config{CacheDir: file}); err == nil {
		t.Error("a file is accepted as a directory")
	}
}

func TestClosedHost(t *testing.T) {
	h, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Load(t.Context(), ModuleSpec{Digest: "p", Kind: manifest.Parser, Wasm: hostile(t, "echo")}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}
