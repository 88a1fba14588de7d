package bench

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	hostruntime "github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Size of a throughput run.
const (
	throughputRuns  = 3
	throughputWarm  = 100_000 // lines that are not measured: what grows to its size costs once, not per event
	throughputLines = 200_000
	throughputBatch = 500 // lines of a request
)

// TestBenchThroughput: CPU per event of everything, from HTTP ingest to rows on disk, beside the store alone with the
// same rows, tenants, frames and pace. Runs alternate, so that both see the same machine.
func TestBenchThroughput(t *testing.T) {
	b := newTable(t, "END TO END")
	var whole, alone, ratio, rate []float64
	for range throughputRuns {
		dir := t.TempDir()
		r := throughput(t, dir, "")
		rows := rowsOf(t, dir)
		warm := slices.IndexFunc(rows, func(f frame) bool { return f.seq > r.warm })
		stored := storeAlone(t, rows, warm)
		n := count(rows[warm:])
		if n < r.events {
			t.Fatalf("%d lines were accepted, %d events came of them", r.events, n)
		}
		whole = append(whole, float64(r.used.Microseconds())/float64(n))
		alone = append(alone, float64(stored.Microseconds())/float64(n))
		ratio = append(ratio, alone[len(alone)-1]/whole[len(whole)-1])
		rate = append(rate, float64(n)/r.took.Seconds())
	}
	b.figure("CPU per event, end to end", "%.1f µs", median(whole))
	b.figure("CPU per row, store alone", "%.1f µs", median(alone))
	b.figure("events/s per core, end to end", "%.0f", 1e6/median(whole))
	b.figure("rows/s per core, store alone", "%.0f", 1e6/median(alone))
	b.figure("events/s while the sender shares the cores", "%.0f", median(rate))
	b.goal("end to end / store alone", ">= 0.7", median(ratio) >= 0.7, "%.2f  (of each run: %.2f)", median(ratio), ratio)
}

// loaded is a throughput run.
type loaded struct {
	warm       uint64 // the last position that is not measured
	events     int
	took, used time.Duration // used is CPU time
}

// throughput sends the lines as fast as they are taken and returns what they cost until their rows were on disk.
func throughput(t *testing.T, dir, profile string) (r loaded) {
	t.Helper()
	h := startHost(t, dir)
	runLoad(t, loadSpec{URL: h.url, Senders: h.senders(0, throughputWarm, throughputBatch)})
	h.drain()
	r.warm = h.get().Positions.Last
	runtime.GC()
	stopProfile := startProfile(t, profile)
	before, start := cpu(), time.Now()
	r.events = runLoad(t, loadSpec{URL: h.url, Senders: h.senders(0, throughputLines, throughputBatch)}).Sent
	h.drain()
	r.took = time.Since(start)
	h.close() // writes what the store still has in memory
	r.used = cpu() - before
	stopProfile()
	return r
}

// recorder is a Store that keeps what it is given.
type recorder struct{ frames []frame }

type frame struct {
	seq    uint64
	events []storage.Event
}

func (r *recorder) Append(_ context.Context, seq uint64, events []storage.Event) error {
	if len(events) > 0 {
		kept := slices.Clone(events)
		for i := range kept {
			kept[i].Fields = slices.Clone(kept[i].Fields)
		}
		r.frames = append(r.frames, frame{seq, kept})
	}
	return nil
}

// Durable says that nothing is: the log is to be processed from its beginning.
func (r *recorder) Durable() uint64 { return 0 }

// Stored says that no row is there.
func (r *recorder) Stored(context.Context, uint64, uint64, time.Time, time.Time) (map[storage.EventID]struct{}, error) {
	return nil, nil
}

// rowsOf runs the log in dir through the pipeline once more, from its beginning, and returns what the store was given.
func rowsOf(t *testing.T, dir string) []frame {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	q, err := queue.Open(ctx, queue.Config{Dir: dir})
	must(err)
	defer q.Close()
	db, err := meta.Open(ctx, meta.Config{Path: filepath.Join(dir, "vedette.db")}) // it has the organizations and these positions
	must(err)
	defer db.Close()
	packages, err := layout.Open(filepath.Join(dir, "modules"))
	must(err)
	code, err := hostruntime.New(ctx, hostruntime.Config{CacheDir: filepath.Join(dir, "cache")})
	must(err)
	defer code.Close(ctx)
	var rows recorder
	library := module.NewLibrary(module.Namespaces{Layout: packages}, code, func(storage.Tenant, string) []hostruntime.Target { return nil })
	p, err := pipeline.New(ctx, pipeline.Config{Dir: t.TempDir(), KeepAll: true, Queue: q, Store: &rows, DB: db, Library: library})
	must(err)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	must(p.Wait(ctx, q.Last()))
	stop()
	must(<-ended)
	return rows.frames
}

func count(frames []frame) (n int) {
	for _, f := range frames {
		n += len(f.events)
	}
	return n
}

// storeAlone appends the frames at the pace at which they were received, since rows that arrive together cost less, and
// returns the CPU time from the frame at index warm on until all rows are on disk.
func storeAlone(t *testing.T, frames []frame, warm int) time.Duration {
	t.Helper()
	s, err := logs.Open(t.Context(), logs.Config{Dir: t.TempDir(), MemoryBytes: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	var before time.Duration
	start, first := time.Now(), frames[0].events[0].Received
	for i, f := range frames {
		select {
		case <-time.After(time.Duration(f.events[0].Received-first) - time.Since(start)):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
		if i == warm {
			runtime.GC()
			before = cpu()
		}
		if err := s.Append(t.Context(), f.seq, f.events); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	return cpu() - before
}
