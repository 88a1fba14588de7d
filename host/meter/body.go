package meter

// label is a construct that branches can leave (or, for a loop, enter again).
type label struct {
	loop, then bool  // then: an if whose else was not seen
	targeted   bool  // by a branch, so that its end joins paths
	entry      int64 // owed where an if began
	owed       int64 // the most that a branch to its end owes
}

// body rewrites one function. Instructions gather in block until the run that is charged at once ends; then its charge, whose amount is known
// by now, goes out before them. owed is the most fuel on any path from the last check to here: exact, since forward paths only join at ends.
type body struct {
	m       *module
	r       reader
	fn      []byte // the function as written
	out     []byte // its finished runs
	block   []byte // the open run of instructions
	cost    int64
	begins  omit // the check that the open block begins with: omitEntryCheck, omitLoopCheck or 0
	owed    int64
	labels  []label
	locals  int // the guest's, with parameters; the two behind them are ours: an i64 and an i32
	calls   bool
	size    int      // of the guest's body, bytes
	targets []uint32 // of one branch
	scratch []byte

	exits     []int // labels, by index, that branches in the open run may leave to
	firstCost int64 // of the open run up to the first of these branches, and up to
	lastCost  int64 // the last, which ends
	lastExit  int   // at this byte of block

	branches int // blocks, branches and labels of branch tables so far
}

// rewrite leaves the function in f.fn.
func (f *body) rewrite(defined int, b []byte) *Error {
	t := f.m.types[f.m.funcs[defined]]
	*f = body{m: f.m, r: reader{b: b}, fn: f.fn[:0], out: f.out[:0], block: f.block[:0], labels: f.labels[:0], size: len(b), targets: f.targets, exits: f.exits[:0], scratch: f.scratch}
	f.localRuns(len(t.params))
	f.cost, f.begins = costEnter, omitEntryCheck
	if f.m.omit&omitLocalsCharge == 0 {
		f.cost += int64(f.locals) >> costLocalsShift
	}
	f.labels = append(f.labels, label{})
	for len(f.labels) > 0 && f.r.err == nil {
		f.instruction()
	}
	f.r.end("the function")
	if f.r.err != nil {
		return f.r.err
	}
	f.m.work += int64(f.branches) * int64(f.branches)
	if f.m.work > int64(f.m.lim.CompileWork) {
		return errorf("E_LIMIT_COMPILE_WORK", "the squares of the functions' branches add up to over %d", f.m.lim.CompileWork)
	}
	f.assemble(t.results)
	return nil
}

// localRuns copies the declarations of locals and adds our two.
func (f *body) localRuns(params int) {
	total := uint64(params)
	runs := f.r.count(f.m.lim.LocalsPerFunction, "E_LIMIT_LOCALS", "declarations of locals")
	f.fn = appendU32(f.fn, uint32(runs)+2)
	for range runs {
		n, t := f.r.u32(), f.r.byte()
		total += uint64(n)
		if f.r.err == nil && !valueType(t) {
			f.r.fail(CodeModule, "0x%02x is no value type", t)
		}
		f.fn = append(appendU32(f.fn, n), t)
	}
	if total > uint64(f.m.lim.LocalsPerFunction) {
		f.r.fail("E_LIMIT_LOCALS", "%d locals, at most %d", total, f.m.lim.LocalsPerFunction)
		return
	}
	f.fn = append(f.fn, 1, typeI64, 1, typeI32)
	f.locals = int(total)
}

// instruction decodes one instruction and encodes it again.
func (f *body) instruction() {
	at := f.r.pos
	op := f.r.byte()
	f.block = append(f.block, op)
	f.cost += int64(costs[op])
	switch r := &f.r; opcodes[op] {
	case none:
		if op == opUnreachable {
			f.leave()
		}
	case blockType, elseMark, endMark:
		f.structure(op)
	case branchLabel, labels, returns:
		f.branch(op)
	case function, indirect:
		f.invoke(op)
	case valueTypes:
		if n := r.u32(); n != 1 {
			r.fail(CodeModule, "select has %d types", n)
		}
		t := r.byte()
		if !valueType(t) {
			r.fail(CodeModule, "0x%02x is no value type", t)
		}
		f.block = append(f.block, 1, t)
	case local:
		f.u32(r.index(f.locals, "local"))
	case global:
		f.u32(r.index(len(f.m.globals), "global"))
	case table:
		f.u32(r.index(f.m.tables, "table"))
	case memArg:
		f.memArg()
	case memSize:
		f.memory()
	case memGrow:
		f.grow()
	case constI32:
		f.block = appendS64(f.block, r.signed(32))
	case constI64:
		f.block = appendS64(f.block, r.signed(64))
	case constF32:
		f.block = append(f.block, r.take(4)...)
	case constF64:
		f.block = append(f.block, r.take(8)...)
	case refType:
		f.block = append(f.block, f.m.refType(r))
	case refFunc:
		f.u32(f.m.shift(r.index(f.m.functions(), "function"), omitShiftRef))
	case miscPrefix:
		f.misc(at)
	case vecPrefix:
		f.vector(at)
	default:
		f.refuse(at, uint32(op))
	}
	switch {
	case f.cost > pathFuel/2:
		f.flush()
	case len(f.exits) > 0 && f.cost-f.firstCost > prepaidFuel:
		f.cut(f.lastExit, f.lastCost)
	}
}

