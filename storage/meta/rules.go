package meta

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// RuleFires counts the firings of one rule at one position of the log.
type RuleFires struct {
	Tenant storage.Tenant
	Rule   string // id
	Seq    uint64
	At     int64 // log time, ns
	N      int
	Newest int64 // event time of the newest, ns
}

// RuleHour counts the firings of a rule in one hour of log time.
type RuleHour struct {
	Hour  int64 // its begin, ns
	Fires uint64
}

// RuleTotal is what became of a rule.
type RuleTotal struct {
	Day, Week uint64                     // firings of the last 24 hours and 7 days, whole hours
	Newest    int64                      // event time of the newest that is remembered, ns; 0: none
	Verdicts  map[storage.Verdict]uint64 // of its incidents that were opened since; "" of those that are not resolved
}

// KeepRuleHours is how long it is known how often rules fired.
const KeepRuleHours = 35 * 24 * time.Hour

const hour = int64(time.Hour)

// putFires adds what is newer than the applied position: an earlier run has counted the rest.
func putFires(ctx context.Context, tx *sql.Tx, applied uint64, list []RuleFires) error {
	for _, f := range list {
		if f.Seq <= applied {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO rule_hours (tenant, rule, hour, fires, newest)
			SELECT number, ?, ?, ?, ? FROM tenants WHERE number = ?
			ON CONFLICT (tenant, rule, hour) DO UPDATE SET fires = fires + excluded.fires, newest = max(newest, excluded.newest)`,
			cut(f.Rule, MaxNameBytes), f.At-f.At%hour, f.N, f.Newest, f.Tenant)
		if err != nil {
			return fmt.Errorf("firings of rule %s: %w", cut(f.Rule, MaxNameBytes), dbError(err))
		}
	}
	return nil
}

// RuleHours returns the hours since from in which a rule fired in the principal's organizations, the oldest first.
func (db *DB) RuleHours(ctx context.Context, p storage.Principal, rule string, from time.Time) ([]RuleHour, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, fmt.Errorf("firings of a rule: %w", err)
	}
	rows, err := db.read.QueryContext(ctx, `SELECT hour, sum(fires) FROM rule_hours WHERE `+where+` AND rule = ? AND hour >= ? GROUP BY hour ORDER BY hour`,
		append(args, rule, from.UnixNano())...)
	list, err := collect(rows, err, func(r *sql.Rows) (h RuleHour, err error) { return h, r.Scan(&h.Hour, &h.Fires) })
	if err != nil {
		return nil, fmt.Errorf("firings of a rule: %w", err)
	}
	return list, nil
}

// RuleTotals returns what became of the rules of the principal's organizations at now, by id: of incidents those opened
// since. Rules of which nothing is known are left out.
func (db *DB) RuleTotals(ctx context.Context, p storage.Principal, now, since time.Time) (map[string]*RuleTotal, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, fmt.Errorf("totals of rules: %w", err)
	}
	out := map[string]*RuleTotal{}
	of := func(id string) *RuleTotal {
		if out[id] == nil {
			out[id] = &RuleTotal{Verdicts: map[storage.Verdict]uint64{}}
		}
		return out[id]
	}
	rows, err := db.read.QueryContext(ctx, `SELECT rule, sum(CASE WHEN hour > ? THEN fires ELSE 0 END), sum(CASE WHEN hour > ? THEN fires ELSE 0 END), max(newest)
		FROM rule_hours WHERE `+where+` GROUP BY rule`,
		append([]any{now.Add(-24 * time.Hour).UnixNano(), now.Add(-7 * 24 * time.Hour).UnixNano()}, args...)...)
	_, err = collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var id string
		var t RuleTotal
		err := r.Scan(&id, &t.Day, &t.Week, &t.Newest)
		x := of(id)
		x.Day, x.Week, x.Newest = t.Day, t.Week, t.Newest
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("totals of rules: %w", err)
	}
	rows, err = db.read.QueryContext(ctx, `SELECT rule, verdict, count(*) FROM incidents WHERE `+where+` AND opened_at >= ? GROUP BY rule, verdict`,
		append(args, since.UnixNano())...)
	_, err = collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var id string
		var v storage.Verdict
		var n uint64
		err := r.Scan(&id, &v, &n)
		of(id).Verdicts[v] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("verdicts of rules: %w", err)
	}
	return out, nil
}

// Gap is a time in which rules were not, or not as they should be, evaluated.
type Gap struct {
	Tenant  storage.Tenant // NoTenant: of all
	Subject string         // "rule ID", "module NAME", or "" for every rule
	Kind    string         // off, suspended, resting, evicted, down
	Since   int64          // log time, ns
	Until   int64          // log time, ns; 0: it goes on
	Detail  string         // for people
	Seq     uint64         // log position at which it was found
	Ends    bool           // in a Batch: the open gap of Tenant and Subject ends at Until; the rest is not looked at
}

// MaxGaps is how many gaps are kept of an organization, and of all together; the oldest that have ended go first.
const MaxGaps = 10_000

// putGaps adds gaps that are newer than the applied position.
func putGaps(ctx context.Context, tx *sql.Tx, applied uint64, list []Gap) error {
	for _, g := range list {
		if g.Seq <= applied {
			continue
		}
		var err error
		tenant := sql.NullInt64{Int64: int64(g.Tenant), Valid: g.Tenant != storage.NoTenant}
		if g.Ends {
			_, err = tx.ExecContext(ctx, `UPDATE rule_gaps SET until = ? WHERE tenant IS ? AND subject = ? AND until = 0`, g.Until, tenant, g.Subject)
		} else {
			subject := cut(g.Subject, 2*MaxNameBytes)
			_, err = tx.ExecContext(ctx, `INSERT INTO rule_gaps (tenant, subject, kind, since, until, detail, seq)
				SELECT ?, ?, ?, ?, ?, ?, ? WHERE (? = 0 OR EXISTS (SELECT 1 FROM tenants WHERE number = ?)) AND NOT EXISTS (SELECT 1 FROM rule_gaps WHERE tenant IS ? AND subject = ? AND kind = ? AND since = ? AND until = ?)`,
				tenant, subject, g.Kind, g.Since, g.Until, cut(g.Detail, MaxErrorBytes), int64(g.Seq), g.Tenant, g.Tenant, tenant, subject, g.Kind, g.Since, g.Until)
		}
		if err == nil && !g.Ends {
			_, err = tx.ExecContext(ctx, `DELETE FROM rule_gaps WHERE id IN (SELECT id FROM rule_gaps WHERE tenant IS ? AND until > 0
				ORDER BY id DESC LIMIT -1 OFFSET ?)`, tenant, MaxGaps)
		}
		if err != nil {
			return fmt.Errorf("gap of %s: %w", cut(g.Subject, MaxNameBytes), dbError(err))
		}
	}
	return nil
}

// Gaps returns the gaps of the principal's organizations, and of all, that reach behind from, the newest first; at most
// MaxListed. subjects narrows them to those and to gaps of every rule; nil for none.
func (db *DB) Gaps(ctx context.Context, p storage.Principal, from time.Time, subjects []string) ([]Gap, error) {
	where, args, err := scope(p, "tenant")
	if err != nil {
		return nil, fmt.Errorf("gaps of rules: %w", err)
	}
	query := `SELECT coalesce(tenant, 0), subject, kind, since, until, detail, seq FROM rule_gaps WHERE (` + where + ` OR tenant IS NULL) AND (until = 0 OR until >= ?)`
	args = append(args, from.UnixNano())
	if subjects != nil {
		query += ` AND (subject = '' OR subject IN (SELECT value FROM json_each(?)))`
		args = append(args, jsonList(subjects))
	}
	rows, err := db.read.QueryContext(ctx, query+` ORDER BY since DESC, id DESC LIMIT ?`, append(args, MaxListed)...)
	list, err := collect(rows, err, func(r *sql.Rows) (g Gap, err error) {
		return g, r.Scan(&g.Tenant, &g.Subject, &g.Kind, &g.Since, &g.Until, &g.Detail, &g.Seq)
	})
	if err != nil {
		return nil, fmt.Errorf("gaps of rules: %w", err)
	}
	return list, nil
}
