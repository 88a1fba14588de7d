// Package backtest says what a change of what runs would have made of records: which events would differ, and which
// incidents.
//
// Both generations, the one that runs and the one that would, read and judge the same records from the same beginning,
// so that every difference is the change's own: not that of a module which was replaced an hour ago, nor of windows that
// were half full when the span began. Records come from the store (the last hour) or from the stream (a shadow run).
package backtest

import (
	"context"
	"fmt"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/storage"
)

// Test compares two generations, frame by frame. It belongs to one goroutine.
type Test struct {
	now, then side
	parsed    bool // parsers may differ: records are read again
	report    Report
	fields    map[string]*FieldChange
	logTime   int64
	seq       uint64
}

// side is what one generation makes of the records.
type side struct {
	gen     *module.Generation
	parser  *pipeline.Parser
	matcher *pipeline.Matcher
	state   *correlate.State
	fold    *incident.Fold
}

func newSide(gen *module.Generation) side {
	state := correlate.New(correlate.Limits{})
	state.SetNesting(pipeline.NestingOf(gen))
	return side{gen: gen, parser: pipeline.NewParser(), matcher: pipeline.NewMatcher(), state: state, fold: incident.New(incident.Config{})}
}

// New returns a test of what would run against what runs. parsers says that the change is of a parser: else records are
// not read again.
func New(now, then *module.Generation, parsers bool) *Test {
	return &Test{now: newSide(now), then: newSide(then), parsed: parsers, fields: map[string]*FieldChange{}}
}

// Frame takes the stored events of one frame of the log, of any organizations, by position. Frames come in the order of
// the log. Events are not changed and not kept. An error is no verdict on a module: the machine stalled, ctx ended, or a
// generation was closed meanwhile (runtime.ErrClosed).
func (t *Test) Frame(ctx context.Context, events []storage.Event) error {
	if len(events) == 0 {
		return nil
	}
	t.seq = events[0].ID.Seq
	for i := range events {
		t.logTime = max(t.logTime, events[i].Received)
	}
	if t.report.From == 0 {
		t.report.From = events[0].Received
	}
	t.report.To = t.logTime
	recs := recordsOf(events)
	t.report.Records += len(recs)
	was, would := events, events
	if t.parsed {
		var failed int
		var err error
		if was, _, err = t.now.read(ctx, recs); err != nil {
			return err
		}
		if would, failed, err = t.then.read(ctx, recs); err != nil {
			return err
		}
		t.report.Failed += failed
		t.compare(recs, was, would)
	}
	if err := t.now.judge(ctx, t.seq, t.logTime, was); err != nil {
		return err
	}
	return t.then.judge(ctx, t.seq, t.logTime, would)
}

// placed is a record and where it stands in the log.
type placed struct {
	queue.Record
	at     storage.EventID // Ordinal 0
	tenant storage.Tenant
}

// recordsOf returns the records of a frame's events, each once.
func recordsOf(events []storage.Event) []placed {
	out := make([]placed, 0, len(events))
	for i := range events {
		at := recordOf(events[i].ID)
		if n := len(out); n == 0 || out[n-1].at != at {
			out = append(out, placed{pipeline.RecordOf(&events[i]), at, events[i].Tenant})
		}
	}
	return out
}

func recordOf(id storage.EventID) storage.EventID {
	id.Ordinal = 0
	return id
}

// read parses records under the side's generation and gives the events their places in the log.
func (s *side) read(ctx context.Context, recs []placed) (events []storage.Event, failed int, err error) {
	for from := 0; from < len(recs); {
		to := from
		f := queue.Frame{Shard: recs[from].at.Shard, Seq: recs[from].at.Seq, Segments: []queue.Segment{{Tenant: recs[from].tenant}}}
		seg := &f.Segments[0]
		for to < len(recs) && recs[to].at.Segment == recs[from].at.Segment && recs[to].tenant == seg.Tenant {
			seg.Records = append(seg.Records, recs[to].Record)
			f.LogTime = max(f.LogTime, recs[to].Received)
			to++
		}
		part, poison, err := s.parser.Frame(ctx, s.gen, &f)
		if err != nil {
			return nil, 0, fmt.Errorf("backtest: %w", err)
		}
		failed += len(poison)
		for i := range part {
			ordinal := part[i].ID.Ordinal
			part[i].ID = recs[from+int(part[i].ID.Record)].at
			part[i].ID.Ordinal = ordinal
		}
		events = append(events, part...)
		from = to
	}
	return events, failed, nil
}

// judge runs the rules over the events of a frame.
func (s *side) judge(ctx context.Context, seq uint64, logTime int64, events []storage.Event) error {
	hits, _, err := s.matcher.Match(ctx, s.gen, seq, logTime, events)
	if err != nil {
		return fmt.Errorf("backtest: %w", err)
	}
	s.take(seq, logTime, s.state.Apply(seq, logTime, timesOf(events), hits))
	return nil
}

func timesOf(events []storage.Event) []correlate.SourceTime {
	times := make([]correlate.SourceTime, len(events))
	for i := range events {
		times[i] = correlate.SourceTime{Tenant: events[i].Tenant, Source: events[i].Get(storage.FieldSource), Time: events[i].Time}
	}
	return times
}

func (s *side) take(seq uint64, logTime int64, firings []correlate.Firing) {
	list := make([]incident.Firing, len(firings))
	for i := range firings {
		list[i] = incident.Firing(firings[i])
	}
	s.fold.Fire(seq, logTime, list)
}

// SoFar returns how many records were looked at, and of how many the events would differ.
func (t *Test) SoFar() (records, changed int) { return t.report.Records, t.report.Changed }

// Report ends the test and returns what it found.
func (t *Test) Report() Report {
	for _, s := range []*side{&t.now, &t.then} {
		s.take(t.seq+1, t.logTime, s.state.Tick(t.seq+1, t.logTime))
	}
	t.incidents(t.now.fold.Take().Incidents, t.then.fold.Take().Incidents)
	t.report.Fields = t.sortedFields()
	return t.report
}
