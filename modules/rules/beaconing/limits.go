package main

import "time"

const (
	MaxSourceBytes      = 45
	MaxDestinationBytes = 253
	MaxIntervals        = 48                // of a series, the newest
	MaxEvidence         = 4                 // calls of a series that are shown, the newest
	LookTime            = time.Hour         // between two looks at a series
	QuietTime           = 3 * time.Hour     // after which a series has ended
	LongestSeries       = 24 * time.Hour    // after which it begins anew
	KeepTime            = 2 * LongestSeries // beyond every look
	LeastInterval       = 10 * time.Second  // what calls faster is a conversation
	SameCall            = time.Second       // connections that come as close are one call
)
