package queue

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// childDir names the data directory to the test binary that is run as the process to be killed.
const childDir = "VEDETTE_QUEUE_TEST_DIR"

const killWriters = 4

// putUntilKilled puts numbered requests from several sources and prints each one that was acknowledged.
func putUntilKilled(dir string) {
	q, err := Open(context.Background(), Config{Dir: dir, Linger: time.Millisecond, TickEvery: 10 * time.Millisecond})
	if err != nil {
		fmt.Fprintln(os.Stdout, "open:", err)
		os.Exit(1)
	}
	run := os.Getpid()
	var out sync.Mutex
	var wg sync.WaitGroup
	for w := range killWriters {
		wg.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d-%d", run, w, i)
				recs := raws(id+".0", id+".1", id+".2")
				if err := q.Put(context.Background(), 1, Source{Listener: "test", Peer: fmt.Sprint(w)}, recs); err != nil {
					fmt.Fprintln(os.Stdout, "put:", err)
					os.Exit(1)
				}
				out.Lock()
				fmt.Fprintln(os.Stdout, id)
				out.Unlock()
			}
		})
	}
	wg.Wait()
}

// TestKill kills the process that writes, at random moments, and looks for every acknowledged record, once and in order.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	var acked []string
	for range 3 {
		acked = append(acked, killOne(t, dir)...)
	}
	q := openTest(t, Config{Dir: dir, TickEvery: time.Hour})
	where := map[string]int{}
	for i, r := range records(t, readTo(t, q, 1, q.Last())) {
		id := r[strings.LastIndexByte(r, '/')+1:]
		if _, twice := where[id]; twice {
			t.Errorf("%s stands twice", id)
		}
		where[id] = i
	}
	newest := map[string]int{} // by source and run
	for _, id := range acked {
		series := id[:strings.LastIndexByte(id, '-')]
		for part := range 3 {
			at, ok := where[fmt.Sprintf("%s.%d", id, part)]
			if !ok {
				t.Fatalf("%s.%d was acknowledged and is lost", id, part)
			}
			if last, ok := newest[series]; ok && at < last {
				t.Fatalf("%s.%d stands before an earlier one", id, part)
			}
			newest[series] = at
		}
	}
	t.Logf("3 kills: %d requests acknowledged, %d records found, 0 lost, 0 twice", len(acked), len(where))
}

func killOne(t *testing.T, dir string) (acked []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for quota := 50 + rand.IntN(300); lines.Scan(); quota-- {
		if strings.Contains(lines.Text(), ":") {
			t.Fatal(lines.Text())
		}
		acked = append(acked, lines.Text())
		if quota == 0 {
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // was killed
	return acked
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
