package meter

import "math/bits"

// Costs in units of fuel. One unit is about one simple machine operation, 0.3 to 1 ns. The table is part of Version: changing a number
// changes which records are stopped.
//
//	0      block, else, end
//	1      nop, loop, if, br, br_if, return, constants, locals, drop, select, comparisons, integer arithmetic
//	2      globals, loads, stores, float arithmetic, conversions, memory.size, table.get, table.size, ref.func, vectors
//	2+k    br_table with fewer than 2^k labels
//	4      a call; and in the function called, 2 and one for each 4 parameters and locals
//	8      call_indirect, trapping and saturating truncations, vector lanes in memory
//	12     integer division and remainder, float division and square root
//	32     a call of an import, beside what the host charges itself
//	32     a bulk memory operation, and one for each 8 bytes
//	256    memory.grow, and 8,192 for each page (of those asked for, no more than the memory may have)
const (
	costEnter        = 2
	costLocalsShift  = 2 // one unit for each 4 locals
	costImport       = 32
	costBulk         = 32
	costBytesShift   = 3 // one unit for each 8 bytes
	costGrow         = 256
	costPage         = 65536 >> costBytesShift
	pathFuel         = 1024 // the most fuel on a path between two checks
	exitFuel         = 16   // the most that a calling function may owe at its end without a check
	weightLocals     = 16   // one more unit of depth for each so many locals
	weightBodyBytes  = 512  // and for each so many bytes of body
	costTableMin     = 2
	costMiscTruncate = 8
)

var costs = func() (t [256]uint8) {
	set := func(c uint8, from, to int) {
		for i := from; i <= to; i++ {
			t[i] = c
		}
	}
	set(1, 0x00, 0xff)
	t[0x02], t[opElse], t[opEnd] = 0, 0, 0
	t[0x0e], t[0x10], t[0x11] = costTableMin, 4, 8
	set(2, 0x23, 0x25) // globals, table.get
	set(2, 0x28, 0x3f) // loads, stores, memory.size
	t[0x40] = 0        // memory.grow: charged beside its check
	set(12, 0x6d, 0x70)
	set(12, 0x7f, 0x82)
	set(2, 0x8b, 0xa6)
	t[0x91], t[0x95], t[0x9f], t[0xa3] = 12, 12, 12, 12
	set(2, 0xa7, 0xbf)
	set(8, 0xa8, 0xab)
	set(8, 0xae, 0xb1)
	t[opRefFunc] = 2
	t[opMisc], t[opVec] = 0, 0
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
		return costMiscTruncate
	}
}

func vecCost(op uint32) int64 {
	switch {
	case vecOpcodes[op] == memArgLane:
		return 8
	case op == 0xe3 || op == 0xe7 || op == 0xef || op == 0xf3: // sqrt, div
		return 12
	default:
		return 2
	}
}

// weight is what a function adds to the depth of the call stack: its native frame holds its locals and what is spilled across calls.
func weight(locals, bodyBytes int) int64 {
	return int64(1 + locals/weightLocals + bodyBytes/weightBodyBytes)
}
