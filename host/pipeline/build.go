package pipeline

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// The window around the receive time in which an event's own time is believed (correlation: one skewed device must not
// move anybody's clock).
const (
	maxPast   = int64(24 * time.Hour)
	maxFuture = int64(2 * time.Minute)
)

// Fields that the pipeline adds to events.
const (
	FieldTimeAdjusted = "vedette.time_adjusted" // the event's own time, when it was not believed
	FieldFlags        = "vedette.flags"         // what the receiver noted of the record: a list of "truncated", "bad_framing"
)

var flagText = [4]string{
	queue.FlagTruncated: `["truncated"]`, queue.FlagBadFraming: `["bad_framing"]`,
	queue.FlagTruncated | queue.FlagBadFraming: `["truncated","bad_framing"]`,
}

// What is said of a record that has no events of its own.
const (
	fieldKind      = "event.kind"
	fieldError     = "error.message"
	FieldDropped   = "vedette.dropped" // recognised by a parser, which found nothing worth keeping but the record
	streamUnparsed = "unparsed"
	KindUnparsed   = "pipeline_error"
)

// builder turns the fields of decoded events into canonical ones. Values that lie in a record or in the arena share the
// one string that was made of it. It belongs to one goroutine.
type builder struct {
	names nameTable
	slab  []storage.Field // where events' fields are cut from, up to its length
	chars []byte          // where computed values are cut from
	text  []byte          // the list at hand
	list  []element
}

// element is one element of a list-valued field.
type element struct {
	field int // index in the event's fields
	value string
}

// texts is what the values of an event are ranges of.
type texts struct {
	raw, arena               string
	rawIsASCII, arenaIsASCII bool // every range is valid UTF-8 then
}

func textsOf(arena []byte) texts {
	t := texts{arena: string(arena)}
	t.arenaIsASCII = isASCII(t.arena)
	return t
}

func (t *texts) record(raw string) { t.raw, t.rawIsASCII = raw, isASCII(raw) }

// Sizes of slabs: large enough to make allocations rare, small enough not to hold much when one event of them lives long.
const (
	slabFields    = 4096
	maxSlabFields = 64 << 10 // of a slab that is used again: a large frame's
	slabChars     = 16 << 10
	maxComputed   = 64 // of a value that is no text: a time has the longest, 30 bytes
)

func newBuilder() *builder { return &builder{names: newNameTable()} }

// keep returns a copy of text as a string.
func (b *builder) keep(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if len(text) > slabChars/4 {
		return string(text)
	}
	if len(b.chars) < len(text) {
		b.chars = make([]byte, slabChars)
	}
	n := copy(b.chars, text)
	s := unsafe.String(&b.chars[0], n) // never written again
	b.chars = b.chars[n:]
	return s
}

// take cuts room for n fields from the slab; what is appended beyond n moves elsewhere by itself. A slab that is full is
// left to the events that point into it.
func (b *builder) take(n int) []storage.Field {
	at := len(b.slab)
	if cap(b.slab)-at < n {
		at, b.slab = 0, make([]storage.Field, 0, max(n, slabFields, min(2*cap(b.slab), maxSlabFields)))
	}
	b.slab = b.slab[:at+n]
	return b.slab[at : at : at+n]
}

// event fills ev with the fields of v, an event of a batch that was checked, and reports whether ev is in canonical form:
// whatever is not seen here to be so, storage.Canonical decides. Fields that the host adds later are not its concern.
func (b *builder) event(ev *storage.Event, v *abi.Event, m *manifest.Manifest, t *texts) (canonical bool) {
	ev.Fields = b.take(v.Len() + hostFields)
	b.list = b.list[:0]
	b.names.next()
	canonical = len(t.raw) <= storage.MaxRawBytes && (t.rawIsASCII || utf8.ValidString(t.raw))
	size := len(t.raw)
	for i := range v.Len() {
		f := v.Entry(i)
		name := b.name(&f, m, t)
		if name.use == hostsOwn {
			continue
		}
		value, plain := b.value(&f, t)
		if value == "" {
			continue
		}
		size += len(name.text) + len(value)
		canonical = canonical && plain && name.use != irregular && len(value) <= storage.MaxFieldValueBytes
		if name.use == dataset {
			if ev.Stream == "" {
				ev.Stream = value
			}
			continue
		}
		at, given := b.names.given(name, len(ev.Fields))
		switch {
		case f.Flags&abi.FlagList != 0:
			b.element(ev, at, given, name.text, value)
		case !given:
			ev.Fields = append(ev.Fields, storage.Field{Name: name.text, Value: value})
		}
	}
	if !b.closeLists(ev) {
		canonical = false
	}
	return canonical && size <= storage.MaxRowBytes/2 && len(ev.Stream) <= storage.MaxStreamBytes &&
		len(ev.Fields)+hostFields <= storage.MaxFieldsPerEvent
}

