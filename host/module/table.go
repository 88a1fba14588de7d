package module

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	sdktable "github.com/vedette-siem/vedette/sdk/go/table"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// The control records of tables.
const (
	SetTable    ControlKind = "table"   // a table is there, or has another version
	RemoveTable ControlKind = "untable" // it is there no more
)

// Table is the version of a table that is in force: of one organization, or, in the layer that all share, for all that
// have none of their own by that name.
type Table struct {
	Name    string     `json:"name"`
	Digest  string     `json:"digest"` // of its content (host/table)
	Kind    index.Kind `json:"kind"`
	Columns []string   `json:"columns"`
	Rows    int        `json:"rows"`
	Bytes   int        `json:"bytes"` // of its content

	Seq uint64 `json:"seq,omitempty"` // of the control record that set it; in a record: of the version that it replaces, 0 for any
	At  int64  `json:"at,omitempty"`  // its log time, ns
	Who string `json:"who,omitempty"`
}

// Limits of tables.
const (
	MaxTables     = 64        // of one layer
	MaxTableBytes = 128 << 20 // of one layer
)

// Contents gives a table by the digest of its content, verified on every call (host/table). It may be called by many
// goroutines at once.
type Contents interface {
	Table(ctx context.Context, t storage.Tenant, digest string) (*index.Table, error)
}

// table sets or removes a table. Whether a module needs one that is removed is for Build to say.
func (r Running) table(seq uint64, at int64, c Control) (Running, error) {
	layer := r.Layer(c.Tenant).clone()
	layer.Tables = maps.Clone(layer.Tables)
	if c.Kind == RemoveTable {
		if _, there := layer.Tables[c.Name]; !there {
			return r, fmt.Errorf("remove table %s: there is no such table: %w", c.Name, storage.ErrNotFound)
		}
		delete(layer.Tables, c.Name)
		return r.with(seq, c.Tenant, layer), nil
	}
	if c.Table == nil || c.Table.Name != c.Name || !manifest.ValidName(c.Name) || c.Table.Digest == "" {
		return r, fmt.Errorf("table %q: it says neither which nor what: %w", c.Name, storage.ErrInvalid)
	}
	if old := layer.Tables[c.Name]; c.Table.Seq != 0 && c.Table.Seq != old.Seq {
		return r, fmt.Errorf("table %s: it was changed or removed meanwhile: %w", c.Name, storage.ErrConflict)
	}
	if err := layer.free(c.Name, "table"); err != nil {
		return r, err
	}
	v := *c.Table
	v.Seq, v.At, v.Who = seq, at, c.Who
	if layer.Tables == nil {
		layer.Tables = map[string]Table{}
	}
	layer.Tables[c.Name] = v
	bytes := 0
	for _, t := range layer.Tables {
		bytes += t.Bytes
	}
	if len(layer.Tables) > MaxTables || bytes > MaxTableBytes {
		return r, fmt.Errorf("table %s: at most %d tables of %d bytes together are allowed: %w", c.Name, MaxTables, MaxTableBytes, storage.ErrExhausted)
	}
	return r.with(seq, c.Tenant, layer), nil
}

// Digests adds the digests of the layer's tables and indicators to a set.
func (l Layer) Digests(set map[string]bool) {
	for _, t := range l.Tables {
		set[t.Digest] = true
	}
	for _, x := range l.Indicators {
		set[x.Digest] = true
	}
}

// With makes the library read the content of tables from c. It is called before anything is loaded.
func (l *Library) With(c Contents) *Library {
	l.contents = c
	return l
}

// Table returns the table of a version, from memory when it is there: versions with the same content share it.
func (l *Library) Table(ctx context.Context, t storage.Tenant, v Table) (*index.Table, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if x, ok := l.tables[v.Digest]; ok {
		return x, nil
	}
	if l.contents == nil {
		return nil, fmt.Errorf("load table %s: tables are not kept here: %w", v.Name, storage.ErrUnavailable)
	}
	x, err := l.contents.Table(ctx, t, v.Digest)
	if err != nil {
		return nil, fmt.Errorf("load table %s: %w", v.Name, err)
	}
	l.tables[v.Digest], l.fresh[v.Digest] = x, true
	return x, nil
}

// held is a table of a layer that is loaded.
type held struct {
	digest string
	index  *index.Table
}

// loadTables loads the tables of a layer.
func loadTables(ctx context.Context, lib Loader, t storage.Tenant, l Layer) (map[string]held, error) {
	if len(l.Tables) == 0 {
		return nil, nil
	}
	out := make(map[string]held, len(l.Tables))
	for name, v := range l.Tables {
		x, err := lib.Table(ctx, t, v)
		if err != nil {
			return nil, err
		}
		out[name] = held{v.Digest, x}
	}
	return out, nil
}

// Table returns a table as the tenant sees it: its own, else the shared one; nil when there is none.
func (v *View) Table(name string) *index.Table {
	if v.own != nil {
		if t, ok := v.own.tables[name]; ok {
			return t.index
		}
	}
	return v.shared.tables[name].index
}

// Readers returns which modules look into each table: those of the tenant's own layer, or, for own false, those that all
// share and the tenant runs.
func (v *View) Readers(own bool) map[string][]string {
	l := v.shared
	if own {
		l = v.own
	}
	if l == nil {
		return nil
	}
	out := map[string][]string{}
	for _, m := range l.modules {
		if !own && v.skip[m.Name()] {
			continue
		}
		for _, name := range m.Manifest.Tables() {
			out[name] = append(out[name], m.Name())
		}
	}
	return out
}

// checkTables refuses a view in which a module lacks a table that it was granted.
func (v *View) checkTables(of storage.Tenant) error {
	lacks := func(m *Loaded) error {
		for _, name := range m.Manifest.Tables() {
			if v.Table(name) == nil {
				return fmt.Errorf("%s uses the table %q, which organization %s does not have (vedette table put %s): %w", m.Name(), name, of, name, storage.ErrInvalid)
			}
		}
		return nil
	}
	for _, m := range v.shared.modules {
		if v.skip[m.Name()] {
			continue
		}
		if err := lacks(m); err != nil {
			return err
		}
	}
	if v.own == nil {
		return nil
	}
	for _, m := range v.own.modules {
		if err := lacks(m); err != nil {
			return err
		}
	}
	return nil
}

// tablesOf returns the tables that an install was granted, by name.
func tablesOf(grants []string) (names []string) {
	for _, g := range grants {
		if id, name, ok := strings.Cut(g, ":"); ok && (id == sdktable.ImportSet || id == sdktable.ImportLookup) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
