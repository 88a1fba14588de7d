package manifest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/timer"
)

// Wasm binary format, core specification 2.0 §5.5.
var wasmMagic = []byte("\x00asm\x01\x00\x00\x00")

const (
	sectionCustom = 0
	sectionImport = 2
	sectionExport = 7
)

// Import is one import of a Wasm file.
type Import struct{ Module, Name string }

// Wasm is what a package check needs to know of a Wasm file without compiling it.
type Wasm struct {
	Imports  []Import
	Exports  []string
	Manifest []byte // content of the custom section "vedette.manifest", a slice of the file; nil without one
	Sections []Section
}

// Section is a section's place in the file.
type Section struct {
	ID         byte
	Name       string // custom sections only
	Start, End int    // from the id byte to the byte after the content
}

var errTruncated = errors.New("ends in the middle of a value")

// ReadWasm lists imports, exports and sections. It reads no code; host/meter checks that. The error wraps ErrInvalid.
func ReadWasm(file []byte) (Wasm, error) {
	if len(file) > MaxWasmBytes {
		return Wasm{}, fmt.Errorf("wasm of %d bytes, the limit is %d: %w", len(file), MaxWasmBytes, ErrInvalid)
	}
	if !bytes.HasPrefix(file, wasmMagic) {
		return Wasm{}, fmt.Errorf("not a WebAssembly 1.0 module: %w", ErrInvalid)
	}
	var w Wasm
	r := reader{b: file, pos: len(wasmMagic)}
	for r.pos < len(file) && r.err == nil {
		start := r.pos
		id := r.byte()
		content := reader{b: r.bytes(r.u32())}
		if r.err != nil {
			break
		}
		if len(w.Sections) == MaxWasmSections {
			return Wasm{}, fmt.Errorf("more than %d sections: %w", MaxWasmSections, ErrInvalid)
		}
		s := Section{ID: id, Start: start, End: r.pos}
		var err error
		switch id {
		case sectionCustom:
			s.Name = content.name()
			if s.Name == abi.SectionName && content.err == nil {
				if w.Manifest != nil {
					return Wasm{}, fmt.Errorf("two sections %q: %w", abi.SectionName, ErrInvalid)
				}
				w.Manifest = content.b[content.pos:]
			}
			err = content.err
		case sectionImport:
			w.Imports, err = content.imports()
		case sectionExport:
			w.Exports, err = content.exports()
		}
		if err != nil {
			return Wasm{}, fmt.Errorf("wasm section %d at byte %d: %w: %w", id, start, err, ErrInvalid)
		}
		w.Sections = append(w.Sections, s)
	}
	if r.err != nil {
		return Wasm{}, fmt.Errorf("wasm at byte %d: %w: %w", r.pos, r.err, ErrInvalid)
	}
	return w, nil
}

// Embed returns file with manifest as its only custom section "vedette.manifest", at the end. With the same input it
// returns the same bytes.
func Embed(file, manifest []byte) ([]byte, error) {
	return rewrite(file, manifest, func(s Section) bool { return s.Name != abi.SectionName })
}

// Strip returns file without the custom sections that drop selects.
func Strip(file []byte, drop func(name string) bool) ([]byte, error) {
	return rewrite(file, nil, func(s Section) bool { return !drop(s.Name) })
}

func rewrite(file, manifest []byte, keep func(Section) bool) ([]byte, error) {
	w, err := ReadWasm(file)
	if err != nil {
		return nil, fmt.Errorf("custom sections: %w", err)
	}
	out := slices.Clone(wasmMagic)
	for _, s := range w.Sections {
		if s.ID != sectionCustom || keep(s) {
			out = append(out, file[s.Start:s.End]...)
		}
	}
	if manifest != nil {
		if len(w.Sections) >= MaxWasmSections && w.Manifest == nil {
			return nil, fmt.Errorf("no room for a section %q beside %d others: %w", abi.SectionName, len(w.Sections), ErrInvalid)
		}
		content := binary.AppendUvarint(nil, uint64(len(abi.SectionName)))
		content = append(append(content, abi.SectionName...), manifest...)
		out = append(binary.AppendUvarint(append(out, sectionCustom), uint64(len(content))), content...)
	}
	if len(out) > MaxWasmBytes {
		return nil, fmt.Errorf("wasm of %d bytes, the limit is %d: %w", len(out), MaxWasmBytes, ErrInvalid)
	}
	return out, nil
}

