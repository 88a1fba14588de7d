package author

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/sdk/spec"
	"github.com/vedette-siem/vedette/storage"
)

// Limits of one trial, those of the API's samples.
const (
	MaxTrialRecords = 200
	MaxTrialBytes   = 64 << 10 // of one record
)

// Tried is what a spec makes of one record.
type Tried struct {
	Outcome string // "ok", "not mine", "drop" or "failed"
	Message string // why it failed: of the module, or the trap that ended it
	Events  []TriedEvent
}

// TriedEvent is one event of a record.
type TriedEvent struct {
	Time   int64 // ns since the Unix epoch, abi.NoTime when the event has none
	Fields []TriedField
}

// TriedField is one field, or one element of a list-valued one.
type TriedField struct {
	Name, Value    string
	List           bool
	Offset, Length int // the bytes of the record that it was read from; Offset is -1 for none
}

// TrySpec returns what the real module makes of records, in the words of a case file: what a host would make events of
// is host/pipeline's Trial to say. The code is compiled once for all specs. received is the receive time of the records.
// A record that the module does not survive is "failed".
func TrySpec(ctx context.Context, rt *runtime.Host, s *spec.Spec, records [][]byte, received time.Time) ([]Tried, error) {
	if len(records) > MaxTrialRecords {
		return nil, fmt.Errorf("try a spec: %d records, the limit is %d: %w", len(records), MaxTrialRecords, storage.ErrInvalid)
	}
	wasm, err := modules.Interpreter()
	if err != nil {
		return nil, fmt.Errorf("try a spec: %w", err)
	}
	interpreter, err := (&manifest.Package{Wasm: wasm}).Interpreter()
	if err != nil {
		return nil, fmt.Errorf("try a spec: %w", err)
	}
	m, err := rt.Load(ctx, runtime.ModuleSpec{
		Digest: "trial", Wasm: wasm, Kind: manifest.Parser, Settings: s.Settings(), Names: s.Names(), Limits: interpreter.Limits,
		WASIStub: interpreter.WASI == manifest.WASIStub,
	})
	if err != nil {
		return nil, fmt.Errorf("try a spec: %w", err)
	}
	defer func() { _ = m.Close(context.WithoutCancel(ctx)) }() // frees memory; there is nothing to do about an error
	out := make([]Tried, 0, len(records))
	var res runtime.Result
	for _, raw := range records {
		if len(raw) > MaxTrialBytes {
			return nil, fmt.Errorf("try a spec: a record of %d bytes, the limit is %d: %w", len(raw), MaxTrialBytes, storage.ErrInvalid)
		}
		var e abi.RecordsEncoder
		e.Begin(1, 1, received.UnixNano())
		e.Add(raw, "trial 192.0.2.1:514", received.UnixNano(), 0)
		if err := m.Parse(ctx, e.Bytes(), &res); err != nil && !errors.Is(err, runtime.ErrFailing) {
			return nil, fmt.Errorf("try a spec: %w", err)
		}
		t, err := tried(&res, s.Names(), raw)
		if err != nil {
			return nil, fmt.Errorf("try a spec: %w", err)
		}
		out = append(out, t)
	}
	return out, nil
}

// outcomes are the words of a case file for what became of a record.
var outcomes = [...]string{"ok", "not mine", "drop", "failed"}

// tried turns the answer to one record into texts.
func tried(res *runtime.Result, names []string, raw []byte) (Tried, error) {
	if len(res.Parts) == 0 {
		t := Tried{Outcome: "failed"}
		if len(res.Poison) > 0 {
			t.Message = res.Poison[0].Trap.Error()
		}
		return t, nil
	}
	x := &res.Parts[0].Events
	outcome, why, err := x.Outcome(0)
	if err != nil {
		return Tried{}, err
	}
	t := Tried{Outcome: outcomes[outcome], Message: string(why)}
	for pos, n := 0, 0; n < x.Count; n++ {
		v, next, err := x.Next(pos, 0)
		if err != nil {
			return Tried{}, err
		}
		pos = next
		ev := TriedEvent{Time: v.Time}
		for i := range v.Len() {
			f, err := x.Field(&v, i, raw)
			if err != nil {
				return Tried{}, err
			}
			ev.Fields = append(ev.Fields, triedField(&f, names))
		}
		t.Events = append(t.Events, ev)
	}
	return t, nil
}

