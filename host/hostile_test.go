package host

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/storage"
)

// neighbour sends records of an organization until stopped, and counts those that come out of the pipeline.
type neighbour struct {
	sent, seen atomic.Int64
	longest    time.Duration // between sending a record and seeing it
	stop       func() error
}

func newNeighbour(t *testing.T, h *Host, tenant storage.Tenant) *neighbour {
	t.Helper()
	n := &neighbour{}
	tail := h.pipeline.Tails.Follow(storage.Principal{User: "t", Role: storage.RoleAnalyst, Tenants: []storage.Tenant{tenant}})
	ctx, cancel := context.WithCancel(t.Context())
	ended, failed := make(chan struct{}), make(chan error, 1)
	go func() { // one record after the other: each has come out before the next is sent
		defer close(ended)
		for ctx.Err() == nil {
			began := time.Now()
			raw := fmt.Appendf(nil, "neighbour %d", n.sent.Load())
			if err := h.queue.Put(t.Context(), tenant, queue.Source{Listener: "test"}, []queue.Raw{{Bytes: raw, Received: began.UnixNano()}}); err != nil {
				failed <- err
				return
			}
			n.sent.Add(1)
			if batch := <-tail.C; len(batch) != 1 || batch[0].Raw != string(raw) {
				failed <- fmt.Errorf("%q came out as %d events", raw, len(batch))
				return
			}
			n.seen.Add(1)
			n.longest = max(n.longest, time.Since(began))
		}
	}()
	n.stop = func() error {
		cancel()
		<-ended
		tail.Close()
		select {
		case err := <-failed:
			return err
		default:
			return nil
		}
	}
	return n
}

// Each hostile parser is stopped by its own limit, says so, and is off again; another organization's records come out
// one after the other meanwhile.
func TestLoadHostile(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	d := apiDemo{h}
	all, err := d.Hostile()
	if err != nil || len(all) < 4 {
		t.Fatalf("%d hostile parsers, %v", len(all), err)
	}
	n := newNeighbour(t, h, 2)
	last := uint64(0)
	for _, x := range all {
		before := n.seen.Load()
		end, err := d.LoadHostile(t.Context(), 1, x.Name, "ann")
		if err != nil || end.Code == "" || end.Took <= 0 || end.Quarantined <= last {
			t.Fatalf("%s ended with %+v, %v", x.Name, end, err)
		}
		if n.seen.Load() == before {
			t.Errorf("%s: nothing came out for the other organization meanwhile", x.Name)
		}
		last = end.Quarantined
		slot := h.pipeline.Generation().Running.Layer(1).Slots["hostile/"+x.Name]
		if !slot.Off || slot.Why != "" {
			t.Errorf("%s is left behind as %+v", x.Name, slot)
		}
		t.Logf("%s: stopped in %v: %s, %d fuel", x.Name, end.Took, end.Code, end.Fuel)
	}
	if err := n.stop(); err != nil || n.sent.Load() != n.seen.Load() {
		t.Errorf("the other organization sent %d records and saw %d: %v", n.sent.Load(), n.seen.Load(), err)
	}
	t.Logf("the other organization: %d records, the slowest took %v", n.seen.Load(), n.longest)
	if _, err := d.LoadHostile(t.Context(), 1, "endless-loop", "ann"); err != nil { // once more
		t.Error(err)
	}
	if _, err := d.LoadHostile(t.Context(), 1, "unknown", "ann"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("an unknown one: %v", err)
	}
}
