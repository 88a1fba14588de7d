package meter

import (
	"context"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// gen makes valid, structured programs out of bytes. All of them end: each loop header and function entry counts a step, and at
// maxSteps every loop leaves and every function returns. Global 1 counts the blocks that ran, which the fuel must not undercut.
type gen struct {
	src    []byte
	pos    int
	m      *testModule
	nodes  int   // left of this program's size
	safe   bool  // no traps, no calls and no branches out of what is being made
	sigs   []int // type of each defined function
	params int
	locals []byte // of the current function, parameters included
	labels []bool // open constructs of the current function, innermost last; false: it has a value, so that branches avoid it
	result []byte
}

const (
	maxSteps    = 1500
	globalSteps = 0
	globalBlock = 1
)

// genTypes: 0 () -> (), 1 (i) -> i, 2 (i l) -> l, 3 () -> (i l), 4 (i i) -> i; the import has type 1.
var genTypes = []funcType{
	{}, {[]byte{i32}, []byte{i32}}, {[]byte{i32, i64}, []byte{i64}}, {nil, []byte{i32, i64}}, {[]byte{i32, i32}, []byte{i32}},
}

// n is a choice below k. A source at its end always chooses 0, the simplest.
func (g *gen) n(k int) int {
	if g.pos >= len(g.src) {
		return 0
	}
	g.pos++
	return int(g.src[g.pos-1]) % k
}

func newGen(src []byte) *gen {
	m := newTestModule()
	m.types = append(m.types, genTypes...)
	m.imports = []Import{{Module: "h", Name: "mix", Kind: 1}}
	m.pages = [2]int{1, 4}
	m.globals = []testGlobal{{i32, true, c32(0)}, {i64, true, c64(0)}, {i32, true, c32(7)}, {i64, true, c64(-9)}, {i32, false, c32(77)}}
	for i, name := range []string{"g0", "g1", "g2", "g3"} {
		m.exports = append(m.exports, testExport{name, KindGlobal, i})
	}
	m.active, m.passive = []byte("0123456789abcdef"), []byte("a passive segment of thirty-two b")
	return &gen{src: src, m: m, nodes: 400}
}

// terminating makes a whole program that exports main: (i) -> i.
func terminating(src []byte) *testModule {
	g := newGen(src)
	g.sigs = []int{1}
	for range g.n(4) {
		g.sigs = append(g.sigs, g.n(len(genTypes)))
	}
	for _, sig := range g.sigs {
		g.m.funcs = append(g.m.funcs, g.function(sig))
	}
	for i := range g.sigs {
		g.m.table = append(g.m.table, i+1)
	}
	g.m.table = append(g.m.table, 0)
	return g.m.export("main", 1)
}

func (g *gen) function(sig int) testFunc {
	t := genTypes[sig]
	g.locals = append(append([]byte{}, t.params...), i32, i32, i64, f64)
	g.params, g.labels, g.result = len(t.params), []bool{len(t.results) == 0}, t.results
	body := cat(g.step(), when(g.defaults(), op(0x0f)), g.mark())
	for range 2 + g.n(4) {
		body = append(body, g.statement(3)...)
	}
	for _, r := range t.results {
		body = append(body, g.expr(r, 2)...)
	}
	return testFunc{sig, g.locals[g.params:], body}
}

// step counts, and leaves whether the program has to end.
func (g *gen) step() []byte {
	return cat(gget(globalSteps), c32(1), op(opI32Add), gset(globalSteps), gget(globalSteps), c32(maxSteps), op(opI32GtS))
}

func (g *gen) mark() []byte {
	return cat(gget(globalBlock), c64(1), op(opI64Add), gset(globalBlock))
}

func (g *gen) defaults() []byte {
	var b []byte
	for _, r := range g.result {
		b = append(b, map[byte][]byte{i32: c32(0), i64: c64(0)}[r]...)
	}
	return b
}

// local is a random one of the type.
func (g *gen) local(t byte) int {
	var have []int
	for i, l := range g.locals {
		if l == t && (!g.safe || i > 0) { // what never ends counts in its parameter
			have = append(have, i)
		}
	}
	return have[g.n(len(have))]
}

// nested are the statements of a construct.
func (g *gen) nested(depth int) []byte {
	g.labels = append(g.labels, true)
	var b []byte
	for range 1 + g.n(3) {
		b = append(b, g.statement(depth-1)...)
	}
	g.labels = g.labels[:len(g.labels)-1]
	return b
}

// valued is an expression inside a construct that has a value.
func (g *gen) valued(depth int) []byte {
	g.labels = append(g.labels, false)
	b := g.expr(i32, depth)
	g.labels = g.labels[:len(g.labels)-1]
	return b
}

func (g *gen) statement(depth int) []byte {
	g.nodes--
	if depth <= 0 || g.nodes <= 0 {
		return cat(g.expr(i32, 1), set(g.local(i32)))
	}
	switch g.n(18) {
	default:
		return cat(g.expr(i32, depth), set(g.local(i32)))
	case 1:
		return cat(g.expr(i64, depth), set(g.local(i64)))
	case 2:
		return cat(g.expr(f64, depth), set(g.local(f64)))
	case 3:
		return cat(g.expr(i32, depth), gset(2))
	case 4:
		return cat(g.expr(i64, depth), gset(3))
	case 5:
		return cat(g.address(), g.expr(i32, depth), op(0x36, 2, 0))
	case 6:
		return cat(g.address(), g.expr(i64, depth), op(0x37, 3, 0))
	case 7:
		return block(g.mark(), g.nested(depth))
	case 8:
		return cat(g.expr(i32, depth), when(g.mark(), g.nested(depth)))
	case 9:
		return cat(g.expr(i32, depth), op(opIf, emptyBlock), g.mark(), g.nested(depth), op(opElse), g.mark(), g.nested(depth), op(opEnd))
	case 10, 11:
		return g.loop(depth)
	case 12:
		return g.jump(depth)
	case 13:
		if label := g.label(); label >= 0 {
			return cat(g.expr(i32, depth), brIf(label), g.mark())
		}
		return g.mark()
	case 14:
		return g.bulk()
	case 15:
		return g.callStatement(depth)
	case 16:
		return cat(g.expr(i32, 1), op(0x41, 3), op(0x71), op(opMemoryGrow, 0), set(g.local(i32)))
	}
}

// loop runs a few times, unless branches in it go on to its header.
func (g *gen) loop(depth int) []byte {
	g.locals = append(g.locals, i32)
	k := len(g.locals) - 1
	g.labels = append(g.labels, true)
	inner := g.nested(depth)
	g.labels = g.labels[:len(g.labels)-1]
	return cat(c32(1+g.n(9)), set(k), block(loop(
		g.mark(), g.step(), brIf(1), inner, get(k), c32(1), op(opI32Sub), tee(k), c32(0), op(opI32GtS), brIf(0))))
}

// label is the depth of one that a branch may leave for, -1 without any.
func (g *gen) label() int {
	var open []int
	for i, free := range g.labels {
		if free {
			open = append(open, len(g.labels)-1-i)
		}
	}
	if len(open) == 0 {
		return -1
	}
	return open[g.n(len(open))]
}

// jump leaves for good: what follows in the block is dead.
func (g *gen) jump(depth int) []byte {
	label := g.label()
	if label < 0 {
		if g.safe {
			return nil
		}
		return cat(g.expr(i32, 1), when(g.defaults(), op(0x0f)))
	}
	switch g.n(5) {
	default:
		return br(label)
	case 1:
		targets := []int{label}
		for range g.n(6) {
			targets = append(targets, g.label())
		}
		return cat(g.expr(i32, depth), brTable(targets...))
	case 2:
		if g.safe {
			return br(label)
		}
		return cat(g.defaults(), op(0x0f))
	case 3:
		if g.safe {
			return br(label)
		}
		return cat(g.expr(i32, depth), when(op(opUnreachable)))
	}
}

func (g *gen) bulk() []byte {
	size := cat(g.expr(i32, 1), c32(0x3ff), op(0x71))
	switch at := cat(g.expr(i32, 1), c32(0xbfff), op(0x71)); g.n(3) {
	default:
		return fill(at, g.expr(i32, 1), size)
	case 1:
		return copyMem(at, cat(g.expr(i32, 1), c32(0xbfff), op(0x71)), size)
	case 2:
		return initMem(1, at, c32(g.n(16)), c32(g.n(17)))
	}
}

// callStatement calls any function, itself included, and drops what it returns.
func (g *gen) callStatement(depth int) []byte {
	if g.safe {
		return cat(g.expr(i32, depth), set(g.local(i32)))
	}
	i := g.n(len(g.sigs))
	t := genTypes[g.sigs[i]]
	var b []byte
	for _, p := range t.params {
		b = append(b, g.expr(p, depth-1)...)
	}
	if g.n(2) == 0 {
		b = append(b, call(i+1)...)
	} else {
		b = append(b, cat(c32(i), callIndirect(g.sigs[i]))...)
	}
	for range t.results {
		b = append(b, 0x1a)
	}
	return b
}

// address is inside the first page, or, rarely, anywhere.
func (g *gen) address() []byte {
	if !g.safe && g.n(40) == 39 {
		return g.expr(i32, 1)
	}
	return cat(g.expr(i32, 1), c32(0xfff0), op(0x71))
}

func (g *gen) expr(t byte, depth int) []byte {
	g.nodes--
	deep := depth > 0 && g.nodes > 0
	switch t {
	case i32:
		return g.expr32(deep, depth-1)
	case i64:
		return g.expr64(deep, depth-1)
	default:
		if !deep || g.n(3) == 0 {
			return cat(get(g.local(i32)), op(0xb7))
		}
		return cat(g.expr(f64, depth-1), g.expr(f64, depth-1), op([]byte{0xa0, 0xa1, 0xa2, 0xa3, 0xa4}[g.n(5)]))
	}
}

func (g *gen) expr32(deep bool, d int) []byte {
	if !deep {
		return [][]byte{get(g.local(i32)), c32(g.n(256) * 2654435), gget(4)}[g.n(3)]
	}
	switch g.n(20) {
	default:
		return cat(g.expr(i32, d), g.expr(i32, d), op([]byte{opI32Add, opI32Sub, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x76, 0x77}[g.n(9)]))
	case 1:
		return cat(g.expr(i32, d), op([]byte{0x45, 0x67, 0x68, 0x69, 0xc0}[g.n(5)]))
	case 2:
		return cat(g.expr(i64, d), g.expr(i64, d), op([]byte{0x51, 0x53, 0x56}[g.n(3)]))
	case 3:
		return cat(g.expr(i64, d), op(0xa7))
	case 4:
		return cat(g.address(), op([]byte{0x2d, 0x2e, 0x28}[g.n(3)], 0, 4))
	case 5:
		return op(opMemorySize, 0)
	case 6:
		return cat(g.expr(i32, d), call(0))
	case 7:
		return cat(g.expr(i32, d), g.expr(i32, d), g.expr(i32, d), op(opSelect))
	case 8:
		return cat(g.expr(i32, d), op(opIf, i32), g.mark(), g.valued(d), op(opElse), g.mark(), g.valued(d), op(opEnd))
	case 9: // a value carried by a branch
		return cat(op(opBlock, i32), g.valued(d), g.valued(d), brIf(0), op(0x1a), g.valued(d), op(opEnd))
	case 10: // a block with a parameter
		return cat(g.expr(i32, d), op(opBlock, 1), c32(3), op(opI32Add), op(opEnd))
	case 11:
		return cat(g.expr(f64, d), op(opMisc, 2))
	case 12:
		return cat(g.expr(i32, d), op(opVec, 0x11), g.expr(i32, d), op(opVec, 0x11), op(opVec, 0xae, 1), op(opVec, 0x1b, 2))
	case 13:
		return cat(g.expr(i32, d), tee(g.local(i32)))
	case 14:
		if g.safe {
			return gget(2)
		}
		return cat(g.expr(i32, d), g.expr(i32, d), op([]byte{0x6d, 0x70}[g.n(2)]))
	case 15, 16:
		if g.safe {
			return get(g.local(i32))
		}
		return cat(g.expr(i32, d), c32(0), callIndirect(1))
	case 17: // a branch that discards a value below on the stack
		if label := g.label(); label >= 0 {
			return cat(g.expr(i32, d), g.expr(i32, d), brIf(label))
		}
		return gget(2)
	}
}

func (g *gen) expr64(deep bool, d int) []byte {
	if !deep {
		return [][]byte{get(g.local(i64)), c64(int64(g.n(256)) << 33), gget(3)}[g.n(3)]
	}
	switch g.n(5) {
	default:
		return cat(g.expr(i64, d), g.expr(i64, d), op([]byte{opI64Add, opI64Sub, opI64Mul, 0x83, 0x85, opI64ShrU}[g.n(6)]))
	case 1:
		return cat(g.expr(i32, d), op([]byte{0xac, opI64ExtendU}[g.n(2)]))
	case 2:
		return cat(g.address(), op(0x29, 0, 0))
	case 3:
		return cat(g.expr(f64, d), op(opMisc, 6))
	}
}

func withMix(rt wazero.Runtime) {
	_, err := rt.NewHostModuleBuilder("h").NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(
		func(_ context.Context, _ api.Module, s []uint64) { s[0] = uint64(uint32(s[0])*3 + 1) },
	), []api.ValueType{api.ValueTypeI32}, []api.ValueType{api.ValueTypeI32}).Export("mix").Instantiate(context.Background())
	if err != nil {
		panic(err)
	}
}

