//go:build linux || darwin

package api

import "syscall"

// freeBytes returns what a user may still write where dir lies; 0 when the system does not tell.
func freeBytes(dir string) uint64 {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0
	}
	return uint64(s.Bavail) * uint64(s.Bsize)
}