func triedField(f *abi.Field, names []string) TriedField {
	t := TriedField{Value: string(f.Bytes), List: f.Flags&abi.FlagList != 0, Offset: -1}
	switch local := int(f.Name) - int(abi.FirstLocal); {
	case f.Name == abi.NameInArena:
		t.Name = string(f.Dynamic)
	case local >= 0:
		t.Name = names[local]
	default:
		t.Name = ecs.Names[f.Name]
	}
	switch f.Type {
	case abi.Int:
		t.Value = fmt.Sprint(int64(f.Bits))
	case abi.Time:
		t.Value = string(abi.AppendTime(nil, int64(f.Bits)))
	}
	if f.SrcOff != abi.None {
		t.Offset, t.Length = int(f.SrcOff), int(f.SrcLen)
	}
	return t
}

// PackSpec makes a package of a spec and has what it makes of samples, now, be the package's own cases. The error is a
// *spec.Error, or wraps manifest.ErrInvalid or storage.ErrInvalid.
func PackSpec(ctx context.Context, rt *runtime.Host, about spec.About, yaml []byte, samples [][]byte, received time.Time) (manifest.Package, error) {
	s, err := spec.Check(spec.FileName, yaml)
	if err != nil {
		return manifest.Package{}, err
	}
	wasm, err := modules.Interpreter()
	if err != nil {
		return manifest.Package{}, fmt.Errorf("pack a spec: %w", err)
	}
	var lines [][]byte // a case file holds records of one line
	for _, raw := range samples {
		if raw = bytes.TrimRight(raw, "\r\n"); len(raw) > 0 && !bytes.ContainsAny(raw, "\n") && !bytes.HasPrefix(raw, []byte("-- ")) {
			lines = append(lines, raw)
		}
	}
	got, err := TrySpec(ctx, rt, s, lines, received)
	if err != nil {
		return manifest.Package{}, err
	}
	var cases []manifest.File
	if len(lines) > 0 {
		cases = []manifest.File{{Path: "testdata/samples.txtar", Data: caseFile(lines, got, received)}}
	}
	return spec.Package(about, yaml, wasm, cases)
}

// object returns the event as a case file writes it.
func (ev *TriedEvent) object() map[string]any {
	m := map[string]any{}
	if ev.Time != abi.NoTime {
		m["@timestamp"] = string(abi.AppendTime(nil, ev.Time))
	}
	for _, f := range ev.Fields {
		if list, ok := m[f.Name].([]any); f.List || ok {
			m[f.Name] = append(list, f.Value)
		} else if _, twice := m[f.Name]; !twice {
			m[f.Name] = f.Value
		}
	}
	return m
}

// caseFile writes samples and what became of them as a case (modules/moduletest).
func caseFile(lines [][]byte, got []Tried, received time.Time) []byte {
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	for _, t := range got {
		if t.Outcome != "ok" {
			none := map[string]any{"outcome": t.Outcome}
			if t.Message != "" {
				none["message"] = t.Message
			}
			_ = e.Encode(none) // a map of strings always has a JSON form
			continue
		}
		for _, ev := range t.Events {
			_ = e.Encode(ev.object()) // a map of strings and lists of them always has a JSON form
		}
	}
	return txtar.Format(&txtar.Archive{
		Comment: []byte("What the samples were read as when the package was made.\n"),
		Files: []txtar.File{
			{Name: "received", Data: []byte(received.UTC().Format(time.RFC3339Nano) + "\n")},
			{Name: "input", Data: append(bytes.Join(lines, []byte("\n")), '\n')},
			{Name: "want/events.jsonl", Data: want.Bytes()},
		},
	})
}
