package queue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedette-siem/vedette/storage"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		putUntilKilled(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

var src = Source{Listener: "test", Peer: "192.0.2.1"}

func openTest(t testing.TB, cfg Config) *Queue {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	if cfg.Linger == 0 {
		cfg.Linger = time.Millisecond
	}
	q, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return q
}

func raws(texts ...string) []Raw {
	var r []Raw
	for _, s := range texts {
		r = append(r, Raw{Bytes: []byte(s), Received: 7})
	}
	return r
}

// readTo collects everything up to position last, and checks that positions and log times only go up.
func readTo(t testing.TB, q *Queue, from, last uint64) []Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out []Message
	var logTime int64
	for m, err := range q.Read(ctx, from) {
		if err != nil {
			t.Fatal(err)
		}
		if m.LogTime < logTime {
			t.Fatalf("log time goes back at %d", m.Seq)
		}
		logTime = m.LogTime
		if out = append(out, m); m.Seq >= last {
			return out
		}
	}
	t.Fatal("the reader ended")
	return nil
}

// records returns the texts of all records of all frames.
func records(t testing.TB, ms []Message) []string {
	t.Helper()
	var f Frame
	var out []string
	for _, m := range ms {
		if m.Kind != KindFrame {
			continue
		}
		if err := m.Frame(&f); err != nil {
			t.Fatal(err)
		}
		for _, s := range f.Segments {
			for _, r := range s.Records {
				out = append(out, fmt.Sprintf("%d/%s/%s", s.Tenant, r.Source.Peer, r.Raw))
			}
		}
	}
	return out
}

func TestPutAndRead(t *testing.T) {
	q := openTest(t, Config{TickEvery: time.Hour})
	if q.First() != 0 || q.Last() != 0 {
		t.Fatalf("a new queue starts at %d to %d", q.First(), q.Last())
	}
	if err := q.Put(t.Context(), 2, src, raws("a", "b")); err != nil {
		t.Fatal(err)
	}
	seq, err := q.PublishControl(t.Context(), []byte("change"))
	if err != nil || seq != 2 {
		t.Fatalf("control record at %d, %v", seq, err)
	}
	if n, err := q.Offer(t.Context(), 3, src, raws("c")); n != 1 || err != nil {
		t.Fatalf("offered %d, %v", n, err)
	}
	ms := readTo(t, q, 0, 3)
	if got := strings.Join(records(t, ms), " "); got != "2/192.0.2.1/a 2/192.0.2.1/b 3/192.0.2.1/c" {
		t.Fatal(got)
	}
	if ms[1].Kind != KindControl || string(ms[1].Data) != "change" {
		t.Fatalf("control record is %v", ms[1])
	}
	if got := readTo(t, q, 2, 2); len(got) != 1 || got[0].Seq != 2 {
		t.Fatalf("from 2: %v", got)
	}
	s := q.Stats()
	if s.Records != 3 || s.Frames != 2 || s.First != 1 || s.Last != 3 || s.PublishMedian == 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestRequestsRefused(t *testing.T) {
	q := openTest(t, Config{TickEvery: time.Hour})
	big := make([]Raw, MaxRequestBytes/(MaxRecordBytes+recordHead)+1)
	for i := range big {
		big[i].Bytes = make([]byte, MaxRecordBytes)
	}
	for name, c := range map[string]struct {
		tenant storage.Tenant
		recs   []Raw
		want   error
	}{
		"no tenant":   {0, raws("a"), storage.ErrInvalid},
		"long record": {1, []Raw{{Bytes: make([]byte, MaxRecordBytes+1)}}, storage.ErrExhausted},
		"big request": {1, big, storage.ErrExhausted},
	} {
		if err := q.Put(t.Context(), c.tenant, src, c.recs); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := q.PublishControl(t.Context(), make([]byte, MaxControlBytes+1)); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("control record: %v", err)
	}
	if _, err := q.PublishControl(t.Context(), make([]byte, MaxControlBytes)); err != nil {
		t.Errorf("largest control record: %v", err)
	}
	if err := q.Put(t.Context(), 1, src, nil); err != nil || q.Last() != 1 {
		t.Errorf("an empty request: %v at %d", err, q.Last())
	}
}

func TestConfigRefused(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]Config{
		"no directory": {},
		"shards":       {Dir: dir, Shards: MaxShards + 1},
		"size":         {Dir: dir, MaxBytes: MinQueueBytes - 1},
		"linger":       {Dir: dir, Linger: -1},
		"read-ahead":   {Dir: dir, ReadAheadBytes: MaxReadAheadBytes + 1},
	} {
		if _, err := Open(t.Context(), c); !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStreamLost makes the stream deaf and hearing again: nothing is acknowledged meanwhile, losses are counted, and
// the queue mends itself at a tick.
func TestStreamLost(t *testing.T) {
	q := openTest(t, Config{TickEvery: 50 * time.Millisecond, OfferWait: time.Millisecond})
	if err := q.Put(t.Context(), 1, src, raws("before")); err != nil {
		t.Fatal(err)
	}
	hearing := q.stream.CachedInfo().Config
	deaf := hearing
	deaf.Subjects = []string{"elsewhere"}
	if _, err := q.js.UpdateStream(t.Context(), deaf); err != nil {
		t.Fatal(err)
	}
	if n, err := q.Offer(t.Context(), 1, src, raws("lost")); n == 1 && err == nil {
		until(t, "the loss is counted", func() bool { return q.Stats().LostRecords == 1 })
	}
	if err := q.Put(t.Context(), 1, src, raws("refused")); !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("put: %v", err)
	}
	until(t, "the queue knows", func() bool { return q.Stats().Broken })
	if _, err := q.Offer(t.Context(), 1, src, raws("refused")); !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("offer: %v", err)
	}
	if _, err := q.js.UpdateStream(t.Context(), hearing); err != nil {
		t.Fatal(err)
	}
	until(t, "the queue is mended", func() bool { return !q.Stats().Broken })
	if err := q.Put(t.Context(), 1, src, raws("after")); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(records(t, readTo(t, q, 1, q.Last())), " "); got != "1/192.0.2.1/before 1/192.0.2.1/after" {
		t.Fatal(got)
	}
}

