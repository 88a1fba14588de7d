package abi

// EncodePoll writes what a monitor needs for one poll (ABI 7.1): the log position and time, and the cursor that its
// last poll returned.
func EncodePoll(dst []byte, seq uint64, at int64, cursor []byte) []byte {
	return EncodePollOf(dst, seq, at, cursor, "")
}

// EncodePollOf is EncodePoll with the name of what is polled.
func EncodePollOf(dst []byte, seq uint64, at int64, cursor []byte, name string) []byte {
	b := append(dst[:0], make([]byte, PollHeader)...)
	le.PutUint32(b, MagicPoll)
	le.PutUint64(b[8:], seq)
	le.PutUint64(b[16:], uint64(at))
	le.PutUint32(b[24:], PollHeader)
	le.PutUint32(b[28:], uint32(len(cursor)))
	b = append(b, cursor...)
	if name != "" {
		le.PutUint32(b[32:], uint32(len(b)))
		le.PutUint32(b[36:], uint32(len(name)))
	}
	return append(b, name...)
}

// Poll is a decoded poll input.
type Poll struct {
	Seq    uint64
	At     int64 // log time, ns
	Cursor []byte
	Name   []byte // of what is polled, for people; empty when it has none
}

// DecodePoll reads a poll input. It is false when b is not one.
func DecodePoll(b []byte) (Poll, bool) {
	if len(b) < PollHeader || le.Uint32(b) != MagicPoll {
		return Poll{}, false
	}
	off, n := uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[28:]))
	name, m := uint64(le.Uint32(b[32:])), uint64(le.Uint32(b[36:]))
	if off+n > uint64(len(b)) || name+m > uint64(len(b)) {
		return Poll{}, false
	}
	return Poll{Seq: le.Uint64(b[8:]), At: int64(le.Uint64(b[16:])), Cursor: b[off : off+n], Name: b[name : name+m]}, true
}

// PolledEncoder writes what a monitor found (ABI 7.2) into a buffer of fixed size.
type PolledEncoder struct {
	out, arena []byte
	pos, heap  int
	full       bool
}

// Begin starts a batch in out; arena is scratch space for the records.
func (e *PolledEncoder) Begin(out, arena []byte) {
	*e = PolledEncoder{out: out, arena: arena, pos: PolledHeader, full: len(out) < PolledHeader}
}

// Record appends a record as if a sender had sent it.
func (e *PolledEncoder) Record(raw []byte) {
	if e.full || len(e.out)-e.pos < PolledSize || len(e.arena)-e.heap < len(raw) ||
		len(raw) > MaxRecordBytes || e.pos >= PolledHeader+MaxRecordsPerBatch*PolledSize {
		e.full = true
		return
	}
	le.PutUint32(e.out[e.pos:], uint32(e.heap))
	le.PutUint32(e.out[e.pos+4:], uint32(len(raw)))
	e.heap += copy(e.arena[e.heap:], raw)
	e.pos += PolledSize
}

// Finish joins table, records and cursor and returns the batch's length; ok is false when it did not fit.
func (e *PolledEncoder) Finish(cursor []byte) (n int, ok bool) {
	if e.full || e.pos+e.heap+len(cursor) > cap(e.out) {
		return 0, false
	}
	copy(e.out[e.pos:cap(e.out)], e.arena[:e.heap])
	copy(e.out[e.pos+e.heap:cap(e.out)], cursor)
	b := e.out[:PolledHeader]
	clear(b)
	le.PutUint32(b, MagicPolled)
	le.PutUint32(b[8:], uint32((e.pos-PolledHeader)/PolledSize))
	le.PutUint32(b[12:], uint32(e.pos))
	le.PutUint32(b[16:], uint32(e.heap))
	le.PutUint32(b[20:], uint32(e.pos+e.heap))
	le.PutUint32(b[24:], uint32(len(cursor)))
	return e.pos + e.heap + len(cursor), true
}

// DecodePolled reads what a monitor found; the slices are views into b. The error is a *DecodeError.
func DecodePolled(b []byte) (records [][]byte, cursor []byte, err error) {
	if len(b) < PolledHeader || le.Uint32(b) != MagicPolled {
		return nil, nil, broken("7.2", "not a poll result")
	}
	n := uint64(le.Uint32(b[8:]))
	ao, al := uint64(le.Uint32(b[12:])), uint64(le.Uint32(b[16:]))
	co, cl := uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:]))
	if n > MaxRecordsPerBatch || PolledHeader+n*PolledSize > uint64(len(b)) || ao+al > uint64(len(b)) || co+cl > uint64(len(b)) {
		return nil, nil, broken("7.2", "a table lies outside the batch, or there are too many records")
	}
	arena := b[ao : ao+al]
	left := al
	for i := range n {
		row := b[PolledHeader+i*PolledSize:]
		off, l := uint64(le.Uint32(row)), uint64(le.Uint32(row[4:]))
		if off+l > uint64(len(arena)) || l > MaxRecordBytes {
			return nil, nil, broken("7.2", "a record lies outside the arena or is too long")
		}
		if l > left {
			return nil, nil, broken("7.2", "records overlap")
		}
		left -= l
		records = append(records, arena[off:off+l])
	}
	return records, b[co : co+cl], nil
}
