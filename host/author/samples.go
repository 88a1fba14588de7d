package author

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Shown is what a parser makes of one record, as a host would store it.
type Shown struct {
	Record string
	Events [][]ShownField
	Failed string // why there are no events: "not mine", or what the module says; "" when the record was dropped
	Crash  *Crash // set when the module fell
	Fuel   int64  // of a call with this record alone: exact, the same on every machine
}

// ShownField is one field with the bytes of the record that it was read from.
type ShownField struct {
	Name, Value string
	Start, End  int // End is 0 when it stands nowhere in the record
}

// Show runs a parser on records, each by itself. A record that it falls on is no error.
func (s *Sandbox) Show(ctx context.Context, records [][]byte) ([]Shown, error) {
	if s.Module.Manifest.Kind != manifest.Parser {
		return nil, fmt.Errorf("show records: %s is a %s, and only parsers read records: %w", s.pkg.Manifest.Reference(), s.Module.Manifest.Kind, storage.ErrInvalid)
	}
	if len(records) > MaxTrialRecords {
		return nil, fmt.Errorf("show records: %d of them, the limit is %d: %w", len(records), MaxTrialRecords, storage.ErrInvalid)
	}
	ask := []*module.Loaded{s.Module}
	out := make([]Shown, 0, len(records))
	for _, raw := range records {
		if len(raw) > MaxTrialBytes {
			return nil, fmt.Errorf("show records: one has %d bytes, the limit is %d: %w", len(raw), MaxTrialBytes, storage.ErrInvalid)
		}
		var trial pipeline.Trial
		rec := queue.Record{Raw: raw, Received: received.UnixNano(), Source: queue.Source{Listener: "test", Peer: "192.0.2.1:514"}}
		s.said.clear()
		tried, err := trial.Run(ctx, []queue.Record{rec}, func(*queue.Record) []*module.Loaded { return ask })
		if err != nil {
			return nil, err
		}
		x := Shown{Record: string(raw), Failed: tried[0].Failed, Fuel: trial.Fuel}
		if c := s.source.crash(s.said.text()); c.Message != "" && x.Failed != "" {
			c.Code, _, _ = strings.Cut(x.Failed, ":")
			x.Crash = &c
		}
		for i := range tried[0].Events {
			x.Events = append(x.Events, shownFields(&tried[0].Events[i]))
		}
		out = append(out, x)
	}
	return out, nil
}

// shownFields lists the fields of an event in the order in which the record has them, the others after them by name.
func shownFields(e *pipeline.TriedEvent) []ShownField {
	var out []ShownField
	if e.Stream != "" {
		out = append(out, ShownField{Name: storage.FieldDataset, Value: e.Stream})
	}
	for _, f := range e.Fields {
		out = append(out, ShownField{Name: f.Name, Value: f.Value})
	}
	for i := range out {
		for _, at := range e.Spans {
			if at.Field == out[i].Name {
				out[i].Start, out[i].End = int(at.Start), int(at.End)
				break
			}
		}
	}
	slices.SortStableFunc(out, func(a, b ShownField) int {
		if (a.End > 0) != (b.End > 0) {
			return cmp.Compare(b.End, a.End) // those without a place have 0
		}
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Change is what an edit did to one record.
type Change struct {
	Record       string
	Was, Is      string // what became of it, where that changed: "2 events", "not mine"
	Fields       []FieldDiff
	Fuel, Before int64
}

// lastGood is what each record became when the module did not fall on it: what the next edit is compared with.
func lastGood(before, now []Shown) []Shown {
	out := slices.Clone(now)
	for i := range out {
		for k := range before {
			if out[i].Crash != nil && before[k].Record == out[i].Record {
				out[i] = before[k]
			}
		}
	}
	return out
}

// Changes compares what two builds made of the same records and lists those that became something else or cost something
// else.
func Changes(before, now []Shown) []Change {
	old := make(map[string]*Shown, len(before))
	for i := range before {
		old[before[i].Record] = &before[i]
	}
	var out []Change
	for i := range now {
		is, was := &now[i], old[now[i].Record]
		if was == nil {
			continue
		}
		c := Change{Record: is.Record, Fuel: is.Fuel, Before: was.Fuel}
		if a, b := was.Outcome(), is.Outcome(); a != b {
			c.Was, c.Is = a, b
		}
		events := max(len(was.Events), len(is.Events))
		if is.Crash != nil { // what is missing then is no news
			events, c.Fuel = 0, c.Before
		}
		for k := range events {
			c.Fields = append(c.Fields, differences(was.fields(k), is.fields(k))...)
		}
		if c.Is != "" || len(c.Fields) > 0 || c.Fuel != c.Before {
			out = append(out, c)
		}
	}
	return out
}

// Outcome says in a few words what became of the record: "1 event", "not mine", or where the module fell.
func (s *Shown) Outcome() string {
	switch {
	case s.Crash != nil:
		return s.Crash.String()
	case s.Failed != "":
		return s.Failed
	case len(s.Events) == 0:
		return "dropped"
	case len(s.Events) == 1:
		return "1 event"
	}
	return fmt.Sprintf("%d events", len(s.Events))
}

func (s *Shown) fields(event int) map[string]string {
	if event >= len(s.Events) {
		return nil
	}
	out := map[string]string{}
	for _, f := range s.Events[event] {
		out[f.Name] = f.Value
	}
	return out
}
