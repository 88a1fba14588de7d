package rule

import "time"

// Limits of one rule document. Going over one is a load error that names it.
const (
	MaxDocumentBytes   = 128 << 10            // source text
	MaxSigmaBytes      = 1 << 20              // source text of a Sigma file: lists of hashes are long
	MaxSigmaValues     = 100_000              // of all tests of a condition, each as often as it is named
	MaxNestingDepth    = 32                   // YAML nesting, and nesting of selections and expressions
	MaxSubs            = 64                   // sub-patterns; a mark of an event holds one bit for each
	MaxKeyFields       = 8                    // fields of one by list
	MaxTestsPerRule    = 100                  // inline tests
	MaxEventsPerTest   = 2000                 // events of one inline test
	MaxValuesPerTest   = 10_000               // values listed under one field
	MaxPatternBytes    = 4 << 10              // one value of a selection
	MaxTitleBytes      = 1 << 10              // title template
	MaxAdvice          = 32                   // entries of next_steps, false_positives or references
	MaxAdviceBytes     = 1 << 10              // one of them, and the title of a sub-pattern
	MaxExactThreshold  = 1024                 // eager count() and distinct() of sliding windows go up to here
	MaxKeys            = 100_000              // group keys of one rule and organization
	MaxLeast           = 1000                 // samples that a baseline waits for
	MaxJoins           = 64                   // lines of join
	MaxWatchLists      = 8                    // lists that a firing writes to
	MaxListsPerTest    = 32                   // lists named under one field
	MaxDuration        = 31 * 24 * time.Hour  // windows and edges
	MaxLateness        = 48 * time.Hour       // how far events may come out of order
	MaxQuietPeriod     = 720 * time.Hour      // clear.after and suppress
	MaxMemory          = 366 * 24 * time.Hour // first_seen and what is written to a watch list
	MaxTestSpan        = 100 * 24 * time.Hour // from the first to the last event of an inline test
	DefaultLateness    = 30 * time.Second
	DefaultLeast       = 3 // samples that a baseline waits for
	maxThreshold       = 1 << 40
	maxExpressionBytes = 4 << 10
	maxCorrelations    = 8   // Sigma correlations upon one another, as many as rules on rules
	maxChoice          = 16  // rules of a temporal correlation of which some are enough
	maxCombinations    = 64  // of the rules of a temporal correlation of which some are enough
	maxIndicators      = 256 // words that begin with &, *, ! or ?
)
