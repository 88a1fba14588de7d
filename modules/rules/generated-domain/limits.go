package main

import "time"

const (
	MaxHostBytes = 253
	LeastLabel   = 8  // bytes: shorter names tell too little
	MostLabel    = 63 // of a label, by RFC 1035
	Random       = 24 // quarters of a bit: what has more looks made up
	CountTime    = 10 * time.Minute
	CountStep    = time.Minute
	LeastFailed  = 50 // per cent of the host's questions
)
