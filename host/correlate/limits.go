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
	MaxSnapshotString = 1 << 16 // any text in a snapshot
	maxChainEvents    = 128     // events remembered of a counted step in a sequence, when its threshold is lower
	maxDistinctBytes  = 64      // longer values are kept as their SHA-256
)

// Times of the watermark and of reports, in log time.
const (
	IdleAfter   = 10 * time.Second // a source silent for longer does not hold the watermark back
	MaxLag      = 5 * time.Minute  // the watermark is never further behind log time
	ReportEvery = 10 * time.Minute // evictions of one rule are reported at once and then this often
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
