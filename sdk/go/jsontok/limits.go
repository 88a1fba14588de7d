package jsontok

const (
	MaxDepth     = 64  // containers inside each other
	MaxNameBytes = 128 // a dotted name of Flat; longer ones are cut, as abi.MaxNameBytes has it
)
