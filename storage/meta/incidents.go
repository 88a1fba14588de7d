package meta

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/storage"
)

// IncidentQuery selects incidents. Empty fields select all; the conditions hold together.
type IncidentQuery struct {
	States     []storage.State
	Severities []storage.Severity
	Rule       string // rule id
	Text       string // found in title, rule name, or the value of a key or an entity, whatever the case; at most MaxSearchBytes
	Limit      int    // 0: DefaultListed; at most MaxListed
	Cursor     string // Next of the answer before; "" for the first
}

// IncidentPage is one answer to a query, newest first: by the log time at which they opened, then by id.
type IncidentPage struct {
	Incidents []storage.Incident
	Next      string // "" when these were the last
}

const incidentColumns = `i.id, i.tenant, i.rule, i.rule_name, i.rule_version, i.key, i.title, i.severity, i.state, i.verdict,
	i.assignee, i.count, i.first_seen, i.last_seen, i.opened_at, i.updated_at, i.techniques, i.evidence, i.conditions, i.applied,
	i.entities, i.rule_digest, i.merged_into, i.watermark, i.approximate, i.lists`

func scanIncident(scan func(...any) error, more ...any) (storage.Incident, error) {
	var in storage.Incident
	var t incidentText
	err := scan(append([]any{
		&in.ID, &in.Tenant, &in.Rule, &in.RuleName, &in.RuleVersion, &t.key, &in.Title, &in.Severity, &in.State,
		&in.Verdict, &in.Assignee, &in.Count, &in.FirstSeen, &in.LastSeen, &in.OpenedAt, &in.UpdatedAt, &t.techniques, &t.evidence,
		&t.conditions, &in.Applied, &t.entities, &in.RuleDigest, &in.MergedInto, &in.Watermark, &in.Approximate, &t.lists,
	}, more...)...)
	if err != nil {
		return in, dbError(err)
	}
	return in, t.decode(&in)
}

// ListIncidents returns the page of the principal's incidents that q selects.
func (db *DB) ListIncidents(ctx context.Context, p storage.Principal, q IncidentQuery) (IncidentPage, error) {
	where, args, err := q.condition(p)
	if err != nil {
		return IncidentPage{}, fmt.Errorf("list incidents: %w", err)
	}
	limit := listed(q.Limit)
	rows, err := db.read.QueryContext(ctx, `SELECT `+incidentColumns+` FROM incidents i WHERE `+where+
		` ORDER BY i.opened_at DESC, i.id DESC LIMIT ?`, append(args, limit+1)...)
	list, err := collect(rows, err, func(r *sql.Rows) (storage.Incident, error) { return scanIncident(r.Scan) })
	if err != nil {
		return IncidentPage{}, fmt.Errorf("list incidents: %w", err)
	}
	page := IncidentPage{Incidents: list}
	if len(list) > limit {
		page.Incidents = list[:limit]
		last := &list[limit-1]
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(last.OpenedAt, 10) + "," + last.ID))
	}
	return page, nil
}