func (f *body) u32(v uint32) { f.block = appendU32(f.block, v) }

func (f *body) refuse(at int, op uint32) {
	why, ok := refusedNames[op]
	if !ok {
		why = "unknown"
	}
	f.r.fail(CodeOpcode, "opcode 0x%02x at byte %d: %s", op, at, why)
}

// structure handles block, loop, if, else and end.
func (f *body) structure(op byte) {
	switch op {
	case opElse:
		l := &f.labels[len(f.labels)-1]
		if !l.then {
			f.r.fail(CodeModule, "else without if")
			return
		}
		f.flush()
		l.then, l.targeted = false, true
		l.owed, f.owed = max(l.owed, f.owed), l.entry
	case opEnd:
		f.end()
	default:
		f.blockType()
		f.branching(1)
		if len(f.labels) > f.m.lim.BlockDepth {
			f.r.fail("E_LIMIT_BLOCK_DEPTH", "more than %d nested blocks", f.m.lim.BlockDepth)
			return
		}
		l := label{loop: op == opLoop, then: op == opIf}
		if l.loop {
			f.flush()
			f.cost, f.begins = 1, omitLoopCheck
		}
		if l.then {
			f.flush()
			l.entry = f.owed
		}
		f.labels = append(f.labels, l)
	}
}

func (f *body) end() {
	last := len(f.labels) - 1
	l := &f.labels[last]
	if !l.loop && (l.targeted || l.then || last == 0) { // paths join here
		f.flush()
		f.owed = max(f.owed, l.owed, l.entry)
	}
	f.labels = f.labels[:last]
}

// blockType copies a block's type: empty, one value, or the index of a function type.
func (f *body) blockType() {
	t := f.r.signed(33)
	switch {
	case t >= int64(f.m.guestTypes):
		f.r.fail(CodeModule, "type %d of %d", t, f.m.guestTypes)
	case t < 0 && t != emptyBlock-0x80 && (t < -0x40 || !valueType(byte(t&0x7f))):
		f.r.fail(CodeModule, "block type %d", t)
	}
	f.block = appendS64(f.block, t)
}

// branching counts what makes compiling slow.
func (f *body) branching(n int) {
	if f.branches += n; f.branches > f.m.lim.Branches {
		f.r.fail("E_LIMIT_BRANCHES", "more than %d blocks, branches and labels", f.m.lim.Branches)
	}
}

// target decodes a label and notes that a branch goes there.
func (f *body) target() {
	i := f.r.index(len(f.labels), "label")
	f.u32(i)
	f.targets = append(f.targets, i)
}

// branch handles br, br_if, br_table and return. A branch to the function's own label, as deep as before, now means the block that
// assemble puts around everything, and return becomes such a branch: so no way out misses what stands behind that block.
func (f *body) branch(op byte) {
	f.targets = f.targets[:0]
	f.branching(1)
	switch opcodes[op] {
	case labels:
		n := f.r.count(f.m.lim.Branches, "E_LIMIT_BRANCHES", "labels in a branch table")
		f.branching(n)
		f.u32(uint32(n))
		for range n + 1 {
			f.target()
		}
		if f.m.omit&omitTableCharge == 0 {
			f.cost += tableCost(n) - costTableMin
		}
	case returns:
		f.targets = append(f.targets, uint32(len(f.labels)-1))
		if f.m.omit&omitReturn == 0 {
			f.block[len(f.block)-1] = opBr
			f.u32(f.targets[0])
		}
	default:
		f.target()
	}
	if f.r.err != nil {
		return
	}
	to := len(f.labels) - 1
	if op == opBrIf && !f.labels[to-int(f.targets[0])].loop {
		f.exit(to - int(f.targets[0]))
		return
	}
	f.flush()
	for _, i := range f.targets {
		f.labels[to-int(i)].targeted = true
		f.reached(to - int(i))
	}
	if op != opBrIf {
		f.owed = 0
	}
}

// exit notes a conditional branch forward, to the label with index i. What follows it is charged with what stands before it, as long as that
// is little: bounds checks and the exits of loops end in such a branch, and a charge behind each would cost more than it measures.
func (f *body) exit(i int) {
	f.labels[i].targeted = true
	if len(f.exits) == 0 {
		f.firstCost = f.cost
	}
	f.exits = append(f.exits, i)
	f.lastCost, f.lastExit = f.cost, len(f.block)
}

// leave ends a block behind which nothing runs.
func (f *body) leave() {
	f.flush()
	f.owed = 0
}

// invoke handles call and call_indirect.
func (f *body) invoke(op byte) {
	at := len(f.block) - 1
	if op == opCall {
		i := f.r.index(f.m.functions(), "function")
		if int(i) < len(f.m.imports) {
			f.cost += costImport - costCall
		} else {
			f.calls = true
		}
		f.u32(f.m.shift(i, omitShiftCall))
	} else {
		f.u32(f.r.index(f.m.guestTypes, "type"))
		f.u32(f.r.index(f.m.tables, "table"))
		f.calls = true
	}
	f.call(at)
}

func (f *body) memory() {
	f.r.index(f.m.memories, "memory")
	f.block = append(f.block, 0)
}

func (f *body) memArg() {
	align := f.r.u32()
	if align > 4 {
		f.r.fail(CodeABI, "alignment 2^%d: one 32-bit memory is supported", align)
	}
	f.u32(align)
	f.u32(f.r.u32())
}
