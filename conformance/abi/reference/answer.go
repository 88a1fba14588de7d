package reference

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/host/monitor/texts"
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
func parse(ctx context.Context, m *module, c *protocol.Call, a *protocol.Answer) error {
	inForce, err := tablesOf(c.Tables)
	if err != nil {
		return err
	}
	var e abi.RecordsEncoder
	e.Begin(len(c.Records), c.Seq, c.At)
	for _, r := range c.Records {
		e.Add(r.Raw, string(r.Source), r.Received, r.Flags)
	}
	var r runtime.Result
	if err := m.code.ParseIn(ctx, runtime.Env{Tables: inForce}, e.Bytes(), &r); err != nil {
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

// eval hands rows to a rule. One that asks for state begins with none in every call that does not say otherwise, so that
// calls can be compared.
func eval(ctx context.Context, m *module, c *protocol.Call, a *protocol.Answer) error {
	inForce, err := tablesOf(c.Tables)
	if err != nil {
		return err
	}
	var e abi.RowsEncoder
	begin, none := e.Begin, [abi.RefSize]byte{}
	if m.code.Stateful() {
		begin = e.BeginRefs
	}
	begin(len(c.Rows), c.Columns, c.Seq, c.At)
	for _, r := range c.Rows {
		e.Event(r.Time)
		if m.code.Stateful() {
			e.Ref(append(r.Ref[:len(r.Ref):len(r.Ref)], none[:]...))
		}
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
	env := runtime.Env{Tables: inForce}
	if m.code.Stateful() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.state == nil || !c.Keep {
			m.state = state.New(state.Limits{}, nil)
		}
		env.State = m.state
	}
	if err := m.code.EvalIn(ctx, env, e.Bytes(), &f); err != nil {
		return err
	}
	found(a, &f)
	return nil
}

func found(a *protocol.Answer, f *runtime.Findings) {
	a.Fuel, a.Poison = uint64(f.Fuel), poisons(f.Poison)
	for _, x := range f.List {
		a.Findings = append(a.Findings, protocol.Finding{
			Row: int(x.Event), Severity: int(x.Severity), Title: string(x.Title), Reason: string(x.Reason), Key: string(x.Key),
			Evidence: append(protocol.Bytes(nil), x.Evidence...),
		})
	}
}

// due hands a rule the timers that are due.
func due(ctx context.Context, m *module, c *protocol.Call, a *protocol.Answer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state == nil {
		return nil
	}
	var e abi.DueEncoder
	n := 0
	e.Begin(c.Seq, c.At)
	m.state.TakeDue(c.At, abi.MaxDuePerBatch, func(at int64, key string) {
		e.Timer(at, []byte(key))
		n++
	})
	if n == 0 {
		return nil
	}
	var f runtime.Findings
	if err := m.code.DueIn(ctx, runtime.Env{State: m.state}, e.Bytes(), &f); err != nil {
		return err
	}
	found(a, &f)
	return nil
}

// migrate has a rule take over keys, in the pages that the host makes of them.
func migrate(ctx context.Context, m *module, c *protocol.Call, a *protocol.Answer) error {
	old, into := state.New(state.Limits{}, nil), state.New(state.Limits{}, nil)
	old.Begin(c.At)
	for _, k := range c.Keys {
		if err := old.Take(abi.Key{Kind: k.Kind, Ends: k.Ends, Name: k.Name, Value: k.Value}); err != nil {
			return fmt.Errorf("key %q: %w", k.Name, err)
		}
	}
	old.Commit()
	fuel, _, err := m.code.Migrate(ctx, c.Seq, c.At, c.From, old, into)
	if err != nil {
		return err
	}
	a.Fuel = uint64(fuel)
	into.Each(func(k abi.Key) bool {
		a.Keys = append(a.Keys, protocol.Key{Kind: k.Kind, Ends: k.Ends, Name: k.Name, Value: append(protocol.Bytes(nil), k.Value...)})
		return true
	})
	return nil
}

// poll has a monitor poll once; a poll that fails is poison, as there is nothing to cut.
// Texts that it brought are kept when it succeeds.
func poll(ctx context.Context, m *module, c *protocol.Call, a *protocol.Answer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.texts.targets = slices.Concat(m.targets, c.Targets)
	pull := texts.New(&m.texts)
	targets, err := reachable(m.texts.targets, pull)
	if err != nil {
		return err
	}
	var p runtime.Polled
	err = m.code.Poll(ctx, abi.EncodePoll(nil, c.Seq, c.At, c.Cursor), &p, targets...)
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
	m.texts.keep(pull)
	return nil
}
