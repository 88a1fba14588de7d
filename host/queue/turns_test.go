package queue

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

func still() *shard {
	q := &Queue{cfg: Config{Linger: time.Hour, PutLinger: time.Hour}, shares: shares{held: map[storage.Tenant]int64{}, flying: make([][]flown, 1)}}
	return newShard(q, 0)
}

// fly publishes the filling frame and returns how many records of each organization were in it.
func (s *shard) fly() map[storage.Tenant]int {
	f := s.take(false)
	held := map[storage.Tenant]int{}
	for i := range f.build.segments {
		held[f.build.segments[i].tenant] = int(f.build.segments[i].records)
	}
	s.finish(f, 1, nil)
	return held
}

// caller offers records without end, or puts requests one after the other.
type caller struct {
	tenant storage.Tenant
	src    Source
	recs   []Raw
	offer  bool
	waited bool
	since  int // frames that have flown while it waited
	worst  int
}

func (c *caller) try(s *shard) (n int) {
	n, _, _, _ = s.add(c.tenant, c.src, c.recs, encodedBytes(c.src, c.recs), c.offer, c.waited)
	if c.waited = n == 0; !c.waited {
		c.worst, c.since = max(c.worst, c.since), 0
	}
	return n
}

// Whatever one organization sends, another one gets into a frame within as many frames as there are organizations that
// wait, itself included; what is small, into the next.
func TestWhoWaitsGetsIntoTheNextFrame(t *testing.T) {
	small, large := []Raw{{Bytes: make([]byte, 300)}}, []Raw{{Bytes: make([]byte, 200<<10)}, {Bytes: make([]byte, 200<<10)}}
	bulk := make([]Raw, 64)
	for i := range bulk {
		bulk[i].Bytes = make([]byte, 1<<10)
	}
	for _, c := range []struct {
		name   string
		others []caller
		worst  int
	}{
		{"a small request", []caller{{tenant: 2, recs: small}}, 1},
		{"a datagram", []caller{{tenant: 2, recs: small, offer: true}}, 1},
		{"a request as large as a frame", []caller{{tenant: 2, recs: large}}, 2},
		{"three organizations with large requests", []caller{{tenant: 2, recs: large}, {tenant: 3, recs: large}, {tenant: 4, recs: large}}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, r := still(), rand.New(rand.NewPCG(1, 2))
			var all []*caller
			for n := range 40 { // one organization floods: forty connections, half of them with large requests
				all = append(all, &caller{tenant: 1, src: Source{Peer: fmt.Sprint(n)}, recs: [][]Raw{bulk, large}[n%2], offer: n%2 == 0})
			}
			for i := range c.others {
				all = append(all, &c.others[i])
			}
			for range 200 { // frames
				// The flood always comes first, in any order, and again until nothing fits; then the others, once.
				flood := all[:40]
				r.Shuffle(len(flood), func(i, j int) { flood[i], flood[j] = flood[j], flood[i] })
				for some := true; some; {
					some = false
					for _, f := range flood {
						some = f.try(s) > 0 || some
					}
				}
				for _, o := range all[40:] {
					o.try(s)
				}
				s.fly()
				for _, x := range all {
					if x.waited {
						x.since++
					}
				}
			}
			for _, o := range all[40:] {
				if o.worst > c.worst || o.since > c.worst {
					t.Errorf("organization %d waited for %d frames, at most %d", o.tenant, max(o.worst, o.since), c.worst)
				}
			}
			if len(s.turns) > 1+len(c.others) {
				t.Errorf("turns: %v", s.turns)
			}
		})
	}
}

// Who gives up keeps nobody waiting, and nothing is kept when nobody waits.
func TestLeavingATurn(t *testing.T) {
	s := still()
	full := []Raw{{Bytes: make([]byte, MaxRecordBytes)}}
	fill := func(tenant storage.Tenant) (n int) {
		for n < 4 {
			got, _, _, _ := s.add(tenant, Source{Peer: fmt.Sprint(n)}, full, encodedBytes(Source{}, full), true, false)
			if got == 0 {
				return n
			}
			n += got
		}
		return n
	}
	if n := fill(1); n != 1 {
		t.Fatalf("%d records fit", n)
	}
	if n, _, _, _ := s.add(2, Source{}, full, encodedBytes(Source{}, full), false, false); n != 0 || s.turns.kept(1) != 0 || s.turns.kept(2) == 0 {
		t.Fatalf("%d taken, turns %v", n, s.turns)
	}
	s.leave(1) // the first in turn gives up
	if s.turns.kept(1) == 0 || s.turns.kept(2) != 0 {
		t.Errorf("turns %v", s.turns)
	}
	s.leave(2)
	if len(s.turns) != 0 {
		t.Errorf("turns %v", s.turns)
	}
}

