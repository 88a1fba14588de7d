package runtime

import (
	"context"
	"errors"
	"fmt"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Part is the checked answer to a stretch of a batch: every Outcome, Next and Field of Events succeeds. Record k of
// Events is record First+k of the batch.
type Part struct {
	First  int
	Events abi.Events
}

// Poison is a record that the module fails on by itself.
type Poison struct {
	Record int
	Trap   *Trap
}

// Result is what became of a batch. It is reused: a call overwrites what the last one left, views into it included.
type Result struct {
	Parts  []Part   // in the order of records; a single one unless something failed
	Poison []Poison // records that are in no part, in order
	Fuel   int64    // consumed by all calls that the batch needed: the same on every machine
	Work   Work     // of all those calls
	out    []byte
}

func (r *Result) reset() {
	r.Parts, r.Poison, r.Fuel, r.Work, r.out = r.Parts[:0], r.Poison[:0], 0, Work{}, r.out[:0]
}

// Parse has a parser answer a record batch (ABI 4, at most Limits.WideInBytes). When the guest fails, the batch is cut
// until the records that it fails on stand alone, within twice the batch's budget in all; they are returned as Poison
// and the others as Parts, so every record of the batch is in exactly one of them.
//
// Errors: ErrFailing with the last *Trap when there is more poison than Limits.PoisonRecords: suspend the module.
// ErrStalled, ErrClosed and the context's are no verdict; a Result is then incomplete.
func (m *Module) Parse(ctx context.Context, in []byte, out *Result) error {
	return m.ParseIn(ctx, Env{}, in, out)
}

// ParseIn is Parse for an organization. Parsers have no state.
func (m *Module) ParseIn(ctx context.Context, env Env, in []byte, out *Result) error {
	out.reset()
	if m.spec.Kind != manifest.Parser {
		return fmt.Errorf("parse with %s: it is a %s", m.spec.Digest, m.spec.Kind)
	}
	recs, ok := abi.DecodeRecords(in)
	if !ok {
		return fmt.Errorf("parse with %s: the input is no record batch", m.spec.Digest)
	}
	c := cutter{m: m, n: recs.Len(), batch: batch{recs.Seq, recs.At}, env: Env{Tables: env.Tables}, fuel: &out.Fuel, work: &out.Work}
	c.share = func(i int) int64 {
		rec, _ := recs.Record(i)
		return m.price.record + m.price.byte*int64(abi.RecordSize+len(rec.Raw)+len(rec.Source))
	}
	c.encode = func(lo, hi int) []byte {
		var e abi.RecordsEncoder
		e.Begin(hi-lo, recs.Seq, recs.At)
		for i := lo; i < hi; i++ {
			rec, _ := recs.Record(i)
			e.Add(rec.Raw, string(rec.Source), rec.Received, rec.Flags)
		}
		return e.Bytes()
	}
	c.take = func(lo, hi int, b []byte) error { return m.takeEvents(&recs, lo, hi, b, out) }
	c.poison = func(i int, t *Trap) { out.Poison = append(out.Poison, Poison{i, t}) }
	return c.run(ctx, in)
}

// takeEvents copies OUT once, into memory that no guest can reach, and checks the copy.
func (m *Module) takeEvents(recs *abi.Records, lo, hi int, b []byte, out *Result) error {
	start := len(out.out)
	out.out = append(out.out, b...)
	ev, err := abi.DecodeEvents(out.out[start:len(out.out):len(out.out)], hi-lo)
	if err == nil {
		err = ev.Check(recs, lo, abi.Names{WellKnown: len(ecs.Names) - 1, Local: len(m.spec.Names)})
	}
	if err != nil {
		out.out = out.out[:start]
		return err
	}
	out.Parts = append(out.Parts, Part{First: lo, Events: ev})
	return nil
}

// Findings is what a rule has found in a batch of rows or timers. It is reused like Result.
type Findings struct {
	List   []abi.Finding // Event is the row of the batch; texts are views into this value
	Poison []Poison      // rows that the rule fails on
	Fuel   int64
	Work   Work
	out    []byte
}

// Eval has a rule look at a batch of rows (ABI 6). Failures are treated as Parse does.
func (m *Module) Eval(ctx context.Context, in []byte, out *Findings) error {
	return m.EvalIn(ctx, Env{}, in, out)
}

// EvalIn is Eval for an organization.
func (m *Module) EvalIn(ctx context.Context, env Env, in []byte, out *Findings) error {
	out.reset()
	if m.spec.Kind != manifest.Rule {
		return fmt.Errorf("eval with %s: it is a %s", m.spec.Digest, m.spec.Kind)
	}
	rows, ok := abi.DecodeRows(in)
	if !ok {
		return fmt.Errorf("eval with %s: the input is no batch of rows", m.spec.Digest)
	}
	c := cutter{m: m, n: rows.Len, batch: batch{rows.Seq, rows.At}, env: env, fuel: &out.Fuel, work: &out.Work}
	c.share = func(i int) int64 {
		n := 8 + rows.Cols*abi.CellSize
		for col := range rows.Cols {
			n += len(rows.Cell(i, col))
		}
		return m.price.record + m.price.byte*int64(n)
	}
	c.encode = func(lo, hi int) []byte { return encodeRows(&rows, lo, hi) }
	out.answer(&c, abi.DecodeFindings)
	return c.run(ctx, in)
}

// DueIn has a rule answer timers that are due (ABI 20.3). Event of a finding is the timer of the batch. Failures are
// treated as Parse does, with a timer for a record.
func (m *Module) DueIn(ctx context.Context, env Env, in []byte, out *Findings) error {
	out.reset()
	if !m.timed {
		return fmt.Errorf("wake %s: it sets no timers", m.spec.Digest)
	}
	due, ok := abi.DecodeDue(in)
	if !ok {
		return fmt.Errorf("wake %s: the input is no batch of timers", m.spec.Digest)
	}
	c := cutter{m: m, entry: entryDue, n: due.Len, batch: batch{due.Seq, due.At}, env: env, fuel: &out.Fuel, work: &out.Work}
	c.share = func(i int) int64 {
		_, key := due.Timer(i)
		return m.price.record + m.price.byte*int64(abi.DueSize+len(key))
	}
	c.encode = func(lo, hi int) []byte {
		var e abi.DueEncoder
		e.Begin(due.Seq, due.At)
		for i := lo; i < hi; i++ {
			e.Timer(due.Timer(i))
		}
		return e.Bytes()
	}
	out.answer(&c, abi.DecodeTimed)
	return c.run(ctx, in)
}

func (f *Findings) reset() {
	f.List, f.Poison, f.Fuel, f.Work, f.out = f.List[:0], f.Poison[:0], 0, Work{}, f.out[:0]
}

// answer has a cutter's answers, as decode reads them, come here.
func (f *Findings) answer(c *cutter, decode func(b []byte, rows int, each func(abi.Finding)) error) {
	c.take = func(lo, hi int, b []byte) error {
		start, found := len(f.out), len(f.List)
		f.out = append(f.out, b...)
		err := decode(f.out[start:len(f.out):len(f.out)], hi-lo, func(x abi.Finding) {
			x.Event += uint32(lo)
			f.List = append(f.List, x)
		})
		if err != nil {
			f.out, f.List = f.out[:start], f.List[:found]
		}
		return err
	}
	c.poison = func(i int, t *Trap) { f.Poison = append(f.Poison, Poison{i, t}) }
}

func encodeRows(rows *abi.Rows, lo, hi int) []byte {
	var e abi.RowsEncoder
	begin := e.Begin
	if rows.Len > 0 && rows.Ref(0) != nil {
		begin = e.BeginRefs
	}
	begin(hi-lo, rows.Cols, rows.Seq, rows.At)
	for i := lo; i < hi; i++ {
		e.Event(rows.Time(i))
		if ref := rows.Ref(i); ref != nil {
			e.Ref(ref)
		}
		for col := range rows.Cols {
			if cell := rows.Cell(i, col); cell != nil {
				e.Cell(col, string(cell))
			}
		}
	}
	return e.Bytes()
}

// Polled is what a monitor has found. It is reused like Result.
type Polled struct {
	Records [][]byte // enter by the queue like any sender's
	Cursor  []byte   // to be handed to the next poll
	Fuel    int64
	Work    Work
	out     []byte
}

// Poll has a monitor poll once (ABI 7), with targets of this poll beside those of the module. It is not tried again: it
// may have reached the outside. Errors: *Trap, or as Parse; ErrStalled when the poll's time ran out.
func (m *Module) Poll(ctx context.Context, in []byte, out *Polled, targets ...Target) error {
	out.Records, out.Cursor, out.Fuel, out.Work = nil, nil, 0, Work{}
	if m.spec.Kind != manifest.Monitor {
		return fmt.Errorf("poll with %s: it is a %s", m.spec.Digest, m.spec.Kind)
	}
	req, ok := abi.DecodePoll(in)
	if !ok {
		return fmt.Errorf("poll with %s: the input is no poll", m.spec.Digest)
	}
	q := request{in: in, targets: targets, batch: batch{req.Seq, req.At}, budget: m.price.call + m.price.byte*int64(len(in)), timeout: m.spec.Timeout, tries: 1, work: &out.Work}
	fill(&q.timeout, m.host.lim.PollTimeout)
	pools := []*pool{m.narrow, m.wide}
	if len(in) > m.narrow.in {
		pools = pools[1:]
	}
	for n, p := range pools {
		fuel, err := m.do(ctx, p, q, func(b []byte) (err error) {
			out.out = append(out.out[:0], b...)
			out.Records, out.Cursor, err = abi.DecodePolled(out.out)
			return err
		})
		out.Fuel += fuel
		switch {
		case errors.Is(err, errShort) && n < len(pools)-1:
			continue
		case errors.Is(err, errShort):
			return m.tooLong(fuel)
		}
		return err
	}
	return nil
}

func (m *Module) tooLong(fuel int64) *Trap {
	return &Trap{Code: CodeOutputLimit, Detail: fmt.Sprintf("the answer needs more than %d bytes", m.wide.out), Module: m.spec.Digest, Fuel: fuel}
}
