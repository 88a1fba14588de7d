package meter

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

type shapeCase struct {
	name string
	wasm []byte
	code string // "" if admitted
}

// with is a module whose one function, of type () -> (), has the body.
func with(body ...[]byte) *testModule {
	m := newTestModule()
	m.fn("", "", "i", body...)
	return m
}

func raw(id byte, content ...byte) []byte {
	m := with()
	m.extra = map[byte][]byte{id: content}
	return m.bytes()
}

func (m *testModule) global(typ byte, mutable bool, init []byte) *testModule {
	m.globals = append(m.globals, testGlobal{typ, mutable, init})
	return m
}

func (m *testModule) exportAs(name string, kind byte, i int) *testModule {
	m.exports = append(m.exports, testExport{name, kind, i})
	return m
}

func (m *testModule) withTable(fs ...int) *testModule {
	m.table = fs
	return m
}

func (m *testModule) withImport(module, name string) *testModule {
	m.imports = append(m.imports, Import{Module: module, Name: name})
	return m
}

func shapes() []shapeCase {
	empty, started := "\x00asm\x01\x00\x00\x00", with()
	started.start = 1
	cases := []shapeCase{
		{"empty", []byte(empty), ""},
		{"not wasm", []byte("\x7fELF\x01\x00\x00\x00"), CodeModule},
		{"component", []byte("\x00asm\x0d\x00\x01\x00"), CodeModule},
		{"short section", []byte(empty + "\x01\x05\x00"), CodeModule},
		{"four billion types", raw(secType, 0xff, 0xff, 0xff, 0xff, 0x0f), "E_LIMIT_TYPES"},
		{"more types than bytes", raw(secType, 9), CodeModule},
		{"bytes behind the types", raw(secType, 1, 0x60, 0, 0, 0), CodeModule},
		{"struct type", raw(secType, 1, 0x5f, 0, 0), CodeABI},
		{"long number", raw(secFunction, 0x80, 0x80, 0x80, 0x80, 0x80, 0), CodeModule},
		{"number of 33 bits", raw(secFunction, 0x80, 0x80, 0x80, 0x80, 0x10), CodeModule},
		{"padded number", raw(secFunction, 0x81, 0x80, 0x80, 0x80, 0x00, 0x80, 0x00), ""},
		{"memory import", raw(secImport, 1, 1, 'a', 1, 'b', KindMemory, 0, 1), CodeABI},
		{"table import", raw(secImport, 1, 1, 'a', 1, 'b', KindTable, typeFuncref, 0, 1), CodeABI},
		{"global import", raw(secImport, 1, 1, 'a', 1, 'b', KindGlobal, i32, 0), CodeABI},
		{"tick import", with().withImport(TickModule, TickName).bytes(), CodeABI},
		{"bad name", with().withImport("a", "\xff").bytes(), CodeModule},
		{"reserved export", with().export(FuelExport, 0).bytes(), CodeABI},
		{"double export", with().export("a", 0).export("a", 0).bytes(), CodeABI},
		{"export of no function", with().export("a", 1).bytes(), CodeModule},
		{"export of the fuel", with().exportAs("a", KindGlobal, 0).bytes(), CodeModule},
		{"export of a tag", with().exportAs("a", 4, 0).bytes(), CodeABI},
		{"start of no function", started.bytes(), CodeModule},
		{"two memories", raw(secMemory, 2, 0, 1, 0, 1), CodeABI},
		{"shared memory", raw(secMemory, 1, 3, 1, 1), CodeABI},
		{"64-bit memory", raw(secMemory, 1, 4, 1), CodeABI},
		{"memory upside down", raw(secMemory, 1, 1, 2, 1), CodeModule},
		{"memory over 4 GiB", raw(secMemory, 1, 1, 1, 0x81, 0x80, 4), CodeModule},
		{"table with an initialiser", raw(secTable, 1, 0x40, 0, typeFuncref, 0, 1, opRefNull, typeFuncref, opEnd), CodeABI},
		{"sections out of order", []byte(empty + "\x03\x01\x00\x01\x01\x00"), CodeModule},
		{"double section", []byte(empty + "\x01\x01\x00\x01\x01\x00"), CodeModule},
		{"tags", []byte(empty + "\x0d\x01\x00"), CodeABI},
		{"functions without bodies", []byte(empty + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00"), CodeModule},
		{"double custom section", []byte(empty + "\x00\x02\x01a\x00\x02\x01a"), CodeABI},
		{"data count", raw(secDataCount, 1), CodeModule},
		{"mutable vector", with().global(typeV128, true, cat(op(opVec, vecConst), make([]byte, 16))).bytes(), CodeABI},
		{"constant vector", with().global(typeV128, false, cat(op(opVec, vecConst), make([]byte, 16))).bytes(), ""},
		{"mutable reference", with().global(typeFuncref, true, op(opRefNull, typeFuncref)).bytes(), CodeABI},
		{"constant from the fuel", with().global(i64, false, gget(1)).bytes(), CodeModule},
		{"two constants", with().global(i32, false, cat(c32(1), c32(2), op(opI32Add))).bytes(), CodeOpcode},
		{"element of no function", with().withTable(1).bytes(), CodeModule},
	}
	for name, body := range map[string][]byte{
		"local of ours": cat(get(1), op(0x1a)), "global of ours": cat(gget(0), op(0x1a)), "call of no function": call(1),
		"label over the function's": br(1), "label in a table": cat(c32(0), brTable(0, 1)), "type of no block": op(opBlock, 1, opEnd),
		"type added here": cat(c32(0), callIndirect(1)), "else alone": op(opElse), "else in a block": block(op(opElse)),
		"two elses": cat(c32(0), when(op(opElse), op(opElse))), "code behind the end": op(opEnd, 1), "no end": op(opBlock, emptyBlock),
		"no table": cat(c32(0), callIndirect(0)), "no such segment": initMem(0, c32(0), c32(0), c32(0)), "memory 1": op(opMemorySize, 1),
		"data count missing": initMem(1, c32(0), c32(0), c32(0)), "block type": op(opBlock, 0x60, opEnd), "ref.func": op(opRefFunc, 1, 0x1a),
	} {
		cases = append(cases, shapeCase{name, with(body).bytes(), CodeModule})
	}
	for name, body := range map[string][]byte{
		"return_call": op(0x12, 0), "return_call_indirect": op(0x13, 0, 0), "table.set": op(0x26, 0), "try": op(0x06, 0x40),
		"throw": op(0x08, 0), "try_table": op(0x1f, 0x40, 0), "call_ref": op(0x14, 0), "ref.as_non_null": op(0xd4),
		"gc": op(0xfb, 0), "atomics": op(0xfe, 0x10, 2, 0), "unknown": op(0xff), "data.drop": op(opMisc, 9, 0),
		"table.init": op(opMisc, 12, 0, 0), "elem.drop": op(opMisc, 13, 0), "table.copy": op(opMisc, 14, 0, 0), "table.grow": op(opMisc, 15, 0),
		"table.fill": op(opMisc, 17, 0), "misc 18": op(opMisc, 18), "misc huge": op(opMisc, 0xff, 0xff, 0xff, 0xff, 0x0f),
		"vector gap": op(opVec, 0x9a, 1), "relaxed vector": op(opVec, 0x80, 2),
	} {
		cases = append(cases, shapeCase{name, with(body).bytes(), CodeOpcode})
	}
	// wazero reads one byte of a vector opcode: in this padded v128.const it would see i16x8.shr_s and then code of the guest's choice.
	hidden := cat(op(opVec, 0x8c, 0), make([]byte, 16), op(0x1a))
	return append(cases, shapeCase{"padded vector opcode", with(hidden).bytes(), CodeOpcode},
		shapeCase{"alignment with a memory index", with(c32(0), op(0x28, 0x42, 0, 0x1a)).bytes(), CodeABI})
}

func TestShapes(t *testing.T) {
	for _, c := range shapes() {
		t.Run(c.name, func(t *testing.T) {
			out, _, err := Rewrite(c.wasm, Limits{})
			if c.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				if err := compiles(out); err != nil {
					t.Fatalf("the engine refuses the output: %v", err)
				}
				return
			}
			e := new(Error)
			if !errors.As(err, &e) || e.Code != c.code {
				t.Fatalf("%v, want %s", err, c.code)
			}
		})
	}
}

// TestTruncated: every prefix of a module is refused or complete, none panics.
func TestTruncated(t *testing.T) {
	wasm := terminating(source(3)).bytes()
	for n := range wasm {
		out, _, err := Rewrite(wasm[:n], Limits{})
		if err == nil && compiles(out) != nil {
			t.Fatalf("the first %d bytes were admitted", n)
		}
	}
}

func TestLimits(t *testing.T) {
	deep := func(n int) []byte { return cat(slices.Repeat(op(opBlock, emptyBlock), n), slices.Repeat(op(opEnd), n)) }
	cases := []struct {
		code    string
		at, one *testModule // within the limit, and one over
		l       Limits
	}{
		{"E_LIMIT_TYPES", with(), func() *testModule { m := with(); m.fn("i", "", ""); return m }(), Limits{Types: 1}},
		{
			"E_LIMIT_TYPE_VALUES", func() *testModule { m := with(); m.fn("ii", "", ""); return m }(),
			func() *testModule { m := with(); m.fn("ii", "i", "", c32(0)); return m }(),
			Limits{TypeValues: 2},
		},
		{"E_LIMIT_IMPORTS", with().withImport("a", "b"), with().withImport("a", "b").withImport("a", "c"), Limits{Imports: 1}},
		{"E_LIMIT_FUNCTIONS", with(), func() *testModule { m := with(); m.fn("", "", ""); return m }(), Limits{Functions: 1}},
		{"E_LIMIT_FUNCTION_BODY_BYTES", with(), with(op(1)), Limits{FunctionBodyBytes: 4}},
		{"E_LIMIT_LOCALS", with(), func() *testModule { m := newTestModule(); m.fn("i", "", "i"); return m }(), Limits{LocalsPerFunction: 1}},
		{"E_LIMIT_BLOCK_DEPTH", with(deep(3)), with(deep(4)), Limits{BlockDepth: 3}},
		{"E_LIMIT_BRANCHES", with(block(br(0))), with(block(br(0), br(0))), Limits{Branches: 2}},
		{"E_LIMIT_BRANCHES", with(c32(0), brTable(0, 0)), with(c32(0), brTable(0, 0, 0)), Limits{Branches: 2}},
		{"E_LIMIT_COMPILE_WORK", with(block(br(0))), with(block(br(0)), br(0)), Limits{CompileWork: 8}},
		{"E_LIMIT_GLOBALS", with().global(i32, true, c32(0)), with().global(i32, true, c32(0)).global(i32, true, c32(0)), Limits{Globals: 1}},
		{"E_LIMIT_EXPORTS", with(), with().export("a", 0), Limits{Exports: 1}}, // the memory is the first
		{"E_LIMIT_TABLE_ELEMENTS", with().withTable(0), with().withTable(0, 0), Limits{TableElements: 1}},
		{"E_LIMIT_NAME_BYTES", with().export("abcdef", 0), with().export("abcdefg", 0), Limits{NameBytes: 6}},
		{"E_LIMIT_MEMORY_PAGES", with(), func() *testModule { m := with(); m.pages = [2]int{2, 2}; return m }(), Limits{MemoryPages: 1}},
		{
			"E_LIMIT_DATA_SEGMENTS", func() *testModule { m := with(); m.active = []byte{1}; return m }(),
			func() *testModule { m := with(); m.active, m.passive = []byte{1}, []byte{1}; return m }(),
			Limits{DataSegments: 1},
		},
		{"E_LIMIT_TABLES", with().withTable(0), func() *testModule {
			m := with()
			m.extra = map[byte][]byte{secTable: {2, typeFuncref, 0, 1, typeFuncref, 0, 1}}
			return m
		}(), Limits{Tables: 1}},
		{"E_LIMIT_ELEMENT_SEGMENTS", with().withTable(0), func() *testModule {
			m := with().withTable(0)
			m.extra = map[byte][]byte{secElement: {2, 1, 0, 0, 1, 0, 0}}
			return m
		}(), Limits{ElementSegments: 1}},
	}
	for _, c := range cases {
		t.Run(c.code, func(t *testing.T) {
			if _, _, err := Rewrite(c.at.bytes(), c.l); err != nil {
				t.Errorf("within the limit: %v", err)
			}
			_, err := Inspect(c.one.bytes(), c.l)
			if e := new(Error); !errors.As(err, &e) || e.Code != c.code {
				t.Errorf("one over: %v", err)
			}
		})
	}
	wasm := with().bytes()
	if _, err := Inspect(wasm, Limits{ModuleBytes: len(wasm)}); err != nil {
		t.Error(err)
	}
	if _, err := Inspect(wasm, Limits{ModuleBytes: len(wasm) - 1}); err == nil || !strings.HasPrefix(err.Error(), "E_LIMIT_MODULE_BYTES") {
		t.Error(err)
	}
	two := slices.Concat(wasm, appendSection(nil, secCustom, []byte("\x01a")), appendSection(nil, secCustom, []byte("\x01b")))
	if _, err := Inspect(two, Limits{Customs: 2}); err != nil {
		t.Error(err)
	}
	if _, err := Inspect(two, Limits{Customs: 1}); err == nil || !strings.HasPrefix(err.Error(), "E_LIMIT_CUSTOMS") {
		t.Error(err)
	}
}

func TestShape(t *testing.T) {
	m := newTestModule()
	m.types = []funcType{{[]byte{i32, i64}, []byte{f64}}}
	m.withImport("vedette_core_v1", "log").global(i32, true, c32(1)).global(i64, false, c64(1)).global(f64, true, cF64(1))
	m.start = m.fn("", "", "")
	m.export("run", m.fn("l", "ii", "", c32(1), c32(2)))
	wasm := slices.Concat(m.bytes(), appendSection(nil, secCustom, []byte("\x08manifest{}")))
	input := bytes.Clone(wasm)
	s, err := Inspect(wasm, Limits{MemoryPages: 8})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(wasm, input) {
		t.Error("the input was written to")
	}
	i := s.Imports[0]
	if i.Module != "vedette_core_v1" || i.Name != "log" || i.Kind != KindFunction || !bytes.Equal(i.Params, []byte{i32, i64}) || !bytes.Equal(i.Results, []byte{f64}) {
		t.Errorf("import %+v", i)
	}
	e := s.Exports[1]
	if len(s.Exports) != 2 || s.Exports[0].Kind != KindMemory || e.Name != "run" || !bytes.Equal(e.Params, []byte{i64}) || !bytes.Equal(e.Results, []byte{i32, i32}) {
		t.Errorf("exports %+v", s.Exports)
	}
	if !slices.Equal(s.MutableGlobals, []string{"__vedette_g0", "__vedette_g2"}) {
		t.Errorf("globals %v", s.MutableGlobals)
	}
	if s.MemoryMinPages != 1 || s.MemoryMaxPages != 8 || s.Functions != 2 || !s.HasStart || string(s.Customs["manifest"]) != "{}" {
		t.Errorf("shape %+v", s)
	}
}
