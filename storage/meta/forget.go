package meta

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// Removal ends an organization: everything of it is deleted with the batch, and that it was there is noted.
type Removal struct {
	Tenant storage.Tenant
	At     int64 // log time, ns
}

// referring finds the tables that hold rows of tenants: whoever adds a table need not think of this one.
const referring = `SELECT DISTINCT m.name, f."from" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
	WHERE m.type = 'table' AND f."table" = 'tenants'`

func forgetTenants(ctx context.Context, tx *sql.Tx, list []Removal) error {
	if len(list) == 0 {
		return nil
	}
	// Tables refer to each other too: that all of it fits together again is checked at the commit.
	if _, err := tx.ExecContext(ctx, `PRAGMA defer_foreign_keys = ON`); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, referring)
	tables, err := collect(rows, err, func(r *sql.Rows) (t [2]string, err error) { return t, r.Scan(&t[0], &t[1]) })
	if err != nil {
		return fmt.Errorf("find the tables of tenants: %w", err)
	}
	for _, x := range list {
		for _, t := range tables {
			if _, err := tx.ExecContext(ctx, `DELETE FROM "`+t[0]+`" WHERE "`+t[1]+`" = ?`, x.Tenant); err != nil {
				return fmt.Errorf("remove tenant %d from %s: %w", x.Tenant, t[0], err)
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO removed_tenants (number, slug, removed) SELECT number, slug, ? FROM tenants WHERE number = ?
			ON CONFLICT (number) DO NOTHING`, x.At, x.Tenant)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM tenants WHERE number = ?`, x.Tenant)
		}
		if err != nil {
			return fmt.Errorf("remove tenant %d: %w", x.Tenant, err)
		}
	}
	return nil
}

// WasRemoved reports whether an organization of that slug was removed and none has it now.
func (db *DB) WasRemoved(ctx context.Context, slug string) (bool, error) {
	var n int
	err := db.read.QueryRowContext(ctx, `SELECT count(*) FROM removed_tenants
		WHERE slug = ? AND NOT EXISTS (SELECT 1 FROM tenants WHERE tenants.slug = removed_tenants.slug)`, slug).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for removed tenant %s: %w", cut(slug, MaxSlugBytes), dbError(err))
	}
	return n > 0, nil
}

// DemoTenants returns the organizations that were made for the demo, by number. For the host itself.
func (db *DB) DemoTenants(ctx context.Context) ([]storage.Tenant, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT number FROM tenants WHERE demo = 1 ORDER BY number`)
	list, err := collect(rows, err, func(r *sql.Rows) (t storage.Tenant, err error) { return t, r.Scan(&t) })
	if err != nil {
		return nil, fmt.Errorf("list demo tenants: %w", err)
	}
	return list, nil
}
