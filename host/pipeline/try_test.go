package pipeline_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// echo is a parser that answers what a record says, byte for byte.
func echo(tb testing.TB) *module.Loaded {
	tb.Helper()
	wasm, err := os.ReadFile(filepath.Join("..", "..", "conformance", "hostile", "echo.wasm"))
	if err != nil {
		tb.Fatal(err)
	}
	rt, err := runtime.New(tb.Context(), runtime.Config{Instances: 1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { rt.Close(tb.Context()) })
	m := manifest.Manifest{Publisher: "test", Name: "echo", Version: "1.0.0", Kind: manifest.Parser, Names: []string{"own"}}
	code, err := rt.Load(tb.Context(), runtime.ModuleSpec{Digest: "echo", Wasm: wasm, Kind: manifest.Parser, Names: m.Names})
	if err != nil {
		tb.Fatal(err)
	}
	return &module.Loaded{Install: module.Install{Name: "test/echo"}, Manifest: m, Code: code}
}

// answer encodes what a parser says of one record.
func answer(write func(e *abi.EventsEncoder)) []byte {
	out := make([]byte, 64<<10)
	var e abi.EventsEncoder
	e.Begin(out, make([]byte, 32<<10), 1)
	e.Record(0)
	write(&e)
	n, _ := e.Finish()
	return out[:n]
}

func try(tb testing.TB, m *module.Loaded, raws ...[]byte) ([]pipeline.Tried, error) {
	tb.Helper()
	var recs []queue.Record
	for _, raw := range raws {
		recs = append(recs, queue.Record{Raw: raw})
	}
	var t pipeline.Trial
	return t.Run(tb.Context(), recs, func(*queue.Record) []*module.Loaded { return []*module.Loaded{m} })
}

func TestTrial(t *testing.T) {
	t.Parallel()
	m := echo(t)
	got, err := try(t, m,
		answer(func(e *abi.EventsEncoder) {
			for range 2 {
				e.Event()
				e.Field(abi.FirstLocal, 0, abi.InRecord, 0, 4<<32, 0, 4)
				e.Field(abi.NameInArena, e.Text("\x09vedette.x"), abi.InRecord, 0, 4<<32, 0, 4)
				e.Field(abi.NameInArena, e.Text("\x02no"), abi.InRecord, 0, 0, 9, 0)
			}
			e.End(abi.OK, "")
		}),
		answer(func(e *abi.EventsEncoder) { e.End(abi.Failed, "broken here") }),
		answer(func(e *abi.EventsEncoder) { e.End(abi.NotMine, "") }),
		answer(func(e *abi.EventsEncoder) { e.End(abi.Drop, "") }),
		[]byte("no batch"),
	)
	if err != nil {
		t.Fatal(err)
	}
	if x := got[0]; len(x.Events) != 2 || x.By != m || x.Failed != "" {
		t.Fatalf("two events became %+v", x)
	}
	// A module does not speak for the host, and what is not there was read from nowhere.
	if e := got[0].Events[1]; len(e.Fields) != 1 || e.Get("own") != "VEB1" || len(e.Spans) != 1 || e.Spans[0] != (pipeline.Span{Field: "own", Start: 0, End: 4}) {
		t.Errorf("the event is %+v", e)
	}
	for i, want := range []struct {
		failed string
		taken  bool
	}{1: {"broken here", true}, 2: {pipeline.NotMine, false}, 3: {"", true}, 4: {"E_ABI: ", true}} {
		if x := got[i]; i > 0 && (!strings.HasPrefix(x.Failed, want.failed) || want.failed == "" && x.Failed != "" || (x.By != nil) != want.taken || len(x.Events) > 0) {
			t.Errorf("record %d became %+v, want %+v", i, x, want)
		}
	}
}

// An answer may say the same bytes many times over; what a trial gives out is bounded.
func TestTrialIsBounded(t *testing.T) {
	t.Parallel()
	m := echo(t)
	raw := func(n int) []byte { // n events of 128 KiB beside the record itself
		b := make([]byte, abi.MaxValueBytes+4<<10)
		copy(b, answer(func(e *abi.EventsEncoder) {
			for range n {
				e.Event()
				e.Field(abi.FirstLocal, 0, abi.InRecord, 0, abi.MaxValueBytes<<32, abi.None, 0)
			}
			e.End(abi.OK, "")
		}))
		return b
	}
	each := abi.MaxValueBytes + 4<<10 + 1<<10 // an event's record and value, at most
	fits := pipeline.MaxTrialBytes / (2 * each)
	if got, err := try(t, m, raw(fits)); err != nil || len(got[0].Events) != fits {
		t.Errorf("%d events: %v", fits, err)
	}
	if _, err := try(t, m, raw(fits), raw(fits/2), raw(fits)); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("more than may be: %v", err)
	}
}

// FuzzTrial: whatever a parser answers, spans lie in the record and events are canonical.
func FuzzTrial(f *testing.F) {
	f.Add(answer(func(e *abi.EventsEncoder) {
		e.Event()
		e.Field(1, 0, abi.InRecord, abi.FlagList, 4<<32, 0, 4)
		e.End(abi.OK, "")
	}))
	f.Add(answer(func(e *abi.EventsEncoder) { e.End(abi.Failed, "why") }))
	f.Add([]byte("VEB1"))
	m := echo(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 64<<10 {
			return
		}
		got, err := try(t, m, raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got[0].Events {
			if again := e.Event; storage.Canonical(&again) != 0 {
				t.Errorf("not canonical: %+v", e.Event)
			}
			for _, s := range e.Spans {
				if s.Start > s.End || int(s.End) > len(raw) || s.Field == "" {
					t.Errorf("span %+v of a record of %d bytes", s, len(raw))
				}
			}
		}
	})
}
