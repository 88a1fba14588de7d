package abi

// RowsEncoder writes a batch of projected events for a rule (ABI 6): for each event its time and one cell per field
// that the manifest reads, in the manifest's order.
type RowsEncoder struct {
	buf  []byte
	cols int
	row  int
	refs int // where the next event's reference goes; 0: none have one
	heap int
}

func rowSize(cols int) int { return 8 + cols*CellSize }

// Begin starts a batch of at most n events of cols columns.
func (e *RowsEncoder) Begin(n, cols int, seq uint64, at int64) { e.begin(n, cols, 0, seq, at) }

// BeginRefs is Begin for events that have references (ABI 20.4), which Ref sets.
func (e *RowsEncoder) BeginRefs(n, cols int, seq uint64, at int64) {
	e.begin(n, cols, n*RefSize, seq, at)
	if n > 0 {
		e.refs = e.heap - n*RefSize
		le.PutUint32(e.buf[28:], uint32(e.refs))
	}
}

func (e *RowsEncoder) begin(n, cols, refs int, seq uint64, at int64) {
	e.cols, e.row, e.refs = cols, RowsHeader, 0
	e.heap = RowsHeader + n*rowSize(cols) + refs
	if cap(e.buf) < e.heap {
		e.buf = make([]byte, e.heap, 2*e.heap+64<<10)
	}
	e.buf = e.buf[:e.heap]
	clear(e.buf[:RowsHeader])
	le.PutUint32(e.buf, MagicRows)
	le.PutUint32(e.buf[12:], uint32(cols))
	le.PutUint64(e.buf[32:], seq)
	le.PutUint64(e.buf[40:], uint64(at))
}

// Event appends an event; its cells are absent until set.
func (e *RowsEncoder) Event(time int64) {
	b := e.buf[e.row : e.row+rowSize(e.cols)]
	le.PutUint64(b, uint64(time))
	for i := range e.cols {
		le.PutUint64(b[8+i*CellSize:], uint64(None)<<32)
	}
	e.row += rowSize(e.cols)
}

// Ref sets the reference of the newest event, RefSize bytes. Every event of a batch that has them must get one.
func (e *RowsEncoder) Ref(ref []byte) {
	copy(e.buf[e.refs:e.refs+RefSize], ref)
	e.refs += RefSize
}

// Cell sets column col of the newest event.
func (e *RowsEncoder) Cell(col int, value string) {
	off := len(e.buf) - e.heap
	e.buf = append(e.buf, value...)
	b := e.buf[e.row-rowSize(e.cols)+8+col*CellSize:]
	le.PutUint64(b, uint64(off)|uint64(len(value))<<32)
}

// CellOf is Cell for a value that f appends to what is there.
func (e *RowsEncoder) CellOf(col int, f func([]byte) []byte) {
	from := len(e.buf)
	e.buf = f(e.buf)
	b := e.buf[e.row-rowSize(e.cols)+8+col*CellSize:]
	le.PutUint64(b, uint64(from-e.heap)|uint64(len(e.buf)-from)<<32)
}

// AppendField appends a field of an event to a cell that holds the whole of it (ABI 6.4).
func AppendField(b []byte, name, value string) []byte {
	n := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	le.PutUint32(b[n:], uint32(len(name)))
	le.PutUint32(b[n+4:], uint32(len(value)))
	return append(append(b, name...), value...)
}

// NextField takes the first field off a cell that holds a whole event (ABI 6.4); false at its end.
func NextField(cell []byte) (name, value, rest []byte, ok bool) {
	if len(cell) < 8 {
		return nil, nil, nil, false
	}
	n, v := uint64(le.Uint32(cell)), uint64(le.Uint32(cell[4:]))
	if n+v > uint64(len(cell)-8) {
		return nil, nil, nil, false
	}
	end := 8 + n + v
	return cell[8 : 8+n : 8+n], cell[8+n : end : end], cell[end:], true
}

// Bytes returns the batch. It is valid until the next Begin.
func (e *RowsEncoder) Bytes() []byte {
	n := (e.row - RowsHeader) / rowSize(e.cols)
	le.PutUint32(e.buf[8:], uint32(n))
	le.PutUint32(e.buf[16:], RowsHeader)
	le.PutUint32(e.buf[20:], uint32(e.heap))
	le.PutUint32(e.buf[24:], uint32(len(e.buf)-e.heap))
	return e.buf
}

// Rows is a decoded batch of projected events: views into the batch's bytes.
type Rows struct {
	Seq   uint64
	At    int64
	Cols  int
	Len   int
	table []byte
	refs  []byte // nil: the batch has none
	heap  []byte
}

// DecodeRows reads a batch of projected events. It is false when b is not one.
func DecodeRows(b []byte) (Rows, bool) {
	if len(b) < RowsHeader || le.Uint32(b) != MagicRows {
		return Rows{}, false
	}
	n, cols, ro := uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:])), uint64(le.Uint32(b[28:]))
	to, ho, hl := uint64(le.Uint32(b[16:])), uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:]))
	if n > MaxRecordsPerBatch || cols > MaxColumns {
		return Rows{}, false
	}
	size := n * uint64(rowSize(int(cols)))
	if to+size > uint64(len(b)) || ho+hl > uint64(len(b)) {
		return Rows{}, false
	}
	r := Rows{
		Seq: le.Uint64(b[32:]), At: int64(le.Uint64(b[40:])), Cols: int(cols), Len: int(n),
		table: b[to : to+size], heap: b[ho : ho+hl],
	}
	if ro != 0 {
		if ro+n*RefSize > uint64(len(b)) {
			return Rows{}, false
		}
		r.refs = b[ro : ro+n*RefSize]
	}
	return r, true
}