// until polls what has no event of its own.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func TestPutIsNotHeldUpByLinger(t *testing.T) {
	q := openTest(t, Config{Linger: time.Hour, PutLinger: time.Millisecond, TickEvery: time.Hour})
	if n, err := q.Offer(t.Context(), 1, src, raws("a")); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := q.Put(t.Context(), 1, src, raws("b")); err != nil {
		t.Fatal(err)
	}
	if got := records(t, readTo(t, q, 1, 1)); len(got) != 2 {
		t.Fatal(got)
	}
}

func TestLargeRequestKeepsOrder(t *testing.T) {
	q := openTest(t, Config{TickEvery: time.Hour})
	var recs []Raw
	for i := range 20 {
		recs = append(recs, Raw{Bytes: fmt.Appendf(nil, "%05d%s", i, strings.Repeat("x", 200<<10))})
	}
	if err := q.Put(t.Context(), 1, src, recs); err != nil {
		t.Fatal(err)
	}
	got := records(t, readTo(t, q, 0, q.Last()))
	for i, g := range got {
		if !strings.HasPrefix(g, fmt.Sprintf("1/192.0.2.1/%05d", i)) {
			t.Fatalf("record %d is %.30s", i, g)
		}
	}
	if len(got) != 20 || q.Last() != 10 {
		t.Fatalf("%d records in %d frames", len(got), q.Last())
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	q := openTest(t, Config{Dir: dir, Shards: 2, TickEvery: time.Hour})
	if err := q.Put(t.Context(), 1, src, raws("a")); err != nil {
		t.Fatal(err)
	}
	if n, err := q.Offer(t.Context(), 1, src, raws("waits in a frame when Close comes")); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	_, err := Open(t.Context(), Config{Dir: dir})
	if !errors.Is(err, storage.ErrConflict) || !strings.Contains(err.Error(), fmt.Sprintf("data directory %s is used by process %d", dir, os.Getpid())) {
		t.Fatalf("second open: %v", err)
	}
	before := q.Stats().LogTime
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if err := q.Put(t.Context(), 1, src, raws("late")); !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("put after close: %v", err)
	}
	if _, err := q.PublishControl(t.Context(), nil); !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("control record after close: %v", err)
	}
	if _, err := Open(t.Context(), Config{Dir: dir, Shards: 3}); !errors.Is(err, storage.ErrConflict) {
		t.Fatalf("open with other shards: %v", err)
	}
	// A wall clock that was set back an hour does not set log time back.
	q = openTest(t, Config{Dir: dir, TickEvery: time.Hour, Now: func() time.Time { return time.Now().Add(-time.Hour) }})
	if q.Shards() != 2 || q.Last() != 2 {
		t.Fatalf("%d shards, last %d", q.Shards(), q.Last())
	}
	if _, err := q.PublishControl(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	ms := readTo(t, q, 1, 3)
	if len(records(t, ms)) != 2 || ms[2].LogTime < before {
		t.Fatalf("%v", ms)
	}
	if a := q.Stats().ClockAhead; a < 50*time.Minute {
		t.Fatalf("clock ahead by %s", a)
	}
}

