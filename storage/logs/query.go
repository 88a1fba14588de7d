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

// Query is what to look for and where.
type Query struct {
	Text     string         // LogsQL, at most storage.MaxQueryBytes; "" is everything
	From     time.Time      // inclusive; zero: as far back as rows are kept
	To       time.Time      // exclusive; zero: everything up to now and beyond
	Limit    int            // rows; 0 is DefaultSearchRows, at most MaxSearchRows
	Progress func(Progress) // called after each window of Search, from the goroutine of emit; may be nil
}

// Progress is how far a search has come. logstorage does not tell what it reads, so it counts what was found.
type Progress struct {
	From, To  time.Time // covered so far: nothing newer than From is missing
	Rows      uint64    // given to emit
	Bytes     uint64    // names and values of those rows
	Windows   int       // queries run
	Truncated bool      // the limit ended the search: there may be more
}

// Row is one stored event, or one line of a table when the query has pipes.
type Row struct {
	ID     storage.EventID // zero in a table
	Time   int64           // ns since the Unix epoch; in a table: of its _time column, or 0
	Tenant storage.Tenant  // in a table: NoTenant when it is of several organizations
	Raw    string          // in a table: its _msg column
	Fields []storage.Field // with those that Vedette adds, sorted by name; in a table: its columns, to be found by name
}

// Event returns the row as it was appended, but for the order of Fields.
func (r *Row) Event() (storage.Event, error) {
	e := storage.Event{ID: r.ID, Tenant: r.Tenant, Time: r.Time, Raw: r.Raw, Fields: make([]storage.Field, 0, len(r.Fields))}
	for _, f := range r.Fields {
		switch f.Name {
		case storage.FieldID, storage.FieldSeq:
		case storage.FieldDataset:
			e.Stream = f.Value
		case storage.FieldReceived:
			at, err := time.Parse(receivedAs, f.Value)
			if err != nil {
				return e, fmt.Errorf("event %s: receive time %q: %w", r.ID, f.Value, storage.ErrInvalid)
			}
			e.Received = at.UnixNano()
		default:
			e.Fields = append(e.Fields, f)
		}
	}
	return e, nil
}

// prepared is a query that was checked and narrowed to what the principal may see.
type prepared struct {
	tenants  []logstorage.TenantID // sorted: logstorage silently loses rows otherwise
	only     storage.Tenant        // when there is one; else NoTenant
	text     string                // as logstorage prints it
	filter   *logstorage.Filter    // the principal's; nil for none
	plain    bool                  // no pipes: rows come out as stored
	from, to int64                 // ns, from inclusive, to exclusive
	limit    int
	now      int64 // for relative times in the text
}

func (s *Store) prepare(p storage.Principal, q Query) (*prepared, error) {
	pq := &prepared{now: s.cfg.Now().UnixNano(), limit: q.Limit}
	if err := pq.narrow(p); err != nil {
		return nil, err
	}
	if len(q.Text) > storage.MaxQueryBytes {
		return nil, fmt.Errorf("query of %d bytes, at most %d are allowed: %w", len(q.Text), storage.MaxQueryBytes, storage.ErrExhausted)
	}
	if q.Limit < 0 || q.Limit > MaxSearchRows {
		return nil, fmt.Errorf("query for %d rows, 0 to %d are allowed: %w", q.Limit, MaxSearchRows, storage.ErrExhausted)
	}
	setDefault(&pq.limit, DefaultSearchRows)
	if strings.TrimSpace(q.Text) == "" {
		q.Text = "*"
	}
	parsed, err := parseQuery(q.Text, pq.now)
	if err != nil {
		return nil, err
	}
	parsed = parsed.Clone(pq.now) // printing it again may simplify it further: compare what both went through
	pq.text = parsed.String()
	parsed.DropAllPipes()
	pq.plain = parsed.String() == pq.text
	if pq.filter != nil && strings.Contains(pq.text, "stream_context") { // it reads rows beside the filter's
		return nil, fmt.Errorf("stream_context is not open to users with a forced filter: %w", storage.ErrForbidden)
	}
	pq.setRange(parsed, q, s.cfg.Now().Add(-s.retention))
	return pq, nil
}

