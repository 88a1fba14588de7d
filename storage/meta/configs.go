package meta

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/vedette-siem/vedette/storage"
)

// Limits of the texts that were pulled from devices.
const (
	MaxConfigBytes          = 1 << 20   // one text
	MaxConfigVersions       = 200       // of one text of one device; the oldest is dropped
	MaxConfigBytesPerTenant = 512 << 20 // as they are kept
)

// ConfigVersion is one version of a text of a device: its running configuration, its packages.
type ConfigVersion struct {
	Tenant  storage.Tenant
	Device  string
	Name    string
	Digest  string // of the text, "sha256:…"
	At      int64  // log time of the poll that saw it first, ns
	Added   int    // lines, against the version before
	Removed int
	Size    int  // bytes of the text
	Blessed bool // somebody has declared this text right
}

// ConfigDigest returns the name under which a text is kept.
func ConfigDigest(text []byte) string {
	h := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(h[:])
}

// AddConfig keeps a text as the newest version of its name, unless it is already.
func (db *DB) AddConfig(ctx context.Context, t storage.Tenant, v ConfigVersion, text []byte) error {
	if err := errors.Join(checkName("device", v.Device), checkName("configuration", v.Name)); err != nil {
		return err
	}
	if len(text) > MaxConfigBytes {
		return fmt.Errorf("keep %s of %s: %d bytes, the limit is %d: %w", v.Name, v.Device, len(text), MaxConfigBytes, storage.ErrExhausted)
	}
	v.Digest = ConfigDigest(text)
	return db.inTx(ctx, "keep "+v.Name+" of "+v.Device, func(tx *sql.Tx) error {
		var newest string
		err := tx.QueryRowContext(ctx, `SELECT digest FROM config_versions WHERE tenant = ? AND device = ? AND name = ? ORDER BY id DESC LIMIT 1`, t, v.Device, v.Name).Scan(&newest)
		if err != nil && !errors.Is(err, sql.ErrNoRows) || newest == v.Digest {
			return err
		}
		if err := keepText(ctx, tx, t, v.Digest, text); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO config_versions (tenant, device, name, digest, at, added, removed) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			t, v.Device, v.Name, v.Digest, v.At, v.Added, v.Removed)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM config_versions WHERE tenant = ? AND device = ? AND name = ? AND id <= (
			SELECT id FROM config_versions WHERE tenant = ? AND device = ? AND name = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
			t, v.Device, v.Name, t, v.Device, v.Name, MaxConfigVersions)
		if err != nil {
			return err
		}
		return dropTexts(ctx, tx, t)
	})
}

// keepText stores a text once.
func keepText(ctx context.Context, tx *sql.Tx, t storage.Tenant, digest string, text []byte) error {
	var used int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(sum(length(packed)), 0) FROM config_texts WHERE tenant = ?`, t).Scan(&used); err != nil {
		return err
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(text)
	if err = errors.Join(err, z.Close()); err != nil {
		return err
	}
	if used+int64(b.Len()) > MaxConfigBytesPerTenant {
		return fmt.Errorf("%d bytes of configurations are kept already: %w", used, storage.ErrExhausted)
	}
	_, err = tx.ExecContext(ctx, `INSERT OR IGNORE INTO config_texts (tenant, digest, size, packed) VALUES (?, ?, ?, ?)`, t, digest, len(text), b.Bytes())
	return err
}

// dropTexts removes the texts that nothing refers to any more.
func dropTexts(ctx context.Context, tx *sql.Tx, t storage.Tenant) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM config_texts WHERE tenant = ?
		AND NOT EXISTS (SELECT 1 FROM config_versions v WHERE v.tenant = config_texts.tenant AND v.digest = config_texts.digest)
		AND NOT EXISTS (SELECT 1 FROM config_blessed b WHERE b.tenant = config_texts.tenant AND b.digest = config_texts.digest)`, t)
	return err
}

const newestVersions = `SELECT v.tenant, v.device, v.name, v.digest, v.at, v.added, v.removed, x.size,
	EXISTS (SELECT 1 FROM config_blessed b WHERE b.tenant = v.tenant AND b.device = v.device AND b.name = v.name AND b.digest = v.digest)
	FROM config_versions v JOIN config_texts x ON x.tenant = v.tenant AND x.digest = v.digest WHERE `

