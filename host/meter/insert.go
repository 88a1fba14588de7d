package meter

// The fuel lives in a local while a function runs, so that a charge costs one operation on a register. The global is written at every check
// and before every call, and read again after it: those places, not the slices, decide what the host sees if the guest traps.

// flush ends the open run of instructions: its charge goes out, then the instructions.
func (f *body) flush() { f.cut(len(f.block), f.cost) }

// cut charges for the first n bytes of the open run, which cost so much, and leaves the rest open.
func (f *body) cut(n int, cost int64) {
	if cost > 0 {
		f.owed += cost
		check := f.begins != 0 && f.m.omit&f.begins == 0 || f.owed > pathFuel && f.m.omit&omitPathCheck == 0
		amount := cost
		if f.m.omit&omitBlockCharge != 0 {
			amount = 0
		}
		if f.begins == omitEntryCheck {
			f.out = f.reload(f.out)
		}
		f.out = f.charge(f.out, func(b []byte) []byte { return appendS64(append(b, opI64Const), amount) })
		if check {
			f.out = f.check(f.out)
			f.owed = 0
		}
	}
	for _, i := range f.exits {
		f.reached(i)
	}
	f.out = append(f.out, f.block[:n]...)
	f.block = append(f.block[:0], f.block[n:]...)
	f.cost, f.begins, f.exits = f.cost-cost, 0, f.exits[:0]
}

// reached notes what a branch from here owes at the label with index i.
func (f *body) reached(i int) { f.labels[i].owed = max(f.labels[i].owed, f.owed) }

// charge takes an amount, which push puts on the operand stack, off the fuel.
func (f *body) charge(b []byte, push func([]byte) []byte) []byte {
	b = appendU32(append(b, opLocalGet), f.ownI64())
	b = append(push(b), opI64Sub)
	return appendU32(append(b, opLocalSet), f.ownI64())
}

// check publishes the fuel and calls tick if it is negative.
func (f *body) check(b []byte) []byte {
	return append(f.reload(f.tick(f.spill(b))), opEnd)
}

// checkBulk checks before an operation whose length was charged.
func (f *body) checkBulk(b []byte) []byte {
	if f.m.omit&omitBulkCheck != 0 {
		return f.spill(b)
	}
	return f.check(b)
}

func (f *body) spill(b []byte) []byte {
	return append(appendU32(append(b, opLocalGet), f.ownI64()), f.m.setFuel...)
}

func (f *body) reload(b []byte) []byte {
	return appendU32(append(append(b, f.m.getFuel...), opLocalSet), f.ownI64())
}

// tick calls tick if the fuel is negative; the caller ends the construct.
func (f *body) tick(b []byte) []byte {
	b = appendU32(append(b, opLocalGet), f.ownI64())
	b = append(b, opI64Const, 0, opI64LtS, opIf, emptyBlock)
	return append(b, f.m.callTick...)
}

// call copies a call, whose operands begin at byte at of the open block.
func (f *body) call(at int) {
	instruction := append(f.scratch[:0], f.block[at:]...)
	b := f.block[:at]
	if f.m.omit&omitSpill == 0 {
		b = f.spill(b)
	}
	b = append(b, instruction...)
	if f.m.omit&omitReload == 0 {
		b = f.reload(b)
	}
	f.block, f.scratch = b, instruction
}

func (f *body) ownI64() uint32 { return uint32(f.locals) }
func (f *body) ownI32() uint32 { return uint32(f.locals) + 1 }

// bulk charges by the length on top of the operand stack, before the instruction op which takes it.
func (f *body) bulk(op ...byte) {
	own := appendU32([]byte{opLocalGet}, f.ownI32())
	b := appendU32(append(f.block, opLocalSet), f.ownI32())
	b = f.charge(b, func(b []byte) []byte {
		if f.m.omit&omitBulkCharge == 0 {
			b = append(append(b, own...), opI64ExtendU, opI64Const, costBytesShift, opI64ShrU)
			b = append(appendS64(append(b, opI64Const), costBulk), opI64Add)
			return b
		}
		return appendS64(append(b, opI64Const), costBulk)
	})
	f.block = append(append(f.checkBulk(b), own...), op...)
}

// grow charges for the pages asked for if the memory can have them; else the instruction fails at once.
func (f *body) grow() {
	own := appendU32([]byte{opLocalGet}, f.ownI32())
	b := appendU32(append(f.block[:len(f.block)-1], opLocalSet), f.ownI32())
	b = f.charge(b, func(b []byte) []byte {
		if f.m.omit&omitGrowCharge == 0 {
			b = append(append(append(b, own...), opI32Const, 0), own...)
			b = appendS64(append(b, opI32Const), int64(f.m.shape.MemoryMaxPages))
			b = append(b, opMemorySize, 0, opI32Sub, opI32LeU, opSelect, opI64ExtendU)
			b = append(appendS64(append(b, opI64Const), costPage), opI64Mul)
			return append(appendS64(append(b, opI64Const), costGrow), opI64Add)
		}
		return appendS64(append(b, opI64Const), costGrow)
	})
	f.block = append(append(f.checkBulk(b), own...), opMemoryGrow)
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

// vector handles what follows 0xfd. Opcodes of 0x80 and over take two bytes; padded forms, which wazero reads as other opcodes, are refused.
func (f *body) vector(at int) {
	op := f.r.u32()
	if op > 0xff || vecOpcodes[op] == refused || f.r.pos-at > 2+int(op>>7) {
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
	default: // nothing follows the opcode
	}
}

// assemble puts the function's blocks into one more block, which every way out leaves by its end, and writes what stands around it. A
// function that calls no other cannot recurse: it needs no depth.
func (f *body) assemble(results []byte) {
	b := f.fn
	deep := f.calls && f.m.omit&omitDepth == 0
	if deep {
		b = f.enter(b)
	}
	b = append(b, opBlock)
	switch len(results) {
	case 0:
		b = append(b, emptyBlock)
	case 1:
		b = append(b, results[0])
	default:
		b = appendS64(b, int64(f.m.addType(nil, results)))
	}
	b = append(b, f.out...)
	if f.owed > 0 {
		b = f.spill(b)
	}
	if f.calls && f.owed > exitFuel && f.m.omit&omitExitCheck == 0 {
		b = append(f.tick(b), opEnd)
	}
	if deep && f.m.omit&omitDepthExit == 0 {
		b = appendS64(append(append(b, f.m.getDepth...), opI32Const), f.weight())
		b = append(append(b, opI32Sub), f.m.setDepth...)
	}
	f.fn = append(b, opEnd)
}

func (f *body) weight() int64 {
	if f.m.omit&omitWeight != 0 {
		return 1
	}
	return weight(f.locals, f.size)
}

// enter adds the function to the call stack.
func (f *body) enter(b []byte) []byte {
	b = appendS64(append(append(b, f.m.getDepth...), opI32Const), f.weight())
	b = appendU32(append(b, opI32Add, opLocalTee), f.ownI32())
	b = appendU32(append(append(b, f.m.setDepth...), opLocalGet), f.ownI32())
	b = append(appendS64(append(b, opI32Const), int64(f.m.lim.CallDepth)), opI32GtS, opIf, emptyBlock)
	b = appendS64(append(append(b, f.m.getFuel...), opI64Const), stackExhausted)
	b = append(append(append(b, opI64Add), f.m.setFuel...), f.m.callTick...)
	return append(b, opEnd)
}
