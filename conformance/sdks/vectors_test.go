package sdks

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/conformance/sdks/reference/refhttp"
	"github.com/vedette-siem/vedette/conformance/sdks/reference/refkv"
	"github.com/vedette-siem/vedette/conformance/sdks/reference/refrule"
	"github.com/vedette-siem/vedette/host/runtime"
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

const (
	seq = 42
	at  = int64(1_700_000_000_000_000_000)
)

// cases are the txtar files of a module. want is what its native Go source answers, for people to read.
func cases(t *testing.T, module string, want func(t *testing.T, a *txtar.Archive) string) (all []*txtar.Archive) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join("testdata", module, "*.txtar"))
	if len(files) == 0 {
		t.Fatalf("no cases of %s", module)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, last := want(t, a), &a.Files[len(a.Files)-1]
		if *update {
			last.Data = []byte(got)
			if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(string(last.Data), got); last.Name != "want" || d != "" {
			t.Errorf("%s (-want +got):\n%s", file, d)
		}
		all = append(all, a)
	}
	return all
}

func section(a *txtar.Archive, name string) (lines [][]byte) {
	for _, f := range a.Files {
		if f.Name == name && len(f.Data) > 0 {
			lines = append(lines, bytes.Split(bytes.TrimSuffix(f.Data, []byte("\n")), []byte("\n"))...)
		}
	}
	return lines
}

// raw is the answer as the host copied it out of the sandbox, which only its own package may look at otherwise.
func raw(result any) []byte {
	return bytes.Clone(reflect.ValueOf(result).Elem().FieldByName("out").Bytes())
}

func same(t testing.TB, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("%d bytes, natively %d; they differ from byte %d:\n%x\n%x", len(got), len(want), at, got[at:min(at+64, len(got))], want[at:min(at+64, len(want))])
	}
}

// --- the parser ------------------------------------------------------------------------------------------------------

