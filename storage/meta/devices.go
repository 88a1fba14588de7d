package meta

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vedette-siem/vedette/storage"
)

// Limits of what monitors are told to poll.
const (
	MaxDevicesPerTenant     = 20_000
	MaxCredentialsPerTenant = 1_000
	MaxDeviceBytes          = 64 << 10 // of one, as JSON
	MaxSealedBytes          = 64 << 10
	MaxDeviceChanges        = 10_000 // remembered for each tenant; the oldest is dropped
)

// Device is something outside that an organization's monitors poll.
type Device struct {
	Tenant  storage.Tenant `json:"-"`
	Name    string         `json:"-"`       // unique within the organization
	Address string         `json:"address"` // host name or IP address
	Private bool           `json:"private"` // may be a loopback, private or shared address
	HTTP    *DeviceHTTP    `json:"http,omitempty"`
	SNMP    *DeviceSNMP    `json:"snmp,omitempty"`
	SSH     *DeviceSSH     `json:"ssh,omitempty"`
	Updated int64          `json:"-"` // ns
	Who     string         `json:"-"`
}

// DeviceHTTP is how a device is asked over HTTP.
type DeviceHTTP struct {
	URL        string `json:"url"`                  // base URL; its host is usually the device's address
	Credential string `json:"credential,omitempty"` // name; "" for none
	CA         string `json:"ca,omitempty"`         // PEM: who may vouch for the device's certificate; "" for those that the system trusts
}

// DeviceSNMP is how a device is asked over SNMP.
type DeviceSNMP struct {
	Port       uint16 `json:"port,omitempty"` // 0: 161
	Credential string `json:"credential"`
}

// DeviceSSH is how commands are run on a device.
type DeviceSSH struct {
	Port       uint16   `json:"port,omitempty"` // 0: 22
	Credential string   `json:"credential"`
	HostKeys   []string `json:"host_keys,omitempty"` // in the form of authorized_keys; none was approved: nothing is run
}

func (d *Device) credentials() (list []string) {
	if d.HTTP != nil && d.HTTP.Credential != "" {
		list = append(list, d.HTTP.Credential)
	}
	if d.SNMP != nil && d.SNMP.Credential != "" {
		list = append(list, d.SNMP.Credential)
	}
	if d.SSH != nil && d.SSH.Credential != "" {
		list = append(list, d.SSH.Credential)
	}
	return list
}

