// Package sdk is what a Vedette module is written against: one source runs natively, under TinyGo and under standard Go.
//
// A module registers one function in init and leaves main empty:
//
//	func init() { sdk.RegisterParser(sdk.Parser{Parse: parse}) }
//	func main() {}
//
// The host restores the module's memory before every call, so nothing that a call leaves behind is ever seen again.
package sdk

import (
	"unsafe"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// The outcomes of a record.
const (
	OK      = abi.OK
	NotMine = abi.NotMine
	Drop    = abi.Drop
	Failed  = abi.Failed
)

// Record is one record as received. Raw is valid during the call and must not be changed.
type Record struct {
	Raw      []byte
	Source   []byte // sender, "listener peer"
	Received int64  // ns since the Unix epoch, UTC
	Flags    uint32 // abi.RecordTruncated
}

// Parser reads records. Parse fills e with the fields of one event (e.Next starts another) and says what became of the
// record; whatever it emitted is taken back unless the outcome is OK. It is called for one record at a time.
//
// A sandbox checks every access to a package's variable, and those behind one pointer together: small structures that
// Parse fills belong on its stack.
type Parser struct {
	Parse func(r *Record, e *Event) abi.Outcome
	Init  func(settings []byte) error // optional; JSON settings that passed the manifest's schema
}

// Rule looks at projected events. Eval calls f.Add for each finding. Row columns are the manifest's reads, in order.
type Rule struct {
	Eval func(r *Row, f *Findings)
	Init func(settings []byte) error
}

// Monitor polls. Poll calls p.Record for each record it has found; the returned cursor comes back with the next poll.
type Monitor struct {
	Poll func(p *Poll) (cursor []byte, err error)
	Init func(settings []byte) error
}

//nolint:unused // export_wasm.go reads them, which is compiled for wasip1 only
var (
	parser  Parser
	rule    Rule
	monitor Monitor
)

// RegisterParser makes the module a parser.
func RegisterParser(p Parser) { parser = p }

// RegisterRule makes the module a rule.
func RegisterRule(r Rule) { rule = r }

// RegisterMonitor makes the module a monitor.
func RegisterMonitor(m Monitor) { monitor = m }

// Event emits the fields of one event. Values that are slices of the record's Raw cost no copy and carry their source
// span by themselves; others are copied and take the span that the caller names, so that a person can be shown where
// every field comes from. Empty values are left out.
type Event struct {
	enc  *abi.EventsEncoder
	raw  []byte
	open bool
	why  string
}

// none is the span of what stands nowhere in the record.
const none = uint64(abi.None)

// span returns v's place in the record, its offset and its length<<32, or none when v is not a part of it.
func (e *Event) span(v []byte) uint64 {
	off := uintptr(unsafe.Pointer(unsafe.SliceData(v))) - uintptr(unsafe.Pointer(unsafe.SliceData(e.raw)))
	if size := uintptr(len(e.raw)); len(v) == 0 || off >= size || uintptr(len(v)) > size-off { // what lies before wraps around
		return none
	}
	return uint64(off) | uint64(len(v))<<32
}

func (e *Event) begin() {
	if !e.open {
		e.start()
	}
}

//go:noinline
func (e *Event) start() {
	e.open = true
	e.enc.Event()
}

func (e *Event) put(name abi.Name, aux uint32, flags uint8, v, at []byte) {
	if len(v) == 0 {
		return
	}
	e.begin()
	t, value := abi.InRecord, e.span(v)
	span := value
	if value == none {
		b, off := e.enc.Reserve(len(v))
		move(b, v)
		t, value = abi.InArena, uint64(off)|uint64(len(v))<<32
	}
	if at != nil {
		span = e.span(at)
	}
	e.enc.Field(name, aux, t, flags, value, uint32(span), uint32(span>>32))
}

// move copies v to dst, which is as long or nil. Most texts are shorter than what it costs a sandbox to begin a bulk copy.
func move(dst, v []byte) {
	const word, half = 8, 4
	to, from := unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(v))
	switch n := len(dst); {
	case n > 8*word:
		moveLong(dst, v)
	case n >= word: // the last word may overlap the one before
		for i := 0; i < n-word; i += word {
			*(*uint64)(unsafe.Add(to, i)) = *(*uint64)(unsafe.Add(from, i))
		}
		*(*uint64)(unsafe.Add(to, n-word)) = *(*uint64)(unsafe.Add(from, n-word))
	case n >= half:
		*(*uint32)(to) = *(*uint32)(from)
		*(*uint32)(unsafe.Add(to, n-half)) = *(*uint32)(unsafe.Add(from, n-half))
	default:
		for i := range dst {
			dst[i] = v[i]
		}
	}
}

// moveLong stands alone because a bulk operation makes the function around it save every register on each call.
//
//go:noinline
func moveLong(dst, v []byte) { copy(dst, v) }

// Bytes emits v. A v that lies in the record is its own span; otherwise at is the span (nil for none).
func (e *Event) Bytes(name abi.Name, v, at []byte) { e.put(name, 0, 0, v, at) }

// Text emits a constant or computed string with the span at (nil for none).
func (e *Event) Text(name abi.Name, s string, at []byte) { e.put(name, 0, 0, bytesOf(s), at) }