func scanVersion(r interface{ Scan(dest ...any) error }) (v ConfigVersion, err error) {
	return v, r.Scan(&v.Tenant, &v.Device, &v.Name, &v.Digest, &v.At, &v.Added, &v.Removed, &v.Size, &v.Blessed)
}

// ListNewestConfigs returns the newest version of each text of the principal's tenants' devices, newest first.
func (db *DB) ListNewestConfigs(ctx context.Context, p storage.Principal, limit int) ([]ConfigVersion, error) {
	where, args, err := scope(p, "v.tenant")
	if err != nil {
		return nil, fmt.Errorf("list newest configurations: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, newestVersions+where+` AND v.id = (SELECT max(id) FROM config_versions w
		WHERE w.tenant = v.tenant AND w.device = v.device AND w.name = v.name) ORDER BY v.id DESC LIMIT ?`, append(args, listed(limit))...)
	out, err := collect(rows, err, func(r *sql.Rows) (ConfigVersion, error) { return scanVersion(r) })
	if err != nil {
		return nil, fmt.Errorf("list newest configurations: %w", err)
	}
	return out, nil
}

// ListConfigs returns the versions that are kept of the principal's tenants' devices, newest first; device and name
// narrow it when they are not empty.
func (db *DB) ListConfigs(ctx context.Context, p storage.Principal, device, name string, limit int) ([]ConfigVersion, error) {
	where, args, err := scope(p, "v.tenant")
	if err != nil {
		return nil, fmt.Errorf("list configurations: %w", err)
	}
	args = append(args, device, device, name, name, listed(limit))
	rows, err := db.read.QueryContext(ctx, newestVersions+where+` AND (? = '' OR v.device = ?) AND (? = '' OR v.name = ?) ORDER BY v.id DESC LIMIT ?`, args...)
	out, err := collect(rows, err, func(r *sql.Rows) (ConfigVersion, error) { return scanVersion(r) })
	if err != nil {
		return nil, fmt.Errorf("list configurations: %w", err)
	}
	return out, nil
}

// LatestConfig returns the newest version of a text with the text, or ErrNotFound.
func (db *DB) LatestConfig(ctx context.Context, t storage.Tenant, device, name string) (ConfigVersion, []byte, error) {
	v, err := scanVersion(db.read.QueryRowContext(ctx, newestVersions+`v.tenant = ? AND v.device = ? AND v.name = ? ORDER BY v.id DESC LIMIT 1`, t, device, name))
	if err != nil {
		return v, nil, fmt.Errorf("newest %s of %s: %w", cut(name, MaxNameBytes), cut(device, MaxNameBytes), dbError(err))
	}
	text, err := db.configText(ctx, t, v.Digest)
	return v, text, err
}

// ConfigText returns a text of a device by its name and digest, or ErrNotFound: also when only another device has it.
func (db *DB) ConfigText(ctx context.Context, t storage.Tenant, device, name, digest string) ([]byte, error) {
	var n int
	err := db.read.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM config_versions WHERE tenant = ? AND device = ? AND name = ? AND digest = ?)
		+ (SELECT count(*) FROM config_blessed WHERE tenant = ? AND device = ? AND name = ? AND digest = ?)`,
		t, device, name, digest, t, device, name, digest).Scan(&n)
	if err == nil && n == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", cut(name, MaxNameBytes), cut(device, MaxNameBytes), dbError(err))
	}
	return db.configText(ctx, t, digest)
}

