package pipeline

import (
	"fmt"
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
	"github.com/vedette-siem/vedette/sdk/go/ecs"
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
	fieldDropped   = "vedette.dropped" // recognised by a parser, which found nothing worth keeping but the record
	streamUnparsed = "unparsed"
	kindUnparsed   = "pipeline_error"
)

// builder turns the fields of decoded events into canonical ones. Values that lie in a record or in the arena share the
// one string that was made of it. It belongs to one goroutine.
type builder struct {
	slab  []storage.Field // where events' fields are cut from
	chars []byte          // where computed values are cut from
	text  []byte          // the computed value at hand
	list  []element
}

// element is one element of a list-valued field.
type element struct {
	field int // index in the event's fields
	value string
}

// Sizes of slabs: large enough to make allocations rare, small enough not to hold much when one event of them lives long.
const (
	slabFields = 4096
	slabChars  = 16 << 10
)

func newBuilder() *builder { return &builder{} }

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

// take cuts room for n fields from the slab; what is appended beyond n moves elsewhere by itself.
func (b *builder) take(n int) []storage.Field {
	if len(b.slab) < n {
		b.slab = make([]storage.Field, max(n, slabFields))
	}
	f := b.slab[:0:n]
	b.slab = b.slab[n:]
	return f
}

// event fills ev with the fields of v. raw and arena are the strings of the record and of the batch's arena.
func (b *builder) event(ev *storage.Event, batch *abi.Events, v *abi.Event, m *manifest.Manifest, raw, arena string) error {
	ev.Fields = b.take(v.Len() + hostFields)
	b.list = b.list[:0]
	bytesOfRaw := unsafe.Slice(unsafe.StringData(raw), len(raw))
	for i := range v.Len() {
		f, err := batch.Field(v, i, bytesOfRaw)
		if err != nil {
			return err
		}
		name := nameOf(&f, m, arena)
		if name == "" {
			return &abi.DecodeError{Clause: "5.4", What: fmt.Sprintf("field name %d is not known", f.Name)}
		}
		if strings.HasPrefix(name, "vedette.") {
			continue // a module does not speak for the host
		}
		value := b.value(&f, raw, arena)
		if value == "" {
			continue
		}
		if name == storage.FieldDataset {
			if ev.Stream == "" {
				ev.Stream = value
			}
			continue
		}
		if f.Flags&abi.FlagList != 0 {
			b.element(ev, name, value)
			continue
		}
		ev.Fields = append(ev.Fields, storage.Field{Name: name, Value: value})
	}
	b.closeLists(ev)
	return nil
}

// hostFields is room for the fields that the pipeline adds to each event.
const hostFields = 7

func nameOf(f *abi.Field, m *manifest.Manifest, arena string) string {
	switch {
	case f.Name == abi.NameInArena:
		return arena[f.DynamicOff : f.DynamicOff+uint32(len(f.Dynamic))]
	case f.Name >= abi.FirstLocal:
		return m.FieldName(f.Name)
	case int(f.Name) < len(ecs.Names):
		return ecs.Names[f.Name]
	}
	return ""
}

// value returns a field's value as text, the form in which everything is stored and matched.
func (b *builder) value(f *abi.Field, raw, arena string) string {
	off, n := uint32(f.Bits), uint32(f.Bits>>32)
	switch f.Type {
	case abi.InRecord:
		return raw[off : off+n]
	case abi.InArena:
		return arena[off : off+n]
	}
	t := b.text[:0]
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
	b.text = t
	return b.keep(t)
}

// element adds one element of a list; the list's place in the event is that of its first element.
func (b *builder) element(ev *storage.Event, name, value string) {
	at := slices.IndexFunc(b.list, func(e element) bool { return ev.Fields[e.field].Name == name })
	field := len(ev.Fields)
	if at >= 0 {
		field = b.list[at].field
		if slices.ContainsFunc(b.list, func(e element) bool { return e.field == field && e.value == value }) {
			return
		}
	} else {
		ev.Fields = append(ev.Fields, storage.Field{Name: name})
	}
	b.list = append(b.list, element{field, value})
}

// closeLists writes each list as a JSON array of strings. Elements beyond the limit of a value are left out: an array
// that is cut would be none.
func (b *builder) closeLists(ev *storage.Event) {
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
