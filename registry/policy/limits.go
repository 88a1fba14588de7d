package policy

import "time"

// Limits of a policy document. One over is refused with the limit in the text.
const (
	MaxSourceBytes  = 128 << 10
	MaxBrackets     = 2048 // "[" and "{"; the YAML reader takes a time quadratic in the depth
	MaxDepth        = 32
	MaxNodes        = 20_000
	MaxKeys         = 64
	MaxPublishers   = 256
	MaxScopes       = 256
	MaxGlobs        = 64 // of one scope
	MaxGlobBytes    = 130
	MaxNameBytes    = 64 // of a key or scope
	MaxBuilders     = 32
	MaxBuilderBytes = 1024
	MaxAge          = 10 * 365 * 24 * time.Hour // that max_age and index_grace may say

	maxAhead = 5 * time.Minute // by which a signer's clock may be ahead of ours
)
