package meta

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/storage"
)

func about(in storage.Incident, rule string, opened int64, entities ...string) storage.Incident {
	in.Rule, in.OpenedAt, in.Entities = rule, opened, nil
	for _, e := range entities {
		kind, value, _ := strings.Cut(e, " ")
		in.Entities = append(in.Entities, storage.Entity{Kind: storage.EntityKind(kind), Value: value, Field: kind + ".field"})
	}
	return in
}

func TestRelatedIncidents(t *testing.T) {
	w := newWorld(t)
	w.apply(Batch{Incidents: []storage.Incident{
		about(incident(w.a, "this", 1), "r", 10, "host db1", "user ann", "address 192.0.2.1"),
		about(incident(w.a, "one shared", 1), "other", 20, "host db1"),
		about(incident(w.a, "two shared", 1), "other", 5, "host db1", "user ann", "user eve"),
		about(incident(w.a, "one shared, same rule", 1), "r", 6, "user ann"),
		about(incident(w.a, "nothing shared", 1), "r", 30, "host db2"),
		about(incident(w.a, "another kind", 1), "r", 30, "domain db1"),
		about(incident(w.b, "of b", 1), "r", 30, "host db1", "user ann"),
	}})
	related := func(e *storage.Entity, limit int) (out []string) {
		for _, r := range must(w.RelatedIncidents(ctx, of(w.a), "this", e, limit))(t) {
			var shared []string
			for _, s := range r.Shared {
				shared = append(shared, s.Value)
			}
			out = append(out, fmt.Sprint(r.Incident.ID, shared))
		}
		return out
	}
	for _, c := range []struct {
		about *storage.Entity
		limit int
		want  []string
	}{
		{nil, 0, []string{"two shared[db1 ann]", "one shared, same rule[ann]", "one shared[db1]"}},
		{nil, 1, []string{"two shared[db1 ann]"}},
		{&storage.Entity{Kind: storage.HostEntity, Value: "db1"}, 0, []string{"one shared[db1]", "two shared[db1]"}},
		{&storage.Entity{Kind: storage.HostEntity, Value: "db2"}, 0, []string{"nothing shared[db2]"}},
		{&storage.Entity{Kind: storage.HostEntity, Value: "unknown"}, 0, nil},
	} {
		if d := cmp.Diff(c.want, related(c.about, c.limit)); d != "" {
			t.Errorf("about %v: %s", c.about, d)
		}
	}
	_, err := w.RelatedIncidents(ctx, of(w.b), "this", nil, 0)
	w.want(err, storage.ErrNotFound)
	_, err = w.RelatedIncidents(ctx, of(w.a), "this", &storage.Entity{Value: strings.Repeat("x", storage.MaxEntityBytes+1)}, 0)
	w.want(err, storage.ErrInvalid)

	// What an incident is no longer about does not find it.
	now := about(incident(w.a, "two shared", 2), "other", 5, "user eve")
	w.apply(Batch{Incidents: []storage.Incident{now}})
	if d := cmp.Diff([]string{"one shared, same rule[ann]", "one shared[db1]"}, related(nil, 0)); d != "" {
		t.Error(d)
	}
}

// TestWhatManyShareTellsLittle: a process relates nothing unless it is asked for, and an entity of many incidents ranks
// behind one of few however new its incidents are.
func TestWhatManyShareTellsLittle(t *testing.T) {
	w := newWorld(t)
	list := []storage.Incident{
		about(incident(w.a, "this", 1), "r", 1, "process sshd", "host firewall", "user ann"),
		about(incident(w.a, "old", 1), "other", 2, "user ann"),
		about(incident(w.a, "process", 1), "r", 3, "process sshd"),
	}
	for i := range int64(MaxRelatedPerEntity) {
		list = append(list, about(incident(w.a, fmt.Sprintf("busy %03d", i), 1), "r", 10+i, "host firewall", "process sshd"))
	}
	w.apply(Batch{Incidents: list})
	got := must(w.RelatedIncidents(ctx, of(w.a), "this", nil, MaxRelated))(t)
	if len(got) != MaxRelated || got[0].Incident.ID != "old" || got[1].Incident.ID != "busy 199" || len(got[1].Shared) != 1 {
		t.Errorf("%d related: %+v", len(got), got[:2])
	}
	if slices.ContainsFunc(got, func(r Related) bool { return r.Incident.ID == "process" }) {
		t.Error("a process relates")
	}
	sshd := &storage.Entity{Kind: storage.ProcessEntity, Value: "sshd"}
	if got := must(w.RelatedIncidents(ctx, of(w.a), "this", sshd, 3))(t); len(got) != 3 || got[0].Incident.ID != "busy 199" {
		t.Errorf("about sshd: %+v", got)
	}
}

func TestEpisodes(t *testing.T) {
	w := newWorld(t)
	var list []storage.Incident
	for i, id := range []string{"before", "this", "after", "long after"} {
		in := incident(w.a, id, 1)
		in.FirstSeen, in.LastSeen = int64(100*i), int64(100*i+50)
		list = append(list, in)
	}
	other := list[1]
	other.ID, other.Key = "of another key", []storage.Field{{Name: "user.name", Value: "eve"}}
	w.apply(Batch{Incidents: append(list, other)})
	var got []string
	for _, in := range must(w.Episodes(ctx, of(w.a), list[1], 50, 200))(t) {
		got = append(got, in.ID)
	}
	if d := cmp.Diff([]string{"before", "this", "after"}, got); d != "" {
		t.Error(d)
	}
}

