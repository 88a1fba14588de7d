package meta

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Control is a control record that had an effect, kept beyond the log.
type Control struct {
	Tenant     storage.Tenant // NoTenant: of all
	Seq        uint64
	At         int64 // log time, ns
	Kind, Name string
	Record     string // JSON
}

// KindLayer is the kind of what is kept of all that ran for a tenant when control records began to be kept.
const KindLayer = "layer"

// Listed is a change of what is in a list at one position.
type Listed struct {
	Tenant   storage.Tenant // NoTenant: of the list that all share
	List     string
	Compared string // how: exact, nocase, cidr or domain
	Value    string // "" when Gone: all of them
	Expires  int64  // log time, ns; 0: never
	Seq      uint64
	At       int64 // log time, ns
	Gone     bool
}

// Member is a value that was in a list between two positions.
type Member struct {
	Tenant   storage.Tenant
	Compared string
	Value    string
	Expires  int64  // log time, ns; 0: never
	Since    uint64 // of the change that put it there
	Until    uint64 // of the change that took it out; 0: it is there
}

const tenantThere = `(? IS NULL OR EXISTS (SELECT 1 FROM tenants WHERE number = ?))`

// putControls keeps what is newer than the applied position.
func putControls(ctx context.Context, tx *sql.Tx, applied uint64, list []Control) error {
	for _, c := range list {
		if c.Seq <= applied {
			continue
		}
		t := nullable(c.Tenant)
		_, err := tx.ExecContext(ctx, `INSERT INTO controls (tenant, seq, at, kind, name, record) SELECT ?, ?, ?, ?, ?, ? WHERE `+tenantThere,
			t, int64(c.Seq), c.At, c.Kind, c.Name, c.Record, t, t)
		if err != nil {
			return fmt.Errorf("control record %d: %w", c.Seq, dbError(err))
		}
	}
	return nil
}

// putListed keeps changes of lists that are newer than the applied position.
func putListed(ctx context.Context, tx *sql.Tx, applied uint64, list []Listed) error {
	if len(list) == 0 {
		return nil
	}
	end, err := tx.PrepareContext(ctx, `UPDATE members SET until = ?, until_at = ? WHERE list = ? AND tenant IS ? AND (? = '' OR value = ?) AND until = 0`)
	if err != nil {
		return err
	}
	defer end.Close()
	put, err := tx.PrepareContext(ctx, `INSERT INTO members (tenant, list, compared, value, expires, since, until, until_at) SELECT ?, ?, ?, ?, ?, ?, 0, 0 WHERE `+tenantThere)
	if err != nil {
		return err
	}
	defer put.Close()
	for i := range list {
		l := &list[i]
		if l.Seq <= applied {
			continue
		}
		t := nullable(l.Tenant)
		if l.Gone {
			_, err = end.ExecContext(ctx, int64(l.Seq), l.At, l.List, t, l.Value, l.Value)
		} else {
			_, err = put.ExecContext(ctx, t, l.List, l.Compared, l.Value, l.Expires, int64(l.Seq), t, t)
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", cut(l.List, MaxNameBytes), dbError(err))
		}
	}
	return nil
}

// KeepsControls reports whether control records are kept already. For the host itself.
func (db *DB) KeepsControls(ctx context.Context) (bool, error) {
	var n int
	if err := db.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM controls)`).Scan(&n); err != nil {
		return false, fmt.Errorf("look for control records: %w", dbError(err))
	}
	return n > 0, nil
}

// Controls returns the control records of the principal's organizations, and those of all, that are kept up to a position,
// in the order of the log.
func (db *DB) Controls(ctx context.Context, p storage.Principal, to uint64) ([]Control, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, fmt.Errorf("control records: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT coalesce(tenant, 0), seq, at, kind, name, record FROM controls
		WHERE (`+where+` OR tenant IS NULL) AND seq <= ? ORDER BY seq, id`, append(args, int64(to))...)
	list, err := collect(rows, err, func(r *sql.Rows) (c Control, err error) {
		return c, r.Scan(&c.Tenant, &c.Seq, &c.At, &c.Kind, &c.Name, &c.Record)
	})
	if err != nil {
		return nil, fmt.Errorf("control records: %w", err)
	}
	return list, nil
}

