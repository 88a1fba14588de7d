package meta

import (
	"context"
	"database/sql"
	"time"
)

// Pruned is how many rows a Prune removed.
type Pruned struct {
	Incidents, Changes, Sessions, Tokens, Deliveries, Hours, Past int64
}

// pruneChunk bounds one transaction, so that Apply never waits long for the writer.
const pruneChunk = 1_000

// Prune removes what is past its time at now: incidents that were resolved Config.KeepResolved ago with their history,
// ended sessions, ingest tokens revoked KeepRevoked ago, deliveries done KeepDelivered or given up KeepFailed ago, and
// each tenant's oldest changes beyond MaxChangesPerTenant and deliveries beyond MaxOutboxPerTenant. Old usage is joined to
// longer spans. Open and
// acknowledged incidents stay. It is called by a timer, about every minute, and may run beside everything else.
func (db *DB) Prune(ctx context.Context, now time.Time) (Pruned, error) {
	var p Pruned
	ago := func(d time.Duration) int64 { return now.Add(-d).UnixNano() }
	for _, s := range []struct {
		what  string
		n     *int64
		query string
		args  []any
	}{
		{"prune changes of old incidents", &p.Changes, `DELETE FROM changes WHERE (tenant, topic, key) IN (
			SELECT tenant, 'incident', id FROM incidents i WHERE state = 'resolved' AND updated_at < ?
			AND EXISTS (SELECT 1 FROM changes c WHERE c.tenant = i.tenant AND c.topic = 'incident' AND c.key = i.id) LIMIT ?)`, []any{ago(db.cfg.KeepResolved)}},
		{"prune incidents", &p.Incidents, `DELETE FROM incidents WHERE id IN (
			SELECT id FROM incidents WHERE state = 'resolved' AND updated_at < ? LIMIT ?)`, []any{ago(db.cfg.KeepResolved)}},
		{"prune sessions", &p.Sessions, `DELETE FROM sessions WHERE hash IN (
			SELECT hash FROM sessions WHERE expires <= ? LIMIT ?)`, []any{now.UnixNano()}},
		{"prune ingest tokens", &p.Tokens, `DELETE FROM ingest_tokens WHERE hash IN (
			SELECT hash FROM ingest_tokens WHERE revoked < ? LIMIT ?)`, []any{ago(KeepRevoked)}},
		{"prune deliveries", &p.Deliveries, `DELETE FROM outbox WHERE id IN (
			SELECT id FROM outbox WHERE done < ? AND (last_error = '' OR done < ?) LIMIT ?)`, []any{ago(KeepDelivered), ago(KeepFailed)}},
		{"prune firings of rules", &p.Hours, `DELETE FROM rule_hours WHERE (tenant, rule, hour) IN (
			SELECT tenant, rule, hour FROM rule_hours WHERE hour < ? LIMIT ?)`, []any{ago(KeepRuleHours)}},
		{"prune a full outbox", &p.Deliveries, `DELETE FROM outbox WHERE id IN (SELECT id FROM (
			SELECT id, row_number() OVER (PARTITION BY tenant ORDER BY id DESC) AS age FROM outbox) WHERE age > ? LIMIT ?)`, []any{MaxOutboxPerTenant}},
	} {
		for {
			n, err := db.pruneOnce(ctx, s.what, s.query, append(s.args, pruneChunk))
			if err != nil {
				return p, err
			}
			if *s.n += n; n < pruneChunk {
				break
			}
		}
	}
	n, err := db.pruneChanges(ctx)
	p.Changes += n
	if err != nil {
		return p, err
	}
	if p.Past, err = db.prunePast(ctx, now); err != nil {
		return p, err
	}
	return p, db.rollUsage(ctx, MaxUsageMinuteRows)
}

func (db *DB) pruneOnce(ctx context.Context, what, query string, args []any) (n int64, err error) {
	err = db.inTx(ctx, what, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, query, args...)
		if err == nil {
			n, err = r.RowsAffected()
		}
		return err
	})
	return n, err
}

// pruneChanges drops each tenant's oldest changes and raises its floor in the same transaction, so that a reader
// behind it is told instead of missing them.
func (db *DB) pruneChanges(ctx context.Context) (total int64, err error) {
	rows, err := db.read.QueryContext(ctx, `SELECT tenant, count(*) FROM changes GROUP BY tenant HAVING count(*) > ?`, MaxChangesPerTenant)
	full, err := collect(rows, err, func(r *sql.Rows) (t [2]int64, err error) { return t, r.Scan(&t[0], &t[1]) })
	if err != nil {
		return 0, err
	}
	for _, t := range full {
		err := db.inTx(ctx, "prune changes", func(tx *sql.Tx) error {
			var floor int64
			err := tx.QueryRowContext(ctx, `SELECT cursor FROM changes WHERE tenant = ? ORDER BY cursor DESC LIMIT 1 OFFSET ?`, t[0], MaxChangesPerTenant).Scan(&floor)
			if err != nil {
				return err
			}
			r, err := tx.ExecContext(ctx, `DELETE FROM changes WHERE tenant = ? AND cursor <= ?`, t[0], floor)
			if err != nil {
				return err
			}
			n, err := r.RowsAffected()
			if err != nil {
				return err
			}
			total += n
			_, err = tx.ExecContext(ctx, `UPDATE change_heads SET floor = max(floor, ?) WHERE tenant = ?`, floor, t[0])
			return err
		})
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
