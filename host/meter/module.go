package meter

import (
	"bytes"
	"strconv"
	"strings"
)

const (
	secCustom = iota
	secType
	secImport
	secFunction
	secTable
	secMemory
	secGlobal
	secExport
	secStart
	secElement
	secCode
	secData
	secDataCount
	sections
)

// sectionOrder is the place of each section in a module: the data count comes before the code.
var sectionOrder = [sections]int{
	secType: 1, secImport: 2, secFunction: 3, secTable: 4, secMemory: 5, secGlobal: 6, secExport: 7, secStart: 8, secElement: 9,
	secDataCount: 10, secCode: 11, secData: 12,
}

var sectionNames = [sections]string{
	"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count",
}

type funcType struct{ params, results []byte }

type globalType struct {
	typ     byte
	mutable bool
}

// module is one rewriting: what was decoded so far, and the output's sections as they grow.
type module struct {
	lim   Limits
	omit  omit
	shape *Shape

	types      []funcType // the guest's, then those added
	guestTypes int
	typeIndex  map[string]uint32
	imports    []uint32 // type of each imported function
	funcs      []uint32 // type of each defined function
	tables     int
	elements   uint64 // minimum of all tables together
	memories   int
	globals    []globalType
	exported   map[string]bool
	bodies     int
	data       int // segments as counted before the code, -1 without a count
	dataSeen   int
	work       int64 // sum of the squares of the functions' branches

	out   [sections]vec
	start []byte // content of the start section
	names []byte // content of the guest's name section

	getFuel, setFuel, getDepth, setDepth, callTick []byte // instructions
}

func newModule(l Limits, o omit) *module {
	return &module{
		lim: l.withDefaults(), omit: o, data: -1,
		shape:     &Shape{Customs: map[string][]byte{}},
		typeIndex: map[string]uint32{}, exported: map[string]bool{},
	}
}

func (m *module) decode(wasm []byte) *Error {
	if len(wasm) > m.lim.ModuleBytes {
		return errorf("E_LIMIT_MODULE_BYTES", "the module has %d bytes, at most %d", len(wasm), m.lim.ModuleBytes)
	}
	if !bytes.HasPrefix(wasm, []byte("\x00asm\x01\x00\x00\x00")) {
		return errorf(CodeModule, "not a core WebAssembly module of version 1")
	}
	r := reader{b: wasm, pos: 8}
	for last := 0; r.left() > 0; {
		id := r.byte()
		content := r.take(r.u32())
		if r.err != nil {
			return r.err
		}
		if id >= sections {
			return errorf(CodeABI, "section %d is unknown or of a feature that is not supported (13: exceptions)", id)
		}
		if order := sectionOrder[id]; order > 0 {
			if order <= last {
				return errorf(CodeModule, "the %s section is double or out of order", sectionNames[id])
			}
			if last < sectionOrder[secCode] && order >= sectionOrder[secCode] {
				m.fix()
			}
			last = order
		}
		s := reader{b: content}
		m.section(id, &s)
		s.end("the section")
		if s.err != nil {
			s.err.Detail = sectionNames[id] + " section: " + s.err.Detail
			return s.err
		}
	}
	m.fix()
	return m.consistent()
}

func (m *module) section(id byte, r *reader) {
	switch id {
	case secCustom:
		m.customSection(r)
	case secType:
		m.typeSection(r)
	case secImport:
		m.importSection(r)
	case secFunction:
		m.functionSection(r)
	case secTable:
		m.tableSection(r)
	case secMemory:
		m.memorySection(r)
	case secGlobal:
		m.globalSection(r)
	case secExport:
		m.exportSection(r)
	case secStart:
		m.start = appendU32(nil, m.shift(r.index(m.functions(), "function"), omitShiftStart))
		m.shape.HasStart = true
	case secElement:
		m.elementSection(r)
	case secDataCount:
		m.data = int(r.number(m.lim.DataSegments, "E_LIMIT_DATA_SEGMENTS", "data segments"))
	case secCode:
		m.codeSection(r)
	case secData:
		m.dataSection(r)
	}
}

