// Package config has the host keep texts of a device, such as its configuration, and say what has changed (ABI 18).
package config

import (
	"encoding/binary"
	"errors"
)

// Import is the import module of the capability.
const Import = "vedette_config_v1"

// Limits (ABI 18.2).
const (
	Header       = 32
	MaxNameBytes = 64
	MaxTextBytes = 1 << 20
	MaxDiffBytes = 32 << 10
)

// What a text can be compared with, beside "@NAME": the newest text of that name of the same target.
const (
	Previous = ""        // the version before
	Blessed  = "blessed" // the version that a person has declared right
)

// State is how a text stands to the other one.
type State uint32

// The states.
const (
	Same    State = 0
	Changed State = 1
	Missing State = 2 // there is none to compare with
)

// Difference is what Compare answers.
type Difference struct {
	State          State
	Cut            bool   // Diff is not all of it
	Added, Removed int    // lines
	Version        string // digest of the text, "sha256:..."
	Base           string // digest of the text that it was compared with
	Diff           []byte // unified, at most MaxDiffBytes
}

// Compare hands a text over, to be kept as the newest version of its name when the poll has succeeded, and tells how it
// differs from another.
func Compare(target, name, base string, text []byte) (Difference, error) {
	out := make([]byte, Header+256+MaxDiffBytes)
	request := make([]byte, 0, len(name)+len(base)+len(text)+2)
	request = append(append(request, name...), 0)
	request = append(append(request, base...), 0)
	request = append(request, text...)
	code, n := ask("compare", target, string(request), out)
	if code != 0 {
		return Difference{}, errors.New(string(out[:n]))
	}
	return Decode(out[:n])
}

// Encode writes a difference as the host hands it to a module; the diff is cut to what fits in dst.
func Encode(dst []byte, d Difference) int {
	if len(dst) < Header+len(d.Version)+len(d.Base) {
		return 0
	}
	le := binary.LittleEndian
	clear(dst[:Header])
	n := Header + copy(dst[Header:], d.Version)
	n += copy(dst[n:], d.Base)
	m := copy(dst[n:], d.Diff)
	le.PutUint32(dst, uint32(d.State))
	if d.Cut || m < len(d.Diff) {
		le.PutUint32(dst[4:], 1)
	}
	le.PutUint32(dst[8:], uint32(d.Added))
	le.PutUint32(dst[12:], uint32(d.Removed))
	le.PutUint32(dst[16:], uint32(len(d.Version)))
	le.PutUint32(dst[20:], uint32(len(d.Base)))
	le.PutUint32(dst[24:], uint32(m))
	return n + m
}

// Decode reads a difference; Diff is a view into b.
func Decode(b []byte) (Difference, error) {
	le := binary.LittleEndian
	if len(b) < Header {
		return Difference{}, errors.New("the host's answer is broken")
	}
	v, base, m := uint64(le.Uint32(b[16:])), uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:]))
	if Header+v+base+m > uint64(len(b)) || le.Uint32(b) > uint32(Missing) {
		return Difference{}, errors.New("the host's answer is broken")
	}
	at := Header + v
	return Difference{
		State: State(le.Uint32(b)), Cut: le.Uint32(b[4:])&1 != 0, Added: int(le.Uint32(b[8:])), Removed: int(le.Uint32(b[12:])),
		Version: string(b[Header:at]), Base: string(b[at : at+base]), Diff: b[at+base : at+base+m],
	}, nil
}
