package queue

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// TestHammer has writers of every kind, readers and cuts work at once; every record comes once and in its source's order.
func TestHammer(t *testing.T) {
	q := openTest(t, Config{TickEvery: 3 * time.Millisecond, Shards: 3})
	const writers, each = 6, 60
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			from := Source{Listener: "test", Peer: fmt.Sprint(w)}
			for i := range each {
				recs := raws(fmt.Sprintf("%d-%d", w, i))
				var err error
				switch {
				case w == 0:
					_, err = q.PublishControl(t.Context(), recs[0].Bytes)
				case w%2 == 0:
					_, err = q.Offer(t.Context(), storage.Tenant(w), from, recs)
				default:
					err = q.Put(t.Context(), storage.Tenant(w), from, recs)
				}
				if err != nil {
					t.Error(err)
				}
				_ = q.Stats()
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			next := make([]int, writers)
			var f Frame
			left := writers * each
			see := func(w, i int) {
				if next[w] != i {
					t.Errorf("writer %d: %d where %d was next", w, i, next[w])
				}
				next[w], left = i+1, left-1
			}
			for m, err := range q.Read(t.Context(), 1) {
				if err != nil {
					t.Error(err)
					return
				}
				var w, i int
				if m.Kind == KindControl {
					_, _ = fmt.Sscanf(string(m.Data), "%d-%d", &w, &i)
					see(w, i)
				}
				if m.Kind == KindFrame {
					if err := m.Frame(&f); err != nil {
						t.Error(err)
					}
					for _, s := range f.Segments {
						for _, r := range s.Records {
							_, _ = fmt.Sscanf(string(r.Raw), "%d-%d", &w, &i)
							see(w, i)
						}
					}
				}
				if left == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	if err := q.Cut(t.Context(), q.Last()-1); err != nil {
		t.Fatal(err)
	}
}

// TestReadLatency holds a reader at the end of the log to the time it may lag behind the acknowledgement.
func TestReadLatency(t *testing.T) {
	q := openTest(t, Config{TickEvery: time.Hour})
	type arrival struct {
		seq uint64
		at  time.Time
	}
	ctx, cancel := context.WithCancel(t.Context())
	arrivals := make(chan arrival, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range q.Read(ctx, 1) {
			if err != nil {
				return
			}
			arrivals <- arrival{m.Seq, time.Now()}
		}
	}()
	var lags []time.Duration
	for range 200 {
		if _, err := q.PublishControl(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
		acked := time.Now()
		lags = append(lags, (<-arrivals).at.Sub(acked))
	}
	cancel()
	<-done
	var l latency
	for _, d := range lags {
		l.observe(d)
	}
	t.Logf("after the acknowledgement: median %s, p99 %s", l.quantile(0.5), l.quantile(0.99))
	if l.quantile(0.5) > 2*time.Millisecond {
		t.Errorf("median %s, want 2ms or less", l.quantile(0.5))
	}
}

func BenchmarkPut(b *testing.B) {
	for _, writers := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			q := openTest(b, Config{MaxBytes: 64 << 30})
			recs := benchRecords(128)
			b.SetBytes(int64(encodedBytes(src, recs)))
			b.ReportAllocs()
			b.ResetTimer()
			cpu := cpuTime()
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					from := Source{Listener: "bench", Peer: fmt.Sprint(w)}
					for i := w; i < b.N; i += writers {
						if err := q.Put(b.Context(), 1, from, recs); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			events := float64(b.N * len(recs))
			b.ReportMetric(events/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/events, "cpu-ns/event")
			b.ReportMetric(events/float64(q.Stats().Frames), "events/frame")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	q := openTest(b, Config{MaxBytes: 64 << 30, TickEvery: time.Hour})
	recs := benchRecords(128)
	for range 500 {
		if err := q.Put(b.Context(), 1, src, recs); err != nil {
			b.Fatal(err)
		}
	}
	var f Frame
	b.SetBytes(int64(encodedBytes(src, recs)))
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		for m, err := range q.Read(b.Context(), 1) {
			if err != nil {
				b.Fatal(err)
			}
			if err := m.Frame(&f); err != nil {
				b.Fatal(err)
			}
			if done++; done == b.N || m.Seq == q.Last() {
				break
			}
		}
	}
	b.ReportMetric(float64(b.N*len(recs))/b.Elapsed().Seconds(), "events/s")
	runtime.KeepAlive(f)
}
