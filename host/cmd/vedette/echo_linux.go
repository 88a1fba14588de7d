package main

import "golang.org/x/sys/unix"

// withoutEcho runs f while a terminal does not show what is typed. It reports false, and does not run f, when fd is no
// terminal.
func withoutEcho(fd int, f func()) bool {
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return false
	}
	silent := *before
	silent.Lflag &^= unix.ECHO
	if unix.IoctlSetTermios(fd, unix.TCSETS, &silent) != nil {
		return false
	}
	defer unix.IoctlSetTermios(fd, unix.TCSETS, before) //nolint:errcheck // the terminal is gone
	f()
	return true
}
