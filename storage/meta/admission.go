package meta

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// RequestState is what became of an installation that waits for approval.
type RequestState string

// The states of a request. Only a waiting one can be decided.
const (
	RequestWaiting  RequestState = "waiting"
	RequestApproved RequestState = "approved"
	RequestRejected RequestState = "rejected"
)

// InstallRequest is an installation that asks for capabilities which nobody has granted yet.
type InstallRequest struct {
	ID       uint64
	Tenant   storage.Tenant // NoTenant: for all organizations
	Module   string         // "publisher/name"
	Version  string
	Digest   string
	Settings string   // JSON
	Asks     []string // all capabilities that it needs
	Missing  []string // those of them that were not granted
	Who      string
	At       int64 // ns
	State    RequestState
	Decider  string
	Decided  int64 // ns
	Note     string
}

// PutInstallRequest keeps a request of t and returns its number: that of the one that waits already when it is the same.
// The error wraps storage.ErrExhausted when MaxWaitingPerTenant wait.
func (db *DB) PutInstallRequest(ctx context.Context, t storage.Tenant, r InstallRequest) (id uint64, err error) {
	asks, err := json.Marshal(r.Asks)
	if err != nil {
		return 0, fmt.Errorf("request %s: %w", r.Module, err)
	}
	missing, err := json.Marshal(r.Missing)
	if err != nil {
		return 0, fmt.Errorf("request %s: %w", r.Module, err)
	}
	err = db.inTx(ctx, "request "+r.Module, func(tx *sql.Tx) error {
		list, err := tx.QueryContext(ctx, `SELECT id FROM install_requests
			WHERE tenant IS ? AND state = 'waiting' AND digest = ? AND settings = ?`, nullable(t), r.Digest, r.Settings)
		same, err := collect(list, err, func(rows *sql.Rows) (n uint64, err error) { return n, rows.Scan(&n) })
		if err != nil {
			return err
		}
		if len(same) > 0 {
			id = same[0]
			return nil
		}
		var waiting int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM install_requests WHERE tenant IS ? AND state = 'waiting'`, nullable(t)).Scan(&waiting); err != nil {
			return err
		}
		if waiting >= MaxWaitingPerTenant {
			return fmt.Errorf("%d installations wait for approval already: %w", waiting, storage.ErrExhausted)
		}
		return tx.QueryRowContext(ctx, `INSERT INTO install_requests (tenant, module, version, digest, settings, asks, missing, who, at, state)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting') RETURNING id`,
			nullable(t), r.Module, r.Version, r.Digest, r.Settings, string(asks), string(missing), r.Who, r.At).Scan(&id)
	})
	return id, err
}

// ListInstallRequests returns the principal's requests, newest first: those that wait, or all. Those for all
// organizations are an admin's to see. limit 0: DefaultListed, at most MaxListed.
func (db *DB) ListInstallRequests(ctx context.Context, p storage.Principal, all bool, limit int) ([]InstallRequest, error) {
	where, args, err := scopeOrHost(p)
	if err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	list, err := db.installRequests(ctx, where+` AND (? OR state = 'waiting') ORDER BY id DESC LIMIT ?`, append(args, all, listed(limit)))
	if err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	return list, nil
}

// InstallRequest returns one request of the principal's. The error wraps storage.ErrNotFound.
func (db *DB) InstallRequest(ctx context.Context, p storage.Principal, id uint64) (InstallRequest, error) {
	where, args, err := scopeOrHost(p)
	if err != nil {
		return InstallRequest{}, fmt.Errorf("request %d: %w", id, err)
	}
	list, err := db.installRequests(ctx, where+` AND id = ?`, append(args, int64(id)))
	if err == nil && len(list) == 0 {
		err = storage.ErrNotFound
	}
	if err != nil {
		return InstallRequest{}, fmt.Errorf("request %d: %w", id, err)
	}
	return list[0], nil
}

// DecideInstallRequest ends a waiting request of the principal's. The error wraps storage.ErrNotFound, or ErrConflict
// when somebody has decided already.
func (db *DB) DecideInstallRequest(ctx context.Context, p storage.Principal, id uint64, state RequestState, note string) error {
	where, args, err := scopeOrHost(p)
	if err != nil {
		return fmt.Errorf("decide request %d: %w", id, err)
	}
	return db.inTx(ctx, fmt.Sprintf("decide request %d", id), func(tx *sql.Tx) error {
		var was RequestState
		if err := tx.QueryRowContext(ctx, `SELECT state FROM install_requests WHERE `+where+` AND id = ?`, append(args, int64(id))...).Scan(&was); err != nil {
			return err
		}
		if was != RequestWaiting {
			return fmt.Errorf("it is %s already: %w", was, storage.ErrConflict)
		}
		_, err := tx.ExecContext(ctx, `UPDATE install_requests SET state = ?, decider = ?, decided = ?, note = ? WHERE id = ?`,
			state, p.User, db.cfg.Now().UnixNano(), cut(note, MaxNoteBytes), int64(id))
		return err
	})
}

