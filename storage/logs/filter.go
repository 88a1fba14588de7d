package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/VictoriaMetrics/VictoriaMetrics/lib/logstorage"
	"github.com/vedette-siem/vedette/storage"
)

// Filter is a LogsQL filter that is evaluated on events in memory, by the same code that filters stored rows: a live
// tail shows what a search with the same text finds later, without a query. Several goroutines may use one, in turns.
type Filter struct {
	columns []string // what the filter reads
	all     bool     // matches everything

	mu      sync.Mutex
	runner  *logstorage.NetQueryRunner
	block   logstorage.DataBlock
	backing []string
	hits    []bool // of the running evaluation
}

// rowColumn carries the index of an event through the evaluation.
const rowColumn = "vedette.row"

var (
	rowNumbers   = makeRowNumbers()
	errSubquery  = errors.New("subqueries need stored rows")
	notInMemory  = []string{"_time", "_stream_id"}
	tailCannotDo = "a live tail cannot filter by %s: %w"
)

func makeRowNumbers() []string {
	n := make([]string, MaxFilterBatch)
	for i := range n {
		n[i] = strconv.Itoa(i)
	}
	return n
}

// ParseFilter reads a filter: LogsQL without pipes, "" for everything. Of the language it refuses, by name, what makes
// no sense for events that are just passing: _time (a relative range would stand still), _stream_id and subqueries.
// The error wraps ErrInvalid, or ErrExhausted when the text is longer than storage.MaxQueryBytes.
func ParseFilter(text string) (*Filter, error) {
	if len(text) > storage.MaxQueryBytes {
		return nil, fmt.Errorf("filter of %d bytes, at most %d are allowed: %w", len(text), storage.MaxQueryBytes, storage.ErrExhausted)
	}
	if strings.TrimSpace(text) == "" {
		return &Filter{all: true}, nil
	}
	parsed, err := logstorage.ParseFilter(text)
	if err != nil {
		return nil, fmt.Errorf("filter: %w: %w", storage.ErrInvalid, err)
	}
	// logstorage evaluates on blocks of rows that come from other nodes what it cannot send to them. It could send the
	// filter; "offset 0" does nothing, but what follows it must stay here.
	q, err := logstorage.ParseQueryAtTimestamp("* | offset 0 | filter "+parsed.String()+" | fields "+quoted(rowColumn), time.Now().UnixNano())
	if err != nil {
		return nil, fmt.Errorf("filter: %w: %w", storage.ErrInvalid, err)
	}
	f := &Filter{}
	remote := func(context.Context, []logstorage.TenantID, *logstorage.Query, logstorage.WriteDataBlockFunc) error {
		return errSubquery
	}
	if f.runner, err = logstorage.NewNetQueryRunner(context.Background(), nil, q, remote, f.matched); errors.Is(err, errSubquery) {
		return nil, fmt.Errorf(tailCannotDo, "a subquery", storage.ErrInvalid)
	} else if err != nil {
		return nil, fmt.Errorf("filter: %w: %w", storage.ErrInvalid, err)
	}
	if err := f.findColumns(); err != nil {
		return nil, err
	}
	for _, name := range notInMemory {
		if slices.Contains(f.columns, name) {
			return nil, fmt.Errorf(tailCannotDo, name, storage.ErrInvalid)
		}
	}
	return f, nil
}

// findColumns learns what the filter reads from what the evaluation asks the other nodes for: "* | fields a, b".
func (f *Filter) findColumns() error {
	var asked string
	err := f.runner.Run(context.Background(), 1, func(_ <-chan struct{}, q *logstorage.Query, _ logstorage.WriteDataBlockFunc) error {
		asked = q.String()
		return nil
	})
	list, ok := strings.CutPrefix(asked, "* | fields ")
	if err != nil || !ok {
		return fmt.Errorf("filter: its fields are not clear from %q: %w", asked, errors.Join(err, storage.ErrInvalid))
	}
	for list != "" {
		var name string
		if quotedName, err := strconv.QuotedPrefix(list); err == nil {
			list = list[len(quotedName):]
			if name, err = strconv.Unquote(quotedName); err != nil {
				return fmt.Errorf("filter: field name %s: %w", quotedName, storage.ErrInvalid)
			}
		} else {
			name, _, _ = strings.Cut(list, ",")
			list = list[len(name):]
		}
		list = strings.TrimLeft(list, ", ")
		if strings.HasSuffix(name, "*") {
			return fmt.Errorf(tailCannotDo, "fields "+name, storage.ErrInvalid)
		}
		if name != rowColumn {
			f.columns = append(f.columns, name)
		}
	}
	return nil
}

// Match reports whether the filter matches e. MatchAll costs less per event.
func (f *Filter) Match(e *storage.Event) bool {
	var hit [1]bool
	f.MatchAll([]storage.Event{*e}, hit[:])
	return hit[0]
}

// MatchAll sets hits[i] to whether the filter matches events[i], which are in canonical form; both have one length.
func (f *Filter) MatchAll(events []storage.Event, hits []bool) {
	if f.all {
		for i := range events {
			hits[i] = true
		}
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(events) > 0 {
		n := min(len(events), MaxFilterBatch)
		f.evaluate(events[:n], hits[:n])
		events, hits = events[n:], hits[n:]
	}
}

func (f *Filter) evaluate(events []storage.Event, hits []bool) {
	clear(hits)
	f.hits = hits
	f.fill(events)
	// The error could only come from the function, which returns none, or from a pipe that keeps state.
	_ = f.runner.Run(context.Background(), 1, func(_ <-chan struct{}, _ *logstorage.Query, write logstorage.WriteDataBlockFunc) error {
		write(0, &f.block)
		return nil
	})
	f.hits = nil
}

// matched is called during evaluate, in its goroutine, with the rows that passed.
func (f *Filter) matched(_ uint, db *logstorage.DataBlock) {
	for _, col := range db.Columns {
		if col.Name != rowColumn {
			continue
		}
		for _, v := range col.Values {
			if i, err := strconv.Atoi(v); err == nil {
				f.hits[i] = true
			}
		}
	}
}

// fill makes a block of the columns that the filter reads.
func (f *Filter) fill(events []storage.Event) {
	n := len(events)
	f.backing = slices.Grow(f.backing[:0], n*len(f.columns))[:n*len(f.columns)]
	f.block.Columns = append(f.block.Columns[:0], logstorage.BlockColumn{Name: rowColumn, Values: rowNumbers[:n]})
	for c, name := range f.columns {
		values := f.backing[c*n : (c+1)*n]
		for i := range events {
			values[i] = fieldOf(&events[i], name)
		}
		f.block.Columns = append(f.block.Columns, logstorage.BlockColumn{Name: name, Values: values})
	}
}

// fieldOf returns what the store would have in a column.
func fieldOf(e *storage.Event, name string) string {
	switch name {
	case "_msg", "":
		return e.Raw
	case storage.FieldDataset:
		return e.Stream
	case "_stream":
		if e.Stream == "" {
			return "{}"
		}
		return "{" + storage.FieldDataset + "=" + strconv.Quote(e.Stream) + "}"
	case storage.FieldID:
		return e.ID.String()
	case storage.FieldSeq:
		return strconv.FormatUint(e.ID.Seq, 10)
	case storage.FieldReceived:
		return time.Unix(0, e.Received).UTC().Format(receivedAs)
	}
	return e.Get(name)
}
