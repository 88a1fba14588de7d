// Package logs keeps events in an embedded logstorage database that replays and crashes can neither double nor thin
// out: rows carry their position in the log, and Durable says up to which position everything is on disk.
//
// It is the only package that imports VictoriaMetrics. That library has no write-ahead log, returns no errors and ends
// the process when a disk fails, so everything written here must still be in the queue until Durable has passed it.
package logs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/VictoriaMetrics/lib/logstorage"
	"github.com/vedette-siem/vedette/storage"
)

// ErrLocked means that another Store, here or in another process, has the directory open. It wraps ErrUnavailable.
var ErrLocked = fmt.Errorf("log store is open elsewhere: %w", storage.ErrUnavailable)

var errClosed = fmt.Errorf("log store is closed: %w", storage.ErrUnavailable)

// Config says where and how long events are kept. The zero value of a field is the default that its comment names.
type Config struct {
	Dir           string           // directory of the store, created with mode 0700; required
	RetentionDays int              // whole UTC days kept, for all tenants; default 30
	MaxBytes      int64            // disk space after which the oldest days go, though never the last two; default unlimited
	MinFreeBytes  int64            // free disk space below which Append refuses; default 2 GiB, negative for none
	FlushInterval time.Duration    // how long rows stay in memory before they are written, which makes up to 256 files; default 5s, minimum 1s
	DurableAfter  time.Duration    // age after which handed-over rows count as written; default max(30s, 6 FlushIntervals), minimum 4
	GroupDelay    time.Duration    // how long rows wait for others of their tenant, stream and day; default 200ms
	QueryTimeout  time.Duration    // for one query, or one window of a search; default 1m
	MemoryBytes   int64            // caches, sorting and grouping, for the process: the first Open decides; default 512 MiB
	Now           func() time.Time // default time.Now
}

func (c Config) withDefaults() (Config, error) {
	if c.Dir == "" {
		return c, fmt.Errorf("log store: Dir is empty: %w", storage.ErrInvalid)
	}
	if c.RetentionDays < 0 || c.RetentionDays > 36500 || c.MaxBytes < 0 || c.MemoryBytes < 0 {
		return c, fmt.Errorf("log store: RetentionDays, MaxBytes or MemoryBytes out of range: %w", storage.ErrInvalid)
	}
	setDefault(&c.RetentionDays, 30)
	setDefault(&c.MinFreeBytes, 2<<30)
	setDefault(&c.MemoryBytes, 512<<20)
	setDefault(&c.FlushInterval, 5*time.Second)
	c.FlushInterval = max(c.FlushInterval, time.Second)
	setDefault(&c.DurableAfter, max(30*time.Second, 6*c.FlushInterval))
	c.DurableAfter = max(c.DurableAfter, 4*c.FlushInterval)
	setDefault(&c.GroupDelay, 200*time.Millisecond)
	setDefault(&c.QueryTimeout, time.Minute)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

func setDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// Opened tells what Open found; a person should see whatever is in it.
type Opened struct {
	Quarantined []Quarantined // what was too broken to open
	ClockJump   time.Duration // how far the clock is from where the last run left it, when that is hard to believe; else 0
}

// Store is the log store. All methods may be called at once by several goroutines.
type Store struct {
	cfg       Config
	opened    Opened
	retention time.Duration
	lock      *os.File
	db        *logstorage.Storage
	clock     *savedClock
	tenants   *tenantFile

	mu      sync.Mutex // guards what Append fills
	pending *pending
	spare   *pending
	rows    rowBuilder
	dropped Dropped
	changed uint64

	handing sync.Mutex // held while pending rows are handed over; taken before mu
	marks   marks
	dirty   chan struct{} // one token: pending holds something

	slots   chan struct{} // one token per running query
	queries atomic.Uint64

	life    sync.RWMutex // read-held while db is used outside a slot
	closed  bool
	root    context.Context //nolint:containedctx // the life of the store, not of a call: it ends when Close begins
	stop    context.CancelFunc
	workers sync.WaitGroup
}

// Open opens or creates the store. It moves what logstorage would die of out of the way first, and does not let a
// clock that jumped delete days; Opened reports both. The error wraps ErrLocked when the directory is open already.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening log store: %w", err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the directory of the log store: %w", err)
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s, err := open(cfg, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

func open(cfg Config, lock *os.File) (*Store, error) {
	if err := initLibrary(cfg.MemoryBytes); err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, lock: lock, pending: newPending(), spare: newPending(),
		dirty: make(chan struct{}, 1), slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
		retention: time.Duration(cfg.RetentionDays) * 24 * time.Hour,
	}
	s.rows.id = make([]byte, 0, 64)
	s.rows.received = make([]byte, 0, 40)
	var err error
	if s.clock, err = openClock(filepath.Join(cfg.Dir, "clock"), cfg.Now()); err != nil {
		return nil, err
	}
	if s.opened.ClockJump = s.clock.jump; s.clock.jump > 0 {
		s.retention += s.clock.jump // nothing is deleted on the word of a clock that may be wrong
	}
	if s.tenants, err = openTenants(filepath.Join(cfg.Dir, "tenants")); err != nil {
		return nil, err
	}
	data := filepath.Join(cfg.Dir, "data")
	if s.opened.Quarantined, err = preflight(data, filepath.Join(cfg.Dir, "quarantine"), cfg.Now()); err != nil {
		return nil, errors.Join(err, s.tenants.close())
	}
	s.db = logstorage.MustOpenStorage(data, &logstorage.StorageConfig{
		Retention:              s.retention,
		FutureRetention:        forever, // a smaller one deletes data when the clock is behind
		MaxDiskSpaceUsageBytes: cfg.MaxBytes,
		MinFreeDiskSpaceBytes:  cfg.MinFreeBytes,
		FlushInterval:          cfg.FlushInterval,
	})
	s.root, s.stop = context.WithCancel(context.Background())
	s.workers.Add(1)
	go s.work()
	return s, nil
}

// Opened returns what Open found.
func (s *Store) Opened() Opened { return s.opened }

// work hands pending rows over and saves the clock, until Close.
func (s *Store) work() {
	defer s.workers.Done()
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	delay := time.NewTimer(s.cfg.GroupDelay)
	defer delay.Stop()
	for {
		select {
		case <-s.root.Done():
			return
		case <-minute.C:
			_ = s.clock.save(s.cfg.Now()) // an error only makes the next start more careful
		case <-s.dirty:
			delay.Reset(s.cfg.GroupDelay)
			select {
			case <-delay.C:
			case <-s.root.Done():
				return
			}
			s.handOver()
		}
	}
}

// Close ends running queries, writes everything to disk and returns the highest position appended, which is durable
// now. When ctx ends before the queries do, the store stays open for another Close and the error wraps ErrUnavailable.
func (s *Store) Close(ctx context.Context) (uint64, error) {
	s.stop()
	for i := range cap(s.slots) { // no query runs, and none will
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			for range i {
				<-s.slots
			}
			return 0, fmt.Errorf("closing log store while queries end: %w: %w", storage.ErrUnavailable, ctx.Err())
		}
	}
	defer func() {
		for range cap(s.slots) {
			<-s.slots
		}
	}()
	s.workers.Wait()
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return s.marks.last(), nil
	}
	s.closed = true
	s.handOverLocked()
	s.db.MustClose()
	err := errors.Join(s.clock.save(s.cfg.Now()), s.tenants.close(), s.lock.Close())
	if err != nil {
		err = fmt.Errorf("closing log store: %w", err)
	}
	return s.marks.last(), err
}
