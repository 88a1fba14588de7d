package meta

import (
	"hash/maphash"
	"sync"
	"time"
)

// throttle counts failed logins per name and minute in a fixed table, so that a flood of names neither takes memory
// nor pushes another name's count out. Two names may share a cell; which ones is unknown outside the process.
type throttle struct {
	seed  maphash.Seed
	mu    sync.Mutex
	cells [4096]struct {
		minute int64
		failed int
	}
}

func newThrottle() *throttle { return &throttle{seed: maphash.MakeSeed()} }

// try counts an attempt as failed and reports whether it may go on. It is counted before the password is looked at,
// so that attempts at the same time cannot pass the limit together.
func (t *throttle) try(name string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &t.cells[maphash.String(t.seed, name)%uint64(len(t.cells))]
	if minute := now.Unix() / 60; c.minute != minute {
		c.minute, c.failed = minute, 0
	}
	if c.failed >= MaxLoginsPerMinute {
		return false
	}
	c.failed++
	return true
}

// ok takes back one count of try after the attempt succeeded.
func (t *throttle) ok(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := &t.cells[maphash.String(t.seed, name)%uint64(len(t.cells))]; c.failed > 0 {
		c.failed--
	}
}
