package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/tidwall/gjson"

	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

func newCorrelate() *cobra.Command {
	var dir, names string
	var jsonl, raw bool
	var lateness time.Duration
	var placeholders, lists map[string]string
	c := &cobra.Command{
		Use:   "correlate --rules DIR (--jsonl | --raw)",
		Short: "Run the rules of a folder over timed events on standard input and print what they find",
		Long: `Run the rules of a folder over timed events on standard input and print what they find.

The folder holds patterns and Sigma rules, correlations and filters. With --jsonl each line is {"id": …, "time": …,
"event": {…}}: the time is RFC 3339 or a number of nanoseconds since 1970, and @timestamp of the event when it is left out,
as in what vedette parse prints. With --raw each line is a record, which the shipped parsers read.

Log time is the newest event time so far, and a tick passes each second of it: what is found is what a live host finds when
events arrive as they happen. Each firing is one line {"rule","name","severity","time","key","title","incident","count",
"events"}: the number of its incident, how often that has fired, and the ids of the events (line numbers without ids).`,
		Example: `  vedette correlate --rules rules --jsonl < events.jsonl
  vedette parse < auth.log | vedette correlate --rules rules --jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if jsonl == raw {
				return errors.New("correlate: say --jsonl or --raw")
			}
			o, err := optionsOf(names, placeholders)
			if err != nil {
				return fmt.Errorf("correlate: %w", err)
			}
			x := &correlation{in: cmd.InOrStdin(), out: bufio.NewWriterSize(cmd.OutOrStdout(), 1<<20), lists: liveLists{}}
			if err := x.lists.read(lists); err != nil {
				return fmt.Errorf("correlate: %w", err)
			}
			if err := x.load(dir, o, lateness, cmd.ErrOrStderr()); err != nil {
				return fmt.Errorf("correlate: %w", err)
			}
			begun := time.Now()
			if raw {
				err = x.readRaw(cmd.Context())
			} else {
				err = x.readEvents()
			}
			if err == nil {
				err = x.end()
			}
			if err != nil {
				return fmt.Errorf("correlate: %w", err)
			}
			x.report(cmd.ErrOrStderr(), time.Since(begun))
			return nil
		},
	}
	c.Flags().StringVar(&dir, "rules", "", "folder with rules, read with all below it")
	c.Flags().BoolVar(&jsonl, "jsonl", false, `read {"id","time","event"} lines`)
	c.Flags().BoolVar(&raw, "raw", false, "read records, one a line")
	c.Flags().DurationVar(&lateness, "lateness", 0, "how far events may come out of order, in place of what the rules say")
	c.Flags().StringToStringVar(&lists, "list", nil, "a list that rules ask, from a file with one value a line: name=file or name:kind=file")
	sigmaFlags(c, &names, "ecs", &placeholders)
	_ = c.MarkFlagRequired("rules")
	return c
}

const (
	correlateTenant = storage.Tenant(1)
	correlateFrame  = 256 // events that are taken together, as long as they are of one second
	correlateTicks  = 2000
)

// correlation runs rules over a log that is read from a file.
type correlation struct {
	in  io.Reader
	out *bufio.Writer

	rules   []*rule.Rule
	lists   liveLists
	view    *detect.View
	scratch detect.Scratch
	inner   detect.Scratch // of firings
	state   *correlate.State
	seq     uint64
	now     int64 // log time
	frame   []storage.Event
	hits    []correlate.Hit
	newest  int64 // event time in frame
	span    int64 // how long after the last event something may still be decided
	ids     []string
	named   bool // events have ids

	events, firings, opened int
	seen                    map[string]*opened
}

// opened is an incident.
type opened struct {
	number, count int
	last          int64 // when it fired last
}

func (x *correlation) load(dir string, o rule.Options, lateness time.Duration, diagnostics io.Writer) error {
	f, err := rule.ReadFolder(os.DirFS(dir), o)
	if err != nil {
		return err
	}
	for _, r := range f.Rules {
		if at := slices.IndexFunc(r.Subs, func(s rule.Sub) bool { return s.Match.Code }); at >= 0 {
			f.Refused = append(f.Refused, fmt.Errorf("%s: sub-pattern %s is decided by the code of a package, and a folder has none", r.File, r.Subs[at].Name))
			continue
		}
		if lateness > 0 {
			r.Lateness = lateness
		}
		span, _ := correlate.Horizon(r)
		x.span = max(x.span, span+int64(r.Lateness))
		x.rules = append(x.rules, r)
	}
	for _, err := range f.Refused {
		fmt.Fprintln(diagnostics, err)
	}
	fmt.Fprintf(diagnostics, "%d rules of %d files; %d refused\n", len(x.rules), f.Files, len(f.Refused))
	set, err := detect.Compile(x.rules)
	if err != nil {
		return err
	}
	view, err := detect.NewView(set, nil, nil)
	if err != nil {
		return err
	}
	x.view = view.WithLists(x.lists.find)
	x.state, x.seen = correlate.New(correlate.Limits{}), map[string]*opened{}
	x.state.SetNesting(x)
	x.frame = make([]storage.Event, 0, correlateFrame)
	return nil
}

// Nests implements correlate.Nesting.
func (x *correlation) Nests(storage.Tenant) bool { return x.view.Nests() }

// Firing implements correlate.Nesting.
func (x *correlation) Firing(id string, ev *storage.Event) (hits []correlate.Hit) {
	for _, h := range x.view.MatchFiring(id, ev, &x.inner) {
		hits = append(hits, correlate.Hit{Rule: h.Rule, Sub: h.Sub, Event: ev})
	}
	return hits
}

// lines calls do for each line of the input.
func (x *correlation) lines(do func(n int, line []byte) error) error {
	lines := bufio.NewScanner(x.in)
	lines.Buffer(make([]byte, 1<<20), maxParseLine)
	for n := 1; lines.Scan(); n++ {
		if err := do(n, lines.Bytes()); err != nil {
			return err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("a line is longer than %d bytes", maxParseLine)
	}
	return lines.Err()
}

// readEvents takes {"id","time","event"} lines.
func (x *correlation) readEvents() error {
	var fields flat
	return x.lines(func(n int, line []byte) error {
		if !gjson.ValidBytes(line) {
			return fmt.Errorf(`line %d: no JSON: want {"id","time","event"}`, n)
		}
		var id, at, event gjson.Result
		gjson.ParseBytes(line).ForEach(func(k, v gjson.Result) bool {
			switch k.Str {
			case "id":
				id = v
			case "time":
				at = v
			case "event":
				event = v
			}
			return true
		})
		if !at.Exists() {
			at = event.Get("@timestamp")
		}
		t, err := timeOf(at)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := x.next(t); err != nil {
			return err
		}
		ev := x.add(t)
		ev.Fields = fields.read(event, ev.Fields)
		x.name(n, id.String())
		return nil
	})
}

// timeOf reads RFC 3339, or a number of nanoseconds.
func timeOf(v gjson.Result) (int64, error) {
	switch v.Type {
	case gjson.Number:
		return v.Int(), nil
	case gjson.String:
		t, err := time.Parse(time.RFC3339Nano, v.Str)
		if err != nil {
			return 0, fmt.Errorf("time %q: want RFC 3339 or nanoseconds", v.Str)
		}
		return t.UnixNano(), nil
	}
	return 0, errors.New("time is missing: want RFC 3339 or nanoseconds, or @timestamp in the event")
}

// readRaw takes records and parses them with the shipped parsers.
func (x *correlation) readRaw(ctx context.Context) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	p, err := host.NewOffline(ctx, filepath.Join(cache, "vedette"))
	if err != nil {
		return err
	}
	defer func() { _ = p.Close(ctx) }()
	var recs []queue.Record
	received := time.Now().UnixNano()
	size, first := 0, 1
	flush := func() error {
		parsed, err := p.Parse(ctx, recs)
		if err != nil {
			return err
		}
		for i := range parsed {
			for j := range parsed[i].Events {
				if err := x.parsed(first+i, &parsed[i].Events[j]); err != nil {
					return err
				}
			}
		}
		first, size, recs = first+len(recs), 0, recs[:0]
		return nil
	}
	err = x.lines(func(_ int, line []byte) error {
		raw := slices.Clone(line[:min(len(line), queue.MaxRecordBytes)])
		recs = append(recs, queue.Record{Raw: raw, Received: received, Source: queue.Source{Listener: "stdin"}})
		if size += len(raw); len(recs) == parseAtOnce || size > parseMaxBytes {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return err
}

// parsed takes an event of a parser. A file may be older than what a live host believes: then the event's own time counts.
func (x *correlation) parsed(line int, e *storage.Event) error {
	at := e.Time
	if own := e.Get(pipeline.FieldTimeAdjusted); own != "" {
		if t, err := time.Parse(time.RFC3339Nano, own); err == nil {
			at = t.UnixNano()
		}
	}
	if err := x.next(at); err != nil {
		return err
	}
	ev := x.add(at)
	room := ev.Fields
	*ev = *e
	ev.Time, ev.Fields = at, append(room[:0], e.Fields...)
	x.name(line, "")
	return nil
}

// next makes room for an event of a time: what is of another second, or over the size of a frame, goes first.
func (x *correlation) next(at int64) error {
	if n := len(x.frame); n == correlateFrame || n > 0 && at/int64(time.Second) != x.newest/int64(time.Second) {
		if err := x.flush(); err != nil {
			return err
		}
	}
	return x.passTo(at)
}

// add returns the next event of the frame, with the room of one before it.
func (x *correlation) add(at int64) *storage.Event {
	x.events++
	x.newest = at
	x.frame = x.frame[:len(x.frame)+1]
	ev := &x.frame[len(x.frame)-1]
	*ev = storage.Event{Fields: ev.Fields[:0], Tenant: correlateTenant, Time: at, Received: at}
	return ev
}

// name keeps what the event is called in the output.
func (x *correlation) name(line int, id string) {
	ev := &x.frame[len(x.frame)-1]
	ev.ID = storage.EventID{Seq: x.seq + 1, Record: uint32(line)} //nolint:gosec // lines of a file
	if x.named = x.named || id != ""; !x.named {
		return
	}
	for len(x.ids) < line {
		x.ids = append(x.ids, strconv.Itoa(len(x.ids)))
	}
	x.ids = append(x.ids[:line], id)
}

// flush runs the rules over the frame.
func (x *correlation) flush() error {
	if len(x.frame) == 0 {
		return nil
	}
	x.seq++
	x.hits = x.hits[:0]
	newest := int64(0)
	for i := range x.frame {
		ev := &x.frame[i]
		newest = max(newest, ev.Time)
		for _, h := range x.view.Match(ev, &x.scratch) {
			x.hits = append(x.hits, correlate.Hit{Rule: h.Rule, Sub: h.Sub, Event: ev})
		}
	}
	x.frame = x.frame[:0]
	return x.print(x.state.Apply(x.seq, x.now, []correlate.SourceTime{{Tenant: correlateTenant, Source: "stdin", Time: newest}}, x.hits))
}

// passTo lets log time pass by ticks. An event of an earlier time moves nothing.
func (x *correlation) passTo(at int64) error {
	if x.now == 0 {
		x.now = at
	}
	step := max(int64(time.Second), (at-x.now)/correlateTicks)
	for at-x.now >= step {
		if err := x.flush(); err != nil {
			return err
		}
		x.now += step
		x.seq++
		if err := x.print(x.state.Tick(x.seq, x.now)); err != nil {
			return err
		}
	}
	x.now = max(x.now, at)
	return nil
}

// end lets pass what the longest window needs.
func (x *correlation) end() error {
	if err := x.flush(); err != nil {
		return err
	}
	if err := x.passTo(x.now + x.span + int64(correlate.MaxLag+2*time.Second)); err != nil {
		return err
	}
	return x.out.Flush()
}

// fired is one printed line.
type fired struct {
	Rule     string            `json:"rule"`
	Name     string            `json:"name"`
	Severity string            `json:"severity"`
	Time     time.Time         `json:"time"`
	Key      map[string]string `json:"key"`
	Title    string            `json:"title"`
	Incident int               `json:"incident"`
	Count    int               `json:"count"`
	Events   []string          `json:"events"`
}

func (x *correlation) print(firings []correlate.Firing) error {
	for i := range firings {
		f := &firings[i]
		key := f.Rule
		line := fired{
			Rule: f.Rule, Name: f.RuleName, Severity: f.Severity.String(), Time: time.Unix(0, f.Time).UTC(), Title: f.Title,
			Key: map[string]string{}, Events: []string{},
		}
		for _, k := range f.Key {
			line.Key[k.Name] = k.Value
			key += "\x00" + k.Value
		}
		if err := x.written(f); err != nil {
			return err
		}
		in := x.seen[key]
		if f.Clears {
			delete(x.seen, key)
			continue
		}
		if in == nil || f.QuietFor > 0 && f.Time-in.last > int64(f.QuietFor) {
			x.opened++
			in = &opened{number: x.opened}
			x.seen[key] = in
		}
		x.firings++
		in.count, in.last = in.count+1, f.Time
		line.Incident, line.Count = in.number, in.count
		slices.SortStableFunc(f.Evidence, func(a, b storage.Evidence) int { return cmp.Compare(a.ID.Record, b.ID.Record) })
		for _, e := range f.Evidence {
			line.Events = append(line.Events, x.called(e.ID))
		}
		data, err := json.Marshal(line)
		if err != nil {
			return err
		}
		if _, err := x.out.Write(append(data, '\n')); err != nil {
			return fmt.Errorf("print firings: %w", err)
		}
	}
	return nil
}

func (x *correlation) called(id storage.EventID) string {
	if n := int(id.Record); n < len(x.ids) && x.ids[n] != "" {
		return x.ids[n]
	}
	return strconv.Itoa(int(id.Record))
}

func (x *correlation) report(to io.Writer, took time.Duration) {
	fmt.Fprintf(to, "%d events, %d firings, %d incidents; %.1f s, %.0f events/s\n", x.events, x.firings, x.opened, took.Seconds(), float64(x.events)/took.Seconds())
	for _, r := range x.state.Reports() {
		fmt.Fprintf(to, "%s: %s %d keys\n", r.Rule, r.Kind, r.Keys)
	}
}
