package queue

import (
	"fmt"
	"slices"
	"sync"

	"github.com/vedette-siem/vedette/storage"
)

// turns are the organizations that wait for room in a shard's frame, in the order in which they came. Bytes are kept for
// the first of them, so it gets into the next frame however many records of others come; who was served and still waits
// stands at the end again. So an organization waits for as many frames as there are organizations before it.
type turns []turn

type turn struct {
	tenant  storage.Tenant
	need    int // bytes that it waits for
	waiting int // callers
}

// kept returns how many bytes are kept from a tenant.
func (w turns) kept(t storage.Tenant) int {
	if len(w) == 0 || w[0].tenant == t {
		return 0
	}
	return w[0].need
}

func (w turns) of(t storage.Tenant) int {
	return slices.IndexFunc(w, func(x turn) bool { return x.tenant == t })
}

// wait notes a caller that found no room for so many bytes.
func (w *turns) wait(t storage.Tenant, need int) {
	at := w.of(t)
	if at < 0 {
		at = len(*w)
		*w = append(*w, turn{tenant: t})
	}
	(*w)[at].waiting++
	(*w)[at].need = max((*w)[at].need, need)
}

// leave notes that a caller waits no more: it was served, and others of its organization are not before other
// organizations now, or it has given up.
func (w *turns) leave(t storage.Tenant) {
	at := w.of(t)
	x := (*w)[at]
	*w = slices.Delete(*w, at, at+1)
	if x.waiting--; x.waiting > 0 {
		*w = append(*w, x)
	}
}

// shares bound what of one organization is in the log and not processed yet, as soon as there are several: who sends more
// than is processed waits itself, and what others send finds little before it.
type shares struct {
	most int64 // bytes; negative: no bound

	mu     sync.Mutex
	held   map[storage.Tenant]int64 // bytes taken and not processed; 0 of one that has sent before
	flying [][]flown                // by shard, in log order
}

type flown struct {
	seq    uint64
	tenant storage.Tenant
	bytes  int64
}

// take sets bytes of a tenant's share aside. A single request passes whatever its size.
func (s *shares) take(t storage.Tenant, n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held[t]
	if s.most >= 0 && held > 0 && held+n > s.most && len(s.held) > 1 {
		return fmt.Errorf("%d bytes of organization %s wait to be processed, its share is %d: %w", held, t, s.most, storage.ErrUnavailable)
	}
	s.held[t] = held + n
	return nil
}

// give gives back what was set aside and not used.
func (s *shares) give(t storage.Tenant, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[t] -= n
}

// flew notes a frame's fate: its records wait in the log at seq, or, with 0, are nowhere.
func (s *shares) flew(shard uint16, seq uint64, segments []segmentBuilder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range segments {
		x := &segments[i]
		if seq == 0 {
			s.held[x.tenant] -= int64(x.size)
			continue
		}
		s.flying[shard] = append(s.flying[shard], flown{seq, x.tenant, int64(x.size)})
	}
}

// passed gives back what was processed; it reports whether somebody may go on now.
func (s *shares) passed(seq uint64) (room bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, list := range s.flying {
		n := 0
		for n < len(list) && list[n].seq <= seq {
			t := list[n].tenant
			room = room || s.most >= 0 && s.held[t] > s.most/2
			s.held[t] -= list[n].bytes
			n++
		}
		s.flying[i] = slices.Delete(list, 0, n)
	}
	return room
}

// Passed tells the queue that everything up to seq has been processed, so that more may come of organizations whose share
// was used up. It may be called from any goroutine.
func (q *Queue) Passed(seq uint64) {
	if !q.shares.passed(seq) {
		return
	}
	for _, s := range q.shards {
		s.wake()
	}
}
