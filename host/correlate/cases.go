package correlate

import (
	"fmt"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// casesBegin is when every inline test begins, in log time and event time.
var casesBegin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()

const (
	casesTenant = storage.Tenant(1)
	maxTicks    = 2000 // between two events of a test; further apart, ticks are sparser
)

// RunTests runs a rule's inline tests: every event is one frame, its log time is its event time, and a tick passes each
// second. match names the sub-patterns that an event of a test matches (detect.CaseMatcher). The first test that fails is
// the error.
func RunTests(r *rule.Rule, match func(c *rule.Case, ev *storage.Event) []int) error {
	return RunCases(r, func(c *rule.Case) CaseMatcher {
		return func(_ int64, ev *storage.Event) ([]Hit, error) {
			if ev == nil {
				return nil, nil
			}
			var hits []Hit
			for _, sub := range match(c, ev) {
				hits = append(hits, Hit{Rule: r, Sub: sub, Event: ev})
			}
			return hits, nil
		}
	})
}

// CaseMatcher returns what a rule finds in an event at a log time in ns, or, when there is none, by the passing of time. It
// is asked in log order, and may remember.
type CaseMatcher func(logTime int64, ev *storage.Event) ([]Hit, error)

// RunCases is RunTests for a rule that needs more than its document; each test begins with a new matcher.
func RunCases(r *rule.Rule, matcher func(c *rule.Case) CaseMatcher) error {
	for i := range r.Tests {
		c := &r.Tests[i]
		if err := runCase(r, c, matcher(c)); err != nil {
			return fmt.Errorf("%s:%d: rule %s: %s: %w", r.File, c.Line, r.ID, c.Name, err)
		}
	}
	return nil
}

func runCase(r *rule.Rule, c *rule.Case, match CaseMatcher) error {
	run := &caseRun{state: New(Limits{}), match: match, now: casesBegin}
	for i := range c.Events {
		ev := event(c.Events[i].Fields)
		at := casesBegin + int64(c.Events[i].At)
		if err := run.passTo(at); err != nil {
			return err
		}
		run.seq++
		ev.ID, ev.Tenant, ev.Time, ev.Received = storage.EventID{Seq: run.seq}, casesTenant, at, run.now
		hits, err := match(run.now, ev)
		if err != nil {
			return err
		}
		run.take(run.state.Apply(run.seq, run.now, []SourceTime{{casesTenant, "test", at}}, hits))
	}
	end := casesBegin + int64(c.Until)
	if c.Until == 0 {
		end = run.now + compile(r).life + int64(r.Lateness) + int64(MaxLag+time.Second)
	}
	if err := run.passTo(end); err != nil {
		return err
	}
	if got := run.incidents(); got != c.Incidents {
		return fmt.Errorf("%d incidents, want %d", got, c.Incidents)
	}
	run.firings = slices.DeleteFunc(run.firings, func(f Firing) bool { return f.Clears })
	if got := len(run.firings); c.Count >= 0 && got != c.Count {
		return fmt.Errorf("count %d, want %d", got, c.Count)
	}
	if n := len(run.firings); c.Title != "" && (n == 0 || run.firings[n-1].Title != c.Title) {
		got := ""
		if n > 0 {
			got = run.firings[n-1].Title
		}
		return fmt.Errorf("title %q, want %q", got, c.Title)
	}
	return nil
}

// event makes an event of the fields of a test; the dataset becomes its stream.
func event(fields []storage.Field) *storage.Event {
	ev := &storage.Event{}
	for _, f := range fields {
		switch f.Name {
		case storage.FieldDataset:
			ev.Stream = f.Value
		case rule.FieldOriginal:
			ev.Raw = f.Value
		default:
			ev.Fields = append(ev.Fields, f)
		}
	}
	return ev
}

type caseRun struct {
	state   *State
	match   CaseMatcher
	seq     uint64
	now     int64
	firings []Firing
}

func (c *caseRun) take(f []Firing) { c.firings = append(c.firings, f...) }

// passTo lets log time pass by ticks. An event dated before the ones already sent moves nothing: it comes out of order.
func (c *caseRun) passTo(at int64) error {
	step := max(int64(time.Second), (at-c.now)/maxTicks)
	for c.now < at {
		c.now = min(c.now+step, at)
		c.seq++
		hits, err := c.match(c.now, nil)
		if err != nil {
			return err
		}
		if len(hits) > 0 {
			c.take(c.state.Apply(c.seq, c.now, nil, hits))
		}
		c.take(c.state.Tick(c.seq, c.now))
	}
	return nil
}

// incidents counts cases: firings with one key, apart by no more than the rule's quiet period, and not cleared between.
func (c *caseRun) incidents() (n int) {
	last := map[string]int64{}
	for i := range c.firings {
		f := &c.firings[i]
		key := fmt.Sprintf("%q", f.Key)
		if t, ok := last[key]; f.Clears && ok && f.Time >= t {
			delete(last, key)
		}
		if f.Clears {
			continue
		}
		if t, ok := last[key]; !ok || f.QuietFor > 0 && f.Time-t > int64(f.QuietFor) {
			n++
		}
		last[key] = f.Time
	}
	return n
}
