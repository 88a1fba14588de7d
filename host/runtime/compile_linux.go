package runtime

import "golang.org/x/sys/unix"

// limitProcess has the kernel end this process when it compiles too long or too much.
func limitProcess() error {
	if err := unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: MaxCompileCPU, Max: MaxCompileCPU}); err != nil {
		return err
	}
	return unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: MaxCompileMemory, Max: MaxCompileMemory})
}
