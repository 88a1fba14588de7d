package pipeline

import (
	"context"
	"slices"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// OnStep has f called at every step of what outlives the process; an error of f ends the run there.
func (p *Pipeline) OnStep(f func(step string) error) { p.step = f }

// Start returns the first position that is read, the number of rows that were there, and how many bases are held.
func (p *Pipeline) Start() (from uint64, rows, bases int) {
	return p.start, len(p.existing), len(p.bases)
}

// Live returns how many generations are held.
func (p *Pipeline) Live() int {
	p.building.Lock()
	defer p.building.Unlock()
	return len(p.live)
}

// Sorted returns an event with its fields in order, as a store may return it.
func Sorted(e storage.Event) storage.Event {
	e.Fields = slices.Clone(e.Fields)
	slices.SortFunc(e.Fields, func(a, b storage.Field) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return e
}

// FrameAgain is Frame as a worker does it: what it returned before is written again.
func (p *Parser) FrameAgain(ctx context.Context, gen *module.Generation, f *queue.Frame, events []storage.Event) (_ []storage.Event, poison []Poison, err error) {
	p.build.slab = p.build.slab[:0]
	for s := range f.Segments {
		if events, poison, err = p.segment(ctx, gen, f, s, events, poison); err != nil {
			break
		}
	}
	return events, poison, err
}

// NoteAll is sequencer.noteAll at a position, with a database that knew of no control record at another one.
func NoteAll(r module.Running, seq, applied uint64) ([]meta.Control, []meta.Listed, error) {
	s := &sequencer{p: &Pipeline{applied: applied}, seq: seq, past: past{begins: true}}
	err := s.noteAll(&r)
	return s.past.controls, s.past.listed, err
}
