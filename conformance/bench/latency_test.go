package bench

import (
	"fmt"
	"testing"
	"time"
)

// Size of a latency run.
const (
	latencyFor   = 25 * time.Second
	latencyPlant = 50 * time.Millisecond // 500 samples a rate
	latencyWait  = 20 * time.Second
)

// TestBenchLatency: from the moment at which an event was due to be sent to its incident's frame in a websocket.
func TestBenchLatency(t *testing.T) {
	b := newTable(t, "LATENCY, DUE TO WEBSOCKET")
	for _, rate := range []int{1_000, 5_000, 10_000} {
		h := startHost(t, t.TempDir())
		h.plant()
		before := cpu()
		r := runLoad(t, loadSpec{
			URL: h.url, Session: h.session, Senders: h.senders(rate, 0, 0), For: latencyFor, Plant: latencyPlant, Settle: latencyWait,
		})
		h.drain()
		used := cpu() - before
		h.close()
		name := fmt.Sprintf("%d events/s", rate)
		if len(r.Latencies) < r.Planted {
			t.Errorf("%s: %d of %d planted events arrived", name, len(r.Latencies), r.Planted)
		}
		p99 := quantile(r.Latencies, 0.99)
		text := fmt.Sprintf("median %v, p99 %v of %d; refused %d, sender late by %v at most, host CPU %.0f %% of a core", quantile(r.Latencies, 0.5).Round(time.Millisecond/10),
			p99.Round(time.Millisecond/10), len(r.Latencies), r.Refused, r.Late.Round(time.Millisecond), 100*used.Seconds()/latencyFor.Seconds())
		if rate == 5_000 {
			b.goal(name, "p99 < 250 ms", p99 < 250*time.Millisecond && r.Refused == 0, "%s", text)
		} else {
			b.figure(name, "%s", text)
		}
	}
}
