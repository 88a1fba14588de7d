package correlate

import "time"

// Limits bounds the state. Zero fields mean the defaults. What goes over is evicted, counted and reported.
type Limits struct {
	MaxKeysPerRule      int // of one tenant and rule; default 100,000
	MaxBytesPerRule     int // of one tenant and rule; default 64 MiB
	MaxBytesPerTenant   int // default 512 MiB
	MaxBytes            int // of all tenants; default 2 GiB
	MaxSourcesPerTenant int // whose time is followed; further ones do not hold the watermark back; default 10,000
}

// Fixed bounds.
const (
	MaxKeyBytes       = 1 << 10 // a group key; an event with a longer one does not join
	MaxPendingPerKey  = 1024    // marks above the watermark; over it the older half is settled early and counted
	MaxCaptureBytes   = 256     // a field kept for the title of an absence
	MaxSourceBytes    = 256     // of a source's name
	maxTraces         = 16      // hits of one key of which the events behind them are kept
	maxTraced         = 8       // events behind a hit that are kept
	groupShare        = 10      // a group may have the tenth part of a table that is half full
	MaxNesting        = 8       // rules that look at firings of rules that look at firings
	MaxSnapshotString = 1 << 16 // any text in a snapshot
	maxChainEvents    = 128     // events remembered of a counted step in a sequence, when its threshold is lower
	maxDistinctBytes  = 64      // longer values are kept as their SHA-256
	maxOccurrences    = 128     // of an operand of an expression that are remembered of one key; older ones are lost and counted
	maxCombinations   = 1024    // of occurrences that are tried at one event where a join relates them
	maxPlots          = 1024    // groups of a sub-pattern that is grouped by more than the key, of one key; over it a sixteenth, the longest unused, is lost
	maxExactValues    = 1024    // distinct values and values of a percentile that a window keeps; more are estimated. Values first seen
	maxBuckets        = 2048    // of an estimated percentile
	maxPeers          = 1000    // groups of keys that learn together; keys of further ones learn nothing
)

// Bounds of what Learnt returns.
const (
	MaxLearnt    = 1000 // keys
	LearntValues = 20   // of one key
)

// Times of the watermark and of reports, in log time.
const (
	IdleAfter   = 10 * time.Second    // a source silent for longer does not hold the watermark back
	MaxLag      = 5 * time.Minute     // the watermark is never further behind log time
	ReportEvery = 10 * time.Minute    // evictions of one rule are reported at once and then this often
	evictedFor  = time.Hour           // without evictions, after which they are another incident
	LearntFor   = 60 * 24 * time.Hour // a baseline is forgotten when its key had no event for longer
)

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.MaxKeysPerRule, 100_000)
	def(&l.MaxBytesPerRule, 64<<20)
	def(&l.MaxBytesPerTenant, 512<<20)
	def(&l.MaxBytes, 2<<30)
	def(&l.MaxSourcesPerTenant, 10_000)
	return l
}
