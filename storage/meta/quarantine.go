package meta

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// putQuarantine keeps entries that are newer than the applied position, dropping and counting a tenant's oldest
// beyond MaxQuarantinePerTenant or MaxQuarantineBytes.
func putQuarantine(ctx context.Context, tx *sql.Tx, applied uint64, list []QuarantineEntry) error {
	for _, q := range list {
		if q.Position.Seq <= applied {
			continue
		}
		raw := q.Raw[:min(len(q.Raw), MaxQuarantineRawBytes)]
		if raw == nil {
			raw = []byte{}
		}
		r, err := tx.ExecContext(ctx, `INSERT INTO quarantine (tenant, position, module, digest, code, detail, raw, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (tenant, position, digest) DO NOTHING`,
			q.Tenant, q.Position.String(), q.Module, q.Digest, q.Code, cut(q.Detail, MaxQuarantineDetailBytes), raw, q.At)
		if err != nil {
			return fmt.Errorf("quarantine %s: %w", q.Position, dbError(err))
		}
		if n, err := r.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			continue
		}
		if err := makeRoom(ctx, tx, q.Tenant, len(raw)); err != nil {
			return fmt.Errorf("quarantine %s: %w", q.Position, err)
		}
	}
	return nil
}

// makeRoom counts a new entry and drops the oldest ones until the tenant is within its limits.
func makeRoom(ctx context.Context, tx *sql.Tx, t storage.Tenant, size int) error {
	var entries, total int
	err := tx.QueryRowContext(ctx, `INSERT INTO quarantine_totals (tenant, entries, bytes, dropped) VALUES (?, 1, ?, 0)
		ON CONFLICT (tenant) DO UPDATE SET entries = entries + 1, bytes = bytes + excluded.bytes RETURNING entries, bytes`, t, size).Scan(&entries, &total)
	for err == nil && (entries > MaxQuarantinePerTenant || total > MaxQuarantineBytes) {
		var dropped int
		err = tx.QueryRowContext(ctx, `DELETE FROM quarantine WHERE id = (SELECT min(id) FROM quarantine WHERE tenant = ?)
			RETURNING length(raw)`, t).Scan(&dropped)
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `UPDATE quarantine_totals SET entries = entries - 1, bytes = bytes - ?, dropped = dropped + 1
			WHERE tenant = ? RETURNING entries, bytes`, dropped, t).Scan(&entries, &total)
	}
	return err
}

// Quarantined is an entry of the quarantine with its number.
type Quarantined struct {
	ID uint64
	QuarantineEntry
}

// ListQuarantine returns the quarantined records of the principal's tenants, newest first, with numbers below before
// (0: from the newest; limit 0: DefaultListed, at most MaxListed), and how many were dropped for room.
func (db *DB) ListQuarantine(ctx context.Context, p storage.Principal, before uint64, limit int) (list []Quarantined, dropped uint64, err error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, 0, fmt.Errorf("list quarantine: %w", err)
	}
	err = db.read.QueryRowContext(ctx, `SELECT coalesce(sum(dropped), 0) FROM quarantine_totals WHERE `+where, args...).Scan(&dropped)
	if err != nil {
		return nil, 0, fmt.Errorf("list quarantine: %w", dbError(err))
	}
	rows, err := db.read.QueryContext(ctx, `SELECT id, tenant, position, module, digest, code, detail, raw, at FROM quarantine
		WHERE `+where+` AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?`, append(args, int64(before), int64(before), listed(limit))...)
	list, err = collect(rows, err, func(r *sql.Rows) (q Quarantined, err error) {
		var position string
		if err := r.Scan(&q.ID, &q.Tenant, &position, &q.Module, &q.Digest, &q.Code, &q.Detail, &q.Raw, &q.At); err != nil {
			return q, err
		}
		q.Position, err = storage.ParseEventID(position)
		return q, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list quarantine: %w", err)
	}
	return list, dropped, nil
}
