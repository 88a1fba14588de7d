// Package bench measures what everything costs, beside something that bounds it, on the machine that runs it.
package bench

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"testing"
)

// Variables of the environment that steer the package.
const (
	enableEnv = "VEDETTE_BENCH"        // measure at all
	strictEnv = "VEDETTE_BENCH_STRICT" // a missed goal fails the test
	loadEnv   = "VEDETTE_BENCH_LOAD"   // set for the child process that sends; it reads a loadSpec as JSON
	hostEnv   = "VEDETTE_BENCH_HOST"   // set for the child process that is a host; it reads a hostSpec as JSON
)

// TestMain is also the load generator, and a host whose memory is its own: the test binary starts itself again.
func TestMain(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // as `vedette serve` does
	}
	for env, run := range map[string]func(io.Reader, io.Writer) error{loadEnv: sendLoad, hostEnv: beHost} {
		if os.Getenv(env) == "" {
			continue
		}
		if err := run(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
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