// PutDevice adds or replaces a device of the tenant. ErrNotFound when it names a credential that is not there.
func (db *DB) PutDevice(ctx context.Context, t storage.Tenant, who string, d Device) error {
	if err := checkName("device", d.Name); err != nil {
		return err
	}
	spec, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("put device %s: %w", d.Name, err)
	}
	if len(spec) > MaxDeviceBytes {
		return fmt.Errorf("put device %s: %d bytes, the limit is %d: %w", d.Name, len(spec), MaxDeviceBytes, storage.ErrExhausted)
	}
	return db.inTx(ctx, "put device "+d.Name, func(tx *sql.Tx) error {
		err := room(ctx, tx, MaxDevicesPerTenant, "devices", `SELECT count(*) FROM devices WHERE tenant = ? AND name <> ?`, t, d.Name)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO devices (tenant, name, spec, updated, who) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (tenant, name) DO UPDATE SET spec = excluded.spec, updated = excluded.updated, who = excluded.who`,
			t, d.Name, spec, db.now(), who)
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM device_credentials WHERE tenant = ? AND device = ?`, t, d.Name)
		}
		if err != nil {
			return err
		}
		for _, c := range d.credentials() {
			if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO device_credentials (tenant, device, credential) VALUES (?, ?, ?)`, t, d.Name, c); err != nil {
				return fmt.Errorf("credential %s: %w", cut(c, MaxNameBytes), err)
			}
		}
		return db.noteDevice(ctx, tx, t, who, "device "+d.Name+" was set: "+d.Address+d.reach())
	})
}

// reach says in words how a device is asked.
func (d *Device) reach() string {
	var b strings.Builder
	if d.HTTP != nil {
		b.WriteString(", http at " + d.HTTP.URL)
	}
	if d.SNMP != nil {
		b.WriteString(", snmp with " + d.SNMP.Credential)
	}
	if d.SSH != nil {
		fmt.Fprintf(&b, ", ssh with %s and %d approved host keys", d.SSH.Credential, len(d.SSH.HostKeys))
	}
	return b.String()
}

// NoteDevice remembers a change of what polls devices, which stands in the log and not here, beside those of devices.
func (db *DB) NoteDevice(ctx context.Context, t storage.Tenant, who, what string) error {
	return db.inTx(ctx, "note a change of monitors", func(tx *sql.Tx) error { return db.noteDevice(ctx, tx, t, who, what) })
}

func (db *DB) noteDevice(ctx context.Context, tx *sql.Tx, t storage.Tenant, who, what string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO device_changes (tenant, at, who, what) VALUES (?, ?, ?, ?)`, t, db.now(), who, cut(what, MaxErrorBytes))
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM device_changes WHERE tenant = ? AND id <= (
			SELECT id FROM device_changes WHERE tenant = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`, t, t, MaxDeviceChanges)
	}
	return err
}

const deviceColumns = "tenant, name, spec, updated, who"

func scanDevice(r interface{ Scan(dest ...any) error }) (d Device, err error) {
	var spec []byte
	var tenant storage.Tenant
	var name, who string
	var updated int64
	if err := r.Scan(&tenant, &name, &spec, &updated, &who); err != nil {
		return d, err
	}
	if err := json.Unmarshal(spec, &d); err != nil {
		return d, fmt.Errorf("device %s: %w", name, err)
	}
	d.Tenant, d.Name, d.Updated, d.Who = tenant, name, updated, who
	return d, nil
}

// GetDevice returns one device of the tenant, or ErrNotFound.
func (db *DB) GetDevice(ctx context.Context, t storage.Tenant, name string) (Device, error) {
	d, err := scanDevice(db.read.QueryRowContext(ctx, `SELECT `+deviceColumns+` FROM devices WHERE tenant = ? AND name = ?`, t, name))
	if err != nil {
		return d, fmt.Errorf("device %s: %w", cut(name, MaxNameBytes), dbError(err))
	}
	return d, nil
}

// ListDevices returns the devices of the principal's tenants after the one named, by name, at most limit of each page.
func (db *DB) ListDevices(ctx context.Context, p storage.Principal, after string, limit int) ([]Device, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT `+deviceColumns+` FROM devices WHERE `+where+` AND name > ? ORDER BY name, tenant LIMIT ?`,
		append(args, after, listed(limit))...)
	out, err := collect(rows, err, func(r *sql.Rows) (Device, error) { return scanDevice(r) })
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	return out, nil
}

// RemoveDevice removes a device. What was pulled from it stays.
func (db *DB) RemoveDevice(ctx context.Context, t storage.Tenant, who, name string) error {
	return db.inTx(ctx, "remove device "+cut(name, MaxNameBytes), func(tx *sql.Tx) error {
		if err := mustChange(tx.ExecContext(ctx, `DELETE FROM devices WHERE tenant = ? AND name = ?`, t, name)); err != nil {
			return err
		}
		return db.noteDevice(ctx, tx, t, who, "device "+name+" was removed")
	})
}

// Credential describes what a device is asked with; the secret is sealed apart from it.
type Credential struct {
	Tenant  storage.Tenant
	Name    string
	Kind    string // of host/probe
	Login   string // user name, "" for none
	Updated int64  // ns
	Who     string
	Devices int // that use it
}