// One organization's unprocessed bytes are bounded as soon as there is another, a single request excepted.
func TestShares(t *testing.T) {
	s := shares{most: 100, held: map[storage.Tenant]int64{}, flying: make([][]flown, 2)}
	want := func(t *testing.T, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	want(t, s.take(1, 500), nil)
	want(t, s.take(1, 500), nil) // alone
	want(t, s.take(2, 500), nil) // its first
	want(t, s.take(1, 1), storage.ErrUnavailable)
	want(t, s.take(2, 1), storage.ErrUnavailable)
	s.give(1, 1)
	s.flew(0, 7, []segmentBuilder{{tenant: 1, size: 499}, {tenant: 2, size: 500}})
	s.flew(1, 6, []segmentBuilder{{tenant: 1, size: 450}})
	s.flew(1, 0, []segmentBuilder{{tenant: 1, size: 10}}) // was not published
	if s.passed(5) {
		t.Error("nothing has passed")
	}
	if !s.passed(6) || s.held[1] != 539 {
		t.Errorf("of 1 there wait %d", s.held[1])
	}
	want(t, s.take(1, 1), storage.ErrUnavailable)
	if !s.passed(7) || s.held[1] != 40 || s.held[2] != 0 || len(s.flying[0])+len(s.flying[1]) != 0 {
		t.Errorf("there wait %v", s.held)
	}
	want(t, s.take(1, 60), nil)
	want(t, s.take(1, 1), storage.ErrUnavailable) // one over
	want(t, s.take(2, 101), nil)
	unbound := shares{most: -1, held: map[storage.Tenant]int64{2: 0}, flying: make([][]flown, 1)}
	want(t, unbound.take(1, 1<<40), nil)
	want(t, unbound.take(1, 1<<40), nil)
}

// What the queue sets aside for an organization comes back when it was processed, whatever way it was sent and whatever
// was refused.
func TestSharesAreGivenBack(t *testing.T) {
	q := openTest(t, Config{Shards: 2, ShareBytes: 256 << 10, OfferWait: time.Millisecond, MinFreeBytes: -1, TickEvery: time.Hour})
	var callers sync.WaitGroup
	var refused sync.Map
	for n := range 8 {
		callers.Go(func() {
			tenant, src := storage.Tenant(1+n%2), Source{Listener: "test", Peer: fmt.Sprint(n)}
			recs := slices.Repeat([]Raw{{Bytes: bytes.Repeat([]byte("x"), 2000)}}, 20)
			for i := range 40 {
				var err error
				if i%2 == 0 {
					err = q.Put(t.Context(), tenant, src, recs)
				} else {
					_, err = q.Offer(t.Context(), tenant, src, recs)
				}
				if errors.Is(err, storage.ErrUnavailable) {
					refused.Store(n, true)
					q.Passed(q.Last()) // as if all until now had been processed
				} else if err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	if err := q.Put(t.Context(), 3, Source{}, []Raw{{Bytes: []byte("last")}}); err != nil {
		t.Fatal(err)
	}
	for _, s := range q.shards { // what was offered is published, too
		s.mu.Lock()
		s.fill.due = time.Now()
		s.mu.Unlock()
		token(s.sooner)
	}
	deadline := time.Now().Add(10 * time.Second)
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for {
		q.Passed(q.Last())
		q.shares.mu.Lock()
		left := q.shares.held[1] + q.shares.held[2] + q.shares.held[3]
		q.shares.mu.Unlock()
		if left == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes are never given back", left)
		}
		<-every.C
	}
	some := false
	refused.Range(func(any, any) bool { some = true; return false })
	if !some {
		t.Error("nobody was refused: the test is too small")
	}
	for _, s := range q.shards {
		if len(s.turns) != 0 {
			t.Errorf("turns are left: %v", s.turns)
		}
	}
}
