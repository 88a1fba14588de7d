package remote

import "time"

// Limits of what a remote registry may answer and of how long it may take.
const (
	MaxMetadataBytes = 1 << 20 // a list of tags or of referrers, or an error
	MaxTags          = 10_000
	MaxNameBytes     = 255 // of a repository, as OCI wants it
	DefaultTimeout   = 60 * time.Second
	MaxTimeout       = 10 * time.Minute
)
