// Package bench measures what everything costs, beside something that bounds it, on the machine that runs it.
package bench

import (
	"fmt"
	"os"
	"runtime/debug"
	"testing"
)

// Variables of the environment that steer the package.
const (
	enableEnv = "VEDETTE_BENCH"        // measure at all
	strictEnv = "VEDETTE_BENCH_STRICT" // a missed goal fails the test
	loadEnv   = "VEDETTE_BENCH_LOAD"   // set for the child process that sends: a loadSpec as JSON
)

// TestMain is also the load generator: the test binary starts itself again, so that the CPU time of the host is the
// host's alone.
func TestMain(m *testing.M) {
	if spec := os.Getenv(loadEnv); spec != "" {
		if err := sendLoad(spec, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // as `vedette serve` does
	}
	os.Exit(m.Run())
}

// measured skips a test that takes minutes unless it was asked for, and says how to ask.
func measured(t *testing.T) {
	t.Helper()
	if os.Getenv(enableEnv) == "" {
		t.Skip("it measures for minutes: run `make bench`, or set " + enableEnv + "=1")
	}
}
