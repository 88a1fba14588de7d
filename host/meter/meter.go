package meter

// Version names the rewriting: costs, checks and what is refused. It is part of a generation and of the compile cache's key, since the
// same module under another Version consumes other fuel.
const Version = 2

// Names that the rewritten module imports and exports. Guests must not use names that begin with "__vedette".
const (
	TickModule         = "__vedette"
	TickName           = "tick"
	FuelExport         = "__vedette_fuel"  // mut i64: what is left; negative calls tick
	DepthExport        = "__vedette_depth" // mut i32: weight of the functions on the call stack, 0 at rest
	GlobalExportPrefix = "__vedette_g"     // and the global's index: the guest's mutable globals

	reservedPrefix = "__vedette"
)

// Kinds of imports and exports, as in the binary format.
const (
	KindFunction byte = iota
	KindTable
	KindMemory
	KindGlobal
)

// stackExhausted is added to the fuel when the call stack is: no charge between two checks comes near it.
const stackExhausted = -1 << 62

// Spent splits the fuel that tick finds: left is the true value (negative if it ran out), and deep says that tick was called because the
// depth went over Limits.CallDepth.
func Spent(fuel int64) (left int64, deep bool) {
	if fuel < stackExhausted/2 {
		return fuel - stackExhausted, true
	}
	return fuel, false
}

// Import is what the guest imports. Kind is always KindFunction, since nothing else is admitted. Params and Results are value types as
// in the binary format, equal to wazero's api.ValueType.
type Import struct {
	Module, Name    string
	Kind            byte
	Params, Results []byte
}

// Export is what the guest exports under its own names. Params and Results are set for functions.
type Export struct {
	Name            string
	Kind            byte
	Params, Results []byte
}

// Shape is what a host must know about a module before it decides to run it. What Rewrite inserts is not in it, except that
// MutableGlobals are names which only the rewritten module exports.
type Shape struct {
	Imports        []Import
	Exports        []Export
	MemoryMinPages uint32            // of 64 KiB; 0 and 0 without a memory
	MemoryMaxPages uint32            // as declared, at most Limits.MemoryPages; in force after Rewrite
	Functions      int               // defined in the module
	MutableGlobals []string          // exports, in index order, by which the host saves and restores all mutable globals
	HasStart       bool              // runs, metered, while the module is instantiated
	Customs        map[string][]byte // custom sections by name, views of the input
}

// Inspect decides whether Rewrite would admit the module, and describes it. The error is an *Error.
func Inspect(wasm []byte, l Limits) (*Shape, error) {
	_, s, err := Rewrite(wasm, l)
	return s, err
}

// Rewrite returns the metered form of a module and its shape, or an *Error with the first reason to refuse it. It reads the module once,
// allocates in proportion to it, and is safe for any input. The output shares no memory with the input; s.Customs does.
func Rewrite(wasm []byte, l Limits) (out []byte, s *Shape, err error) {
	m := newModule(l, 0)
	if e := m.decode(wasm); e != nil {
		return nil, nil, e
	}
	return m.encode(), m.shape, nil
}

// omit leaves out one part of the rewriting, so that tests can show that each part is needed. It is zero outside tests.
type omit uint32

const (
	omitBlockCharge omit = 1 << iota
	omitEntryCheck
	omitLoopCheck
	omitPathCheck
	omitExitCheck
	omitBulkCharge
	omitBulkCheck
	omitGrowCharge
	omitTableCharge
	omitLocalsCharge
	omitDepth
	omitDepthExit
	omitSpill
	omitReload
	omitReturn
	omitWeight
	omitMemoryMax
	omitShiftCall
	omitShiftRef
	omitShiftElement
	omitShiftExport
	omitShiftStart
	omitLast // not a part: ends the list
)
