package meter

// flush ends the open basic block: its charge goes out, then its instructions.
func (f *body) flush() {
	if f.cost > 0 {
		f.owed += f.cost
		check := f.check != 0 && f.m.omit&f.check == 0 || f.owed > pathFuel && f.m.omit&omitPathCheck == 0
		cost := f.cost
		if f.m.omit&omitBlockCharge != 0 {
			cost = 0
		}
		f.out = f.charge(f.out, check, func(b []byte) []byte { return appendS64(append(b, opI64Const), cost) })
		if check {
			f.owed = 0
		}
	}
	f.out = append(f.out, f.block...)
	f.block, f.cost, f.check = f.block[:0], 0, 0
}

// charge takes an amount, which push puts on the operand stack, off the fuel, and checks.
func (f *body) charge(b []byte, check bool, push func([]byte) []byte) []byte {
	b = append(push(append(b, f.m.getFuel...)), opI64Sub)
	if !check {
		return append(b, f.m.setFuel...)
	}
	b = appendU32(append(b, opLocalTee), f.ownI64())
	b = append(b, f.m.setFuel...)
	return f.tick(appendU32(append(b, opLocalGet), f.ownI64()))
}

// tick calls tick if the i64 on the operand stack is negative.
func (f *body) tick(b []byte) []byte {
	b = append(b, opI64Const, 0, opI64LtS, opIf, emptyBlock)
	return append(append(b, f.m.callTick...), opEnd)
}

func (f *body) ownI64() uint32 { return uint32(f.locals) }
func (f *body) ownI32() uint32 { return uint32(f.locals) + 1 }

// bulk charges by the length on top of the operand stack, before the instruction op which takes it.
func (f *body) bulk(op ...byte) {
	own := appendU32([]byte{opLocalGet}, f.ownI32())
	b := appendU32(append(f.block, opLocalSet), f.ownI32())
	b = f.charge(b, f.m.omit&omitBulkCheck == 0, func(b []byte) []byte {
		if f.m.omit&omitBulkCharge == 0 {
			b = append(append(b, own...), opI64ExtendU, opI64Const, costBytesShift, opI64ShrU)
			b = append(appendS64(append(b, opI64Const), costBulk), opI64Add)
			return b
		}
		return appendS64(append(b, opI64Const), costBulk)
	})
	f.block = append(append(b, own...), op...)
}

// grow charges for the pages asked for, of which no more than the memory's maximum can be had.
func (f *body) grow() {
	own := appendU32([]byte{opLocalGet}, f.ownI32())
	limit := appendS64([]byte{opI32Const}, int64(f.m.lim.MemoryPages))
	b := appendU32(append(f.block[:len(f.block)-1], opLocalSet), f.ownI32())
	b = f.charge(b, f.m.omit&omitBulkCheck == 0, func(b []byte) []byte {
		if f.m.omit&omitGrowCharge == 0 {
			b = append(append(b, own...), limit...)
			b = append(append(append(b, own...), limit...), opI32LtU, opSelect, opI64ExtendU)
			b = append(appendS64(append(b, opI64Const), costPage), opI64Mul)
			return append(appendS64(append(b, opI64Const), costGrow), opI64Add)
		}
		return appendS64(append(b, opI64Const), costGrow)
	})
	f.block = append(append(b, own...), opMemoryGrow)
	f.memory()
}

// misc handles what follows 0xfc.
func (f *body) misc(at int) {
	f.block = f.block[:len(f.block)-1]
	op := f.r.u32()
	o := refused
	if int(op) < len(miscOpcodes) {
		o = miscOpcodes[op]
	}
	f.cost += miscCost(o)
	switch o {
	case none:
		f.block = append(f.block, opMisc, byte(op))
	case table:
		f.block = append(f.block, opMisc, byte(op))
		f.u32(f.r.index(f.m.tables, "table"))
	case bulkInit:
		segment := f.r.index(max(f.m.data, 0), "data segment")
		f.bulk(appendU32([]byte{opMisc, byte(op)}, segment)...)
		f.memory()
	case bulkCopy:
		f.bulk(opMisc, byte(op))
		f.memory()
		f.memory()
	case bulkFill:
		f.bulk(opMisc, byte(op))
		f.memory()
	default:
		f.refuse(at, 0xfc00|min(op, 0xff))
	}
}

// vector handles what follows 0xfd. Opcodes of 0x80 and over take two bytes.
func (f *body) vector(at int) {
	op := f.r.u32()
	if op > 0xff || vecOpcodes[op] == refused {
		f.refuse(at, 0xfd00|min(op, 0xff))
		return
	}
	f.cost += vecCost(op)
	f.u32(op)
	switch vecOpcodes[op] {
	case memArg:
		f.memArg()
	case memArgLane:
		f.memArg()
		f.block = append(f.block, f.r.byte())
	case lane:
		f.block = append(f.block, f.r.byte())
	case bytes16:
		f.block = append(f.block, f.r.take(16)...)
	}
}

// assemble writes what stands around the function's own blocks. A function that calls no other cannot recurse: it needs no depth.
func (f *body) assemble(results []byte) {
	if !f.calls || f.m.omit&omitDepth != 0 {
		f.fn = append(f.fn, f.out...)
		return
	}
	w := int64(1)
	if f.m.omit&omitWeight == 0 {
		w = weight(f.locals, f.size)
	}
	b := appendS64(append(append(f.fn, f.m.getDepth...), opI32Const), w)
	b = appendU32(append(b, opI32Add, opLocalTee), f.ownI32())
	b = appendU32(append(append(b, f.m.setDepth...), opLocalGet), f.ownI32())
	b = append(appendS64(append(b, opI32Const), int64(f.m.lim.CallDepth)), opI32GtS, opIf, emptyBlock)
	b = appendS64(append(append(b, f.m.getFuel...), opI64Const), stackExhausted)
	b = append(append(append(b, opI64Add), f.m.setFuel...), f.m.callTick...)
	b = append(b, opEnd, opBlock)
	switch len(results) {
	case 0:
		b = append(b, emptyBlock)
	case 1:
		b = append(b, results[0])
	default:
		b = appendS64(b, int64(f.m.addType(nil, results)))
	}
	b = append(b, f.out...)
	if f.owed > exitFuel && f.m.omit&omitExitCheck == 0 {
		b = f.tick(append(b, f.m.getFuel...))
	}
	if f.m.omit&omitDepthExit == 0 {
		b = appendS64(append(append(b, f.m.getDepth...), opI32Const), w)
		b = append(append(b, opI32Sub), f.m.setDepth...)
	}
	f.fn = append(b, opEnd)
}
