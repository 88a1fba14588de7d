package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/host/state"
	"github.com/vedette-siem/vedette/host/table"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// vectorsReceived is the receive time of a case that names none; package modules/moduletest uses the same.
var vectorsReceived = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

// Outcome is what a package's own cases say about it.
type Outcome struct {
	Cases    int
	Failures []string // "testdata/a.txtar line 3: …", at most maxFailures
}

const maxFailures = 20

// Test runs the cases that a package brings along on the module as it would run here: record lines with the events
// wanted for a parser, inline tests for a rule. A package without cases passes with 0 of them.
func Test(ctx context.Context, m *module.Loaded, vectors []manifest.File) (Outcome, error) {
	var o Outcome
	tables, err := casesTables(vectors)
	if err != nil {
		o.fail("%v", err)
		return o, nil
	}
	for _, r := range m.Rules {
		o.Cases += len(r.Tests)
		if err := testRule(ctx, m, r, tables); err != nil {
			if !wrong(err) {
				return o, fmt.Errorf("run %s: %w", r.File, err)
			}
			o.fail("%s: %v", r.File, err)
		}
	}
	if m.Manifest.Kind != manifest.Parser {
		return o, nil
	}
	for _, v := range vectors {
		if strings.HasSuffix(v.Path, ".csv") {
			continue
		}
		if err := o.parser(ctx, m, tables, v); err != nil {
			return o, fmt.Errorf("run %s: %w", v.Path, err)
		}
	}
	return o, nil
}

// testRule runs a rule's inline tests through the matcher that runs live, and the code that decides about its hits. Each
// test begins with nothing remembered.
func testRule(ctx context.Context, m *module.Loaded, r *rule.Rule, tables runtime.Tables) error {
	set, err := detect.Compile([]*rule.Rule{r})
	if err != nil {
		return err
	}
	all, err := detect.NewView(set, nil, nil)
	if err != nil {
		return err
	}
	var sc detect.Scratch
	return correlate.RunCases(r, func(c *rule.Case) correlate.CaseMatcher {
		view := all.WithLists(detect.CaseLists(c.Lists))
		kept := state.New(state.Limits{})
		now, late := coder{tables: tables}, coder{tables: tables, state: kept}
		seq := uint64(0)
		return func(logTime int64, e *storage.Event) ([]correlate.Hit, error) {
			if e != nil {
				seq = e.ID.Seq
			}
			it := &item{msg: queue.Message{Seq: seq, LogTime: logTime}}
			kept.Advance(logTime)
			var timed []correlate.Hit
			for _, o := range kept.Due() {
				late.begin()
				_, sub := speaks(m)
				if timed, err = late.ring(ctx, it, alarmed{o.Tenant, m, r, sub}, logTime, timed); err != nil {
					return nil, err
				}
			}
			now.begin()
			if e != nil {
				for _, h := range view.MatchCase(e, &sc) {
					now.hit(it, m, correlate.Hit{Rule: r, Sub: h.Sub, Event: e})
				}
			}
			if err := errors.Join(now.decide(ctx, it), late.late(ctx, it)); err != nil {
				return nil, err
			}
			if len(it.poison) > 0 {
				return nil, &runtime.Trap{Code: it.poison[0].Code, Detail: it.poison[0].Detail, Module: m.Install.Digest}
			}
			return append(timed, it.hits...), nil
		}
	})
}

// caseTables are the tables with which a package's cases are run, by name.
type caseTables map[string]*index.Table

func (t caseTables) Table(name string) *index.Table { return t[name] }

// casesTables reads the tables that a package brings along for its cases: vectors named NAME.KIND.csv.
func casesTables(vectors []manifest.File) (caseTables, error) {
	out := caseTables{}
	for _, v := range vectors {
		stem, isCSV := strings.CutSuffix(path.Base(v.Path), ".csv")
		name, kind, ok := strings.Cut(stem, ".")
		if !isCSV || !ok {
			continue
		}
		t, err := table.Read(index.Kind(kind), table.CSV, v.Data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.Path, err)
		}
		out[name] = t
	}
	return out, nil
}

// wrong reports whether an error says that a case did not come out, rather than that it could not be run.
func wrong(err error) bool {
	return !errors.Is(err, runtime.ErrStalled) && !errors.Is(err, runtime.ErrClosed) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

func (o *Outcome) fail(format string, a ...any) {
	if len(o.Failures) < maxFailures {
		o.Failures = append(o.Failures, fmt.Sprintf(format, a...))
	}
}

// parser runs one txtar case of a parser.
func (o *Outcome) parser(ctx context.Context, m *module.Loaded, tables runtime.Tables, v manifest.File) error {
	var input, want []byte
	received := vectorsReceived
	for _, f := range txtar.Parse(v.Data).Files {
		switch f.Name {
		case "input":
			input = f.Data
		case "want/events.jsonl":
			want = f.Data
		case "received":
			t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(f.Data)))
			if err != nil {
				o.fail("%s: received: %v", v.Path, err)
				return nil
			}
			received = t
		}
	}
	if len(input) == 0 {
		return nil
	}
	lines := bytes.Split(bytes.TrimSuffix(input, []byte("\n")), []byte("\n"))
	if o.Cases+len(lines) > MaxCases {
		o.fail("%s: more than %d cases", v.Path, MaxCases)
		return nil
	}
	wants := bytes.Split(bytes.TrimSuffix(want, []byte("\n")), []byte("\n"))
	o.Cases += len(lines)
	got, err := tryLines(ctx, m, tables, lines, received)
	var trap *runtime.Trap
	if errors.As(err, &trap) {
		o.fail("%s: %v", v.Path, trap)
		return nil
	} else if err != nil {
		return err
	}
	if len(got) != len(wants) {
		o.fail("%s: %d events, want %d", v.Path, len(got), len(wants))
		return nil
	}
	for i, g := range got {
		w, err := flatten(wants[i])
		if err != nil {
			o.fail("%s: want/events.jsonl line %d: %v", v.Path, i+1, err)
			continue
		}
		if d := difference(w, g); d != "" {
			o.fail("%s: event %d: %s", v.Path, i+1, d)
		}
	}
	return nil
}

