package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/vedette-siem/vedette/storage"
)

// Batch is everything that a stretch of the log changes in the database. Apply owns none of it after returning and
// changes none of it.
type Batch struct {
	Incidents  []storage.Incident // absolute values; at most one per id
	Patches    []Patch            // changes by people of incidents that nobody holds in memory any more, in log order
	History    []storage.HistoryEntry
	Notices    []Notice
	Quarantine []QuarantineEntry
	Fires      []RuleFires
	Gaps       []Gap
	Controls   []Control // in log order
	Listed     []Listed  // in log order
	Removals   []Removal // applied last
}

// Patch changes what people may change of a stored incident, if it belongs to Tenant, is in one of the states From
// and was last changed before Entry.Seq; else it does nothing. Entry is added to the history with it.
type Patch struct {
	Tenant   storage.Tenant
	From     []storage.State  // empty: any
	State    storage.State    // "": as it is
	Verdict  storage.Verdict  // set whenever State is
	Severity storage.Severity // 0: as it is
	Assign   bool             // whether Assignee is set
	Assignee string
	// Merged into this one, which has to exist in Tenant and not be merged itself; it gets an entry too. Set whenever
	// State is.
	Into  string
	Entry storage.HistoryEntry
}

// Notice is something to tell the outside. It becomes one outbox row for each webhook that the tenant has enabled
// when it is applied.
type Notice struct {
	Tenant  storage.Tenant
	Key     string // idempotency key, the same on every replay
	Kind    string // "opened", "severity"
	At      int64  // log time, ns
	Payload []byte // JSON
}

// QuarantineEntry is a record that made a module fail, kept with its bytes.
type QuarantineEntry struct {
	Tenant   storage.Tenant
	Position storage.EventID
	Module   string // module name
	Digest   string // of the artifact
	Code     string // stable error code
	Detail   string // cut to MaxQuarantineDetailBytes
	Raw      []byte // cut to MaxQuarantineRawBytes
	At       int64  // log time, ns
}

const appliedPosition = "applied"

