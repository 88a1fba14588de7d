package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"github.com/vedette-siem/vedette/storage"
)

// Webhook is an address that a tenant's notices are posted to.
type Webhook struct {
	Tenant  storage.Tenant
	Name    string // unique in the tenant
	URL     string // http or https with a host
	Secret  string // signs each request; never listed
	Enabled bool
}

// PutWebhook adds the tenant's webhook of that name or replaces it; w.Tenant is ignored. Replacing with an empty
// secret keeps the one there is. ErrInvalid for a URL that is not http or https, ErrExhausted beyond MaxWebhooksPerTenant.
func (db *DB) PutWebhook(ctx context.Context, t storage.Tenant, w Webhook) error {
	if err := errors.Join(mustTenant(t), checkName("webhook", w.Name)); err != nil {
		return err
	}
	u, err := url.Parse(w.URL)
	if err != nil || len(w.URL) > MaxURLBytes || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil {
		return fmt.Errorf("webhook %s: want an http or https address of at most %d bytes without user: %w", w.Name, MaxURLBytes, storage.ErrInvalid)
	}
	if len(w.Secret) > MaxSecretBytes {
		return fmt.Errorf("webhook %s: secret of %d bytes, at most %d: %w", w.Name, len(w.Secret), MaxSecretBytes, storage.ErrInvalid)
	}
	return db.inTx(ctx, fmt.Sprintf("put webhook %s of tenant %d", w.Name, t), func(tx *sql.Tx) error {
		err := room(ctx, tx, MaxWebhooksPerTenant, "webhooks", `SELECT count(*) FROM webhooks WHERE tenant = ? AND name <> ?`, t, w.Name)
		if err != nil {
			return err
		}
		var secret string
		err = tx.QueryRowContext(ctx, `INSERT INTO webhooks (tenant, name, url, secret, enabled) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (tenant, name) DO UPDATE SET url = excluded.url, enabled = excluded.enabled,
			secret = CASE WHEN excluded.secret = '' THEN webhooks.secret ELSE excluded.secret END RETURNING secret`,
			t, w.Name, w.URL, w.Secret, w.Enabled).Scan(&secret)
		if err == nil && secret == "" {
			err = fmt.Errorf("a webhook needs a secret: %w", storage.ErrInvalid)
		}
		return err
	})
}

// RemoveWebhook removes the tenant's webhook of that name and what is still to be posted to it. ErrNotFound if there
// is none.
func (db *DB) RemoveWebhook(ctx context.Context, t storage.Tenant, name string) error {
	return db.inTx(ctx, fmt.Sprintf("remove webhook %s of tenant %d", cut(name, MaxNameBytes), t), func(tx *sql.Tx) error {
		return mustChange(tx.ExecContext(ctx, `DELETE FROM webhooks WHERE tenant = ? AND name = ?`, t, name))
	})
}

// ListWebhooks returns the webhooks of the principal's tenants by tenant and name, without their secrets.
func (db *DB) ListWebhooks(ctx context.Context, p storage.Principal) ([]Webhook, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT tenant, name, url, enabled FROM webhooks WHERE `+where+` ORDER BY tenant, name`, args...)
	list, err := collect(rows, err, func(r *sql.Rows) (w Webhook, err error) { return w, r.Scan(&w.Tenant, &w.Name, &w.URL, &w.Enabled) })
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return list, nil
}

// Delivery is one notice to post to one webhook.
type Delivery struct {
	ID       uint64
	Tenant   storage.Tenant
	Key      string // idempotency key: the same for every attempt, over restarts too
	Kind     string
	Payload  []byte // JSON
	URL      string
	Secret   string
	Attempts int // made so far
}

// DueDeliveries returns at most limit deliveries whose time has come by now (ns), every tenant's first one before any
// tenant's second, so that a tenant with a dead webhook delays no other. Those of disabled webhooks wait. It serves
// the one sender of the process, which acts for all tenants.
func (db *DB) DueDeliveries(ctx context.Context, now int64, limit int) ([]Delivery, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT o.id, o.tenant, o.key, o.kind, o.payload, w.url, w.secret, o.attempts FROM (
			SELECT *, row_number() OVER (PARTITION BY tenant ORDER BY next_attempt, id) AS turn
			FROM outbox WHERE done IS NULL AND next_attempt <= ?) o
		JOIN webhooks w ON w.id = o.webhook AND w.tenant = o.tenant
		WHERE w.enabled = 1 ORDER BY o.turn, o.next_attempt, o.id LIMIT ?`, now, listed(limit))
	list, err := collect(rows, err, func(r *sql.Rows) (d Delivery, err error) {
		return d, r.Scan(&d.ID, &d.Tenant, &d.Key, &d.Kind, &d.Payload, &d.URL, &d.Secret, &d.Attempts)
	})
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return list, nil
}

// Outcome is how an attempt to deliver ended.
type Outcome struct {
	At    int64  // when, ns
	Error string // "" when delivered
	Next  int64  // when to try again, ns; 0 when delivered or given up
}

// SettleDelivery records an attempt. A delivery that is gone meanwhile (its webhook was removed) is no error.
func (db *DB) SettleDelivery(ctx context.Context, id uint64, o Outcome) error {
	done := sql.NullInt64{Int64: o.At, Valid: o.Next == 0}
	return db.inTx(ctx, fmt.Sprintf("settle delivery %d", id), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE outbox SET attempts = attempts + 1, next_attempt = ?, done = ?, last_error = ? WHERE id = ? AND done IS NULL`,
			o.Next, done, cut(o.Error, MaxErrorBytes), int64(id))
		return err
	})
}

// Failure is a delivery that was given up or is being retried.
type Failure struct {
	Tenant    storage.Tenant
	Webhook   string
	Key       string
	Kind      string
	Created   int64 // log time of the notice, ns
	Attempts  int
	GivenUp   bool
	LastError string
}

// ListFailures returns the deliveries of the principal's tenants whose last attempt failed, newest first.
func (db *DB) ListFailures(ctx context.Context, p storage.Principal, limit int) ([]Failure, error) {
	where, args, err := scope(p, "o.tenant")
	if err != nil {
		return nil, fmt.Errorf("list failed deliveries: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT o.tenant, w.name, o.key, o.kind, o.created, o.attempts, o.done IS NOT NULL, o.last_error
		FROM outbox o JOIN webhooks w ON w.id = o.webhook WHERE `+where+` AND o.last_error <> '' ORDER BY o.id DESC LIMIT ?`, append(args, listed(limit))...)
	list, err := collect(rows, err, func(r *sql.Rows) (f Failure, err error) {
		return f, r.Scan(&f.Tenant, &f.Webhook, &f.Key, &f.Kind, &f.Created, &f.Attempts, &f.GivenUp, &f.LastError)
	})
	if err != nil {
		return nil, fmt.Errorf("list failed deliveries: %w", err)
	}
	return list, nil
}
