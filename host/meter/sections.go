package meter

import (
	"bytes"
	"math"
)

func (m *module) customSection(r *reader) {
	name := r.name(m.lim.NameBytes)
	content := r.take(uint32(r.left()))
	if r.err != nil {
		return
	}
	if _, double := m.shape.Customs[name]; double {
		r.fail(CodeABI, "%q is there twice, so that readers may disagree about it", name)
		return
	}
	if len(m.shape.Customs) == m.lim.Customs {
		r.fail("E_LIMIT_CUSTOMS", "more than %d custom sections", m.lim.Customs)
		return
	}
	m.shape.Customs[name] = content
	if name == "name" {
		m.names = content
	}
}

func (m *module) valueTypes(r *reader) []byte {
	ts := r.take(r.number(m.lim.TypeValues, "E_LIMIT_TYPE_VALUES", "values in a type"))
	for _, t := range ts {
		if !valueType(t) {
			r.fail(CodeModule, "0x%02x is no value type", t)
		}
	}
	return ts
}

func (m *module) typeSection(r *reader) {
	for range r.count(m.lim.Types, "E_LIMIT_TYPES", "types") {
		if form := r.byte(); form != 0x60 {
			r.fail(CodeABI, "type form 0x%02x: only functions are supported", form)
		}
		t := funcType{m.valueTypes(r), m.valueTypes(r)}
		if len(t.params)+len(t.results) > m.lim.TypeValues {
			r.fail("E_LIMIT_TYPE_VALUES", "%d values in a type, at most %d", len(t.params)+len(t.results), m.lim.TypeValues)
		}
		if r.err != nil {
			return
		}
		key := string(t.params) + ">" + string(t.results)
		if _, ok := m.typeIndex[key]; ok {
			m.types = append(m.types, t) // a type may be there twice: indexes must stay
			m.out[secType].b = appendBytes(appendBytes(append(m.out[secType].b, 0x60), t.params), t.results)
			m.out[secType].n++
		} else {
			m.addType(t.params, t.results)
		}
	}
	m.guestTypes = len(m.types)
}

func (m *module) importSection(r *reader) {
	out := &m.out[secImport]
	for range r.count(m.lim.Imports, "E_LIMIT_IMPORTS", "imports") {
		mod, name := r.name(m.lim.NameBytes), r.name(m.lim.NameBytes)
		kind := r.byte()
		if r.err != nil {
			return
		}
		if reserved(mod) || reserved(name) {
			r.fail(CodeABI, "the import %q %q: names beginning with %s are reserved", mod, name, reservedPrefix)
			return
		}
		if kind != KindFunction {
			r.fail(CodeABI, "the import %q %q is no function: memories, tables and globals must be the module's own", mod, name)
			return
		}
		t := r.index(m.guestTypes, "type")
		if r.err != nil {
			return
		}
		m.imports = append(m.imports, t)
		m.shape.Imports = append(m.shape.Imports, Import{mod, name, kind, bytes.Clone(m.types[t].params), bytes.Clone(m.types[t].results)})
		out.n++
		out.b = appendU32(append(appendBytes(appendBytes(out.b, mod), name), kind), t)
	}
}

func (m *module) functionSection(r *reader) {
	n := r.count(m.lim.Functions, "E_LIMIT_FUNCTIONS", "functions")
	m.shape.Functions = n
	m.funcs = make([]uint32, 0, n)
	out := &m.out[secFunction]
	out.n = uint32(n)
	for range n {
		t := r.index(m.guestTypes, "type")
		m.funcs = append(m.funcs, t)
		out.b = appendU32(out.b, t)
	}
}

func (m *module) tableSection(r *reader) {
	out := &m.out[secTable]
	for range r.count(m.lim.Tables, "E_LIMIT_TABLES", "tables") {
		t := r.byte()
		if !reference(t) {
			r.fail(CodeABI, "a table of 0x%02x: only funcref and externref are supported", t)
		}
		lo, hi, bounded := r.limits("a table")
		m.elements += uint64(lo)
		if m.elements > uint64(m.lim.TableElements) {
			r.fail("E_LIMIT_TABLE_ELEMENTS", "%d elements in tables, at most %d", m.elements, m.lim.TableElements)
		}
		if r.err != nil {
			return
		}
		m.tables++
		out.n++
		out.b = appendLimits(append(out.b, t), lo, hi, bounded)
	}
}

