package reference

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/state"
)

func poisons(list []runtime.Poison) []protocol.Poison {
	var out []protocol.Poison
	for _, p := range list {
		out = append(out, protocol.Poison{Record: p.Record, Code: p.Trap.Code, Detail: p.Trap.Detail, Fuel: uint64(p.Trap.Fuel)})
	}
	return out
}

// parse hands records to a parser and resolves its answer against them.
func parse(ctx context.Context, m *runtime.Module, c *protocol.Call, a *protocol.Answer) error {
	var e abi.RecordsEncoder
	e.Begin(len(c.Records), c.Seq, c.At)
	for _, r := range c.Records {
		e.Add(r.Raw, string(r.Source), r.Received, r.Flags)
	}
	var r runtime.Result
	if err := m.Parse(ctx, e.Bytes(), &r); err != nil {
		return err
	}
	a.Fuel, a.Poison = uint64(r.Fuel), poisons(r.Poison)
	a.Outcomes = make([]protocol.Outcome, len(c.Records))
	for _, p := range r.Poison {
		a.Outcomes[p.Record].Poison = true
	}
	for i := range r.Parts {
		if err := part(&r.Parts[i], c, a); err != nil {
			return err
		}
	}
	return nil
}

// part adds what one checked part means.
func part(p *runtime.Part, c *protocol.Call, a *protocol.Answer) error {
	for k := range p.Events.Records {
		o, message, err := p.Events.Outcome(k)
		if err != nil {
			return err
		}
		a.Outcomes[p.First+k] = protocol.Outcome{Outcome: int(o), Message: string(message)}
	}
	pos, last := 0, uint32(0)
	for range p.Events.Count {
		v, next, err := p.Events.Next(pos, last)
		if err != nil {
			return err
		}
		pos, last = next, v.Record
		record := p.First + int(v.Record)
		e := protocol.Event{Record: record, Flags: int(v.Flags), Fields: []protocol.Field{}}
		if v.Time != abi.NoTime {
			e.Time = &v.Time
		}
		for i := range v.Len() {
			f, err := p.Events.Field(&v, i, c.Records[record].Raw)
			if err != nil {
				return err
			}
			e.Fields = append(e.Fields, field(&f))
		}
		a.Events = append(a.Events, e)
	}
	return nil
}

func field(f *abi.Field) protocol.Field {
	out := protocol.Field{Name: protocol.Name{Number: int(f.Name)}, Type: int(f.Type), Flags: int(f.Flags), Text: append(protocol.Bytes(nil), f.Bytes...)}
	if f.Type != abi.InRecord && f.Type != abi.InArena {
		out.Bits = f.Bits
	}
	if f.Name == abi.NameInArena {
		out.Name = protocol.Name{Text: string(f.Dynamic)}
	}
	if f.SrcOff != abi.None {
		out.Source = []int{int(f.SrcOff), int(f.SrcLen)}
	}
	return out
}

// eval hands rows to a rule. One that asks for state begins with none in every call, so that calls can be compared.
func eval(ctx context.Context, m *runtime.Module, c *protocol.Call, a *protocol.Answer) error {
	var e abi.RowsEncoder
	e.Begin(len(c.Rows), c.Columns, c.Seq, c.At)
	for _, r := range c.Rows {
		e.Event(r.Time)
		if len(r.Cells) > c.Columns {
			return fmt.Errorf("a row of %d cells in a batch of %d columns", len(r.Cells), c.Columns)
		}
		for col, cell := range r.Cells {
			if cell != nil {
				e.Cell(col, string(cell))
			}
		}
	}
	var f runtime.Findings
	env := runtime.Env{}
	if m.Stateful() {
		env.State = state.New(state.Limits{}, nil)
	}
	if err := m.EvalIn(ctx, env, e.Bytes(), &f); err != nil {
		return err
	}
	a.Fuel, a.Poison = uint64(f.Fuel), poisons(f.Poison)
	for _, x := range f.List {
		a.Findings = append(a.Findings, protocol.Finding{
			Row: int(x.Event), Severity: int(x.Severity), Title: string(x.Title), Reason: string(x.Reason), Key: string(x.Key),
		})
	}
	return nil
}

// poll has a monitor poll once; a poll that fails is poison, as there is nothing to cut.
func poll(ctx context.Context, m *runtime.Module, c *protocol.Call, a *protocol.Answer) error {
	var p runtime.Polled
	err := m.Poll(ctx, abi.EncodePoll(nil, c.Seq, c.At, c.Cursor), &p)
	a.Fuel = uint64(p.Fuel)
	var t *runtime.Trap
	if errors.As(err, &t) {
		p := protocol.Poison{Code: t.Code, Detail: t.Detail, Fuel: uint64(t.Fuel)}
		if t.Code == runtime.CodeTrap && !strings.Contains(t.Detail, "wasm stack trace:") {
			p.Status = int(abi.StatusFailed) // the runtime gives a reason no trace
		}
		a.Poison = []protocol.Poison{p}
		return nil
	}
	if err != nil {
		return err
	}
	for _, r := range p.Records {
		a.Records = append(a.Records, append(protocol.Bytes{}, r...))
	}
	a.Cursor = append(protocol.Bytes(nil), p.Cursor...)
	return nil
}
