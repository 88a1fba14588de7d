package detect

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// memory holds the fields of the event at hand by slot. What is derived from a value (its elements, their folded forms)
// is made once per event, when a predicate first asks for it.
type memory struct {
	stamp  uint64 // of the event at hand; a value with another stamp is absent
	ev     *storage.Event
	slots  []value
	words  []uint64 // bitset of subs that are to be looked at
	truth  []uint64 // of the set's tests: stamp<<2 and one of known truths; with another stamp nothing is known
	marked []uint32 // by test: events that marked it
	events uint64
	looked uint64   // sub-patterns of these events
	bytes  []byte   // arena of folded and unescaped text, reused from event to event
	list   []string // arena of element lists
	all    value    // of any field, see anywhere

	lists []List // of the view at hand, by their number in the set

	set   *Set // that known and truth speak of
	known [1 << knownBits]known
}

// known is a field name that was looked up before, and its slot. Names of events are few strings that come again and
// again, so the address tells most of them; it is nobody else's as long as the name is held here.
type known struct {
	name string
	slot int // 1 + slot, noSlot when the rules ask for no such field, 0 for an empty entry
}

const (
	knownBits = 9
	noSlot    = -1
)

type value struct {
	stamp         uint64
	raw           string
	one, oneFold  [1]string
	elems, folded []string // nil until asked for
}

// load points the memory at an event.
func (m *memory) load(s *Set, ev *storage.Event) {
	if len(m.slots) < len(s.slots) {
		m.slots = append(m.slots, make([]value, len(s.slots)-len(m.slots))...)
	}
	if m.set != s {
		m.set = s
		clear(m.known[:])
		clear(m.truth)
		m.marked, m.events = make([]uint32, len(s.tests)), 0
		m.looked = 0
		m.truth = append(m.truth, make([]uint64, max(0, len(s.tests)-len(m.truth)))...)
	}
	m.events++
	m.stamp++
	m.ev = ev
	m.bytes, m.list = m.bytes[:0], m.list[:0]
	for i := range ev.Fields {
		if n := m.slotOf(ev.Fields[i].Name); n != noSlot {
			m.put(uint16(n-1), ev.Fields[i].Value)
		}
	}
	if slot, ok := s.slots[storage.FieldDataset]; ok && ev.Stream != "" {
		m.put(slot, ev.Stream)
	}
	if slot, ok := s.slots[rule.FieldOriginal]; ok && ev.Raw != "" {
		m.put(slot, ev.Raw)
	}
	if slot, ok := s.slots[rule.FieldTime]; ok && ev.Time != 0 {
		from := len(m.bytes)
		m.bytes = time.Unix(0, ev.Time).UTC().AppendFormat(m.bytes, time.RFC3339Nano)
		m.put(slot, m.text(from))
	}
}

// slotOf returns 1 + the slot of a field, or noSlot.
func (m *memory) slotOf(name string) int {
	at := unsafe.StringData(name)
	k := &m.known[uint64(uintptr(unsafe.Pointer(at)))*0x9e3779b97f4a7c15>>(64-knownBits)]
	if k.slot != 0 && unsafe.StringData(k.name) == at && len(k.name) == len(name) {
		return k.slot
	}
	*k = known{name, noSlot}
	if slot, ok := m.set.slots[name]; ok {
		k.slot = int(slot) + 1
	}
	return k.slot
}

// put keeps the first value of a slot, as rule.Value does.
func (m *memory) put(slot uint16, text string) {
	if v := &m.slots[slot]; v.stamp != m.stamp {
		v.stamp, v.raw, v.elems, v.folded = m.stamp, text, nil, nil
	}
}

// texts returns the values of a field, folded to lower case unless cased; none when the event lacks it.
func (m *memory) texts(slot uint16, cased bool) []string {
	v := &m.slots[slot]
	if v.stamp != m.stamp {
		return nil
	}
	if v.elems == nil {
		v.one[0] = v.raw
		v.elems = v.one[:]
		if strings.HasPrefix(v.raw, `["`) {
			if list := m.elements(v.raw); list != nil {
				v.elems = list
			}
		}
	}
	if cased {
		return v.elems
	}
	if v.folded == nil {
		if len(v.elems) == 1 {
			v.oneFold[0] = m.fold(v.elems[0])
			v.folded = v.oneFold[:]
		} else {
			from := len(m.list)
			for _, e := range v.elems {
				m.list = append(m.list, m.fold(e))
			}
			v.folded = m.list[from:len(m.list):len(m.list)]
		}
	}
	return v.folded
}

