package list

// Limits of a list.
const (
	MaxEntries     = 100_000
	MaxNoteBytes   = 256
	MaxOriginBytes = 256
)

const (
	roomMade    = MaxEntries / 100 // entries that a full list gives up at once, so that not every new one looks for the oldest
	perShard    = 64               // entries of one shard, in the mean, before there are twice as many shards
	firstLooked = 1024             // entries from which on a list looks for those that have ended
)
