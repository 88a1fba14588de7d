package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// recover brings the pipeline to where the checkpoint was, and finds out which rows of what comes after it the store
// already has. The log is then read from the last durable position on.
func (p *Pipeline) recover(ctx context.Context) error {
	c, err := readCheckpoint(p.cfg.Dir)
	if err != nil {
		return err
	}
	if c == nil {
		c = &Checkpoint{}
	}
	p.start, p.resume, p.durable = c.Stored+1, c.Seq, position{c.Stored, c.StoredAt}
	first, last := p.cfg.Queue.First(), p.cfg.Queue.Last()
	if first > p.start && last >= p.start {
		return fmt.Errorf("the log begins at %d, the checkpoint needs it from %d: the checkpoint is older than the log: %w", first, p.start, storage.ErrInvalid)
	}
	applied, err := p.cfg.DB.AppliedSeq(ctx)
	if err != nil {
		return err
	}
	if applied > last {
		return fmt.Errorf("the database is at position %d, the log ends at %d: they do not belong together: %w", applied, last, storage.ErrInvalid)
	}
	p.liveFrom = last + 1
	p.ckpt.Store(c.Seq)
	p.processed.Store(c.Stored)
	if p.reading, err = module.Build(ctx, p.cfg.Library, nil, c.Base, storage.NoTenant); err != nil {
		return err
	}
	p.current.Store(p.reading)
	p.live = []*module.Generation{p.reading}
	p.bases = []module.Running{c.Base}
	if err := p.restore(ctx, c); err != nil {
		return err
	}
	if last < p.start {
		return nil
	}
	from := time.Unix(0, c.StoredAt-maxPast).Add(-time.Hour)
	if c.StoredAt == 0 {
		from = time.Unix(0, 0)
	}
	p.known = last
	p.existing, err = p.cfg.Store.Stored(ctx, p.start, last, from, time.Unix(1<<33, 0))
	if err != nil {
		return fmt.Errorf("look up the rows of positions %d to %d: %w", p.start, last, err)
	}
	p.cfg.Report(Info, "recovering", "from", p.start, "checkpoint", c.Seq, "to", last, "rows_there", len(p.existing))
	return nil
}

// restore brings back keyed state and incidents. The rules are those in force at c.Seq, which may be later ones than
// those of c.Base: the control records in between are read for it.
func (p *Pipeline) restore(ctx context.Context, c *Checkpoint) error {
	if c.Seq == 0 {
		return nil
	}
	gen := p.reading
	if c.Seq > c.Stored {
		for msg, err := range p.cfg.Queue.Read(ctx, c.Stored+1) {
			if err != nil {
				return err
			}
			it := item{msg: msg}
			if msg.Kind == queue.KindControl {
				if err := p.change(ctx, &it); err != nil {
					return err
				}
			}
			if msg.Seq >= c.Seq {
				break
			}
		}
	}
	at := p.reading
	p.reading, p.live = gen, []*module.Generation{gen}
	lookup := func(t storage.Tenant, id string) *rule.Rule { return at.View(t).Rules.Rule(id) }
	var err error
	if p.state, err = correlate.Restore(bytes.NewReader(c.Correlate), p.cfg.Limits, lookup); err != nil {
		return fmt.Errorf("restore the rules' state: %w", err)
	}
	if err := p.fold.Restore(bytes.NewReader(c.Incidents)); err != nil {
		return fmt.Errorf("restore the incidents: %w", err)
	}
	return nil
}

// due says that a checkpoint should be made.
func (s *sequencer) due() bool {
	return s.at-s.lastCkpt >= int64(s.p.cfg.CheckpointEvery) || s.events >= checkpointEvents
}

// checkpoint saves everything that recovery needs and then cuts the log below it.
func (s *sequencer) checkpoint(ctx context.Context) error {
	s.pending = max(s.pending, 1)
	if err := s.commit(ctx); err != nil {
		return err
	}
	if s.seq == 0 || s.seq < s.p.resume {
		return nil // still replaying: the checkpoint that is there is ahead
	}
	p := s.p
	if err := p.cfg.DB.Apply(ctx, s.seq, meta.Batch{}); err != nil {
		return fmt.Errorf("commit position %d: %w", s.seq, err)
	}
	at := s.settle()
	c := Checkpoint{Seq: s.seq, Stored: at.seq, StoredAt: at.at, Base: s.base(at.seq)}
	var state, incidents bytes.Buffer
	if err := p.state.Snapshot(&state); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := p.fold.Snapshot(&incidents); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	c.Correlate, c.Incidents = state.Bytes(), incidents.Bytes()
	if err := p.save(&c); err != nil {
		return err
	}
	s.events, s.lastCkpt = 0, s.at
	if p.cfg.KeepAll {
		return nil
	}
	if err := p.cfg.Queue.Cut(ctx, min(c.Stored, c.Seq)); err != nil {
		return fmt.Errorf("cut the log: %w", err)
	}
	return nil
}

func (p *Pipeline) save(c *Checkpoint) error {
	b, err := c.encode()
	if err != nil {
		return err
	}
	if err := writeCheckpoint(p.cfg.Dir, b); err != nil {
		return err
	}
	p.ckpt.Store(c.Seq)
	p.saved = c
	return nil
}

// Settle notes that the store was closed and has everything on disk up to seq, so that the next start reads nothing
// twice. It is called after Run has returned.
func (p *Pipeline) Settle(seq uint64) error {
	if p.saved == nil || seq < p.saved.Seq {
		return nil
	}
	c := *p.saved
	c.Stored, c.StoredAt, c.Base = c.Seq, p.logTime.Load(), p.bases[len(p.bases)-1]
	return p.save(&c)
}

// settle returns the last position up to which every row is on disk.
func (s *sequencer) settle() position {
	limit := s.p.cfg.Store.Durable()
	n := 0
	for n < len(s.stored) && (s.stored[n].onDisk || s.stored[n].seq <= limit) {
		n++
	}
	if n == len(s.stored) {
		s.durable = position{s.seq, s.at} // what is not a frame has no rows
	} else if n > 0 {
		s.durable = s.stored[n-1].position
	}
	s.stored = append(s.stored[:0], s.stored[n:]...)
	return s.durable
}

// base returns what ran after a position and forgets what ran before it.
func (s *sequencer) base(stored uint64) module.Running {
	b := s.p.bases
	for len(b) > 1 && b[1].Seq <= stored {
		b = b[1:]
	}
	s.p.bases = b
	return b[0]
}
