//go:build !linux

package main

// withoutEcho cannot keep a terminal from showing what is typed here.
func withoutEcho(int, func()) bool { return false }
