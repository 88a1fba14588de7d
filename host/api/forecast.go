package api

import (
	"sync"
	"time"
)

// forecast says how long the disk lasts, from the size of the log store once a minute over an hour.
type forecast struct {
	size func() uint64
	free func() uint64 // 0 when the system does not tell
	most uint64        // retention by bytes; 0 for none

	mu   sync.Mutex
	ring []sizeAt // oldest first
}

type sizeAt struct {
	at    time.Time
	bytes uint64
}

const (
	sizeEvery  = time.Minute
	sizeWindow = time.Hour
	sizeKnown  = 5 * time.Minute // less says nothing: the store merges what it has written
)

func (f *forecast) add(now time.Time) {
	size := f.size()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ring) > int(sizeWindow/sizeEvery) {
		f.ring = append(f.ring[:0], f.ring[1:]...)
	}
	f.ring = append(f.ring, sizeAt{now, size})
}

// What ends the days left.
const (
	untilFull      = "the disk is full"
	untilRetention = "retention.bytes is reached"
)

// state returns bytes free on the disk, growth per day, and how many days are left until what; zeros for what is not
// known.
func (f *forecast) state() (free uint64, perDay, days float64, until string) {
	free = f.free()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ring) < 2 {
		return free, 0, 0, ""
	}
	first, last := f.ring[0], f.ring[len(f.ring)-1]
	took := last.at.Sub(first.at)
	if took < sizeKnown || last.bytes <= first.bytes {
		return free, 0, 0, ""
	}
	perDay = float64(last.bytes-first.bytes) / took.Hours() * 24
	if free > 0 {
		days, until = float64(free)/perDay, untilFull
	}
	if f.most > 0 {
		if left := float64(f.most-min(f.most, last.bytes)) / perDay; until == "" || left < days {
			days, until = left, untilRetention
		}
	}
	return free, perDay, days, until
}