// condition returns what the query asks for inside what the principal may see.
func (q *IncidentQuery) condition(p storage.Principal) (string, []any, error) {
	column := "i.tenant"
	if len(p.Tenants) != 1 {
		// Who sees several sees all: read newest first and stop at the limit, instead of sorting every tenant's. The
		// plus keeps the planner from the index by tenant.
		column = "+i.tenant"
	}
	where, args, err := scope(p, column)
	if err != nil {
		return "", nil, err
	}
	if len(q.Text) > MaxSearchBytes || len(q.Rule) > MaxNameBytes || len(q.States) > 8 || len(q.Severities) > 8 {
		return "", nil, fmt.Errorf("text of %d bytes, %d states, %d severities: %w", len(q.Text), len(q.States), len(q.Severities), storage.ErrInvalid)
	}
	parts := []string{where}
	add := func(cond string, more ...any) {
		parts = append(parts, cond)
		args = append(args, more...)
	}
	if n := len(q.States); n > 0 {
		add("i.state IN (" + marks(n) + ")")
		for _, s := range q.States {
			args = append(args, s)
		}
	}
	if n := len(q.Severities); n > 0 {
		add("i.severity IN (" + marks(n) + ")")
		for _, s := range q.Severities {
			args = append(args, s)
		}
	}
	if q.Rule != "" {
		add("i.rule = ?", q.Rule)
	}
	if q.Text != "" {
		add(`i.search LIKE ? ESCAPE '\'`, "%"+likeEscaper.Replace(strings.ToLower(q.Text))+"%")
	}
	if q.Cursor != "" {
		at, id, err := parseIncidentCursor(q.Cursor)
		if err != nil {
			return "", nil, err
		}
		add("(i.opened_at, i.id) < (?, ?)", at, id)
	}
	return strings.Join(parts, " AND "), args, nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func marks(n int) string { return strings.Repeat(", ?", n)[2:] }

func parseIncidentCursor(s string) (int64, string, error) {
	b, err := base64.RawURLEncoding.DecodeString(cut(s, 256))
	at, id, ok := strings.Cut(string(b), ",")
	n, numErr := strconv.ParseInt(at, 10, 64)
	if err != nil || !ok || numErr != nil {
		return 0, "", fmt.Errorf("page cursor %q: %w", cut(s, 64), storage.ErrInvalid)
	}
	return n, id, nil
}

// GetIncident returns one incident. ErrNotFound if there is none of that id among the principal's.
func (db *DB) GetIncident(ctx context.Context, p storage.Principal, id string) (storage.Incident, error) {
	where, args, err := scope(p, "i.tenant")
	if err != nil {
		return storage.Incident{}, fmt.Errorf("get incident: %w", err)
	}
	in, err := scanIncident(db.read.QueryRowContext(ctx, `SELECT `+incidentColumns+` FROM incidents i WHERE i.id = ? AND `+where,
		append([]any{id}, args...)...).Scan)
	if errors.Is(err, storage.ErrNotFound) {
		return storage.Incident{}, fmt.Errorf("there is no incident %s in your organizations: %w", cut(id, MaxNameBytes), err)
	}
	if err != nil {
		return storage.Incident{}, fmt.Errorf("get incident %s: %w", cut(id, MaxNameBytes), err)
	}
	return in, nil
}

// History returns what happened to one of the principal's incidents, oldest first, at most MaxListed newest entries.
// ErrNotFound if there is no such incident among the principal's.
func (db *DB) History(ctx context.Context, p storage.Principal, id string) ([]storage.HistoryEntry, error) {
	where, args, err := scope(p, "i.tenant")
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT h.incident, h.seq, h.at, h.who, h.what, h.detail FROM (
		SELECT h.* FROM incident_history h JOIN incidents i ON i.id = h.incident WHERE h.incident = ? AND `+where+`
		ORDER BY h.seq DESC, h.what LIMIT ?) h ORDER BY h.seq, h.what`, append(append([]any{id}, args...), MaxListed)...)
	list, err := collect(rows, err, func(r *sql.Rows) (h storage.HistoryEntry, err error) {
		return h, r.Scan(&h.Incident, &h.Seq, &h.At, &h.Who, &h.What, &h.Detail)
	})
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", cut(id, MaxNameBytes), err)
	}
	if len(list) == 0 { // an incident always has its opening
		return nil, fmt.Errorf("history of %s: %w", cut(id, MaxNameBytes), storage.ErrNotFound)
	}
	return list, nil
}

// Count is how many incidents are in a state at a severity.
type Count struct {
	State    storage.State
	Severity storage.Severity
	N        uint64
}

// CountIncidents returns the counts of the principal's incidents that are not 0, by state and severity.
func (db *DB) CountIncidents(ctx context.Context, p storage.Principal) ([]Count, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, fmt.Errorf("count incidents: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT state, severity, count(*) FROM incidents WHERE `+where+` GROUP BY state, severity ORDER BY state, severity`, args...)
	list, err := collect(rows, err, func(r *sql.Rows) (c Count, err error) { return c, r.Scan(&c.State, &c.Severity, &c.N) })
	if err != nil {
		return nil, fmt.Errorf("count incidents: %w", err)
	}
	return list, nil
}
