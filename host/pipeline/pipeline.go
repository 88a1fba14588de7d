// Package pipeline moves batches from the log to the store, the rules and the incidents; its stages do not know each other.
//
// A reader takes messages in order and decides under which generation each runs; workers parse frames and match their
// events, which needs nothing but the frame and its generation; one sequencer takes the results in order again and is
// alone in touching the store, the rules' state and the incidents. So what comes out depends on the log and nothing else.
//
// Four positions stand for what survives a kill, each not after the next: the log is cut below Checkpoint.Stored, up to
// which every row is on disk; Checkpoint.Seq is where the rules' state and the incidents were saved; the database has
// applied what came a little later; the log ends last. A start reads from Stored on, skips rows that are there, leaves
// rules and incidents alone up to Seq, and the database ignores what it has applied.
package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vedette-siem/vedette/host/bill"
	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/host/state"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Store keeps events. Append is called by one goroutine, in ascending order of seq; it copies what it keeps. An error
// that wraps storage.ErrUnavailable means "later": the log keeps the events until then.
type Store interface {
	Append(ctx context.Context, seq uint64, events []storage.Event) error
	Durable() uint64
	Stored(ctx context.Context, lo, hi uint64, from, to time.Time) (map[storage.EventID]struct{}, error)
}

// Watcher counts what passes. The sequencer calls it, so it must be quick and never block; it keeps nothing of the events.
// What was in the log at start is not shown again.
type Watcher interface {
	Events(logTime int64, events []storage.Event)
	Fired(logTime int64, t storage.Tenant, rule string, severity storage.Severity)
	Forget(t storage.Tenant)
}

// Config is what a pipeline needs. Zero means the default beside the field.
type Config struct {
	Dir             string        // where the checkpoint is kept
	Workers         int           // frames parsed at once; default 1
	CheckpointEvery time.Duration // log time between checkpoints; default 10s
	KeepAll         bool          // never cut the log; default false
	Queue           *queue.Queue
	Store           Store
	DB              *meta.DB
	Library         *module.Library
	Limits          correlate.Limits
	State           state.Limits                                // of what rules with code remember
	History         History                                     // nil: rules that begin anew begin with nothing
	Probation       Probation                                   // when a new version gives way by itself
	Quota           module.Quota                                // of organizations that have none of their own; default DefaultQuota
	Cost            *Costs                                      // where CPU time is added up; default: of this pipeline alone
	Watch           Watcher                                     // nil: nobody
	Report          func(level Level, text string, args ...any) // what an operator should know; nil discards it
}

// Level of a report.
type Level int

// The levels.
const (
	Info Level = iota
	Warn
)

const (
	ahead            = 64     // messages between reader and sequencer
	commitItems      = 64     // messages folded into one SQL transaction at most
	checkpointEvents = 50_000 // events after which a checkpoint is due
	appendRetry      = 200 * time.Millisecond
)

// Pipeline runs everything between log and incidents. Its methods may be called from any goroutine.
type Pipeline struct {
	cfg   Config
	state *correlate.State
	kept  *state.State // what rules with code remember
	fold  *incident.Fold

	start    uint64                       // first position that is read
	resume   uint64                       // last position that the checkpoint holds
	liveFrom uint64                       // positions from here on were not in the log at start
	existing map[storage.EventID]struct{} // rows that the store had at start
	known    uint64                       // last position that existing speaks of
	bases    []module.Running             // what ran, for each change since the last durable position

	resumeAt  int64                             // log time of resume, ns
	applied   uint64                            // position of the database at the start
	unnoted   bool                              // the database knew of no control record then
	due       []module.Control                  // that were not in the log when the checkpoint was made
	saved     uint64                            // position of the newest checkpoint of this run
	appended  uint64                            // last frame handed to the store before it
	reading   *module.Generation                // of the reader
	current   atomic.Pointer[module.Generation] // of the sequencer: in force after all that was processed
	processed atomic.Uint64
	ckpt      atomic.Uint64
	logTime   atomic.Int64
	tables    atomic.Pointer[map[string]bool]  // digests that a start would need
	past      atomic.Pointer[[]module.Running] // what ran, for each change since where a start would read the log
	dropped   atomic.Uint64                    // records of organizations that were removed
	ledger    *bill.Ledger                     // of the sequencer
	counted   uint64                           // last position whose usage the database had at start
	aside     aside
	health    *failures
	drift     *drift
	ranker    ranker
	questions chan question           // about what rules have learnt, for the sequencer
	step      func(name string) error // lets tests end a run between any two steps; else nil
	Cost      *Costs
	Use       *Usage
	Tails     *Tails

	building sync.Mutex           // a generation is being built, or modules are being forgotten
	closing  sync.WaitGroup       // modules that were forgotten
	live     []*module.Generation // that a message may still run under, oldest first; guarded by building

	mu      sync.Mutex
	waiters map[uint64][]chan error // control records that somebody waits for, by position
	results map[uint64]error        // of control records that failed and that nobody has asked for yet
	carried map[uint64][]Carried    // by control records that changed rules which know something
	ended   bool                    // Run has returned
	woken   []func(changed []storage.Tenant)
}