// records are those of a case: its lines, and lines in hexadecimal.
func records(t *testing.T, a *txtar.Archive) [][]byte {
	t.Helper()
	all := section(a, "input")
	for _, line := range section(a, "hex") {
		b, err := hex.DecodeString(string(line))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func recordBatch(raw ...[]byte) []byte {
	var e abi.RecordsEncoder
	e.Begin(len(raw), seq, at)
	for i, r := range raw {
		e.Add(r, "syslog 192.0.2.1:514", at+int64(i), 0)
	}
	return e.Bytes()
}

// parseNatively is what every build must answer.
func parseNatively(t testing.TB, in []byte) []byte {
	t.Helper()
	var b sdk.Buffers
	status, out := sdk.RunParser(refkv.Parser, in, b.Grow(0, 9<<19))
	if status != abi.StatusOK {
		t.Fatalf("natively: status %d", status)
	}
	return out
}

// dumpEvents writes an event batch for people.
func dumpEvents(t *testing.T, out []byte, raw [][]byte) string {
	t.Helper()
	events, err := abi.DecodeEvents(out, len(raw))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	outcomes := [...]string{"ok", "not mine", "drop", "failed"}
	pos, next := 0, 0
	for i := range raw {
		o, why, err := events.Outcome(i)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%q: %s %s\n", raw[i], outcomes[o], why)
		for next < events.Count {
			e, end, err := events.Next(pos, 0)
			if err != nil {
				t.Fatal(err)
			}
			if int(e.Record) != i {
				break
			}
			pos, next = end, next+1
			b.WriteString("  event")
			if e.Time != abi.NoTime {
				fmt.Fprintf(&b, " at %s", abi.AppendTime(nil, e.Time))
			}
			b.WriteByte('\n')
			for k := range e.Len() {
				f, err := events.Field(&e, k, raw[i])
				if err != nil {
					t.Fatal(err)
				}
				dumpField(&b, &f)
			}
		}
	}
	return b.String()
}

func dumpField(b *strings.Builder, f *abi.Field) {
	name := string(f.Dynamic)
	switch {
	case f.Name >= abi.FirstLocal && f.Name < abi.NameInArena:
		name = fmt.Sprintf("own name %d", f.Name-abi.FirstLocal)
	case f.Name < abi.FirstLocal:
		name = ecs.Names[f.Name]
	}
	fmt.Fprintf(b, "    %s", name)
	if f.Flags&abi.FlagList != 0 {
		b.WriteString("[]")
	}
	switch f.Type {
	case abi.InRecord:
		fmt.Fprintf(b, " = %q", f.Bytes)
	case abi.InArena:
		fmt.Fprintf(b, " = copied %q", f.Bytes)
	case abi.Time:
		fmt.Fprintf(b, " = %s", abi.AppendTime(nil, int64(f.Bits)))
	case abi.Bool:
		fmt.Fprintf(b, " = %t", f.Bits == 1)
	default:
		fmt.Fprintf(b, " = %d", int64(f.Bits))
	}
	if f.SrcOff != abi.None {
		fmt.Fprintf(b, " from %d+%d", f.SrcOff, f.SrcLen)
	}
	b.WriteByte('\n')
}

// parse has a module answer a batch that nothing in it may fail on.
func parse(t testing.TB, m *runtime.Module, in []byte) []byte {
	t.Helper()
	var r runtime.Result
	if err := m.Parse(t.Context(), in, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Parts) != 1 || len(r.Poison) != 0 {
		t.Fatalf("%d parts, poison %v", len(r.Parts), r.Poison)
	}
	return raw(&r)
}

func TestParser(t *testing.T) {
	all := cases(t, "refkv", func(t *testing.T, a *txtar.Archive) string {
		return dumpEvents(t, parseNatively(t, recordBatch(records(t, a)...)), records(t, a))
	})
	for i := range builds {
		b := &builds[i]
		t.Run(b.name, func(t *testing.T) {
			m := b.load(t, newHost(t, runtime.Config{}), "refkv")
			for _, a := range all {
				in := records(t, a)
				same(t, parse(t, m, recordBatch(in...)), parseNatively(t, recordBatch(in...)))
				for _, r := range in { // clause 4.3: whatever stands beside it
					same(t, parse(t, m, recordBatch(r)), parseNatively(t, recordBatch(r)))
				}
			}
			for name, in := range limits() {
				t.Run(name, func(t *testing.T) { same(t, parse(t, m, in), parseNatively(t, in)) })
			}
			for _, in := range mutations(t, all, 40) {
				same(t, parse(t, m, in), parseNatively(t, in))
			}
		})
	}
}

// --- the rule --------------------------------------------------------------------------------------------------------

func rowBatch(t testing.TB, lines [][]byte) []byte {
	t.Helper()
	var e abi.RowsEncoder
	e.Begin(len(lines), 3, seq, at)
	for _, line := range lines {
		var cells []*string
		if err := json.Unmarshal(line, &cells); err != nil || len(cells) != 3 {
			t.Fatalf("%s: %v", line, err)
		}
		e.Event(at)
		for col, c := range cells {
			if c != nil {
				e.Cell(col, *c)
			}
		}
	}
	return e.Bytes()
}

func evalNatively(t testing.TB, in []byte) []byte {
	t.Helper()
	var b sdk.Buffers
	status, out := sdk.RunRule(refrule.Rule, in, b.Grow(0, 1<<20))
	if status != abi.StatusOK {
		t.Fatalf("natively: status %d", status)
	}
	return out
}

func TestRule(t *testing.T) {
	all := cases(t, "refrule", func(t *testing.T, a *txtar.Archive) string {
		in := section(a, "input")
		var b strings.Builder
		err := abi.DecodeFindings(evalNatively(t, rowBatch(t, in)), len(in), func(f abi.Finding) {
			fmt.Fprintf(&b, "%s: severity %d, title %q, reason %q, key %q\n", in[f.Event], f.Severity, f.Title, f.Reason, f.Key)
		})
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	})
	long := strings.Repeat("é", 300)
	wide := [][]byte{fmt.Appendf(nil, "[%q,%q,%q]", "login", long, long), fmt.Appendf(nil, "[%q,%q,%q]", "login_refused", "root", long)}
	all = append(all, &txtar.Archive{Files: []txtar.File{{Name: "input", Data: bytes.Join(wide, []byte("\n"))}}})
	for i := range builds {
		b := &builds[i]
		t.Run(b.name, func(t *testing.T) {
			m := b.load(t, newHost(t, runtime.Config{}), "refrule")
			for _, a := range all {
				in := rowBatch(t, section(a, "input"))
				var f runtime.Findings
				if err := m.Eval(t.Context(), in, &f); err != nil || len(f.Poison) != 0 {
					t.Fatalf("%v, poison %v", err, f.Poison)
				}
				same(t, raw(&f), evalNatively(t, in))
			}
		})
	}
}

// --- the monitor -----------------------------------------------------------------------------------------------------

// poll is one line of a case's input.
type poll struct {
	Settings json.RawMessage
	Cursor   string
	Answer   struct {
		Status  int
		Elapsed int64
		Body    string
		Error   string
		Denied  bool
	}
}

func polls(t *testing.T, a *txtar.Archive) (all []poll) {
	t.Helper()
	for _, line := range section(a, "input") {
		var p poll
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func (p *poll) input() []byte { return abi.EncodePoll(nil, seq, at, []byte(p.Cursor)) }

// answer is what the host gets for the module.
func (p *poll) answer() (runtime.Response, error) {
	switch {
	case p.Answer.Denied:
		return runtime.Response{}, fmt.Errorf("%s: %w", p.Answer.Error, runtime.ErrDenied)
	case p.Answer.Error != "":
		return runtime.Response{}, errors.New(p.Answer.Error)
	}
	return runtime.Response{Status: p.Answer.Status, ElapsedNs: p.Answer.Elapsed, Body: []byte(p.Answer.Body)}, nil
}

// natively returns the answer, or why there is none.
func (p *poll) natively(t *testing.T) ([]byte, string) {
	t.Helper()
	if err := refhttp.Monitor.Init(p.Settings); err != nil {
		return nil, err.Error()
	}
	sdk.NativeFetch = func(string, string) (sdk.HTTPResponse, error) {
		r, err := p.answer()
		switch {
		case errors.Is(err, runtime.ErrDenied):
			err = fmt.Errorf("E_DENIED: %w", err)
		case err != nil:
			err = fmt.Errorf("E_HOST_IO: %w", err)
		}
		return r, err
	}
	defer func() { sdk.NativeFetch = nil }()
	var b sdk.Buffers
	status, out := sdk.RunMonitor(refhttp.Monitor, p.input(), b.Grow(0, 1<<20))
	if status != abi.StatusOK {
		return nil, string(out)
	}
	return out, ""
}

func TestMonitor(t *testing.T) {
	all := cases(t, "refhttp", func(t *testing.T, a *txtar.Archive) string {
		var b strings.Builder
		for _, p := range polls(t, a) {
			out, why := p.natively(t)
			if why != "" {
				fmt.Fprintf(&b, "refused: %s\n", why)
				continue
			}
			records, cursor, err := abi.DecodePolled(out)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s, cursor %s\n", bytes.Join(records, []byte(" ")), cursor)
		}
		return b.String()
	})
	for i := range builds {
		b := &builds[i]
		t.Run(b.name, func(t *testing.T) {
			var now poll
			h := newHost(t, runtime.Config{Fetch: func(context.Context, runtime.Target, string) (runtime.Response, error) { return now.answer() }})
			for _, a := range all {
				for _, now = range polls(t, a) {
					now.run(t, b, h)
				}
			}
		})
	}
}

// run polls a build once and compares what came of it.
func (p *poll) run(t *testing.T, b *build, h *runtime.Host) {
	t.Helper()
	want, why := p.natively(t)
	m, err := h.Load(t.Context(), b.spec(t, "refhttp", p.Settings))
	var got runtime.Polled
	if err == nil {
		err = m.Poll(t.Context(), p.input(), &got)
	}
	switch {
	case why != "" && (err == nil || !strings.Contains(err.Error(), why)):
		t.Errorf("%+v: got %v, want %q", p, err, why)
	case why == "" && err != nil:
		t.Errorf("%+v: %v", p, err)
	case why == "":
		same(t, raw(&got), want)
	}
}

// FuzzParser: no record makes a build answer differently from the source that it is a translation of.
func FuzzParser(f *testing.F) {
	h := newHost(f, runtime.Config{})
	var modules []*runtime.Module
	for i := range builds {
		if builds[i].dist {
			modules = append(modules, builds[i].load(f, h, "refkv"))
		}
	}
	a, err := txtar.ParseFile("testdata/refkv/cases.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, line := range section(a, "input") {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		if len(record) > 64<<10 {
			return
		}
		in := recordBatch(record)
		for _, m := range modules {
			same(t, parse(t, m, in), parseNatively(t, in))
		}
	})
}