// anywhere returns the values of all fields and the record as received.
func (m *memory) anywhere(cased bool) []string {
	v := &m.all
	if v.stamp != m.stamp {
		v.stamp, v.folded = m.stamp, nil
		v.elems = v.elems[:0]
		for i := range m.ev.Fields {
			text := m.ev.Fields[i].Value
			if strings.HasPrefix(text, `["`) {
				if list := m.elements(text); list != nil {
					v.elems = append(v.elems, list...)
					continue
				}
			}
			v.elems = append(v.elems, text)
		}
		v.elems = append(v.elems, m.ev.Raw)
	}
	if cased {
		return v.elems
	}
	if v.folded == nil {
		from := len(m.list)
		for _, e := range v.elems {
			m.list = append(m.list, m.fold(e))
		}
		v.folded = m.list[from:len(m.list):len(m.list)]
	}
	return v.folded
}

// text makes a string of the arena's bytes from an offset. The bytes are not written again before the next event, and
// an arena that grows leaves the old one to the strings that point into it.
func (m *memory) text(from int) string {
	if from == len(m.bytes) {
		return ""
	}
	return unsafe.String(&m.bytes[from], len(m.bytes)-from)
}

// fold is strings.ToLower without allocation.
func (m *memory) fold(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	from := len(m.bytes)
	m.bytes = append(m.bytes, s[:i]...)
	for ; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			for _, r := range s[i:] {
				m.bytes = utf8.AppendRune(m.bytes, unicode.ToLower(r))
			}
			break
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		m.bytes = append(m.bytes, c)
	}
	return m.text(from)
}

// elements reads a JSON array of strings, the canonical form of a list-valued field; nil when s is something else.
func (m *memory) elements(s string) []string {
	from := len(m.list)
	i := 1
	for {
		if i >= len(s) || s[i] != '"' {
			m.list = m.list[:from]
			return nil
		}
		text, n := m.quoted(s[i:])
		if n == 0 {
			m.list = m.list[:from]
			return nil
		}
		m.list = append(m.list, text)
		i += n
		if i < len(s) && s[i] == ',' {
			i++
			continue
		}
		if i == len(s)-1 && s[i] == ']' {
			return m.list[from:len(m.list):len(m.list)]
		}
		m.list = m.list[:from]
		return nil
	}
}

// quoted reads a JSON string and returns its text and length with the quotes; 0 when it is malformed.
func (m *memory) quoted(s string) (string, int) {
	end := 1
	for end < len(s) && s[end] != '"' && s[end] != '\\' && s[end] >= ' ' {
		end++
	}
	if end < len(s) && s[end] == '"' {
		return s[1:end], end + 1
	}
	from := len(m.bytes)
	m.bytes = append(m.bytes, s[1:end]...)
	for i := end; i < len(s); {
		switch c := s[i]; {
		case c == '"':
			return m.text(from), i + 1
		case c < ' ':
			return "", 0
		case c != '\\':
			m.bytes = append(m.bytes, c)
			i++
		default:
			n := m.escape(s[i:])
			if n == 0 {
				return "", 0
			}
			i += n
		}
	}
	return "", 0
}

// escape appends what an escape at the start of s stands for and returns the escape's length.
func (m *memory) escape(s string) int {
	if len(s) < 2 {
		return 0
	}
	if at := strings.IndexByte(`"\/bfnrt`, s[1]); at >= 0 {
		m.bytes = append(m.bytes, "\"\\/\b\f\n\r\t"[at])
		return 2
	}
	r, ok := hex4(s)
	if !ok {
		return 0
	}
	n := 6
	if r >= 0xd800 && r < 0xdc00 {
		if low, ok := hex4(s[6:]); ok && low >= 0xdc00 && low < 0xe000 {
			r, n = (r-0xd800)<<10|(low-0xdc00)+0x10000, 12
		}
	}
	m.bytes = utf8.AppendRune(m.bytes, r) // a lone surrogate becomes U+FFFD
	return n
}

func hex4(s string) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(s[2:6]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
