package meta

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/vedette-siem/vedette/storage"
)

// entityWriter keeps the rows of incident_entities equal to the incidents' entities, within one transaction.
type entityWriter struct {
	before, have, drop, add *sql.Stmt
}

func newEntityWriter(ctx context.Context, tx *sql.Tx) (*entityWriter, error) {
	w := &entityWriter{}
	for _, s := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&w.before, `SELECT entities FROM incidents WHERE id = ?`},
		{&w.have, `SELECT kind, value FROM incident_entities WHERE incident = ?`},
		{&w.drop, `DELETE FROM incident_entities WHERE tenant = ? AND kind = ? AND value = ? AND opened_at = ? AND incident = ?`},
		{&w.add, `INSERT INTO incident_entities (tenant, kind, value, opened_at, incident) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`},
	} {
		var err error
		if *s.to, err = tx.PrepareContext(ctx, s.text); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

func (w *entityWriter) close() error {
	var errs []error
	for _, s := range []*sql.Stmt{w.before, w.have, w.drop, w.add} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// was returns the entities column of an incident as it is; "" when there is no such incident yet. Mostly they do not
// change, and then there is nothing to put.
func (w *entityWriter) was(ctx context.Context, id string) (text string, err error) {
	if err = w.before.QueryRowContext(ctx, id).Scan(&text); errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return text, err
}

// put writes what differs from what is there.
func (w *entityWriter) put(ctx context.Context, in *storage.Incident) error {
	type row struct{ kind, value string }
	rows, err := w.have.QueryContext(ctx, in.ID)
	old, err := collect(rows, err, func(r *sql.Rows) (x row, err error) { return x, r.Scan(&x.kind, &x.value) })
	if err != nil {
		return err
	}
	for _, e := range in.Entities {
		x := row{string(e.Kind), e.Value}
		if i := slices.Index(old, x); i >= 0 {
			old = slices.Delete(old, i, i+1)
			continue
		}
		if _, err := w.add.ExecContext(ctx, in.Tenant, x.kind, x.value, in.OpenedAt, in.ID); err != nil {
			return err
		}
	}
	for _, x := range old {
		if _, err := w.drop.ExecContext(ctx, in.Tenant, x.kind, x.value, in.OpenedAt, in.ID); err != nil {
			return err
		}
	}
	return nil
}

// Related is an incident with the entities that it shares with another.
type Related struct {
	Incident storage.Incident
	Shared   []storage.Entity
}

// RelatedIncidents returns incidents of the same organization that share entities with one of the principal's: those
// that share most first, then those of the same rule, then the one opened last. Processes relate nothing, since sshd runs
// everywhere; an entity that more than MaxRelatedPerEntity incidents have, such as a busy firewall, does not count, so
// that what shares nothing else comes last, and of it only as many of the newest are looked at. about asks for one
// entity instead, of any kind, which need not be among the incident's. limit 0 is DefaultRelated, at most MaxRelated.
// ErrNotFound if there is no such incident among the principal's.
func (db *DB) RelatedIncidents(ctx context.Context, p storage.Principal, id string, about *storage.Entity, limit int) ([]Related, error) {
	in, err := db.GetIncident(ctx, p, id)
	if err != nil {
		return nil, err
	}
	var entities []storage.Entity
	switch {
	case about == nil:
		for _, e := range in.Entities {
			if e.Kind != storage.ProcessEntity {
				entities = append(entities, e)
			}
		}
	case about.Value == "" || len(about.Value) > storage.MaxEntityBytes:
		return nil, fmt.Errorf("related incidents: entity of %d bytes: %w", len(about.Value), storage.ErrInvalid)
	default:
		entities = []storage.Entity{*about}
	}
	found := map[string]*sharing{}
	for _, e := range entities {
		if err := db.share(ctx, &in, e, found); err != nil {
			return nil, fmt.Errorf("incidents related to %s: %w", cut(id, MaxNameBytes), err)
		}
	}
	if limit <= 0 {
		limit = DefaultRelated
	}
	list, err := db.rank(ctx, &in, found, min(limit, MaxRelated))
	if err != nil {
		return nil, fmt.Errorf("incidents related to %s: %w", cut(id, MaxNameBytes), err)
	}
	return list, nil
}

// The statements of RelatedIncidents. The pluses keep the planner from reading all incidents of the tenant for each id.
const (
	relatedIDs = `SELECT incident FROM incident_entities WHERE tenant = ? AND kind = ? AND value = ?
		ORDER BY opened_at DESC, incident LIMIT ?`
	relatedCandidates = `SELECT i.id, i.rule, i.opened_at FROM json_each(?) o CROSS JOIN incidents i ON i.id = o.value AND +i.tenant = ?`
	relatedIncidents  = `SELECT ` + incidentColumns + ` FROM json_each(?) o CROSS JOIN incidents i ON i.id = o.value AND +i.tenant = ?
		ORDER BY o.key`
)

// sharing is what an incident shares with the one that is looked at.
type sharing struct {
	entities []storage.Entity
	telling  int // of them, those that few incidents have
}

// share adds the other incidents that have an entity.
func (db *DB) share(ctx context.Context, in *storage.Incident, e storage.Entity, found map[string]*sharing) error {
	rows, err := db.read.QueryContext(ctx, relatedIDs, in.Tenant, string(e.Kind), e.Value, MaxRelatedPerEntity+1)
	ids, err := collect(rows, err, func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) })
	if err != nil {
		return err
	}
	telling := 1
	if len(ids) > MaxRelatedPerEntity {
		telling, ids = 0, ids[:MaxRelatedPerEntity]
	}
	for _, id := range ids {
		if id == in.ID {
			continue
		}
		if found[id] == nil {
			found[id] = &sharing{}
		}
		found[id].entities = append(found[id].entities, e)
		found[id].telling += telling
	}
	return nil
}

