// Package snmp reads variables of granted devices for monitors (ABI 15): the host knows address, community and keys.
package snmp

import (
	"encoding/binary"
	"errors"
	"strings"
)

// Import is the import module of the capability.
const Import = "vedette_snmp_v1"

// Sizes and limits of an answer (ABI 15.3).
const (
	Magic        = 'V' | 'S'<<8 | 'N'<<16 | '1'<<24
	Header       = 16
	Row          = 24
	MaxOIDs      = 64        // of one Get
	MaxVariables = 4096      // of one Walk
	MaxBytes     = 512 << 10 // of one answer
)

// Type says what a variable holds.
type Type uint32

// The types of variables. Absent is the answer for one that the device does not have.
const (
	Text     Type = 1 // octets: Bytes
	Int      Type = 2 // Number, signed
	Uint     Type = 3 // counters, gauges: Number, unsigned
	Ticks    Type = 4 // hundredths of a second: Number
	OID      Type = 5 // Bytes, "1.3.6.1"
	Address  Type = 6 // Bytes, "192.0.2.1"
	Absent   Type = 7
	lastType      = Absent
)

// Variable is one variable of a device.
type Variable struct {
	OID    string // without a dot in front
	Type   Type
	Bytes  []byte
	Number uint64 // of Int: as two's complement
}

// Signed is the number of an Int.
func (v *Variable) Signed() int64 { return int64(v.Number) }

// Get reads variables by their OIDs, at most MaxOIDs. The answer has one for each, in that order.
func Get(target string, oids ...string) ([]Variable, error) {
	vars, _, err := call("get", target, strings.Join(oids, " "))
	return vars, err
}

// Walk reads all variables below an OID; more says that the device has more than MaxVariables or MaxBytes of them.
func Walk(target, oid string) (vars []Variable, more bool, err error) {
	return call("walk", target, oid)
}

func call(function, target, request string) ([]Variable, bool, error) {
	out := make([]byte, MaxBytes)
	code, n := ask(function, target, request, out)
	if code != 0 {
		return nil, false, errors.New(string(out[:n]))
	}
	return Decode(out[:n])
}

// Encode writes an answer as the host hands it to a module (ABI 15.3). What does not fit in dst is left out and said.
func Encode(dst []byte, vars []Variable, more bool) int {
	if len(dst) < Header {
		return 0
	}
	size, rows := Header, 0
	for i := range vars {
		need := Row + len(vars[i].OID) + len(vars[i].Bytes)
		if size+need > len(dst) {
			more = true
			break
		}
		size += need
		rows++
	}
	le := binary.LittleEndian
	clear(dst[:Header+rows*Row])
	le.PutUint32(dst, Magic)
	le.PutUint32(dst[4:], uint32(rows))
	if more {
		le.PutUint32(dst[8:], 1)
	}
	heap := Header + rows*Row
	for i := range vars[:rows] {
		v, row := &vars[i], dst[Header+i*Row:]
		le.PutUint32(row, uint32(heap))
		le.PutUint32(row[4:], uint32(len(v.OID)))
		heap += copy(dst[heap:], v.OID)
		le.PutUint32(row[8:], uint32(v.Type))
		switch v.Type {
		case Text, OID, Address:
			le.PutUint32(row[16:], uint32(heap))
			le.PutUint32(row[20:], uint32(len(v.Bytes)))
			heap += copy(dst[heap:], v.Bytes)
		default:
			le.PutUint64(row[16:], v.Number)
		}
	}
	return heap
}

var errBroken = errors.New("the host's answer is broken")

// Decode reads an answer; Bytes are views into b.
func Decode(b []byte) (vars []Variable, more bool, err error) {
	le := binary.LittleEndian
	if len(b) < Header || le.Uint32(b) != Magic {
		return nil, false, errBroken
	}
	rows := uint64(le.Uint32(b[4:]))
	if Header+rows*Row > uint64(len(b)) {
		return nil, false, errBroken
	}
	vars = make([]Variable, rows)
	for i := range vars {
		row, v := b[Header+i*Row:], &vars[i]
		name, ok := part(b, row)
		v.OID, v.Type = string(name), Type(le.Uint32(row[8:]))
		switch v.Type {
		case Text, OID, Address:
			var fits bool
			v.Bytes, fits = part(b, row[16:])
			ok = ok && fits
		default:
			v.Number = le.Uint64(row[16:])
		}
		if !ok || v.Type == 0 || v.Type > lastType {
			return nil, false, errBroken
		}
	}
	return vars, le.Uint32(b[8:])&1 != 0, nil
}

func part(b, at []byte) ([]byte, bool) {
	off, n := uint64(binary.LittleEndian.Uint32(at)), uint64(binary.LittleEndian.Uint32(at[4:]))
	if off+n > uint64(len(b)) {
		return nil, false
	}
	return b[off : off+n : off+n], true
}
