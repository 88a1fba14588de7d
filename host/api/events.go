package api

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vedette-siem/vedette/host/tenant"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

type eventService struct {
	*API
	vedettev1connect.UnimplementedEventServiceHandler
}

func (s eventService) Search(ctx context.Context, req *connect.Request[v1.SearchRequest], stream *connect.ServerStream[v1.SearchResponse]) error {
	p, q, err := s.query(ctx, req.Header(), req.Msg.Query)
	if err != nil {
		return err
	}
	// Both functions are called by the goroutine of Search, so messages leave in order.
	q.Progress = func(pr logs.Progress) {
		stream.Send(&v1.SearchResponse{Progress: progressOf(pr, false)}) //nolint:errcheck // the next message fails too
	}
	last, err := s.cfg.Store.Search(ctx, p, q, func(rows []logs.Row) error { return sendRows(rows, stream.Send) })
	if err != nil {
		return err
	}
	return stream.Send(&v1.SearchResponse{Progress: progressOf(last, true)})
}

// sendRows sends rows in portions of bounded size.
func sendRows(rows []logs.Row, send func(*v1.SearchResponse) error) error {
	m, size := &v1.SearchResponse{}, 0
	for i := range rows {
		m.Events = append(m.Events, eventOfRow(&rows[i]))
		size += len(rows[i].Raw)
		for _, f := range rows[i].Fields {
			size += len(f.Name) + len(f.Value)
		}
		if i == len(rows)-1 || len(m.Events) == MaxPortionRows || size > MaxPortionBytes {
			if err := send(m); err != nil {
				return err
			}
			m, size = &v1.SearchResponse{}, 0
		}
	}
	return nil
}

func (s eventService) Histogram(ctx context.Context, req *connect.Request[v1.HistogramRequest]) (*connect.Response[v1.HistogramResponse], error) {
	p, q, err := s.query(ctx, req.Header(), req.Msg.Query)
	if err != nil {
		return nil, err
	}
	step := time.Duration(req.Msg.StepSeconds) * time.Second
	if step == 0 {
		if q.From.IsZero() {
			return nil, fmt.Errorf("histogram: want a step or a beginning: %w", storage.ErrInvalid)
		}
		to := q.To
		if to.IsZero() {
			to = time.Now()
		}
		step = stepFor(to.Sub(q.From))
	}
	buckets, err := s.cfg.Store.Histogram(ctx, p, q, step, req.Msg.By)
	if err != nil {
		return nil, err
	}
	out := &v1.HistogramResponse{}
	for _, b := range buckets {
		out.Buckets = append(out.Buckets, &v1.Bucket{Start: timestamppb.New(b.Time), Value: b.Value, Count: b.Hits})
	}
	return connect.NewResponse(out), nil
}

// steps are the widths that people read easily.
var steps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// stepFor returns the width that makes at most SearchBuckets of a range.
func stepFor(d time.Duration) time.Duration {
	for _, s := range steps {
		if d <= s*SearchBuckets {
			return s
		}
	}
	day := 24 * time.Hour
	return (d/SearchBuckets + day - 1).Truncate(day)
}

func (s eventService) Facets(ctx context.Context, req *connect.Request[v1.FacetsRequest]) (*connect.Response[v1.FacetsResponse], error) {
	p, q, err := s.query(ctx, req.Header(), req.Msg.Query)
	if err != nil {
		return nil, err
	}
	limit := int(req.Msg.Limit)
	if limit == 0 {
		limit = DefaultFacetValues
	}
	facets, err := s.cfg.Store.Facets(ctx, p, q, limit)
	if err != nil {
		return nil, err
	}
	out := &v1.FacetsResponse{}
	for _, f := range facets {
		out.Facets = append(out.Facets, &v1.Facet{Field: f.Field, Values: counts(f.Values)})
	}
	return connect.NewResponse(out), nil
}

func (s eventService) FieldNames(ctx context.Context, req *connect.Request[v1.FieldNamesRequest]) (*connect.Response[v1.FieldNamesResponse], error) {
	p, q, err := s.query(ctx, req.Header(), req.Msg.Query)
	if err != nil {
		return nil, err
	}
	names, err := s.cfg.Store.FieldNames(ctx, p, q)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.FieldNamesResponse{Names: counts(names)}), nil
}

func (s eventService) FieldValues(ctx context.Context, req *connect.Request[v1.FieldValuesRequest]) (*connect.Response[v1.FieldValuesResponse], error) {
	p, q, err := s.query(ctx, req.Header(), req.Msg.Query)
	if err != nil {
		return nil, err
	}
	limit := q.Limit
	if limit == 0 {
		limit = DefaultFieldValues
	}
	values, err := s.cfg.Store.FieldValues(ctx, p, q, req.Msg.Field, min(limit, logs.MaxValues))
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.FieldValuesResponse{Values: counts(values)}), nil
}

