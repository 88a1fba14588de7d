package tenant

import "time"

// Limits of the token cache.
const (
	MaxCachedTokens  = 4_096       // tokens known to be good; one is dropped when a new one needs room
	MaxCachedRefused = 4_096       // tokens known to be bad; all are dropped when there is no more room
	MaxTokenBytes    = 256         // longer ones are refused unseen
	TokenFreshness   = time.Second // how long an answer is used: what a revocation takes to be effective
)
