package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// sequencer takes messages in the order of the log: it alone touches the keyed state and the incidents.
type sequencer struct {
	p          *Pipeline
	cost       *thread
	seq        uint64 // last message taken
	at         int64  // its log time
	pending    int    // messages since the last commit
	outcomes   map[uint64]error
	quarantine []meta.QuarantineEntry
	events     int   // since the last checkpoint
	lastCkpt   int64 // log time of the last checkpoint
	fresh      []storage.Event
	stored     []storedFrame // frames that were appended and are not durable yet
	durable    position      // every row up to here is on disk
}

type position struct {
	seq uint64
	at  int64
}

// storedFrame is a frame whose rows were handed to the store.
type storedFrame struct {
	position
	onDisk bool // already, when the store was opened
}

func (p *Pipeline) sequence(ctx context.Context, order <-chan *item) error {
	s := &sequencer{p: p, cost: p.Cost.thread(), outcomes: map[uint64]error{}, seq: p.start - 1, durable: p.durable}
	defer s.cost.release()
	for {
		var it *item
		var ok bool
		select {
		case it, ok = <-order:
		default: // nothing waits: what was folded so far should be seen now
			if err := s.commit(ctx); err != nil {
				return err
			}
			it, ok = <-order
		}
		if !ok {
			return s.finish()
		}
		if err := s.take(ctx, it); errors.Is(err, errStopped) {
			return s.finish()
		} else if err != nil {
			return err
		}
		if s.pending >= commitItems {
			if err := s.commit(ctx); err != nil {
				return err
			}
		}
		if s.due() {
			if err := s.checkpoint(ctx); err != nil {
				return err
			}
		}
	}
}

// errStopped says that the process ends before a message was taken.
var errStopped = errors.New("stopped")

// finish commits and checkpoints what was taken, when the log has ended for this process.
func (s *sequencer) finish() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return s.checkpoint(ctx)
}

func (s *sequencer) take(ctx context.Context, it *item) error {
	if it.parsed != nil {
		select {
		case <-it.parsed:
		case <-ctx.Done():
			return errStopped
		}
	}
	if it.err != nil {
		return it.err
	}
	s.seq, s.at = it.msg.Seq, max(s.at, it.msg.LogTime)
	s.p.logTime.Store(s.at)
	s.pending++
	if s.lastCkpt == 0 {
		s.lastCkpt = s.at
	}
	var err error
	switch it.msg.Kind {
	case queue.KindFrame:
		err = s.frame(ctx, it)
	case queue.KindControl:
		err = s.control(ctx, it)
	default:
		s.time(it)
	}
	it.reset()
	itemPool.Put(it)
	return err
}

func (it *item) reset() {
	clear(it.events)
	clear(it.hits)
	*it = item{frame: it.frame, events: it.events[:0], hits: it.hits[:0], times: it.times[:0]}
}

// replayed says that the checkpoint already holds what a position does to rules and incidents.
func (s *sequencer) replayed() bool { return s.seq <= s.p.resume }

func (s *sequencer) frame(ctx context.Context, it *item) error {
	s.cost.begin()
	onDisk, err := s.store(ctx, it.events)
	if err != nil {
		return err
	}
	s.stored = append(s.stored, storedFrame{position{s.seq, s.at}, onDisk})
	s.cost.end(StageStore, len(it.events))
	s.events += len(it.events)
	if s.replayed() {
		return nil
	}
	s.cost.begin()
	s.fire(s.p.state.Apply(s.seq, s.at, it.times, it.hits))
	for i := range it.poison {
		s.poison(ctx, it, &it.poison[i])
	}
	s.cost.end(StageCorrelate, len(it.events))
	if s.seq >= s.p.liveFrom {
		s.p.Tails.publish(it.events)
	}
	return nil
}

