package main

// Limits of what becomes of one record.
const (
	MinPairs       = 2    // fewer are no key=value record
	MaxPairs       = 200  // what is beyond is left out; the raw record keeps it
	MaxKeyBytes    = 64   // longer keys are cut
	MaxValueBytes  = 4096 // longer values with escapes keep their backslashes
	MinPairPercent = 50   // part of the text that pairs must fill
)
