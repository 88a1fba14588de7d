package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/storage"
)

// A snapshot is: magic, log time, time of the last sweep, number of modules; for each the organization, its name, the
// version of its state, 1 if it was rebuilt, its space (sdk/go/state), and what was set aside: the number of states, and of
// each its version, two log times and its space; ordered by organization and name; the CRC-32C of all before it. The first
// version had nothing behind the space, and no flag before it.
const (
	snapshotMagic = "vedette state 2\n"
	firstMagic    = "vedette state 1\n"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maxModuleName bounds a module's name in a snapshot.
const maxModuleName = 256

// Append appends a snapshot of the state to b. The same state gives the same bytes.
func (s *State) Append(b []byte) []byte {
	from := len(b)
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
			b = binary.AppendUvarint(b, flag(h.rebuilt))
			b = h.space.Append(b)
			b = binary.AppendUvarint(b, uint64(len(h.aside)))
			for _, a := range h.aside {
				b = binary.AppendUvarint(b, uint64(a.version))
				b = binary.AppendVarint(b, a.at)
				b = binary.AppendVarint(b, a.until)
				b = a.space.Append(b)
			}
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

func flag(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}

// Restore reads a snapshot. The error wraps storage.ErrInvalid.
func Restore(b []byte, l Limits) (*State, error) {
	bad := func(what string) (*State, error) {
		return nil, fmt.Errorf("read the state of modules: %s: %w", what, storage.ErrInvalid)
	}
	n := len(b) - crc32.Size
	if n < len(snapshotMagic) || string(b[:len(snapshotMagic)]) != snapshotMagic && string(b[:len(firstMagic)]) != firstMagic {
		return bad("it is of another version of this program")
	}
	if crc32.Checksum(b[:n], castagnoli) != binary.LittleEndian.Uint32(b[n:]) {
		return bad("checksum differs")
	}
	r := reader{b: b[len(snapshotMagic):n], first: string(b[:len(firstMagic)]) == firstMagic}
	s := New(l)
	s.now, s.swept = r.int(), r.int()
	for count := r.uint(); count > 0 && !r.bad; count-- {
		t, name := storage.Tenant(r.uint()), r.text()
		owner := s.owner(t)
		h, err := r.held(s, owner)
		if err != nil {
			return bad(fmt.Sprintf("organization %s, %s: %v", t, name, err))
		}
		if owner.modules[name] != nil {
			return bad(fmt.Sprintf("organization %s, %s: it stands there twice", t, name))
		}
		h.tenant, h.module, h.reported = t, name, s.now-reportEvery
		owner.modules[name] = h
	}
	if r.bad || len(r.b) > 0 {
		return bad("it is not as long as it says")
	}
	s.Wake()
	return s, nil
}

// held reads what is kept of one module for one organization.
func (r *reader) held(s *State, owner *tenant) (h *held, err error) {
	h = &held{version: uint32(r.upTo(1<<32 - 1))}
	if !r.first {
		h.rebuilt = r.upTo(1) == 1
	}
	if h.space, err = r.space(s, owner); err != nil || r.first {
		return h, err
	}
	for n := r.upTo(maxAside); n > 0; n-- {
		a := &aside{version: uint32(r.upTo(1<<32 - 1)), at: r.int(), until: r.int()}
		if a.space, err = r.space(s, owner); err != nil {
			return nil, err
		}
		h.aside = append(h.aside, a)
	}
	return h, nil
}

func (r *reader) space(s *State, owner *tenant) (*state.Space, error) {
	if r.bad {
		return nil, errors.New("it is cut short")
	}
	space, rest, err := state.Restore(r.b, s.lim.Module, &owner.budget)
	if err == nil {
		r.b = rest
	}
	return space, err
}

type reader struct {
	b     []byte
	first bool // it is of the first version
	bad   bool
}

// upTo reads a number that may not be over a limit.
func (r *reader) upTo(most uint64) uint64 {
	n := r.uint()
	if n > most {
		r.bad, r.b = true, nil
		return 0
	}
	return n
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
