package pipeline

import (
	"sync"
	"sync/atomic"

	"github.com/vedette-siem/vedette/storage"
)

// Tails hands events to whoever follows the stream, before they are stored. A reader that is too slow loses events and
// is told how many; it never holds the pipeline up.
type Tails struct {
	mu    sync.RWMutex
	tails map[*Tail]struct{}
	count atomic.Int32
}

// Tail is one reader of the stream.
type Tail struct {
	C       <-chan storage.Event
	c       chan storage.Event
	who     storage.Principal
	match   func(*storage.Event) bool
	dropped atomic.Uint64
	tails   *Tails
}

// MaxTails is how many readers may follow the stream at once.
const (
	MaxTails   = 64
	tailBuffer = 1024 // events
)

func newTails() *Tails { return &Tails{tails: map[*Tail]struct{}{}} }

// Follow starts a reader of what p may see and match selects. match is called by the sequencer and must be quick. It
// returns nil when MaxTails are open.
func (t *Tails) Follow(p storage.Principal, match func(*storage.Event) bool) *Tail {
	c := make(chan storage.Event, tailBuffer)
	r := &Tail{C: c, c: c, who: p, match: match, tails: t}
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

func (t *Tails) publish(events []storage.Event) {
	if t.count.Load() == 0 {
		return
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for r := range t.tails {
		for i := range events {
			if !r.who.Sees(events[i].Tenant) || !r.match(&events[i]) {
				continue
			}
			e := events[i] // its fields are never written again
			select {
			case r.c <- e:
			default:
				r.dropped.Add(1)
			}
		}
	}
}
