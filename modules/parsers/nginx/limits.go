package main

const (
	MaxAddresses = 32      // addresses of one request; more are left out
	MaxPathBytes = 8 << 10 // a path without its percent signs; a longer one is kept as written
	MaxHeadBytes = 4 << 10 // what may stand before the time of an access log
)
