package backtest

import (
	"context"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// Trial lets the rules of one generation judge events, and keeps the incidents that there would be. It belongs to one
// goroutine.
type Trial struct {
	s         side
	seq       uint64
	logTime   int64
	matched   int
	incidents map[string]*storage.Incident // by id, as they are now
	order     []string
	fired     map[int64]uint64 // by hour of event time
}

// NewTrial returns a trial of what a generation runs.
func NewTrial(gen *module.Generation) *Trial {
	s := newSide(gen)
	s.fold = incident.New(incident.Config{MaxTracked: MaxTrialIncidents})
	return &Trial{s: s, incidents: map[string]*storage.Incident{}, fired: map[int64]uint64{}}
}

// Frame takes the events of one frame of the log, by position, and returns how many of them take part in a rule. Frames
// come in the order of the log; the log's time passes with their receive times. Errors are those of Test.Frame.
func (t *Trial) Frame(ctx context.Context, events []storage.Event) (int, error) {
	if len(events) == 0 {
		return 0, nil
	}
	at := t.logTime
	for i := range events {
		at = max(at, events[i].Received)
	}
	if t.logTime > 0 && at-t.logTime > int64(time.Second) {
		t.pass(at - 1)
	}
	t.seq, t.logTime = max(t.seq+1, events[0].ID.Seq), at
	hits, _, err := t.s.matcher.Match(ctx, t.s.gen, t.seq, t.logTime, events)
	if err != nil {
		return 0, err
	}
	n := 0
	var last *storage.Event
	for i := range hits {
		if hits[i].Event != last {
			last = hits[i].Event
			n++
		}
	}
	t.matched += n
	t.take(t.s.state.Apply(t.seq, t.logTime, timesOf(events), hits))
	return n, nil
}

// pass lets the log's time pass.
func (t *Trial) pass(to int64) {
	t.seq, t.logTime = t.seq+1, max(t.logTime, to)
	t.take(t.s.state.Tick(t.seq, t.logTime))
}

// Pass lets so much time pass without an event, that what waits for time is decided.
func (t *Trial) Pass(d time.Duration) {
	if t.seq > 0 {
		t.pass(t.logTime + int64(d))
	}
}

func (t *Trial) take(firings []correlate.Firing) {
	for i := range firings {
		if !firings[i].Clears {
			t.fired[firings[i].Time-firings[i].Time%int64(time.Hour)]++
		}
	}
	t.s.take(t.seq, t.logTime, firings)
	for _, in := range t.s.fold.Take().Incidents {
		if t.incidents[in.ID] == nil {
			t.order = append(t.order, in.ID)
		}
		t.incidents[in.ID] = &in
	}
}

// Matched returns how many events took part in a rule.
func (t *Trial) Matched() int { return t.matched }

// Raised returns how many incidents there would be.
func (t *Trial) Raised() int { return len(t.order) }

// Incidents returns the incidents that there would be, in the order in which they were opened.
func (t *Trial) Incidents() []storage.Incident {
	out := make([]storage.Incident, len(t.order))
	for i, id := range t.order {
		out[i] = *t.incidents[id]
	}
	return out
}

// Fired counts firings by hour of event time, ns.
func (t *Trial) Fired() map[int64]uint64 { return t.fired }