// Element appends v to the list-valued field name.
func (e *Event) Element(name abi.Name, v, at []byte) { e.put(name, 0, abi.FlagList, v, at) }

// ElementText appends s to the list-valued field name.
func (e *Event) ElementText(name abi.Name, s string, at []byte) {
	e.put(name, 0, abi.FlagList, bytesOf(s), at)
}

// Key emits a field whose name is prefix+key, both in lower-case dotted form; names over abi.MaxNameBytes are cut.
func (e *Event) Key(prefix string, key, v, at []byte) {
	if len(v) == 0 {
		return
	}
	if aux, ok := e.name(prefix, key); ok {
		e.put(abi.NameInArena, aux, 0, v, at)
	}
}

// KeyElement appends v to the list-valued field prefix+key.
func (e *Event) KeyElement(prefix string, key, v, at []byte) {
	if len(v) == 0 {
		return
	}
	if aux, ok := e.name(prefix, key); ok {
		e.put(abi.NameInArena, aux, abi.FlagList, v, at)
	}
}

func (e *Event) name(prefix string, key []byte) (uint32, bool) {
	n := len(prefix) + len(key)
	if n == 0 {
		return 0, false
	}
	if n > abi.MaxNameBytes {
		n = abi.MaxNameBytes
	}
	b, off := e.enc.Reserve(n + 1)
	if b == nil {
		return 0, false
	}
	b[0] = byte(n)
	prefix = prefix[:min(len(prefix), n)]
	move(b[1:1+len(prefix)], bytesOf(prefix))
	move(b[1+len(prefix):], key[:n-len(prefix)])
	return off, true
}

func (e *Event) number(name abi.Name, t abi.Type, v uint64, at []byte) {
	e.begin()
	span := e.span(at)
	e.enc.Number(name, t, v, uint32(span), uint32(span>>32))
}

// Int emits a signed number.
func (e *Event) Int(name abi.Name, v int64, at []byte) { e.number(name, abi.Int, uint64(v), at) }

// Uint emits an unsigned number.
func (e *Event) Uint(name abi.Name, v uint64, at []byte) { e.number(name, abi.Uint, v, at) }

// Bool emits true or false.
func (e *Event) Bool(name abi.Name, v bool, at []byte) {
	var n uint64
	if v {
		n = 1
	}
	e.number(name, abi.Bool, n, at)
}

// Timestamp emits a point in time, ns since the Unix epoch.
func (e *Event) Timestamp(name abi.Name, ns int64, at []byte) {
	e.number(name, abi.Time, uint64(ns), at)
}

// Time says when the event happened, ns since the Unix epoch. Without it the host uses the receive time.
func (e *Event) Time(ns int64) { e.begin(); e.enc.SetTime(ns) }

// Next ends this event and starts another of the same record.
func (e *Event) Next() { e.open = false }

// Fail keeps the record as unparsed, with a reason of at most abi.MaxMessageBytes.
func (e *Event) Fail(why string) abi.Outcome { e.why = why; return abi.Failed }

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// Row is one projected event.
type Row struct {
	rows *abi.Rows
	i    int
}

// Time is the event's time in ns since the Unix epoch.
func (r *Row) Time() int64 { return r.rows.Time(r.i) }

// LogTime is the log time of the batch in ns since the Unix epoch: what the time of state is counted in. It never goes
// back from one batch to the next.
func (r *Row) LogTime() int64 { return r.rows.At }

// Get returns column col of the manifest's reads, nil when the event does not have it. It is valid during the call.
func (r *Row) Get(col int) []byte { return r.rows.Cell(r.i, col) }

// Ref returns the event's reference, abi.RefSize bytes that a rule may keep and name as evidence later; nil on a host of
// an ABI before 1.3, and for a rule without state. It is valid during the call.
func (r *Row) Ref() []byte { return r.rows.Ref(r.i) }

// Timer is a timer whose time has come (package timer).
type Timer struct {
	Key []byte // valid during the call
	At  int64  // when it was due, ns since the Unix epoch
	Now int64  // log time, ns since the Unix epoch
}

// Findings takes what a rule has found in a row, or when a timer is due.
type Findings struct {
	enc *abi.FindingsEncoder
	row uint32
}

// Add reports a finding. Empty texts and severity 0 keep what the rule document says.
func (f *Findings) Add(severity uint8, title, reason, key []byte) {
	f.Report(abi.Finding{Severity: severity, Title: title, Reason: reason, Key: key})
}

// Report is Add with evidence: references of earlier events. A finding of a timer needs severity, title, evidence and a
// key, lines of field=value: it stands for an event with these fields (ABI 20.6).
func (f *Findings) Report(x abi.Finding) {
	x.Event = f.row
	f.enc.Add(x)
}

// Poll is one poll of a monitor.
type Poll struct {
	At     int64  // log time, ns since the Unix epoch
	Cursor []byte // what the last poll returned
	Name   string // of what is polled, as people know it: "fw1"; "" when it has none
	enc    *abi.PolledEncoder
}

// Record hands a record to the host; it enters by the queue like any sender's.
func (p *Poll) Record(raw []byte) { p.enc.Record(raw) }
