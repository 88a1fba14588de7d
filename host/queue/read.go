package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/vedette-siem/vedette/storage"
)

// ErrGap is wrapped by the error of a Read that found a position missing: it was cut, or the stream was damaged.
var ErrGap = errors.New("gap in the queue")

// Message is one message of the log. Data belongs to the caller and never changes.
type Message struct {
	Seq     uint64
	Kind    Kind
	Shard   uint16 // of a frame
	LogTime int64  // ns since the Unix epoch; never less than that of the message before
	Data    []byte // a control record's payload, an anchor's 8 bytes, a tick's nothing; a frame is read with Frame
}

// Frame reads the message's records into f. The error wraps ErrFrame.
func (m *Message) Frame(f *Frame) error {
	if err := Decode(m.Data, f); err != nil {
		return fmt.Errorf("message %d: %w", m.Seq, err)
	}
	f.Seq = m.Seq
	return nil
}

// Read delivers every message from position from on (0: the oldest there is), in order and without a gap, and then
// each new one as soon as it is on disk, until ctx ends or the loop is left. The last pair holds the error that ended
// it: ctx's, one that wraps ErrGap (position from is cut, or one is missing), ErrFrame, or storage.ErrUnavailable when
// the queue is closed. Any number of readers may run at once; none holds up a writer or another reader.
//
// It asks for batches by position rather than holding a consumer on the server: the request says all there is to know,
// so nothing has to be rebuilt after a reconnect, and one batch bounds what is held ahead of the caller. An ordered
// consumer was measured beside it: 8 instead of 80 us behind the acknowledgement, 4.3 instead of 2.5 M events/s; both
// are far from what limits the pipeline.
func (q *Queue) Read(ctx context.Context, from uint64) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		r := &reader{q: q, next: max(from, 1)}
		if from == 0 {
			r.next = max(q.First(), 1)
		}
		if err := r.run(ctx, func(m Message) bool { return yield(m, nil) }); !errors.Is(err, errLeft) {
			yield(Message{}, err)
		}
	}
}

// errLeft ends a reader whose caller left the loop.
var errLeft = errors.New("the reader's loop was left")

type reader struct {
	q    *Queue
	next uint64 // position that comes next
}

// run emits messages until something ends it; it always says what.
func (r *reader) run(ctx context.Context, emit func(Message) bool) error {
	tries := 0
	for {
		if err := r.await(ctx); err != nil {
			return err
		}
		before := r.next
		err := r.batch(ctx, emit)
		switch {
		case err == nil || r.next > before:
			tries = 0
		default:
			tries++
		}
		if err != nil && (tries >= readTries || !errors.Is(err, errRetry)) {
			return err
		}
	}
}

// await returns when the next position is there.
func (r *reader) await(ctx context.Context) error {
	for {
		grown := r.q.last.reach(r.next)
		if grown == nil {
			return nil
		}
		select {
		case <-grown:
		case <-r.q.stop:
			return errClosed
		case <-ctx.Done():
			return fmt.Errorf("read the queue at %d: %w", r.next, ctx.Err())
		}
	}
}

// errRetry is wrapped when the server gave no whole answer; a new request may get one.
var errRetry = errors.New("no answer")

// batchRequest is the body of a direct get of several messages.
type batchRequest struct {
	Seq      uint64 `json:"seq"`
	Batch    int    `json:"batch"`
	MaxBytes int    `json:"max_bytes"`
}

// batch asks for messages up to the read-ahead and emits them as they come. Each request has an inbox of its own, so
// that a late answer to one that was given up is not taken for the next.
func (r *reader) batch(ctx context.Context, emit func(Message) bool) error {
	sub, err := r.q.read.SubscribeSync(r.q.read.NewInbox())
	if err != nil {
		return r.failed(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails on a closed connection only
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return r.failed(err)
	}
	body, err := json.Marshal(batchRequest{Seq: r.next, Batch: readBatchMessages, MaxBytes: r.q.cfg.ReadAheadBytes})
	if err != nil {
		return fmt.Errorf("encode a batch request: %w", err)
	}
	if err := r.q.read.PublishRequest("$JS.API.DIRECT.GET."+streamName, sub.Subject, body); err != nil {
		return r.failed(err)
	}
	for {
		wait, cancel := context.WithTimeout(ctx, readReplyTimeout)
		m, err := sub.NextMsgWithContext(wait)
		cancel()
		if ctx.Err() != nil {
			return fmt.Errorf("read the queue at %d: %w", r.next, ctx.Err())
		}
		if err != nil {
			return r.failed(err)
		}
		if end, err := r.take(m, emit); end || err != nil {
			return err
		}
	}
}

// failed says why a batch has no answer: the queue was closed, or it is worth another try.
func (r *reader) failed(err error) error {
	if r.q.stopped.Load() {
		return errClosed
	}
	return fmt.Errorf("read the queue at %d: %w: %w: %w", r.next, err, errRetry, storage.ErrUnavailable)
}

// take checks and emits one message of a batch. It reports whether it was the batch's end.
func (r *reader) take(m *nats.Msg, emit func(Message) bool) (end bool, err error) {
	if status := m.Header.Get("Status"); status != "" && len(m.Data) == 0 {
		switch status {
		case "204": // end of the batch
			return true, nil
		case "404":
			return true, fmt.Errorf("position %d of %d to %d: %w", r.next, r.q.First(), r.q.Last(), ErrGap)
		}
		return true, r.failed(fmt.Errorf("status %s %s", status, m.Header.Get("Description")))
	}
	seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return true, fmt.Errorf("message after %d has no position: %w", r.next-1, ErrFrame)
	}
	if seq != r.next {
		return true, fmt.Errorf("position %d where %d was next: %w", seq, r.next, ErrGap)
	}
	out, err := message(seq, m.Data)
	if err != nil {
		return true, err
	}
	r.next++
	if !emit(out) {
		return true, errLeft
	}
	return false, nil
}

func message(seq uint64, data []byte) (Message, error) {
	k, shard, logTime, err := readHeader(data)
	if err != nil {
		return Message{}, fmt.Errorf("message %d: %w", seq, err)
	}
	if k != KindFrame {
		data = data[headerBytes:]
	}
	return Message{Seq: seq, Kind: k, Shard: shard, LogTime: logTime, Data: data}, nil
}