// narrow takes tenants and forced filter from the principal, and fails closed.
func (pq *prepared) narrow(p storage.Principal) error {
	tenants := slices.Clone(p.Tenants)
	slices.Sort(tenants)
	for _, t := range slices.Compact(tenants) {
		if t != storage.NoTenant {
			pq.tenants = append(pq.tenants, tenantID(t))
			pq.only = t
		}
	}
	switch {
	case len(pq.tenants) == 0:
		return fmt.Errorf("%q sees no organization: %w", p.User, storage.ErrForbidden)
	case len(pq.tenants) > 1:
		pq.only = storage.NoTenant
	}
	if strings.TrimSpace(p.Filter) == "" {
		return nil
	}
	if len(p.Filter) > storage.MaxQueryBytes {
		return fmt.Errorf("forced filter of %q is too long: %w", p.User, storage.ErrForbidden)
	}
	f, err := logstorage.ParseFilter(p.Filter)
	if err != nil {
		return fmt.Errorf("forced filter of %q: %w: %w", p.User, storage.ErrForbidden, err)
	}
	pq.filter = f
	return nil
}

// setRange also uses a time filter in the text, so that a search does not visit windows outside it.
func (pq *prepared) setRange(parsed *logstorage.Query, q Query, oldest time.Time) {
	pq.from, pq.to = oldest.UnixNano()/day*day, pq.now+MaxFutureSkewHours*int64(time.Hour)
	if !q.From.IsZero() {
		pq.from = max(pq.from, unixNano(q.From))
	}
	if !q.To.IsZero() {
		pq.to = min(pq.to, unixNano(q.To))
	}
	first, last := parsed.GetFilterTimeRange()
	pq.from = max(pq.from, first)
	if last < pq.to {
		pq.to = last + 1
	}
}

