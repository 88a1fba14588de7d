package main

import "time"

const (
	MaxNameBytes  = 150 // of an account's name and of its domain
	MaxPlaceBytes = 60
	MaxIPBytes    = 45
	earthKm       = 6371.0
	farthestKm    = 20_015.0            // half way round
	longest       = 30 * 24 * time.Hour // that a place is remembered, however slow one may travel
)