func (s eventService) Tail(ctx context.Context, req *connect.Request[v1.TailRequest], stream *connect.ServerStream[v1.TailResponse]) error {
	p, err := s.some(ctx, req.Header(), tenant.ReadEvents, req.Msg.Tenants)
	if err != nil {
		return err
	}
	filter, err := newTailFilter(req.Msg.Filter, p.Filter)
	if err != nil {
		return err
	}
	tail := s.cfg.Pipeline.Tails.Follow(p)
	if tail == nil {
		return fmt.Errorf("tail: too many are open: %w", storage.ErrExhausted)
	}
	defer tail.Close()
	every, recheck := time.NewTicker(TailEvery), time.NewTicker(RecheckEvery)
	defer every.Stop()
	defer recheck.Stop()
	m, size := &v1.TailResponse{}, 0
	if err := stream.Send(m); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-recheck.C: // a session that ended, an organization that was removed
			if _, err := s.some(ctx, req.Header(), tenant.ReadEvents, req.Msg.Tenants); err != nil {
				return err
			}
		case batch := <-tail.C:
			for e := range filter.matching(batch) {
				if len(m.Events) == MaxTailEvents || size > MaxPortionBytes {
					m.Dropped++
					continue
				}
				m.Events = append(m.Events, eventOf(e))
				size += len(e.Raw)
			}
		case <-every.C:
			if m.Dropped += tail.Dropped(); len(m.Events) == 0 && m.Dropped == 0 {
				continue
			}
			if err := stream.Send(m); err != nil {
				return err
			}
			m, size = &v1.TailResponse{}, 0
		}
	}
}

// tailFilter selects what a tail shows: the caller's filter, and the one that the caller is limited by. It belongs to
// one goroutine.
type tailFilter struct {
	parts []*logs.Filter
	hits  []bool
	both  []bool
}

func newTailFilter(texts ...string) (*tailFilter, error) {
	f := &tailFilter{}
	for _, text := range texts {
		part, err := logs.ParseFilter(text)
		if err != nil {
			return nil, err
		}
		f.parts = append(f.parts, part)
	}
	return f, nil
}

// matching yields the events that all parts match.
func (f *tailFilter) matching(batch []storage.Event) iter.Seq[*storage.Event] {
	f.hits = slices.Grow(f.hits[:0], len(batch))[:len(batch)]
	f.both = slices.Grow(f.both[:0], len(batch))[:len(batch)]
	for i, part := range f.parts {
		part.MatchAll(batch, f.hits)
		for j, hit := range f.hits {
			f.both[j] = hit && (i == 0 || f.both[j])
		}
	}
	return func(yield func(*storage.Event) bool) {
		for i := range batch {
			if f.both[i] && !yield(&batch[i]) {
				return
			}
		}
	}
}

// query returns who asks and for what, inside what they may read.
func (s eventService) query(ctx context.Context, h map[string][]string, q *v1.Query) (storage.Principal, logs.Query, error) {
	p, err := s.some(ctx, h, tenant.ReadEvents, q.GetTenants())
	if err != nil {
		return p, logs.Query{}, err
	}
	out := logs.Query{Text: q.GetText(), Limit: int(q.GetLimit())}
	for _, t := range []struct {
		name string
		from *timestamppb.Timestamp
		to   *time.Time
	}{{"from", q.GetFrom(), &out.From}, {"to", q.GetTo(), &out.To}} {
		if t.from == nil {
			continue
		}
		if err := t.from.CheckValid(); err != nil {
			return p, out, fmt.Errorf("query: %s: %w: %w", t.name, err, storage.ErrInvalid)
		}
		*t.to = t.from.AsTime()
	}
	return p, out, nil
}

func progressOf(p logs.Progress, done bool) *v1.SearchProgress {
	out := &v1.SearchProgress{Rows: p.Rows, Done: done, Truncated: p.Truncated}
	if !p.From.IsZero() {
		out.CoveredFrom = timestamppb.New(p.From)
	}
	return out
}

func eventOfRow(r *logs.Row) *v1.Event {
	e := &v1.Event{Tenant: uint32(r.Tenant), Raw: r.Raw, Fields: make(map[string]string, len(r.Fields))}
	if r.ID != (storage.EventID{}) {
		e.Id = r.ID.String()
	}
	if r.Time != 0 {
		e.Time = moment(r.Time)
	}
	for _, f := range r.Fields {
		e.Fields[f.Name] = f.Value
	}
	return e
}

// eventOf shows an event that is passing as a search will show it.
func eventOf(e *storage.Event) *v1.Event {
	fields := make(map[string]string, len(e.Fields)+4)
	for _, f := range e.Fields {
		fields[f.Name] = f.Value
	}
	if e.Stream != "" {
		fields[storage.FieldDataset] = e.Stream
	}
	return &v1.Event{Id: e.ID.String(), Tenant: uint32(e.Tenant), Time: moment(e.Time), Raw: e.Raw, Fields: fields}
}

func counts(cs []logs.Count) []*v1.ValueCount {
	out := make([]*v1.ValueCount, len(cs))
	for i, c := range cs {
		out[i] = &v1.ValueCount{Value: c.Value, Count: c.Hits}
	}
	return out
}

// moment is a time in ns since the Unix epoch, which all rooms use, on the wire; nil for 0.
func moment(ns int64) *timestamppb.Timestamp {
	if ns == 0 {
		return nil
	}
	return timestamppb.New(time.Unix(0, ns))
}