// spins are the ways never to end; junk stands where a program would do something.
const spins = 15

// endless makes a program whose main: (i) -> i never returns.
func endless(src []byte) *testModule {
	g := newGen(src)
	g.safe, g.nodes = true, 150
	kind := g.n(spins)
	sig := func(s int) { g.locals = append(append([]byte{}, genTypes[s].params...), i32, i32, i64, f64) }
	sig(1)
	junk := func() []byte {
		g.labels = nil
		return block(g.nested(2))
	}
	var spin []byte
	always := c32(1)
	switch kind {
	case 0:
		spin = loop(junk(), br(0))
	case 1:
		spin = loop(junk(), always, brIf(0))
	case 2:
		spin = loop(junk(), get(0), brTable(0, 0, 0))
	case 3:
		spin = loop(junk(), always, when(junk(), br(1)))
	case 4:
		spin = loop(junk(), c32(0), op(opIf, emptyBlock), op(opElse), br(1), op(opEnd))
	case 5:
		spin = loop(loop(junk(), br(1)))
	case 6:
		spin = loop(block(block(block(get(0), brTable(0, 1, 2, 3)), br(2)), br(1)), br(0))
	case 7:
		spin = loop(fill(c32(0), get(0), c32(60_000)), br(0))
	case 8:
		spin = loop(copyMem(c32(0), c32(100), c32(50_000)), junk(), br(0))
	case 9:
		spin = loop(memGrowOp(c32(g.n(2)*70_000)), op(0x1a), br(0))
	case 10: // 1 calls 2 calls 1
		spin = cat(junk(), get(0), call(2), op(0x1a))
	case 11: // an exponential tree without a loop
		spin = cat(get(0), c32(60), op(opI32Add), call(2), op(0x1a))
	case 12: // the same through the table
		spin = cat(get(0), c32(60), op(opI32Add), c32(1), callIndirect(1), op(0x1a))
	case 13:
		spin = loop(get(0), call(0), op(0x1a), br(0))
	case 14: // a loop that calls a function which returns
		spin = loop(c32(0), call(2), op(0x1a), br(0))
	}
	body := cat(junk(), spin, get(0))
	g.m.funcs = append(g.m.funcs, testFunc{1, g.locals[1:], body})
	sig(1)
	second := cat(get(0), op(0x45), op(opIf, emptyBlock), get(0), op(0x0f), op(opEnd))
	again := func() []byte {
		if kind == 12 {
			return cat(get(0), c32(1), op(opI32Sub), c32(1), callIndirect(1))
		}
		return cat(get(0), c32(1), op(opI32Sub), call(2))
	}
	if kind == 10 {
		second = cat(get(0), call(1))
	} else {
		second = cat(second, again(), op(0x1a), junk(), again())
	}
	g.m.funcs = append(g.m.funcs, testFunc{1, g.locals[1:], second})
	g.m.table = []int{1, 2}
	return g.m.export("main", 1)
}
