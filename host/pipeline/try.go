package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// NotMine is what a trial says of a record that no parser asked has taken.
const NotMine = "not mine"

// Trial hands records to parsers outside the log: nothing is stored, matched or counted, and events come with the bytes
// that their fields were read from. The zero value is ready. It belongs to one goroutine.
type Trial struct {
	Fuel   int64          // that all trials so far have taken
	Tables runtime.Tables // of the organization; nil: parsers find empty ones

	build *builder
	bytes int // texts of the events so far
	enc   abi.RecordsEncoder
	res   runtime.Result
}

// Tried is what became of one record.
type Tried struct {
	Events []TriedEvent
	By     *module.Loaded // who took it; nil when nobody did
	Failed string         // why there are no events: NotMine, or "CODE: detail" of the parser's failure; "" when it was dropped
}

// TriedEvent is an event in canonical form, without the fields that the host adds, and its spans by their beginning.
type TriedEvent struct {
	storage.Event
	Spans []Span
}

// Span says that a field was read from the bytes [Start, End) of the record.
type Span struct {
	Field      string
	Start, End uint32
}

// trying is a record on its way through the parsers that are asked for it.
type trying struct {
	rec  *queue.Record
	ask  []*module.Loaded
	out  *Tried
	done bool
}

// Run offers each record to the parsers that ask names for it, in that order, until one takes it. The answer has one
// entry for each record. Events hold copies of the records' bytes. The error wraps storage.ErrExhausted when there is
// more than MaxTrialBytes of them; else it is no verdict on a parser: the machine stalled, a parser was closed meanwhile
// (runtime.ErrClosed), or ctx ended.
func (t *Trial) Run(ctx context.Context, recs []queue.Record, ask func(*queue.Record) []*module.Loaded) ([]Tried, error) {
	if t.build == nil {
		t.build = newBuilder()
	}
	out := make([]Tried, len(recs))
	all := make([]trying, len(recs))
	for i := range recs {
		out[i].Failed = NotMine
		all[i] = trying{rec: &recs[i], ask: ask(&recs[i]), out: &out[i]}
	}
	for {
		mod, part := together(all)
		if mod == nil {
			return out, nil
		}
		if err := t.call(ctx, mod, part); err != nil {
			return nil, err
		}
	}
}

// together returns the module that the first record waits for, and the records that can go to it in one crossing.
func together(all []trying) (mod *module.Loaded, part []*trying) {
	size := 0
	for i := range all {
		r := &all[i]
		if r.done || len(r.ask) == 0 || mod != nil && r.ask[0] != mod {
			continue
		}
		n := abi.RecordSize + len(r.rec.Raw) + len(r.rec.Source.Listener) + len(r.rec.Source.Peer) + 1
		if len(part) > 0 && (len(part) == batchRecords || size+n > batchBytes) {
			break
		}
		mod, part, size = r.ask[0], append(part, r), size+n
	}
	return mod, part
}

func (t *Trial) call(ctx context.Context, mod *module.Loaded, part []*trying) error {
	at := part[0].rec.Received
	t.enc.Begin(len(part), 0, at)
	for _, r := range part {
		t.enc.Add(r.rec.Raw, r.rec.Source.Listener+" "+r.rec.Source.Peer, r.rec.Received, uint32(r.rec.Flags)&abi.RecordTruncated)
		r.ask = r.ask[1:]
	}
	err := mod.Code.ParseIn(ctx, runtime.Env{Tables: t.Tables}, t.enc.Bytes(), &t.res)
	t.Fuel += t.res.Fuel
	var trap *runtime.Trap
	gaveUp := errors.Is(err, runtime.ErrFailing) && errors.As(err, &trap)
	if err != nil && !gaveUp {
		return fmt.Errorf("try %s: %w", mod.Name(), err)
	}
	for _, x := range t.res.Poison {
		part[x.Record].fail(mod, x.Trap.Error())
	}
	if gaveUp {
		for _, r := range part[judged(&t.res):] {
			r.fail(mod, trap.Error())
		}
	}
	for i := range t.res.Parts {
		if err := t.take(mod, part[t.res.Parts[i].First:], &t.res.Parts[i].Events); err != nil {
			return fmt.Errorf("try %s: %w", mod.Name(), err)
		}
	}
	return nil
}

func (r *trying) fail(mod *module.Loaded, why string) {
	r.done, r.out.By, r.out.Failed = true, mod, strings.ToValidUTF8(why, "\uFFFD")
}

// take builds the events of one stretch of an answer, which the runtime has checked.
func (t *Trial) take(mod *module.Loaded, part []*trying, ev *abi.Events) error {
	for k := range ev.Records {
		outcome, why, err := ev.Outcome(k)
		switch r := part[k]; {
		case err != nil:
			return err
		case outcome == abi.Failed:
			r.fail(mod, string(why))
		case outcome != abi.NotMine:
			r.done, r.out.By, r.out.Failed = true, mod, ""
		}
	}
	texts := textsOf(ev.Arena())
	pos, prev := 0, uint32(0)
	for range ev.Count {
		v, next, err := ev.Next(pos, prev)
		if err != nil {
			return err
		}
		pos, prev = next, v.Record
		r := part[v.Record]
		e := storage.Event{Received: r.rec.Received, Raw: string(r.rec.Raw)}
		texts.record(e.Raw)
		t.build.event(&e, &v, &mod.Manifest, &texts)
		adjust(&e, v.Time)
		if e.Stream == "" {
			e.Stream = mod.Manifest.Name
		}
		storage.Canonical(&e)
		if t.bytes += textBytes(&e); t.bytes > MaxTrialBytes {
			return fmt.Errorf("the events have more than %d bytes: %w", MaxTrialBytes, storage.ErrExhausted)
		}
		spans, err := spansOf(&e, ev, &v, &mod.Manifest, r.rec.Raw)
		if err != nil {
			return err
		}
		r.out.Events = append(r.out.Events, TriedEvent{e, spans})
	}
	return nil
}

// textBytes is what an event holds, and shows.
func textBytes(e *storage.Event) int {
	n := len(e.Raw)
	for _, f := range e.Fields {
		n += len(f.Name) + len(f.Value)
	}
	return n
}

// spansOf returns where the fields that an event kept were read from.
func spansOf(e *storage.Event, ev *abi.Events, v *abi.Event, m *manifest.Manifest, raw []byte) ([]Span, error) {
	kept := make(map[string]bool, len(e.Fields)+1)
	kept[storage.FieldDataset] = true
	for _, f := range e.Fields {
		kept[f.Name] = true
	}
	var out []Span
	for i := range v.Len() {
		f, err := ev.Field(v, i, raw)
		if err != nil {
			return nil, err
		}
		if name := nameOfField(&f, m); f.SrcOff != abi.None && kept[name] {
			out = append(out, Span{name, f.SrcOff, f.SrcOff + f.SrcLen})
		}
	}
	slices.SortFunc(out, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.Field, b.Field))
	})
	return slices.Compact(out), nil
}

// nameOfField returns the name of a field of a checked batch.
func nameOfField(f *abi.Field, m *manifest.Manifest) string {
	switch {
	case f.Name == abi.NameInArena:
		return string(f.Dynamic)
	case f.Name >= abi.FirstLocal:
		return m.FieldName(f.Name)
	}
	return ecs.Names[f.Name]
}