func TestRestartAfterLongStopAnchors(t *testing.T) {
	dir := t.TempDir()
	q := openTest(t, Config{Dir: dir, TickEvery: time.Hour})
	if _, err := q.PublishControl(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	old := q.Stats().LogTime
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = openTest(t, Config{Dir: dir, TickEvery: time.Hour, Now: func() time.Time { return time.Now().Add(time.Hour) }})
	m := readTo(t, q, 2, 2)[0]
	from, err := AnchorFrom(m.Data)
	if m.Kind != KindAnchor || err != nil || from != old || m.LogTime < old+int64(time.Hour) {
		t.Fatalf("%+v from %d, %v", m, from, err)
	}
}

func TestCut(t *testing.T) {
	dir := t.TempDir()
	q := openTest(t, Config{Dir: dir, TickEvery: time.Hour})
	for range 10 {
		if _, err := q.PublishControl(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Cut(t.Context(), 11); !errors.Is(err, storage.ErrInvalid) {
		t.Fatalf("cut behind the end: %v", err)
	}
	for _, c := range []struct{ cut, first uint64 }{{4, 5}, {2, 5}, {0, 5}, {10, 10}} {
		if err := q.Cut(t.Context(), c.cut); err != nil || q.First() != c.first {
			t.Fatalf("cut %d: first %d, %v", c.cut, q.First(), err)
		}
	}
	for _, from := range []uint64{1, 9} {
		for _, err := range q.Read(t.Context(), from) {
			if !errors.Is(err, ErrGap) {
				t.Fatalf("read from %d: %v", from, err)
			}
		}
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = openTest(t, Config{Dir: dir, TickEvery: time.Hour})
	if seq, err := q.PublishControl(t.Context(), nil); seq != 11 || err != nil || q.First() != 10 {
		t.Fatalf("after a restart: %d, first %d, %v", seq, q.First(), err)
	}
}

func TestFullQueue(t *testing.T) {
	q := openTest(t, Config{MaxBytes: MinQueueBytes, Shards: 1, OfferWait: time.Millisecond, TickEvery: time.Hour})
	recs := []Raw{{Bytes: make([]byte, 250<<10)}}
	n := 0
	for ; ; n++ {
		if err := q.Put(t.Context(), 1, src, recs); errors.Is(err, storage.ErrUnavailable) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if n < 30 || n > 33 || q.Last() != uint64(n) {
		t.Fatalf("%d records of 250 KiB fit into 8 MiB, last %d", n, q.Last())
	}
	if got, err := q.Offer(t.Context(), 1, src, recs); got != 0 || !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("offer: %d, %v", got, err)
	}
	if s := q.Stats(); s.Refused != 2 || s.PendingBytes != 0 || s.FailedPublish != 0 {
		t.Fatalf("%+v", s)
	}
	if _, err := q.PublishControl(t.Context(), []byte("passes")); err != nil {
		t.Fatal(err)
	}
	// One that waits for room goes on as soon as the queue is cut.
	q.cfg.OfferWait = time.Minute
	done := make(chan error, 1)
	go func() {
		_, err := q.Offer(t.Context(), 1, src, recs)
		done <- err
	}()
	if err := q.Cut(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := q.Put(t.Context(), 1, src, recs); err != nil {
		t.Fatal(err)
	}
	if got := len(records(t, readTo(t, q, 11, q.Last()))); got != n-10+2 {
		t.Fatalf("%d records left", got)
	}
}

func TestDiskFullRefuses(t *testing.T) {
	q := openTest(t, Config{MinFreeBytes: 1 << 62, OfferWait: time.Millisecond})
	if err := q.Put(t.Context(), 1, src, raws("a")); !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), "free on the disk") {
		t.Fatal(err)
	}
}

func TestPutEndsWithContext(t *testing.T) {
	q := openTest(t, Config{Linger: time.Hour, PutLinger: time.Hour, TickEvery: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- q.Put(ctx, 1, src, raws("a")) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil { // publishes what it took
		t.Fatal(err)
	}
	if s := q.Stats(); s.PendingBytes != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestTicksAndAnchorWhileRunning(t *testing.T) {
	var mu sync.Mutex
	var leap time.Duration
	q := openTest(t, Config{TickEvery: 5 * time.Millisecond, Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(leap)
	}})
	var ticks int
	for m, err := range q.Read(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if m.Kind == KindTick {
			if ticks++; ticks == 3 {
				mu.Lock()
				leap = 2 * maxClockLeap
				mu.Unlock()
			}
		}
		if m.Kind == KindAnchor {
			from, err := AnchorFrom(m.Data)
			if d := time.Duration(m.LogTime - from); err != nil || d < maxClockLeap || d > 3*maxClockLeap {
				t.Fatalf("anchor leaps by %s, %v", d, err)
			}
			return
		}
	}
}

func TestClock(t *testing.T) {
	wall, mono := time.Unix(1000, 0), time.Duration(0)
	c := newClock(func() time.Time { return wall }, func() time.Duration { return mono }, 0)
	step := func(w, m time.Duration, want int64) {
		t.Helper()
		wall, mono = wall.Add(w), mono+m
		if _, leapt := c.leap(); leapt {
			t.Fatal("leapt")
		}
		if got := c.now(); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
	sec := int64(time.Second)
	step(0, 0, 1000*sec)
	step(time.Second, time.Second, 1001*sec)
	step(-time.Hour, time.Second, 1002*sec)              // set back: nothing happens
	step(time.Hour+4*time.Minute, time.Second, 1003*sec) // a little ahead: nothing either
	step(0, -time.Second, 1003*sec)                      // never back
	wall = wall.Add(2 * time.Minute)                     // now more than five minutes
	if from, ok := c.leap(); !ok || from != 1003*sec || c.now() != wall.UnixNano() {
		t.Fatalf("leap from %d (%v) to %d", from, ok, c.now())
	}
}
