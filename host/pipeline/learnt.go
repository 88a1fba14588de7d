package pipeline

import (
	"context"
	"fmt"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/storage"
)

// question asks the sequencer, who alone touches the rules' state, for something in it.
type question func(*correlate.State)

func (q question) put(s *correlate.State) { q(s) }

// ask has the sequencer answer a question between two messages. ErrUnavailable when the pipeline does not run before ctx
// ends.
func (p *Pipeline) ask(ctx context.Context, rule string, q question) error {
	answered := make(chan struct{})
	select {
	case p.questions <- func(s *correlate.State) { q(s); close(answered) }:
		<-answered
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ask what rule %s knows: %w: %w", rule, ctx.Err(), storage.ErrUnavailable)
	}
}

// Learnt returns what a rule has learnt for a tenant, as correlate.State.Learnt. The error is ask's.
func (p *Pipeline) Learnt(ctx context.Context, t storage.Tenant, rule, text string) (list []correlate.Learnt, total int, err error) {
	err = p.ask(ctx, rule, func(s *correlate.State) { list, total = s.Learnt(t, rule, text) })
	return list, total, err
}

// Known returns what a rule knows of the key that an event has, as correlate.State.Known. The error is ask's.
func (p *Pipeline) Known(ctx context.Context, rule string, ev *storage.Event) (k correlate.Known, ok bool, err error) {
	err = p.ask(ctx, rule, func(s *correlate.State) { k, ok = s.Known(rule, ev) })
	return k, ok, err
}
