package index

import "time"

// Limits of a signed index and of the root that says who signs it.
const (
	MaxVersions     = 20_000 // of all modules together
	MaxReasonBytes  = 1 << 10
	MaxNameBytes    = 256 // of a registry
	MaxLifetime     = 400 * 24 * time.Hour
	MaxRootLifetime = 10 * 366 * 24 * time.Hour
	MaxTrustBytes   = 48 << 20 // a trust file

	maxAhead = 5 * time.Minute // by which the signer's clock may be ahead of ours
)
