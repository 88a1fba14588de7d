package sdk

import "github.com/vedette-siem/vedette/sdk/go/abi"

// Buffers are the blocks of memory that a module works in. The guest allocates them once; a native caller keeps
// one per goroutine.
type Buffers struct{ In, Out []byte }

// Grow makes the buffers at least this large and returns b.
func (b *Buffers) Grow(in, out int) *Buffers {
	if len(b.In) < in {
		b.In = make([]byte, in)
	}
	if len(b.Out) < out {
		b.Out = make([]byte, out)
	}
	return b
}

// split divides Out: tables grow in the first part, the arena in the rest, and Finish joins them. The host restores all
// of a guest's memory before each call, so a second buffer would be paid for each time.
func (b *Buffers) split(tables int) (out, arena []byte) {
	n := len(b.Out) / 8 * tables &^ 7
	return b.Out[:n:len(b.Out)], b.Out[n:]
}

// runner holds what would otherwise be allocated per call: Go's escape analysis moves what is passed to a function
// value to the heap.
type runner struct {
	events   abi.EventsEncoder
	findings abi.FindingsEncoder
	polled   abi.PolledEncoder
	rows     abi.Rows
	rec      Record
	ev       Event
	row      Row
	timer    Timer
	found    Findings
}

// run is a pointer that vedette_buffers replaces, so that no compiler knows where the runner lies: a sandbox checks every
// access to a constant address, and those behind a pointer together.
var run = new(runner)

// RunParser answers a record batch with an event batch, exactly as the guest's vedette_parse does. It is the native
// path of tests and benchmarks; like a guest it serves one call at a time per process.
func RunParser(p Parser, in []byte, b *Buffers) (abi.Status, []byte) {
	s, n := run.parse(p, in, b)
	return s, b.Out[:n]
}

func (r *runner) parse(p Parser, in []byte, b *Buffers) (abi.Status, int) {
	recs, ok := abi.DecodeRecords(in)
	if !ok {
		return abi.StatusBadInput, 0
	}
	enc := &r.events
	out, arena := b.split(6)
	enc.Begin(out, arena, recs.Len())
	for i := range recs.Len() {
		rec, ok := recs.Record(i)
		if !ok {
			return abi.StatusBadInput, 0
		}
		r.rec = Record(rec)
		r.ev = Event{enc: enc, raw: rec.Raw}
		enc.Record(i)
		outcome := p.Parse(&r.rec, &r.ev)
		enc.End(outcome, r.ev.why)
		if enc.Full() {
			return abi.StatusOutTooShort, 0
		}
	}
	n, ok := enc.Finish()
	if !ok {
		return abi.StatusOutTooShort, 0
	}
	return abi.StatusOK, n
}

// RunRule answers a batch of projected events with a finding batch, as the guest's vedette_eval does. What the rule
// remembers is in state.Native.
func RunRule(p Rule, in []byte, b *Buffers) (abi.Status, []byte) {
	rows, ok := abi.DecodeRows(in)
	end := session(rows.At, ok)
	s, n := run.eval(p, in, b)
	end(s == abi.StatusOK)
	return s, b.Out[:n]
}

func (r *runner) eval(p Rule, in []byte, b *Buffers) (abi.Status, int) {
	rows, ok := abi.DecodeRows(in)
	if !ok {
		return abi.StatusBadInput, 0
	}
	r.rows = rows
	r.findings.Begin(b.split(4))
	r.found = Findings{enc: &r.findings}
	for i := range rows.Len {
		r.row = Row{rows: &r.rows, i: i}
		r.found.row = uint32(i)
		p.Eval(&r.row, &r.found)
	}
	n, ok := r.findings.Finish()
	if !ok {
		return abi.StatusOutTooShort, 0
	}
	return abi.StatusOK, n
}

// RunDue answers a batch of timers with a finding batch, as the guest's vedette_due does. What the rule remembers is in
// state.Native.
func RunDue(f func(*Timer, *Findings), in []byte, b *Buffers) (abi.Status, []byte) {
	due, ok := abi.DecodeDue(in)
	end := session(due.At, ok)
	s, n := run.due(f, in, b)
	end(s == abi.StatusOK)
	return s, b.Out[:n]
}

func (r *runner) due(f func(*Timer, *Findings), in []byte, b *Buffers) (abi.Status, int) {
	due, ok := abi.DecodeDue(in)
	if !ok {
		return abi.StatusBadInput, 0
	}
	r.findings.Begin(b.split(4))
	r.found = Findings{enc: &r.findings}
	for i := range due.Len {
		at, key := due.Timer(i)
		r.timer = Timer{Key: key, At: at, Now: due.At}
		r.found.row = uint32(i)
		f(&r.timer, &r.found)
	}
	n, ok := r.findings.Finish()
	if !ok {
		return abi.StatusOutTooShort, 0
	}
	return abi.StatusOK, n
}

// RunMonitor answers a poll input with a poll result, as the guest's vedette_poll does.
func RunMonitor(m Monitor, in []byte, b *Buffers) (abi.Status, []byte) {
	s, n := run.poll(m, in, b)
	return s, b.Out[:n]
}

func (r *runner) poll(m Monitor, in []byte, b *Buffers) (abi.Status, int) {
	req, ok := abi.DecodePoll(in)
	if !ok {
		return abi.StatusBadInput, 0
	}
	r.polled.Begin(b.split(1))
	cursor, err := m.Poll(&Poll{At: req.At, Cursor: req.Cursor, Name: string(req.Name), enc: &r.polled})
	if err != nil {
		return abi.StatusFailed, message(b.Out, err)
	}
	n, ok := r.polled.Finish(cursor)
	if !ok {
		return abi.StatusOutTooShort, 0
	}
	return abi.StatusOK, n
}

func message(out []byte, err error) int {
	s := err.Error()
	if len(s) > abi.MaxMessageBytes {
		s = s[:abi.MaxMessageBytes]
	}
	return copy(out, s)
}
