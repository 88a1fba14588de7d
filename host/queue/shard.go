package queue

import (
	"strconv"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// shard fills one frame while the one before it is published: JetStream has no group commit, so one large message in
// flight is faster than many small ones.
type shard struct {
	q       *Queue
	id      uint16
	subject string
	begun   chan struct{} // the filling frame got its first record; one token
	full    chan struct{} // the filling frame has no room left; one token
	sooner  chan struct{} // the filling frame is due before it was; one token

	mu     sync.Mutex
	fill   *frame
	spare  *frame
	turns  turns
	room   chan struct{} // closed and replaced when there may be room again
	closed bool          // the last frame was taken
}

// frame is what fills and then flies.
type frame struct {
	build    frameBuilder
	due      time.Time // when it is published at the latest
	awaited  bool      // by a Put
	reserved int64     // bytes of space that its records hold
	offered  int       // records that nobody waits for
	fate     *fate
}

// fate is how a frame ended; err is set before done is closed.
type fate struct {
	done chan struct{}
	err  error
}

func newShard(q *Queue, id int) *shard {
	return &shard{
		q: q, id: uint16(id), subject: subjectFrames + strconv.Itoa(id),
		begun: make(chan struct{}, 1), full: make(chan struct{}, 1), sooner: make(chan struct{}, 1), room: make(chan struct{}),
		fill: newFrame(), spare: newFrame(),
	}
}

func newFrame() *frame { return &frame{fate: &fate{done: make(chan struct{})}} }

// add puts records into the filling frame: all of them, or as many as fit when they would not fit into an empty frame
// either or nobody waits for them (offer). It returns how many, the bytes they take, how the frame will end, and, when
// it took none, what is closed once there is room; that is nil when there will be none. Whoever was told to wait has a
// turn then: it tries again with waited set, or leaves.
func (s *shard) add(t storage.Tenant, src Source, recs []Raw, size int, offer, waited bool) (n, bytes int, end *fate, room <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, 0, nil, nil
	}
	f := s.fill
	held, most := f.build.size, MaxFrameBytes-s.turns.kept(t)
	part := offer || size+frameHeadBytes > MaxFrameBytes
	if part || held+size <= most {
		n = f.build.add(t, src, recs, most)
	}
	if n < len(recs) {
		token(s.full)
	}
	if n == 0 {
		if part { // an equal part is enough to go on with
			size = min(size, MaxFrameBytes/(len(s.turns)+2))
		}
		if !waited {
			s.turns.wait(t, min(size+frameHeadBytes, MaxFrameBytes))
		}
		return 0, 0, nil, s.room
	}
	if waited {
		s.turns.leave(t)
	}
	if held == 0 {
		f.due = time.Now().Add(s.q.cfg.Linger)
		token(s.begun)
	}
	if !offer && !f.awaited {
		f.awaited = true
		if due := time.Now().Add(s.q.cfg.PutLinger); due.Before(f.due) {
			f.due = due
			token(s.sooner)
		}
	}
	bytes = f.build.size - held
	f.reserved += int64(bytes)
	if offer {
		f.offered += n
	}
	return n, bytes, f.fate, nil
}

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// waitRoom returns what is closed when there may be room again.
func (s *shard) waitRoom() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.room
}

// leave gives up a turn. Others may have room now.
func (s *shard) leave(t storage.Tenant) {
	s.mu.Lock()
	s.turns.leave(t)
	s.mu.Unlock()
	s.wake()
}

// wake lets everyone who waits for room look again.
func (s *shard) wake() {
	s.mu.Lock()
	close(s.room)
	s.room = make(chan struct{})
	s.mu.Unlock()
}

// run publishes frame after frame until the queue stops, and then the last one.
func (s *shard) run() {
	linger := time.NewTimer(time.Hour)
	defer linger.Stop()
	var msg []byte
	for last := false; !last; {
		select {
		case <-s.begun:
			s.awaitDue(linger)
		case <-s.q.stop:
			last = true
		}
		if f := s.take(last); f.build.records > 0 {
			end := s.q.cfg.Meter()
			msg = f.build.appendTo(msg[:0], s.id, 0)
			seq, err := s.q.publish(s.subject, msg)
			s.finish(f, seq, err)
			end()
		}
	}
}

// awaitDue returns when the filling frame is full or due, or the queue stops.
func (s *shard) awaitDue(linger *time.Timer) {
	for {
		s.mu.Lock()
		linger.Reset(time.Until(s.fill.due))
		s.mu.Unlock()
		select {
		case <-s.sooner:
			continue
		case <-s.full:
		case <-linger.C:
		case <-s.q.stop:
		}
		return
	}
}

// take swaps the frames. After the last one nothing can be added.
func (s *shard) take(last bool) *frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.fill
	if f.build.records > 0 {
		s.fill, s.spare = s.spare, nil
	}
	s.closed = last
	for _, c := range []chan struct{}{s.full, s.sooner} { // meant the frame that was just taken
		select {
		case <-c:
		default:
		}
	}
	close(s.room)
	s.room = make(chan struct{})
	return f
}

// finish tells those who wait how it ended and readies the frame for its next use.
func (s *shard) finish(f *frame, seq uint64, err error) {
	q := s.q
	q.shares.flew(s.id, seq, f.build.segments)
	if err == nil {
		q.count.frames.Add(1)
		q.count.records.Add(uint64(f.build.records))
		q.count.bytes.Add(uint64(f.build.size))
	} else {
		q.count.lost.Add(uint64(f.offered))
	}
	q.space.pending.Add(-f.reserved)
	f.fate.err = err
	close(f.fate.done)
	f.build.reset()
	f.reserved, f.offered, f.awaited, f.fate = 0, 0, false, &fate{done: make(chan struct{})}
	s.mu.Lock()
	s.spare = f
	s.mu.Unlock()
}
