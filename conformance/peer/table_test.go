package peer

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"text/tabwriter"
)

// Variables of the environment, as in conformance/bench.
const (
	enableEnv = "VEDETTE_BENCH"        // measure at all
	strictEnv = "VEDETTE_BENCH_STRICT" // a missed goal fails the test
)

// table collects figures and prints them with the machine's load before and after.
type table struct {
	t      *testing.T
	before string
	text   strings.Builder
	rows   *tabwriter.Writer
	missed []string
}

func newTable(t *testing.T, title string) *table {
	t.Helper()
	if os.Getenv(enableEnv) == "" {
		t.Skip("it measures for minutes: run `make bench`, or set " + enableEnv + "=1")
	}
	b := &table{t: t, before: load1()}
	b.rows = tabwriter.NewWriter(&b.text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(b.rows, "%s\tfigure\tgoal\t\n", title)
	t.Cleanup(b.print)
	return b
}

// figure adds a line without a goal.
func (b *table) figure(name, format string, args ...any) {
	fmt.Fprintf(b.rows, "  %s\t%s\t\t\n", name, fmt.Sprintf(format, args...))
}

// goal adds a line that is ok or MISSED.
func (b *table) goal(name, goal string, ok bool, format string, args ...any) {
	verdict := "ok"
	if !ok {
		verdict = "MISSED"
		b.missed = append(b.missed, name)
	}
	fmt.Fprintf(b.rows, "  %s\t%s\t%s\t%s\n", name, fmt.Sprintf(format, args...), goal, verdict)
}

// print is where a missed goal becomes a failure, but only when that was asked for: a noisy machine is no verdict.
func (b *table) print() {
	fmt.Fprintf(b.rows, "  load before, after (%d cores)\t%s, %s\t\t\n", runtime.NumCPU(), b.before, load1())
	b.rows.Flush()
	fmt.Fprintf(os.Stdout, "\n%s\n", b.text.String())
	if len(b.missed) > 0 && os.Getenv(strictEnv) != "" {
		b.t.Errorf("missed: %s", strings.Join(b.missed, ", "))
	}
}

// load1 is the machine's load average over a minute.
func load1() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}