// New reads the checkpoint and prepares recovery. Nothing runs before Run.
func New(ctx context.Context, cfg Config) (*Pipeline, error) {
	if cfg.Workers < 1 {
		cfg.Workers = 1
	}
	if cfg.CheckpointEvery == 0 {
		cfg.CheckpointEvery = 10 * time.Second
	}
	cfg.Probation = cfg.Probation.WithDefaults()
	cfg.Quota = cfg.Quota.Or(DefaultQuota)
	if cfg.Cost == nil {
		cfg.Cost = &Costs{}
	}
	if cfg.Report == nil {
		cfg.Report = func(Level, string, ...any) {}
	}
	p := &Pipeline{
		cfg: cfg, state: correlate.New(cfg.Limits), kept: state.New(cfg.State), fold: incident.New(incident.Config{}),
		health: newFailures(), drift: newDrift(cfg.Probation, driftState{}), Cost: cfg.Cost, Use: newUsage(), Tails: newTails(),
		questions: make(chan question), waiters: map[uint64][]chan error{}, results: map[uint64]error{}, carried: map[uint64][]Carried{},
	}
	p.ranker.report = cfg.Report
	if err := p.recover(ctx); err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	}
	return p, nil
}

// OnCommit adds a function that is called, by the sequencer, after each transaction that changed incidents, with the
// organizations whose they are, each once. It must not block.
func (p *Pipeline) OnCommit(f func(changed []storage.Tenant)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.woken = append(p.woken, f)
}

// Dropped returns how many records came for organizations that were removed, since the start.
func (p *Pipeline) Dropped() uint64 { return p.dropped.Load() }

// Generation returns what is in force after everything that was processed.
func (p *Pipeline) Generation() *module.Generation { return p.current.Load() }

// Positions of the pipeline in the log.
type Positions struct {
	First, Last, Processed, Durable, Checkpoint uint64
	LogTime                                     int64
}

// Positions returns where everything stands.
func (p *Pipeline) Positions() Positions {
	return Positions{
		First: p.cfg.Queue.First(), Last: p.cfg.Queue.Last(), Processed: p.processed.Load(),
		Durable: p.cfg.Store.Durable(), Checkpoint: p.ckpt.Load(), LogTime: p.logTime.Load(),
	}
}

// item is one message on its way.
type item struct {
	msg     queue.Message
	frame   queue.Frame
	gen     *module.Generation // in force at this position
	parsed  chan struct{}      // closed when a worker is done with a frame
	events  []storage.Event
	fields  []storage.Field // what the fields of events are cut from
	poison  []Poison
	hits    []correlate.Hit
	late    []ask // hits that modules which remember have to confirm, in the sequencer
	times   []correlate.SourceTime
	spent   []spent
	err     error
	control *module.Control
	applied error // of a control record that changes what runs
	changed bool
}

// Run processes the log until ctx ends or something fails that only a restart can mend.
func (p *Pipeline) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	order := make(chan *item, ahead)
	work := make(chan *item, ahead)
	g.Go(func() error {
		defer close(order)
		defer close(work)
		return p.read(ctx, order, work)
	})
	for range p.cfg.Workers {
		g.Go(func() error { return p.work(ctx, work) })
	}
	var last error // of the sequencer, which may fail at the end although ctx ended first
	g.Go(func() error {
		last = p.sequence(ctx, order)
		return last
	})
	err := g.Wait()
	p.closing.Wait()
	p.ranker.wait.Wait()
	p.end()
	if err = cmp.Or(last, err); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("process the log: %w", err)
	}
	return nil
}

