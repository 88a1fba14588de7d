package pipeline

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage/meta"
)

// saving is a checkpoint on its way to the disk. The log goes on meanwhile: what a checkpoint waits for is that everything
// is copied, not that it is written.
type saving struct {
	seq, stored uint64     // of the checkpoint
	appended    uint64     // last frame handed to the store before it
	written     chan error // one value; nil when nothing is on its way
	group       sync.WaitGroup
	room        []byte // the copy, with the memory of the one before
}

// due says that a checkpoint should be made. While the log is read again, the one that is there is ahead.
func (s *sequencer) due() bool {
	return s.saving.written == nil && s.seq >= s.p.resume &&
		(s.at-s.lastCkpt >= int64(s.p.cfg.CheckpointEvery) || s.events >= checkpointEvents)
}

// checkpoint copies everything that recovery needs and has it written; saved must follow. None may be on its way.
func (s *sequencer) checkpoint(ctx context.Context) error {
	if err := s.commit(ctx); err != nil {
		return err
	}
	if s.seq == 0 || s.seq < s.p.resume {
		return nil
	}
	p := s.p
	if err := p.cfg.DB.Apply(ctx, s.seq, meta.Batch{}); err != nil {
		return fmt.Errorf("commit position %d: %w", s.seq, err)
	}
	if err := s.account(ctx); err != nil {
		return err
	}
	c := Checkpoint{Seq: s.seq, At: s.at, Stored: s.settle()}
	c.Base = s.base(c.Stored)
	c.Drift, c.Due = p.drift.state(), slices.Clone(s.amends)
	if err := s.copyInto(&c); err != nil {
		return err
	}
	s.events, s.lastCkpt = 0, s.at
	if err := p.reach("save"); err != nil {
		return err
	}
	w := &s.saving
	w.seq, w.stored, w.appended, w.written = c.Seq, c.Stored, s.appended, make(chan error, 1)
	w.group.Go(func() { w.written <- writeCheckpoint(p.cfg.Dir, &c) })
	return nil
}

// copyInto fills in what rules, incidents and modules have come to.
func (s *sequencer) copyInto(c *Checkpoint) (err error) {
	b := s.p.state.Append(s.saving.room[:0])
	rules := len(b)
	if b, err = s.p.fold.Append(b); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	incidents := len(b)
	b = s.p.kept.Append(b)
	c.Correlate, c.Incidents, c.State = b[:rules], b[rules:incidents], b[incidents:]
	s.saving.room = b
	return nil
}

// saved takes note of a checkpoint that was written, or could not be, and cuts the log below it.
func (s *sequencer) saved(ctx context.Context, err error) error {
	p, w := s.p, &s.saving
	w.written = nil
	if err != nil {
		return err
	}
	p.ckpt.Store(w.seq)
	p.saved, p.appended = w.seq, w.appended
	used := s.tables()
	p.tables.Store(&used)
	past := slices.Clone(p.bases)
	p.past.Store(&past)
	if err := p.reach("saved"); err != nil || p.cfg.KeepAll {
		return err
	}
	if err := p.cfg.Queue.Cut(ctx, w.stored); err != nil {
		return fmt.Errorf("cut the log: %w", err)
	}
	return p.reach("cut")
}

// finish makes the last checkpoint, after the one that is on its way.
func (s *sequencer) finish(ctx context.Context) error {
	for _, last := range [...]bool{false, true} {
		if last {
			if err := s.checkpoint(ctx); err != nil {
				return err
			}
		}
		if s.saving.written != nil {
			if err := s.saved(ctx, <-s.saving.written); err != nil {
				return err
			}
		}
	}
	return nil
}

// Settle notes that the store was closed and has everything on disk up to seq, so that the next start reads nothing
// twice. It is called after Run has returned; before, or without a checkpoint of this run, it does nothing.
func (p *Pipeline) Settle(seq uint64) error {
	if p.saved == 0 || seq < p.appended {
		return nil
	}
	c, err := readCheckpoint(p.cfg.Dir)
	if err != nil {
		return err
	}
	if c == nil || c.Seq != p.saved {
		return fmt.Errorf("the checkpoint in %s is not the one of position %d that was written there: something else writes to this directory", p.cfg.Dir, p.saved)
	}
	c.Stored, c.Base = c.Seq, p.ran(c.Seq)
	return writeCheckpoint(p.cfg.Dir, c)
}

// settle returns the last position up to which every row is on disk.
func (s *sequencer) settle() uint64 {
	limit := s.p.cfg.Store.Durable()
	n := 0
	for n < len(s.stored) && (s.stored[n].onDisk || s.stored[n].seq <= limit) {
		n++
	}
	if n == len(s.stored) {
		s.durable = s.seq // what is not a frame has no rows
	} else if n > 0 {
		s.durable = s.stored[n-1].seq
	}
	s.stored = append(s.stored[:0], s.stored[n:]...)
	return s.durable
}

// base returns what ran after a position and forgets what ran before it.
func (s *sequencer) base(stored uint64) module.Running {
	b := s.p.bases
	n := 0
	for n+1 < len(b) && b[n+1].Seq <= stored {
		n++
	}
	s.p.bases = append(b[:0:0], b[n:]...)
	return s.p.bases[0]
}

// ran returns what ran after a position that is not before the last checkpoint's Stored.
func (p *Pipeline) ran(seq uint64) module.Running {
	n := len(p.bases) - 1
	for n > 0 && p.bases[n].Seq > seq {
		n--
	}
	return p.bases[n]
}
