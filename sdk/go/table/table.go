// Package table looks keys up in the tables of the organization for parsers and rules (ABI 14): watch lists, indicators,
// inventories, users. A module names tables in its manifest, and a person grants each; a batch sees one version of them.
package table

import (
	"encoding/binary"
	"errors"
)

// The import modules of the capabilities.
const (
	ImportSet    = "vedette_set_v1"
	ImportLookup = "vedette_lookup_v1"
)

// The errors of all calls.
var (
	ErrLimit  = errors.New("E_LIMIT: more keys than one call takes, or a key that is too long")
	ErrAbsent = errors.New("the key is in no row")
	ErrShort  = errors.New("the row is longer than the buffer")
	ErrDenied = errors.New("E_DENIED: no such table was granted")
)

func errorOf(code int32) error {
	switch {
	case code >= 0:
		return nil
	case code == -2:
		return ErrAbsent
	case code == -3:
		return ErrShort
	case code == -4:
		return ErrDenied
	}
	return ErrLimit
}

// MaxKeys bounds the keys of one Match.
const MaxKeys = 1024

// Match looks for keys, at most MaxKeys, in a table. Bit k of matched, beginning with the lowest of byte 0, says whether
// key k was found; matched has at least a byte for each 8 keys. It returns how many were.
func Match(name string, keys [][]byte, matched []byte) (int, error) {
	if len(keys) > MaxKeys || len(matched)*8 < len(keys) {
		return 0, ErrLimit
	}
	n := match(name, keys, matched)
	return int(max(n, 0)), errorOf(n)
}

// Has reports whether a key is in a table.
func Has(name string, key []byte) (bool, error) {
	n := has(name, key)
	return n > 0, errorOf(n)
}

// Row is the row of a key: names of columns and their values.
type Row struct{ b []byte }

// Get reads the row of a key into buf, which the Row keeps. Errors: ErrAbsent, ErrShort, ErrLimit, ErrDenied.
func Get(name string, key, buf []byte) (Row, error) {
	n := lookup(name, key, buf)
	if n < 0 {
		return Row{}, errorOf(n)
	}
	return Row{buf[:n]}, nil
}

// Decode reads a row as a host writes it (ABI 14.3); false when it is none.
func Decode(b []byte) (Row, bool) {
	r := Row{b}
	if len(b) < 8 || uint64(r.Len())*16+8 > uint64(len(b)) {
		return Row{}, false
	}
	for i := range 2 * r.Len() {
		at := b[8+8*i:]
		if uint64(binary.LittleEndian.Uint32(at))+uint64(binary.LittleEndian.Uint32(at[4:])) > uint64(len(b)) {
			return Row{}, false
		}
	}
	return r, true
}

// Len returns the number of columns. The first one is the key as it stands in the table.
func (r Row) Len() int {
	if len(r.b) < 8 {
		return 0
	}
	return int(binary.LittleEndian.Uint32(r.b))
}

// Cell returns the name and the value of column i.
func (r Row) Cell(i int) (name, value []byte) {
	at := r.b[8+16*i:]
	return r.text(at), r.text(at[8:])
}

func (r Row) text(at []byte) []byte {
	off, n := binary.LittleEndian.Uint32(at), binary.LittleEndian.Uint32(at[4:])
	return r.b[off : off+n : off+n]
}

// Value returns the value of a column, nil when there is none of that name.
func (r Row) Value(column string) []byte {
	for i := range r.Len() {
		if name, value := r.Cell(i); string(name) == column {
			return value
		}
	}
	return nil
}
