// Package queue is the one log that orders everything: what it has acknowledged is on disk, at a position that never changes.
//
// It is one embedded NATS JetStream stream that this process alone writes: frames of records (subjects ev.SHARD),
// control records (ctl) and ticks (tick). A position is a stream sequence. Every message is fsynced before it is
// acknowledged and before a reader sees it.
//
// What a kill can lose: nothing that Put or PublishControl has acknowledged. Records that were merely offered are lost
// when they stand in a frame that is not yet published: at most one frame being filled and one in flight per shard,
// that is 2 x MaxFrameBytes x shards (4 MiB by default) and no more than Config.Linger plus one fsync of traffic.
package queue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/vedette-siem/vedette/storage"
)

const (
	streamName     = "VEDETTE"
	subjectFrames  = "ev."
	subjectControl = "ctl"
	subjectTick    = "tick"
	metaShards     = "vedette.shards" // key of the stream's metadata
)

// Config is what the queue needs. The zero value of every field but Dir means the default named beside it.
type Config struct {
	Dir            string           // data directory; locked by this process, the stream stands below it in queue/
	Shards         int              // frames filled at once: 4. Fixed when the directory is made; 0 takes what it has
	MaxBytes       int64            // stream bytes at which records are refused: 4 GiB
	MinFreeBytes   int64            // free disk bytes below which records are refused: 256 MiB. Negative: no check
	Linger         time.Duration    // longest time that a frame fills: 20 ms
	PutLinger      time.Duration    // the same once a Put waits for it: 5 ms
	TickEvery      time.Duration    // time between ticks: 1 s
	OfferWait      time.Duration    // longest time that Offer waits for room: 1 s
	ShareBytes     int64            // bytes of one organization that may wait to be processed, if there are others: 64 MiB. Negative: no bound
	ReadAheadBytes int              // bytes a reader may hold that its caller has not taken, beside one message: 4 MiB
	Now            func() time.Time // wall clock: time.Now
	// Elapsed is a steady time by which log time goes on from Now; it is never set back or forward. Default: since Open.
	Elapsed func() time.Duration

	// Meter begins to charge the calling goroutine's CPU time, which keeps its thread until end. Default: nothing is measured.
	Meter func() (end func())
}

func (c Config) withDefaults() (Config, error) {
	setDefault(&c.MaxBytes, defaultMaxBytes)
	setDefault(&c.MinFreeBytes, defaultMinFree)
	setDefault(&c.Linger, defaultLinger)
	setDefault(&c.PutLinger, defaultPutLinger)
	setDefault(&c.TickEvery, defaultTick)
	setDefault(&c.OfferWait, defaultOfferWait)
	setDefault(&c.ReadAheadBytes, defaultReadAhead)
	setDefault(&c.ShareBytes, defaultShare)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Elapsed == nil {
		began := time.Now()
		c.Elapsed = func() time.Duration { return time.Since(began) }
	}
	if c.Meter == nil {
		c.Meter = func() func() { return func() {} }
	}
	switch {
	case c.Dir == "":
		return c, fmt.Errorf("queue: no data directory: %w", storage.ErrInvalid)
	case c.Shards < 0 || c.Shards > MaxShards:
		return c, fmt.Errorf("queue: %d shards, want 1 to %d: %w", c.Shards, MaxShards, storage.ErrInvalid)
	case c.MaxBytes < MinQueueBytes:
		return c, fmt.Errorf("queue: %d bytes at most, want %d or more: %w", c.MaxBytes, MinQueueBytes, storage.ErrInvalid)
	case c.ReadAheadBytes > MaxReadAheadBytes:
		return c, fmt.Errorf("queue: read-ahead of %d bytes, more than %d: %w", c.ReadAheadBytes, MaxReadAheadBytes, storage.ErrInvalid)
	case c.Linger < 0 || c.PutLinger < 0 || c.TickEvery < 0 || c.OfferWait < 0 || c.ReadAheadBytes < 0:
		return c, fmt.Errorf("queue: a negative time or read-ahead: %w", storage.ErrInvalid)
	}
	return c, nil
}

func setDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// Queue is an open log. All methods may be called at once from any number of goroutines.
type Queue struct {
	cfg    Config
	lock   *dirLock
	server *server.Server
	write  *nats.Conn // the only connection that publishes: its order is the order of the stream
	read   *nats.Conn // apart, so that a long read does not stand in a publish's way
	js     jetstream.JetStream
	stream jetstream.Stream

	order sync.Mutex // held from taking a log time to handing the message to the connection
	clock *clock

	shards  []*shard
	stop    chan struct{} // closed by Close: nothing new is taken
	stopped atomic.Bool
	tasks   sync.WaitGroup // shards and ticker
	closing sync.Once
	closed  error

	first atomic.Uint64 // oldest position
	last  broadcast     // newest acknowledged position
	space space

	shares shares
	count  counters
}

// Open locks the data directory, starts the stream in it, recovering what a killed process left, and starts ticking.
// The error wraps storage.ErrConflict when another process uses the directory (it names the process) or when the
// directory was made with another number of shards.
func Open(ctx context.Context, cfg Config) (*Queue, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	q := &Queue{cfg: cfg, stop: make(chan struct{})}
	if q.lock, err = lockDir(cfg.Dir); err != nil {
		return nil, err
	}
	if err := q.open(ctx); err != nil {
		return nil, fmt.Errorf("open queue in %s: %w", cfg.Dir, errors.Join(err, q.shutdown()))
	}
	return q, nil
}

func (q *Queue) open(ctx context.Context) error {
	if err := q.startServer(); err != nil {
		return err
	}
	var err error
	if q.write, err = q.connect("write"); err != nil {
		return err
	}
	if q.read, err = q.connect("read"); err != nil {
		return err
	}
	if q.js, err = jetstream.New(q.write, jetstream.WithPublishAsyncTimeout(ackTimeout)); err != nil {
		return fmt.Errorf("talk to JetStream: %w", err)
	}
	if err := q.openStream(ctx); err != nil {
		return err
	}
	info, err := q.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("read the stream's state: %w", err)
	}
	q.first.Store(info.State.FirstSeq)
	q.last.set(info.State.LastSeq)
	q.space.limit = q.cfg.MaxBytes
	q.space.sync(int64(info.State.Bytes))
	if err := q.checkDisk(); err != nil {
		return err
	}
	lastTime, err := q.lastLogTime(ctx)
	if err != nil {
		return err
	}
	return q.start(lastTime)
}

func (q *Queue) startServer() error {
	var err error
	q.server, err = server.NewServer(&server.Options{
		ServerName: "vedette", DontListen: true, NoSigs: true, NoLog: true, NoSystemAccount: true,
		JetStream: true, StoreDir: filepath.Join(q.cfg.Dir, "queue"), SyncAlways: true,
		JetStreamMaxStore: q.cfg.MaxBytes + 2*reserveBytes, JetStreamMaxMemory: 64 << 20,
		MaxPayload: MaxMessageBytes, DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("configure the embedded server: %w", err)
	}
	q.server.Start()
	if !q.server.ReadyForConnections(startTimeout) {
		return fmt.Errorf("the embedded server did not start in %s: %w", startTimeout, storage.ErrUnavailable)
	}
	if !q.server.JetStreamEnabled() {
		return fmt.Errorf("the embedded server could not use its store: %w", storage.ErrUnavailable)
	}
	return nil
}

func (q *Queue) connect(name string) (*nats.Conn, error) {
	c, err := nats.Connect("", nats.InProcessServer(q.server), nats.Name(name), nats.MaxReconnects(-1),
		nats.ReconnectWait(50*time.Millisecond), nats.ReconnectBufSize(-1),
		nats.SyncQueueLen(readBatchMessages+1)) // a batch and its end; the library makes room for 65,536 each time it is asked
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded server (%s): %w", name, err)
	}
	return c, nil
}

// openStream finds the stream or makes it. The number of shards is decided once, and kept in the stream's metadata.
func (q *Queue) openStream(ctx context.Context) error {
	shards := q.cfg.Shards
	old, err := q.js.Stream(ctx, streamName)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		setDefault(&shards, defaultShards)
	case err != nil:
		return fmt.Errorf("look for the stream: %w", err)
	default:
		have, err := strconv.Atoi(old.CachedInfo().Config.Metadata[metaShards])
		if err != nil || have < 1 || have > MaxShards {
			return fmt.Errorf("the stream names no number of shards: %w", storage.ErrInvalid)
		}
		if shards != 0 && shards != have {
			return fmt.Errorf("%d shards asked for, but the directory was made with %d: %w", shards, have, storage.ErrConflict)
		}
		shards = have
	}
	q.cfg.Shards = shards
	q.stream, err = q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: streamName, Subjects: []string{subjectFrames + "*", subjectControl, subjectTick},
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxBytes: q.cfg.MaxBytes + reserveBytes, MaxMsgSize: MaxMessageBytes, AllowDirect: true,
		Duplicates: 100 * time.Millisecond, // no message carries an id; a longer window is only read at start
		Metadata:   map[string]string{metaShards: strconv.Itoa(shards)},
	})
	if err != nil {
		return fmt.Errorf("make the stream: %w", err)
	}
	return nil
}

