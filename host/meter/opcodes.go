package meter

// operand says what follows an opcode. The zero value refuses the opcode: what is not listed below is not known here.
type operand uint8

const (
	refused operand = iota
	none
	blockType
	elseMark
	endMark
	branchLabel
	labels
	returns
	function
	indirect
	valueTypes
	local
	global
	table
	memArg
	memGrow
	memSize
	constI32
	constI64
	constF32
	constF64
	refType
	refFunc
	miscPrefix
	vecPrefix
	memArgLane
	lane
	bytes16
	bulkInit
	bulkCopy
	bulkFill
)

const (
	opUnreachable = 0x00
	opBlock       = 0x02
	opLoop        = 0x03
	opIf          = 0x04
	opElse        = 0x05
	opEnd         = 0x0b
	opBr          = 0x0c
	opBrIf        = 0x0d
	opCall        = 0x10
	opSelect      = 0x1b
	opLocalGet    = 0x20
	opLocalSet    = 0x21
	opLocalTee    = 0x22
	opGlobalGet   = 0x23
	opGlobalSet   = 0x24
	opMemorySize  = 0x3f
	opMemoryGrow  = 0x40
	opI32Const    = 0x41
	opI64Const    = 0x42
	opI32LeU      = 0x4d
	opI32GtS      = 0x4a
	opI64LtS      = 0x53
	opI32Add      = 0x6a
	opI32Sub      = 0x6b
	opI64Add      = 0x7c
	opI64Sub      = 0x7d
	opI64Mul      = 0x7e
	opI64ShrU     = 0x88
	opI64ExtendU  = 0xad
	opRefNull     = 0xd0
	opRefFunc     = 0xd2
	opMisc        = 0xfc
	opVec         = 0xfd
	vecConst      = 0x0c
	emptyBlock    = 0x40
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeFuncref   = 0x70
	typeExternref = 0x6f
	typeV128      = 0x7b
)

// opcodes is WebAssembly core 2.0 without what changes a table (table.set): the pristine restore covers memory and globals only. Calls in
// tail position, exceptions and threads are not in it.
var opcodes = func() (t [256]operand) {
	set := func(o operand, from, to int) {
		for i := from; i <= to; i++ {
			t[i] = o
		}
	}
	set(none, 0x00, 0x01) // unreachable, nop
	set(blockType, 0x02, 0x04)
	t[0x05], t[0x0b] = elseMark, endMark
	set(branchLabel, 0x0c, 0x0d)
	t[0x0e], t[0x0f], t[0x10], t[0x11] = labels, returns, function, indirect
	set(none, 0x1a, 0x1b) // drop, select
	t[0x1c] = valueTypes
	set(local, 0x20, 0x22)
	set(global, 0x23, 0x24)
	t[0x25] = table // table.get
	set(memArg, 0x28, 0x3e)
	t[0x3f], t[0x40] = memSize, memGrow
	t[0x41], t[0x42], t[0x43], t[0x44] = constI32, constI64, constF32, constF64
	set(none, 0x45, 0xc4) // comparisons, arithmetic, conversions, sign extension
	t[0xd0], t[0xd1], t[0xd2] = refType, none, refFunc
	t[0xfc], t[0xfd] = miscPrefix, vecPrefix
	return t
}()

// miscOpcodes follow 0xfc: saturating truncations, bulk memory, table.size. Not data.drop, elem.drop, table.init, copy, grow, fill.
var miscOpcodes = [...]operand{
	0: none, 1: none, 2: none, 3: none, 4: none, 5: none, 6: none, 7: none,
	8: bulkInit, 10: bulkCopy, 11: bulkFill, 16: table,
}

// vecOpcodes follow 0xfd: the fixed-width SIMD of core 2.0. The relaxed ones (0x100 and over) are not deterministic.
var vecOpcodes = func() (t [256]operand) {
	for i := range t {
		t[i] = none
	}
	for i := range 12 {
		t[i] = memArg
	}
	t[vecConst], t[0x0d] = bytes16, bytes16
	for i := 0x15; i <= 0x22; i++ {
		t[i] = lane
	}
	for i := 0x54; i <= 0x5b; i++ {
		t[i] = memArgLane
	}
	t[0x5c], t[0x5d] = memArg, memArg
	for _, i := range [...]int{
		0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2, 0xee,
	} {
		t[i] = refused
	}
	return t
}()

// refusedNames explains the refusals that an author can meet.
var refusedNames = map[uint32]string{
	0x06: "exceptions are not supported", 0x07: "exceptions are not supported", 0x08: "exceptions are not supported",
	0x09: "exceptions are not supported", 0x0a: "exceptions are not supported", 0x1f: "exceptions are not supported",
	0x12: "return_call is not supported", 0x13: "return_call_indirect is not supported",
	0x26: "table.set changes a table", 0xfe: "threads are not supported",
	0xfc09: "data.drop cannot be undone", 0xfc0c: "table.init changes a table", 0xfc0d: "elem.drop cannot be undone",
	0xfc0e: "table.copy changes a table", 0xfc0f: "table.grow changes a table", 0xfc11: "table.fill changes a table",
}

func numeric(t byte) bool   { return t >= 0x7c && t <= 0x7f } // i32, i64, f32, f64
func reference(t byte) bool { return t == typeFuncref || t == typeExternref }
func valueType(t byte) bool { return numeric(t) || t == typeV128 || reference(t) }
