package replay

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/storage"
)

// Bundle is an export that was read.
type Bundle struct {
	Manifest
	records  []recorded // by position
	packages map[registry.Digest]registry.Artifact
}

// recorded is an event as it was stored, and how its record was read.
type recorded struct {
	Record
	event storage.Event
}

// Read reads an export. It checks sizes, form and packages; the error wraps storage.ErrInvalid, or registry.ErrInvalid
// or ErrCorrupt for a package.
func Read(r io.Reader) (*Bundle, error) {
	b := &Bundle{packages: map[registry.Digest]registry.Artifact{}}
	files := tar.NewReader(io.LimitReader(r, MaxExportBytes))
	whole := false
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read export: it is no tar, or cut short: %w: %w", err, storage.ErrInvalid)
		}
		switch {
		case h.Name == "manifest.json":
			err, whole = b.readManifest(files), true
		case strings.HasPrefix(h.Name, "records/"):
			err = b.readRecords(files)
		case strings.HasPrefix(h.Name, "packages/"):
			err = b.readPackage(files, registry.Digest("sha256:"+strings.TrimSuffix(strings.TrimPrefix(h.Name, "packages/"), ".tar")))
		default:
			err = fmt.Errorf("a file that no export has: %w", storage.ErrInvalid)
		}
		if err != nil {
			return nil, fmt.Errorf("read export: %s: %w", clip(h.Name), err)
		}
	}
	if !whole || len(b.records) != b.Events {
		return nil, fmt.Errorf("read export: it ends early: %d of %d events: %w", len(b.records), b.Events, storage.ErrInvalid)
	}
	return b, b.finish()
}

func (b *Bundle) readManifest(r io.Reader) error {
	d := json.NewDecoder(io.LimitReader(r, MaxManifestBytes))
	if err := d.Decode(&b.Manifest); err != nil {
		return fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	if b.Format != format {
		return fmt.Errorf("format %d, this program reads %d: %w", b.Format, format, storage.ErrInvalid)
	}
	if b.Incident.ID == "" || b.Incident.Tenant == storage.NoTenant || b.Incident.Rule == "" {
		return fmt.Errorf("no incident: %w", storage.ErrInvalid)
	}
	return nil
}

func (b *Bundle) readRecords(r io.Reader) error {
	lines := bufio.NewScanner(io.LimitReader(r, MaxPartBytes))
	lines.Buffer(nil, MaxPartBytes)
	for lines.Scan() {
		if len(b.records) >= MaxEvents {
			return fmt.Errorf("more than %d events: %w", MaxEvents, storage.ErrInvalid)
		}
		var x recorded
		if err := json.Unmarshal(lines.Bytes(), &x.Record); err != nil {
			return fmt.Errorf("%w: %w", err, storage.ErrInvalid)
		}
		b.records = append(b.records, x)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	return nil
}

func (b *Bundle) readPackage(r io.Reader, named registry.Digest) error {
	if len(b.packages) >= MaxPackages {
		return fmt.Errorf("more than %d packages: %w", MaxPackages, storage.ErrInvalid)
	}
	data, err := io.ReadAll(io.LimitReader(r, layout.MaxArchiveBytes+1))
	if err != nil {
		return fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	pkg, err := layout.Import(bytes.NewReader(data))
	if err != nil {
		return err
	}
	b.packages[named] = pkg
	return nil
}

// finish makes events of the records and orders them.
func (b *Bundle) finish() error {
	for i := range b.records {
		var err error
		if b.records[i].event, err = b.records[i].Event(b.Incident.Tenant); err != nil {
			return fmt.Errorf("read export: %w", err)
		}
	}
	slices.SortFunc(b.records, func(x, y recorded) int { return compareIDs(x.event.ID, y.event.ID) })
	for i := 1; i < len(b.records); i++ {
		if b.records[i].event.ID == b.records[i-1].event.ID {
			return fmt.Errorf("read export: event %s twice: %w", b.records[i].ID, storage.ErrInvalid)
		}
	}
	return nil
}

func compareIDs(a, b storage.EventID) int {
	if a.Less(b) {
		return -1
	}
	if b.Less(a) {
		return 1
	}
	return 0
}

// List returns the records, by position.
func (b *Bundle) List() []Record {
	out := make([]Record, len(b.records))
	for i := range b.records {
		out[i] = b.records[i].Record
	}
	return out
}