// store appends the events that the store does not have yet. It reports whether it had all of them when it was opened:
// what was there then is on disk.
func (s *sequencer) store(ctx context.Context, events []storage.Event) (onDisk bool, err error) {
	if s.seq <= s.p.known {
		s.fresh = s.fresh[:0]
		for i := range events {
			if _, there := s.p.existing[events[i].ID]; !there {
				s.fresh = append(s.fresh, events[i])
			}
		}
		onDisk = len(s.fresh) == 0
		events = s.fresh
	} else if s.p.existing != nil {
		s.p.existing = nil
	}
	for {
		err := s.p.cfg.Store.Append(ctx, s.seq, events)
		if !errors.Is(err, storage.ErrUnavailable) {
			return onDisk, err
		}
		select { // the log keeps everything meanwhile, and holds senders up when it is full
		case <-time.After(appendRetry):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// fire folds a message's firings; also when there are none, since the fold forgets by the passing of messages.
func (s *sequencer) fire(fs []correlate.Firing) {
	out := make([]incident.Firing, len(fs))
	for i, f := range fs {
		out[i] = incident.Firing(f)
	}
	s.p.fold.Fire(s.seq, s.at, out)
}

func (s *sequencer) time(it *item) {
	if s.replayed() {
		return
	}
	s.fire(s.p.state.Tick(s.seq, s.at))
}

// poison puts a record into quarantine and suspends a module that keeps failing.
func (s *sequencer) poison(ctx context.Context, it *item, x *Poison) {
	s.quarantine = append(s.quarantine, meta.QuarantineEntry{
		Tenant: x.Tenant, Position: x.ID, Module: x.Module.Name(), Digest: x.Module.Install.Digest,
		Code: x.Code, Detail: x.Detail, Raw: x.Raw, At: s.at,
	})
	if !s.p.health.failed(x.Module, s.at) || s.seq < s.p.liveFrom {
		return
	}
	c := module.Control{
		Kind: module.Suspend, Tenant: x.Module.Tenant, Name: x.Module.Name(), Who: incident.ByVedette,
		Reason: fmt.Sprintf("%d records failed within a minute, the last with %s: %s", failuresAllowed, x.Code, x.Detail),
	}
	if slot := it.gen.Running.Layer(c.Tenant).Slots[c.Name]; len(slot.Previous) > 0 {
		c.Kind = module.Rollback
	}
	if len(c.Reason) > 2048 {
		c.Reason = c.Reason[:2048]
	}
	if b, err := c.Encode(); err == nil {
		if _, err = s.p.cfg.Queue.PublishControl(ctx, b); err == nil {
			s.p.cfg.Report(Warn, "a module keeps failing and was taken out", "module", c.Name, "organization", c.Tenant, "done", c.Kind, "reason", c.Reason)
		}
	}
}

func (s *sequencer) control(ctx context.Context, it *item) error {
	if it.applied != nil || it.control == nil {
		s.outcomes[s.seq] = it.applied
		return nil
	}
	if it.changed {
		return s.changed(ctx, it)
	}
	if s.replayed() {
		return nil
	}
	c := it.control
	s.outcomes[s.seq] = s.p.fold.Act(s.seq, s.at, incident.Action{
		Tenant: c.Tenant, Incident: c.IncidentID, Who: c.Who, Do: incident.Do(c.Action), Arg: c.Argument,
	})
	return nil
}

// changed takes over a new generation. Everything before it has been processed, so no older one is in use.
func (s *sequencer) changed(ctx context.Context, it *item) error {
	s.p.bases = append(s.p.bases, it.gen.Running)
	if !s.replayed() {
		s.p.setRules(it.gen, it.control.Tenant)
	}
	s.p.retire(ctx, it.gen)
	s.outcomes[s.seq] = nil
	return nil
}

// commit writes what changed since the last commit in one transaction.
func (s *sequencer) commit(ctx context.Context) error {
	if s.pending == 0 {
		return nil
	}
	s.cost.begin()
	b := s.p.fold.Take()
	if !b.Empty() || len(s.quarantine) > 0 {
		out := batchOf(b)
		out.Quarantine = s.quarantine
		if err := s.p.cfg.DB.Apply(ctx, s.seq, out); err != nil {
			return fmt.Errorf("commit up to position %d: %w", s.seq, err)
		}
		s.quarantine = nil
		for _, i := range b.Forgotten {
			s.p.cfg.Report(Warn, "too many open incidents: one is no longer counted", "organization", i.Tenant, "incident", i.ID)
		}
		s.p.mu.Lock()
		woken := s.p.woken
		s.p.mu.Unlock()
		for _, f := range woken {
			f()
		}
	}
	for _, r := range s.p.state.Reports() {
		s.p.cfg.Report(Warn, "the state of a rule changed", "organization", r.Tenant, "rule", r.Rule, "what", r.Kind, "keys", r.Keys)
	}
	s.cost.end(StageIncident, 0)
	s.p.answer(s.seq, s.outcomes)
	clear(s.outcomes)
	s.pending = 0
	return nil
}

func batchOf(b incident.Batch) meta.Batch {
	out := meta.Batch{Incidents: b.Incidents, History: b.History}
	for _, p := range b.Patches {
		out.Patches = append(out.Patches, meta.Patch(p))
	}
	for _, n := range b.Notices {
		out.Notices = append(out.Notices, meta.Notice(n))
	}
	return out
}
