package main

const (
	MaxPairs        = 128      // event data of one event; more are left out
	MaxScratchBytes = 96 << 10 // texts without their escapes; what finds no room is kept as written
	MaxArgs         = 128      // arguments of a command line; more are left out
	MaxRelated      = 16       // users, addresses and hashes in each related.* list
)
