package incident

import "time"

// Limits of the fold. What exceeds one is cut or forgotten as its comment says; nothing here stops the log.
const (
	MaxTrackedPerTenant = 10_000   // incidents still counted; the one fired longest ago is forgotten and reported
	MaxKeyFields        = 32       // fields kept to show the key; all of them tell incidents apart
	MaxKeyValueBytes    = 1_024    // bytes kept of a key value; all of them tell incidents apart
	MaxTitleBytes       = 512      // longer is cut
	MaxTechniques       = 64       // further ones are not added
	MaxLists            = 64       // further ones are not kept
	MaxConditions       = 64       // further ones are not kept
	MaxConditionBytes   = 512      // of each text of a condition; longer is cut
	MaxSubs             = 64       // sub-patterns with evidence; of the ones last by name none is kept
	MaxSubBytes         = 128      // name of a sub-pattern; longer is cut
	MaxNameBytes        = 256      // rule id, name and version; longer is cut
	MaxWhoBytes         = 128      // user name
	MaxCommentBytes     = 8 << 10  // of an action's argument; longer is refused
	MaxSnapshotBytes    = 1 << 30  // read by Restore
	maxStringBytes      = 16 << 10 // any text in a snapshot
)

// DefaultQuiet is how long after its last firing an incident still takes firings when the rule does not say.
const DefaultQuiet = 24 * time.Hour

// Incidents that can take no more firings are forgotten. An event may be a day older than when it was received, so
// that is how long after the quiet period a firing may still come; looking for them once an hour is enough.
const (
	lateness   = int64(25 * time.Hour)
	sweepEvery = int64(time.Hour)
)