func (db *DB) installRequests(ctx context.Context, where string, args []any) ([]InstallRequest, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, coalesce(tenant, 0), module, version, digest, settings, asks, missing, who, at, state, decider, decided, note
		FROM install_requests WHERE `+where, args...)
	return collect(rows, err, func(r *sql.Rows) (x InstallRequest, err error) {
		var asks, missing string
		if err := r.Scan(&x.ID, &x.Tenant, &x.Module, &x.Version, &x.Digest, &x.Settings, &asks, &missing, &x.Who, &x.At, &x.State, &x.Decider, &x.Decided, &x.Note); err != nil {
			return x, err
		}
		if err := json.Unmarshal([]byte(asks), &x.Asks); err != nil {
			return x, err
		}
		return x, json.Unmarshal([]byte(missing), &x.Missing)
	})
}

// ModuleCase holds events on which a rule must not fire.
type ModuleCase struct {
	ID       uint64
	Tenant   storage.Tenant // NoTenant: for all organizations
	Module   string         // "publisher/name"
	Rule     string
	Incident string // that it was made of
	Title    string
	Events   []byte // JSON, at most MaxCaseBytes; nil in a list
	Who      string
	At       int64 // ns
}

// PutModuleCase keeps a case of t, once for each incident. The error wraps storage.ErrConflict when the incident has
// one, ErrExhausted beyond MaxCasesPerModule or MaxCaseBytes.
func (db *DB) PutModuleCase(ctx context.Context, t storage.Tenant, c ModuleCase) (id uint64, err error) {
	if len(c.Events) > MaxCaseBytes {
		return 0, fmt.Errorf("case of %s: %d bytes of events, the limit is %d: %w", c.Module, len(c.Events), MaxCaseBytes, storage.ErrExhausted)
	}
	err = db.inTx(ctx, "keep a case of "+c.Module, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM module_cases WHERE tenant IS ? AND module = ?`, nullable(t), c.Module).Scan(&n); err != nil {
			return err
		}
		if n >= MaxCasesPerModule {
			return fmt.Errorf("it has %d cases already: %w", n, storage.ErrExhausted)
		}
		return tx.QueryRowContext(ctx, `INSERT INTO module_cases (tenant, module, rule, incident, title, events, who, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			nullable(t), c.Module, c.Rule, c.Incident, c.Title, c.Events, c.Who, c.At).Scan(&id)
	})
	return id, err
}

// ModuleCases returns the cases of t of a module, or of all modules when module is "", oldest first. Events are there only
// with a module.
func (db *DB) ModuleCases(ctx context.Context, t storage.Tenant, module string) ([]ModuleCase, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id, coalesce(tenant, 0), module, rule, incident, title, CASE WHEN ? = '' THEN NULL ELSE events END, who, at
		FROM module_cases WHERE tenant IS ? AND (? = '' OR module = ?) ORDER BY id LIMIT ?`, module, nullable(t), module, module, MaxListed)
	list, err := collect(rows, err, func(r *sql.Rows) (c ModuleCase, err error) {
		return c, r.Scan(&c.ID, &c.Tenant, &c.Module, &c.Rule, &c.Incident, &c.Title, &c.Events, &c.Who, &c.At)
	})
	if err != nil {
		return nil, fmt.Errorf("cases of %s: %w", module, err)
	}
	return list, nil
}

// DeleteModuleCase forgets a case of t. The error wraps storage.ErrNotFound.
func (db *DB) DeleteModuleCase(ctx context.Context, t storage.Tenant, id uint64) error {
	return db.inTx(ctx, fmt.Sprintf("forget case %d", id), func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM module_cases WHERE tenant IS ? AND id = ?`, nullable(t), int64(id))
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errorOr(err, storage.ErrNotFound)
		}
		return nil
	})
}

func errorOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// nullable is how a column holds a tenant that may be the host as a whole.
func nullable(t storage.Tenant) any {
	if t == storage.NoTenant {
		return nil
	}
	return int64(t)
}

// scopeOrHost is scope for rows that may belong to the host as a whole, which are an admin's to see.
func scopeOrHost(p storage.Principal) (string, []any, error) {
	where, args, err := scope(p, "tenant")
	if err == nil && p.Role == storage.RoleAdmin {
		where += " OR tenant IS NULL"
	}
	return "(" + where + ")", args, err
}
