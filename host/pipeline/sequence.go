package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	tally      tally
	inner      nesting
	code       coder                // of modules that remember
	paid       [storage.Costs]int64 // of what the process has spent, what the ledger has
	seq        uint64               // last message taken
	at         int64                // its log time
	gen        *module.Generation   // in force there
	pending    int                  // messages since the last commit
	outcomes   map[uint64]error
	carried    map[uint64][]Carried // by the control records since the last commit
	amends     []module.Control     // that follow from what was processed and are not in the log yet
	writes     []write              // to lists, of the message at hand
	past       past
	quarantine []meta.QuarantineEntry
	removals   []meta.Removal
	fires      []meta.RuleFires // since the last commit
	gaps       []meta.Gap
	late       map[storage.Tenant]*spell
	lateLooked int64 // log time at which spells were looked at
	events     int   // since the last checkpoint
	lastCkpt   int64 // log time of the last checkpoint
	saving     saving
	fresh      []storage.Event
	firings    []incident.Firing
	stored     []storedFrame // frames that were appended and are not durable yet
	appended   uint64        // last frame handed to the store
	durable    uint64        // every row up to here is on disk
}

// storedFrame is a frame whose rows were handed to the store.
type storedFrame struct {
	seq    uint64
	onDisk bool // already, when the store was opened
}

// sequence takes messages until order is closed or ctx ends. ctx only says when to stop: what is done for a message is
// done as a whole.
func (p *Pipeline) sequence(ctx context.Context, order <-chan *item) error {
	s := &sequencer{p: p, cost: p.Cost.thread(), tally: tally{costs: p.Cost}, outcomes: map[uint64]error{}, carried: map[uint64][]Carried{}, seq: p.start - 1, durable: p.start - 1}
	p.state.SetNesting(&s.inner)
	s.past.begins = p.unnoted
	s.code, s.amends = coder{tally: &s.tally, state: p.kept}, p.due
	if p.cfg.History != nil {
		s.code.rebuild = s.lookBack
	}
	defer s.cost.release()
	defer s.saving.group.Wait() // nothing is written any more once this has returned
	whole := context.WithoutCancel(ctx)
	for {
		it, ok, err := s.wait(whole, order)
		if err != nil {
			return err
		}
		if !ok {
			return s.finish(whole)
		}
		if err := s.take(ctx, it); errors.Is(err, errStopped) {
			return s.finish(whole)
		} else if err != nil {
			return err
		}
		if s.pending >= commitItems {
			if err := s.commit(whole); err != nil {
				return err
			}
		}
		if s.due() {
			if err := s.checkpoint(whole); err != nil {
				return err
			}
		}
	}
}

// wait returns the next message; ok is false when there is none any more. What was folded so far is committed before it blocks,
// since it should be seen then. Questions are answered, and a checkpoint that is written is noted, whatever comes.
func (s *sequencer) wait(ctx context.Context, order <-chan *item) (it *item, ok bool, err error) {
	for err == nil {
		select {
		case it, ok = <-order:
			return it, ok, nil
		case q := <-s.p.questions:
			q.put(s.p.state)
			continue
		case e := <-s.saving.written:
			err = s.saved(ctx, e)
			continue
		default:
		}
		if err = s.commit(ctx); err != nil {
			break
		}
		select {
		case it, ok = <-order:
			return it, ok, nil
		case q := <-s.p.questions:
			q.put(s.p.state)
		case e := <-s.saving.written:
			err = s.saved(ctx, e)
		}
	}
	return nil, false, err
}

// errStopped says that the process ends before a message was taken.
var errStopped = errors.New("stopped")