// CheckWasm compares a Wasm file with what the manifest says: the ABI marker and the export of its kind are there, no
// import module stands outside the declared ones, and the embedded manifest is the same bytes. The error wraps
// ErrInvalid. It returns the declared capabilities that the code does not import, which deserve a warning.
func (m *Manifest) CheckWasm(file []byte) (unused []string, err error) {
	w, err := ReadWasm(file)
	if err != nil {
		return nil, err
	}
	canonical, err := m.Canonical()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(w.Manifest, canonical) {
		return nil, fmt.Errorf("the manifest inside the wasm of %s is not the package's: %w", m.Reference(), ErrInvalid)
	}
	call := map[Kind]string{Parser: abi.ExportParse, Monitor: abi.ExportPoll, Rule: abi.ExportEval}[m.Kind]
	for _, name := range []string{"memory", abi.ExportMarker, abi.ExportBuffers, abi.ExportInit, call} {
		if !slices.Contains(w.Exports, name) {
			return nil, fmt.Errorf("the wasm of %s does not export %s: %w", m.Reference(), name, ErrInvalid)
		}
	}
	if m.State != nil && m.State.CompatibleFrom != 0 && m.State.CompatibleFrom < m.State.Version && !slices.Contains(w.Exports, abi.ExportMigrate) {
		return nil, fmt.Errorf("the wasm of %s does not export %s, and state.compatible_from says that it reads state version %d: %w",
			m.Reference(), abi.ExportMigrate, m.State.CompatibleFrom, ErrInvalid)
	}
	if slices.ContainsFunc(w.Imports, func(im Import) bool { return im.Module == timer.Import }) && !slices.Contains(w.Exports, abi.ExportDue) {
		return nil, fmt.Errorf("the wasm of %s imports %s and does not export %s: %w", m.Reference(), timer.Import, abi.ExportDue, ErrInvalid)
	}
	declared := m.ImportModules()
	for _, im := range w.Imports {
		if !slices.Contains(declared, im.Module) {
			return nil, fmt.Errorf("the wasm of %s imports %s.%s, which its manifest does not declare: %w", m.Reference(), im.Module, im.Name, ErrInvalid)
		}
	}
	for _, c := range m.Capabilities {
		if !slices.ContainsFunc(w.Imports, func(im Import) bool { return im.Module == c.ID }) {
			unused = append(unused, c.ID)
		}
	}
	return unused, nil
}

// reader reads the binary format; the first error sticks.
type reader struct {
	b   []byte
	pos int
	err error
}

func (r *reader) byte() byte {
	if r.err != nil || r.pos >= len(r.b) {
		r.fail(errTruncated)
		return 0
	}
	r.pos++
	return r.b[r.pos-1]
}

func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	r.fail(errors.New("a number is longer than 32 bits"))
	return 0
}

func (r *reader) bytes(n uint32) []byte {
	if r.err != nil || uint64(n) > uint64(len(r.b)-r.pos) {
		r.fail(errTruncated)
		return nil
	}
	r.pos += int(n)
	return r.b[r.pos-int(n) : r.pos : r.pos]
}

func (r *reader) name() string {
	n := r.u32()
	if n > MaxWasmNameBytes {
		r.fail(fmt.Errorf("a name of %d bytes, the limit is %d", n, MaxWasmNameBytes))
	}
	b := r.bytes(n)
	if !utf8.Valid(b) {
		r.fail(errors.New("a name is not UTF-8"))
	}
	return string(b)
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) imports() ([]Import, error) {
	n := r.u32()
	if n > MaxWasmImports {
		return nil, fmt.Errorf("%d imports, the limit is %d", n, MaxWasmImports)
	}
	var list []Import
	for range n {
		im := Import{Module: r.name(), Name: r.name()}
		switch kind := r.byte(); kind {
		case 0: // function: its type
			r.u32()
		case 1: // table: element type, limits
			r.byte()
			r.limits()
		case 2: // memory
			r.limits()
		case 3: // global: value type, mutability
			r.byte()
			r.byte()
		default:
			r.fail(fmt.Errorf("import kind %d is unknown", kind))
		}
		if r.err != nil {
			return nil, r.err
		}
		list = append(list, im)
	}
	return list, r.err
}

func (r *reader) limits() {
	flags := r.byte()
	r.u32()
	if flags&1 != 0 {
		r.u32()
	}
}

func (r *reader) exports() ([]string, error) {
	n := r.u32()
	var list []string
	for range n {
		name := r.name()
		r.byte()
		r.u32()
		if r.err != nil {
			return nil, r.err
		}
		list = append(list, name)
	}
	return list, r.err
}
