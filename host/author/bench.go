package author

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// benchRecords is how many records or rows go to the module in one crossing: what a busy host hands over.
const benchRecords = 256

// Cost is what a module costs on given records. Fuel and bytes are exact: the same module gives the same figures on every
// machine. Rates are those of this machine, now.
type Cost struct {
	Module   string `json:"module"`   // "publisher/name:version"
	Digest   string `json:"digest"`   // of its code
	Code     int    `json:"code"`     // bytes of its code
	Records  int    `json:"records"`  // different ones, repeated to fill a batch
	Bytes    int    `json:"bytes"`    // of a batch of 256
	Fuel     int64  `json:"fuel"`     // of that batch
	Output   int    `json:"output"`   // bytes that the module answers it with
	Events   int    `json:"events"`   // events, or findings of a rule, in the answer
	Failures int    `json:"failures"` // records of the batch that the module falls on

	PerSecond float64 `json:"records_per_second"` // in the sandbox, on one core
	Seconds   float64 `json:"seconds"`            // that were measured
}

// FuelPerRecord is the fuel of one record in a full batch.
func (c *Cost) FuelPerRecord() float64 { return float64(c.Fuel) / benchRecords }

// FuelPerMillion is the fuel of a million records: what an organization's bill counts.
func (c *Cost) FuelPerMillion() float64 { return c.FuelPerRecord() * 1e6 }

// SecondsPerMillion is how long one core of this machine works on a million records.
func (c *Cost) SecondsPerMillion() float64 {
	if c.PerSecond == 0 {
		return 0
	}
	return 1e6 / c.PerSecond
}

// Bench measures a module on records, or without some on those of its own cases, for about as long as it is told. It
// needs code: declarative rules run natively, all of them together, and cost no fuel.
func (s *Sandbox) Bench(ctx context.Context, records [][]byte, within time.Duration) (Cost, error) {
	c := Cost{Module: s.pkg.Manifest.Reference(), Code: len(s.pkg.Wasm)}
	if s.Module.Code == nil {
		return c, fmt.Errorf("bench %s: it has no code: rules without code run natively and cost no fuel: %w", c.Module, storage.ErrInvalid)
	}
	c.Digest = manifest.Sum(s.pkg.Wasm)
	var call func() error
	switch s.Module.Manifest.Kind {
	case manifest.Parser:
		if len(records) == 0 {
			records = s.CaseRecords()
		}
		if len(records) == 0 {
			return c, fmt.Errorf("bench %s: its cases hold no records: name a file of some with --samples: %w", c.Module, storage.ErrInvalid)
		}
		call = s.benchParser(ctx, records, &c)
	case manifest.Rule:
		in, n := s.caseRows()
		if n == 0 {
			return c, fmt.Errorf("bench %s: its rules have no tests with events: %w", c.Module, storage.ErrInvalid)
		}
		c.Records, c.Bytes = n, len(in)
		var found runtime.Findings
		call = func() error {
			err := s.Module.Code.Eval(ctx, in, &found)
			c.Fuel, c.Events, c.Failures = found.Fuel, len(found.List), len(found.Poison)
			return err
		}
	default:
		return c, fmt.Errorf("bench %s: a monitor's cost is that of its polls: vedette module test --replay tells it: %w", c.Module, storage.ErrInvalid)
	}
	return c, c.measure(call, within)
}

// benchParser returns one crossing with a full batch.
func (s *Sandbox) benchParser(ctx context.Context, records [][]byte, c *Cost) func() error {
	var e abi.RecordsEncoder
	e.Begin(benchRecords, 1, received.UnixNano())
	for i := range benchRecords {
		e.Add(records[i%len(records)], "bench 192.0.2.1:514", received.UnixNano(), 0)
	}
	in := e.Bytes()
	c.Records, c.Bytes = min(len(records), benchRecords), len(in)
	var res runtime.Result
	return func() error {
		err := s.Module.Code.Parse(ctx, in, &res)
		c.Fuel, c.Failures, c.Events, c.Output = res.Fuel, len(res.Poison), 0, 0
		for i := range res.Parts {
			c.Events += res.Parts[i].Events.Count
			c.Output += answerBytes(&res.Parts[i].Events)
		}
		return err
	}
}

