package pipeline

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/storage"
)

// nameTable knows the names of fields, each once, and which of them the event at hand has. What modules spell out is
// learnt as it comes; that changes no result.
type nameTable struct {
	of    []fieldName // the well-known names by their number, then the learnt ones
	ids   map[string]uint32
	quick [1 << quickBits]uint32 // numbers of names seen lately, by a hash of their ends; 0 is nobody's
	event uint32                 // the event at hand, counted
}

// fieldName is a name and what a module may do with it.
type fieldName struct {
	text string
	use  nameUse
	last uint32 // the last event that had it
	at   int    // its place there
}

// nameUse says what becomes of a module's field with some name.
type nameUse uint8

const (
	asIs      nameUse = iota
	hostsOwn          // a module does not speak for the host
	dataset           // it becomes the stream
	irregular         // storage.Canonical has to change it
)

const quickBits = 9

const maxNamesLearnt = 4096 // a sender may make names up; beyond, all are forgotten

func newNameTable() nameTable {
	t := nameTable{ids: make(map[string]uint32, len(ecs.Names))}
	for _, name := range ecs.Names {
		t.add(name)
	}
	return t
}

// next goes on to another event. Only here are names forgotten: what intern returned is in use until then.
func (t *nameTable) next() {
	if t.event++; t.event == 0 || len(t.of) > len(ecs.Names)+maxNamesLearnt {
		*t = newNameTable()
		t.event = 1
	}
}

// intern returns the entry of a name, valid until the next call.
func (t *nameTable) intern(name string) *fieldName {
	var lately *uint32
	if n := len(name); n >= 8 { // prefixes are what names have in common
		end := binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(name[n-8:]), 8))
		lately = &t.quick[(end+uint64(n))*0x9e3779b97f4a7c15>>(64-quickBits)]
		if f := &t.of[*lately]; f.text == name {
			return f
		}
	}
	id, ok := t.ids[name]
	if !ok {
		id = t.add(strings.Clone(name))
	}
	if lately != nil {
		*lately = id
	}
	return &t.of[id]
}

func (t *nameTable) add(name string) uint32 {
	id := uint32(len(t.of))
	t.of = append(t.of, fieldName{text: name, use: useOf(name)})
	t.ids[name] = id
	return id
}

func useOf(name string) nameUse {
	switch {
	case strings.HasPrefix(name, "vedette."):
		return hostsOwn
	case name == storage.FieldDataset:
		return dataset
	case name == "" || name[0] == '_' || len(name) > storage.MaxFieldNameBytes || !utf8.ValidString(name):
		return irregular
	}
	return asIs
}

// given notes that the event has the name and returns the place of the field, which is end when it had not yet.
func (t *nameTable) given(n *fieldName, end int) (at int, before bool) {
	if n.last == t.event {
		return n.at, true
	}
	n.last, n.at = t.event, end
	return end, false
}

// isASCII looks at eight bytes at once.
func isASCII(s string) bool {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	var or uint64
	for len(b) >= 8 {
		or |= binary.LittleEndian.Uint64(b)
		b = b[8:]
	}
	for _, c := range b {
		or |= uint64(c)
	}
	return or&0x8080808080808080 == 0
}
