package fortisiem

// Limits of one file. Going over one is an error that names it.
const (
	MaxFileBytes  = 8 << 20
	maxDepth      = 32      // nesting of elements, and of parentheses
	maxElements   = 200_000 // of a file
	maxConstraint = 1 << 20
	maxTerms      = 20_000 // tests of one constraint
	maxName       = 32     // bytes of a sub-pattern's name
	maxProblems   = 1_000  // of one rule
)
