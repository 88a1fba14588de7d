package interp

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// Names of what an event has beside its fields.
const (
	fieldDataset  = "event.dataset"
	fieldOriginal = "event.original"
	fieldTime     = "@timestamp"
)

// memory holds the fields of the event at hand. What is derived from a value is made once per event, when it is first asked
// for. Nothing is allocated per event once the arenas have grown.
type memory struct {
	stamp   uint32 // of the event at hand; a field with another one is absent
	slots   []field
	present []uint32 // slots of the event that are scanned
	values  []string // of all fields, the record as received, and elements of lists
	folded  []string // of them, with TextBegin before and TextEnd behind each; "": nobody has asked
	aside   []bool   // those of them that no test of any field sees
	spread  bool     // the elements are there
	truth   []uint32 // of the tests: stamp<<2 and one of known truths; with another stamp nothing is known
	woken   []uint32 // bitset of rules that are to be looked at
	bytes   []byte   // arena of folded and unescaped texts
	list    []string // arena of lists of values
	hits    []int

	machine machine
}

// field is where the value of a field is, and, of a list, its elements as they are and folded.
type field struct {
	stamp        uint32
	at           uint32 // of its value
	looked       bool   // for a list
	elems, lower []string
}

// What arenas begin with. Whoever restores the memory before each call makes them grow in each, and a sandbox's memory may have to
// grow for it, which costs more than all the events of a call.
const (
	arenaBytes = 256 << 10
	arenaList  = 1024
)

func newMemory(fields, tests, rules, insts int) memory {
	return memory{
		machine: newMachine(insts),
		slots:   make([]field, fields), present: make([]uint32, 0, fields), truth: make([]uint32, tests), woken: make([]uint32, (rules+31)/32),
		values: make([]string, 0, arenaList), folded: make([]string, 0, arenaList), aside: make([]bool, 0, arenaList),
		bytes: make([]byte, 0, arenaBytes), list: make([]string, 0, arenaList), hits: make([]int, 0, rules),
	}
}

// load points the memory at an event, as ABI 6.4 writes it, of a time in ns.
func (p *Program) load(event []byte, at int64) {
	m := &p.memory
	if m.stamp++; m.stamp == 1<<30 {
		m.stamp = 1
		clear(m.truth)
		for i := range m.slots {
			m.slots[i].stamp = 0
		}
	}
	m.bytes, m.list, m.present = m.bytes[:0], m.list[:0], m.present[:0]
	m.values, m.folded, m.aside, m.spread = m.values[:0], m.folded[:0], m.aside[:0], false
	original := false
	for len(event) >= 8 {
		n, v := load32(event, 0), load32(event, 4)
		if uint64(n)+uint64(v) > uint64(len(event)-8) {
			break
		}
		name, text := event[8:8+n], event[8+n:8+n+v]
		event = event[8+n+v:]
		original = original || len(name) == len(fieldOriginal) && string(name) == fieldOriginal
		p.put(name, textOf(text), len(name) == len(fieldDataset) && string(name) == fieldDataset)
	}
	if !original {
		m.keep("", false)
	}
	if p.timed && at != 0 {
		from := len(m.bytes)
		m.bytes = time.Unix(0, at).UTC().AppendFormat(m.bytes, time.RFC3339Nano)
		p.put([]byte(fieldTime), m.text(from), true)
	}
}

// put notes a field; the first of a name counts.
func (p *Program) put(name []byte, text string, aside bool) {
	m := &p.memory
	if slot, known := p.slotOf(name); known {
		if f := &m.slots[slot]; f.stamp != m.stamp {
			f.stamp, f.at, f.looked, f.elems, f.lower = m.stamp, uint32(len(m.values)), false, nil, nil
			if p.fields[slot*FieldWords+2] != 0 {
				m.present = append(m.present, slot)
			}
		}
	}
	m.keep(text, aside)
}

func (m *memory) keep(text string, aside bool) {
	m.values, m.folded, m.aside = append(m.values, text), append(m.folded, ""), append(m.aside, aside)
}

// slotOf finds a field by its name.
func (p *Program) slotOf(name []byte) (uint32, bool) {
	most := uint32(len(p.names)) - 1
	for at := NameHash(name) & most; p.names[at] != 0; at = (at + 1) & most {
		slot := p.names[at] - 1
		f := p.fields[slot*FieldWords:][:FieldWords]
		if int(f[1]) == len(name) && equal(p.heap[f[0]:][:f[1]], name) {
			return slot, true
		}
	}
	return 0, false
}