// Time returns the time of event i in ns.
func (r *Rows) Time(i int) int64 { return int64(le.Uint64(r.table[i*rowSize(r.Cols):])) }

// Ref returns the reference of event i (ABI 20.4), nil when the batch has none.
func (r *Rows) Ref(i int) []byte {
	if r.refs == nil {
		return nil
	}
	return r.refs[i*RefSize : (i+1)*RefSize : (i+1)*RefSize]
}

// Cell returns column col of event i, nil when the event does not have the field.
func (r *Rows) Cell(i, col int) []byte {
	b := r.table[i*rowSize(r.Cols)+8+col*CellSize:]
	off, n := uint64(le.Uint32(b)), uint64(le.Uint32(b[4:]))
	if n == uint64(None) || off+n > uint64(len(r.heap)) {
		return nil
	}
	return r.heap[off : off+n : off+n]
}

// Finding is one match of a rule module (ABI 6.3).
type Finding struct {
	Event    uint32 // index of the row, or of the timer
	Severity uint8  // SeverityKeep or Sigma's five
	Title    []byte // empty: the rule's own title
	Reason   []byte // why it fired, shown to the operator
	Key      []byte // added to the incident key, to keep apart what the rule's key fields do not; of a timer, ABI 20.6
	Evidence []byte // references of events that led to it (ABI 20.4), RefSize bytes each
}

// FindingsEncoder writes a finding batch into a buffer of fixed size.
type FindingsEncoder struct {
	out, arena []byte
	pos, heap  int
	full       bool
}

// Begin starts a batch in out; arena is scratch space for texts.
func (e *FindingsEncoder) Begin(out, arena []byte) {
	*e = FindingsEncoder{out: out, arena: arena, pos: FindingsHeader, full: len(out) < FindingsHeader}
}

func (e *FindingsEncoder) text(b, s []byte) {
	if len(e.arena)-e.heap < len(s) {
		e.full = true
		return
	}
	le.PutUint32(b, uint32(e.heap))
	le.PutUint32(b[4:], uint32(len(s)))
	e.heap += copy(e.arena[e.heap:], s)
}

// Add appends a finding; texts are cut to MaxTitleBytes.
func (e *FindingsEncoder) Add(f Finding) {
	if e.full || len(e.out)-e.pos < FindingSize || e.pos >= FindingsHeader+MaxFindingsPerBatch*FindingSize {
		e.full = true
		return
	}
	b := e.out[e.pos : e.pos+FindingSize]
	clear(b)
	le.PutUint32(b, f.Event)
	b[4] = f.Severity
	evidence := f.Evidence[:min(len(f.Evidence)/RefSize, MaxEvidence)*RefSize]
	for i, s := range [4][]byte{f.Title, f.Reason, f.Key, evidence} {
		if len(s) > MaxTitleBytes {
			s = s[:MaxTitleBytes]
		}
		if i < 3 || len(s) > 0 { // without evidence these bytes are reserved before 1.3
			e.text(b[8+8*i:], s)
		}
	}
	e.pos += FindingSize
}

// Finish joins table and arena and returns the batch's length; ok is false when it did not fit.
func (e *FindingsEncoder) Finish() (n int, ok bool) {
	if e.full || e.pos+e.heap > cap(e.out) {
		return 0, false
	}
	copy(e.out[e.pos:cap(e.out)], e.arena[:e.heap])
	b := e.out[:FindingsHeader]
	clear(b)
	le.PutUint32(b, MagicFindings)
	le.PutUint32(b[8:], uint32((e.pos-FindingsHeader)/FindingSize))
	le.PutUint32(b[12:], FindingsHeader)
	le.PutUint32(b[16:], uint32(e.pos))
	le.PutUint32(b[20:], uint32(e.heap))
	return e.pos + e.heap, true
}

// DecodeFindings reads a finding batch that answers rows events and calls each with every finding, in order; the
// slices are views into b. The error is a *DecodeError, and then no finding of the batch counts.
func DecodeFindings(b []byte, rows int, each func(Finding)) error {
	if len(b) < FindingsHeader || le.Uint32(b) != MagicFindings {
		return broken("6.3", "not a finding batch")
	}
	n, to := uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:]))
	ao, al := uint64(le.Uint32(b[16:])), uint64(le.Uint32(b[20:]))
	if n > MaxFindingsPerBatch || to+n*FindingSize > uint64(len(b)) || ao+al > uint64(len(b)) {
		return broken("6.3", "a table lies outside the batch, or there are too many findings")
	}
	arena := b[ao : ao+al]
	for pass := range 2 { // nothing is handed out before all of it is checked
		for i := range n {
			row := b[to+i*FindingSize:][:FindingSize]
			f := Finding{Event: le.Uint32(row), Severity: row[4]}
			if f.Event >= uint32(rows) || f.Severity > SeverityCritical {
				return broken("6.3", "a finding's event or severity is out of range")
			}
			for j, dst := range [4]*[]byte{&f.Title, &f.Reason, &f.Key, &f.Evidence} {
				off, l := uint64(le.Uint32(row[8+8*j:])), uint64(le.Uint32(row[12+8*j:]))
				if off+l > uint64(len(arena)) || l > MaxTitleBytes {
					return broken("6.3", "a finding's text lies outside the arena or is too long")
				}
				*dst = arena[off : off+l]
			}
			if len(f.Evidence)%RefSize != 0 {
				return broken("20.5", "evidence is not made of references")
			}
			if pass == 1 {
				each(f)
			}
		}
	}
	return nil
}