// tryLines parses lines with one module, batch by batch, and returns what came out as flat fields.
func tryLines(ctx context.Context, m *module.Loaded, tables runtime.Tables, lines [][]byte, received time.Time) ([]map[string]string, error) {
	var out []map[string]string
	var enc abi.RecordsEncoder
	var res runtime.Result
	b := newBuilder()
	for part := range batches(lines) {
		enc.Begin(len(part), 1, received.UnixNano())
		for _, l := range part {
			enc.Add(l, "test 192.0.2.1:514", received.UnixNano(), 0)
		}
		if err := m.Code.ParseIn(ctx, runtime.Env{Tables: tables}, enc.Bytes(), &res); err != nil {
			return nil, err
		}
		if len(res.Poison) > 0 {
			return nil, res.Poison[0].Trap
		}
		for _, x := range res.Parts {
			got, err := flatEvents(b, &x, part, &m.Manifest)
			if err != nil {
				return nil, err
			}
			out = append(out, got...)
		}
	}
	return out, nil
}

// batches cuts lines as the live pipeline cuts records.
func batches(lines [][]byte) iter.Seq[[][]byte] {
	return func(yield func([][]byte) bool) {
		for len(lines) > 0 {
			n, bytes := 0, 0
			for n < min(len(lines), batchRecords) && (n == 0 || bytes+len(lines[n]) <= batchBytes-batchRecords*100) {
				bytes += len(lines[n])
				n++
			}
			if !yield(lines[:n]) {
				return
			}
			lines = lines[n:]
		}
	}
}

func flatEvents(b *builder, x *runtime.Part, raws [][]byte, m *manifest.Manifest) ([]map[string]string, error) {
	var out []map[string]string
	t := textsOf(x.Events.Arena())
	pos, n := 0, 0
	for k := range x.Events.Records {
		outcome, why, err := x.Events.Outcome(k)
		if err != nil {
			return nil, err
		}
		if outcome != abi.OK {
			none := map[string]string{"outcome": [...]string{"ok", "not mine", "drop", "failed"}[outcome]}
			if len(why) > 0 {
				none["message"] = string(why)
			}
			out = append(out, none)
			continue
		}
		for n < x.Events.Count {
			v, next, err := x.Events.Next(pos, uint32(k))
			if err != nil {
				return nil, err
			}
			if v.Record != uint32(k) {
				break
			}
			pos, n = next, n+1
			var e storage.Event
			t.record(string(raws[x.First+k]))
			b.event(&e, &v, m, &t)
			fields := map[string]string{}
			if e.Stream != "" {
				fields[storage.FieldDataset] = e.Stream
			}
			for _, f := range e.Fields {
				if _, twice := fields[f.Name]; !twice {
					fields[f.Name] = f.Value
				}
			}
			if v.Time != abi.NoTime {
				fields["@timestamp"] = string(abi.AppendTime(nil, v.Time))
			}
			out = append(out, fields)
		}
	}
	return out, nil
}

// flatten reads a wanted event into the text form of fields.
func flatten(line []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		list, ok := v.([]any)
		if !ok {
			if s := fmt.Sprint(v); s != "" {
				out[k] = s
			}
			continue
		}
		t := []byte{'['}
		var seen []string
		for _, x := range list {
			s := fmt.Sprint(x)
			if s == "" || slices.Contains(seen, s) {
				continue
			}
			seen = append(seen, s)
			if len(t) > 1 {
				t = append(t, ',')
			}
			t = appendJSON(t, s)
		}
		out[k] = string(append(t, ']'))
	}
	return out, nil
}

// difference names the first field, by name, in which two events differ.
func difference(want, got map[string]string) string {
	var names []string
	for n := range want {
		names = append(names, n)
	}
	for n := range got {
		if _, ok := want[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		w, wanted := want[n]
		g, there := got[n]
		switch {
		case !there:
			return fmt.Sprintf("%s is missing, want %q", n, w)
		case !wanted:
			return fmt.Sprintf("%s is %q, want none", n, g)
		case w != g:
			return fmt.Sprintf("%s is %q, want %q", n, g, w)
		}
	}
	return ""
}