// equal compares texts of one length.
func equal(a, b []byte) bool {
	n := len(a)
	b = b[:n]
	if n < 8 {
		for i := range a {
			if a[i] != b[i] {
				return false
			}
		}
		return true
	}
	for i := 0; i < n-8; i += 8 {
		if load64(a, i) != load64(b, i) {
			return false
		}
	}
	return load64(a, n-8) == load64(b, n-8)
}

// textOf is a text that lives as long as the batch.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// texts returns the values of a field, folded and with their ends unless cased; none when the event lacks it.
func (m *memory) texts(slot uint32, cased bool) []string {
	f := &m.slots[slot]
	if f.stamp != m.stamp {
		return nil
	}
	if raw := m.values[f.at]; !f.looked {
		f.looked = true
		if strings.HasPrefix(raw, `["`) {
			f.elems = m.elements(raw)
		}
	}
	switch {
	case f.elems == nil && cased:
		return m.values[f.at:][:1]
	case f.elems == nil:
		m.foldValue(int(f.at))
		return m.folded[f.at:][:1]
	case cased:
		return f.elems
	}
	if f.lower == nil {
		from := len(m.list)
		for _, s := range f.elems {
			m.list = append(m.list, m.fold(s))
		}
		f.lower = m.list[from:len(m.list):len(m.list)]
	}
	return f.lower
}

// foldValue returns a value of the event, folded and with its ends.
func (m *memory) foldValue(at int) string {
	if m.folded[at] == "" {
		m.folded[at] = m.fold(m.values[at])
	}
	return m.folded[at]
}

// anywhere returns the values of the event, elements of lists one by one; those that are set aside are none.
func (m *memory) anywhere(cased bool) []string {
	if !m.spread {
		m.spread = true
		for i := range m.values {
			if m.aside[i] || !strings.HasPrefix(m.values[i], `["`) {
				continue
			}
			if list := m.elements(m.values[i]); list != nil {
				m.aside[i] = true
				for _, s := range list {
					m.keep(s, false)
				}
			}
		}
	}
	if cased {
		return m.values
	}
	for i := range m.values {
		m.foldValue(i)
	}
	return m.folded
}

// text makes a string of the arena's bytes from an offset on. An arena that grows leaves the old one to the strings in it.
func (m *memory) text(from int) string { return textOf(m.bytes[from:]) }

// inner is a folded text without its ends.
func inner(s string) string { return s[len(TextBegin) : len(s)-len(TextEnd)] }

// fold is strings.ToLower, with TextBegin before it and TextEnd behind it.
func (m *memory) fold(s string) string {
	const begin = len(TextBegin)
	from := len(m.bytes)
	end := from + begin + len(s) + len(TextEnd)
	if end > cap(m.bytes) {
		m.bytes = slices.Grow(m.bytes, end-from)
	}
	m.bytes = m.bytes[:end]
	b := m.bytes[from:]
	b[0], b[1], b[len(b)-1] = TextBegin[0], TextBegin[1], TextEnd[0]
	if !foldASCII(b[begin:], bytesOf(s)) {
		return m.foldRunes(from, s)
	}
	return textOf(b)
}

// foldASCII writes s in small letters; false when it is not of ASCII alone.
func foldASCII(to, s []byte) bool {
	n := len(s)
	if n < 8 {
		for i, c := range s {
			if c >= utf8.RuneSelf {
				return false
			}
			if c-'A' < 26 {
				c += 'a' - 'A'
			}
			to[i] = c
		}
		return true
	}
	all := uint64(0)
	for i := 0; i < n-8; i += 8 {
		w := load64(s, i)
		all |= w
		store64(to, i, fold8(w))
	}
	last := load64(s, n-8) // it may overlap the one before
	store64(to, n-8, fold8(last))
	return (all|last)&(0x80*ones) == 0
}

const ones = 0x0101010101010101

// fold8 folds eight bytes of ASCII: one from A on has its highest bit after the first sum, one beyond Z after the second.
func fold8(w uint64) uint64 {
	big := (w + (0x80-'A')*ones) &^ (w + (0x80-'Z'-1)*ones) & (0x80 * ones)
	return w | big>>2
}

func (m *memory) foldRunes(from int, s string) string {
	m.bytes = m.bytes[:from+len(TextBegin)]
	for _, r := range s {
		m.bytes = utf8.AppendRune(m.bytes, unicode.ToLower(r))
	}
	m.bytes = append(m.bytes, TextEnd...)
	return m.text(from)
}