func (db *DB) configText(ctx context.Context, t storage.Tenant, digest string) ([]byte, error) {
	var packed []byte
	if err := db.read.QueryRowContext(ctx, `SELECT packed FROM config_texts WHERE tenant = ? AND digest = ?`, t, digest).Scan(&packed); err != nil {
		return nil, fmt.Errorf("configuration text: %w", dbError(err))
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("configuration text: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, MaxConfigBytes+1))
	if err != nil || ConfigDigest(text) != digest {
		return nil, errors.Join(fmt.Errorf("configuration text %s is damaged", digest), err)
	}
	return text, nil
}

// Blessing says which text of a device is the right one.
type Blessing struct {
	Device, Name string
	Digest       string // of a version that is kept
	Text         []byte // or a text that a person brings; with neither, none is right any more
	Reason       string // for people; cut to half of MaxNoteBytes
}

// BlessConfig declares a text of a device right.
func (db *DB) BlessConfig(ctx context.Context, t storage.Tenant, who string, b Blessing) error {
	device, name, digest, text := b.Device, b.Name, b.Digest, b.Text
	if err := errors.Join(checkName("device", device), checkName("configuration", name)); err != nil {
		return err
	}
	return db.inTx(ctx, "bless "+name+" of "+device, func(tx *sql.Tx) error {
		what := fmt.Sprintf("configuration %s of %s: a version was declared right", name, device)
		switch {
		case len(text) > MaxConfigBytes:
			return fmt.Errorf("%d bytes, the limit is %d: %w", len(text), MaxConfigBytes, storage.ErrExhausted)
		case len(text) > 0:
			digest = ConfigDigest(text)
			if err := keepText(ctx, tx, t, digest, text); err != nil {
				return err
			}
			what = fmt.Sprintf("configuration %s of %s: a text of %d bytes was declared right", name, device, len(text))
		case digest == "":
			if err := mustChange(tx.ExecContext(ctx, `DELETE FROM config_blessed WHERE tenant = ? AND device = ? AND name = ?`, t, device, name)); err != nil {
				return err
			}
			what = fmt.Sprintf("configuration %s of %s: none is declared right any more", name, device)
		default:
			var n int
			err := tx.QueryRowContext(ctx, `SELECT count(*) FROM config_versions WHERE tenant = ? AND device = ? AND name = ? AND digest = ?`, t, device, name, digest).Scan(&n)
			if err != nil || n == 0 {
				return errors.Join(err, storage.ErrNotFound)
			}
		}
		if digest != "" {
			_, err := tx.ExecContext(ctx, `INSERT INTO config_blessed (tenant, device, name, digest, at, who) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (tenant, device, name) DO UPDATE SET digest = excluded.digest, at = excluded.at, who = excluded.who`, t, device, name, digest, db.now(), who)
			if err != nil {
				return err
			}
		}
		if err := dropTexts(ctx, tx, t); err != nil {
			return err
		}
		if b.Reason != "" {
			what += ": " + cut(b.Reason, MaxNoteBytes/2)
		}
		if digest != "" {
			what += ", " + digest
		}
		return db.noteDevice(ctx, tx, t, who, what)
	})
}

// Blessed is what was declared right of a text, and by whom.
type Blessed struct {
	Tenant               storage.Tenant
	Device, Name, Digest string
	At                   int64 // ns
	Who                  string
}

// ListBlessed returns what was declared right of the principal's tenants' devices, by device and name, which narrow it
// when they are not empty.
func (db *DB) ListBlessed(ctx context.Context, p storage.Principal, device, name string) ([]Blessed, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, fmt.Errorf("list blessed configurations: %w", err)
	}
	args = append(args, device, device, name, name, MaxListed)
	rows, err := db.read.QueryContext(ctx, `SELECT tenant, device, name, digest, at, who FROM config_blessed
		WHERE `+where+` AND (? = '' OR device = ?) AND (? = '' OR name = ?) ORDER BY tenant, device, name LIMIT ?`, args...)
	out, err := collect(rows, err, func(r *sql.Rows) (b Blessed, err error) {
		return b, r.Scan(&b.Tenant, &b.Device, &b.Name, &b.Digest, &b.At, &b.Who)
	})
	if err != nil {
		return nil, fmt.Errorf("list blessed configurations: %w", err)
	}
	return out, nil
}

// BlessedConfig returns the text that was declared right with its digest, or ErrNotFound.
func (db *DB) BlessedConfig(ctx context.Context, t storage.Tenant, device, name string) (digest string, text []byte, err error) {
	err = db.read.QueryRowContext(ctx, `SELECT digest FROM config_blessed WHERE tenant = ? AND device = ? AND name = ?`, t, device, name).Scan(&digest)
	if err != nil {
		return "", nil, fmt.Errorf("blessed %s of %s: %w", cut(name, MaxNameBytes), cut(device, MaxNameBytes), dbError(err))
	}
	text, err = db.configText(ctx, t, digest)
	return digest, text, err
}
