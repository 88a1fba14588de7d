package api

import "time"

// Limits of requests and answers beside those of the stores.
const (
	MaxRequestBytes     = 1 << 20                // of any request but an installation
	MaxInstallBytes     = 20 << 20               // of InstallModule
	MaxPackageBytes     = 16 << 20               // of the package in it
	MaxRequestedTenants = 10_000                 // organizations named in one request
	MaxSources          = 1_000                  // of GetHealth
	MaxPortionRows      = 500                    // events in one message of Search
	MaxPortionBytes     = 1 << 20                // about, of one message of Search or Tail; one event may be larger
	MaxTailEvents       = 1_000                  // events in one message of Tail; further ones are counted as dropped
	TailEvery           = 100 * time.Millisecond // between two messages of Tail
	SearchBuckets       = 100                    // of a histogram whose request names no step
	DefaultFacetValues  = 10
	DefaultFieldValues  = 100
	MaxUserNameBytes    = 128 // of SignIn; no user has a longer one
)
