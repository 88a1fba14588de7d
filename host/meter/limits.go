package meter

// Limits bound the shape of a module before anything is compiled: compiling is not metered. Zero means the default beside each field.
// One over any of them is refused with the code named there, except MemoryPages' maximum and CallDepth, which bind at run time.
type Limits struct {
	ModuleBytes       int // 8 MiB; E_LIMIT_MODULE_BYTES
	Types             int // 2,000 function types; E_LIMIT_TYPES
	TypeValues        int // 128 parameters and results of one type; E_LIMIT_TYPE_VALUES
	Imports           int // 128; E_LIMIT_IMPORTS
	Functions         int // 20,000 defined; E_LIMIT_FUNCTIONS
	FunctionBodyBytes int // 512 KiB; E_LIMIT_FUNCTION_BODY_BYTES
	LocalsPerFunction int // 2,000, parameters included; E_LIMIT_LOCALS
	BlockDepth        int // 8,000 nested blocks (standard Go nests one for each resume point); E_LIMIT_BLOCK_DEPTH
	Branches          int // 10,000 blocks, branches and labels of branch tables in one function; E_LIMIT_BRANCHES
	CompileWork       int // 500 million, the sum of the squares of all functions' branches, which compiling takes time for; E_LIMIT_COMPILE_WORK
	Globals           int // 2,000; E_LIMIT_GLOBALS
	Exports           int // 1,000; E_LIMIT_EXPORTS
	Tables            int // 4; E_LIMIT_TABLES
	TableElements     int // 20,000 in all tables; E_LIMIT_TABLE_ELEMENTS
	ElementSegments   int // 1,000; E_LIMIT_ELEMENT_SEGMENTS
	DataSegments      int // 100,000 (standard Go writes one for each run of non-zero bytes); E_LIMIT_DATA_SEGMENTS
	Customs           int // 64 custom sections; E_LIMIT_CUSTOMS
	NameBytes         int // 1,000 in one import or export name; E_LIMIT_NAME_BYTES
	MemoryPages       int // 1,024 of 64 KiB; E_LIMIT_MEMORY_PAGES if the minimum is over, else the maximum is lowered to it
	CallDepth         int // 10,000 frames of small functions, fewer of large ones; at most 1<<24
}

// specMemoryPages is the largest memory that a 32-bit address reaches.
const specMemoryPages = 65536

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.ModuleBytes, 8<<20)
	def(&l.Types, 2000)
	def(&l.TypeValues, 128)
	def(&l.Imports, 128)
	def(&l.Functions, 20_000)
	def(&l.FunctionBodyBytes, 512<<10)
	def(&l.LocalsPerFunction, 2000)
	def(&l.BlockDepth, 8000)
	def(&l.Branches, 10_000)
	def(&l.CompileWork, 500_000_000)
	def(&l.Globals, 2000)
	def(&l.Exports, 1000)
	def(&l.Tables, 4)
	def(&l.TableElements, 20_000)
	def(&l.ElementSegments, 1000)
	def(&l.DataSegments, 100_000)
	def(&l.Customs, 64)
	def(&l.NameBytes, 1000)
	def(&l.MemoryPages, 1024)
	def(&l.CallDepth, 10_000)
	l.MemoryPages = min(l.MemoryPages, specMemoryPages)
	l.CallDepth = min(l.CallDepth, 1<<24)
	return l
}