// hostFields is room for the fields that the pipeline adds to each event. They are short: an event of half the size of a
// row has room for them.
const hostFields = 7

func (b *builder) name(f *abi.Entry, m *manifest.Manifest, t *texts) *fieldName {
	switch {
	case f.Name == abi.NameInArena:
		at := f.Aux + 1
		return b.names.intern(t.arena[at : at+uint32(t.arena[f.Aux])])
	case f.Name >= abi.FirstLocal:
		return b.names.intern(m.FieldName(f.Name))
	}
	return &b.names.of[f.Name]
}

// value returns a field's value as text, the form in which everything is stored and matched, and whether it is valid
// UTF-8.
func (b *builder) value(f *abi.Entry, t *texts) (string, bool) {
	off, n := uint32(f.Bits), uint32(f.Bits>>32)
	switch f.Type {
	case abi.InRecord:
		s := t.raw[off : off+n]
		return s, t.rawIsASCII || utf8.ValidString(s)
	case abi.InArena:
		s := t.arena[off : off+n]
		return s, t.arenaIsASCII || utf8.ValidString(s)
	}
	return b.computed(f), true
}

// computed returns a value that is no text, written where it stays.
func (b *builder) computed(f *abi.Entry) string {
	if len(b.chars) < maxComputed {
		b.chars = make([]byte, slabChars)
	}
	t := b.chars[:0]
	switch f.Type {
	case abi.Int:
		t = strconv.AppendInt(t, int64(f.Bits), 10)
	case abi.Uint:
		t = strconv.AppendUint(t, f.Bits, 10)
	case abi.Float:
		t = strconv.AppendFloat(t, math.Float64frombits(f.Bits), 'g', -1, 64)
	case abi.Bool:
		t = strconv.AppendBool(t, f.Bits == 1)
	case abi.Time:
		t = abi.AppendTime(t, int64(f.Bits))
	case abi.IPv4:
		t = netip.AddrFrom4([4]byte{byte(f.Bits >> 24), byte(f.Bits >> 16), byte(f.Bits >> 8), byte(f.Bits)}).AppendTo(t)
	}
	s := unsafe.String(unsafe.SliceData(t), len(t)) // never written again
	b.chars = b.chars[len(t):]
	return s
}

// element adds one element of the list that is, or will be, the event's field at; the list's place in the event is that
// of its first element.
func (b *builder) element(ev *storage.Event, at int, given bool, name, value string) {
	if !given {
		ev.Fields = append(ev.Fields, storage.Field{Name: name})
	} else if ev.Fields[at].Value != "" { // the name was given to a single value before
		return
	} else if slices.ContainsFunc(b.list, func(e element) bool { return e.field == at && e.value == value }) {
		return
	}
	b.list = append(b.list, element{at, value})
}

// closeLists writes each list as a JSON array of strings. Elements beyond the limit of a value are left out, since an
// array that is cut would be none, and the event says so; whole is false then.
func (b *builder) closeLists(ev *storage.Event) (whole bool) {
	cut := false
	for i := range b.list {
		field := b.list[i].field
		if ev.Fields[field].Value != "" {
			continue
		}
		t := append(b.text[:0], '[')
		for _, e := range b.list[i:] {
			if e.field != field {
				continue
			}
			end := len(t)
			if end > 1 {
				t = append(t, ',')
			}
			if t = appendJSON(t, e.value); len(t) >= storage.MaxFieldValueBytes {
				t, cut = t[:end], true
			}
		}
		b.text = append(t, ']')
		ev.Fields[field].Value = b.keep(b.text)
	}
	if cut {
		ev.Fields = append(ev.Fields, storage.Field{Name: storage.FieldTruncated, Value: `["value"]`})
	}
	return !cut
}

const hexDigits = "0123456789abcdef"

// appendJSON appends s as a JSON string.
func appendJSON(t []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	t = append(t, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			t = append(t, '\\', c)
		case c < 0x20:
			t = append(t, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			t = append(t, c)
		}
	}
	return append(t, '"')
}

// adjust returns the time that an event is filed and correlated under: its own when it is believable, else the receive
// time, and then it notes the event's own.
func adjust(ev *storage.Event, own int64) {
	switch {
	case own == abi.NoTime:
		ev.Time = ev.Received
	case own < ev.Received-maxPast || own > ev.Received+maxFuture:
		ev.Time = ev.Received
		ev.Fields = append(ev.Fields, storage.Field{
			Name: FieldTimeAdjusted, Value: string(abi.AppendTime(nil, own)),
		})
	default:
		ev.Time = own
	}
}