// EachMember calls f with the values that were in a list, of the principal's organizations or of all, between two
// positions, by the position at which they came. An error of f ends it.
func (db *DB) EachMember(ctx context.Context, p storage.Principal, list string, from, to uint64, f func(*Member) error) error {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return fmt.Errorf("values of list %s: %w", cut(list, MaxNameBytes), err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT coalesce(tenant, 0), compared, value, expires, since, until FROM members
		WHERE (`+where+` OR tenant IS NULL) AND list = ? AND since <= ? AND (until = 0 OR until > ?) ORDER BY since, id`, append(args, list, int64(to), int64(from))...)
	if err != nil {
		return fmt.Errorf("values of list %s: %w", cut(list, MaxNameBytes), dbError(err))
	}
	defer rows.Close()
	for rows.Next() {
		var m Member
		if err := rows.Scan(&m.Tenant, &m.Compared, &m.Value, &m.Expires, &m.Since, &m.Until); err != nil {
			return fmt.Errorf("values of list %s: %w", cut(list, MaxNameBytes), dbError(err))
		}
		if err := f(&m); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("values of list %s: %w", cut(list, MaxNameBytes), dbError(err))
	}
	return nil
}

// ListsKnownFrom returns the position from which on the values of the lists of the principal's organizations, and of the
// shared ones, are known whole.
func (db *DB) ListsKnownFrom(ctx context.Context, p storage.Principal) (uint64, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return 0, fmt.Errorf("since when lists are known: %w", err)
	}
	var seq int64
	err = db.read.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM (
		SELECT tenant, seq FROM members_floor UNION ALL SELECT tenant, seq FROM controls WHERE kind = '`+KindLayer+`') WHERE `+where+` OR tenant IS NULL`, args...).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("since when lists are known: %w", dbError(err))
	}
	return uint64(seq), nil
}

// KeepsEvents returns how long events are kept.
func (db *DB) KeepsEvents() time.Duration { return db.cfg.KeepEvents }

// prunePast forgets what lists, tables and indicator sets were before the oldest event came, and of each organization the oldest
// values that have ended beyond MaxEndedMembers.
func (db *DB) prunePast(ctx context.Context, now time.Time) (total int64, err error) {
	ago := now.Add(-db.cfg.KeepEvents - keepPastLonger).UnixNano()
	for _, s := range []struct {
		query string
		args  []any
	}{
		{`DELETE FROM members WHERE id IN (SELECT id FROM members WHERE until > 0 AND until_at < ? LIMIT ?)`, []any{ago}},
		{`DELETE FROM controls WHERE id IN (SELECT c.id FROM controls c WHERE c.kind IN ('table', 'untable', 'indicators', 'unindicate')
			AND EXISTS (SELECT 1 FROM controls n WHERE n.name = c.name AND n.tenant IS c.tenant AND n.seq > c.seq AND n.at < ?
			AND n.kind IN ('table', 'untable', 'indicators', 'unindicate')) LIMIT ?)`, []any{ago}},
	} {
		for {
			n, err := db.pruneOnce(ctx, "prune what lists were", s.query, append(s.args, pruneChunk))
			if total += n; err != nil || n < pruneChunk {
				if err != nil {
					return total, err
				}
				break
			}
		}
	}
	rows, err := db.read.QueryContext(ctx, `SELECT coalesce(tenant, 0), count(*) FROM members WHERE until > 0 GROUP BY tenant HAVING count(*) > ?`, MaxEndedMembers)
	full, err := collect(rows, err, func(r *sql.Rows) (x [2]int64, err error) { return x, r.Scan(&x[0], &x[1]) })
	if err != nil {
		return total, fmt.Errorf("prune what lists were: %w", err)
	}
	for _, x := range full {
		for over := x[1] - MaxEndedMembers; over > 0; over -= pruneChunk {
			n, err := db.dropMembers(ctx, nullable(storage.Tenant(x[0])), min(over, pruneChunk))
			if total += n; err != nil {
				return total, err
			}
		}
	}
	return total, nil
}

// dropMembers forgets the values that ended first, and notes from where on they are known whole.
func (db *DB) dropMembers(ctx context.Context, t any, n int64) (dropped int64, err error) {
	err = db.inTx(ctx, "prune what lists were", func(tx *sql.Tx) error {
		var floor int64
		const oldest = `SELECT id, until FROM members WHERE tenant IS ? AND until > 0 ORDER BY until LIMIT ?`
		if err := tx.QueryRowContext(ctx, `SELECT max(until) FROM (`+oldest+`)`, t, n).Scan(&floor); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, `DELETE FROM members WHERE id IN (SELECT id FROM (`+oldest+`))`, t, n)
		if err != nil {
			return err
		}
		if dropped, err = r.RowsAffected(); err != nil {
			return err
		}
		if _, err = tx.ExecContext(ctx, `DELETE FROM members_floor WHERE tenant IS ?`, t); err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO members_floor (tenant, seq) VALUES (?, ?)`, t, floor)
		}
		return err
	})
	return dropped, err
}

// pastContents are the digests of the contents that control records speak of which are kept.
const pastContents = `SELECT coalesce(tenant, 0), coalesce(json_extract(record, '$.table.digest'), json_extract(record, '$.indicators.digest')) FROM controls
	WHERE kind IN ('table', 'indicators')`
