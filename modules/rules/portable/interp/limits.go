package interp

// Limits of a program.
const (
	MaxFields    = 8192
	MaxTests     = 1 << 20
	MaxRules     = 1 << 16
	MaxTextBytes = 1<<16 - 1 // of one text that an index looks for; longer ones are looked for where a rule asks
)
