package meta

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// Change is an incident that changed, as it is now.
type Change struct {
	Cursor   uint64
	Incident storage.Incident
}

// Changes is what changed for a tenant since a cursor: each incident once, as it is now, in the order of its last
// change.
type Changes struct {
	List  []Change
	Next  uint64 // the cursor to go on from; there is more at once when List is as long as the limit
	Last  uint64 // newest cursor given: Last - Next bounds how far behind a reader is
	Gap   bool   // cursors after the reader's were pruned, or its cursor is from another database: list incidents anew, go on from Last
	Floor uint64 // oldest cursor from which there is no gap
}

// Changes returns at most limit changes of the tenant after a cursor (0 for the beginning; limit 0 for DefaultListed,
// at most MaxListed). A reader that goes on from Next sees every incident's newest state, and sees it once per time it
// comes by: changes in between are coalesced, not queued.
func (db *DB) Changes(ctx context.Context, t storage.Tenant, after uint64, limit int) (Changes, error) {
	what := fmt.Sprintf("changes of tenant %d after %d", t, after)
	if err := mustTenant(t); err != nil {
		return Changes{}, fmt.Errorf("%s: %w", what, err)
	}
	// One read transaction: head and rows are of the same moment.
	tx, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Changes{}, fmt.Errorf("%s: %w", what, dbError(err))
	}
	defer tx.Rollback() // it wrote nothing
	c := Changes{Next: after}
	err = tx.QueryRowContext(ctx, `SELECT coalesce(max(last), 0), coalesce(max(floor), 0) FROM change_heads WHERE tenant = ?`, t).Scan(&c.Last, &c.Floor)
	if err != nil {
		return Changes{}, fmt.Errorf("%s: %w", what, dbError(err))
	}
	if c.Gap = after < c.Floor || after > c.Last; c.Gap {
		c.Next = c.Last
		return c, nil
	}
	rows, err := tx.QueryContext(ctx, `SELECT `+incidentColumns+`, c.cursor FROM changes c JOIN incidents i ON i.id = c.key AND i.tenant = c.tenant
		WHERE c.tenant = ? AND c.topic = 'incident' AND c.cursor > ? ORDER BY c.cursor LIMIT ?`, t, int64(after), listed(limit))
	c.List, err = collect(rows, err, func(r *sql.Rows) (ch Change, err error) {
		ch.Incident, err = scanIncident(r.Scan, &ch.Cursor)
		return ch, err
	})
	if err != nil {
		return Changes{}, fmt.Errorf("%s: %w", what, err)
	}
	if n := len(c.List); n > 0 {
		c.Next = c.List[n-1].Cursor
	}
	return c, nil
}

// LastCursor returns the newest cursor of the tenant: from where a reader goes on that has just listed the incidents.
// It has to be read before the list.
func (db *DB) LastCursor(ctx context.Context, t storage.Tenant) (uint64, error) {
	var last uint64
	err := db.read.QueryRowContext(ctx, `SELECT coalesce(max(last), 0) FROM change_heads WHERE tenant = ?`, t).Scan(&last)
	if err != nil {
		return 0, fmt.Errorf("last cursor of tenant %d: %w", t, dbError(err))
	}
	return last, nil
}