// consistent checks what spans sections.
func (m *module) consistent() *Error {
	if m.bodies != len(m.funcs) {
		return errorf(CodeModule, "%d functions have %d bodies", len(m.funcs), m.bodies)
	}
	if m.data >= 0 && m.data != m.dataSeen {
		return errorf(CodeModule, "%d data segments were announced, %d follow", m.data, m.dataSeen)
	}
	return nil
}

func (m *module) functions() int { return len(m.imports) + len(m.funcs) }

// shift maps a guest's function index to that of the output: tick stands between imported and defined functions.
func (m *module) shift(i uint32, unless omit) uint32 {
	if int(i) >= len(m.imports) && m.omit&unless == 0 {
		i++
	}
	return i
}

func (m *module) typeOf(function uint32) funcType {
	if int(function) < len(m.imports) {
		return m.types[m.imports[function]]
	}
	return m.types[m.funcs[int(function)-len(m.imports)]]
}

// addType returns the index of a function type, which it adds if the guest has none.
func (m *module) addType(params, results []byte) uint32 {
	key := string(params) + ">" + string(results)
	i, ok := m.typeIndex[key]
	if !ok {
		i = uint32(len(m.types))
		m.types = append(m.types, funcType{params, results})
		m.typeIndex[key] = i
		m.out[secType].b = appendBytes(appendBytes(append(m.out[secType].b, 0x60), params), results)
		m.out[secType].n++
	}
	return i
}

// fix adds what the code refers to, once everything before the code is known.
func (m *module) fix() {
	if m.callTick != nil {
		return
	}
	m.out[secImport].n++
	m.out[secImport].b = appendBytes(appendBytes(m.out[secImport].b, TickModule), TickName)
	m.out[secImport].b = appendU32(append(m.out[secImport].b, KindFunction), m.addType(nil, nil))
	fuel, depth := uint32(len(m.globals)), uint32(len(m.globals)+1)
	m.out[secGlobal].n += 2
	m.out[secGlobal].b = append(m.out[secGlobal].b, typeI64, 1, opI64Const, 0, opEnd, typeI32, 1, opI32Const, 0, opEnd)
	export := func(name string, i uint32) {
		m.out[secExport].n++
		m.out[secExport].b = appendU32(append(appendBytes(m.out[secExport].b, name), KindGlobal), i)
	}
	export(FuelExport, fuel)
	export(DepthExport, depth)
	for i, g := range m.globals {
		if g.mutable {
			name := GlobalExportPrefix + strconv.Itoa(i)
			m.shape.MutableGlobals = append(m.shape.MutableGlobals, name)
			export(name, uint32(i))
		}
	}
	m.getFuel, m.setFuel = appendU32([]byte{opGlobalGet}, fuel), appendU32([]byte{opGlobalSet}, fuel)
	m.getDepth, m.setDepth = appendU32([]byte{opGlobalGet}, depth), appendU32([]byte{opGlobalSet}, depth)
	m.callTick = appendU32([]byte{opCall}, uint32(len(m.imports)))
}

func (m *module) encode() []byte {
	size := 1 << 14
	for i := range m.out {
		size += len(m.out[i].b)
	}
	b := append(make([]byte, 0, size+len(m.names)), "\x00asm\x01\x00\x00\x00"...)
	for _, id := range [...]byte{secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport} {
		b = appendVec(b, id, m.out[id])
	}
	if m.start != nil {
		b = appendSection(b, secStart, m.start)
	}
	b = appendVec(b, secElement, m.out[secElement])
	if m.data >= 0 {
		b = appendSection(b, secDataCount, appendU32(nil, uint32(m.data)))
	}
	b = appendVec(b, secCode, m.out[secCode])
	b = appendVec(b, secData, m.out[secData])
	if names := m.rewriteNames(); names != nil {
		b = appendSection(b, secCustom, append(appendBytes(nil, "name"), names...))
	}
	return b
}

func reserved(name string) bool { return strings.HasPrefix(name, reservedPrefix) }
