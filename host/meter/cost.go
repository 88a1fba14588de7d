package meter

import "math/bits"

// Costs in units of fuel. A unit was 0.05 to 0.3 ns of compiled code, whatever the instructions, on the machine where the table was made
// (memory that misses every cache: 6 ns), so that 10 million units are some milliseconds. The table is part of Version: changing a
// number changes which records are stopped.
//
//	0    block, else, end
//	1    nop, loop, if, br, br_if, return, constants, locals, drop, select, comparisons, integer arithmetic
//	2    globals, loads, stores, float arithmetic, conversions, memory.size, table.get, table.size, ref.func, vectors
//	2+k  br_table with fewer than 2^k labels
//	8    a vector lane in memory
//	16   call, call_indirect, and in the function called 2 and one for each 4 parameters and locals
//	16   integer division and remainder, conversions of floats to integers
//	24   float division and square root
//	256  a call of an import, beside what the host charges itself
//	32   memory.copy, fill and init, and one for each 8 bytes
//	256  memory.grow, and 65,536 for each page that it can add
const (
	costEnter       = 2
	costLocalsShift = 2 // one unit for each 4 locals
	costCall        = 16
	costImport      = 256
	costTableMin    = 2
	costDivide      = 16
	costConvert     = 16
	costFloatDivide = 24
	costBulk        = 32
	costBytesShift  = 3 // one unit for each 8 bytes
	costGrow        = 256
	costPage        = 65536

	pathFuel        = 1024 // the most fuel on a path between two checks
	prepaidFuel     = 16   // the most that is charged for what a branch leaves out
	exitFuel        = 16   // the most that a calling function may owe at its end without a check
	weightLocals    = 16   // one more unit of depth for each so many locals
	weightBodyBytes = 512  // and for each so many bytes of body
)

// costs are those of one-byte opcodes that depend on nothing else.
var costs = func() (t [256]uint8) {
	set := func(c uint8, from, to int) {
		for i := from; i <= to; i++ {
			t[i] = c
		}
	}
	set(1, 0x00, 0xff)
	t[opBlock], t[opLoop], t[opElse], t[opEnd] = 0, 0, 0, 0 // a loop is charged at its header, each time round
	t[0x0e] = costTableMin
	t[opCall], t[0x11] = costCall, costCall
	set(2, 0x23, 0x25) // globals, table.get
	set(2, 0x28, 0x3f) // loads, stores, memory.size
	t[opMemoryGrow], t[opMisc], t[opVec] = 0, 0, 0
	set(costDivide, 0x6d, 0x70)                                                                             // i32
	set(costDivide, 0x7f, 0x82)                                                                             // i64
	set(2, 0x8b, 0xbf)                                                                                      // floats, conversions
	t[0x91], t[0x95], t[0x9f], t[0xa3] = costFloatDivide, costFloatDivide, costFloatDivide, costFloatDivide // sqrt, div
	set(costConvert, 0xa8, 0xab)                                                                            // i32 from floats
	set(costConvert, 0xae, 0xb1)                                                                            // i64 from floats
	t[opRefFunc] = 2
	return t
}()

func tableCost(labels int) int64 { return costTableMin + int64(bits.Len(uint(labels))) }

func miscCost(o operand) int64 {
	switch o {
	case bulkInit, bulkCopy, bulkFill:
		return 0 // charged beside the check
	case table:
		return 2
	default:
		return costConvert
	}
}

func vecCost(op uint32) int64 {
	switch {
	case vecOpcodes[op] == memArgLane:
		return 8
	case op == 0xe3 || op == 0xe7 || op == 0xef || op == 0xf3: // sqrt, div
		return costFloatDivide
	default:
		return 2
	}
}

// weight is what a function adds to the depth of the call stack: its native frame holds its locals and what is spilled across calls.
func weight(locals, bodyBytes int) int64 {
	return int64(1 + locals/weightLocals + bodyBytes/weightBodyBytes)
}
