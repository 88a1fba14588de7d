package dist

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/sdk/spec"
	"github.com/vedette-siem/vedette/storage"
)

func newRuntime(t testing.TB) *runtime.Host {
	t.Helper()
	rt, err := runtime.New(t.Context(), runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close(t.Context()) })
	return rt
}

func prepare(t testing.TB, rt *runtime.Host, p manifest.Package) *module.Loaded {
	t.Helper()
	lib := module.NewLibrary(nil, rt, func(storage.Tenant, string) []runtime.Target { return nil })
	m, err := lib.Prepare(t.Context(), storage.NoTenant, module.Install{Name: p.Manifest.Publisher + "/" + p.Manifest.Name, Digest: "candidate"}, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Code.Close(t.Context()) })
	return m
}

// TestDeclarativeCasesPassInTheSandbox runs the cases of the declarative parser, which pass natively beside its source,
// as packages of their own.
func TestDeclarativeCasesPassInTheSandbox(t *testing.T) {
	wasm, err := modules.Interpreter()
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("../../modules/parsers/declarative/testdata/*.txtar")
	if len(files) == 0 {
		t.Fatal("no cases")
	}
	rt := newRuntime(t)
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var yaml []byte
			for _, f := range txtar.Parse(src).Files {
				if f.Name == spec.FileName {
					yaml = f.Data
				}
			}
			p, err := spec.Package(spec.About{Name: strings.TrimSuffix(filepath.Base(name), ".txtar")}, yaml, wasm,
				[]manifest.File{{Path: "testdata/case.txtar", Data: src}})
			if err != nil {
				t.Fatal(err)
			}
			o, err := pipeline.Test(t.Context(), prepare(t, rt, p), p.Vectors)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range o.Failures {
				t.Error(f)
			}
			if o.Cases == 0 {
				t.Error("no cases ran")
			}
		})
	}
}

// TestSpecsShareOneCompilation: the second spec costs a small part of what the first one costs, which compiles the code.
func TestSpecsShareOneCompilation(t *testing.T) {
	wasm, err := modules.Interpreter()
	if err != nil {
		t.Fatal(err)
	}
	rt := newRuntime(t)
	load := func(i int) time.Duration {
		yaml := fmt.Sprintf("prefix: p%d\nset: {event.dataset: p%d.log}\ntemplates: [\"spec number %d of {user.name:word}\"]\n", i, i, i)
		p, err := spec.Package(spec.About{Name: fmt.Sprintf("spec-%d", i)}, []byte(yaml), wasm, nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		prepare(t, rt, p)
		return time.Since(start)
	}
	first := load(0)
	best := first
	for i := 1; i <= 8; i++ {
		best = min(best, load(i))
	}
	t.Logf("the first spec took %v, the best of eight others %v", first, best)
	if best > first/3 {
		t.Errorf("the first spec took %v, others %v at best: they are compiled again", first, best)
	}
}

// TestHostileSpecsStayWithinTheirFuel: the most ambiguous specs that are accepted never make a record poison.
func TestHostileSpecsStayWithinTheirFuel(t *testing.T) {
	var wide, deep, many strings.Builder
	for i := range spec.MaxWidth {
		fmt.Fprintf(&wide, "  - \"{:text}aaaaaaaaaaaaaa%02d\"\n", i)
	}
	deep.WriteString("  - \"" + strings.Repeat("{:text}a", 64) + "b\"\n")
	for i := range 1000 {
		fmt.Fprintf(&many, "  - \"%d{:int}a{:word} b\"\n", i)
	}
	rt := newRuntime(t)
	for name, templates := range map[string]string{"wide": wide.String(), "deep": deep.String(), "many": many.String()} {
		s, problems := spec.Parse([]byte("match: [none]\ntemplates:\n" + templates))
		if s == nil {
			t.Fatalf("%s: %v", name, problems[0])
		}
		records := [][]byte{
			[]byte(strings.Repeat("a", 60<<10)), []byte(strings.Repeat("aaaa aaaaaaaaaaaaa0", 3000)), []byte("a"), []byte(strings.Repeat("9", 17) + "a"),
			[]byte(strings.Repeat("aaaaaaaaaaaaaa0", 20)),
		}
		start := time.Now()
		got, err := author.TrySpec(t.Context(), rt, s, records, time.Unix(0, 0))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, g := range got {
			if g.Outcome != "not mine" {
				t.Errorf("%s: record %d is %s: %s", name, i, g.Outcome, g.Message)
			}
		}
		t.Logf("%s: %v", name, time.Since(start))
	}
}

// TestLargestSpecFits: what Parse takes fits into the settings and the memory of an ordinary instance.
func TestLargestSpecFits(t *testing.T) {
	var s *spec.Spec
	for n := 350; s == nil && n > 0; n -= 25 {
		src := []byte("prefix: p\ntemplates:\n")
		for i := range n {
			src = fmt.Appendf(src, "  - \"%s %s\"\n", strings.Repeat(fmt.Sprintf("%dx", i), 20), strings.Repeat("{:int} ", 12))
		}
		s, _ = spec.Parse(src)
	}
	if s == nil || len(s.Settings()) < spec.MaxProgramBytes {
		t.Fatal("no spec near the limit")
	}
	t.Logf("settings of %d bytes", len(s.Settings()))
	line := strings.Repeat("7x", 20) + " " + strings.TrimSpace(strings.Repeat("5 ", 12))
	got, err := author.TrySpec(t.Context(), newRuntime(t), s, [][]byte{[]byte(line + " "), []byte(line)}, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	for _, g := range got {
		if g.Outcome == "failed" {
			t.Errorf("%+v", g)
		}
	}
}

// BenchmarkDeclarative reads one line of sshd in the sandbox; modules/parsers/declarative has the same natively.
func BenchmarkDeclarative(b *testing.B) {
	wasm, err := modules.Interpreter()
	if err != nil {
		b.Fatal(err)
	}
	yaml := `framing: syslog
programs: [sshd]
prefix: sshd
set: {event.dataset: system.auth, event.module: system, event.kind: event, event.category: [authentication]}
templates:
  - text: "Failed {sshd.method:word} for {?invalid user }{user.name:text(last)} from {source.ip:ip} port {source.port:int}{? ssh2}"
    set: {event.action: ssh_login, event.outcome: failure}
  - text: "Accepted {sshd.method:word} for {user.name:text(last)} from {source.ip:ip} port {source.port:int}{? ssh2}"
    set: {event.action: ssh_login, event.outcome: success}
  - text: "Invalid user {user.name:text(last)} from {source.ip:ip}{? port {source.port:int}}"
    set: {event.action: ssh_login, event.outcome: failure}
`
	p, err := spec.Package(spec.About{Name: "bench"}, []byte(yaml), wasm, nil)
	if err != nil {
		b.Fatal(err)
	}
	m := prepare(b, newRuntime(b), p)
	const n = 256
	line := []byte("<38>Feb 29 08:00:02 web-3 sshd[2102]: Failed password for invalid user oracle from 203.0.113.7 port 40022 ssh2")
	var e abi.RecordsEncoder
	e.Begin(n, 1, 0)
	for range n {
		e.Add(line, "test 192.0.2.1:514", 1709294400e9, 0)
	}
	in := e.Bytes()
	var res runtime.Result
	if err := m.Code.Parse(b.Context(), in, &res); err != nil || res.Parts[0].Events.Count != n {
		b.Fatalf("%d parts, %v", len(res.Parts), err)
	}
	fuel := float64(res.Fuel) / n
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%n == 0 {
			if err := m.Code.Parse(b.Context(), in, &res); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(fuel, "fuel/op")
}