// AppliedSeq returns the log position up to which everything has been applied; 0 before the first Apply. One beyond
// the end of the log means that the database belongs to another log, whose records Apply would take for replays: the
// caller refuses to start.
func (db *DB) AppliedSeq(ctx context.Context) (uint64, error) {
	seq, err := position(ctx, db.read, appliedPosition)
	if err != nil {
		return 0, fmt.Errorf("read applied position: %w", err)
	}
	return seq, nil
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func position(ctx context.Context, q queryer, name string) (uint64, error) {
	var seq int64
	err := q.QueryRowContext(ctx, `SELECT seq FROM positions WHERE name = ?`, name).Scan(&seq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, dbError(err)
	}
	return uint64(seq), nil
}

func setPosition(ctx context.Context, tx *sql.Tx, name string, seq uint64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO positions (name, seq) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET seq = excluded.seq`, name, int64(seq))
	return err
}

// Apply writes what the log changed up to and including seq in one transaction, and seq with it. Replaying is safe:
// a seq that is applied already changes nothing, and of a batch that overlaps what is applied only the newer part
// takes effect. When it returns nil the batch is on disk. Errors leave the database as it was.
func (db *DB) Apply(ctx context.Context, seq uint64, b Batch) error {
	what := fmt.Sprintf("apply log up to %d", seq)
	if err := b.check(seq); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return db.inTx(ctx, what, func(tx *sql.Tx) error {
		applied, err := position(ctx, tx, appliedPosition)
		if err != nil || seq <= applied {
			return err
		}
		changed, err := putIncidents(ctx, tx, b.Incidents)
		if err != nil {
			return err
		}
		if changed, err = putPatches(ctx, tx, b.Patches, changed); err != nil {
			return err
		}
		if err := putHistory(ctx, tx, b.History); err != nil {
			return err
		}
		if err := putChanges(ctx, tx, "incident", changed); err != nil {
			return err
		}
		if err := putNotices(ctx, tx, b.Notices); err != nil {
			return err
		}
		// Entries at or below the applied position were written, and perhaps dropped for room, by an earlier run.
		if err := putQuarantine(ctx, tx, applied, b.Quarantine); err != nil {
			return err
		}
		if err := putFires(ctx, tx, applied, b.Fires); err != nil {
			return err
		}
		if err := putGaps(ctx, tx, applied, b.Gaps); err != nil {
			return err
		}
		if err := putControls(ctx, tx, applied, b.Controls); err != nil {
			return err
		}
		if err := putListed(ctx, tx, applied, b.Listed); err != nil {
			return err
		}
		if err := forgetTenants(ctx, tx, b.Removals); err != nil {
			return err
		}
		return setPosition(ctx, tx, appliedPosition, seq)
	})
}

// check refuses a batch that the database could not hold or that claims to be newer than its position.
func (b *Batch) check(seq uint64) error {
	if seq == 0 || seq > math.MaxInt64 {
		return fmt.Errorf("position %d: want 1 to %d: %w", seq, int64(math.MaxInt64), storage.ErrInvalid)
	}
	for i := range b.Incidents {
		in := &b.Incidents[i]
		if in.ID == "" || in.Tenant == storage.NoTenant || in.Applied == 0 || in.Applied > seq || in.Count > math.MaxInt64 {
			return fmt.Errorf("incident %q of tenant %d at %d: %w", in.ID, in.Tenant, in.Applied, storage.ErrInvalid)
		}
	}
	for _, h := range b.History {
		if h.Seq == 0 || h.Seq > seq {
			return fmt.Errorf("history of %s at %d: %w", h.Incident, h.Seq, storage.ErrInvalid)
		}
	}
	for _, p := range b.Patches {
		if p.Tenant == storage.NoTenant || p.Entry.Seq == 0 || p.Entry.Seq > seq {
			return fmt.Errorf("patch of %s at %d: %w", p.Entry.Incident, p.Entry.Seq, storage.ErrInvalid)
		}
	}
	for _, n := range b.Notices {
		if n.Tenant == storage.NoTenant || n.Key == "" || len(n.Payload) > MaxPayloadBytes {
			return fmt.Errorf("notice %q of tenant %d, %d bytes: %w", n.Key, n.Tenant, len(n.Payload), storage.ErrInvalid)
		}
	}
	for _, q := range b.Quarantine {
		if q.Tenant == storage.NoTenant || q.Position.Seq == 0 || q.Position.Seq > seq {
			return fmt.Errorf("quarantine of %s: %w", q.Position, storage.ErrInvalid)
		}
	}
	for _, f := range b.Fires {
		if f.Tenant == storage.NoTenant || f.Rule == "" || f.Seq == 0 || f.Seq > seq {
			return fmt.Errorf("firings of rule %q at %d: %w", f.Rule, f.Seq, storage.ErrInvalid)
		}
	}
	for i := range b.Controls {
		if c := &b.Controls[i]; c.Kind == "" || c.Seq == 0 || c.Seq > seq {
			return fmt.Errorf("control record %q at %d: %w", c.Kind, c.Seq, storage.ErrInvalid)
		}
	}
	for i := range b.Listed {
		if l := &b.Listed[i]; l.List == "" || l.Seq == 0 || l.Seq > seq || l.Value == "" && !l.Gone {
			return fmt.Errorf("value of list %q at %d: %w", l.List, l.Seq, storage.ErrInvalid)
		}
	}
	for _, g := range b.Gaps {
		if g.Seq == 0 || g.Seq > seq {
			return fmt.Errorf("gap of %q at %d: %w", g.Subject, g.Seq, storage.ErrInvalid)
		}
	}
	return nil
}

// changedIncident names an incident whose row a batch changed.
type changedIncident struct {
	tenant storage.Tenant
	id     string
}

const upsertIncident = `INSERT INTO incidents (id, tenant, rule, rule_name, rule_version, key, title, search, severity, state,
	verdict, assignee, count, first_seen, last_seen, opened_at, updated_at, techniques, evidence, conditions, applied,
	entities, rule_digest, merged_into, watermark, approximate, lists)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (id) DO UPDATE SET rule_name = excluded.rule_name, rule_version = excluded.rule_version, title = excluded.title,
	search = excluded.search, severity = excluded.severity, state = excluded.state, verdict = excluded.verdict,
	assignee = excluded.assignee, count = excluded.count, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
	updated_at = excluded.updated_at, techniques = excluded.techniques, evidence = excluded.evidence,
	conditions = excluded.conditions, applied = excluded.applied, entities = excluded.entities,
	rule_digest = excluded.rule_digest, merged_into = excluded.merged_into, watermark = excluded.watermark,
	approximate = excluded.approximate, lists = excluded.lists
	WHERE incidents.applied < excluded.applied AND incidents.tenant = excluded.tenant`

func putIncidents(ctx context.Context, tx *sql.Tx, list []storage.Incident) ([]changedIncident, error) {
	if len(list) == 0 {
		return nil, nil
	}
	put, err := tx.PrepareContext(ctx, upsertIncident)
	if err != nil {
		return nil, err
	}
	defer put.Close()
	about, err := newEntityWriter(ctx, tx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = about.close() }() // the transaction ends them in any case
	var changed []changedIncident
	var text incidentText
	for i := range list {
		in := &list[i]
		if err := text.encode(in); err != nil {
			return nil, fmt.Errorf("incident %s: %w", in.ID, err)
		}
		was, err := about.was(ctx, in.ID)
		if err != nil {
			return nil, fmt.Errorf("incident %s: %w", in.ID, dbError(err))
		}
		r, err := put.ExecContext(ctx, in.ID, in.Tenant, in.Rule, in.RuleName, in.RuleVersion, text.key, in.Title, text.search,
			in.Severity, in.State, in.Verdict, in.Assignee, int64(in.Count), in.FirstSeen, in.LastSeen, in.OpenedAt, in.UpdatedAt,
			text.techniques, text.evidence, text.conditions, int64(in.Applied), text.entities, in.RuleDigest, in.MergedInto, in.Watermark, in.Approximate, text.lists)
		if err != nil {
			return nil, fmt.Errorf("incident %s: %w", in.ID, dbError(err))
		}
		if n, err := r.RowsAffected(); err != nil {
			return nil, err
		} else if n > 0 {
			changed = append(changed, changedIncident{in.Tenant, in.ID})
			if was == text.entities {
				continue
			}
			if err := about.put(ctx, in); err != nil {
				return nil, fmt.Errorf("entities of incident %s: %w", in.ID, dbError(err))
			}
		}
	}
	return changed, nil
}

func putPatches(ctx context.Context, tx *sql.Tx, list []Patch, changed []changedIncident) ([]changedIncident, error) {
	for _, p := range list {
		from := make([]string, len(p.From))
		for i, s := range p.From {
			from[i] = string(s)
		}
		r, err := tx.ExecContext(ctx, `UPDATE incidents SET applied = ?1, updated_at = ?2,
			verdict = CASE WHEN ?3 = '' THEN verdict ELSE ?4 END,
			state = CASE WHEN ?3 = '' THEN state ELSE ?3 END,
			severity = CASE WHEN ?5 = 0 THEN severity ELSE ?5 END,
			assignee = CASE WHEN ?6 THEN ?7 ELSE assignee END,
			merged_into = CASE WHEN ?3 = '' THEN merged_into ELSE ?11 END
			WHERE id = ?8 AND tenant = ?9 AND applied < ?1 AND (?10 = '' OR instr(?10, ',' || state || ',') > 0)
			AND (?11 = '' OR EXISTS (SELECT 1 FROM incidents t WHERE t.id = ?11 AND t.tenant = ?9 AND t.merged_into = ''))`,
			int64(p.Entry.Seq), p.Entry.At, string(p.State), string(p.Verdict), int64(p.Severity), p.Assign, p.Assignee,
			p.Entry.Incident, p.Tenant, enclose(from), p.Into)
		if err != nil {
			return nil, fmt.Errorf("patch incident %s: %w", p.Entry.Incident, err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return nil, err
		}
		if n == 0 {
			continue
		}
		if err := putHistory(ctx, tx, []storage.HistoryEntry{p.Entry}); err != nil {
			return nil, err
		}
		changed = append(changed, changedIncident{p.Tenant, p.Entry.Incident})
		if p.Into == "" {
			continue
		}
		other := p.Entry
		other.Incident, other.Detail = p.Into, p.Entry.Incident
		if err := putHistory(ctx, tx, []storage.HistoryEntry{other}); err != nil {
			return nil, err
		}
		changed = append(changed, changedIncident{p.Tenant, p.Into})
	}
	return changed, nil
}

// enclose joins words as ",a,b,", in which a word is found with its commas around it.
func enclose(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return "," + strings.Join(words, ",") + ","
}

func putHistory(ctx context.Context, tx *sql.Tx, list []storage.HistoryEntry) error {
	for _, h := range list {
		_, err := tx.ExecContext(ctx, `INSERT INTO incident_history (incident, seq, what, at, who, detail) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (incident, seq, what) DO NOTHING`, h.Incident, int64(h.Seq), h.What, h.At, h.Who, cut(h.Detail, MaxDetailBytes))
		if err != nil {
			return fmt.Errorf("history of %s: %w", h.Incident, dbError(err))
		}
	}
	return nil
}

// putChanges gives each changed thing the next cursor of its tenant.
func putChanges(ctx context.Context, tx *sql.Tx, topic string, list []changedIncident) error {
	if len(list) == 0 {
		return nil
	}
	head, err := tx.PrepareContext(ctx, `INSERT INTO change_heads (tenant, last, floor) VALUES (?, 1, 0)
		ON CONFLICT (tenant) DO UPDATE SET last = last + 1 RETURNING last`)
	if err != nil {
		return err
	}
	defer head.Close()
	put, err := tx.PrepareContext(ctx, `INSERT INTO changes (tenant, cursor, topic, key) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, topic, key) DO UPDATE SET cursor = excluded.cursor`)
	if err != nil {
		return err
	}
	defer put.Close()
	for _, c := range list {
		var cursor int64
		if err := head.QueryRowContext(ctx, c.tenant).Scan(&cursor); err != nil {
			return fmt.Errorf("cursor of tenant %d: %w", c.tenant, dbError(err))
		}
		if _, err := put.ExecContext(ctx, c.tenant, cursor, topic, c.id); err != nil {
			return fmt.Errorf("change of %s: %w", c.id, dbError(err))
		}
	}
	return nil
}

func putNotices(ctx context.Context, tx *sql.Tx, list []Notice) error {
	for _, n := range list {
		_, err := tx.ExecContext(ctx, `INSERT INTO outbox (tenant, webhook, kind, key, payload, created)
			SELECT tenant, id, ?, ? || '.' || id, ?, ? FROM webhooks WHERE tenant = ? AND enabled = 1 ORDER BY id
			ON CONFLICT (key) DO NOTHING`, n.Kind, n.Key, string(n.Payload), n.At, n.Tenant)
		if err != nil {
			return fmt.Errorf("notice %s: %w", n.Key, dbError(err))
		}
	}
	return nil
}
