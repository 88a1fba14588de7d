package notify

import "time"

// Limits of sending.
const (
	MaxResponseBytes     = 64 << 10 // read of a response and thrown away; beyond it the connection is closed
	MaxHeaderBytes       = 16 << 10 // of a response
	MaxInFlightPerTenant = 2        // requests at the same time, so that one tenant's dead webhook holds few senders
	FirstBackoff         = 5 * time.Second
	MaxBackoff           = time.Hour // also the most that a Retry-After header is followed
)
