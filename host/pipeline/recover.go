package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/state"
	"github.com/vedette-siem/vedette/storage"
)

// recover brings the pipeline to where the checkpoint was, and finds out which rows of what comes after it the store
// already has. The log is then read from the last durable position on.
func (p *Pipeline) recover(ctx context.Context) error {
	c, err := readCheckpoint(p.cfg.Dir)
	if err != nil {
		return p.unreadable(err)
	}
	if c == nil {
		c = &Checkpoint{}
	}
	last := p.cfg.Queue.Last()
	if err := p.belong(ctx, c, last); err != nil {
		return err
	}
	if err := p.openLedger(ctx); err != nil {
		return err
	}
	p.start, p.resume, p.liveFrom = c.Stored+1, c.Seq, last+1
	p.resumeAt = c.At
	p.ckpt.Store(c.Seq)
	p.processed.Store(c.Stored)
	if p.reading, err = module.Build(ctx, p.cfg.Library, nil, c.Base, storage.NoTenant); err != nil {
		return err
	}
	base := p.reading
	seen, err := p.scan(ctx, last)
	if err != nil {
		return err
	}
	if err := p.restore(c, seen.at); err != nil {
		return p.unreadable(err)
	}
	p.reading, p.live, p.bases = base, []*module.Generation{base}, []module.Running{c.Base}
	p.current.Store(base)
	if !seen.frames {
		return nil
	}
	p.known = last
	from, to := time.Unix(0, seen.oldest-maxPast), time.Unix(0, seen.newest+maxFuture+1)
	if p.existing, err = p.cfg.Store.Stored(ctx, p.start, last, from, to); err != nil {
		return fmt.Errorf("look up the rows of positions %d to %d: %w", p.start, last, err)
	}
	p.cfg.Report(Info, "recovering", "from", p.start, "checkpoint", c.Seq, "to", last, "rows_there", len(p.existing))
	return nil
}

// unreadable says what can be done about a checkpoint that is damaged or of another version. That is left to a person:
// what was removed by its age would come back with the whole log.
func (p *Pipeline) unreadable(err error) error {
	if !errors.Is(err, storage.ErrInvalid) {
		return err
	}
	advice := "only the version that wrote it can go on with this data directory, since the log is cut before it"
	if p.cfg.Queue.First() <= 1 {
		advice = "the log is whole: without the file everything is computed again from it"
	}
	return fmt.Errorf("%w; the checkpoint %s is damaged or of another version of this program: %s", err, filepath.Join(p.cfg.Dir, checkpointName), advice)
}

// belong refuses to run on a log, a database and a checkpoint that are not of one run: records would be lost, or taken
// for such that were processed already.
func (p *Pipeline) belong(ctx context.Context, c *Checkpoint, last uint64) error {
	applied, err := p.cfg.DB.AppliedSeq(ctx)
	if err != nil {
		return err
	}
	keeps, err := p.cfg.DB.KeepsControls(ctx)
	if err != nil {
		return err
	}
	p.applied, p.unnoted = applied, !keeps
	first, need := p.cfg.Queue.First(), c.Stored+1
	switch {
	case first > need && last >= need:
		return fmt.Errorf("the log begins at %d, the checkpoint needs it from %d: the checkpoint is older than the log: %w", first, need, storage.ErrInvalid)
	case c.Seq > last:
		return fmt.Errorf("the checkpoint is at position %d, the log ends at %d: they do not belong together: %w", c.Seq, last, storage.ErrInvalid)
	case applied > last:
		return fmt.Errorf("the database is at position %d, the log ends at %d: they do not belong together: %w", applied, last, storage.ErrInvalid)
	case applied < c.Seq:
		return fmt.Errorf("the database is at position %d, the checkpoint at %d: the database is older than the log: %w", applied, c.Seq, storage.ErrInvalid)
	}
	return nil
}

// scanned is what recovery has to know of the log before it is processed again.
type scanned struct {
	at             *module.Generation // in force at the checkpoint's position
	frames         bool
	oldest, newest int64 // receive times of their records: clocks may have leapt, so nothing else bounds them
}

// scan reads the log once from the last durable position to its end.
func (p *Pipeline) scan(ctx context.Context, last uint64) (scanned, error) {
	seen := scanned{at: p.reading, oldest: math.MaxInt64, newest: math.MinInt64}
	if last < p.start {
		return seen, nil
	}
	var frame queue.Frame
	for msg, err := range p.cfg.Queue.Read(ctx, p.start) {
		if err != nil {
			return seen, err
		}
		switch {
		case msg.Kind == queue.KindControl && msg.Seq <= p.resume:
			if err := p.change(ctx, &item{msg: msg}); err != nil {
				return seen, err
			}
			seen.at = p.reading
		case msg.Kind == queue.KindFrame:
			if err := msg.Frame(&frame); err != nil {
				return seen, err
			}
			for i := range frame.Segments {
				for _, r := range frame.Segments[i].Records {
					seen.frames = true
					seen.oldest, seen.newest = min(seen.oldest, r.Received), max(seen.newest, r.Received)
				}
			}
		}
		if msg.Seq >= last {
			break
		}
	}
	return seen, nil
}

// restore brings back keyed state and incidents. The rules are those in force at c.Seq, which may be later ones than
// those of c.Base.
func (p *Pipeline) restore(c *Checkpoint, at *module.Generation) error {
	if c.Seq == 0 {
		return nil
	}
	p.drift, p.due = newDrift(p.cfg.Probation, c.Drift), c.Due
	lookup := func(t storage.Tenant, id string) *rule.Rule { return at.View(t).Rules.Rule(id) }
	var err error
	if p.state, err = correlate.Restore(bytes.NewReader(c.Correlate), p.cfg.Limits, lookup); err != nil {
		return fmt.Errorf("restore the rules' state: %w", err)
	}
	if len(c.State) > 0 {
		if p.kept, err = state.Restore(c.State, p.cfg.State); err != nil {
			return fmt.Errorf("restore what rules remember: %w", err)
		}
	}
	if err := p.fold.Restore(bytes.NewReader(c.Incidents)); err != nil {
		return fmt.Errorf("restore the incidents: %w", err)
	}
	return nil
}
