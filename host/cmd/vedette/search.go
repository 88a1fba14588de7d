package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

// Columns that are not fields of an event.
const (
	columnTime   = "@timestamp"
	columnTenant = "organization"
	columnID     = "id"
	columnRaw    = "event.original"
)

// eventColumns are shown when nobody chose others.
var eventColumns = []string{columnTime, columnTenant, "event.dataset", columnRaw}

func newSearch() *cobra.Command {
	var from, to, output string
	var limit uint32
	var fields []string
	c := &cobra.Command{
		Use:   "search [LOGSQL]",
		Short: "Search stored events, newest first",
		Long: `Search stored events with a LogsQL query, newest first. Without a query everything matches.

  vedette search 'user.name:root AND event.outcome:failure' --from 2h
  vedette search '* | stats by (source.ip) count() hits | sort by (hits) desc' --from 1h --output csv

Times are durations back from now (90s, 15m, 2h, 7d), "now", dates (2026-01-31) or RFC 3339.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := &v1.Query{Limit: limit}
			if len(args) > 0 {
				q.Text = args[0]
			}
			now := time.Now()
			for _, t := range []struct {
				name, text string
				to         **timestamppb.Timestamp
			}{{"--from", from, &q.From}, {"--to", to, &q.To}} {
				at, err := moment(t.text, now)
				if err != nil {
					return fmt.Errorf("%s: %w", t.name, err)
				}
				*t.to = timestamppb.New(at)
			}
			return search(cmd, q, output, fields)
		},
	}
	c.Flags().StringVar(&from, "from", "1h", "beginning of the range")
	c.Flags().StringVar(&to, "to", "now", "end of the range")
	c.Flags().Uint32Var(&limit, "limit", 1000, "the most events to print, up to 100,000")
	c.Flags().StringSliceVar(&fields, "fields", nil, "columns to print")
	addOutputFlag(c, &output)
	return addServerFlag(c)
}

func search(cmd *cobra.Command, q *v1.Query, output string, fields []string) error {
	s, err := open(cmd)
	if err != nil {
		return err
	}
	stream, err := ask(s, vedettev1connect.NewEventServiceClient).Search(cmd.Context(), connect.NewRequest(&v1.SearchRequest{Query: q}))
	if err != nil {
		return (&bearer{s}).explain(err)
	}
	defer stream.Close() //nolint:errcheck // its end was read, or it is given up
	out := &eventPrinter{w: cmd.OutOrStdout(), form: output, columns: fields, wait: output == "csv" && len(fields) == 0}
	truncated := false
	for stream.Receive() {
		if err := out.print(stream.Msg().Events); err != nil {
			return err
		}
		truncated = stream.Msg().GetProgress().GetTruncated()
	}
	if err := stream.Err(); err != nil {
		return (&bearer{s}).explain(err)
	}
	if err := out.end(); err != nil {
		return err
	}
	if truncated {
		fmt.Fprintf(cmd.ErrOrStderr(), "There may be more: the limit of %d was reached (--limit).\n", q.Limit)
	}
	return nil
}

// eventPrinter prints events as they come; the columns of CSV are only known when all are here.
type eventPrinter struct {
	w       io.Writer
	form    string
	columns []string
	wait    bool
	kept    []map[string]any
	p       *printer
}

func (e *eventPrinter) print(events []*v1.Event) error {
	for _, ev := range events {
		e.kept = append(e.kept, record(ev))
	}
	if e.wait || len(events) == 0 {
		return nil
	}
	return e.flush()
}

// end prints what waits.
func (e *eventPrinter) end() error { return e.flush() }

func (e *eventPrinter) flush() (err error) {
	if len(e.kept) == 0 {
		return nil
	}
	if e.p == nil {
		if len(e.columns) == 0 {
			e.columns = columnsOf(e.kept, e.form)
		}
		if e.p, err = newPrinter(e.w, e.form, e.columns); err != nil {
			return err
		}
	}
	for _, r := range e.kept {
		if err := e.p.print(r); err != nil {
			return err
		}
	}
	e.kept = e.kept[:0]
	return e.p.flush()
}

// columnsOf chooses columns for records: few for events on a terminal, all in CSV and of a query with pipes.
func columnsOf(records []map[string]any, form string) []string {
	seen := map[string]bool{}
	table := true // lines of a table have no id
	for _, r := range records {
		for name := range r {
			seen[name] = true
		}
		table = table && r[columnID] == nil
	}
	if form == "table" && !table {
		return eventColumns
	}
	first := []string{columnTime, columnTenant, columnID}
	var out []string
	for _, name := range first {
		if seen[name] {
			out = append(out, name)
		}
		delete(seen, name)
	}
	return append(out, slices.Sorted(maps.Keys(seen))...)
}

// record is an event, or a line of a table, as columns.
func record(e *v1.Event) map[string]any {
	r := make(map[string]any, len(e.Fields)+4)
	for name, v := range e.Fields {
		r[name] = listOrText(v)
	}
	if e.Id != "" {
		r[columnID] = e.Id
	}
	if e.Tenant != 0 {
		r[columnTenant] = e.Tenant
	}
	if e.Time != nil {
		r[columnTime] = e.Time.AsTime().UTC().Format(time.RFC3339Nano)
	}
	if e.Raw != "" {
		r[columnRaw] = e.Raw
	}
	return r
}

// moment reads a point in time: a duration back from now, "now", a date or RFC 3339.
func moment(text string, now time.Time) (time.Time, error) {
	if text == "now" {
		return now, nil
	}
	back := strings.TrimPrefix(text, "-")
	if days, ok := strings.CutSuffix(back, "d"); ok {
		var n int
		if _, err := fmt.Sscanf(days+" ", "%d ", &n); err == nil && fmt.Sprint(n) == days && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(back); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: want 15m, 2h, 7d, now, 2026-01-31 or 2026-01-31T12:00:00Z", text)
}
