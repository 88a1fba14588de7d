package interp

// Limits of a program.
const (
	MaxFields = 8192
	MaxTests  = 1 << 20
	MaxRules  = 1 << 16
	MaxDepth  = 100
	MaxKids   = 1 << 20
)
