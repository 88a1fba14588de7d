package pipeline

import (
	"context"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/state"
	"github.com/vedette-siem/vedette/storage"
)

// Matcher matches events with the rules of a generation outside a running pipeline, code rules included, by the same
// ways. What rules remember begins with nothing and goes on from frame to frame: they come in the order of their log. It
// belongs to one goroutine.
type Matcher struct {
	w    worker
	kept *state.State
	late coder
}

// NewMatcher returns a matcher.
func NewMatcher() *Matcher {
	kept := state.New(state.Limits{})
	return &Matcher{kept: kept, late: coder{state: kept}}
}

// Match returns the hits of the timers that are due and of one frame's events, in order, and what was poison to a rule's
// module. Hits point into events.
func (m *Matcher) Match(ctx context.Context, gen *module.Generation, seq uint64, logTime int64, events []storage.Event) ([]correlate.Hit, []Poison, error) {
	it := &item{msg: queue.Message{Seq: seq, LogTime: logTime}, gen: gen, events: events}
	if err := m.w.detect(ctx, it); err != nil {
		return nil, nil, err
	}
	m.kept.Advance(logTime)
	timed, err := m.late.wake(ctx, it, logTime)
	if err == nil {
		err = m.late.late(ctx, it)
	}
	if err != nil {
		return nil, nil, err
	}
	return append(timed, it.hits...), it.poison, nil
}
