package meta

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// Organization describes a tenant.
type Organization struct {
	Tenant  storage.Tenant
	Slug    string // short name in addresses and files: a-z, 0-9 and inner hyphens, 1 to MaxSlugBytes
	Name    string // as people read it
	Created int64  // ns
	Demo    bool   // made for the demo, and removed with it
}

// CreateTenant adds an organization and returns its number, which no other will ever have. ErrConflict if the slug
// is taken.
func (db *DB) CreateTenant(ctx context.Context, slug, name string) (storage.Tenant, error) {
	return db.createTenant(ctx, slug, name, false)
}

// CreateDemoTenant adds an organization that will be removed with the demo.
func (db *DB) CreateDemoTenant(ctx context.Context, slug, name string) (storage.Tenant, error) {
	return db.createTenant(ctx, slug, name, true)
}

func (db *DB) createTenant(ctx context.Context, slug, name string, demo bool) (storage.Tenant, error) {
	if err := checkSlug(slug); err != nil {
		return 0, err
	}
	if err := checkName("tenant", name); err != nil {
		return 0, err
	}
	var number storage.Tenant
	err := db.inTx(ctx, "create tenant "+slug, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `INSERT INTO tenants (slug, name, created, demo) VALUES (?, ?, ?, ?) RETURNING number`,
			slug, name, db.now(), demo).Scan(&number)
	})
	return number, err
}

func checkSlug(slug string) error {
	ok := slug != "" && len(slug) <= MaxSlugBytes && slug[0] != '-' && slug[len(slug)-1] != '-'
	for i := 0; ok && i < len(slug); i++ {
		c := slug[i]
		ok = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-'
	}
	if !ok {
		return fmt.Errorf("tenant slug %q: want 1 to %d of a-z, 0-9 and inner hyphens: %w", cut(slug, 2*MaxSlugBytes), MaxSlugBytes, storage.ErrInvalid)
	}
	return nil
}

const organizationColumns = "number, slug, name, created, demo"

func scanOrganization(r *sql.Rows) (o Organization, err error) {
	return o, r.Scan(&o.Tenant, &o.Slug, &o.Name, &o.Created, &o.Demo)
}

// ListTenants returns the organizations that the principal sees, by number.
func (db *DB) ListTenants(ctx context.Context, p storage.Principal) ([]Organization, error) {
	where, args, err := scope(p, "number")
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT `+organizationColumns+` FROM tenants WHERE `+where+` ORDER BY number`, args...)
	out, err := collect(rows, err, scanOrganization)
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	return out, nil
}

// TenantBySlug returns the number of the organization with that slug. ErrNotFound if there is none. For start-up and
// configuration files, which name organizations by slug; nothing that a user sent may choose the slug.
func (db *DB) TenantBySlug(ctx context.Context, slug string) (storage.Tenant, error) {
	var t storage.Tenant
	if err := db.read.QueryRowContext(ctx, `SELECT number FROM tenants WHERE slug = ?`, slug).Scan(&t); err != nil {
		return 0, fmt.Errorf("find tenant %s: %w", cut(slug, MaxSlugBytes), dbError(err))
	}
	return t, nil
}

func (db *DB) now() int64 { return db.cfg.Now().UnixNano() }