func appendLimits(b []byte, lo, hi uint32, bounded bool) []byte {
	if !bounded {
		return appendU32(append(b, 0), lo)
	}
	return appendU32(appendU32(append(b, 1), lo), hi)
}

// memorySection lowers the maximum to the limit, so that memory.grow fails there whatever the engine allows.
func (m *module) memorySection(r *reader) {
	n := r.u32()
	if n == 0 || r.err != nil {
		return
	}
	if n > 1 {
		r.fail(CodeABI, "%d memories: one is supported", n)
		return
	}
	lo, hi, bounded := r.limits("the memory")
	if !bounded {
		hi = specMemoryPages
	}
	if hi > specMemoryPages || lo > specMemoryPages {
		r.fail(CodeModule, "a memory of %d to %d pages: 32 bits address %d", lo, hi, specMemoryPages)
		return
	}
	if int64(lo) > int64(m.lim.MemoryPages) {
		r.fail("E_LIMIT_MEMORY_PAGES", "a memory of %d pages, at most %d", lo, m.lim.MemoryPages)
		return
	}
	if m.omit&omitMemoryMax == 0 {
		hi = min(hi, uint32(m.lim.MemoryPages))
	}
	m.memories = 1
	m.shape.MemoryMinPages, m.shape.MemoryMaxPages = lo, hi
	m.out[secMemory] = vec{1, appendLimits(nil, lo, hi, true)}
}

func (m *module) globalSection(r *reader) {
	out := &m.out[secGlobal]
	for range r.count(m.lim.Globals, "E_LIMIT_GLOBALS", "globals") {
		t, mutable := r.byte(), r.byte()
		switch {
		case r.err != nil:
			return
		case !valueType(t) || mutable > 1:
			r.fail(CodeModule, "global %d has type 0x%02x and mutability %d", len(m.globals), t, mutable)
		case mutable == 1 && !numeric(t):
			r.fail(CodeABI, "global %d is mutable and of type 0x%02x, which the host cannot save and restore", len(m.globals), t)
		}
		out.n++
		out.b = m.constExpr(r, append(out.b, t, mutable))
		m.globals = append(m.globals, globalType{t, mutable == 1})
	}
}

// constExpr copies a constant expression to b.
func (m *module) constExpr(r *reader, b []byte) []byte {
	op := r.byte()
	b = append(b, op)
	switch opcodes[op] {
	case constI32:
		b = appendS64(b, r.signed(32))
	case constI64:
		b = appendS64(b, r.signed(64))
	case constF32:
		b = append(b, r.take(4)...)
	case constF64:
		b = append(b, r.take(8)...)
	case refType:
		b = append(b, m.refType(r))
	case refFunc:
		b = appendU32(b, m.shift(r.index(m.functions(), "function"), omitShiftRef))
	case vecPrefix:
		if sub := r.u32(); sub != vecConst {
			r.fail(CodeOpcode, "0xfd 0x%02x is not constant", sub)
		}
		b = append(append(b, vecConst), r.take(16)...)
	case global:
		if op != opGlobalGet {
			r.fail(CodeOpcode, "opcode 0x%02x is not constant", op)
		}
		b = appendU32(b, r.index(len(m.globals), "global"))
	default:
		r.fail(CodeOpcode, "opcode 0x%02x is not constant", op)
	}
	if r.byte() != opEnd {
		r.fail(CodeOpcode, "a constant expression has more than one instruction")
	}
	return append(b, opEnd)
}

func (m *module) refType(r *reader) byte {
	t := r.byte()
	if !reference(t) {
		r.fail(CodeABI, "reference type 0x%02x: only funcref and externref are supported", t)
	}
	return t
}

