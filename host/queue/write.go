package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

var (
	errClosed = fmt.Errorf("the queue is closed: %w", storage.ErrUnavailable)
	errFull   = fmt.Errorf("the queue is full: %w", storage.ErrUnavailable)
)

// enter keeps Close waiting until the caller calls tasks.Done.
func (q *Queue) enter() bool {
	q.order.Lock()
	defer q.order.Unlock()
	if q.stopped.Load() {
		return false
	}
	q.tasks.Add(1)
	return true
}

// Put appends records of one source, in order, and returns nil once every one of them is on disk.
//
// A request that fits into a frame (MaxFrameBytes) is taken whole or not at all; a longer one is spread over several
// frames. After an error nothing is acknowledged: none of a refused request is in the queue (storage.ErrInvalid,
// storage.ErrExhausted for a limit, storage.ErrUnavailable when the queue is full), whereas after a failed publish or
// the end of ctx records may be in it all the same, so a sender that repeats the request may store them twice.
func (q *Queue) Put(ctx context.Context, t storage.Tenant, src Source, recs []Raw) error {
	if len(recs) == 0 {
		return nil
	}
	if err := checkInput(t, src, recs); err != nil {
		return err
	}
	size := encodedBytes(src, recs)
	if size > MaxRequestBytes {
		return fmt.Errorf("request of %d bytes, more than %d: %w", size, MaxRequestBytes, storage.ErrExhausted)
	}
	if err := q.admit(t, size); err != nil {
		q.count.refused.Add(1)
		return err
	}
	ends, taken, err := q.fillFrames(ctx, t, src, recs, size)
	q.unused(t, int64(size)-taken)
	for _, end := range ends {
		select {
		case <-end.done:
			err = errors.Join(err, end.err)
		case <-ctx.Done():
			return fmt.Errorf("wait for the queue's acknowledgement: %w", ctx.Err())
		}
	}
	return err
}

// fillFrames hands records to their shard and returns the frames they went into and the bytes they take there, which
// those frames hold from now on.
func (q *Queue) fillFrames(ctx context.Context, t storage.Tenant, src Source, recs []Raw, size int) (ends []*fate, taken int64, err error) {
	s := q.shards[shardOf(t, src, len(q.shards))]
	for waited := false; len(recs) > 0; {
		n, bytes, end, room := s.add(t, src, recs, size, false, waited)
		taken += int64(bytes)
		switch {
		case n > 0:
			ends, recs, waited = append(ends, end), recs[n:], false
			if len(recs) > 0 {
				size = encodedBytes(src, recs)
			}
			continue
		case room == nil:
			return ends, taken, errClosed
		}
		waited = true
		select {
		case <-room:
		case <-ctx.Done():
			s.leave(t)
			return ends, taken, fmt.Errorf("wait for room in the queue: %w", ctx.Err())
		}
	}
	return ends, taken, nil
}

// Offer appends records of one source, in order, without waiting for the disk; a kill may lose them (see the package
// comment). It returns how many of recs, from the front, were taken. When there is no room it waits for up to
// Config.OfferWait and then returns an error that wraps storage.ErrUnavailable; the caller holds its sender up or
// counts the loss, and may offer the rest again.
func (q *Queue) Offer(ctx context.Context, t storage.Tenant, src Source, recs []Raw) (int, error) {
	if err := checkInput(t, src, recs); err != nil {
		return 0, err
	}
	s := q.shards[shardOf(t, src, len(q.shards))]
	var timeout <-chan time.Time
	done, waits := 0, false
	defer func() {
		if waits {
			s.leave(t)
		}
	}()
	for done < len(recs) {
		rest := recs[done:]
		size := encodedBytes(src, rest)
		full := q.admit(t, size)
		var room <-chan struct{}
		if full == nil {
			n, bytes, _, wait := s.add(t, src, rest, size, true, waits)
			q.unused(t, int64(size-bytes))
			if done += n; n > 0 {
				waits = false
				continue
			}
			if room = wait; room == nil {
				return done, errClosed
			}
			waits = true
		} else {
			if waits { // nothing is kept for who may not send
				s.leave(t)
				waits = false
			}
			room = s.waitRoom()
		}
		if timeout == nil {
			timer := time.NewTimer(q.cfg.OfferWait)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-room:
		case <-timeout:
			q.count.refused.Add(1)
			return done, errors.Join(full, fmt.Errorf("no room in the queue for %s: %w", q.cfg.OfferWait, storage.ErrUnavailable))
		case <-q.stop:
			return done, errClosed
		case <-ctx.Done():
			return done, fmt.Errorf("wait for room in the queue: %w", ctx.Err())
		}
	}
	return done, nil
}

// unused gives back what was set aside by admit and is in no frame.
func (q *Queue) unused(t storage.Tenant, size int64) {
	q.space.pending.Add(-size)
	q.shares.give(t, size)
}

// admit sets size bytes of the queue's space and of the organization's share of it aside, or says why there are none.
func (q *Queue) admit(t storage.Tenant, size int) error {
	switch {
	case q.stopped.Load():
		return errClosed
	case q.count.broken.Load():
		return fmt.Errorf("the queue cannot write: %w", storage.ErrUnavailable)
	case q.space.diskFull.Load():
		return fmt.Errorf("less than %d bytes free on the disk of %s: %w", q.cfg.MinFreeBytes, q.cfg.Dir, storage.ErrUnavailable)
	}
	if err := q.shares.take(t, int64(size)); err != nil {
		return err
	}
	if !q.space.reserve(int64(size)) {
		q.shares.give(t, int64(size))
		return errFull
	}
	return nil
}
