//go:build !linux

package pipeline

import "time"

var origin = time.Now()

// threadTime is wall-clock time where the system does not tell a thread's CPU time.
func threadTime() int64 { return int64(time.Since(origin)) }

// processTime is 0 where the system does not tell it.
func processTime() int64 { return 0 }
