package pipeline

// Limits of what the pipeline takes from modules and people.
const (
	MaxCases = 10_000 // records in the test cases of one package: they run while somebody waits

	MaxTrialBytes = 32 << 20 // texts of all events of one Trial: an answer may name the same bytes again and again

	HistoryMinutes = 120   // of log time, of each module version that did something in them
	MaxHistories   = 1_000 // module versions that have a history, each of at most 8 KiB; further ones have none

	// MaxCheckpointBytes bounds what is read back; keyed state has its own, lower limits.
	MaxCheckpointBytes = 4 << 30
)
