package abi

// EventsEncoder writes an event batch (ABI 5) into a buffer of fixed size. It allocates nothing; when the buffer or
// the arena is full, Full reports it and what is written after that is ignored.
type EventsEncoder struct {
	out     []byte
	arena   []byte
	records int
	events  int
	pos     int // end of the body in out
	last    int // where the last field that there is room for may begin; -1 without an event
	heap    int // end of the arena
	event   int // where the current event starts, -1 for none
	mark    int // body and arena before the current record, to take it back
	markA   int
	markE   int
	record  int
	bytes   int // names and values of the current event
	full    bool
}

// Begin starts a batch of n records in out; arena is scratch space for values that are not in a record. It may be the
// rest of out's capacity (out[:k:cap], out[k:cap]): Finish then moves it down to where the tables end.
func (e *EventsEncoder) Begin(out, arena []byte, n int) {
	*e = EventsEncoder{out: out, arena: arena, records: n, event: -1, last: -1}
	e.pos = EventsHeader + n*OutcomeSize
	if e.pos > len(out) {
		e.fill()
		return
	}
	clear(out[:e.pos])
}

// Record starts record i; records are given in order.
func (e *EventsEncoder) Record(i int) {
	e.record, e.event, e.last, e.mark, e.markA, e.markE = i, -1, -1, e.pos, e.heap, e.events
}

// Event starts an event of the current record.
func (e *EventsEncoder) Event() {
	e.closeEvent()
	if e.full || len(e.out)-e.pos < EventSize {
		e.fill()
		return
	}
	b := e.out[e.pos : e.pos+EventSize]
	clear(b)
	le.PutUint32(b, uint32(e.record))
	t := int64(NoTime)
	le.PutUint64(b[16:], uint64(t))
	e.event, e.bytes = e.pos, 0
	e.pos += EventSize
	e.last = min(len(e.out)-FieldSize, e.pos+(MaxFieldsPerEvent-1)*FieldSize)
	e.events++
}

// fill marks the batch as one that does not fit.
func (e *EventsEncoder) fill() { e.full, e.last = true, -1 }

// cut marks the current event as incomplete.
//
//go:noinline
func (e *EventsEncoder) cut() { e.out[e.event+8] |= byte(EventCut) }

func (e *EventsEncoder) closeEvent() {
	if e.event >= 0 {
		le.PutUint32(e.out[e.event+4:], uint32(e.fields()))
	}
}

func (e *EventsEncoder) fields() int { return (e.pos - e.event - EventSize) / FieldSize }

// SetTime gives the current event its time in ns since the Unix epoch.
func (e *EventsEncoder) SetTime(ns int64) {
	if e.event >= 0 {
		le.PutUint64(e.out[e.event+16:], uint64(ns))
	}
}

// Field appends a field: its value as the 8 bytes of its type, and the source span in the record (None for none). What
// exceeds MaxFieldsPerEvent, MaxValueBytes or MaxEventBytes is cut or left out, and the event marked with EventCut.
func (e *EventsEncoder) Field(name Name, aux uint32, t Type, flags uint8, value uint64, srcOff, srcLen uint32) {
	pos := e.pos
	if pos > e.last {
		e.noRoom()
		return
	}
	if t <= InArena {
		if value>>32 > MaxValueBytes {
			value = uint64(uint32(value)) | MaxValueBytes<<32
			e.cut()
		}
		e.bytes += int(value >> 32)
	}
	if name == NameInArena {
		e.bytes += int(e.arena[aux])
	}
	if e.bytes > MaxEventBytes {
		e.cut()
		return
	}
	e.write(pos, uint64(name)|uint64(t)<<16|uint64(flags)<<24|uint64(aux)<<32, value, uint64(srcOff)|uint64(srcLen)<<32)
}