// read takes messages in order, decides under which generation each runs, and hands frames to the workers.
func (p *Pipeline) read(ctx context.Context, order, work chan<- *item) error {
	t := p.Cost.thread()
	defer t.release()
	t.begin()
	for msg, err := range p.cfg.Queue.Read(ctx, p.start) {
		if err != nil {
			return err
		}
		t.end(StageQueue, 0)
		it := itemPool.Get().(*item)
		it.msg, it.gen = msg, p.reading
		switch msg.Kind {
		case queue.KindFrame:
			it.parsed = make(chan struct{})
		case queue.KindControl:
			if err := p.change(ctx, it); err != nil {
				return err
			}
		}
		select {
		case order <- it:
		case <-ctx.Done():
			return ctx.Err()
		}
		if msg.Kind == queue.KindFrame {
			select {
			case work <- it:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		t.begin()
	}
	return nil
}

var itemPool = sync.Pool{New: func() any { return &item{} }}

// change applies a control record: from here on another generation is in force. A record that cannot be applied changes
// nothing, now and on every replay; an error is the machine's, and then nothing may go on.
func (p *Pipeline) change(ctx context.Context, it *item) error {
	c, err := module.DecodeControl(it.msg.Data)
	if err != nil {
		it.applied = err
		return nil
	}
	it.control = &c
	if c.Kind == module.Incident || c.Kind == module.Relearn {
		return nil
	}
	next, err := p.reading.Running.Apply(it.msg.Seq, it.msg.LogTime, c)
	if err != nil {
		it.applied = err
		return nil
	}
	p.building.Lock()
	defer p.building.Unlock()
	gen, err := module.Build(ctx, p.cfg.Library, p.reading, next, c.Tenant)
	if err != nil {
		err = fmt.Errorf("control record %d (%s %s): %w", it.msg.Seq, c.Kind, c.Name, err)
		if !verdict(err) {
			return err
		}
		it.applied = err
		return nil
	}
	p.live = append(p.live, gen)
	p.reading, it.gen, it.changed = gen, gen, true
	return nil
}

// verdict reports whether module.Build refused what it was asked for, rather than failed to do it.
func verdict(err error) bool {
	var trap *runtime.Trap
	if errors.As(err, &trap) {
		return trap.Code != runtime.CodeHostIO
	}
	return errors.Is(err, storage.ErrInvalid) || errors.Is(err, storage.ErrForbidden) || errors.Is(err, storage.ErrExhausted)
}

// retire makes gen the current generation. All messages before it have been processed, so nothing runs under an older
// one, and modules that only those had are closed.
func (p *Pipeline) retire(ctx context.Context, gen *module.Generation) {
	p.building.Lock()
	defer p.building.Unlock()
	p.current.Store(gen)
	now := max(slices.Index(p.live, gen), 0)
	forgotten := p.cfg.Library.Retire(p.live[:now], p.live[now:])
	p.live = slices.Delete(p.live, 0, now)
	if len(forgotten) == 0 {
		return
	}
	p.closing.Go(func() { // giving memory back takes milliseconds, for which the log need not wait
		if err := module.Close(ctx, forgotten); err != nil {
			p.cfg.Report(Warn, "closing modules that no longer run", "error", err)
		}
	})
}

// reach is called before and after everything that outlives the process.
func (p *Pipeline) reach(step string) error {
	if p.step == nil {
		return nil
	}
	return p.step(step)
}

// Wait returns what became of the control record at seq, after it was processed and what it changed was committed.
// Of one that was in the log before this start only that is known: it returns nil. The error wraps
// storage.ErrUnavailable when Run has ended; the record is in the log and is processed by the next start.
func (p *Pipeline) Wait(ctx context.Context, seq uint64) error {
	p.mu.Lock()
	if err, ok := p.results[seq]; ok {
		delete(p.results, seq)
		p.mu.Unlock()
		return err
	}
	if p.processed.Load() >= seq {
		p.mu.Unlock()
		return nil
	}
	if p.ended {
		p.mu.Unlock()
		return errEnded
	}
	ch := make(chan error, 1)
	p.waiters[seq] = append(p.waiters[seq], ch)
	p.mu.Unlock()
	select {
	case err := <-ch:
		return err
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.waiters[seq] = slices.DeleteFunc(p.waiters[seq], func(c chan error) bool { return c == ch }); len(p.waiters[seq]) == 0 {
			delete(p.waiters, seq)
		}
		return fmt.Errorf("wait for control record %d: %w", seq, ctx.Err())
	}
}

// Carried returns what became of what rules knew at the control record at seq, which Wait has returned for; it is
// forgotten when a thousand later ones had something to tell.
func (p *Pipeline) Carried(seq uint64) []Carried {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.carried[seq]
}

var errEnded = fmt.Errorf("the host is stopping: the change is in the log and takes effect at the next start: %w", storage.ErrUnavailable)

// answer tells who waits for control records up to seq what became of them. Everything up to seq is committed.
func (p *Pipeline) answer(seq uint64, outcomes map[uint64]error, carried map[uint64][]Carried) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(p.carried, carried)
	for len(p.carried) > maxResults {
		delete(p.carried, slices.Min(slices.Collect(maps.Keys(p.carried))))
	}
	for at, err := range outcomes {
		if _, waits := p.waiters[at]; !waits {
			p.results[at] = err // its publisher is about to ask
		}
	}
	for len(p.results) > maxResults {
		delete(p.results, slices.Min(slices.Collect(maps.Keys(p.results))))
	}
	p.processed.Store(seq)
	for at, chs := range p.waiters {
		if at > seq {
			continue
		}
		for _, ch := range chs {
			ch <- outcomes[at]
		}
		delete(p.waiters, at)
	}
}

// end lets go of who waits for what this run will not process.
func (p *Pipeline) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	for at, chs := range p.waiters {
		for _, ch := range chs {
			ch <- errEnded
		}
		delete(p.waiters, at)
	}
}

const maxResults = 1024
