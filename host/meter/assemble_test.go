package meter

import (
	"encoding/binary"
	"math"
)

// A small assembler, so that test modules are Go values and need no tool.

const (
	i32 = typeI32
	i64 = typeI64
	f64 = 0x7c
)

type testFunc struct {
	typ    int
	locals []byte // one value type each
	body   []byte // without the final end
}

type testModule struct {
	types   []funcType
	imports []Import // functions; Kind holds the type index
	funcs   []testFunc
	table   []int // functions, in table 0; nil: no table
	pages   [2]int
	globals []testGlobal
	exports []testExport
	start   int // function, -1: none
	active  []byte
	passive []byte
	extra   map[byte][]byte // raw sections instead of the ones built
}

type testGlobal struct {
	typ     byte
	mutable bool
	init    []byte
}

type testExport struct {
	name string
	kind byte
	i    int
}

func newTestModule() *testModule { return &testModule{start: -1, pages: [2]int{1, 16}} }

// fn adds a type and a function and returns its index, imports included.
func (m *testModule) fn(params, results, locals string, body ...[]byte) int {
	m.types = append(m.types, funcType{valueTypesOf(params), valueTypesOf(results)})
	m.funcs = append(m.funcs, testFunc{len(m.types) - 1, valueTypesOf(locals), cat(body...)})
	return len(m.imports) + len(m.funcs) - 1
}

func (m *testModule) export(name string, f int) *testModule {
	m.exports = append(m.exports, testExport{name, KindFunction, f})
	return m
}

// valueTypesOf spells value types by letters: i i32, l i64, f f32, d f64, v v128, r funcref.
func valueTypesOf(s string) []byte {
	var b []byte
	for _, c := range s {
		b = append(b, map[rune]byte{'i': i32, 'l': i64, 'f': 0x7d, 'd': f64, 'v': typeV128, 'r': typeFuncref}[c])
	}
	return b
}

func (m *testModule) bytes() []byte {
	s := map[byte]*vec{}
	add := func(id byte, parts ...[]byte) {
		if s[id] == nil {
			s[id] = &vec{}
		}
		s[id].n++
		s[id].b = append(s[id].b, cat(parts...)...)
	}
	for _, t := range m.types {
		add(secType, []byte{0x60}, appendBytes(appendBytes(nil, t.params), t.results))
	}
	for _, i := range m.imports {
		add(secImport, appendBytes(appendBytes(nil, i.Module), i.Name), []byte{0}, appendU32(nil, uint32(i.Kind)))
	}
	for _, f := range m.funcs {
		add(secFunction, appendU32(nil, uint32(f.typ)))
		b := appendU32(nil, uint32(len(f.locals)))
		for _, l := range f.locals {
			b = append(b, 1, l)
		}
		add(secCode, appendBytes(nil, cat(b, f.body, []byte{opEnd})))
	}
	if m.table != nil {
		add(secTable, []byte{typeFuncref, 0}, appendU32(nil, uint32(len(m.table))))
		b := appendU32([]byte{0, opI32Const, 0, opEnd}, uint32(len(m.table)))
		for _, f := range m.table {
			b = appendU32(b, uint32(f))
		}
		add(secElement, b)
	}
	if m.pages[1] > 0 {
		add(secMemory, appendLimits(nil, uint32(m.pages[0]), uint32(m.pages[1]), true))
		add(secExport, appendBytes(nil, "memory"), []byte{KindMemory, 0})
	}
	for _, g := range m.globals {
		mutable := byte(0)
		if g.mutable {
			mutable = 1
		}
		add(secGlobal, []byte{g.typ, mutable}, g.init, []byte{opEnd})
	}
	for _, e := range m.exports {
		add(secExport, appendBytes(nil, e.name), []byte{e.kind}, appendU32(nil, uint32(e.i)))
	}
	if m.active != nil {
		add(secData, []byte{0, opI32Const, 0, opEnd}, appendBytes(nil, m.active))
	}
	if m.passive != nil {
		add(secData, []byte{1}, appendBytes(nil, m.passive))
	}
	return m.join(s)
}

func (m *testModule) join(s map[byte]*vec) []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, id := range []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11, 0} {
		switch {
		case m.extra[id] != nil:
			out = appendSection(out, id, m.extra[id])
		case id == secStart && m.start >= 0:
			out = appendSection(out, id, appendU32(nil, uint32(m.start)))
		case id == secDataCount && s[secData] != nil:
			out = appendSection(out, id, appendU32(nil, s[secData].n))
		case s[id] != nil:
			out = appendVec(out, id, *s[id])
		}
	}
	return out
}

func cat(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func op(b ...byte) []byte { return b }

func opU(o byte, v ...int) []byte {
	b := []byte{o}
	for _, v := range v {
		b = appendU32(b, uint32(v))
	}
	return b
}

func c32(v int) []byte   { return appendS64([]byte{opI32Const}, int64(int32(v))) }
func c64(v int64) []byte { return appendS64([]byte{opI64Const}, v) }
func cF64(v float64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{0x44}, math.Float64bits(v))
}
func get(i int) []byte  { return opU(opLocalGet, i) }
func set(i int) []byte  { return opU(opLocalSet, i) }
func tee(i int) []byte  { return opU(opLocalTee, i) }
func gget(i int) []byte { return opU(opGlobalGet, i) }
func gset(i int) []byte { return opU(opGlobalSet, i) }
func call(f int) []byte { return opU(opCall, f) }
func br(d int) []byte   { return opU(opBr, d) }
func brIf(d int) []byte { return opU(opBrIf, d) }

func callIndirect(typ int) []byte { return opU(0x11, typ, 0) }

func brTable(ds ...int) []byte { return opU(0x0e, append([]int{len(ds) - 1}, ds...)...) }

func construct(o byte, body ...[]byte) []byte {
	return cat([]byte{o, emptyBlock}, cat(body...), []byte{opEnd})
}
func block(body ...[]byte) []byte { return construct(opBlock, body...) }
func loop(body ...[]byte) []byte  { return construct(opLoop, body...) }
func when(body ...[]byte) []byte  { return construct(opIf, body...) }

func load8(addr []byte) []byte          { return cat(addr, op(0x2d, 0, 0)) }
func store8(addr, v []byte) []byte      { return cat(addr, v, op(0x3a, 0, 0)) }
func fill(dst, val, n []byte) []byte    { return cat(dst, val, n, op(opMisc, 11, 0)) }
func copyMem(dst, src, n []byte) []byte { return cat(dst, src, n, op(opMisc, 10, 0, 0)) }
func initMem(seg int, dst, src, n []byte) []byte {
	return cat(dst, src, n, opU(opMisc, 8, seg), op(0))
}
func memGrowOp(n []byte) []byte { return cat(n, op(opMemoryGrow, 0)) }
