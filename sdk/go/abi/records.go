package abi

// Flags of a record.
const (
	RecordTruncated uint32 = 1 << 0 // longer than the listener's limit; the rest was cut
)

// RecordsEncoder writes a record batch (ABI 4) into one reused buffer. Begin, Add each record, then Bytes.
type RecordsEncoder struct {
	buf   []byte
	table int // end of the table written so far
	heap  int // where the heap starts
}

// Begin starts a batch of at most n records. seq is the log position of the batch and at its log time in ns.
func (e *RecordsEncoder) Begin(n int, seq uint64, at int64) {
	e.heap = RecordsHeader + n*RecordSize
	if cap(e.buf) < e.heap {
		e.buf = make([]byte, e.heap, 2*e.heap+64<<10)
	}
	e.buf = e.buf[:e.heap]
	clear(e.buf[:RecordsHeader])
	le.PutUint32(e.buf, MagicRecords)
	le.PutUint64(e.buf[24:], seq)
	le.PutUint64(e.buf[32:], uint64(at))
	e.table = RecordsHeader
}

// Add appends a record. source is the sender as "listener peer".
func (e *RecordsEncoder) Add(raw []byte, source string, received int64, flags uint32) {
	row := e.table
	off := len(e.buf) - e.heap
	e.buf = append(e.buf, raw...)
	soff := len(e.buf) - e.heap
	e.buf = append(e.buf, source...)
	b := e.buf[row : row+RecordSize]
	le.PutUint32(b, uint32(off))
	le.PutUint32(b[4:], uint32(len(raw)))
	le.PutUint32(b[8:], uint32(soff))
	le.PutUint32(b[12:], uint32(len(source)))
	le.PutUint64(b[16:], uint64(received))
	le.PutUint32(b[24:], flags)
	le.PutUint32(b[28:], 0)
	e.table += RecordSize
}

// Bytes returns the batch. It is valid until the next Begin.
func (e *RecordsEncoder) Bytes() []byte {
	n := (e.table - RecordsHeader) / RecordSize
	le.PutUint32(e.buf[8:], uint32(n))
	le.PutUint32(e.buf[12:], RecordsHeader)
	le.PutUint32(e.buf[16:], uint32(e.heap))
	le.PutUint32(e.buf[20:], uint32(len(e.buf)-e.heap))
	return e.buf
}

// Records is a decoded record batch: views into the batch's bytes.
type Records struct {
	Seq   uint64
	At    int64 // log time, ns
	table []byte
	heap  []byte
}

// DecodeRecords reads a record batch. It is false when b is not one.
func DecodeRecords(b []byte) (Records, bool) {
	if len(b) < RecordsHeader || le.Uint32(b) != MagicRecords {
		return Records{}, false
	}
	n, to := uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:]))
	ho, hl := uint64(le.Uint32(b[16:])), uint64(le.Uint32(b[20:]))
	if n > MaxRecordsPerBatch || to+n*RecordSize > uint64(len(b)) || ho+hl > uint64(len(b)) {
		return Records{}, false
	}
	return Records{
		Seq: le.Uint64(b[24:]), At: int64(le.Uint64(b[32:])),
		table: b[to : to+n*RecordSize], heap: b[ho : ho+hl],
	}, true
}

// Len is the number of records.
func (r *Records) Len() int { return len(r.table) / RecordSize }

// Record is one record of a batch: views into the batch's bytes.
type Record struct {
	Raw      []byte
	Source   []byte
	Received int64 // ns since the Unix epoch
	Flags    uint32
}

// Record returns record i; ok is false when its ranges lie outside the batch.
func (r *Records) Record(i int) (rec Record, ok bool) {
	b := r.table[i*RecordSize:][:RecordSize]
	o, l := uint64(le.Uint32(b)), uint64(le.Uint32(b[4:]))
	so, sl := uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:]))
	if o+l > uint64(len(r.heap)) || so+sl > uint64(len(r.heap)) {
		return rec, false
	}
	return Record{
		Raw: r.heap[o : o+l : o+l], Source: r.heap[so : so+sl],
		Received: int64(le.Uint64(b[16:])), Flags: le.Uint32(b[24:]),
	}, true
}
