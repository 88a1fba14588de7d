package main

const (
	MaxFields       = 400      // values of one document; more are left out
	MaxScratchBytes = 64 << 10 // texts without their escapes; what finds no room is kept as written
)
