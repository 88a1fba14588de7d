package state

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/storage"
)

// A snapshot is: magic, log time, time of the last sweep, number of modules; for each the organization, its name, the
// version of its state and its space (sdk/go/state), ordered by organization and name; the CRC-32C of all before it.
const snapshotMagic = "vedette state 1\n"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maxModuleName bounds a module's name in a snapshot.
const maxModuleName = 256

// Snapshot returns the state as bytes. The same state gives the same bytes.
func (s *State) Snapshot() []byte {
	b := make([]byte, 0, 64+s.all.Used())
	b = append(b, snapshotMagic...)
	b = binary.AppendVarint(b, s.now)
	b = binary.AppendVarint(b, s.swept)
	n := 0
	for _, owner := range s.tenants {
		n += len(owner.modules)
	}
	b = binary.AppendUvarint(b, uint64(n))
	for _, t := range s.Tenants() {
		owner := s.tenants[t]
		for _, name := range owner.names() {
			h := owner.modules[name]
			b = binary.AppendUvarint(b, uint64(t))
			b = binary.AppendUvarint(b, uint64(len(name)))
			b = append(b, name...)
			b = binary.AppendUvarint(b, uint64(h.version))
			b = h.space.Append(b)
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// Restore reads a snapshot. The error wraps storage.ErrInvalid.
func Restore(b []byte, l Limits) (*State, error) {
	bad := func(what string) (*State, error) {
		return nil, fmt.Errorf("read the state of modules: %s: %w", what, storage.ErrInvalid)
	}
	n := len(b) - crc32.Size
	if n < len(snapshotMagic) || string(b[:len(snapshotMagic)]) != snapshotMagic {
		return bad("it is of another version of this program")
	}
	if crc32.Checksum(b[:n], castagnoli) != binary.LittleEndian.Uint32(b[n:]) {
		return bad("checksum differs")
	}
	r := reader{b: b[len(snapshotMagic):n]}
	s := New(l)
	s.now, s.swept = r.int(), r.int()
	for count := r.uint(); count > 0 && !r.bad; count-- {
		t, name, version := storage.Tenant(r.uint()), r.text(), r.uint()
		if r.bad || version > 1<<32-1 {
			return bad("it is cut short")
		}
		owner := s.owner(t)
		space, rest, err := state.Restore(r.b, s.lim.Module, &owner.budget)
		if err != nil {
			return bad(fmt.Sprintf("organization %s, %s: %v", t, name, err))
		}
		if owner.modules[name] != nil {
			return bad(fmt.Sprintf("organization %s, %s: it stands there twice", t, name))
		}
		owner.modules[name] = &held{tenant: t, module: name, version: uint32(version), space: space, reported: s.now - reportEvery}
		r.b = rest
	}
	if r.bad || len(r.b) > 0 {
		return bad("it is not as long as it says")
	}
	return s, nil
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) took(n int) {
	if n <= 0 {
		r.bad, r.b = true, nil
		return
	}
	r.b = r.b[n:]
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	r.took(n)
	return v
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.took(n)
	return v
}

func (r *reader) text() string {
	n := r.uint()
	if n > maxModuleName || n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}
