package queue

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// Stats is what the queue measured since Open, and its state now.
type Stats struct {
	First, Last    uint64 // positions
	Messages       uint64 // in the stream, as of the last tick
	Bytes          int64  // in the stream
	PendingBytes   int64  // taken, not yet published
	MaxBytes       int64  // Config.MaxBytes
	DiskFull       bool   // less than Config.MinFreeBytes are free
	Broken         bool   // the last publish failed; records are refused until a tick gets through
	LogTime        int64  // newest log time, ns
	ClockAhead     time.Duration
	Frames         uint64 // published
	Records        uint64 // in those frames
	RecordBytes    uint64 // encoded bytes of those frames
	Refused        uint64 // Put and Offer calls refused because there was no room or no disk
	FailedPublish  uint64 // messages that got no acknowledgement
	LostRecords    uint64 // offered records in frames that got no acknowledgement
	PublishMedian  time.Duration
	PublishP99     time.Duration
	PublishSlowest time.Duration
}

// Stats returns a snapshot; its parts are read one after the other.
func (q *Queue) Stats() Stats {
	q.order.Lock()
	logTime, ahead := q.clock.last, q.clock.ahead()
	q.order.Unlock()
	c := &q.count
	return Stats{
		First: q.First(), Last: q.Last(), Messages: c.messages.Load(),
		Bytes: q.space.stored.Load(), PendingBytes: q.space.pending.Load(), MaxBytes: q.cfg.MaxBytes,
		DiskFull: q.space.diskFull.Load(), Broken: c.broken.Load(), LogTime: logTime, ClockAhead: ahead,
		Frames: c.frames.Load(), Records: c.records.Load(), RecordBytes: c.bytes.Load(),
		Refused: c.refused.Load(), FailedPublish: c.failed.Load(), LostRecords: c.lost.Load(),
		PublishMedian: c.latency.quantile(0.5), PublishP99: c.latency.quantile(0.99), PublishSlowest: time.Duration(c.latency.max.Load()),
	}
}

type counters struct {
	messages, frames, records, bytes, refused, failed, lost atomic.Uint64

	broken  atomic.Bool
	latency latency
}

// space accounts for the stream's bytes. Frames are published only within it, so the server's own limit, which lies
// reserveBytes higher, is left to control records and ticks.
type space struct {
	limit    int64
	stored   atomic.Int64 // in the stream; counted on publish, corrected by sync
	pending  atomic.Int64 // set aside for records that are not published yet
	diskFull atomic.Bool
}

func (s *space) reserve(n int64) bool {
	if s.stored.Load()+s.pending.Add(n) > s.limit {
		s.pending.Add(-n)
		return false
	}
	return true
}

func (s *space) sync(stored int64) { s.stored.Store(stored) }

// broadcast is a number that only grows and that can be waited for.
type broadcast struct {
	mu      sync.Mutex
	n       atomic.Uint64
	changed chan struct{} // closed at the next growth; nil when nobody waits
}

func (b *broadcast) get() uint64 { return b.n.Load() }

func (b *broadcast) set(n uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n <= b.n.Load() {
		return
	}
	b.n.Store(n)
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// reach returns nil when the number is n or more, otherwise what is closed when it grows.
func (b *broadcast) reach(n uint64) <-chan struct{} {
	if b.n.Load() >= n {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n.Load() >= n {
		return nil
	}
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}

// latency counts durations in buckets whose bounds are powers of two of a microsecond, with four steps to each.
type latency struct {
	buckets [128]atomic.Uint64
	max     atomic.Int64
}

func (l *latency) observe(d time.Duration) {
	us := max(uint64(d/time.Microsecond), 4)
	exp := bits.Len64(us) - 1
	b := (exp-2)*4 + int(us>>(exp-2))&3
	l.buckets[min(b, len(l.buckets)-1)].Add(1)
	for {
		m := l.max.Load()
		if int64(d) <= m || l.max.CompareAndSwap(m, int64(d)) {
			return
		}
	}
}

// quantile returns the upper bound of the bucket that holds the quantile f; 0 when nothing was observed.
func (l *latency) quantile(f float64) time.Duration {
	var n uint64
	var counts [len(l.buckets)]uint64
	for i := range l.buckets {
		counts[i] = l.buckets[i].Load()
		n += counts[i]
	}
	if n == 0 {
		return 0
	}
	rank := uint64(f * float64(n-1))
	for i, c := range counts {
		if rank < c {
			return min(time.Duration(5+i%4)<<(i/4)*time.Microsecond, time.Duration(l.max.Load()))
		}
		rank -= c
	}
	return time.Duration(l.max.Load())
}
