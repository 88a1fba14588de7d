package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// strictEnv makes a limit that is missed fail the test even when others use the machine.
const strictEnv = "VEDETTE_BENCH_STRICT"

// timetable times what somebody does and prints it when the test ends. On a machine that others use the figures are
// printed and not judged: they say something about the others.
type timetable struct {
	t      testing.TB
	judged bool
	lines  []timed
}

type timed struct {
	step        string
	took, limit time.Duration // limit 0: none
}

func newTimetable(t testing.TB) *timetable {
	t.Helper()
	tt := &timetable{t: t, judged: quiet()}
	t.Cleanup(tt.print)
	return tt
}

// step does something that may take so long.
func (tt *timetable) step(name string, limit time.Duration, f func()) {
	tt.t.Helper()
	from := time.Now()
	f()
	tt.note(name, time.Since(from), limit)
}

// note notes how long something took.
func (tt *timetable) note(name string, took, limit time.Duration) {
	tt.t.Helper()
	tt.lines = append(tt.lines, timed{name, took, limit})
	if limit > 0 && took > limit && tt.judged {
		tt.t.Errorf("%s: took %v, at most %v are allowed", name, took.Round(time.Millisecond), limit)
	}
}

func (tt *timetable) print() {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "step\tseconds\tlimit\tok")
	for _, l := range tt.lines {
		limit, ok := "", ""
		if l.limit > 0 {
			limit, ok = fmt.Sprintf("%.1f", l.limit.Seconds()), "yes"
			if l.took > l.limit {
				ok = "NO"
			}
		}
		fmt.Fprintf(w, "%s\t%.2f\t%s\t%s\n", l.step, l.took.Seconds(), limit, ok)
	}
	_ = w.Flush() // into memory
	if !tt.judged {
		fmt.Fprintf(&b, "others use this machine (load %s): limits are not judged without %s=1\n", load(), strictEnv)
	}
	tt.t.Log("\n" + b.String())
}

// load is the machine's, to judge figures by.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}

// quiet reports whether figures are judged: nobody else uses the machine, or it is asked for.
func quiet() bool { return os.Getenv(strictEnv) != "" || idle(300*time.Millisecond) >= 0.5 }

// idle is the share of the processors' time that nobody uses, 1 where the system does not tell.
func idle(within time.Duration) float64 {
	total, free, ok := processors()
	timer := time.NewTimer(within)
	defer timer.Stop()
	<-timer.C
	laterTotal, laterFree, ok2 := processors()
	if !ok || !ok2 || laterTotal == total {
		return 1
	}
	return (laterFree - free) / (laterTotal - total)
}

// processors returns the time that all of them have had, and that of it in which they had nothing to do.
func processors() (total, free float64, ok bool) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, false
	}
	first, _, _ := strings.Cut(string(b), "\n")
	for i, f := range strings.Fields(first)[1:] {
		var n float64
		if _, err := fmt.Sscan(f, &n); err != nil {
			return 0, 0, false
		}
		total += n
		if i == 3 || i == 4 { // idle, waiting for the disk
			free += n
		}
	}
	return total, free, true
}
