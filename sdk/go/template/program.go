// Package template matches a text against many templates with typed holes in one walk over one tree.
//
// The templates of a spec are compiled into a [Program] by the host (package sdk/spec). Edges of the tree are literals
// and holes. Where a hole ends depends only on the text and on the literal behind it, so each node is reached at one
// place of the text at most, and a match visits no node twice: there is no backtracking that could blow up. How many
// edges may be tried at one place is bounded when a spec is compiled.
package template

import (
	"encoding/binary"
	"errors"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// Framing says how a record is cut before the templates are applied.
type Framing uint16

// The framings. Values are part of the program's format.
const (
	Plain      Framing = iota // the whole record is the text
	SyslogLine                // a syslog header; the text is its message
	KeyValue                  // key=value pairs, bare or behind a syslog header
	JSONObject                // a JSON object, bare or behind a syslog header
)

// Conv says what a value becomes.
type Conv uint8

// The conversions.
const (
	AsText  Conv = iota // as it was read
	AsInt               // a signed number
	AsEvent             // the time of the event
	AsTime              // a point in time
	AsQuote             // text without its escapes
	AsNone              // nothing: it is only gone over
	AsPairs             // key=value text, read by the program's keys
	AsJSON              // a JSON object, read by the program's keys
)

// Flags of a target and a constant.
const (
	List         = 1 << 0 // one element of a list-valued field
	RelatedIP    = 1 << 1 // also listed in related.ip
	RelatedUser  = 1 << 2 // also listed in related.user
	RelatedHosts = 1 << 3 // also listed in related.hosts
)

// Flags of a program.
const (
	KeepUnmatched = 1 << 0 // a record that no template reads is kept, not "not mine"
	KeepOthers    = 1 << 1 // keys that are not mapped are kept below the prefix
)

// Slots number the single-valued fields of a program, so that each is emitted once. These belong to the header.
const (
	SlotNone uint16 = iota // lists
	SlotHostname
	SlotProcess
	SlotPID
	SlotPriority
	SlotMessage
	MaxSlots = 1024
)

// Ref is a range of the program's heap.
type Ref struct{ Off, Len uint16 }

// Target says which field a value goes to.
type Target struct {
	Name  abi.Name
	Conv  Conv
	Flags uint8
	Map   uint16 // number of its lookup table, from 1; 0 for none
	Slot  uint16
	Arg   Ref // layout of a time
}

// Hole is a typed hole of the tree.
type Hole struct {
	Kind   Kind
	Stop   Ref // what ends it
	Target Target
}

// Key is an entry of the key table.
type Key struct {
	Text     Ref
	Kind     Kind // what a value must be to go to the target
	Required uint16
	Target   Target
	Message  bool // the value is what the templates are applied to
}

// Const is a field that is the same for every event of its template.
type Const struct {
	Name  abi.Name
	Flags uint8
	Slot  uint16
	Value Ref
}

// Variant is what stands behind an accepting node: a template with its optional parts settled.
type Variant struct{ First, Consts uint16 } // its constants

// Map is a lookup table.
type Map struct {
	First, Pairs uint16 // of Entries
	Default      Ref
	HasDefault   bool
}

// Entry is one pair of a lookup table, sorted by key within it.
type Entry struct{ Key, Value Ref }

// AppName is a program name that a syslog record may have.
type AppName struct {
	Text   Ref
	Prefix bool // only the beginning is compared
}

// Program is a compiled spec. It is immutable.
//
// A node of Tree is: variant+1 (0: not accepting), least variant below it, literals | holes<<8, then for each literal
// heap offset, length and target node, sorted by first byte, then for each hole its number and target node.
type Program struct {
	Framing   Framing
	Flags     uint16
	Zone      int // seconds east of UTC, of times that name no zone
	Separator byte
	Required  uint16 // bits of the keys that a record must have
	Base      Variant
	Prefix    Ref // of keys that are not mapped, with its dot
	Root      uint16

	Heap     []byte
	Tree     []uint16
	Holes    []Hole
	Variants []Variant
	Consts   []Const
	Maps     []Map
	Entries  []Entry
	Apps     []AppName
	Keys     []Key
	Buckets  []uint16 // hash table of keys: index+1, length a power of two or 0
}

// magic begins a program; its last byte is the version of the format.
const magic = "VDP\x01"

// ErrProgram says that bytes are no program of this version.
var ErrProgram = errors.New("not a compiled spec of this version: pack the spec again")

// Bytes returns the text of t.
func (p *Program) Bytes(t Ref) []byte { return p.Heap[t.Off : int(t.Off)+int(t.Len)] }

// Hash is that of the key table: FNV-1a.
func Hash(key []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range key {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// Find returns the key of the table that is key, nil when there is none.
func (p *Program) Find(key []byte) *Key {
	if len(p.Buckets) == 0 {
		return nil
	}
	mask := uint32(len(p.Buckets) - 1)
	for i := Hash(key) & mask; p.Buckets[i] != 0; i = (i + 1) & mask {
		if k := &p.Keys[p.Buckets[i]-1]; same(p.Bytes(k.Text), key) {
			return k
		}
	}
	return nil
}

// Lookup returns what table n has for a value; ok is false when it has nothing.
func (p *Program) Lookup(n uint16, v []byte) (text Ref, ok bool) {
	m := &p.Maps[n-1]
	lo, hi := int(m.First), int(m.First)+int(m.Pairs)
	for lo < hi {
		mid := (lo + hi) / 2
		if str(p.Bytes(p.Entries[mid].Key)) < str(v) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < int(m.First)+int(m.Pairs) && same(p.Bytes(p.Entries[lo].Key), v) {
		return p.Entries[lo].Value, true
	}
	return m.Default, m.HasDefault
}

// Accepts says whether a record of the program app is to be read: any, when the spec names none.
func (p *Program) Accepts(app []byte) bool {
	for i := range p.Apps {
		a := &p.Apps[i]
		text := p.Bytes(a.Text)
		if len(app) == len(text) || a.Prefix && len(app) > len(text) {
			if same(app[:len(text)], text) {
				return true
			}
		}
	}
	return len(p.Apps) == 0
}

// codec writes or reads the numbers of a program, so that both directions are one list of fields.
type codec struct {
	b    []byte
	pos  int
	read bool
	bad  bool
}

func (c *codec) u16(v *uint16) {
	if !c.read {
		c.b = binary.LittleEndian.AppendUint16(c.b, *v)
		return
	}
	if len(c.b)-c.pos < 2 {
		c.bad = true
		return
	}
	*v = binary.LittleEndian.Uint16(c.b[c.pos:])
	c.pos += 2
}

func (c *codec) u8(v *uint8) {
	if !c.read {
		c.b = append(c.b, *v)
		return
	}
	if c.pos == len(c.b) {
		c.bad = true
		return
	}
	*v = c.b[c.pos]
	c.pos++
}

func (c *codec) flag(v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	c.u8(&n)
	*v = n != 0
}

func (c *codec) text(t *Ref) { c.u16(&t.Off); c.u16(&t.Len) }

// list codes the length of a list and then its elements. The least size of an element bounds what is made of bytes that
// lie.
func list[T any](c *codec, v *[]T, size int, element func(*T)) {
	n := uint16(len(*v))
	c.u16(&n)
	if c.read {
		if c.bad || int(n)*size > len(c.b)-c.pos {
			c.bad = true
			return
		}
		*v = make([]T, n)
	}
	for i := range *v {
		element(&(*v)[i])
	}
}

func (c *codec) target(t *Target) {
	c.u16((*uint16)(&t.Name))
	c.u8((*uint8)(&t.Conv))
	c.u8(&t.Flags)
	c.u16(&t.Map)
	c.u16(&t.Slot)
	c.text(&t.Arg)
}

func (c *codec) program(p *Program) {
	c.u16((*uint16)(&p.Framing))
	c.u16(&p.Flags)
	zone := uint16(int16(p.Zone / 60))
	c.u16(&zone)
	p.Zone = int(int16(zone)) * 60
	c.u8(&p.Separator)
	c.u16(&p.Required)
	c.u16(&p.Base.First)
	c.u16(&p.Base.Consts)
	c.text(&p.Prefix)
	c.u16(&p.Root)
	list(c, &p.Heap, 1, c.u8)
	list(c, &p.Tree, 2, c.u16)
	list(c, &p.Holes, 17, func(h *Hole) { c.u8((*uint8)(&h.Kind)); c.text(&h.Stop); c.target(&h.Target) })
	list(c, &p.Variants, 4, func(v *Variant) { c.u16(&v.First); c.u16(&v.Consts) })
	list(c, &p.Consts, 9, func(k *Const) { c.u16((*uint16)(&k.Name)); c.u8(&k.Flags); c.u16(&k.Slot); c.text(&k.Value) })
	list(c, &p.Maps, 9, func(m *Map) { c.u16(&m.First); c.u16(&m.Pairs); c.text(&m.Default); c.flag(&m.HasDefault) })
	list(c, &p.Entries, 8, func(e *Entry) { c.text(&e.Key); c.text(&e.Value) })
	list(c, &p.Apps, 5, func(a *AppName) { c.text(&a.Text); c.flag(&a.Prefix) })
	list(c, &p.Keys, 20, func(k *Key) {
		c.text(&k.Text)
		c.u8((*uint8)(&k.Kind))
		c.u16(&k.Required)
		c.target(&k.Target)
		c.flag(&k.Message)
	})
	list(c, &p.Buckets, 2, c.u16)
}

// Encode returns p as bytes.
func (p *Program) Encode() []byte {
	c := codec{b: []byte(magic)}
	c.program(p)
	return c.b
}

// Decode reads what Encode has written. Only the frame is checked: a program comes from the compiler, and one that does
// not can hurt nobody but itself.
func Decode(b []byte) (*Program, error) {
	if len(b) < len(magic) || string(b[:len(magic)]) != magic {
		return nil, ErrProgram
	}
	p := &Program{}
	c := codec{b: b, pos: len(magic), read: true}
	c.program(p)
	if c.bad || c.pos != len(b) {
		return nil, ErrProgram
	}
	return p, nil
}
