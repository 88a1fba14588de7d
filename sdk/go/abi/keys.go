package abi

import "math"

// Kinds of key (ABI 19.2). What the host keeps for a window is opaque: it is taken over as it is or not at all.
const (
	KeyValue    uint32 = iota // of vedette_kv_v1
	KeyCount                  // of vedette_window_v1.count
	KeyDistinct               // distinct
	KeySeen                   // first_seen
	KeyStep                   // seq_step
	KeyTimer                  // of vedette_timer_v1: its end is the time at which it is due
	keyKinds
)

// NoEnd is the end of a key that is kept until it is deleted.
const NoEnd = math.MaxInt64

// Key is one key of a module's state.
type Key struct {
	Kind  uint32
	Ends  int64 // log time in ns from which on it is not there any more
	Name  []byte
	Value []byte
}

// KeysEncoder writes a page of keys (ABI 19.2) into a buffer of fixed size.
type KeysEncoder struct {
	out, arena []byte
	pos, heap  int
	full       bool
}

// Begin starts a page in out; arena is scratch space for names and values.
func (e *KeysEncoder) Begin(out, arena []byte) {
	*e = KeysEncoder{out: out, arena: arena, pos: KeysHeader, full: len(out) < KeysHeader}
}

// Add appends a key and says whether there was room for it. Where there was none, the page is as before.
func (e *KeysEncoder) Add(k Key) bool {
	if e.full || len(e.out)-e.pos < KeySize || e.pos >= KeysHeader+MaxKeysPerPage*KeySize || len(e.arena)-e.heap < len(k.Name)+len(k.Value) {
		return false
	}
	b := e.out[e.pos : e.pos+KeySize]
	le.PutUint32(b, k.Kind)
	le.PutUint32(b[4:], 0)
	le.PutUint64(b[8:], uint64(k.Ends))
	for i, s := range [2][]byte{k.Name, k.Value} {
		le.PutUint32(b[16+8*i:], uint32(e.heap))
		le.PutUint32(b[20+8*i:], uint32(len(s)))
		e.heap += copy(e.arena[e.heap:], s)
	}
	e.pos += KeySize
	return true
}

// Len returns the number of keys of the page.
func (e *KeysEncoder) Len() int { return (e.pos - KeysHeader) / KeySize }

// Finish joins table and arena and returns the page's length; ok is false when they do not fit. version is the state
// version of the keys and at the log time, in ns; a module leaves both 0.
func (e *KeysEncoder) Finish(version uint32, at int64) (n int, ok bool) {
	if e.full || e.pos+e.heap > cap(e.out) {
		return 0, false
	}
	copy(e.out[e.pos:cap(e.out)], e.arena[:e.heap])
	b := e.out[:KeysHeader]
	le.PutUint32(b, MagicKeys)
	le.PutUint32(b[4:], version)
	le.PutUint32(b[8:], uint32(e.Len()))
	le.PutUint32(b[12:], KeysHeader)
	le.PutUint32(b[16:], uint32(e.pos))
	le.PutUint32(b[20:], uint32(e.heap))
	le.PutUint64(b[24:], uint64(at))
	return e.pos + e.heap, true
}

// Keys is a decoded page of keys: views into its bytes.
type Keys struct {
	Version uint32 // of the state that they are from
	At      int64  // log time, ns
	Len     int
	table   []byte
	arena   []byte
}

// DecodeKeys reads a page of keys and checks all of it. The error is a *DecodeError.
func DecodeKeys(b []byte) (Keys, error) {
	if len(b) < KeysHeader || le.Uint32(b) != MagicKeys {
		return Keys{}, broken("19.2", "not a page of keys")
	}
	n, to := uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:]))
	ao, al := uint64(le.Uint32(b[16:])), uint64(le.Uint32(b[20:]))
	if n > MaxKeysPerPage || to+n*KeySize > uint64(len(b)) || ao+al > uint64(len(b)) {
		return Keys{}, broken("19.2", "a table lies outside the page, or there are too many keys")
	}
	k := Keys{Version: le.Uint32(b[4:]), At: int64(le.Uint64(b[24:])), Len: int(n), table: b[to : to+n*KeySize], arena: b[ao : ao+al]}
	for i := range k.Len {
		row := k.table[i*KeySize:]
		if le.Uint32(row) >= keyKinds {
			return Keys{}, broken("19.2", "a key's kind is unknown")
		}
		for j := range 2 {
			if uint64(le.Uint32(row[16+8*j:]))+uint64(le.Uint32(row[20+8*j:])) > al {
				return Keys{}, broken("19.2", "a key or its value lies outside the arena")
			}
		}
		if l := le.Uint32(row[20:]); l == 0 || l > MaxKeyBytes || le.Uint32(row[28:]) > MaxKeyValueBytes {
			return Keys{}, broken("19.2", "a key or its value has a length that no call would take")
		}
	}
	return k, nil
}

// Key returns key i of the page.
func (k *Keys) Key(i int) Key {
	row := k.table[i*KeySize:]
	name, value := le.Uint32(row[16:]), le.Uint32(row[24:])
	nameEnd, valueEnd := name+le.Uint32(row[20:]), value+le.Uint32(row[28:])
	return Key{
		Kind: le.Uint32(row), Ends: int64(le.Uint64(row[8:])),
		Name: k.arena[name:nameEnd:nameEnd], Value: k.arena[value:valueEnd:valueEnd],
	}
}
