package logs_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/storagetest"
)

const (
	childDir  = "VEDETTE_LOGS_TEST_DIR"  // set in the child that is killed
	childFrom = "VEDETTE_LOGS_TEST_FROM" // its first frame
	perFrame  = 20
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func frame(seq uint64) (events []storage.Event) {
	for i := range perFrame {
		at := time.Now().Add(-time.Duration(i%3) * 24 * time.Hour) // three days, three tenants
		events = append(events, storagetest.Event(seq, uint32(i), storage.Tenant(1+i%3), at, fmt.Sprint("frame ", seq)))
	}
	return events
}

// child appends frames for ever and prints "appended durable" after each.
func child(dir string) error {
	seq, err := strconv.ParseUint(os.Getenv(childFrom), 10, 64)
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := logs.Open(ctx, logs.Config{Dir: dir, DurableAfter: 4 * time.Second})
	if err != nil {
		return err
	}
	tick := time.NewTicker(5 * time.Millisecond)
	for ; ; seq++ {
		if err := s.Append(ctx, seq, frame(seq)); err != nil {
			return err
		}
		fmt.Fprintln(os.Stdout, seq, s.Durable())
		<-tick.C
	}
}

// After SIGKILL every row up to the last Durable is there, and replaying what is missing makes each exactly one.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	dir, next := t.TempDir(), uint64(1)
	for range 2 {
		appended, durable := runAndKill(t, dir, next)
		s, err := logs.Open(t.Context(), logs.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		from, to := time.Now().Add(-5*24*time.Hour), time.Now().Add(time.Hour)
		ids, err := s.Stored(t.Context(), 1, appended, from, to)
		if err != nil {
			t.Fatal(err)
		}
		lost := 0
		for seq := uint64(1); seq <= appended; seq++ {
			var missing []storage.Event
			for _, e := range frame(seq) {
				if _, ok := ids[e.ID]; !ok {
					missing = append(missing, e)
				}
			}
			if len(missing) > 0 && seq <= durable {
				t.Fatalf("%d rows of frame %d are gone, durable was %d", len(missing), seq, durable)
			}
			lost += len(missing)
			if err := s.Append(t.Context(), seq, missing); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("frames %d to %d, durable %d: replayed %d rows", next, appended, durable, lost)
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		counts, err := s.CountByID(t.Context(), 1, appended, from, to)
		if err != nil || len(counts) != int(appended)*perFrame {
			t.Fatalf("%d rows, want %d: %v", len(counts), appended*perFrame, err)
		}
		for id, n := range counts {
			if n != 1 {
				t.Fatalf("%s is stored %d times", id, n)
			}
		}
		if _, err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		next = appended + 1
	}
}

// runAndKill lets a child append until something of it is durable and a bit more, and kills it.
func runAndKill(t *testing.T, dir string, from uint64) (appended, durable uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childFrom+"="+strconv.FormatUint(from, 10))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines, killed := bufio.NewScanner(out), false
	for lines.Scan() {
		a, d, _ := strings.Cut(lines.Text(), " ")
		appended, _ = strconv.ParseUint(a, 10, 64)
		durable, _ = strconv.ParseUint(d, 10, 64)
		if !killed && durable > from+100 {
			killed = true
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !killed {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return appended, durable
}