// rank reads the best of the incidents that share entities with in.
func (db *DB) rank(ctx context.Context, in *storage.Incident, shared map[string]*sharing, limit int) ([]Related, error) {
	ids := slices.Collect(maps.Keys(shared))
	rows, err := db.read.QueryContext(ctx, relatedCandidates, jsonList(ids), in.Tenant)
	type candidate struct {
		id, rule string
		opened   int64
	}
	found, err := collect(rows, err, func(r *sql.Rows) (c candidate, err error) { return c, r.Scan(&c.id, &c.rule, &c.opened) })
	if err != nil {
		return nil, err
	}
	same := func(c candidate) int {
		if c.rule == in.Rule {
			return 1
		}
		return 0
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(shared[b.id].telling-shared[a.id].telling, same(b)-same(a), cmp.Compare(b.opened, a.opened), cmp.Compare(a.id, b.id))
	})
	found = found[:min(len(found), limit)]
	ids = ids[:0]
	for _, c := range found {
		ids = append(ids, c.id)
	}
	rows, err = db.read.QueryContext(ctx, relatedIncidents, jsonList(ids), in.Tenant)
	list, err := collect(rows, err, func(r *sql.Rows) (storage.Incident, error) { return scanIncident(r.Scan) })
	out := make([]Related, len(list))
	for i := range list {
		out[i] = Related{list[i], shared[list[i].ID].entities}
	}
	return out, err
}

// Episodes returns the incidents of one rule and key of the principal's that were seen at or after from and first seen at
// or before to (event time, ns), the one seen first first, at most MaxListed.
func (db *DB) Episodes(ctx context.Context, p storage.Principal, of storage.Incident, from, to int64) ([]storage.Incident, error) {
	where, args, err := scope(p, "i.tenant")
	if err != nil {
		return nil, fmt.Errorf("episodes of %s: %w", of.ID, err)
	}
	var text incidentText
	if err := text.encode(&of); err != nil {
		return nil, err
	}
	rows, err := db.read.QueryContext(ctx, `SELECT `+incidentColumns+` FROM incidents i WHERE i.tenant = ? AND i.rule = ? AND i.last_seen >= ? AND i.first_seen <= ? AND i.key = ?
		AND `+where+` ORDER BY i.first_seen, i.id LIMIT ?`, append(append([]any{of.Tenant, of.Rule, from, to, text.key}, args...), MaxListed)...)
	list, err := collect(rows, err, func(r *sql.Rows) (storage.Incident, error) { return scanIncident(r.Scan) })
	if err != nil {
		return nil, fmt.Errorf("episodes of %s: %w", of.ID, err)
	}
	return list, nil
}
