package pipeline_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
)

// BenchmarkNeighbour is how long a record of one organization takes until it is stored and judged, while another one
// sends whatever the queue takes: when nobody else sends, with a bound on what of it may wait, and without one. The queue of
// the last holds 8 MiB; a real one holds 4 GiB.
func BenchmarkNeighbour(b *testing.B) {
	for _, c := range []struct {
		name  string
		share int64
		flood int
	}{{"alone", 1 << 20, 0}, {"share=1MiB", 1 << 20, 8}, {"share=none", -1, 8}} {
		b.Run(c.name, func(b *testing.B) {
			if c.share < 0 && os.Getenv("VEDETTE_SOAK") == "" {
				b.Skip("VEDETTE_SOAK is not set")
			}
			w, dir := newWorld(b), b.TempDir()
			cfg := queueConfig(filepath.Join(dir, "log"))
			cfg.ShareBytes, cfg.OfferWait, cfg.MaxBytes = c.share, 100*time.Millisecond, 8<<20
			m := newMachineOn(b, w, dir, 0, cfg)
			p := start(b, m.config(2, time.Second), nil)
			m.control(b, module.Control{Kind: module.Activate, Name: parserName, Digest: w.v1, Who: "sim"})
			m.put(b, 2, "192.0.2.2", "door=1 badge=ada result=open")
			m.put(b, 1, "192.0.2.1", "door=1 badge=ada result=open")
			if err := p.Wait(b.Context(), m.queue.Last()); err != nil {
				b.Fatal(err)
			}
			ctx, stop := context.WithCancel(context.Background())
			var flood sync.WaitGroup
			for n := range c.flood {
				flood.Go(func() {
					recs := make([]queue.Raw, 200)
					for i := range recs {
						recs[i] = queue.Raw{Bytes: fmt.Appendf(nil, "door=%d badge=%d result=open", n, i), Received: epoch.UnixNano()}
					}
					for ctx.Err() == nil {
						_, _ = m.queue.Offer(ctx, 1, queue.Source{Listener: "flood", Peer: fmt.Sprint(n)}, recs)
					}
				})
			}
			every := time.NewTicker(10 * time.Millisecond)
			defer every.Stop()
			for from := time.Now(); c.flood > 0 && m.queue.Stats().Refused == 0 && time.Since(from) < 20*time.Second; { // until it waits
				<-every.C
			}
			var took []time.Duration
			for b.Loop() {
				from := time.Now()
				m.put(b, 2, "192.0.2.2", "door=1 badge=ada result=open")
				if err := p.Wait(b.Context(), m.queue.Last()); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(from))
			}
			stop()
			flood.Wait()
			if err := p.end(); err != nil {
				b.Fatal(err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
			b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
		})
	}
}