// bound is a statement with a value for each parameter.
func bound(q string) string { return strings.ReplaceAll(q, "?", "'1'") }

// TestRelatedPlan: no entity is looked for by reading a table, nor an incident by reading those of its tenant.
func TestRelatedPlan(t *testing.T) {
	w := newWorld(t)
	for _, q := range []string{
		bound(relatedIDs), bound(relatedCandidates), bound(strings.TrimSuffix(relatedIncidents, "ORDER BY o.key")), // 200 at most
		`SELECT kind, value FROM incident_entities WHERE incident = 'x'`,
		`SELECT id FROM incidents i WHERE i.tenant = 1 AND i.rule = 'r' AND i.last_seen >= 5 AND i.first_seen <= 9 AND i.key = 'k'`,
	} {
		rows, err := w.read.QueryContext(ctx, "EXPLAIN QUERY PLAN "+q)
		w.must(err)
		for rows.Next() {
			var id, parent, unused int
			var detail string
			w.must(rows.Scan(&id, &parent, &unused, &detail))
			if strings.HasPrefix(detail, "SCAN") && !strings.HasPrefix(detail, "SCAN o VIRTUAL") || strings.Contains(detail, "TEMP B-TREE") {
				t.Errorf("%s: %s", q, detail)
			}
			if strings.Contains(detail, "incidents_tenant") || strings.Contains(detail, "incidents_opened") {
				t.Errorf("%s: %s", q, detail)
			}
		}
		w.must(rows.Err())
	}
}

func TestMergePatches(t *testing.T) {
	w := newWorld(t)
	w.apply(Batch{Incidents: []storage.Incident{incident(w.a, "x", 1), incident(w.a, "y", 1), incident(w.b, "of b", 1)}})
	merge := func(seq uint64, id, into string) Patch {
		return Patch{
			Tenant: w.a, From: []storage.State{storage.Open}, State: storage.Resolved, Verdict: storage.Duplicate, Into: into,
			Entry: storage.HistoryEntry{Incident: id, Seq: seq, At: 7, Who: "ann", What: "merged", Detail: into},
		}
	}
	w.must(w.Apply(ctx, 10, Batch{Patches: []Patch{
		merge(5, "x", "of b"), merge(6, "x", "nobody"), merge(7, "x", "y"), merge(8, "y", "x"),
	}}))
	x, y := must(w.GetIncident(ctx, of(w.a), "x"))(t), must(w.GetIncident(ctx, of(w.a), "y"))(t)
	if x.MergedInto != "y" || x.State != storage.Resolved || x.Verdict != storage.Duplicate || x.Count != 1 || x.Applied != 7 {
		t.Errorf("merged: %+v", x)
	}
	if y.MergedInto != "" || y.State != storage.Open {
		t.Errorf("the incident that goes on: %+v", y)
	}
	for id, want := range map[string]string{"x": "y", "y": "x"} {
		if h := must(w.History(ctx, of(w.a), id))(t); len(h) != 1 || h[0].What != "merged" || h[0].Detail != want {
			t.Errorf("history of %s: %+v", id, h)
		}
	}
	reopen := Patch{Tenant: w.a, From: []storage.State{storage.Resolved}, State: storage.Open, Entry: storage.HistoryEntry{Incident: "x", Seq: 11, What: "reopened"}}
	w.must(w.Apply(ctx, 11, Batch{Patches: []Patch{reopen}}))
	if x := must(w.GetIncident(ctx, of(w.a), "x"))(t); x.MergedInto != "" || x.State != storage.Open {
		t.Errorf("reopened: %+v", x)
	}
}

func TestChangePassword(t *testing.T) {
	w := newWorld(t)
	w.must(w.CreateUser(ctx, User{Name: "ann", Role: storage.RoleAnalyst, Tenant: w.a}, "correct horse"))
	ann := must(w.Authenticate(ctx, "ann", "correct horse"))(t)
	keep, other := must(w.CreateSession(ctx, ann))(t), must(w.CreateSession(ctx, ann))(t)
	w.want(w.ChangePassword(ctx, "ann", "wrong", "another horse", keep), storage.ErrUnauthorized)
	w.want(w.ChangePassword(ctx, "ann", "correct horse", "short", keep), storage.ErrInvalid)
	w.must(w.ChangePassword(ctx, "ann", "correct horse", "another horse", keep))
	if _, err := w.PrincipalOf(ctx, keep); err != nil {
		t.Error(err)
	}
	_, err := w.PrincipalOf(ctx, other)
	w.want(err, storage.ErrUnauthorized)
	_, err = w.Authenticate(ctx, "ann", "correct horse")
	w.want(err, storage.ErrUnauthorized)
	for range MaxLoginsPerMinute {
		err = w.ChangePassword(ctx, "ann", "wrong", "another horse", keep)
	}
	w.want(err, storage.ErrExhausted)
}
