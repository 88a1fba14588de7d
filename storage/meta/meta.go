// Package meta keeps tenants, users, tokens and incidents in one SQL database, where everything that one batch of the
// log changes is written in one transaction together with the log position that it brings the database to.
//
// Times are int64 nanoseconds since the Unix epoch in every column and every type. Every method that reads what
// belongs to tenants takes a storage.Principal and answers only for its tenants; every method that writes it takes the
// storage.Tenant and changes only that one. Whether a principal may do a thing is decided before, by host/tenant.
package meta

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"github.com/vedette-siem/vedette/storage"
)

//go:embed migrations/sqlite/*.sql
var migrations embed.FS

// Config says where the database is and where time and randomness come from. The zero value of each field but Path
// means its default.
type Config struct {
	Path         string           // database file, created with mode 0600 if missing; SQLite keeps PATH-wal and PATH-shm beside it
	Now          func() time.Time // clock of sessions, tokens and users, never of incidents; default time.Now
	Random       io.Reader        // source of tokens and salts; default crypto/rand.Reader
	Readers      int              // connections that read; default 4
	SessionLife  time.Duration    // default DefaultSessionLife (12 h)
	KeepResolved time.Duration    // default DefaultKeepResolved (180 days)
	KeepEvents   time.Duration    // how long events are kept, and with them what lists and tables were; default DefaultKeepEvents (30 days)
}

// DB is the open database. Its methods may be called at once from any goroutine: one connection writes, others read,
// and a reader sees the last committed state. Errors wrap the kinds of the storage package.
type DB struct {
	cfg    Config
	write  *sql.DB // one connection: SQLite has one writer, and waiting in Go is fair where SQLite's busy loop is not
	read   *sql.DB
	logins *throttle
	hashes chan struct{} // bounds the memory that password hashing takes
	decoy  string        // hash verified for unknown names, so that they cost what known ones do
}

// Open opens the database of cfg, creates it if missing and brings its schema to the newest version.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Path == "" {
		return nil, fmt.Errorf("open database: no path: %w", storage.ErrInvalid)
	}
	cfg.Now = orElse(cfg.Now == nil, time.Now, cfg.Now)
	cfg.Random = orElse(cfg.Random == nil, rand.Reader, cfg.Random)
	cfg.Readers = orElse(cfg.Readers <= 0, 4, cfg.Readers)
	cfg.SessionLife = orElse(cfg.SessionLife <= 0, DefaultSessionLife, cfg.SessionLife)
	cfg.KeepResolved = orElse(cfg.KeepResolved <= 0, DefaultKeepResolved, cfg.KeepResolved)
	cfg.KeepEvents = orElse(cfg.KeepEvents <= 0, DefaultKeepEvents, cfg.KeepEvents)
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", cfg.Path, err)
	}
	// SQLite gives its -wal and -shm files the mode of the database file, so it has to be right before they exist.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := &DB{cfg: cfg, logins: newThrottle(), hashes: make(chan struct{}, MaxHashesAtOnce)}
	if db.decoy, err = decoyHash(cfg.Random); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if err := db.connect(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Close())
	}
	return db, nil
}

func orElse[T any](use bool, fallback, value T) T {
	if use {
		return fallback
	}
	return value
}

func (db *DB) connect(ctx context.Context, path string) error {
	var err error
	if db.write, err = sql.Open("sqlite", dsn(path, "_txlock=immediate")); err != nil {
		return err
	}
	db.write.SetMaxOpenConns(1)
	if err := migrate(ctx, db.write); err != nil {
		return err
	}
	if db.read, err = sql.Open("sqlite", dsn(path, "_pragma=query_only(1)")); err != nil {
		return err
	}
	db.read.SetMaxOpenConns(db.cfg.Readers)
	db.read.SetMaxIdleConns(db.cfg.Readers)
	return db.read.PingContext(ctx)
}

// dsn names the file with the pragmas that every connection needs. synchronous FULL makes a commit durable, which
// the position written with it promises to the queue.
func dsn(path, extra string) string {
	u := url.URL{Scheme: "file", Path: path}
	return u.String() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(1)&_pragma=journal_size_limit(67108864)&" + extra
}

func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	have, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if have > target {
		return fmt.Errorf("schema version %d is newer than this program's %d: %w", have, target, storage.ErrUnavailable)
	}
	return nil
}

// Close waits for running statements and closes the database. No method may be called after it.
func (db *DB) Close() error {
	var errs []error
	for _, pool := range []*sql.DB{db.read, db.write} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// inTx runs f in one write transaction and commits it if f returns nil. what names it in errors.
func (db *DB) inTx(ctx context.Context, what string, f func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: begin: %w", what, dbError(err))
	}
	if err := f(tx); err != nil {
		// After a cancelled context the transaction is rolled back already, which is not worth a second error.
		if back := tx.Rollback(); back != nil && !errors.Is(back, sql.ErrTxDone) {
			err = errors.Join(err, back)
		}
		return fmt.Errorf("%s: %w", what, dbError(err))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: commit: %w", what, dbError(err))
	}
	return nil
}

// SQLite result codes that mean something to a caller (sqlite.org/rescode.html).
const (
	sqliteBusy       = 5
	sqliteFull       = 13
	sqliteUnique     = 2067
	sqlitePrimaryKey = 1555
	sqliteForeignKey = 787
	sqliteCheck      = 275
)

// dbError gives an error of the database its kind and leaves others as they are.
func dbError(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w", storage.ErrNotFound)
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case sqliteUnique, sqlitePrimaryKey:
		return fmt.Errorf("exists already: %w", storage.ErrConflict)
	case sqliteForeignKey:
		return fmt.Errorf("refers to what does not exist: %w", storage.ErrNotFound)
	case sqliteCheck:
		return fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	if e.Code()&0xff == sqliteBusy || e.Code()&0xff == sqliteFull {
		return fmt.Errorf("%w: %w", err, storage.ErrUnavailable)
	}
	return err
}

// collect reads all rows of a query with scan.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, dbError(err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, dbError(rows.Err())
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// listed returns the number of rows to answer with.
func listed(limit int) int {
	if limit <= 0 {
		return DefaultListed
	}
	return min(limit, MaxListed)
}
