// Package monitor polls: each monitor of each organization runs on its schedule, and what it finds enters by the queue
// like any sender's records.
package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/storage"
)

// Sink takes the records of a poll; nil means that they are safe. It may be called from many goroutines at once.
type Sink interface {
	Put(ctx context.Context, t storage.Tenant, src queue.Source, recs []queue.Raw) error
}

// Source says what should run. It may be called from any goroutine.
type Source interface {
	Generation() *module.Generation
}

// Config is what the scheduler needs. Everything is required but what names a default.
type Config struct {
	Generations Source
	Library     *module.Library
	Sink        Sink
	Tenants     func() []storage.Tenant                  // organizations that monitors may run for
	Granted     func(t storage.Tenant, name string) bool // whether an organization granted a monitor targets
	Jitter      func() float64                           // random in [0, 1)
	Look        time.Duration                            // how often the generation is looked at; default 1s
	Report      func(text string, args ...any)           // what an operator should know
	Now         func() time.Time                         // default time.Now
}

// Limits of the scheduler.
const (
	MaxTasks        = 1000             // monitors of all organizations together; each holds a copy of its module, 1 to 4 MiB
	MaxCursorBytes  = 64 << 10         // what a poll leaves for the next one
	minInterval     = time.Second      // a manifest that asks for less gets this
	defaultInterval = time.Minute      // of a manifest without a schedule
	putTimeout      = 10 * time.Second // for the records of one poll to be safe
)

// Scheduler starts and stops polls as what runs changes.
type Scheduler struct {
	cfg   Config
	tasks map[key]*task
	all   sync.WaitGroup
}

type key struct {
	tenant storage.Tenant
	name   string
	digest string
	seq    uint64 // of the control record, so that new settings start a new task
}

type task struct{ stop context.CancelFunc }

// New returns a scheduler.
func New(cfg Config) *Scheduler {
	if cfg.Look == 0 {
		cfg.Look = time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Scheduler{cfg: cfg, tasks: map[key]*task{}}
}

// Run polls until ctx ends and returns when nothing of it runs any more.
func (s *Scheduler) Run(ctx context.Context) {
	defer s.all.Wait()
	t := time.NewTicker(s.cfg.Look)
	defer t.Stop()
	var last *module.Generation
	for {
		if g := s.cfg.Generations.Generation(); g != last {
			s.follow(ctx, g)
			last = g
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// follow starts what a generation has and stops what it has not.
func (s *Scheduler) follow(ctx context.Context, g *module.Generation) {
	wanted := map[key]*module.Loaded{}
tenants:
	for _, t := range s.cfg.Tenants() {
		for _, m := range g.View(t).Monitors() {
			if m.Tenant == storage.NoTenant && !s.cfg.Granted(t, m.Name()) {
				continue // a shared monitor runs for those who told it where
			}
			if len(wanted) == MaxTasks {
				s.cfg.Report("too many monitors: the rest does not run", "limit", MaxTasks)
				break tenants
			}
			wanted[key{t, m.Name(), m.Install.Digest, m.Install.Seq}] = m
		}
	}
	for k, t := range s.tasks {
		if wanted[k] == nil {
			t.stop()
			delete(s.tasks, k)
		}
	}
	for k, m := range wanted {
		if s.tasks[k] == nil {
			ctx, stop := context.WithCancel(ctx)
			s.tasks[k] = &task{stop}
			s.all.Go(func() { s.poll(ctx, k.tenant, m) })
		}
	}
}

// poll runs one monitor of one organization until ctx ends. Between a start of the host and the first poll there is no
// cursor: a monitor that needs one keeps it in what it polls.
func (s *Scheduler) poll(ctx context.Context, t storage.Tenant, shared *module.Loaded) {
	interval, jitter := defaultInterval, time.Duration(0)
	if sc := shared.Manifest.Schedule; sc != nil {
		interval, jitter = max(time.Duration(sc.Interval), minInterval), time.Duration(sc.Jitter)
	}
	wait := time.NewTimer(time.Duration(s.cfg.Jitter() * float64(min(interval, jitter+time.Second))))
	defer wait.Stop()
	var m *module.Loaded // a copy that reaches only what this organization has granted
	defer func() {
		if m != nil {
			_ = m.Code.Close(context.WithoutCancel(ctx)) // frees memory; there is nothing to do about an error
		}
	}()
	var cursor []byte
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		began := time.Now()
		if m == nil {
			var err error
			if m, err = s.cfg.Library.Open(ctx, t, shared.Install); err != nil && ctx.Err() == nil {
				s.cfg.Report("a monitor cannot run", "organization", t, "module", shared.Name(), "error", err)
			}
		}
		if m != nil {
			cursor = s.once(ctx, t, m, cursor)
		}
		wait.Reset(max(interval-time.Since(began), 0) + time.Duration(s.cfg.Jitter()*float64(jitter)))
	}
}

// once polls and puts what was found into the queue. When the records could not be put, the cursor stays where it was,
// so that the next poll finds them again.
func (s *Scheduler) once(ctx context.Context, t storage.Tenant, m *module.Loaded, cursor []byte) []byte {
	var found runtime.Polled
	now := s.cfg.Now()
	err := m.Code.Poll(ctx, abi.EncodePoll(nil, 0, now.UnixNano(), cursor), &found)
	if ctx.Err() != nil {
		return cursor
	}
	if err == nil && len(found.Cursor) > MaxCursorBytes {
		err = &runtime.Trap{
			Code: runtime.CodeLimit, Module: m.Install.Digest, Fuel: found.Fuel,
			Detail: fmt.Sprintf("a cursor of %d bytes, at most %d are kept", len(found.Cursor), MaxCursorBytes),
		}
	}
	records := found.Records
	if err != nil {
		records = [][]byte{failure(m, now, err)}
	}
	raws := make([]queue.Raw, 0, len(records))
	for _, r := range records {
		raw := queue.Raw{Bytes: r, Received: now.UnixNano()}
		if len(r) > queue.MaxRecordBytes {
			raw.Bytes, raw.Flags = r[:queue.MaxRecordBytes], queue.FlagTruncated
		}
		raws = append(raws, raw)
	}
	if len(raws) > 0 {
		ctx, cancel := context.WithTimeout(ctx, putTimeout)
		defer cancel()
		if e := s.cfg.Sink.Put(ctx, t, queue.Source{Listener: "monitor:" + m.Manifest.Name}, raws); e != nil {
			s.cfg.Report("the records of a poll were refused", "organization", t, "module", m.Name(), "error", e)
			return cursor
		}
	}
	if err != nil {
		return cursor
	}
	return append([]byte(nil), found.Cursor...)
}

// failure is the record of a poll that failed.
func failure(m *module.Loaded, at time.Time, err error) []byte {
	code := "E_TRAP"
	var trap *runtime.Trap
	if errors.As(err, &trap) {
		code = trap.Code
	} else if errors.Is(err, runtime.ErrStalled) {
		code = "E_DEADLINE"
	}
	b, e := json.Marshal(map[string]any{
		"@timestamp": at.UTC().Format(time.RFC3339Nano), "event.kind": "event", "event.dataset": "vedette.monitor",
		"event.outcome": "failure", "event.provider": m.Name(), "error.code": code, "error.message": err.Error(),
	})
	if e != nil {
		return []byte(`{"event.dataset":"vedette.monitor","event.outcome":"failure"}`)
	}
	return b
}
