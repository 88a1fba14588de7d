package main

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/vedette-siem/vedette/host/trust"
)

// lowest is the priority of whoever takes what nobody else wants.
const lowest = 19

// toBackground lets every other process go first, and has the kernel end this one when it takes too much.
func toBackground() error {
	if err := unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: trust.MaxCheckCPU, Max: trust.MaxCheckCPU}); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: trust.MaxCheckMemory, Max: trust.MaxCheckMemory}); err != nil {
		return err
	}
	threads, err := os.ReadDir("/proc/self/task") // a priority is a thread's, and what it starts inherits it
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err == nil {
			err = unix.Setpriority(unix.PRIO_PROCESS, id, lowest)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}
