package replay

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Bundle is an export that was read.
type Bundle struct {
	Manifest
	records  []recorded        // by position
	listed   []Listed          // by what they are of and position
	contents map[string][]byte // of tables, by digest
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
	b := &Bundle{packages: map[registry.Digest]registry.Artifact{}, contents: map[string][]byte{}}
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
			b.records, err = readLines(files, b.records, MaxEvents)
		case strings.HasPrefix(h.Name, "lists/"):
			b.listed, err = readLines(files, b.listed, MaxListed)
		case strings.HasPrefix(h.Name, "tables/"):
			err = b.readTable(files, "sha256:"+strings.TrimPrefix(h.Name, "tables/"))
		case strings.HasPrefix(h.Name, "packages/"):
			err = b.readPackage(files, registry.Digest("sha256:"+strings.TrimSuffix(strings.TrimPrefix(h.Name, "packages/"), ".tar")))
		default:
			err = fmt.Errorf("a file that no export has: %w", storage.ErrInvalid)
		}
		if err != nil {
			return nil, fmt.Errorf("read export: %s: %w", clip(h.Name), err)
		}
	}
	if !whole || len(b.records) != b.Events || len(b.listed) != b.Listed {
		return nil, fmt.Errorf("read export: it ends early: %d of %d events, %d of %d values of lists: %w", len(b.records), b.Events, len(b.listed), b.Listed, storage.ErrInvalid)
	}
	return b, b.finish()
}

func (b *Bundle) readManifest(r io.Reader) error {
	d := json.NewDecoder(io.LimitReader(r, MaxManifestBytes))
	if err := d.Decode(&b.Manifest); err != nil {
		return fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	if b.Format < 1 || b.Format > format {
		return fmt.Errorf("format %d, this program reads 1 to %d: %w", b.Format, format, storage.ErrInvalid)
	}
	if len(b.Inner) > MaxInner || len(b.Tables) > MaxTables || len(b.Forgets) > MaxForgets {
		return fmt.Errorf("%d inner rules, %d tables and %d times that rules forgot: %w", len(b.Inner), len(b.Tables), len(b.Forgets), storage.ErrInvalid)
	}
	if b.Incident.ID == "" || b.Incident.Tenant == storage.NoTenant || b.Incident.Rule == "" {
		return fmt.Errorf("no incident: %w", storage.ErrInvalid)
	}
	return nil
}

// readLines appends the lines of a file to a list that may have a number of them.
func readLines[T any](r io.Reader, to []T, most int) ([]T, error) {
	lines := bufio.NewScanner(io.LimitReader(r, MaxPartBytes))
	lines.Buffer(nil, MaxPartBytes)
	for lines.Scan() {
		if len(to) >= most {
			return nil, fmt.Errorf("more than %d lines: %w", most, storage.ErrInvalid)
		}
		var x T
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			return nil, fmt.Errorf("%w: %w", err, storage.ErrInvalid)
		}
		to = append(to, x)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	return to, nil
}

func (b *Bundle) readTable(r io.Reader, digest string) error {
	if len(b.contents) >= MaxTables {
		return fmt.Errorf("more than %d tables: %w", MaxTables, storage.ErrInvalid)
	}
	text, err := io.ReadAll(io.LimitReader(r, meta.MaxTableContentBytes+1))
	if err != nil {
		return fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	b.contents[digest] = text
	return nil
}

// TableContent implements table.Source.
func (b *Bundle) TableContent(_ context.Context, _ storage.Tenant, digest string) ([]byte, error) {
	text, ok := b.contents[digest]
	if !ok {
		return nil, fmt.Errorf("table %.19s is not in the export: %w", digest, storage.ErrInvalid)
	}
	return text, nil
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
	slices.SortStableFunc(b.Parsers, func(x, y Reader) int { return cmp.Compare(x.Generation, y.Generation) })
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

// EventsAlone reports whether the incident follows from its events, without lists, tables, other rules or anything that a
// rule has learnt.
func (b *Bundle) EventsAlone() bool {
	return len(b.Inner) == 0 && len(b.Tables) == 0 && !b.Asks && !b.Learns
}

// List returns the records, by position.
func (b *Bundle) List() []Record {
	out := make([]Record, len(b.records))
	for i := range b.records {
		out[i] = b.records[i].Record
	}
	return out
}
