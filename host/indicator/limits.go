package indicator

// Limits of a set and of what it is read from.
const (
	MaxIndicators       = 2_000_000
	MaxSetBytes         = 128 << 20 // as it is kept
	MaxFeedBytes        = 256 << 20 // of one document that a set is read from
	MaxValueBytes       = 2 << 10
	MaxTextBytes        = 512 // of a source or a description; what is longer is cut
	MaxTexts            = 65_536
	MaxMatches          = 16 // of one event: what else it matches is not told
	MaxPatternBytes     = 64 << 10
	MaxPatternDepth     = 32
	MaxProblems         = 100 // named of one document
	maxElements         = 64  // of a list-valued field that are looked at
	minSlots        int = 16
)
