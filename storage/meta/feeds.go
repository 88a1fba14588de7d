package meta

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Limits of feeds.
const (
	MaxFeedsPerTenant = 32
	MaxFeedBytes      = 8 << 10 // of what is said of one, as JSON
	MaxFeedErrorBytes = 1 << 10
)

// Feed is where an organization, or for NoTenant all of them, fetch indicators of compromise from.
type Feed struct {
	Tenant storage.Tenant `json:"-"`
	Name   string         `json:"-"` // of the indicator set that it fills

	Kind       string        `json:"kind"`
	URL        string        `json:"url"`
	Collection string        `json:"collection,omitempty"`
	Format     string        `json:"format,omitempty"`
	Username   string        `json:"username,omitempty"`
	Every      time.Duration `json:"every"`
	Disabled   bool          `json:"disabled,omitempty"`
	Confidence int           `json:"confidence,omitempty"`
	TTL        time.Duration `json:"ttl,omitempty"`
	Who        string        `json:"who"`

	Secret []byte `json:"-"` // sealed; nil: none
	FeedState
}

// FeedState is where a feed stands.
type FeedState struct {
	Since                     string `json:"-"` // what the source said to ask with the next time
	Asked, Due                int64  `json:"-"` // ns; Asked 0: never
	Error                     string `json:"-"`
	Came, Withdrawn, Problems int    `json:"-"`
}

// PutFeed adds or changes a feed and makes it due. A nil secret leaves the one that is there, an empty one removes it. Where
// it is asked otherwise, it is asked from the beginning.
func (db *DB) PutFeed(ctx context.Context, f Feed) error {
	if err := checkName("feed", f.Name); err != nil {
		return err
	}
	spec, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("put feed %s: %w", f.Name, err)
	}
	if len(spec) > MaxFeedBytes {
		return fmt.Errorf("put feed %s: %d bytes, the limit is %d: %w", f.Name, len(spec), MaxFeedBytes, storage.ErrExhausted)
	}
	return db.inTx(ctx, "put feed "+f.Name, func(tx *sql.Tx) error {
		if err := room(ctx, tx, MaxFeedsPerTenant, "feeds", `SELECT count(*) FROM feeds WHERE coalesce(tenant, 0) = ? AND name <> ?`, f.Tenant, f.Name); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO feeds (tenant, name, spec, secret, since, asked, due, error, came, withdrawn, problems)
			VALUES (nullif(?, 0), ?, ?, nullif(?, x''), '', 0, ?, '', 0, 0, 0)
			ON CONFLICT (coalesce(tenant, 0), name) DO UPDATE SET spec = excluded.spec, due = excluded.due, error = '',
			since = CASE WHEN json_extract(spec, '$.url', '$.collection', '$.kind') = json_extract(excluded.spec, '$.url', '$.collection', '$.kind') THEN since ELSE '' END,
			secret = CASE WHEN ? THEN secret ELSE excluded.secret END`,
			f.Tenant, f.Name, string(spec), f.Secret, db.now(), f.Secret == nil)
		return err
	})
}

const feedColumns = `SELECT coalesce(tenant, 0), name, spec, secret, since, asked, due, error, came, withdrawn, problems FROM feeds `

func (db *DB) feeds(ctx context.Context, what, query string, args ...any) ([]Feed, error) {
	rows, err := db.read.QueryContext(ctx, feedColumns+query, args...)
	list, err := collect(rows, err, func(r *sql.Rows) (f Feed, err error) {
		var spec string
		if err := r.Scan(&f.Tenant, &f.Name, &spec, &f.Secret, &f.Since, &f.Asked, &f.Due, &f.Error, &f.Came, &f.Withdrawn, &f.Problems); err != nil {
			return f, err
		}
		return f, json.Unmarshal([]byte(spec), &f)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return list, nil
}

// Feeds returns the feeds of an organization, or of NoTenant those for all, by name.
func (db *DB) Feeds(ctx context.Context, t storage.Tenant) ([]Feed, error) {
	return db.feeds(ctx, "list feeds", `WHERE coalesce(tenant, 0) = ? ORDER BY name`, t)
}

// DueFeeds returns feeds that are to be asked, those that wait longest first.
func (db *DB) DueFeeds(ctx context.Context, now time.Time, limit int) ([]Feed, error) {
	return db.feeds(ctx, "list feeds that are due", `WHERE due <= ? AND NOT coalesce(json_extract(spec, '$.disabled'), 0) ORDER BY due, name LIMIT ?`, now.UnixNano(), limit)
}

// SetFeedState notes what came of asking a feed, unless it was changed meanwhile.
func (db *DB) SetFeedState(ctx context.Context, f Feed, s FeedState) error {
	return db.inTx(ctx, "note what came of feed "+f.Name, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE feeds SET since = ?, asked = ?, due = ?, error = ?, came = ?, withdrawn = ?, problems = ?
			WHERE coalesce(tenant, 0) = ? AND name = ? AND due = ?`,
			s.Since, s.Asked, s.Due, cut(s.Error, MaxFeedErrorBytes), s.Came, s.Withdrawn, s.Problems, f.Tenant, f.Name, f.Due)
		return err
	})
}

// RemoveFeed ends a feed. The error wraps storage.ErrNotFound.
func (db *DB) RemoveFeed(ctx context.Context, t storage.Tenant, name string) error {
	return db.inTx(ctx, "remove feed "+cut(name, MaxNameBytes), func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM feeds WHERE coalesce(tenant, 0) = ? AND name = ?`, t, name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("there is no such feed: %w", storage.ErrNotFound)
		}
		return nil
	})
}
