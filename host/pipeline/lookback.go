package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/storage"
)

// History gives stored events back. The sequencer calls it, and the log waits meanwhile.
type History interface {
	// Before calls f with the events of an organization that came before a position and are dated from a time on, those of
	// one position at a time, in the order of positions, and of one position in the order of their ids. Of more than limit
	// it leaves out the oldest. f keeps nothing of them; an error of f ends it.
	Before(ctx context.Context, t storage.Tenant, seq uint64, from, to time.Time, limit int, f func([]storage.Event) error) error
}

// lookBack has a rule that begins anew for an organization see the stored events of before a frame that its document
// selects, in batches as they came and at the log time at which they came. What it says about them is no finding, and
// what it fails on is left out: what counts is what it remembers. That depends on the position of the frame and on what
// is stored, so it is the same on every replay as long as nothing has aged out meanwhile.
func (s *sequencer) lookBack(ctx context.Context, it *item, mod *module.Loaded, t storage.Tenant) error {
	back := time.Duration(mod.Manifest.State.LookBack)
	b := rebuild{s: s, it: it, mod: mod, tenant: t, view: it.gen.View(t)}
	b.env = runtime.Env{Tables: b.view, State: s.p.kept.Of(t, mod.Name(), mod.Manifest.StateVersion())}
	now := time.Unix(0, s.at)
	err := s.p.cfg.History.Before(ctx, t, it.msg.Seq, now.Add(-back), now.Add(time.Duration(maxFuture)), MaxLookBackEvents, func(events []storage.Event) error {
		return b.frame(ctx, events)
	})
	if err == nil && mod.Code.Timed() { // what was due before the version took over is no finding of it either
		err = b.wake(ctx, it.msg.Seq, s.at)
	}
	if errors.Is(err, runtime.ErrFailing) {
		err = nil // it remembers what it had seen until then
	}
	if err != nil {
		return fmt.Errorf("rebuild what %s remembers of organization %s: %w", mod.Name(), t, err)
	}
	used := usedBy(0, b.fuel, 0, &b.work)
	s.count(storage.Consumer{Tenant: t, Module: mod.Name(), Shared: mod.Tenant == storage.NoTenant}, &used)
	s.p.cfg.Report(Info, "a rule has looked back", "organization", t, "module", mod.Name(), "over", back, "events", b.events, "selected", b.rows, "keys", b.env.State.Len())
	return nil
}

// rebuild is one look-back on its way.
type rebuild struct {
	s       *sequencer
	it      *item
	mod     *module.Loaded
	tenant  storage.Tenant
	view    *module.View
	env     runtime.Env
	scratch detect.Scratch
	enc     abi.RowsEncoder
	found   runtime.Findings
	timers  timers
	hits    []*storage.Event
	events  int
	rows    int
	fuel    int64
	work    runtime.Work
}

// frame shows the events of one position.
func (b *rebuild) frame(ctx context.Context, events []storage.Event) error {
	b.hits = b.hits[:0]
	at, bytes := int64(0), 0
	b.events += len(events)
	for i := range events {
		e := &events[i]
		at = max(at, e.Received)
		for _, h := range b.view.Rules.Match(e, &b.scratch) {
			if b.view.Code(h.Rule) != b.mod || !h.Rule.Subs[h.Sub].Match.Code {
				continue
			}
			n := rowBytes(e, b.mod)
			if len(b.hits) > 0 && (len(b.hits) == batchRecords || bytes+n > batchBytes) {
				if err := b.call(ctx, events[0].ID.Seq, at); err != nil {
					return err
				}
				b.hits, bytes = b.hits[:0], 0
			}
			b.hits, bytes = append(b.hits, e), bytes+n
		}
	}
	return b.call(ctx, events[0].ID.Seq, at)
}

func (b *rebuild) call(ctx context.Context, seq uint64, at int64) error {
	if len(b.hits) == 0 {
		return nil
	}
	at = min(at, b.s.at)
	if err := b.wake(ctx, seq, at); err != nil {
		return err
	}
	encodeRows(&b.enc, b.mod, seq, at, len(b.hits), func(k int) *storage.Event { return b.hits[k] })
	err := b.mod.Code.EvalIn(ctx, b.env, b.enc.Bytes(), &b.found)
	b.rows += len(b.hits)
	b.fuel += b.found.Fuel
	b.work.Add(&b.found.Work)
	return err
}

// wake has the module answer the timers that were due until then.
func (b *rebuild) wake(ctx context.Context, seq uint64, at int64) error {
	for range MaxLookBackEvents / abi.MaxDuePerBatch {
		n := b.timers.take(b.env.State, seq, at, abi.MaxDuePerBatch)
		if n == 0 {
			break
		}
		err := b.mod.Code.DueIn(ctx, b.env, b.timers.enc.Bytes(), &b.found)
		b.fuel += b.found.Fuel
		b.work.Add(&b.found.Work)
		if err != nil {
			return err
		}
	}
	return nil
}