// Number is Field for what is neither a text nor named in the arena.
func (e *EventsEncoder) Number(name Name, t Type, value uint64, srcOff, srcLen uint32) {
	pos := e.pos
	if pos > e.last {
		e.noRoom()
		return
	}
	e.write(pos, uint64(name)|uint64(t)<<16, value, uint64(srcOff)|uint64(srcLen)<<32)
}

func (e *EventsEncoder) write(pos int, head, value, span uint64) {
	b := (*[FieldSize]byte)(e.out[pos:])
	le.PutUint64(b[16:], span) // the farthest first: a sandbox checks the memory's end once
	le.PutUint64(b[8:], value)
	le.PutUint64(b[:], head)
	e.pos = pos + FieldSize
}

// noRoom leaves a field out: the event has as many as it may have, or the batch does not fit.
//
//go:noinline
func (e *EventsEncoder) noRoom() {
	switch {
	case e.full || e.event < 0:
	case e.fields() == MaxFieldsPerEvent:
		e.cut()
	default:
		e.fill()
	}
}

// Reserve takes n bytes of the arena for the caller to fill and returns them with their offset, or nil when full.
func (e *EventsEncoder) Reserve(n int) ([]byte, uint32) {
	if e.full || len(e.arena)-e.heap < n {
		e.fill()
		return nil, 0
	}
	off := e.heap
	e.heap += n
	return e.arena[off:e.heap:e.heap], uint32(off)
}

// Unreserve gives back the last n bytes of the arena.
func (e *EventsEncoder) Unreserve(n int) { e.heap -= n }

// Text copies s into the arena and returns its offset.
func (e *EventsEncoder) Text(s string) uint32 {
	b, off := e.Reserve(len(s))
	copy(b, s)
	return off
}

// End closes the current record with its outcome. Any outcome but OK takes back the record's events; message is kept
// for Failed, cut to MaxMessageBytes.
func (e *EventsEncoder) End(o Outcome, message string) {
	if e.full {
		return
	}
	e.closeEvent()
	e.event, e.last = -1, -1
	if e.events-e.markE > MaxEventsPerRecord && o == OK {
		o, message = Failed, "the record holds more events than a parser may emit"
	}
	if o != OK {
		e.pos, e.heap, e.events = e.mark, e.markA, e.markE
	} else if e.events == e.markE {
		o = NotMine
	}
	b := e.out[EventsHeader+e.record*OutcomeSize:][:OutcomeSize]
	b[0] = byte(o)
	if o == Failed && message != "" {
		if len(message) > MaxMessageBytes {
			message = message[:MaxMessageBytes]
		}
		off := e.Text(message)
		le.PutUint32(b[4:], off)
		le.PutUint32(b[8:], uint32(len(message)))
	}
}

// Full reports that the batch did not fit.
func (e *EventsEncoder) Full() bool { return e.full }

// Finish joins tables and arena and returns the length of the batch in out; ok is false when it did not fit.
func (e *EventsEncoder) Finish() (n int, ok bool) {
	body := EventsHeader + e.records*OutcomeSize
	start := (e.pos + 7) &^ 7
	if e.full || start+e.heap > cap(e.out) {
		return 0, false
	}
	copy(e.out[start:cap(e.out)], e.arena[:e.heap])
	b := e.out[:EventsHeader]
	le.PutUint32(b, MagicEvents)
	le.PutUint32(b[4:], 0)
	le.PutUint32(b[8:], uint32(e.records))
	le.PutUint32(b[12:], uint32(e.events))
	le.PutUint32(b[16:], EventsHeader)
	le.PutUint32(b[20:], uint32(body))
	le.PutUint32(b[24:], uint32(e.pos-body))
	le.PutUint32(b[28:], uint32(start))
	le.PutUint32(b[32:], uint32(e.heap))
	clear(b[36:])
	return start + e.heap, true
}

// Events is a validated event batch: views into the batch's bytes. The host decodes its own copy, never guest memory.
type Events struct {
	Records  int
	Count    int
	outcomes []byte
	body     []byte
	arena    []byte
}