// take does all that a message asks for but the commit. When it returns errStopped, nothing was done.
func (s *sequencer) take(ctx context.Context, it *item) error {
	if it.parsed != nil {
		select {
		case <-it.parsed:
		case <-ctx.Done():
			return errStopped
		}
		if it.err != nil && ctx.Err() != nil {
			return errStopped
		}
		if it.err != nil {
			return it.err
		}
		s.cost.begin()
		if err := s.store(ctx, it); err != nil {
			return err
		}
		s.cost.end(StageStore, len(it.events))
	}
	before := s.at
	s.seq, s.at = it.msg.Seq, max(s.at, it.msg.LogTime)
	if s.seq > s.p.resume {
		s.noteSilence(max(before, s.p.resumeAt))
		s.endLate()
	}
	running := &s.p.current.Load().Running
	if err := s.noteAll(running); err != nil {
		return err
	}
	s.note(running, it)
	s.gen = it.gen
	s.p.logTime.Store(s.at)
	s.inner.gen = it.gen
	s.pass()
	s.spend(it.spent)
	s.pending++
	if s.lastCkpt == 0 {
		s.lastCkpt = s.at
	}
	switch {
	case it.msg.Kind == queue.KindControl:
		if err := s.control(ctx, it); err != nil {
			return err
		}
	case s.seq <= s.p.resume: // the checkpoint holds what it did to rules and incidents
	case it.msg.Kind == queue.KindFrame:
		if err := s.frame(ctx, it); err != nil {
			return err
		}
	default:
		if err := s.tick(ctx, it); err != nil {
			return err
		}
	}
	it.reset()
	itemPool.Put(it)
	if s.seq > s.p.resume {
		s.drifted()
	}
	s.publishAmends(ctx)
	return nil
}

// reset makes an item ready for another message, with the memory that it has. Nobody keeps events or their fields, only
// their texts.
func (it *item) reset() {
	clear(it.events)
	clear(it.hits)
	clear(it.times)
	if cap(it.fields) > maxSlabFields {
		it.fields = nil
	}
	clear(it.fields)
	clear(it.late[:cap(it.late)])
	clear(it.spent)
	*it = item{
		frame: it.frame, events: it.events[:0], fields: it.fields[:0], hits: it.hits[:0], late: it.late[:0], times: it.times[:0],
		spent: it.spent[:0],
	}
}

// store appends the events that the store does not have yet. What it had when it was opened is on disk.
func (s *sequencer) store(ctx context.Context, it *item) error {
	seq, events := it.msg.Seq, it.events
	onDisk := false
	if seq <= s.p.known {
		s.fresh = s.fresh[:0]
		for i := range events {
			if _, there := s.p.existing[events[i].ID]; !there {
				s.fresh = append(s.fresh, events[i])
			}
		}
		onDisk = len(s.fresh) == 0
		events = s.fresh
	} else if s.p.existing != nil {
		s.p.existing, s.fresh = nil, nil
	}
	if err := s.p.reach("append"); err != nil {
		return err
	}
	for {
		err := s.p.cfg.Store.Append(context.WithoutCancel(ctx), seq, events)
		if err == nil {
			break
		}
		if !errors.Is(err, storage.ErrUnavailable) {
			return err
		}
		select { // the log keeps everything meanwhile, and holds senders up when it is full
		case <-time.After(appendRetry):
		case <-ctx.Done():
			return errStopped
		}
	}
	s.appended = seq
	s.stored = append(s.stored, storedFrame{seq, onDisk})
	s.events += len(it.events)
	return s.p.reach("appended")
}

// frame has the modules that remember judge a frame's hits, and hands these to the rules' state. A call of a module ends
// by its fuel, so what was begun for a frame is done as a whole.
func (s *sequencer) frame(ctx context.Context, it *item) error {
	s.cost.begin()
	timed, err := s.wake(ctx, it)
	if err != nil {
		return err
	}
	if err := s.code.late(context.WithoutCancel(ctx), it); err != nil {
		return err
	}
	s.cost.end(StageDetect, 0)
	s.spend(s.tally.list)
	s.tally.list = s.tally.list[:0]
	s.noteLate(it.events)
	s.fire(append(timed, s.p.state.Apply(s.seq, s.at, it.times, it.hits)...))
	for i := range it.poison {
		s.poison(it, &it.poison[i])
	}
	s.cost.end(StageCorrelate, 0)
	if s.seq >= s.p.liveFrom {
		s.p.Tails.publish(it.events)
		if s.p.cfg.Watch != nil {
			s.p.cfg.Watch.Events(s.at, it.events)
		}
	}
	return nil
}

