package pipeline

import (
	"sync"
	"sync/atomic"

	"github.com/vedette-siem/vedette/storage"
)

// Tails hands events to whoever follows the stream, before they can be searched. A reader that is too slow loses
// batches and is told how many events they held; it never holds the pipeline up. Readers filter for themselves.
type Tails struct {
	mu    sync.RWMutex
	tails map[*Tail]struct{}
	count atomic.Int32
}

// Tail is one reader of the stream.
type Tail struct {
	C       <-chan []storage.Event // what the principal may see, in the order of the log; the reader owns each batch
	c       chan []storage.Event
	who     storage.Principal
	dropped atomic.Uint64
	tails   *Tails
}

// Limits of following.
const (
	MaxTails    = 64  // readers at once
	tailBatches = 256 // batches that wait for a reader, each of one frame
)

func newTails() *Tails { return &Tails{tails: map[*Tail]struct{}{}} }

// Follow starts a reader of what p may see. It returns nil when MaxTails are open.
func (t *Tails) Follow(p storage.Principal) *Tail {
	c := make(chan []storage.Event, tailBatches)
	r := &Tail{C: c, c: c, who: p, tails: t}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.tails) >= MaxTails {
		return nil
	}
	t.tails[r] = struct{}{}
	t.count.Store(int32(len(t.tails)))
	return r
}

// Close ends the reader.
func (r *Tail) Close() {
	r.tails.mu.Lock()
	defer r.tails.mu.Unlock()
	delete(r.tails.tails, r)
	r.tails.count.Store(int32(len(r.tails.tails)))
}

// Dropped returns how many events were lost since it was last asked.
func (r *Tail) Dropped() uint64 { return r.dropped.Swap(0) }

// publish is called by the sequencer with the events of one frame.
func (t *Tails) publish(events []storage.Event) {
	if t.count.Load() == 0 {
		return
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for r := range t.tails {
		var batch []storage.Event
		for i := range events {
			if r.who.Sees(events[i].Tenant) {
				batch = append(batch, events[i])
			}
		}
		own(batch)
		if len(batch) == 0 {
			continue
		}
		select {
		case r.c <- batch:
		default:
			r.dropped.Add(uint64(len(batch)))
		}
	}
}

// own gives events fields of their own: those of the pipeline are written again.
func own(events []storage.Event) {
	n := 0
	for i := range events {
		n += len(events[i].Fields)
	}
	fields := make([]storage.Field, 0, n)
	for i := range events {
		from := len(fields)
		fields = append(fields, events[i].Fields...)
		events[i].Fields = fields[from:len(fields):len(fields)]
	}
}