// DecodeError says which rule of the ABI a batch broke.
type DecodeError struct {
	Clause string // of sdk/ABI.md
	What   string
}

func (e *DecodeError) Error() string { return "ABI " + e.Clause + ": " + e.What }

func broken(clause, what string) error { return &DecodeError{clause, what} }

// DecodeEvents checks the frame of an event batch that answers a batch of records records. The fields of each event
// are checked when it is read. The error is a *DecodeError.
func DecodeEvents(b []byte, records int) (Events, error) {
	if len(b) < EventsHeader || le.Uint32(b) != MagicEvents {
		return Events{}, broken("5.1", "not an event batch")
	}
	if n := int(le.Uint32(b[8:])); n != records {
		return Events{}, broken("5.1", "record count differs from the input")
	}
	size := uint64(len(b))
	part := func(off, n uint64) ([]byte, bool) {
		if off%8 != 0 || off+n > size {
			return nil, false
		}
		return b[off : off+n : off+n], true
	}
	outcomes, ok1 := part(uint64(le.Uint32(b[16:])), uint64(records)*OutcomeSize)
	body, ok2 := part(uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:])))
	arena, ok3 := part(uint64(le.Uint32(b[28:])), uint64(le.Uint32(b[32:])))
	if !ok1 || !ok2 || !ok3 {
		return Events{}, broken("5.1", "a table lies outside the batch or is misaligned")
	}
	count := int(le.Uint32(b[12:]))
	if uint64(count)*EventSize > uint64(len(body)) {
		return Events{}, broken("5.3", "more events than the body can hold")
	}
	return Events{Records: records, Count: count, outcomes: outcomes, body: body, arena: arena}, nil
}

// Outcome returns the outcome of record i and the message of a failed one.
func (e *Events) Outcome(i int) (Outcome, []byte, error) {
	b := e.outcomes[i*OutcomeSize:][:OutcomeSize]
	o := Outcome(b[0])
	if o > Failed {
		return 0, nil, broken("5.2", "unknown outcome")
	}
	if o != Failed {
		return o, nil, nil
	}
	off, n := uint64(le.Uint32(b[4:])), uint64(le.Uint32(b[8:]))
	if off+n > uint64(len(e.arena)) || n > MaxMessageBytes {
		return 0, nil, broken("5.2", "an outcome's message lies outside the arena or is too long")
	}
	return o, e.arena[off : off+n], nil
}

// Event is one event of a batch.
type Event struct {
	Record uint32
	Flags  uint32 // EventCut
	Time   int64  // ns, or NoTime
	fields []byte
}

// Len is the number of fields.
func (v *Event) Len() int { return len(v.fields) / FieldSize }

// Next reads the event at position pos of the body (0 first) and returns the position after it. Records must ascend:
// prev is the record of the event before (or 0).
func (e *Events) Next(pos int, prev uint32) (v Event, next int, err error) {
	if len(e.body)-pos < EventSize {
		return v, 0, broken("5.3", "an event lies outside the body")
	}
	b := e.body[pos : pos+EventSize]
	v.Record = le.Uint32(b)
	n := uint64(le.Uint32(b[4:]))
	v.Flags = le.Uint32(b[8:])
	v.Time = int64(le.Uint64(b[16:]))
	if v.Record >= uint32(e.Records) || v.Record < prev {
		return v, 0, broken("5.3", "an event's record is out of range or out of order")
	}
	if v.Flags&^EventCut != 0 {
		return v, 0, broken("5.3", "an event has an unknown flag")
	}
	if n > MaxFieldsPerEvent || n*FieldSize > uint64(len(e.body)-pos-EventSize) {
		return v, 0, broken("5.3", "an event's fields lie outside the body or are too many")
	}
	next = pos + EventSize + int(n)*FieldSize
	v.fields = e.body[pos+EventSize : next]
	return v, next, nil
}

