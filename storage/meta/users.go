package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// User is an account. Tenant is NoTenant for admins, who see every organization, and never for others.
type User struct {
	Name     string
	Role     storage.Role
	Tenant   storage.Tenant
	Disabled bool
	Created  int64 // ns
}

// CreateUser adds an account; u.Created and u.Disabled are ignored. ErrConflict if the name is taken, ErrInvalid if
// role and tenant do not go together, ErrExhausted beyond MaxUsersPerTenant.
func (db *DB) CreateUser(ctx context.Context, u User, password string) error {
	if err := checkName("user", u.Name); err != nil {
		return err
	}
	if err := checkPassword(password); err != nil {
		return err
	}
	if (u.Role == storage.RoleAdmin) != (u.Tenant == storage.NoTenant) {
		return fmt.Errorf("user %s: admin has no tenant and every other role one: %w", u.Name, storage.ErrInvalid)
	}
	hash, err := db.hash(ctx, password)
	if err != nil {
		return err
	}
	tenant := sql.NullInt64{Int64: int64(u.Tenant), Valid: u.Tenant != storage.NoTenant}
	return db.inTx(ctx, "create user "+u.Name, func(tx *sql.Tx) error {
		if err := room(ctx, tx, MaxUsersPerTenant, "users", `SELECT count(*) FROM users WHERE tenant IS ?`, tenant); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO users (name, hash, role, tenant, created) VALUES (?, ?, ?, ?, ?)`,
			u.Name, hash, u.Role, tenant, db.now())
		return err
	})
}

// room refuses one more when a counting query has reached limit.
func room(ctx context.Context, tx *sql.Tx, limit int, what, query string, args ...any) error {
	var n int
	if err := tx.QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
		return err
	}
	if n >= limit {
		return fmt.Errorf("%d %s: %w", limit, what, storage.ErrExhausted)
	}
	return nil
}

// HasUsers reports whether any account exists; none does before the first start.
func (db *DB) HasUsers(ctx context.Context) (bool, error) {
	var n int
	if err := db.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM users LIMIT 1)`).Scan(&n); err != nil {
		return false, fmt.Errorf("look for users: %w", dbError(err))
	}
	return n > 0, nil
}

// ListUsers returns the accounts of the principal's tenants by name, and the admins when the principal is one.
func (db *DB) ListUsers(ctx context.Context, p storage.Principal) ([]User, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	if p.Role == storage.RoleAdmin {
		where = "(" + where + " OR tenant IS NULL)"
	}
	rows, err := db.read.QueryContext(ctx, `SELECT name, role, coalesce(tenant, 0), disabled, created FROM users WHERE `+where+` ORDER BY name`, args...)
	out, err := collect(rows, err, func(r *sql.Rows) (u User, err error) {
		return u, r.Scan(&u.Name, &u.Role, &u.Tenant, &u.Disabled, &u.Created)
	})
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return out, nil
}

// SetPassword replaces a password and ends the user's sessions. ErrNotFound if there is no such user.
func (db *DB) SetPassword(ctx context.Context, name, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	hash, err := db.hash(ctx, password)
	if err != nil {
		return err
	}
	return db.changeUser(ctx, "set password of "+cut(name, MaxNameBytes), name, `UPDATE users SET hash = ? WHERE name = ?`, hash, name)
}

// SetDisabled locks or unlocks an account and ends its sessions. ErrNotFound if there is no such user.
func (db *DB) SetDisabled(ctx context.Context, name string, disabled bool) error {
	return db.changeUser(ctx, "disable user "+cut(name, MaxNameBytes), name, `UPDATE users SET disabled = ? WHERE name = ?`, disabled, name)
}

func (db *DB) changeUser(ctx context.Context, what, name, update string, args ...any) error {
	return db.inTx(ctx, what, func(tx *sql.Tx) error {
		if err := mustChange(tx.ExecContext(ctx, update, args...)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE username = ?`, name)
		return err
	})
}

// mustChange turns a statement that changed nothing into ErrNotFound.
func mustChange(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, storage.ErrNotFound)
	}
	return nil
}

// Authenticate returns who the name and password belong to. ErrUnauthorized, in the same words and after the same
// work, if the name is unknown, the password wrong or the account disabled; ErrExhausted after MaxLoginsPerMinute
// failures of one name within a minute of the clock.
func (db *DB) Authenticate(ctx context.Context, name, password string) (storage.Principal, error) {
	if len(name) > MaxNameBytes || len(password) > MaxPasswordBytes {
		return storage.Principal{}, fmt.Errorf("sign in: %w", storage.ErrUnauthorized)
	}
	if !db.logins.try(name, db.cfg.Now()) {
		return storage.Principal{}, fmt.Errorf("sign in as %q: %d failures in this minute: %w", name, MaxLoginsPerMinute, storage.ErrExhausted)
	}
	hash, usable := db.decoy, false
	var found string
	err := db.read.QueryRowContext(ctx, `SELECT hash FROM users WHERE name = ? AND disabled = 0`, name).Scan(&found)
	switch {
	case err == nil:
		hash, usable = found, true
	case !errors.Is(err, sql.ErrNoRows):
		return storage.Principal{}, fmt.Errorf("sign in: %w", dbError(err))
	}
	if err := db.hashSlot(ctx); err != nil {
		return storage.Principal{}, err
	}
	match := verifyPassword(hash, password)
	<-db.hashes
	if !match || !usable {
		return storage.Principal{}, fmt.Errorf("sign in: %w", storage.ErrUnauthorized)
	}
	db.logins.ok(name)
	return db.principal(ctx, `SELECT name, role, coalesce(tenant, 0) FROM users WHERE name = ? AND disabled = 0`, name)
}

func (db *DB) hash(ctx context.Context, password string) (string, error) {
	if err := db.hashSlot(ctx); err != nil {
		return "", err
	}
	defer func() { <-db.hashes }()
	return hashPassword(db.cfg.Random, password)
}

func (db *DB) hashSlot(ctx context.Context) error {
	select {
	case db.hashes <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for a turn to hash: %w: %w", ctx.Err(), storage.ErrUnavailable)
	}
}

// principal makes the principal of the user that query finds: name, role, tenant or 0. An admin's tenants are those
// that exist now; it has none before the first is created.
func (db *DB) principal(ctx context.Context, query string, args ...any) (storage.Principal, error) {
	var p storage.Principal
	var own storage.Tenant
	err := db.read.QueryRowContext(ctx, query, args...).Scan(&p.User, &p.Role, &own)
	if errors.Is(err, sql.ErrNoRows) {
		return storage.Principal{}, fmt.Errorf("find user: %w", storage.ErrUnauthorized)
	}
	if err != nil {
		return storage.Principal{}, fmt.Errorf("find user: %w", dbError(err))
	}
	if p.Role != storage.RoleAdmin {
		p.Tenants = []storage.Tenant{own}
		return p, nil
	}
	rows, err := db.read.QueryContext(ctx, `SELECT number FROM tenants ORDER BY number`)
	p.Tenants, err = collect(rows, err, func(r *sql.Rows) (t storage.Tenant, err error) { return t, r.Scan(&t) })
	if err != nil {
		return storage.Principal{}, fmt.Errorf("find tenants of %s: %w", p.User, err)
	}
	return p, nil
}
