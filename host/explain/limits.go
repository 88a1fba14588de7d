package explain

// Limits of what is shown.
const (
	MaxTests      = 100 // of one sub-pattern
	MaxWanted     = 8   // values of one test; how many more there are is said
	MaxShownBytes = 256 // of a value
	MaxLineBytes  = 2 << 10
)
