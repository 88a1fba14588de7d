package meta

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Spans in which usage is kept, in ns.
const (
	UsageMinute = int64(time.Minute)
	UsageHour   = int64(time.Hour)
	UsageDay    = 24 * UsageHour
)

const countedPosition = "usage" // of the log: up to there usage was counted

// usageColumns and costColumns are the counters' columns, in the order of their numbers.
var (
	usageColumns = columns(storage.Measures, func(n int) string { return storage.Measure(n).String() })
	costColumns  = columns(storage.Costs, func(n int) string { return storage.Cost(n).String() })
)

func columns(n int, name func(int) string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = name(i)
	}
	return out
}

// each joins the columns, each in a form in which % stands for its name.
func each(form string, columns []string) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = strings.ReplaceAll(form, "%", c)
	}
	return strings.Join(out, ", ")
}

// CountUsage writes what was used up to and including log position seq, as absolute values of each span, and seq with
// it, in one transaction. A position that was counted already changes nothing, so a replay never counts twice. Rows of
// organizations that are gone are left out.
func (db *DB) CountUsage(ctx context.Context, seq uint64, rows []storage.UsageRow, costs []storage.CostRow) error {
	return db.inTx(ctx, fmt.Sprintf("count usage up to %d", seq), func(tx *sql.Tx) error {
		counted, err := position(ctx, tx, countedPosition)
		if err != nil || seq <= counted {
			return err
		}
		if err := putUsage(ctx, tx, rows); err != nil {
			return err
		}
		if err := putCosts(ctx, tx, costs); err != nil {
			return err
		}
		return setPosition(ctx, tx, countedPosition, seq)
	})
}

func putUsage(ctx context.Context, tx *sql.Tx, rows []storage.UsageRow) error {
	if len(rows) == 0 {
		return nil
	}
	put, err := tx.PrepareContext(ctx, `INSERT INTO usage (span, at, tenant, module, shared, `+each("%", usageColumns)+`)
		SELECT ?, ?, ?, ?, ?, `+marks(storage.Measures)+` WHERE EXISTS (SELECT 1 FROM tenants WHERE number = ?)
		ON CONFLICT (span, at, tenant, module, shared) DO UPDATE SET `+each("% = excluded.%", usageColumns))
	if err != nil {
		return err
	}
	defer put.Close()
	args := make([]any, 6+storage.Measures)
	for i := range rows {
		r := &rows[i]
		args[0], args[1], args[2], args[3], args[4] = r.Span, r.At, r.Tenant, r.Module, r.Shared
		for m, n := range r.Used {
			args[5+m] = n
		}
		args[5+storage.Measures] = r.Tenant
		if _, err := put.ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("usage of %s by tenant %d: %w", r.Module, r.Tenant, dbError(err))
		}
	}
	return nil
}