// tick takes a message that carries nothing but time.
func (s *sequencer) tick(ctx context.Context, it *item) error {
	timed, err := s.wake(ctx, it)
	if err != nil {
		return err
	}
	s.spend(s.tally.list)
	s.tally.list = s.tally.list[:0]
	s.fire(append(timed, s.p.state.Tick(s.seq, s.at)...))
	for i := range it.poison {
		s.poison(it, &it.poison[i])
	}
	return nil
}

// wake lets the time of what modules remember pass, and returns what fires because of their timers.
func (s *sequencer) wake(ctx context.Context, it *item) ([]correlate.Firing, error) {
	s.p.kept.Advance(s.at)
	hits, err := s.code.wake(context.WithoutCancel(ctx), it, s.at)
	if err != nil || len(hits) == 0 {
		return nil, err
	}
	return s.p.state.Apply(s.seq, s.at, nil, hits), nil
}

// fire folds a message's firings; also when there are none, since the fold forgets by the passing of messages.
func (s *sequencer) fire(fs []correlate.Firing) {
	s.firings = s.firings[:0]
	for _, f := range fs {
		f.Lists = s.asked(&f)
		s.firings = append(s.firings, incident.Firing(f))
		if f.Clears {
			continue
		}
		s.fired(&f)
		s.listed(&f)
		s.p.drift.fired(f.Tenant, f.RuleDigest)
		s.count(storage.Consumer{Tenant: f.Tenant}, &found)
		if s.p.cfg.Watch != nil && s.seq >= s.p.liveFrom {
			s.p.cfg.Watch.Fired(s.at, f.Tenant, f.Rule, f.Severity)
		}
	}
	s.write()
	s.p.fold.Fire(s.seq, s.at, s.firings)
	clear(s.firings)
}

// poison puts a record into quarantine, and takes a module out that keeps failing. Taking out is a control record like
// any other, so what is decided here need not be decided again when the log is.
func (s *sequencer) poison(it *item, x *Poison) {
	s.quarantine = append(s.quarantine, meta.QuarantineEntry{
		Tenant: x.Tenant, Position: x.ID, Module: x.Module.Name(), Digest: x.Module.Install.Digest,
		Code: x.Code, Detail: x.Detail, Raw: x.Raw, At: s.at,
	})
	if n := s.p.health.failed(x, s.at); n > 0 {
		s.amend(remedy(it.gen.Running, x, s.at, n))
	}
}

func (s *sequencer) control(ctx context.Context, it *item) error {
	outcome := it.applied
	if s.seq > s.p.resume && (it.changed || it.control != nil && it.control.Entries != nil) {
		s.amends = slices.DeleteFunc(s.amends, func(a module.Control) bool { return answers(it.control, &a) })
	}
	switch {
	case it.applied != nil: // it changed nothing
	case it.changed && it.control.OfContext(): // which rules run stays as it is
		s.written(&s.p.current.Load().Running, it)
		s.p.bases = append(s.p.bases, it.gen.Running)
		s.p.retire(ctx, it.gen)
	case it.changed: // everything before it has been processed, so no older generation is in use
		s.p.bases = append(s.p.bases, it.gen.Running)
		if s.seq > s.p.resume && it.control.Kind == module.Forget {
			s.forget(it.control.Tenant)
		} else if s.seq > s.p.resume {
			if err := s.carry(ctx, it); err != nil {
				return err
			}
			s.p.kept.Wake()
		}
		s.p.retire(ctx, it.gen)
		for _, part := range it.control.Each() {
			s.p.health.taken(&part)
		}
		s.noteControl(it)
		if it.control.Kind == module.Throttle {
			s.rested(ctx, it.gen, it.control)
		}
	case s.seq > s.p.resume && it.control.Kind == module.Relearn:
		s.p.state.Relearn(it.control.Tenant, it.control.Name, it.control.Key)
	case s.seq > s.p.resume:
		c := it.control
		outcome = s.p.fold.Act(s.seq, s.at, incident.Action{
			Tenant: c.Tenant, Incident: c.IncidentID, Who: c.Who, Do: incident.Do(c.Action), Arg: c.Argument,
		})
	}
	if outcome != nil && s.seq >= s.p.liveFrom { // who published an earlier one is gone
		s.outcomes[s.seq] = outcome
	}
	return nil
}

