package pipeline

import (
	"sync"

	"github.com/vedette-siem/vedette/host/detect"
)

// ranker has the shared rules compiled again once it is known which of their tests are rare in the events that come. It
// changes how fast they match and nothing else, so it needs no place in the log.
type ranker struct {
	report func(Level, string, ...any)

	mu   sync.Mutex
	set  *detect.Set
	seen detect.Shares
	due  int // events that are seen when it is done next
	busy bool
	wait sync.WaitGroup
}

const (
	rankEvery = 10_000 // events of a worker after which it tells what it saw
	rankFirst = 20_000 // events that are enough for the first time; then four times as many each time
	rankMost  = 50_000_000
)

// add takes what a worker saw of the events that it matched with a set since it told the last time.
func (r *ranker) add(set *detect.Set, seen detect.Shares) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.set != set {
		r.set, r.seen, r.due = set, detect.Shares{}, rankFirst
	}
	r.seen = r.seen.Add(seen)
	if r.busy || r.seen.Events() < r.due {
		return
	}
	known := r.seen
	r.seen, r.due, r.busy = detect.Shares{}, min(4*r.due, rankMost), true
	r.wait.Go(func() {
		if err := set.Rank(known); err != nil { // the same rules were compiled before
			r.report(Warn, "the rules could not be ordered by what was seen; they match as before", "error", err)
		}
		r.mu.Lock()
		r.busy = false
		r.mu.Unlock()
	})
}