func putCosts(ctx context.Context, tx *sql.Tx, costs []storage.CostRow) error {
	for i := range costs {
		c := &costs[i]
		args := []any{c.Span, c.At}
		for _, n := range c.Spent {
			args = append(args, n)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO usage_costs (span, at, `+each("%", costColumns)+`) VALUES (?, ?, `+marks(storage.Costs)+`)
			ON CONFLICT (span, at) DO UPDATE SET `+each("% = excluded.%", costColumns), args...)
		if err != nil {
			return fmt.Errorf("costs at %d: %w", c.At, dbError(err))
		}
	}
	return nil
}

// OpenUsage returns the position up to which usage is counted, and the newest minute, which may go on. For the host
// itself.
func (db *DB) OpenUsage(ctx context.Context) (seq uint64, rows []storage.UsageRow, cost storage.CostRow, err error) {
	wrap := func(err error) (uint64, []storage.UsageRow, storage.CostRow, error) {
		return 0, nil, storage.CostRow{}, fmt.Errorf("read the usage of the newest minute: %w", dbError(err))
	}
	if seq, err = position(ctx, db.read, countedPosition); err != nil {
		return wrap(err)
	}
	costs, err := db.costs(ctx, `span = ? ORDER BY at DESC LIMIT 1`, UsageMinute)
	if err != nil || len(costs) == 0 {
		return seq, nil, cost, err
	}
	cost = costs[0]
	err = db.eachUsage(ctx, `span = ? AND at = ?`, func(r *storage.UsageRow) error {
		rows = append(rows, *r)
		return nil
	}, UsageMinute, cost.At)
	if err != nil {
		return wrap(err)
	}
	return seq, rows, cost, nil
}

// EachUsage calls f with every row of the principal's organizations that begins in [from, to), in ns; what f is given is
// its only during the call. An error of f ends it and is returned. Minutes are kept for KeepUsageMinutes, hours for
// KeepUsageHours, days for KeepUsageDays: a row that begins before from is not there although it may reach beyond it, so
// intervals begin where a span does.
func (db *DB) EachUsage(ctx context.Context, p storage.Principal, from, to int64, f func(*storage.UsageRow) error) error {
	for _, t := range p.Tenants {
		for _, span := range []int64{UsageMinute, UsageHour, UsageDay} {
			if err := db.eachUsage(ctx, `tenant = ? AND span = ? AND at >= ? AND at < ?`, f, t, span, from, to); err != nil {
				return fmt.Errorf("read usage: %w", err)
			}
		}
	}
	return nil
}

func (db *DB) eachUsage(ctx context.Context, where string, f func(*storage.UsageRow) error, args ...any) error {
	rows, err := db.read.QueryContext(ctx, `SELECT span, at, tenant, module, shared, `+each("%", usageColumns)+` FROM usage WHERE `+where, args...)
	if err != nil {
		return dbError(err)
	}
	defer rows.Close()
	var r storage.UsageRow
	into := []any{&r.Span, &r.At, &r.Tenant, &r.Module, &r.Shared}
	for m := range r.Used {
		into = append(into, &r.Used[m])
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return dbError(err)
		}
		if err := f(&r); err != nil {
			return err
		}
	}
	return dbError(rows.Err())
}

// UsageCosts returns what the process spent in the spans that begin in [from, to), in ns. For the host itself: it tells
// how busy others are.
func (db *DB) UsageCosts(ctx context.Context, from, to int64) ([]storage.CostRow, error) {
	return db.costs(ctx, `at >= ? AND at < ? ORDER BY at, span`, from, to)
}

func (db *DB) costs(ctx context.Context, where string, args ...any) ([]storage.CostRow, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT span, at, `+each("%", costColumns)+` FROM usage_costs WHERE `+where, args...)
	out, err := collect(rows, err, func(rows *sql.Rows) (c storage.CostRow, err error) {
		into := []any{&c.Span, &c.At}
		for n := range c.Spent {
			into = append(into, &c.Spent[n])
		}
		return c, rows.Scan(into...)
	})
	if err != nil {
		return nil, fmt.Errorf("read what the process spent: %w", err)
	}
	return out, nil
}

// rollUsage joins old minutes to hours and old hours to days, and removes days past their time. What is old is told by
// the newest minute, not by a clock: while an old log is processed its minutes stay until they can no longer change. With
// more than most rows of minutes they are joined sooner, with nothing lost.
func (db *DB) rollUsage(ctx context.Context, most int) error {
	var newest sql.NullInt64
	err := db.read.QueryRowContext(ctx, `SELECT max(at) FROM usage_costs WHERE span = ?`, UsageMinute).Scan(&newest)
	if err != nil {
		return fmt.Errorf("find the newest usage: %w", dbError(err))
	}
	if !newest.Valid {
		return nil
	}
	var rows int
	if err := db.read.QueryRowContext(ctx, `SELECT count(*) FROM usage WHERE span = ?`, UsageMinute).Scan(&rows); err != nil {
		return fmt.Errorf("count the minutes of usage: %w", dbError(err))
	}
	minutes := newest.Int64 - int64(KeepUsageMinutes)
	if rows > most {
		if minutes, err = db.keepMinutes(ctx, most); err != nil {
			return err
		}
	}
	if err := db.roll(ctx, UsageMinute, UsageHour, minutes); err != nil {
		return err
	}
	if err := db.roll(ctx, UsageHour, UsageDay, newest.Int64-int64(KeepUsageHours)); err != nil {
		return err
	}
	return db.inTx(ctx, "prune usage", func(tx *sql.Tx) error {
		for _, table := range []string{"usage", "usage_costs"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE span = ? AND at < ?`, UsageDay, newest.Int64-int64(KeepUsageDays)); err != nil {
				return err
			}
		}
		return nil
	})
}

// keepMinutes returns the time from which on there are at most so many rows of minutes; that of the newest at the latest.
func (db *DB) keepMinutes(ctx context.Context, most int) (from int64, err error) {
	err = db.read.QueryRowContext(ctx, `SELECT coalesce(min(at), (SELECT max(at) FROM usage WHERE span = ?1)) FROM (
		SELECT at, sum(count(*)) OVER (ORDER BY at DESC) AS rows FROM usage WHERE span = ?1 GROUP BY at) WHERE rows <= ?2`, UsageMinute, most).Scan(&from)
	if err != nil {
		return 0, fmt.Errorf("find the minutes of usage to keep: %w", dbError(err))
	}
	return from, nil
}

// roll joins the spans that begin before a time to longer ones, each in a transaction of its own.
func (db *DB) roll(ctx context.Context, from, to, before int64) error {
	rows, err := db.read.QueryContext(ctx, `SELECT at FROM usage_costs WHERE span = ? AND at < ? ORDER BY at`, from, before)
	old, err := collect(rows, err, func(r *sql.Rows) (at int64, err error) { return at, r.Scan(&at) })
	if err != nil {
		return fmt.Errorf("find usage to join: %w", err)
	}
	for _, at := range old {
		err := db.inTx(ctx, "join usage", func(tx *sql.Tx) error {
			for _, t := range []struct {
				table, key string
				columns    []string
			}{{"usage", ", tenant, module, shared", usageColumns}, {"usage_costs", "", costColumns}} {
				_, err := tx.ExecContext(ctx, `INSERT INTO `+t.table+` (span, at`+t.key+`, `+each("%", t.columns)+`)
					SELECT ?, ?`+t.key+`, `+each("%", t.columns)+` FROM `+t.table+` WHERE span = ? AND at = ?
					ON CONFLICT (span, at`+t.key+`) DO UPDATE SET `+each("% = % + excluded.%", t.columns), to, at-at%to, from, at)
				if err == nil {
					_, err = tx.ExecContext(ctx, `DELETE FROM `+t.table+` WHERE span = ? AND at = ?`, from, at)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
