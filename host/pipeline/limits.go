package pipeline

import "time"

// Limits of what the pipeline takes from modules and people.
const (
	MaxCases = 10_000 // records in the test cases of one package: they run while somebody waits

	MaxTrialBytes = 32 << 20 // texts of all events of one Trial: an answer may name the same bytes again and again

	// MaxFrameFuel bounds what the parsers, and again the rules, of one organization take of one frame: it is how long, about
	// half a second, everyone behind it in the log can wait for them. What is beyond stays unparsed, or no finding, with the reason.
	MaxFrameFuel = 2_000_000_000

	// MaxLookBackEvents bounds what a rule that begins anew is shown, since the log waits for it: a second or two.
	MaxLookBackEvents = 100_000

	// MaxDuePerPosition bounds how many timers of one module and organization are answered at one position of the log.
	MaxDuePerPosition = 4096

	// MaxProbation bounds how long what a version before has kept is set aside: both count towards the quotas.
	MaxProbation = 7 * 24 * time.Hour

	HistoryMinutes = 120   // of log time, of each module version that did something in them
	MaxHistories   = 1_000 // module versions that have a history, each of at most 8 KiB; further ones have none

	// MaxCheckpointBytes bounds what is read back; keyed state has its own, lower limits.
	MaxCheckpointBytes = 4 << 30
)
