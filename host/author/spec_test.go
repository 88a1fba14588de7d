package author_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/sdk/spec"
	"github.com/vedette-siem/vedette/storage"
)

const doorSpec = `framing: none
prefix: door
set: {event.dataset: door.log}
templates:
  - "door={door.name:word} badge={user.name:quoted} result={event.action:word} after {event.duration:int}{? at {event.start:time}}"
`

var received = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

func newRuntime(t testing.TB) *runtime.Host {
	t.Helper()
	rt, err := runtime.New(t.Context(), runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close(t.Context()) })
	return rt
}

func TestNewSpecPassesItsOwnCases(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "doors")
	if err := author.NewSpec(dir); err != nil {
		t.Fatal(err)
	}
	if err := author.NewSpec(dir); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("a second time: %v", err)
	}
	if err := author.NewSpec(filepath.Join(t.TempDir(), "No Name")); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("a bad name: %v", err)
	}
	p, err := author.Build(t.Context(), dir, author.StandardGo)
	if err != nil {
		t.Fatal(err)
	}
	o, err := author.Test(t.Context(), p, filepath.Join(t.TempDir(), "cache"))
	if err != nil || len(o.Failures) > 0 || o.Cases != 3 {
		t.Fatalf("%+v, %v", o, err)
	}
	if r, err := author.Inspect(p); err != nil || r.Digest != manifest.Sum(p.Wasm) {
		t.Errorf("%+v, %v", r, err)
	}
	file := filepath.Join(dir, spec.FileName)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("user.name"), []byte("user.nome"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := author.Build(t.Context(), dir, author.StandardGo); !errors.Is(err, manifest.ErrInvalid) || !strings.Contains(err.Error(), "spec.yaml:8:44: user.nome is not a field of ECS (did you mean user.name?") {
		t.Errorf("a mistake: %v", err)
	}
}

func TestTrySpec(t *testing.T) {
	rt := newRuntime(t)
	s, problems := spec.Parse([]byte(doorSpec))
	if s == nil {
		t.Fatal(problems)
	}
	raw := `door=north badge="a \"b\"" result=open after 012 at 2024-03-01T12:00:00Z`
	got, err := author.TrySpec(t.Context(), rt, s, [][]byte{[]byte(raw), []byte("else")}, received)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Outcome != "ok" || got[1].Outcome != "not mine" || len(got[0].Events) != 1 {
		t.Fatalf("%+v", got)
	}
	var lines []string
	for _, f := range got[0].Events[0].Fields {
		at := "-"
		if f.Offset >= 0 {
			at = raw[f.Offset : f.Offset+f.Length]
		}
		lines = append(lines, fmt.Sprintf("%s=%s from %s %t", f.Name, f.Value, at, f.List))
	}
	want := `door.name=north from north false
user.name=a "b" from a \"b\" false
related.user=a "b" from a \"b\" true
event.action=open from open false
event.duration=12 from 012 false
event.start=2024-03-01T12:00:00.000Z from 2024-03-01T12:00:00Z false
event.dataset=door.log from - false`
	if text := strings.Join(lines, "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	if _, err := author.TrySpec(t.Context(), rt, s, make([][]byte, author.MaxTrialRecords+1), received); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("one record too many: %v", err)
	}
	if _, err := author.TrySpec(t.Context(), rt, s, [][]byte{make([]byte, author.MaxTrialBytes+1)}, received); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("one byte too many: %v", err)
	}
}

// TestPackSpec: from a pasted line to a package that its own cases vouch for.
func TestPackSpec(t *testing.T) {
	rt := newRuntime(t)
	lines := [][]byte{
		[]byte("<13>Mar  1 12:00:00 gate doord[7]: badge 77 of ada refused at \"vault\" from 192.0.2.7:99"),
		[]byte("<13>Mar  1 12:00:01 gate doord[7]: badge 78 of eve opened at \"north\" from 192.0.2.8:98\n"),
		[]byte("-- no sample of a case file"),
	}
	yaml := spec.Suggest([]string{string(lines[0]), string(lines[1])}, "")
	p, err := author.PackSpec(t.Context(), rt, spec.About{Name: "doors", Description: "Doors."}, []byte(yaml), lines, received)
	if err != nil {
		t.Fatalf("%s\n%v", yaml, err)
	}
	o, err := author.Test(t.Context(), p, filepath.Join(t.TempDir(), "cache"))
	if err != nil || len(o.Failures) > 0 || o.Cases != 2 {
		t.Fatalf("%+v, %v\n%s", o, err, p.Vectors[0].Data)
	}
	if bytes.Contains(p.Vectors[0].Data, []byte("not mine")) {
		t.Errorf("the suggestion does not read its samples:\n%s\n%s", yaml, p.Vectors[0].Data)
	}
	var tar bytes.Buffer
	if err := layout.Pack(p, &tar); err != nil {
		t.Fatal(err)
	}
	back, err := layout.Import(&tar)
	if err != nil || back.Manifest.Reference() != "local/doors:1.0.0" || !bytes.Equal(back.Wasm, p.Wasm) {
		t.Errorf("%s: %v", back.Manifest.Reference(), err)
	}
	if _, err := author.PackSpec(t.Context(), rt, spec.About{Name: "x"}, []byte("framing: xml"), nil, received); !errors.Is(err, manifest.ErrInvalid) {
		t.Errorf("a bad spec: %v", err)
	}
}

// BenchmarkTrySpec is a spec packed with five samples: check it, load it, read them. Another spec is loaded, as
// on a host always, so that nothing is compiled.
func BenchmarkTrySpec(b *testing.B) {
	rt := newRuntime(b)
	wasm, err := modules.Interpreter()
	if err != nil {
		b.Fatal(err)
	}
	other, problems := spec.Parse([]byte(doorSpec))
	if other == nil {
		b.Fatal(problems)
	}
	if _, err := rt.Load(b.Context(), runtime.ModuleSpec{Digest: "other", Wasm: wasm, Kind: manifest.Parser, Settings: other.Settings(), Names: other.Names(), WASIStub: true}); err != nil {
		b.Fatal(err)
	}
	record := []byte(`door=north badge="ada" result=open after 012`)
	try := func() {
		s, problems := spec.Parse([]byte(doorSpec))
		if s == nil {
			b.Fatal(problems)
		}
		if _, err := author.TrySpec(b.Context(), rt, s, [][]byte{record, record, record, record, record}, received); err != nil {
			b.Fatal(err)
		}
	}
	try()
	for b.Loop() {
		try()
	}
}
