package meta

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// Poll is where the polls of one watch stand. Times are of the wall clock, ns.
type Poll struct {
	Tenant   storage.Tenant
	Watch    string
	Module   string // whose cursor it is
	Cursor   []byte
	Polls    uint64
	Failures uint64
	Streak   uint64 // failures in a row, the newest poll among them
	Last     int64  // begin of the newest poll
	Good     int64  // begin of the newest one that did not fail
	Took     int64  // the newest one, ns
	Error    string // why the newest one failed
}

// SavePolls writes where polls stand, all in one transaction. Those of organizations that are gone are left out.
func (db *DB) SavePolls(ctx context.Context, list []Poll) error {
	if len(list) == 0 {
		return nil
	}
	return db.inTx(ctx, "save polls", func(tx *sql.Tx) error {
		put, err := tx.PrepareContext(ctx, `INSERT INTO polls (tenant, watch, module, cursor, polls, failures, streak, last, good, took, error)
			SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM tenants WHERE number = ?)
			ON CONFLICT (tenant, watch) DO UPDATE SET module = excluded.module, cursor = excluded.cursor, polls = excluded.polls,
			failures = excluded.failures, streak = excluded.streak, last = excluded.last, good = excluded.good, took = excluded.took, error = excluded.error`)
		if err != nil {
			return err
		}
		defer put.Close()
		for i := range list {
			p := &list[i]
			cursor := p.Cursor
			if cursor == nil {
				cursor = []byte{}
			}
			_, err := put.ExecContext(ctx, p.Tenant, p.Watch, p.Module, cursor, p.Polls, p.Failures, p.Streak, p.Last, p.Good, p.Took, cut(p.Error, MaxErrorBytes), p.Tenant)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// AllPolls returns where every poll of every organization stands. For the host itself.
func (db *DB) AllPolls(ctx context.Context) ([]Poll, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT tenant, watch, module, cursor, polls, failures, streak, last, good, took, error FROM polls ORDER BY tenant, watch`)
	out, err := collect(rows, err, func(r *sql.Rows) (p Poll, err error) {
		return p, r.Scan(&p.Tenant, &p.Watch, &p.Module, &p.Cursor, &p.Polls, &p.Failures, &p.Streak, &p.Last, &p.Good, &p.Took, &p.Error)
	})
	if err != nil {
		return nil, fmt.Errorf("list polls: %w", err)
	}
	return out, nil
}

// RemovePoll forgets where the polls of a watch stand. One that is not there is no error.
func (db *DB) RemovePoll(ctx context.Context, t storage.Tenant, watch string) error {
	return db.inTx(ctx, "remove poll "+cut(watch, MaxNameBytes), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM polls WHERE tenant = ? AND watch = ?`, t, watch)
		return err
	})
}
