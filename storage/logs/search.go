package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Search gives the rows that match to emit, newest first, in portions that emit may keep, from one goroutine. It looks
// back in windows, each wider than the one before, so that the newest rows come at once and a slow emit, or one whose
// reader is gone, holds nothing that another search needs. A query with pipes is a table and comes as logstorage
// orders it. An error of emit ends the search and is returned. The error otherwise wraps ErrInvalid (with logstorage's
// text), ErrForbidden, ErrExhausted (a limit, the timeout), ErrUnavailable or the error of ctx.
func (s *Store) Search(ctx context.Context, p storage.Principal, q Query, emit func([]Row) error) (Progress, error) {
	pq, err := s.prepare(p, q)
	if err != nil {
		return Progress{}, fmt.Errorf("searching: %w", err)
	}
	sr := &search{s: s, pq: pq, emit: emit, tell: q.Progress}
	sr.done.From, sr.done.To = time.Unix(0, pq.to).UTC(), time.Unix(0, pq.to).UTC()
	if pq.plain {
		err = sr.backwards(ctx)
	} else {
		err = sr.table(ctx)
	}
	if err != nil {
		return sr.done, fmt.Errorf("searching: %w", err)
	}
	return sr.done, nil
}

type search struct {
	s    *Store
	pq   *prepared
	emit func([]Row) error
	tell func(Progress)
	done Progress
	left int
	most int // rows per window
}

// backwards walks from the newest row to the oldest. A window that holds more rows than are taken at a time is
// continued at the time of its last row, without the rows of that very time that were given already.
func (sr *search) backwards(ctx context.Context) error {
	sr.left, sr.most = sr.pq.limit, emitRows
	end, width := sr.pq.to, int64(firstWindow)
	if ahead := end - sr.pq.now; ahead > 0 {
		width = ahead // few rows are ahead of the clock: start looking back from now
	}
	given := map[storage.EventID]struct{}{} // rows of time end-1
	stuck := 0                              // more rows to ask for: there are that many copies of given ones
	for end > sr.pq.from && sr.left > 0 {
		start := max(sr.pq.from, end-min(width, end-sr.pq.from))
		rows, full, err := sr.window(ctx, start, end, min(sr.left, sr.most)+len(given)+stuck)
		if err != nil {
			return err
		}
		next := start
		if full {
			next = rows[len(rows)-1].Time + 1
			width = max(2*(end-next), int64(time.Second))
		} else if end > sr.pq.now {
			width = int64(firstWindow)
		} else {
			width = min(width*windowGrowth, sr.pq.to-sr.pq.from)
		}
		rows = slices.DeleteFunc(rows, func(r Row) bool { _, twice := given[r.ID]; return twice })
		if next < end {
			clear(given)
		}
		if stuck = 2*stuck + emitRows; len(rows) > 0 || next < end {
			stuck = 0
		}
		if full {
			for i := len(rows) - 1; i >= 0 && rows[i].Time == next-1; i-- {
				given[rows[i].ID] = struct{}{}
			}
		}
		end = next
		if err := sr.give(rows, end); err != nil {
			return err
		}
	}
	sr.done.Truncated = sr.left == 0
	return nil
}

// window returns the newest n rows of [start, end), newest first, and whether there were n. Rows near the size limit
// do not fit logstorage's memory by the thousand: then it takes fewer at a time.
func (sr *search) window(ctx context.Context, start, end int64, n int) (rows []Row, full bool, err error) {
	for {
		q, err := sr.pq.query(fmt.Sprintf(" | sort by (_time desc) limit %d", n), start, end)
		if err != nil {
			return nil, false, err
		}
		sr.done.Windows++
		rows, err = sr.s.collect(ctx, sr.pq, q, n)
		switch {
		case err == nil:
			full = len(rows) == n
		case errors.Is(err, errCut) && len(rows) > 0: // sorted: what came is the newest
			full = true
		case errors.Is(err, storage.ErrExhausted) && n > 16 && !errors.Is(err, context.DeadlineExceeded):
			n /= 8
			sr.most = max(sr.most/8, 1)
			continue
		default:
			return nil, false, err
		}
		slices.SortStableFunc(rows, newestFirst)
		rows = slices.CompactFunc(rows, func(a, b Row) bool { return a.ID == b.ID && a.Tenant == b.Tenant })
		return rows, full, nil
	}
}

func newestFirst(a, b Row) int {
	switch {
	case a.Time != b.Time:
		if a.Time > b.Time {
			return -1
		}
		return 1
	case a.ID == b.ID:
		return 0
	case b.ID.Less(a.ID):
		return -1
	}
	return 1
}

// table runs the query once.
func (sr *search) table(ctx context.Context) error {
	q, err := sr.pq.query("", sr.pq.from, sr.pq.to)
	if err != nil {
		return err
	}
	sr.left = sr.pq.limit
	sr.done.Windows++
	rows, err := sr.s.collect(ctx, sr.pq, q, sr.pq.limit)
	if err != nil && !errors.Is(err, errCut) {
		return err
	}
	truncated := err != nil
	for portion := range slices.Chunk(rows, emitRows) {
		if err := sr.give(portion, sr.pq.to); err != nil {
			return err
		}
	}
	sr.done.Truncated = truncated
	sr.done.From = time.Unix(0, sr.pq.from).UTC()
	if sr.tell != nil {
		sr.tell(sr.done)
	}
	return nil
}

// give emits rows and says that everything from covered on was looked at.
func (sr *search) give(rows []Row, covered int64) error {
	if len(rows) > sr.left {
		rows = rows[:sr.left]
	}
	if len(rows) > 0 {
		sr.left -= len(rows)
		sr.done.Rows += uint64(len(rows))
		for i := range rows {
			sr.done.Bytes += rowSize(&rows[i])
		}
		if err := sr.emit(rows); err != nil {
			return err
		}
	}
	sr.done.From = time.Unix(0, covered).UTC()
	if sr.tell != nil && sr.pq.plain {
		sr.tell(sr.done)
	}
	return nil
}

func rowSize(r *Row) uint64 {
	n := len(r.Raw)
	for i := range r.Fields {
		n += len(r.Fields[i].Name) + len(r.Fields[i].Value)
	}
	return uint64(n)
}
