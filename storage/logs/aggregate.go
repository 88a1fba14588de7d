package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/VictoriaMetrics/lib/logstorage"
	"github.com/vedette-siem/vedette/storage"
)

// Bucket is how many rows one step of time has, for one value of the field that they are counted by.
type Bucket struct {
	Time  time.Time // start of the step
	Value string    // of the field; "" when there is none
	Hits  uint64
}

// Count is a value and the number of rows that have it.
type Count struct {
	Value string
	Hits  uint64
}

// Facet is a field and its most frequent values.
type Facet struct {
	Field  string
	Values []Count
}

// Histogram counts matching rows per step of at least one second, by the values of a field unless by is "", in the
// order of time and value; steps without rows are left out. Pipes of the query are ignored. More than MaxBuckets steps
// or MaxHistogramRows buckets are ErrExhausted; the other errors are those of Search.
func (s *Store) Histogram(ctx context.Context, p storage.Principal, q Query, step time.Duration, by string) ([]Bucket, error) {
	pq, err := s.prepare(p, q)
	if err != nil {
		return nil, fmt.Errorf("counting by time: %w", err)
	}
	if step < time.Second {
		return nil, fmt.Errorf("counting by time: step %v, at least 1s is allowed: %w", step, storage.ErrInvalid)
	}
	if n := (pq.to - pq.from) / int64(step); n > MaxBuckets {
		return nil, fmt.Errorf("counting by time: %d steps of %v, at most %d are allowed: %w", n, step, MaxBuckets, storage.ErrExhausted)
	}
	fields := []string{}
	if by != "" {
		if err := checkField(by); err != nil {
			return nil, fmt.Errorf("counting by time: %w", err)
		}
		fields = append(fields, by)
	}
	rows, err := s.aggregate(ctx, pq, func(q *logstorage.Query) { q.AddCountByTimePipe(int64(step), 0, fields) })
	if err != nil {
		return nil, fmt.Errorf("counting by time: %w", err)
	}
	buckets := make([]Bucket, len(rows))
	for i, r := range rows {
		hits, err := hitsOf(column(r, "hits"))
		if err != nil {
			return nil, fmt.Errorf("counting by time: %w", err)
		}
		buckets[i] = Bucket{Time: time.Unix(0, r.Time).UTC(), Value: column(r, by), Hits: hits}
	}
	return buckets, nil
}

// Facets returns the fields of matching rows with up to limit of their most frequent values, leaving out fields with
// one value, very many, or very long ones. Pipes of the query are ignored. The errors are those of Search.
func (s *Store) Facets(ctx context.Context, p storage.Principal, q Query, limit int) ([]Facet, error) {
	pq, err := s.prepare(p, q)
	if err == nil {
		err = checkValues(limit)
	}
	if err != nil {
		return nil, fmt.Errorf("finding facets: %w", err)
	}
	rows, err := s.aggregate(ctx, pq, func(q *logstorage.Query) { q.AddFacetsPipe(limit, 0, 0, false) })
	if err != nil {
		return nil, fmt.Errorf("finding facets: %w", err)
	}
	var facets []Facet
	for _, r := range rows {
		name := column(r, "field_name")
		if hidden(name) {
			continue
		}
		hits, err := hitsOf(column(r, "hits"))
		if err != nil {
			return nil, fmt.Errorf("finding facets: %w", err)
		}
		i := slices.IndexFunc(facets, func(f Facet) bool { return f.Field == name })
		if i < 0 {
			i = len(facets)
			facets = append(facets, Facet{Field: name})
		}
		facets[i].Values = append(facets[i].Values, Count{Value: column(r, "field_value"), Hits: hits})
	}
	return facets, nil
}

// FieldNames returns the names of the fields of matching rows, most frequent first. The errors are those of Search.
func (s *Store) FieldNames(ctx context.Context, p storage.Principal, q Query) ([]Count, error) {
	pq, err := s.prepare(p, q)
	if err != nil {
		return nil, fmt.Errorf("listing field names: %w", err)
	}
	counts, err := s.values(ctx, pq, func(ctx context.Context, q *logstorage.Query) ([]logstorage.ValueWithHits, error) {
		return s.db.GetFieldNames(ctx, pq.tenants, q)
	})
	if err != nil {
		return nil, fmt.Errorf("listing field names: %w", err)
	}
	return slices.DeleteFunc(counts, func(c Count) bool { return hidden(c.Value) }), nil
}

// FieldValues returns up to limit values of a field of matching rows, most frequent first. When there are more than
// limit, which ones come is not defined and their Hits are 0. The errors are those of Search.
func (s *Store) FieldValues(ctx context.Context, p storage.Principal, q Query, field string, limit int) ([]Count, error) {
	pq, err := s.prepare(p, q)
	if err == nil {
		err = checkValues(limit)
	}
	if err == nil {
		err = checkField(field)
	}
	if err != nil {
		return nil, fmt.Errorf("listing values: %w", err)
	}
	counts, err := s.values(ctx, pq, func(ctx context.Context, q *logstorage.Query) ([]logstorage.ValueWithHits, error) {
		return s.db.GetFieldValues(ctx, pq.tenants, q, field, uint64(limit))
	})
	if err != nil {
		return nil, fmt.Errorf("listing values of %q: %w", field, err)
	}
	return slices.DeleteFunc(counts, func(c Count) bool { return c.Value == "" }), nil
}

func checkValues(limit int) error {
	if limit < 1 || limit > MaxValues {
		return fmt.Errorf("%d values, 1 to %d are allowed: %w", limit, MaxValues, storage.ErrExhausted)
	}
	return nil
}

// checkField refuses names that logstorage panics on or takes for a pattern.
func checkField(name string) error {
	if name == "" || len(name) > storage.MaxFieldNameBytes || strings.HasSuffix(name, "*") {
		return fmt.Errorf("field name %.140q: %w", name, storage.ErrInvalid)
	}
	return nil
}

// aggregate runs the filter of the query with another pipe. The answer is a table.
func (s *Store) aggregate(ctx context.Context, pq *prepared, add func(*logstorage.Query)) (rows []Row, err error) {
	table := *pq
	table.plain = false
	q, err := pq.query("", pq.from, pq.to)
	if err != nil {
		return nil, err
	}
	q.DropAllPipes()
	add(q)
	rows, err = s.collect(ctx, &table, q, MaxHistogramRows)
	if errors.Is(err, errCut) {
		return nil, fmt.Errorf("more than %d lines: %w", MaxHistogramRows, storage.ErrExhausted)
	}
	return rows, err
}

func (s *Store) values(ctx context.Context, pq *prepared, get func(context.Context, *logstorage.Query) ([]logstorage.ValueWithHits, error)) ([]Count, error) {
	q, err := pq.query("", pq.from, pq.to)
	if err != nil {
		return nil, err
	}
	q.DropAllPipes()
	var counts []Count
	err = s.run(ctx, func(ctx context.Context) error {
		found, err := get(ctx, q)
		for _, v := range found[:min(len(found), MaxValues)] {
			counts = append(counts, Count{Value: v.Value, Hits: v.Hits})
		}
		return err
	})
	return counts, err
}

func column(r Row, name string) string {
	for _, f := range r.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func hitsOf(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("number of rows %q: %w", text, storage.ErrInvalid)
	}
	return n, nil
}
