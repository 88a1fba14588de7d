package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/vedette-siem/vedette/storage"
)

// Limits of conformance reports.
const (
	MaxConformanceBytes   = 256 << 10 // of one report
	MaxConformanceReports = 50_000    // the oldest is dropped
)

// ConformanceReport is what this host has found out about a module version by trying it.
type ConformanceReport struct {
	Digest string // of the package
	Host   string // the version of the host that tried it, with that of its meter
	At     int64  // ns since 1970
	Report string // JSON
}

// PutConformance keeps a report in the place of an older one. The error wraps storage.ErrExhausted for one that is too
// long. For the host itself.
func (db *DB) PutConformance(ctx context.Context, c ConformanceReport) error {
	if len(c.Report) > MaxConformanceBytes {
		return fmt.Errorf("conformance report of %d bytes, the limit is %d: %w", len(c.Report), MaxConformanceBytes, storage.ErrExhausted)
	}
	return db.inTx(ctx, "keep a conformance report", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO conformance (digest, host, at, report) VALUES (?, ?, ?, ?)
			ON CONFLICT (digest) DO UPDATE SET host = excluded.host, at = excluded.at, report = excluded.report`, c.Digest, c.Host, c.At, c.Report)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM conformance WHERE digest IN (
			SELECT digest FROM conformance ORDER BY at DESC, digest LIMIT -1 OFFSET ?)`, MaxConformanceReports)
		return err
	})
}

// Conformance returns the report about a version; the error wraps storage.ErrNotFound when there is none. For the host
// itself.
func (db *DB) Conformance(ctx context.Context, digest string) (ConformanceReport, error) {
	c := ConformanceReport{Digest: digest}
	err := db.read.QueryRowContext(ctx, `SELECT host, at, report FROM conformance WHERE digest = ?`, digest).Scan(&c.Host, &c.At, &c.Report)
	if errors.Is(err, sql.ErrNoRows) {
		err = storage.ErrNotFound
	}
	if err != nil {
		return c, fmt.Errorf("conformance of %s: %w", cut(digest, MaxNameBytes), err)
	}
	return c, nil
}
