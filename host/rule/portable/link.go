package portable

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Sections of the Wasm binary format, core specification 2.0 §5.5, and the export whose body is replaced.
const (
	sectionImport    = 2
	sectionExport    = 7
	sectionCode      = 10
	sectionData      = 11
	sectionDataCount = 12

	copyExport = "vedette_program"
)

// Link puts a program into the interpreter: as a passive data segment, from which the interpreter's vedette_program copies
// from then on. The error wraps manifest.ErrInvalid for a module that is not the interpreter.
func Link(interpreter, program []byte) ([]byte, error) {
	w, err := manifest.ReadWasm(interpreter)
	if err != nil {
		return nil, err
	}
	l := linker{program: program, body: -1}
	for _, s := range w.Sections { // they come in the order of their numbers, but the count of data segments
		l.learn(s.ID, content(interpreter, s))
	}
	if l.err == nil && (l.body < 0 || l.segments == 0) {
		l.err = fmt.Errorf("it does not export %s, or has no data", copyExport)
	}
	out := append([]byte(nil), interpreter[:8]...)
	counted := false
	for _, s := range w.Sections {
		b := content(interpreter, s)
		switch s.ID {
		case sectionDataCount:
			counted = true
			b = binary.AppendUvarint(nil, uint64(l.segments)+1)
		case sectionCode:
			if !counted {
				out = section(out, sectionDataCount, binary.AppendUvarint(nil, uint64(l.segments)+1))
			}
			b = l.code(b)
		case sectionData:
			b = l.data(b)
		}
		out = section(out, s.ID, b)
	}
	if l.err != nil {
		return nil, fmt.Errorf("put rules into the interpreter: %w: %w", l.err, manifest.ErrInvalid)
	}
	if len(out) > manifest.MaxWasmBytes {
		return nil, fmt.Errorf("put rules into the interpreter: %d bytes, the limit is %d: %w", len(out), manifest.MaxWasmBytes, manifest.ErrInvalid)
	}
	return out, nil
}

// content returns what stands behind a section's number and length.
func content(file []byte, s manifest.Section) []byte {
	b := file[s.Start+1 : s.End]
	_, n := binary.Uvarint(b)
	return b[n:]
}

func section(out []byte, id byte, content []byte) []byte {
	return append(binary.AppendUvarint(append(out, id), uint64(len(content))), content...)
}

type linker struct {
	program  []byte
	imported uint64 // functions
	body     int    // index of the body that is replaced, among those of the module; -1: not known
	segments uint64 // of data
	err      error
}

// learn takes out of a section what has to be known before anything is written.
func (l *linker) learn(id byte, b []byte) {
	r := reader{b: b}
	switch id {
	case sectionImport:
		for n := r.u(); n > 0 && !r.bad; n-- {
			r.skip(r.u())
			r.skip(r.u())
			if kind := r.byte(); kind != 0 {
				l.err = errors.New("it imports something that is no function")
				return
			}
			r.u()
			l.imported++
		}
	case sectionExport:
		for n := r.u(); n > 0 && !r.bad; n-- {
			name := r.skip(r.u())
			kind, index := r.byte(), r.u()
			if string(name) == copyExport && kind == 0 && index >= l.imported {
				l.body = int(index - l.imported)
			}
		}
	case sectionData:
		l.segments = r.u()
	}
	if r.bad {
		l.err = errors.New("a section is cut short")
	}
}

// code replaces the body: memory.init of the new segment with the three parameters.
func (l *linker) code(b []byte) []byte {
	r := reader{b: b}
	n := r.u()
	out := binary.AppendUvarint(nil, n)
	for i := uint64(0); i < n && !r.bad; i++ {
		body := r.skip(r.u())
		if int(i) == l.body {
			body = []byte{0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 8}
			body = append(binary.AppendUvarint(body, l.segments), 0, 0x0b)
		}
		out = append(binary.AppendUvarint(out, uint64(len(body))), body...)
	}
	if r.bad || l.body >= int(n) {
		l.err = errors.New("its code is cut short")
	}
	return out
}

// data appends the program as a passive segment.
func (l *linker) data(b []byte) []byte {
	_, n := binary.Uvarint(b)
	out := append(binary.AppendUvarint(nil, l.segments+1), b[n:]...)
	return append(binary.AppendUvarint(append(out, 1), uint64(len(l.program))), l.program...)
}

// reader reads the binary format.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) u() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) skip(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	v := r.skip(1)
	if v == nil {
		return 0
	}
	return v[0]
}
