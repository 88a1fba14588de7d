package meta

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Limits of the contents of tables and indicator sets.
const (
	MaxTableContentBytes       = 128 << 20 // one; tables have a lower limit of their own
	MaxTableContentsPerTenant  = 256 << 20 // packed, of all versions that are kept
	KeepTableContents          = time.Hour // that nothing refers to: an upload is put here before its control record
	maxTableContentsPrunedOnce = 16        // in one transaction
)

// PutTableContent keeps the content of a table or an indicator set under its digest, unless it is here. now is when. The error wraps
// storage.ErrExhausted when the organization keeps too much.
func (db *DB) PutTableContent(ctx context.Context, t storage.Tenant, digest string, content []byte, now time.Time) error {
	if len(content) > MaxTableContentBytes {
		return fmt.Errorf("keep table content: %d bytes, the limit is %d: %w", len(content), MaxTableContentBytes, storage.ErrExhausted)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(content)
	if err = errors.Join(err, z.Close()); err != nil {
		return fmt.Errorf("keep table content: %w", err)
	}
	return db.inTx(ctx, "keep table content", func(tx *sql.Tx) error {
		var used int64
		err := tx.QueryRowContext(ctx, `SELECT coalesce(sum(length(content)), 0) FROM table_contents WHERE owner = ? AND digest != ?`, t, digest).Scan(&used)
		if err != nil {
			return err
		}
		if used+int64(packed.Len()) > MaxTableContentsPerTenant {
			return fmt.Errorf("%d bytes of tables are kept, with earlier versions that end within an hour; the limit is %d: %w", used, MaxTableContentsPerTenant, storage.ErrExhausted)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO table_contents (owner, digest, content, size, added) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (owner, digest) DO UPDATE SET added = excluded.added`, t, digest, packed.Bytes(), len(content), now.UnixNano())
		return err
	})
}

// TableContent returns the content of a table or an indicator set. The error wraps storage.ErrNotFound.
func (db *DB) TableContent(ctx context.Context, t storage.Tenant, digest string) ([]byte, error) {
	var packed []byte
	var size int
	err := db.read.QueryRowContext(ctx, `SELECT content, size FROM table_contents WHERE owner = ? AND digest = ?`, t, digest).Scan(&packed, &size)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("content %s of a table: %w", cut(digest, 80), storage.ErrNotFound)
	} else if err != nil {
		return nil, fmt.Errorf("read content of a table: %w", dbError(err))
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("read content %s of a table: %w", digest, err)
	}
	content := make([]byte, 0, min(size, MaxTableContentBytes)+bytes.MinRead)
	b := bytes.NewBuffer(content)
	if _, err := io.Copy(b, io.LimitReader(z, MaxTableContentBytes+1)); err != nil {
		return nil, fmt.Errorf("read content %s of a table: %w", digest, err)
	}
	return b.Bytes(), nil
}

// PruneTableContents removes contents that nobody refers to and that were added KeepTableContents ago, and returns how
// many. used holds the digests that the log still speaks of. What earlier versions held is kept for as long as it is known
// that they were in force, but for the oldest where the organization keeps more than half of what it may.
func (db *DB) PruneTableContents(ctx context.Context, now time.Time, used map[string]bool) (n int, err error) {
	all, err := db.contentsNotUsed(ctx, now, used)
	if err != nil {
		return 0, fmt.Errorf("prune table contents: %w", dbError(err))
	}
	for len(all) > 0 {
		part := all[:min(len(all), maxTableContentsPrunedOnce)]
		all = all[len(part):]
		err := db.inTx(ctx, "prune table contents", func(tx *sql.Tx) error {
			for _, k := range part {
				// It may have been put again meanwhile.
				res, err := tx.ExecContext(ctx, `DELETE FROM table_contents WHERE owner = ? AND digest = ? AND added < ?`,
					k.owner, k.digest, now.Add(-KeepTableContents).UnixNano())
				if err != nil {
					return err
				}
				gone, err := res.RowsAffected()
				if err != nil {
					return err
				}
				n += int(gone)
			}
			return nil
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// contentKey names the content of a table.
type contentKey struct {
	owner  storage.Tenant
	digest string
}

// contentsNotUsed returns the contents that may go, those that were put here first before the others.
func (db *DB) contentsNotUsed(ctx context.Context, now time.Time, used map[string]bool) (gone []contentKey, err error) {
	rows, err := db.read.QueryContext(ctx, pastContents)
	past := map[contentKey]bool{}
	if _, err = collect(rows, err, func(r *sql.Rows) (k contentKey, err error) {
		var digest sql.NullString
		err = r.Scan(&k.owner, &digest)
		k.digest = digest.String
		past[k] = true
		return k, err
	}); err != nil {
		return nil, err
	}
	type kept struct {
		contentKey
		bytes, added int64
	}
	rows, err = db.read.QueryContext(ctx, `SELECT owner, digest, length(content), added FROM table_contents ORDER BY added, owner, digest`)
	all, err := collect(rows, err, func(r *sql.Rows) (k kept, err error) { return k, r.Scan(&k.owner, &k.digest, &k.bytes, &k.added) })
	if err != nil {
		return nil, err
	}
	total := map[storage.Tenant]int64{}
	for _, k := range all {
		total[k.owner] += k.bytes
	}
	for _, k := range all {
		if used[k.digest] || k.added >= now.Add(-KeepTableContents).UnixNano() || past[k.contentKey] && total[k.owner] <= MaxTableContentsPerTenant/2 {
			continue
		}
		total[k.owner] -= k.bytes
		gone = append(gone, k.contentKey)
	}
	return gone, nil
}
