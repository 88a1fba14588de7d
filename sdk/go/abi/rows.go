package abi

// RowsEncoder writes a batch of projected events for a rule (ABI 6): for each event its time and one cell per field
// that the manifest reads, in the manifest's order.
type RowsEncoder struct {
	buf  []byte
	cols int
	row  int
	heap int
}

func rowSize(cols int) int { return 8 + cols*CellSize }

// Begin starts a batch of at most n events of cols columns.
func (e *RowsEncoder) Begin(n, cols int, seq uint64, at int64) {
	e.cols, e.row = cols, RowsHeader
	e.heap = RowsHeader + n*rowSize(cols)
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

// Cell sets column col of the newest event.
func (e *RowsEncoder) Cell(col int, value string) {
	off := len(e.buf) - e.heap
	e.buf = append(e.buf, value...)
	b := e.buf[e.row-rowSize(e.cols)+8+col*CellSize:]
	le.PutUint64(b, uint64(off)|uint64(len(value))<<32)
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
	heap  []byte
}

// DecodeRows reads a batch of projected events. It is false when b is not one.
func DecodeRows(b []byte) (Rows, bool) {
	if len(b) < RowsHeader || le.Uint32(b) != MagicRows {
		return Rows{}, false
	}
	n, cols := uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:]))
	to, ho, hl := uint64(le.Uint32(b[16:])), uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:]))
	if n > MaxRecordsPerBatch || cols > MaxColumns {
		return Rows{}, false
	}
	size := n * uint64(rowSize(int(cols)))
	if to+size > uint64(len(b)) || ho+hl > uint64(len(b)) {
		return Rows{}, false
	}
	return Rows{
		Seq: le.Uint64(b[32:]), At: int64(le.Uint64(b[40:])), Cols: int(cols), Len: int(n),
		table: b[to : to+size], heap: b[ho : ho+hl],
	}, true
}

// Time returns the time of event i in ns.
func (r *Rows) Time(i int) int64 { return int64(le.Uint64(r.table[i*rowSize(r.Cols):])) }

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
	Event    uint32 // index of the row
	Severity uint8  // SeverityKeep or Sigma's five
	Title    []byte // empty: the rule's own title
	Reason   []byte // why it fired, shown to the operator
	Key      []byte // added to the incident key, to keep apart what the rule's key fields do not
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
	for i, s := range [3][]byte{f.Title, f.Reason, f.Key} {
		if len(s) > MaxTitleBytes {
			s = s[:MaxTitleBytes]
		}
		e.text(b[8+8*i:], s)
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
			for j, dst := range [3]*[]byte{&f.Title, &f.Reason, &f.Key} {
				off, l := uint64(le.Uint32(row[8+8*j:])), uint64(le.Uint32(row[12+8*j:]))
				if off+l > uint64(len(arena)) || l > MaxTitleBytes {
					return broken("6.3", "a finding's text lies outside the arena or is too long")
				}
				*dst = arena[off : off+l]
			}
			if pass == 1 {
				each(f)
			}
		}
	}
	return nil
}
