package bench

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
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
	measured(t)
	b := &table{t: t, before: load()}
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

// print is where a missed goal becomes a failure, but only when that was asked for: a noisy machine is not a verdict.
func (b *table) print() {
	if b.t.Skipped() {
		return
	}
	fmt.Fprintf(b.rows, "  load before, after (%d cores)\t%s, %s\t\t\n", runtime.NumCPU(), b.before, load())
	b.rows.Flush()
	fmt.Fprintf(os.Stdout, "\n%s\n", b.text.String())
	if len(b.missed) > 0 && os.Getenv(strictEnv) != "" {
		b.t.Errorf("missed: %s", strings.Join(b.missed, ", "))
	}
}

// load is the machine's load average over a minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}

// quantile returns the value below which the share q of the values lies (nearest rank), 0 of none.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(q*float64(len(sorted)) + 0.9999999)
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// median returns the middle of the values.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func TestQuantile(t *testing.T) {
	var v []time.Duration
	for i := 100; i > 0; i-- {
		v = append(v, time.Duration(i))
	}
	for q, want := range map[float64]time.Duration{0.5: 50, 0.99: 99, 1: 100, 0: 1} {
		if got := quantile(v, q); got != want {
			t.Errorf("quantile %v of 1..100 is %d, want %d", q, got, want)
		}
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median is %v, want 2.5", got)
	}
}