// forget ends an organization: its incidents, users and tokens go with the next commit.
func (s *sequencer) forget(t storage.Tenant) {
	s.p.state.Forget(t)
	s.p.kept.Forget(t)
	s.p.fold.Forget(s.seq, t)
	s.p.ledger.Forget(t)
	s.quarantine = slices.DeleteFunc(s.quarantine, func(q meta.QuarantineEntry) bool { return q.Tenant == t })
	s.fires = slices.DeleteFunc(s.fires, func(f meta.RuleFires) bool { return f.Tenant == t })
	s.gaps = slices.DeleteFunc(s.gaps, func(g meta.Gap) bool { return g.Tenant == t })
	delete(s.late, t)
	if s.p.cfg.Watch != nil {
		s.p.cfg.Watch.Forget(t)
	}
	s.removals = append(s.removals, meta.Removal{Tenant: t, At: s.at})
}

// commit writes what changed since the last commit in one transaction.
func (s *sequencer) commit(ctx context.Context) error {
	if s.pending == 0 {
		return nil
	}
	if err := s.p.reach("commit"); err != nil {
		return err
	}
	s.cost.begin()
	reports := s.p.state.Reports()
	s.noteReports(reports)
	b := s.p.fold.Take()
	if !b.Empty() || len(s.quarantine)+len(s.removals)+len(s.fires)+len(s.gaps)+len(s.past.controls)+len(s.past.listed) > 0 {
		out := batchOf(b)
		out.Quarantine, out.Removals, out.Fires, out.Gaps = s.quarantine, s.removals, s.fires, s.gaps
		out.Controls, out.Listed = s.past.controls, s.past.listed
		if err := s.p.cfg.DB.Apply(ctx, s.seq, out); err != nil {
			return fmt.Errorf("commit up to position %d: %w", s.seq, err)
		}
		s.quarantine, s.removals, s.fires, s.gaps = nil, nil, nil, nil
		s.past.controls, s.past.listed = nil, nil
		for _, i := range b.Forgotten {
			s.p.cfg.Report(Warn, "too many open incidents: one is no longer counted", "organization", i.Tenant, "incident", i.ID)
		}
		s.p.mu.Lock()
		woken := s.p.woken
		s.p.mu.Unlock()
		changed := changedIn(&out)
		for _, f := range woken {
			f(changed)
		}
	}
	for _, r := range reports {
		s.p.cfg.Report(Warn, "the state of a rule changed", "organization", r.Tenant, "rule", r.Rule, "what", r.Kind, "keys", r.Keys)
	}
	for _, r := range s.p.kept.Reports() {
		s.p.cfg.Report(Warn, "what a rule remembers changed", "organization", r.Tenant, "module", r.Module, "what", r.Kind, "keys", r.Keys)
	}
	s.cost.end(StageIncident, 0)
	s.p.answer(s.seq, s.outcomes, s.carried)
	s.p.cfg.Queue.Passed(s.seq)
	clear(s.outcomes)
	clear(s.carried)
	s.pending = 0
	return s.p.reach("committed")
}

// changedIn returns the organizations of which a batch changes incidents, or takes them away, in ascending order.
func changedIn(b *meta.Batch) []storage.Tenant {
	var out []storage.Tenant
	for i := range b.Incidents {
		out = append(out, b.Incidents[i].Tenant)
	}
	for i := range b.Patches {
		out = append(out, b.Patches[i].Tenant)
	}
	for _, r := range b.Removals {
		out = append(out, r.Tenant)
	}
	slices.Sort(out)
	return slices.Compact(out)
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
