package interp

import (
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// Names of what an event has beside its fields.
const (
	fieldDataset  = "event.dataset"
	fieldOriginal = "event.original"
)

// memory holds the fields of the event at hand. What is derived from a value is made once per event, when a test first asks
// for it. Nothing is allocated per event once the arenas have grown.
type memory struct {
	stamp uint32 // of the event at hand; a value with another one is absent
	slots []value
	truth []uint32 // of the tests: stamp<<1 | holds; with another stamp it is not known
	event []byte
	bytes []byte   // arena of folded and unescaped texts
	list  []string // arena of lists of values
	every value    // of any field
	hits  []int

	threads threads
}

type value struct {
	stamp         uint32
	raw           string
	one, oneFold  [1]string
	elems, folded []string // nil until asked for
}

// load points the memory at an event, as ABI 6.4 writes it.
func (p *Program) load(event []byte) {
	m := &p.memory
	if m.stamp++; m.stamp == 1<<31 {
		m.stamp = 1
		clear(m.truth)
		for i := range m.slots {
			m.slots[i].stamp = 0
		}
		m.every.stamp = 0
	}
	m.event = event
	m.bytes, m.list = m.bytes[:0], m.list[:0]
	for name, text, rest, ok := abi.NextField(event); ok; name, text, rest, ok = abi.NextField(rest) {
		if slot, known := p.fields[string(name)]; known {
			if v := &m.slots[slot]; v.stamp != m.stamp {
				v.stamp, v.raw, v.elems, v.folded = m.stamp, textOf(text), nil, nil
			}
		}
	}
}

// textOf is a text that lives as long as the batch.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// texts returns the values of a field, folded to small letters unless cased; none when the event lacks it.
func (m *memory) texts(slot int, cased bool) []string {
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
			v.folded = m.foldAll(v.elems)
		}
	}
	return v.folded
}

// anywhere returns the values of all fields and the record as received.
func (m *memory) anywhere(cased bool) []string {
	v := &m.every
	if v.stamp != m.stamp {
		v.stamp, v.folded = m.stamp, nil
		v.elems = v.elems[:0]
		raw := ""
		for name, text, rest, ok := abi.NextField(m.event); ok; name, text, rest, ok = abi.NextField(rest) {
			switch string(name) {
			case fieldDataset:
			case fieldOriginal:
				raw = textOf(text)
			default:
				v.elems = append(v.elems, textOf(text))
			}
		}
		v.elems = append(v.elems, raw)
	}
	if cased {
		return v.elems
	}
	if v.folded == nil {
		v.folded = m.foldAll(v.elems)
	}
	return v.folded
}

func (m *memory) foldAll(list []string) []string {
	from := len(m.list)
	for _, e := range list {
		m.list = append(m.list, m.fold(e))
	}
	return m.list[from:len(m.list):len(m.list)]
}

// text makes a string of the arena's bytes from an offset on. An arena that grows leaves the old one to the strings in it.
func (m *memory) text(from int) string { return textOf(m.bytes[from:]) }

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