// answerBytes is what a checked answer takes (ABI 5).
func answerBytes(e *abi.Events) int {
	n := abi.EventsHeader + e.Records*abi.OutcomeSize + len(e.Arena())
	pos, prev := 0, uint32(0)
	for range e.Count {
		v, next, err := e.Next(pos, prev)
		if err != nil {
			return n // cannot be: the runtime has checked it
		}
		pos, prev = next, v.Record
		n += abi.EventSize + v.Len()*abi.FieldSize
	}
	return n
}

// measure repeats a crossing.
func (c *Cost) measure(call func() error, within time.Duration) error {
	// The first makes an instance and is not timed; its figures are exact like those of any other.
	if err := call(); err != nil && !errors.Is(err, runtime.ErrFailing) {
		return fmt.Errorf("bench %s: %w", c.Module, err)
	}
	began, n := time.Now(), 0
	for n == 0 || time.Since(began) < within {
		if err := call(); err != nil && !errors.Is(err, runtime.ErrFailing) {
			return fmt.Errorf("bench %s: %w", c.Module, err)
		}
		n++
	}
	c.Seconds = time.Since(began).Seconds()
	c.PerSecond = float64(n*benchRecords) / c.Seconds
	return nil
}

// CaseRecords are the records of a parser's own cases.
func (s *Sandbox) CaseRecords() [][]byte {
	var out [][]byte
	for i := range s.pkg.Vectors {
		if path.Ext(s.pkg.Vectors[i].Path) == ".txtar" {
			out = append(out, readCase(&s.pkg.Vectors[i]).input...)
		}
	}
	return out
}

// caseRows is a full batch of the events of a rule's own tests, and how many there are.
func (s *Sandbox) caseRows() (in []byte, n int) {
	var events []*storage.Event
	for _, r := range s.Module.Rules {
		for i := range r.Tests {
			for _, e := range r.Tests[i].Events {
				events = append(events, &storage.Event{Time: received.Add(e.At).UnixNano(), Fields: e.Fields})
			}
		}
	}
	if len(events) == 0 {
		return nil, 0
	}
	var enc abi.RowsEncoder
	enc.Begin(benchRecords, len(s.Module.Manifest.Reads), 1, received.UnixNano())
	for i := range benchRecords {
		e := events[i%len(events)]
		enc.Event(e.Time)
		for col, name := range s.Module.Manifest.Reads {
			if v, ok := rule.Value(e, name); ok {
				enc.Cell(col, v)
			}
		}
	}
	return enc.Bytes(), len(events)
}

// ErrDearer is wrapped by what costs more than its baseline allows.
var ErrDearer = errors.New("it costs more than its baseline")

// ReadCost reads a baseline; ok is false when there is none yet.
func ReadCost(file string) (c Cost, ok bool, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, false, fmt.Errorf("read the baseline %s: %w", file, err)
	}
	return c, true, nil
}

// Write keeps a cost as a baseline: its exact figures, so that the file changes only with the module or its cases.
func (c Cost) Write(file string) error {
	c.PerSecond, c.Seconds = 0, 0
	text, err := json.MarshalIndent(c, "", "  ")
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the baseline: %w", err)
	}
	return nil
}

// Against compares a cost with a baseline: fuel and output of the same records may grow by tolerance, a share. The error
// wraps ErrDearer, or storage.ErrInvalid when the two are of different records.
func (c *Cost) Against(base *Cost, tolerance float64) error {
	if c.Bytes != base.Bytes || c.Records != base.Records {
		return fmt.Errorf("the baseline is of %d records in %d bytes, this is of %d in %d: the cases have changed, write it anew with --update: %w",
			base.Records, base.Bytes, c.Records, c.Bytes, storage.ErrInvalid)
	}
	for _, x := range []struct {
		what       string
		is, before float64
	}{{"fuel", float64(c.Fuel), float64(base.Fuel)}, {"output", float64(c.Output), float64(base.Output)}} {
		if limit := x.before * (1 + tolerance); x.is > limit {
			return fmt.Errorf("%s of a batch is %.0f, %s of the baseline's %.0f, and %.1f %% are allowed: %w", x.what, x.is, Growth(x.before, x.is), x.before, tolerance*100, ErrDearer)
		}
	}
	return nil
}

// Growth says how a figure has changed: "+3.1 %".
func Growth(before, is float64) string {
	if before == 0 || math.IsInf(is/before, 0) {
		return "new"
	}
	return fmt.Sprintf("%+.1f %%", (is/before-1)*100)
}
