package backtest

import (
	"context"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// Fires reports whether a rule of a generation fires on events, which stand in the order of the log, when nothing else
// has happened. Errors are those of Frame.
func Fires(ctx context.Context, gen *module.Generation, events []storage.Event, rule string) (bool, error) {
	s := newSide(gen)
	logTime, seq := int64(0), uint64(0)
	fired := false
	note := func(firings []correlate.Firing) {
		for i := range firings {
			fired = fired || firings[i].Rule == rule
		}
	}
	for from := 0; from < len(events) && !fired; {
		to := from
		for to < len(events) && events[to].ID.Seq == events[from].ID.Seq {
			logTime = max(logTime, events[to].Received)
			to++
		}
		seq = events[from].ID.Seq
		hits, _, err := s.matcher.Match(ctx, gen, seq, logTime, events[from:to])
		if err != nil {
			return false, err
		}
		note(s.state.Apply(seq, logTime, timesOf(events[from:to]), hits))
		from = to
	}
	logTime += int64(correlate.MaxLag) // what waits for time to pass is decided by then
	note(s.state.Tick(seq+1, logTime))
	return fired, nil
}
