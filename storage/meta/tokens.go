package meta

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/vedette-siem/vedette/storage"
)

// Prefixes tell the two kinds of token apart, for people and for secret scanners.
const (
	sessionPrefix = "vds_"
	ingestPrefix  = "vdi_"
	tokenBytes    = 32 // random bytes; enough that hashing needs no salt and comparing no constant time
)

func (db *DB) newToken(prefix string) (token string, hash []byte, err error) {
	var b [tokenBytes]byte
	if _, err := io.ReadFull(db.cfg.Random, b[:]); err != nil {
		return "", nil, fmt.Errorf("draw token: %w", err)
	}
	token = prefix + base64.RawURLEncoding.EncodeToString(b[:])
	return token, tokenHash(token), nil
}

func tokenHash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// CreateSession signs the principal's user in and returns the token of the session, which ends after
// Config.SessionLife. The oldest session ends beyond MaxSessionsPerUser.
func (db *DB) CreateSession(ctx context.Context, p storage.Principal) (string, error) {
	token, hash, err := db.newToken(sessionPrefix)
	if err != nil {
		return "", fmt.Errorf("create session of %s: %w", p.User, err)
	}
	now := db.cfg.Now()
	err = db.inTx(ctx, "create session of "+p.User, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (hash, username, created, expires) VALUES (?, ?, ?, ?)`,
			hash, p.User, now.UnixNano(), now.Add(db.cfg.SessionLife).UnixNano())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM sessions WHERE hash IN (
			SELECT hash FROM sessions WHERE username = ? AND hash <> ? ORDER BY created DESC LIMIT -1 OFFSET ?)`,
			p.User, hash, MaxSessionsPerUser-1)
		return err
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// PrincipalOf returns who a session belongs to, with the role and tenants that the user has now. ErrUnauthorized if
// the token is unknown or its session ended, or the user was disabled.
func (db *DB) PrincipalOf(ctx context.Context, token string) (storage.Principal, error) {
	return db.principal(ctx, `SELECT u.name, u.role, coalesce(u.tenant, 0) FROM sessions s JOIN users u ON u.name = s.username
		WHERE s.hash = ? AND s.expires > ? AND u.disabled = 0`, tokenHash(token), db.now())
}

// ChangePassword replaces the password of a user who knows the old one, and ends all sessions of the user but the one
// with the token keep. Errors are those of Authenticate, whose limit of failures holds here too, and ErrInvalid for a
// new password that is too short or too long.
func (db *DB) ChangePassword(ctx context.Context, name, old, password, keep string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	if _, err := db.Authenticate(ctx, name, old); err != nil {
		return err
	}
	hash, err := db.hash(ctx, password)
	if err != nil {
		return err
	}
	return db.inTx(ctx, "change password of "+name, func(tx *sql.Tx) error {
		if err := mustChange(tx.ExecContext(ctx, `UPDATE users SET hash = ? WHERE name = ?`, hash, name)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE username = ? AND hash <> ?`, name, tokenHash(keep))
		return err
	})
}

// EndSession signs a session out. A token that is unknown or ended already is no error.
func (db *DB) EndSession(ctx context.Context, token string) error {
	return db.inTx(ctx, "end session", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE hash = ?`, tokenHash(token))
		return err
	})
}

// IngestToken describes a token with which senders prove what organization their records belong to.
type IngestToken struct {
	Tenant  storage.Tenant
	Name    string
	Created int64 // ns
	Revoked int64 // ns; 0 while in force
}

// CreateIngestToken adds a token for the tenant and returns it; it cannot be read again. ErrConflict if one of that
// name is in force, ErrExhausted beyond MaxTokensPerTenant.
func (db *DB) CreateIngestToken(ctx context.Context, t storage.Tenant, name string) (string, error) {
	if err := errors.Join(mustTenant(t), checkName("token", name)); err != nil {
		return "", err
	}
	token, hash, err := db.newToken(ingestPrefix)
	if err != nil {
		return "", err
	}
	err = db.inTx(ctx, fmt.Sprintf("create ingest token %s of tenant %d", name, t), func(tx *sql.Tx) error {
		if err := room(ctx, tx, MaxTokensPerTenant, "ingest tokens", `SELECT count(*) FROM ingest_tokens WHERE tenant = ? AND revoked IS NULL`, t); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO ingest_tokens (hash, tenant, name, created) VALUES (?, ?, ?, ?)`, hash, t, name, db.now())
		return err
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// ResolveIngestToken returns the tenant of a token in force, else ErrUnauthorized: with the tenant that it was of when it
// was revoked, so that somebody there can be told, and with none when it is unknown. It reads the database: callers on
// the way of records cache the answer (host/tenant).
func (db *DB) ResolveIngestToken(ctx context.Context, token string) (storage.Tenant, error) {
	var t storage.Tenant
	var revoked bool
	err := db.read.QueryRowContext(ctx, `SELECT tenant, revoked IS NOT NULL FROM ingest_tokens WHERE hash = ?`, tokenHash(token)).Scan(&t, &revoked)
	if errors.Is(err, sql.ErrNoRows) || err == nil && revoked {
		return t, fmt.Errorf("ingest token: %w", storage.ErrUnauthorized)
	}
	if err != nil {
		return 0, fmt.Errorf("resolve ingest token: %w", dbError(err))
	}
	return t, nil
}

// RevokeIngestToken ends the tenant's token of that name. ErrNotFound if none is in force.
func (db *DB) RevokeIngestToken(ctx context.Context, t storage.Tenant, name string) error {
	return db.inTx(ctx, fmt.Sprintf("revoke ingest token %s of tenant %d", cut(name, MaxNameBytes), t), func(tx *sql.Tx) error {
		return mustChange(tx.ExecContext(ctx, `UPDATE ingest_tokens SET revoked = ? WHERE tenant = ? AND name = ? AND revoked IS NULL`, db.now(), t, name))
	})
}

// ListIngestTokens returns the tokens of the principal's tenants, revoked ones included, newest first.
func (db *DB) ListIngestTokens(ctx context.Context, p storage.Principal) ([]IngestToken, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, fmt.Errorf("list ingest tokens: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT tenant, name, created, coalesce(revoked, 0) FROM ingest_tokens WHERE `+where+` ORDER BY created DESC, tenant, name`, args...)
	out, err := collect(rows, err, func(r *sql.Rows) (t IngestToken, err error) {
		return t, r.Scan(&t.Tenant, &t.Name, &t.Created, &t.Revoked)
	})
	if err != nil {
		return nil, fmt.Errorf("list ingest tokens: %w", err)
	}
	return out, nil
}
