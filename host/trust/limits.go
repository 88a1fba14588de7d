package trust

import "time"

// Limits of trying what runs, and of what is remembered of it.
const (
	MaxCheckTime    = 10 * time.Minute // of one module, on a machine that has other things to do
	MaxCheckCPU     = 300              // seconds
	MaxCheckMemory  = 2 << 30          // bytes
	lookEvery       = 2 * time.Second  // for something to try
	laterAfter      = 30 * time.Second // since the start, for what was tried before it came
	tryAgain        = time.Hour        // what could not be tried
	killDelay       = 5 * time.Second  // for the pipes of a process that was ended
	maxKnownReports = 10_000           // in memory
	maxKnownFacts   = 10_000           // in memory
)
