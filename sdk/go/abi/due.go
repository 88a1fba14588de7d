package abi

import "bytes"

// DueEncoder writes a batch of timers whose time has come (ABI 20.3).
type DueEncoder struct {
	buf   []byte
	arena []byte
}

// Begin starts a batch at a log position and time, in ns.
func (e *DueEncoder) Begin(seq uint64, at int64) {
	e.buf, e.arena = append(e.buf[:0], make([]byte, DueHeader)...), e.arena[:0]
	le.PutUint32(e.buf, MagicDue)
	le.PutUint64(e.buf[24:], seq)
	le.PutUint64(e.buf[32:], uint64(at))
}

// Timer appends a timer: when it was due, in ns, and its key.
func (e *DueEncoder) Timer(at int64, key []byte) {
	n := len(e.buf)
	e.buf = append(e.buf, make([]byte, DueSize)...)
	le.PutUint64(e.buf[n:], uint64(at))
	le.PutUint32(e.buf[n+8:], uint32(len(e.arena)))
	le.PutUint32(e.buf[n+12:], uint32(len(key)))
	e.arena = append(e.arena, key...)
}

// Bytes returns the batch. It is valid until the next Begin.
func (e *DueEncoder) Bytes() []byte {
	end := len(e.buf)
	le.PutUint32(e.buf[8:], uint32((end-DueHeader)/DueSize))
	le.PutUint32(e.buf[12:], DueHeader)
	le.PutUint32(e.buf[16:], uint32(end))
	le.PutUint32(e.buf[20:], uint32(len(e.arena)))
	e.buf = append(e.buf, e.arena...)
	return e.buf
}

// Due is a decoded batch of timers: views into its bytes.
type Due struct {
	Seq   uint64
	At    int64 // log time, ns
	Len   int
	table []byte
	arena []byte
}

// DecodeDue reads a batch of timers. It is false when b is not one.
func DecodeDue(b []byte) (Due, bool) {
	if len(b) < DueHeader || le.Uint32(b) != MagicDue {
		return Due{}, false
	}
	n, to := uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:]))
	ao, al := uint64(le.Uint32(b[16:])), uint64(le.Uint32(b[20:]))
	if n > MaxDuePerBatch || to+n*DueSize > uint64(len(b)) || ao+al > uint64(len(b)) {
		return Due{}, false
	}
	d := Due{Seq: le.Uint64(b[24:]), At: int64(le.Uint64(b[32:])), Len: int(n), table: b[to : to+n*DueSize], arena: b[ao : ao+al]}
	for i := range d.Len {
		off, l := le.Uint32(d.table[i*DueSize+8:]), le.Uint32(d.table[i*DueSize+12:])
		if l == 0 || l > MaxKeyBytes || uint64(off)+uint64(l) > al {
			return Due{}, false
		}
	}
	return d, true
}

// Timer returns when timer i was due, in ns, and its key.
func (d *Due) Timer(i int) (at int64, key []byte) {
	row := d.table[i*DueSize:]
	off := le.Uint32(row[8:])
	end := off + le.Uint32(row[12:])
	return int64(le.Uint64(row)), d.arena[off:end:end]
}

// DecodeTimed is DecodeFindings for the answer to timers: what these findings say of an event they must say themselves
// (ABI 20.6).
func DecodeTimed(b []byte, timers int, each func(Finding)) error {
	var list []Finding
	if err := DecodeFindings(b, timers, func(f Finding) { list = append(list, f) }); err != nil {
		return err
	}
	for i := range list {
		f := &list[i]
		if f.Severity == SeverityKeep || len(f.Title) == 0 || len(f.Evidence) == 0 {
			return broken("20.6", "a timer's finding lacks its severity, title or evidence")
		}
		for key := f.Key; ; {
			line, rest, more := bytes.Cut(key, []byte{'\n'})
			if at := bytes.IndexByte(line, '='); at <= 0 || at == len(line)-1 {
				return broken("20.6", "the key of a timer's finding is not made of fields and values")
			}
			if !more {
				break
			}
			key = rest
		}
	}
	for _, f := range list {
		each(f)
	}
	return nil
}
