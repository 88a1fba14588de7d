// Package monitor polls: each watch of each organization runs on its schedule, and what it finds enters by the queue
// like any sender's records.
package monitor

import (
	"container/heap"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/probe"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/runtime"
	declared "github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Sink takes the records of a poll; nil means that they are safe. It may be called from many goroutines at once.
type Sink interface {
	Put(ctx context.Context, t storage.Tenant, src queue.Source, recs []queue.Raw) error
}

// Source says what should run. It may be called from any goroutine.
type Source interface {
	Generation() *module.Generation
}

// Store keeps where polls stand, and the texts that were pulled. It may be called from any goroutine; *meta.DB is one.
type Store interface {
	AllPolls(ctx context.Context) ([]meta.Poll, error)
	SavePolls(ctx context.Context, list []meta.Poll) error
	RemovePoll(ctx context.Context, t storage.Tenant, watch string) error
	SealedCredential(ctx context.Context, t storage.Tenant, name string) (meta.Credential, []byte, error)
	LatestConfig(ctx context.Context, t storage.Tenant, device, name string) (meta.ConfigVersion, []byte, error)
	BlessedConfig(ctx context.Context, t storage.Tenant, device, name string) (digest string, text []byte, err error)
	AddConfig(ctx context.Context, t storage.Tenant, v meta.ConfigVersion, text []byte) error
}

// Config is what the scheduler needs. Everything is required but what names a default.
type Config struct {
	Generations Source
	Library     *module.Library
	Sink        Sink
	Store       Store
	Vault       *probe.Vault
	Prober      *probe.Prober                                                                       // default: its zero value
	Tenants     func() []storage.Tenant                                                             // organizations that monitors may run for
	Fixed       func(t storage.Tenant) []module.Watch                                               // watches that no control record set; default: none
	Device      func(ctx context.Context, t storage.Tenant, name string) (d meta.Device, err error) // of an organization's inventory
	Jitter      func() float64                                                                      // random in [0, 1)
	Look        time.Duration                                                                       // how often the generation is looked at; default 1s
	Polls       int                                                                                 // at once; default 64. One organization has at most a quarter
	Report      func(text string, args ...any)                                                      // what an operator should know
	Used        func(t storage.Tenant, module string, shared bool, found *runtime.Polled)           // what each poll took; default: nobody counts it
	Now         func() time.Time                                                                    // default time.Now
}

// Limits of the scheduler.
const (
	MaxCursorBytes  = 64 << 10         // what a poll leaves for the next one
	MaxOpenModules  = 256              // of different code, settings or organization
	minInterval     = time.Second      // whoever asks for less gets this
	defaultInterval = time.Minute      // of a manifest without a schedule
	defaultTimeout  = 10 * time.Second // of one poll
	putTimeout      = 10 * time.Second // for the records of one poll to be safe
	saveEvery       = time.Second      // where polls stand; what a kill loses of it is polled again
	idleModule      = 10 * time.Minute // after which a module that nobody polls with is closed
)

// Scheduler starts and stops polls as what runs changes.
type Scheduler struct {
	cfg   Config
	codes codes
	tries chan struct{} // polls that a person waits for

	mu     sync.Mutex // guards what follows, which Run alone changes
	jobs   map[key]*job
	states map[key]*meta.Poll
	dirty  map[key]bool // states that were not saved yet

	// Of Run alone.
	due     dueHeap
	ready   map[storage.Tenant][]*job
	ring    []storage.Tenant // organizations with jobs that are ready, in the order of their turns
	busy    map[storage.Tenant]int
	running int
	done    chan *job
	all     sync.WaitGroup
}

type key struct {
	tenant storage.Tenant
	watch  string
}

// job is one watch on its schedule.
type job struct {
	key
	watch   module.Watch
	install module.Install
	shared  bool // the module is one that all organizations run
	manifest
	due   time.Time // of the next poll
	index int       // in the heap; -1: not there
	ended bool      // it shall not run again
	busy  bool
}

// manifest is what a job takes from the module's manifest, or from its watch.
type manifest struct{ interval, jitter, timeout time.Duration }

// New returns a scheduler. Poll states are read when it runs.
func New(cfg Config) *Scheduler {
	if cfg.Look == 0 {
		cfg.Look = time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Polls == 0 {
		cfg.Polls = 64
	}
	if cfg.Prober == nil {
		cfg.Prober = &probe.Prober{}
	}
	if cfg.Fixed == nil {
		cfg.Fixed = func(storage.Tenant) []module.Watch { return nil }
	}
	return &Scheduler{
		cfg: cfg, codes: codes{library: cfg.Library, open: map[codeKey]*code{}}, tries: make(chan struct{}, maxTries),
		jobs: map[key]*job{}, states: map[key]*meta.Poll{}, dirty: map[key]bool{},
		ready: map[storage.Tenant][]*job{}, busy: map[storage.Tenant]int{}, done: make(chan *job),
	}
}

// Run polls until ctx ends and returns when nothing of it runs any more, and where polls stand is saved.
func (s *Scheduler) Run(ctx context.Context) {
	s.recall(ctx)
	look, save := time.NewTicker(s.cfg.Look), time.NewTicker(saveEvery)
	defer look.Stop()
	defer save.Stop()
	saving := make(chan struct{}, 1) // one at a time; what changes meanwhile waits for the next
	next := time.NewTimer(time.Hour)
	defer next.Stop()
	var last *module.Generation
	for ctx.Err() == nil {
		if g := s.cfg.Generations.Generation(); g != last {
			s.follow(ctx, g)
			last = g
		}
		s.dispatch(ctx, time.Now())
		if len(s.due) > 0 {
			next.Reset(time.Until(s.due[0].due))
		} else {
			next.Reset(time.Hour)
		}
		select {
		case <-ctx.Done():
		case <-look.C:
			s.codes.sweep(ctx, time.Now().Add(-idleModule))
		case <-next.C:
		case j := <-s.done:
			s.finish(j)
		case <-save.C:
			select {
			case saving <- struct{}{}:
				s.all.Go(func() { s.save(ctx); <-saving })
			default:
			}
		}
	}
	for s.running > 0 {
		s.finish(<-s.done)
	}
	s.all.Wait()
	ctx = context.WithoutCancel(ctx)
	s.save(ctx)
	s.codes.sweep(ctx, time.Now().Add(time.Hour))
}

// recall reads where polls stood when the host ended.
func (s *Scheduler) recall(ctx context.Context) {
	list, err := s.cfg.Store.AllPolls(ctx)
	if err != nil && ctx.Err() == nil {
		s.cfg.Report("where monitors were is not known: they start anew", "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list {
		s.states[key{list[i].Tenant, list[i].Watch}] = &list[i]
	}
}

// save writes the states that changed since it was called last.
func (s *Scheduler) save(ctx context.Context) {
	s.mu.Lock()
	list := make([]meta.Poll, 0, len(s.dirty))
	for k := range s.dirty {
		list = append(list, *s.states[k])
	}
	clear(s.dirty)
	s.mu.Unlock()
	err := s.cfg.Store.SavePolls(ctx, list)
	if err == nil {
		return
	}
	s.mu.Lock()
	for i := range list { // the next time, which may be the last one
		if k := (key{list[i].Tenant, list[i].Watch}); s.states[k] != nil {
			s.dirty[k] = true
		}
	}
	s.mu.Unlock()
	if ctx.Err() == nil {
		s.cfg.Report("where monitors are could not be saved", "error", err)
	}
}

// follow starts what a generation has and stops what it has not.
func (s *Scheduler) follow(ctx context.Context, g *module.Generation) {
	wanted := map[key]*job{}
	for _, t := range s.cfg.Tenants() {
		monitors := map[string]*module.Loaded{}
		for _, m := range g.View(t).Monitors() {
			monitors[m.Name()] = m
		}
		add := func(w module.Watch) {
			if m := monitors[w.Module]; m != nil && !w.Off {
				wanted[key{t, w.ID}] = newJob(t, w, m)
			}
		}
		for _, w := range s.cfg.Fixed(t) {
			add(w)
		}
		for _, w := range g.Running.Layer(t).Watches {
			add(w)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, j := range s.jobs {
		w := wanted[k]
		if w != nil && w.watch.Seq == j.watch.Seq && w.install.Seq == j.install.Seq {
			delete(wanted, k) // it goes on as it is
			continue
		}
		s.end(j)
	}
	for k := range s.states {
		if !s.exists(g, k) {
			s.forget(ctx, k)
		}
	}
	now := time.Now()
	for k, j := range wanted {
		s.jobs[k] = j
		j.due = s.first(j, now)
		heap.Push(&s.due, j)
	}
}

// exists reports whether a watch is there, whether or not it runs.
func (s *Scheduler) exists(g *module.Generation, k key) bool {
	_, there := g.Running.Layer(k.tenant).Watches[k.watch]
	return there || slices.ContainsFunc(s.cfg.Fixed(k.tenant), func(w module.Watch) bool { return w.ID == k.watch })
}

// end takes a job out of the schedule. One that is polling ends when its poll does.
func (s *Scheduler) end(j *job) {
	j.ended = true
	delete(s.jobs, j.key)
	if j.index >= 0 {
		heap.Remove(&s.due, j.index)
	}
}

// forget drops where the polls of a watch stood that is no more: another of that name is another.
func (s *Scheduler) forget(ctx context.Context, k key) {
	delete(s.states, k)
	delete(s.dirty, k)
	s.all.Go(func() {
		if err := s.cfg.Store.RemovePoll(ctx, k.tenant, k.watch); err != nil && ctx.Err() == nil && !errors.Is(err, storage.ErrNotFound) {
			s.cfg.Report("where a monitor was could not be removed", "organization", k.tenant, "watch", k.watch, "error", err)
		}
	})
}

func newJob(t storage.Tenant, w module.Watch, m *module.Loaded) *job {
	j := &job{key: key{t, w.ID}, watch: w, install: m.Install, shared: m.Tenant == storage.NoTenant, index: -1}
	j.interval, j.jitter, j.timeout = Schedule(&m.Manifest)
	for _, o := range []struct{ to, from *time.Duration }{{&j.interval, &w.Interval}, {&j.jitter, &w.Jitter}, {&j.timeout, &w.Timeout}} {
		if *o.from != 0 {
			*o.to = *o.from
		}
	}
	j.interval = max(j.interval, minInterval)
	if w.Interval != 0 && w.Jitter == 0 {
		j.jitter = min(j.jitter, j.interval/10) // the module's fits the module's interval
	}
	return j
}

// Schedule is when a module polls for a watch that says nothing about it.
func Schedule(m *declared.Manifest) (interval, jitter, timeout time.Duration) {
	interval, timeout = defaultInterval, defaultTimeout
	if sc := m.Schedule; sc != nil {
		interval, jitter = time.Duration(sc.Interval), time.Duration(sc.Jitter)
		if sc.Timeout != 0 {
			timeout = time.Duration(sc.Timeout)
		}
	}
	return interval, jitter, timeout
}

// first says when a job that is new polls first: when it would have without the restart, and not all at once.
func (s *Scheduler) first(j *job, now time.Time) time.Time {
	spread := time.Duration(s.cfg.Jitter() * float64(min(j.interval, j.jitter+time.Second)))
	if st := s.states[j.key]; st != nil && st.Module == j.watch.Module && j.watch.At < st.Last && st.Last <= now.UnixNano() {
		if at := time.Unix(0, st.Last).Add(j.interval); at.After(now) {
			return at.Add(spread)
		}
	}
	return now.Add(spread)
}

// dispatch makes the jobs ready whose time has come and starts as many as may run, organization by organization.
func (s *Scheduler) dispatch(ctx context.Context, now time.Time) {
	for len(s.due) > 0 && !s.due[0].due.After(now) {
		j, _ := heap.Pop(&s.due).(*job)
		if len(s.ready[j.tenant]) == 0 {
			s.ring = append(s.ring, j.tenant)
		}
		s.ready[j.tenant] = append(s.ready[j.tenant], j)
	}
	most := max(1, s.cfg.Polls/4)
	for turn := 0; turn < len(s.ring) && s.running < s.cfg.Polls; {
		t := s.ring[0]
		s.ring = s.ring[1:]
		list := s.ready[t]
		if s.busy[t] >= most {
			s.ring = append(s.ring, t)
			turn++ // nothing of this one can start now
			continue
		}
		j := list[0]
		if s.ready[t] = list[1:]; len(list) == 1 {
			delete(s.ready, t)
		} else {
			s.ring = append(s.ring, t)
		}
		if j.ended {
			continue
		}
		turn = 0
		s.running++
		s.busy[t]++
		j.busy = true
		s.all.Go(func() {
			s.poll(ctx, j)
			s.done <- j
		})
	}
}

// finish puts a job that has polled back into the schedule.
func (s *Scheduler) finish(j *job) {
	s.running--
	if s.busy[j.tenant]--; s.busy[j.tenant] == 0 {
		delete(s.busy, j.tenant)
	}
	j.busy = false
	if j.ended {
		return
	}
	now := time.Now()
	next := j.due.Add(j.interval)
	if next.Before(now) {
		next = now // it took longer than its interval, or had to wait: it does not catch up
	}
	s.mu.Lock()
	j.due = next.Add(time.Duration(s.cfg.Jitter() * float64(j.jitter)))
	s.mu.Unlock()
	heap.Push(&s.due, j)
}

// Status is where a watch stands.
type Status struct {
	meta.Poll
	Runs     bool      // it is on the schedule: its module runs, and it is not switched off
	Next     time.Time // of the next poll, when it runs
	Interval time.Duration
}

// Status returns where a watch stands; the zero Status for one that has never run. It may be called by any goroutine.
func (s *Scheduler) Status(t storage.Tenant, watch string) Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out Status
	if st := s.states[key{t, watch}]; st != nil {
		out.Poll = *st
	}
	if j := s.jobs[key{t, watch}]; j != nil {
		out.Runs, out.Next, out.Interval = true, j.due, j.interval
	}
	return out
}

// dueHeap orders jobs by their next poll.
type dueHeap []*job

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(a, b int) bool { return h[a].due.Before(h[b].due) }
func (h dueHeap) Swap(a, b int) {
	h[a], h[b] = h[b], h[a]
	h[a].index, h[b].index = a, b
}

// Push is for container/heap.
func (h *dueHeap) Push(x any) {
	j, _ := x.(*job)
	j.index = len(*h)
	*h = append(*h, j)
}

// Pop is for container/heap.
func (h *dueHeap) Pop() any {
	old := *h
	j := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	j.index = -1
	return j
}
