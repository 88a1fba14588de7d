package meta

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// Limits of trust policies.
const (
	MaxTrustPolicyBytes    = 128 << 10
	MaxTrustPoliciesListed = 50 // of one organization; the oldest is dropped
)

// TrustPolicy is a document that says which modules an organization trusts. What it says is not known here.
type TrustPolicy struct {
	Version  uint64 // grows with each change; 0: there has never been one
	Document string // YAML; "" when there is none
	Who      string
	At       int64 // ns
}

// SetTrustPolicy puts a document in force for t and returns its version. The error wraps storage.ErrExhausted for one that
// is too long.
func (db *DB) SetTrustPolicy(ctx context.Context, t storage.Tenant, document, who string) (version uint64, err error) {
	if err := mustTenant(t); err != nil {
		return 0, err
	}
	if len(document) > MaxTrustPolicyBytes {
		return 0, fmt.Errorf("trust policy of %d bytes, the limit is %d: %w", len(document), MaxTrustPolicyBytes, storage.ErrExhausted)
	}
	err = db.inTx(ctx, fmt.Sprintf("set trust policy of tenant %d", t), func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `INSERT INTO trust_policies (tenant, document, who, at) VALUES (?, ?, ?, ?) RETURNING id`, t, document, who, db.now()).Scan(&version)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM trust_policies WHERE tenant = ? AND id IN (
			SELECT id FROM trust_policies WHERE tenant = ? ORDER BY id DESC LIMIT -1 OFFSET ?)`, t, t, MaxTrustPoliciesListed)
		return err
	})
	return version, err
}

// TrustPolicies returns the documents of t, newest first: the one in force and those before it.
func (db *DB) TrustPolicies(ctx context.Context, t storage.Tenant) ([]TrustPolicy, error) {
	return db.trustPolicies(ctx, t, MaxTrustPoliciesListed)
}

// TrustPolicy returns the document in force for t, the zero value when there is none.
func (db *DB) TrustPolicy(ctx context.Context, t storage.Tenant) (TrustPolicy, error) {
	list, err := db.trustPolicies(ctx, t, 1)
	if err != nil || len(list) == 0 {
		return TrustPolicy{}, err
	}
	return list[0], nil
}

func (db *DB) trustPolicies(ctx context.Context, t storage.Tenant, limit int) ([]TrustPolicy, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, document, who, at FROM trust_policies WHERE tenant = ? ORDER BY id DESC LIMIT ?`, t, limit)
	list, err := collect(rows, err, func(r *sql.Rows) (p TrustPolicy, err error) { return p, r.Scan(&p.Version, &p.Document, &p.Who, &p.At) })
	if err != nil {
		return nil, fmt.Errorf("trust policy of tenant %d: %w", t, err)
	}
	return list, nil
}

// PackageDigests returns the digests of the packages that rows of any organization refer to: those whose rules have raised
// incidents, and those of installations that wait for approval. For the host itself.
func (db *DB) PackageDigests(ctx context.Context) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT rule_digest FROM incidents WHERE rule_digest != ''
		UNION SELECT digest FROM install_requests WHERE state = 'waiting'`)
	list, err := collect(rows, err, func(r *sql.Rows) (d string, err error) { return d, r.Scan(&d) })
	if err != nil {
		return nil, fmt.Errorf("packages that rows refer to: %w", err)
	}
	return list, nil
}

// AllTenants returns every organization's number. For the host itself.
func (db *DB) AllTenants(ctx context.Context) ([]storage.Tenant, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT number FROM tenants ORDER BY number`)
	list, err := collect(rows, err, func(r *sql.Rows) (t storage.Tenant, err error) { return t, r.Scan(&t) })
	if err != nil {
		return nil, fmt.Errorf("list all tenants: %w", err)
	}
	return list, nil
}
