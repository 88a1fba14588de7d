package queue

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/vedette-siem/vedette/storage"
)

// publish stamps an encoded message, hands it to the server and waits until it is on disk. Stamping and handing over
// happen under one lock and one connection, so log time never goes back along the stream. An error means that the
// message is not acknowledged; it may be in the stream all the same when the server died under it.
func (q *Queue) publish(subject string, msg []byte) (uint64, error) {
	began := time.Now()
	q.order.Lock()
	stamp(msg, q.clock.now())
	ack, err := q.js.PublishAsync(subject, msg, jetstream.WithRetryAttempts(0)) // sent again it would carry an old time
	q.order.Unlock()
	if err != nil {
		return 0, q.failed(subject, err)
	}
	select {
	case a := <-ack.Ok():
		q.count.latency.observe(time.Since(began))
		q.count.broken.Store(false)
		q.first.CompareAndSwap(0, 1)
		q.last.set(a.Sequence)
		q.space.stored.Add(int64(len(msg) + messageExtraBytes))
		return a.Sequence, nil
	case err := <-ack.Err():
		return 0, q.failed(subject, err)
	}
}

// failed marks the queue as broken: records are refused until a tick gets through again.
func (q *Queue) failed(subject string, err error) error {
	q.count.failed.Add(1)
	q.count.broken.Store(true)
	return fmt.Errorf("publish to %s: %w: %w", subject, err, storage.ErrUnavailable)
}

// PublishControl appends a control record and returns its position once it is on disk. It passes when the queue is too
// full for records. The error wraps storage.ErrExhausted for a payload over MaxControlBytes, storage.ErrUnavailable
// otherwise; ctx is looked at before the record is handed over, from then on its fate is awaited.
func (q *Queue) PublishControl(ctx context.Context, payload []byte) (uint64, error) {
	if len(payload) > MaxControlBytes {
		return 0, fmt.Errorf("control record of %d bytes, more than %d: %w", len(payload), MaxControlBytes, storage.ErrExhausted)
	}
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("publish a control record: %w", err)
	}
	if !q.enter() {
		return 0, errClosed
	}
	defer q.tasks.Done()
	msg := appendHeader(make([]byte, 0, headerBytes+len(payload)), KindControl, 0, 0)
	return q.publish(subjectControl, append(msg, payload...))
}

// anchor appends the record of a leap of log time.
func (q *Queue) anchor(from int64) error {
	msg := appendHeader(make([]byte, 0, headerBytes+8), KindAnchor, 0, 0)
	_, err := q.publish(subjectControl, binary.LittleEndian.AppendUint64(msg, uint64(from)))
	return err
}

// tick appends a tick at every interval, and looks after the clock, the stream's size and the disk beside it. Its
// errors are counted by publish; the next tick tries again.
func (q *Queue) tick() {
	t := time.NewTicker(q.cfg.TickEvery)
	defer t.Stop()
	for {
		select {
		case <-q.stop:
			return
		case <-t.C:
		}
		q.order.Lock()
		from, leapt := q.clock.leap()
		q.order.Unlock()
		if leapt {
			_ = q.anchor(from)
		}
		_, _ = q.publish(subjectTick, appendHeader(make([]byte, 0, headerBytes), KindTick, 0, 0))
		ctx, cancel := context.WithTimeout(context.Background(), ackTimeout)
		if q.measure(ctx) != nil {
			q.count.failed.Add(1)
		}
		cancel()
	}
}