func (m *module) exportSection(r *reader) {
	out := &m.out[secExport]
	for range r.count(m.lim.Exports, "E_LIMIT_EXPORTS", "exports") {
		e := Export{Name: r.name(m.lim.NameBytes), Kind: r.byte()}
		if r.err == nil && reserved(e.Name) {
			r.fail(CodeABI, "the export %q: names beginning with %s are reserved", e.Name, reservedPrefix)
		}
		if r.err == nil && m.exported[e.Name] {
			r.fail(CodeABI, "the export %q is there twice", e.Name)
		}
		var i uint32
		switch e.Kind {
		case KindFunction:
			if i = r.index(m.functions(), "function"); r.err == nil {
				t := m.typeOf(i)
				e.Params, e.Results = bytes.Clone(t.params), bytes.Clone(t.results)
			}
			i = m.shift(i, omitShiftExport)
		case KindTable:
			i = r.index(m.tables, "table")
		case KindMemory:
			i = r.index(m.memories, "memory")
		case KindGlobal:
			i = r.index(len(m.globals), "global")
		default:
			r.fail(CodeABI, "the export %q is of kind %d, which is not supported", e.Name, e.Kind)
		}
		if r.err != nil {
			return
		}
		m.exported[e.Name] = true
		m.shape.Exports = append(m.shape.Exports, e)
		out.n++
		out.b = appendU32(append(appendBytes(out.b, e.Name), e.Kind), i)
	}
}

// elementSection copies all eight forms. Bit 0 of the flags: passive or declarative, bit 1: an explicit table (or declarative),
// bit 2: expressions instead of function indexes.
func (m *module) elementSection(r *reader) {
	out := &m.out[secElement]
	for range r.count(m.lim.ElementSegments, "E_LIMIT_ELEMENT_SEGMENTS", "element segments") {
		flags := r.u32()
		if flags > 7 {
			r.fail(CodeModule, "an element segment has flags %d", flags)
		}
		out.n++
		out.b = appendU32(out.b, flags)
		if flags&3 == 2 {
			out.b = appendU32(out.b, r.index(m.tables, "table"))
		}
		if flags&1 == 0 {
			out.b = m.constExpr(r, out.b)
		}
		expressions := flags&4 != 0
		if flags&3 != 0 {
			if expressions {
				out.b = append(out.b, m.refType(r))
			} else if kind := r.byte(); kind != 0 {
				r.fail(CodeABI, "an element segment of kind %d", kind)
			} else {
				out.b = append(out.b, 0)
			}
		}
		n := r.count(math.MaxInt32, CodeModule, "elements")
		out.b = appendU32(out.b, uint32(n))
		for range n {
			if r.err != nil {
				return
			}
			if expressions {
				out.b = m.constExpr(r, out.b)
			} else {
				out.b = appendU32(out.b, m.shift(r.index(m.functions(), "function"), omitShiftElement))
			}
		}
	}
}

func (m *module) codeSection(r *reader) {
	n := r.count(m.lim.Functions, "E_LIMIT_FUNCTIONS", "function bodies")
	if n != len(m.funcs) {
		r.fail(CodeModule, "%d functions have %d bodies", len(m.funcs), n)
		return
	}
	out := &m.out[secCode]
	out.n = uint32(n)
	out.b = make([]byte, 0, r.left()+r.left()/2)
	f := body{m: m}
	for i := range n {
		b := r.take(r.number(m.lim.FunctionBodyBytes, "E_LIMIT_FUNCTION_BODY_BYTES", "bytes in a function"))
		if r.err == nil {
			r.err = f.rewrite(i, b)
		}
		if r.err != nil {
			r.err.Detail = "function " + m.functionName(i) + ": " + r.err.Detail
			return
		}
		out.b = appendBytes(out.b, f.fn)
	}
	m.bodies = n
}

func (m *module) dataSection(r *reader) {
	out := &m.out[secData]
	for range r.count(m.lim.DataSegments, "E_LIMIT_DATA_SEGMENTS", "data segments") {
		flags := r.u32()
		switch flags {
		case 0, 2:
			if flags == 2 || m.memories == 0 {
				r.index(m.memories, "memory")
			}
			out.b = m.constExpr(r, append(out.b, 0))
		case 1:
			out.b = append(out.b, 1)
		default:
			r.fail(CodeModule, "a data segment has flags %d", flags)
		}
		out.b = appendBytes(out.b, r.take(r.u32()))
		if r.err != nil {
			return
		}
		out.n++
		m.dataSeen++
	}
}