// PutCredential adds or replaces a credential; sealed is what only the host can read.
func (db *DB) PutCredential(ctx context.Context, t storage.Tenant, who string, c Credential, sealed []byte) error {
	if err := checkName("credential", c.Name); err != nil {
		return err
	}
	if len(sealed) == 0 || len(sealed) > MaxSealedBytes || len(c.Login) > MaxNameBytes {
		return fmt.Errorf("put credential %s: the secret has at most %d bytes: %w", c.Name, MaxSealedBytes, storage.ErrInvalid)
	}
	return db.inTx(ctx, "put credential "+c.Name, func(tx *sql.Tx) error {
		err := room(ctx, tx, MaxCredentialsPerTenant, "credentials", `SELECT count(*) FROM credentials WHERE tenant = ? AND name <> ?`, t, c.Name)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO credentials (tenant, name, kind, login, sealed, updated, who) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (tenant, name) DO UPDATE SET kind = excluded.kind, login = excluded.login, sealed = excluded.sealed, updated = excluded.updated, who = excluded.who`,
			t, c.Name, c.Kind, c.Login, sealed, db.now(), who)
		if err != nil {
			return err
		}
		return db.noteDevice(ctx, tx, t, who, "credential "+c.Name+" was set: "+c.Kind)
	})
}

// SealedCredential returns a credential with what only the host can read, or ErrNotFound.
func (db *DB) SealedCredential(ctx context.Context, t storage.Tenant, name string) (c Credential, sealed []byte, err error) {
	c = Credential{Tenant: t, Name: name}
	err = db.read.QueryRowContext(ctx, `SELECT kind, login, sealed, updated, who FROM credentials WHERE tenant = ? AND name = ?`, t, name).
		Scan(&c.Kind, &c.Login, &sealed, &c.Updated, &c.Who)
	if err != nil {
		return c, nil, fmt.Errorf("credential %s: %w", cut(name, MaxNameBytes), dbError(err))
	}
	return c, sealed, nil
}

// ListCredentials returns the credentials of the principal's tenants, without what is secret.
func (db *DB) ListCredentials(ctx context.Context, p storage.Principal) ([]Credential, error) {
	where, args, err := scope(p, "c.tenant")
	if err != nil {
		return nil, fmt.Errorf("list credentials: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT c.tenant, c.name, c.kind, c.login, c.updated, c.who,
		(SELECT count(*) FROM device_credentials d WHERE d.tenant = c.tenant AND d.credential = c.name)
		FROM credentials c WHERE `+where+` ORDER BY c.tenant, c.name`, args...)
	out, err := collect(rows, err, func(r *sql.Rows) (c Credential, err error) {
		return c, r.Scan(&c.Tenant, &c.Name, &c.Kind, &c.Login, &c.Updated, &c.Who, &c.Devices)
	})
	if err != nil {
		return nil, fmt.Errorf("list credentials: %w", err)
	}
	return out, nil
}

// RemoveCredential removes a credential; ErrConflict while a device uses it.
func (db *DB) RemoveCredential(ctx context.Context, t storage.Tenant, who, name string) error {
	return db.inTx(ctx, "remove credential "+cut(name, MaxNameBytes), func(tx *sql.Tx) error {
		var used int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM device_credentials WHERE tenant = ? AND credential = ?`, t, name).Scan(&used); err != nil {
			return err
		}
		if used > 0 {
			return fmt.Errorf("%d devices use it: %w", used, storage.ErrConflict)
		}
		if err := mustChange(tx.ExecContext(ctx, `DELETE FROM credentials WHERE tenant = ? AND name = ?`, t, name)); err != nil {
			return err
		}
		return db.noteDevice(ctx, tx, t, who, "credential "+name+" was removed")
	})
}

// DeviceChange is one change of devices and credentials.
type DeviceChange struct {
	Tenant storage.Tenant
	At     int64 // ns
	Who    string
	What   string
}

// DeviceChanges returns the newest changes of devices and credentials of the principal's tenants, newest first.
func (db *DB) DeviceChanges(ctx context.Context, p storage.Principal, limit int) ([]DeviceChange, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, fmt.Errorf("list device changes: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT tenant, at, who, what FROM device_changes WHERE `+where+` ORDER BY id DESC LIMIT ?`, append(args, listed(limit))...)
	out, err := collect(rows, err, func(r *sql.Rows) (c DeviceChange, err error) {
		return c, r.Scan(&c.Tenant, &c.At, &c.Who, &c.What)
	})
	if err != nil {
		return nil, fmt.Errorf("list device changes: %w", err)
	}
	return out, nil
}
