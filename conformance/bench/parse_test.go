package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/demo"
	"github.com/vedette-siem/vedette/host/module"
	hostruntime "github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Size of a parse run.
const (
	parseBatch  = 256 // records of a call at most, as in the pipeline
	parseBytes  = 64 << 10
	parseRounds = 20 // native and guest in turn
	parseCalls  = 20 // of a round
)

// TestBenchParse: each shipped parser natively and in the sandbox, on the same batch of the demo's traffic. The guest's
// figure holds the meter, the restore, the crossing and the check of its answer.
func TestBenchParse(t *testing.T) {
	b := newTable(t, "PARSE ONE RECORD")
	code, err := hostruntime.New(t.Context(), hostruntime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer code.Close(t.Context())
	library := module.NewLibrary(nil, code, func(storage.Tenant, string) []hostruntime.Target { return nil })
	all, err := modules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Manifest.Kind != manifest.Parser || p.Manifest.Entry.Spec != "" {
			continue // a spec has no source of its own
		}
		name := p.Manifest.Publisher + "/" + p.Manifest.Name
		m, err := library.Prepare(t.Context(), storage.NoTenant, module.Install{Name: name, Digest: name}, p)
		if err != nil {
			t.Fatal(err)
		}
		batch, n, taken := batchFor(t, &p.Manifest)
		native := startNative(t, p.Manifest.Name, batch)
		var guest hostruntime.Result
		var natives, guests []float64 // of the rounds; the fastest counts, since what else runs only adds
		var inside, outside cost
		for round := range parseRounds + 1 {
			o := native.run(parseCalls)
			g := measure(t, func() error { return m.Code.Parse(t.Context(), batch, &guest) }, parseCalls)
			if round == 0 {
				continue // buffers grow and caches fill
			}
			natives, guests = append(natives, o.ns), append(guests, g.ns)
			outside, inside = o, g
		}
		native.close()
		per := float64(n)
		fastNative, fastGuest := slices.Min(natives), slices.Min(guests)
		ratio := fastGuest / fastNative
		b.goal(name, "<= 4", ratio <= 4, "native %.0f ns %.2f allocs, guest %.0f ns %.2f allocs %.0f fuel (%d of %d its own): ratio %.1f", fastNative/per, outside.allocs/per,
			fastGuest/per, inside.allocs/per, float64(guest.Fuel)/per, taken, n, ratio)
	}
}

// cost is what one call costs.
type cost struct{ ns, allocs float64 }

func measure(t *testing.T, call func() error, n int) cost {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	for range n {
		if err := call(); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return cost{float64(took.Nanoseconds()) / float64(n), float64(after.Mallocs-before.Mallocs) / float64(n)}
}

// batchFor encodes lines of the demo's traffic that the router would hand to a parser first; a parser that gets none of
// them is given lines of all kinds.
func batchFor(t *testing.T, m *manifest.Manifest) (batch []byte, n, taken int) {
	t.Helper()
	router := module.NewRouter([]module.Candidate{{Name: m.Name, Match: m.Match}})
	var scratch module.Scratch
	traffic := demo.NewTraffic(demo.Orgs()[0], 1)
	now := time.Now()
	var own, other [][]byte
	for i := 0; i < 100*parseBatch && len(own) < parseBatch; i++ {
		line := traffic.Line(now)
		if to, generic := router.Route(nil, line, "", &scratch); generic > 0 && len(to) > 0 {
			own = append(own, line)
		} else {
			other = append(other, line)
		}
	}
	taken = len(own)
	lines, size := append(own, other...)[:parseBatch], 0
	for n = 0; n < len(lines) && size+len(lines[n]) <= parseBytes; n++ {
		size += len(lines[n])
	}
	var e abi.RecordsEncoder
	e.Begin(n, 1, now.UnixNano())
	for _, line := range lines[:n] {
		e.Add(line, "http 192.0.2.1", now.UnixNano(), 0)
	}
	return e.Bytes(), n, min(taken, n)
}

// native is a parser as a process of its own.
type native struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	name string
}

// startNative builds a module's source for this machine, with a main function that measures.
func startNative(t *testing.T, name string, batch []byte) *native {
	t.Helper()
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := filepath.Abs("../..")
	must(err)
	source, err := testdata.ReadFile("testdata/native/main.go.txt")
	must(err)
	must(os.WriteFile(filepath.Join(dir, "main.go"), source, 0o600))
	must(os.WriteFile(filepath.Join(dir, "batch"), batch, 0o600))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "modules", "parsers", name, "main.go"): filepath.Join(dir, "main.go"),
	}})
	must(err)
	must(os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", filepath.Join(dir, name), "./modules/parsers/"+name)
	build.Dir = root
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s natively: %v\n%s", name, err, text)
	}
	n := &native{t: t, name: name, cmd: exec.Command(filepath.Join(dir, name), filepath.Join(dir, "batch"))}
	n.in, err = n.cmd.StdinPipe()
	must(err)
	out, err := n.cmd.StdoutPipe()
	must(err)
	n.out = bufio.NewScanner(out)
	must(n.cmd.Start())
	return n
}

func (n *native) run(calls int) cost {
	n.t.Helper()
	fmt.Fprintln(n.in, calls)
	var ns, allocs, size float64
	if !n.out.Scan() {
		n.t.Fatalf("%s ended: %v", n.name, n.out.Err())
	}
	if _, err := fmt.Fscan(strings.NewReader(n.out.Text()), &ns, &allocs, &size); err != nil {
		n.t.Fatal(err)
	}
	return cost{ns / float64(calls), allocs / float64(calls)}
}

func (n *native) close() {
	n.t.Helper()
	n.in.Close()
	if err := n.cmd.Wait(); err != nil {
		n.t.Error(err)
	}
}