// lastLogTime reads the newest message, which Cut never removes.
func (q *Queue) lastLogTime(ctx context.Context) (int64, error) {
	last := q.last.get()
	if last == 0 {
		return 0, nil
	}
	m, err := q.stream.GetMsg(ctx, last)
	if err != nil {
		return 0, fmt.Errorf("read the newest message, %d: %w", last, err)
	}
	_, _, logTime, err := readHeader(m.Data)
	if err != nil {
		return 0, fmt.Errorf("read the newest message, %d: %w", last, err)
	}
	return logTime, nil
}

func (q *Queue) start(lastTime int64) error {
	q.clock = newClock(q.cfg.Now, q.cfg.Elapsed, lastTime)
	if lastTime != 0 && q.clock.base-lastTime > int64(maxClockLeap) {
		if err := q.anchor(lastTime); err != nil {
			return err
		}
	}
	q.shares = shares{most: q.cfg.ShareBytes, held: map[storage.Tenant]int64{}, flying: make([][]flown, q.cfg.Shards)}
	for i := range q.cfg.Shards {
		s := newShard(q, i)
		q.shards = append(q.shards, s)
		q.tasks.Go(s.run)
	}
	q.tasks.Go(q.tick)
	return nil
}

// Shards returns the number of shards, fixed when the data directory was made.
func (q *Queue) Shards() int { return q.cfg.Shards }

// Close refuses new records, publishes those that wait, and releases the directory. What still reads ends with
// storage.ErrUnavailable. It may be called more than once; all calls return when the first is done.
func (q *Queue) Close() error {
	q.closing.Do(func() {
		q.order.Lock()
		q.stopped.Store(true)
		q.order.Unlock()
		close(q.stop)
		q.tasks.Wait()
		q.closed = q.shutdown()
	})
	return q.closed
}

func (q *Queue) shutdown() error {
	for _, c := range []*nats.Conn{q.write, q.read} {
		if c != nil {
			c.Close()
		}
	}
	if q.server != nil {
		q.server.Shutdown()
		q.server.WaitForShutdown()
	}
	if err := q.lock.release(); err != nil {
		return fmt.Errorf("release the data directory: %w", err)
	}
	return nil
}

// First returns the oldest position that can be read, and Last the newest acknowledged one; both 0 in a new queue.
// When everything was cut but the newest message, they are equal.
func (q *Queue) First() uint64 { return q.first.Load() }

// Last returns the newest acknowledged position.
func (q *Queue) Last() uint64 { return q.last.get() }

// Cut removes everything up to and including position seq, except for the newest message: it carries the position and
// the log time over a restart. Cutting what is cut already does nothing.
func (q *Queue) Cut(ctx context.Context, seq uint64) error {
	last := q.last.get()
	if seq > last {
		return fmt.Errorf("cut the queue up to %d, behind its end %d: %w", seq, last, storage.ErrInvalid)
	}
	to := min(seq+1, last) // first position that stays
	if to <= q.first.Load() {
		return nil
	}
	if err := q.stream.Purge(ctx, jetstream.WithPurgeSequence(to)); err != nil {
		return fmt.Errorf("cut the queue up to %d: %w", seq, err)
	}
	for {
		have := q.first.Load()
		if have >= to || q.first.CompareAndSwap(have, to) {
			break
		}
	}
	return q.measure(ctx)
}

// measure reads the stream's true size and wakes those who wait for space.
func (q *Queue) measure(ctx context.Context) error {
	info, err := q.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("read the queue's size: %w", err)
	}
	q.space.sync(int64(info.State.Bytes))
	q.count.messages.Store(info.State.Msgs)
	if err := q.checkDisk(); err != nil {
		return err
	}
	for _, s := range q.shards {
		s.wake()
	}
	return nil
}

func (q *Queue) checkDisk() error {
	if q.cfg.MinFreeBytes < 0 {
		return nil
	}
	free, err := freeBytes(q.cfg.Dir)
	if err != nil {
		return err
	}
	q.space.diskFull.Store(free < q.cfg.MinFreeBytes)
	return nil
}