// Entry is one field as its 24 bytes say, with nothing checked or resolved: all that a reader of a checked batch needs.
type Entry struct {
	Name  Name
	Type  Type
	Flags uint8
	Aux   uint32 // where the name lies in the arena, behind its length, when Name is NameInArena
	Bits  uint64
}

// Entry returns field i.
func (v *Event) Entry(i int) Entry {
	b := v.fields[i*FieldSize:][:FieldSize]
	head := le.Uint64(b)
	return Entry{Name: Name(head), Type: Type(head >> 16), Flags: uint8(head >> 24), Aux: uint32(head >> 32), Bits: le.Uint64(b[8:])}
}

// Field is one decoded field. Bytes is set for InRecord and InArena, Bits holds the 8 value bytes otherwise.
type Field struct {
	Name    Name
	Type    Type
	Flags   uint8
	Dynamic []byte // the name itself when Name is NameInArena

	DynamicOff uint32 // where it lies in the arena

	Bytes  []byte
	Bits   uint64
	SrcOff uint32 // None when the field has no source span
	SrcLen uint32
}

// Field reads field i of an event whose raw record is raw. Every range is checked with 64-bit arithmetic against the
// host's own record and arena (ABI 5.4).
func (e *Events) Field(v *Event, i int, raw []byte) (f Field, err error) {
	b := v.fields[i*FieldSize:][:FieldSize]
	head := le.Uint64(b)
	f.Name, f.Type, f.Flags = Name(head), Type(head>>16), uint8(head>>24)
	f.Bits = le.Uint64(b[8:])
	f.SrcOff, f.SrcLen = le.Uint32(b[16:]), le.Uint32(b[20:])
	if f.SrcOff != None && uint64(f.SrcOff)+uint64(f.SrcLen) > uint64(len(raw)) {
		return f, broken("5.5", "a source span lies outside the record")
	}
	if f.Name == 0 {
		return f, broken("5.4", "field name 0")
	}
	if f.Name == NameInArena {
		off := uint32(head >> 32)
		if f.Dynamic, err = e.dynamic(off); err != nil {
			return f, err
		}
		f.DynamicOff = off + 1
	}
	if f.Flags&^FlagList != 0 {
		return f, broken("5.4", "a field has an unknown flag")
	}
	off, n := uint64(uint32(f.Bits)), f.Bits>>32
	switch f.Type {
	case InRecord:
		if off+n > uint64(len(raw)) {
			return f, broken("5.4", "a value lies outside the record")
		}
		f.Bytes = raw[off : off+n]
	case InArena:
		if off+n > uint64(len(e.arena)) {
			return f, broken("5.4", "a value lies outside the arena")
		}
		f.Bytes = e.arena[off : off+n]
	case Float:
		if f.Bits&(0x7ff<<52) == 0x7ff<<52 {
			return f, broken("5.4", "a float is not finite")
		}
	case Int, Uint, Time:
	case Bool:
		if f.Bits > 1 {
			return f, broken("5.4", "a bool is neither 0 nor 1")
		}
	case IPv4:
		if f.Bits > 0xFFFFFFFF {
			return f, broken("5.4", "an IPv4 address has more than 32 bits")
		}
	default:
		return f, broken("5.4", "unknown field type")
	}
	if len(f.Bytes) > MaxValueBytes {
		return f, broken("5.4", "a value is too long")
	}
	return f, nil
}

func (e *Events) dynamic(off uint32) ([]byte, error) {
	if uint64(off) >= uint64(len(e.arena)) {
		return nil, broken("5.4", "a field's name lies outside the arena")
	}
	n := uint64(e.arena[off])
	if n == 0 || n > MaxNameBytes || uint64(off)+1+n > uint64(len(e.arena)) {
		return nil, broken("5.4", "a field's name is empty, too long or outside the arena")
	}
	return e.arena[off+1 : uint64(off)+1+n], nil
}

// Arena returns the bytes that InArena values and dynamic names lie in.
func (e *Events) Arena() []byte { return e.arena }