// unixNano clamps what does not fit.
func unixNano(t time.Time) int64 {
	switch {
	case t.Year() < 1680:
		return time.Date(1680, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	case t.Year() > 2260:
		return time.Date(2260, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	}
	return t.UnixNano()
}

func parseQuery(text string, now int64) (*logstorage.Query, error) {
	q, err := logstorage.ParseQueryAtTimestamp(text, now)
	if err != nil {
		return nil, fmt.Errorf("query: %w: %w", storage.ErrInvalid, err)
	}
	return q, nil
}

// query returns the text and more pipes, narrowed to a time range and the forced filter, subqueries included.
func (pq *prepared) query(pipes string, from, to int64) (*logstorage.Query, error) {
	q, err := parseQuery(pq.text+pipes, pq.now)
	if err != nil {
		return nil, err
	}
	return q, pq.restrict(q, from, to)
}

// restrict adds the range twice: AddTimeFilter tells it to rate(), but takes an end on a whole second or millisecond
// for all of that second or millisecond; the half-open filter is exact, and no option in the text turns it off.
func (pq *prepared) restrict(q *logstorage.Query, from, to int64) error {
	q.AddTimeFilter(from, to-1)
	stamp := func(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }
	exact, err := logstorage.ParseFilter("_time:[" + stamp(from) + "," + stamp(to) + ")")
	if err != nil {
		return fmt.Errorf("time range of a query: %w: %w", storage.ErrInvalid, err)
	}
	q.AddExtraFilters(exact)
	q.AddExtraFilters(pq.filter)
	return nil
}

var errCut = errors.New("result is larger than its limit")

// run calls fn with a context that has the query timeout, while no more than GOMAXPROCS queries run: logstorage's own
// limit is held while a callback waits, so callbacks never wait, they only copy.
func (s *Store) run(ctx context.Context, fn func(context.Context) error) (err error) {
	select {
	case s.slots <- struct{}{}:
	case <-s.root.Done():
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("waiting to query: %w", ctx.Err())
	}
	defer func() { <-s.slots }()
	if s.root.Err() != nil {
		return errClosed
	}
	s.queries.Add(1)
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	defer context.AfterFunc(s.root, cancel)()
	defer func() {
		if r := recover(); r != nil { // its parsers panic on what they cannot quote
			err = fmt.Errorf("query: %v: %w", r, storage.ErrInvalid)
		}
	}()
	err = fn(ctx)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("query took longer than %v: %w: %w", s.cfg.QueryTimeout, storage.ErrExhausted, ctx.Err())
	case s.root.Err() != nil:
		return errClosed
	case ctx.Err() != nil: // logstorage returns nil then, with a part of the rows
		return fmt.Errorf("query: %w", ctx.Err())
	case err != nil && !errors.Is(err, errCut) && !errors.Is(err, storage.ErrInvalid):
		return fmt.Errorf("query: %w: %w", storage.ErrExhausted, err) // the memory limits of pipes
	}
	return err
}

// collector copies blocks into rows. Blocks come from several goroutines.
type collector struct {
	mu      sync.Mutex
	pq      *prepared
	rows    []Row
	bytes   int
	maxRows int
	names   map[string]string
	stop    context.CancelFunc
	cut     bool
	err     error
}

// collect runs q and returns its rows, in their order when q sorts. When there are more than maxRows or than
// MaxResultBytes it returns those it has and errCut.
func (s *Store) collect(ctx context.Context, pq *prepared, q *logstorage.Query, maxRows int) ([]Row, error) {
	c := &collector{pq: pq, maxRows: maxRows, names: map[string]string{}}
	err := s.run(ctx, func(ctx context.Context) error {
		inner, stop := context.WithCancel(ctx)
		defer stop()
		c.stop = stop
		if err := s.db.RunQuery(inner, pq.tenants, q, c.add); err != nil && !c.cut {
			return err
		}
		if c.cut {
			return errCut
		}
		return c.err
	})
	return c.rows, err
}

func (c *collector) add(_ uint, db *logstorage.DataBlock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range db.RowsCount() {
		if c.cut || c.err != nil {
			return
		}
		size := 0
		for _, col := range db.Columns {
			size += len(col.Values[i])
		}
		if len(c.rows) >= c.maxRows || c.bytes+size > MaxResultBytes {
			c.cut = true
			c.stop()
			return
		}
		c.bytes += size
		row, err := c.row(db.Columns, i, size)
		if err != nil {
			c.err = err
			c.stop()
			return
		}
		c.rows = append(c.rows, row)
	}
}

// row copies one row; its values share one allocation.
func (c *collector) row(columns []logstorage.BlockColumn, i, size int) (Row, error) {
	r := Row{Tenant: c.pq.only, Fields: make([]storage.Field, 0, len(columns))}
	var values strings.Builder
	values.Grow(size)
	for _, col := range columns {
		at := values.Len()
		values.WriteString(col.Values[i])
		v := values.String()[at:]
		switch {
		case col.Name == "_time":
			if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
				r.Time = t.UnixNano()
			}
		case col.Name == "_msg":
			r.Raw = v
		case !c.pq.plain:
		case col.Name == "_stream_id":
			t, err := streamTenant(v)
			if err != nil {
				return r, err
			}
			if r.Tenant != storage.NoTenant && r.Tenant != t {
				return r, fmt.Errorf("row of tenant %s in an answer about %s: %w", t, r.Tenant, storage.ErrForbidden)
			}
			r.Tenant = t
		case col.Name == storage.FieldID:
			id, err := storage.ParseEventID(v)
			if err != nil {
				return r, err
			}
			r.ID = id
		}
		if c.pq.plain && (v == "" || col.Name[0] == '_' && hidden(col.Name)) {
			continue
		}
		r.Fields = append(r.Fields, storage.Field{Name: c.name(col.Name), Value: v})
	}
	if c.pq.plain {
		slices.SortFunc(r.Fields, func(a, b storage.Field) int { return strings.Compare(a.Name, b.Name) })
	}
	return r, nil
}

func (c *collector) name(name string) string {
	kept, ok := c.names[name]
	if !ok {
		kept = strings.Clone(name)
		c.names[kept] = kept
	}
	return kept
}

// hidden reports whether a column is logstorage's own.
func hidden(name string) bool {
	return name == "_time" || name == "_msg" || name == "_stream" || name == "_stream_id"
}

// streamTenant reads the tenant from a stream id: logstorage computes it from where the row lies, and no row can hold
// a field of that name, since Append renames it.
func streamTenant(id string) (storage.Tenant, error) {
	if len(id) != 48 {
		return 0, fmt.Errorf("stream id %q: %w", id, storage.ErrInvalid)
	}
	n, err := strconv.ParseUint(id[:8], 16, 32)
	if err != nil {
		return 0, fmt.Errorf("stream id %q: %w", id, storage.ErrInvalid)
	}
	return storage.Tenant(n), nil
}
