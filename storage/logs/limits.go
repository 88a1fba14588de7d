package logs

import "time"

// Limits of the log store beside those of package storage.
const (
	MaxSearchRows      = 100_000        // rows that one search returns
	DefaultSearchRows  = 1000           // Query.Limit 0
	MaxResultBytes     = 64 << 20       // bytes of one answer that is held in memory: a table, or one window of a search
	MaxBuckets         = 5000           // time steps of a histogram
	MaxHistogramRows   = 50_000         // time steps times values of its field
	MaxValues          = 10_000         // field names, values, or values per facet
	MaxFilterBatch     = 1024           // events that Filter evaluates together; more are split
	MaxFutureSkewHours = 48             // rows further ahead of the clock are dropped: each day opens a partition for ever
	MaxClockJump       = 24 * time.Hour // between two runs; a larger one is not believed at once
	clockTrustedAfter  = time.Hour      // of uptime, after which a clock that jumped is believed
	maxPendingBytes    = 32 << 20       // rows not handed over yet; beyond, Append hands them over itself
	emitRows           = 1000           // rows per call of emit
	firstWindow        = time.Minute    // a search looks back this far first
	windowGrowth       = 4              // and then this many times further
	forever            = 100 * 365 * 24 * time.Hour
)
