package logs

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/VictoriaMetrics/VictoriaMetrics/lib/logstorage"
	"github.com/vedette-siem/vedette/storage"
)

// Stored returns the ids of the rows of frames lo to hi, of all tenants, with event times in [from, to). At start the
// caller asks it for the frames that the queue still has, and appends again only what is missing: losses of a crash
// are not a suffix of the log. The caller bounds the answer by the number of frames. Errors are as those of Search.
func (s *Store) Stored(ctx context.Context, lo, hi uint64, from, to time.Time) (map[storage.EventID]struct{}, error) {
	ids := map[storage.EventID]struct{}{}
	err := s.ids(ctx, lo, hi, from, to, func(id storage.EventID) { ids[id] = struct{}{} })
	return ids, err
}

// CountByID is Stored with the number of rows that have the id: more than one is an event stored twice.
func (s *Store) CountByID(ctx context.Context, lo, hi uint64, from, to time.Time) (map[storage.EventID]int, error) {
	ids := map[storage.EventID]int{}
	err := s.ids(ctx, lo, hi, from, to, func(id storage.EventID) { ids[id]++ })
	return ids, err
}

// ids calls add for each raw row, one at a time.
func (s *Store) ids(ctx context.Context, lo, hi uint64, from, to time.Time, add func(storage.EventID)) error {
	const largest = 1<<53 - 1 // logstorage compares as float64
	pq := &prepared{
		text: fmt.Sprintf("%s:range[%d, %d] | fields %s", quoted(storage.FieldSeq), min(lo, largest), min(hi, largest), quoted(storage.FieldID)),
		now:  s.cfg.Now().UnixNano(), from: unixNano(from), to: unixNano(to),
	}
	tenants := s.tenants.all()
	if len(tenants) == 0 || lo > hi || !from.Before(to) {
		return nil
	}
	slices.Sort(tenants)
	for _, t := range tenants {
		pq.tenants = append(pq.tenants, tenantID(t))
	}
	q, err := pq.query("", pq.from, pq.to)
	if err != nil {
		return fmt.Errorf("listing rows of frames %d to %d: %w", lo, hi, err)
	}
	var mu sync.Mutex
	var bad error
	err = s.run(ctx, func(ctx context.Context) error {
		return s.db.RunQuery(ctx, pq.tenants, q, func(_ uint, db *logstorage.DataBlock) {
			mu.Lock()
			defer mu.Unlock()
			for _, col := range db.Columns {
				if col.Name != storage.FieldID {
					continue
				}
				for _, v := range col.Values {
					id, err := storage.ParseEventID(v)
					if err != nil {
						bad = err
						continue
					}
					add(id)
				}
			}
		})
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return fmt.Errorf("listing rows of frames %d to %d: %w", lo, hi, err)
	}
	return nil
}

func quoted(name string) string { return `"` + name + `"` }
