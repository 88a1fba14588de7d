package pipeline

// Limits of what the pipeline takes from modules and people.
const (
	MaxCases = 10_000 // records in the test cases of one package: they run while somebody waits

	MaxTrialBytes = 32 << 20 // texts of all events of one Trial: an answer may name the same bytes again and again

	// MaxCheckpointBytes bounds what is read back; keyed state has its own, lower limits.
	MaxCheckpointBytes = 4 << 30
)
