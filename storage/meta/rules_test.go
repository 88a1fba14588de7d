package meta

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/storage"
)

// Firings are counted once however often the log is read again, and verdicts with them.
func TestRuleTotals(t *testing.T) {
	w := newWorld(t)
	now := time.Unix(0, 0).Add(8 * 24 * time.Hour)
	at := func(ago time.Duration) int64 { return now.Add(-ago).UnixNano() }
	fires := []RuleFires{
		{Tenant: w.a, Rule: "r", Seq: 1, At: at(100 * time.Hour), N: 2, Newest: 5},
		{Tenant: w.a, Rule: "r", Seq: 2, At: at(2 * time.Hour), N: 3, Newest: 9},
		{Tenant: w.a, Rule: "r", Seq: 3, At: at(2 * time.Hour), N: 1, Newest: 7},
		{Tenant: w.b, Rule: "r", Seq: 3, At: at(time.Hour), N: 10, Newest: 8},
		{Tenant: 99, Rule: "r", Seq: 3, At: at(time.Hour), N: 10, Newest: 8}, // it was removed
	}
	w.must(w.Apply(ctx, 2, Batch{Fires: fires[:2]}))
	in := incident(w.a, "x", 3)
	in.Rule, in.State, in.Verdict, in.OpenedAt, in.Watermark, in.Approximate, in.Lists = "r", storage.Resolved, storage.FalsePositive, at(time.Hour), 42, true, []storage.ListAsked{{Name: "l", Seq: 7}}
	w.must(w.Apply(ctx, 3, Batch{Fires: fires, Incidents: []storage.Incident{in}})) // overlaps with what is applied
	w.must(w.Apply(ctx, 3, Batch{Fires: fires}))
	got := must(w.RuleTotals(ctx, of(w.a), now, now.Add(-24*time.Hour)))(t)
	want := map[string]*RuleTotal{"r": {Day: 4, Week: 6, Newest: 9, Verdicts: map[storage.Verdict]uint64{storage.FalsePositive: 1}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if all := must(w.RuleTotals(ctx, root, now, now))(t); all["r"].Day != 14 {
		t.Error(all["r"])
	}
	hours := must(w.RuleHours(ctx, of(w.a), "r", now.Add(-7*24*time.Hour)))(t)
	if len(hours) != 2 || hours[0].Fires != 2 || hours[1] != (RuleHour{Hour: at(2 * time.Hour), Fires: 4}) {
		t.Error(hours)
	}
	if in := must(w.GetIncident(ctx, of(w.a), "x"))(t); in.Watermark != 42 || !in.Approximate || len(in.Lists) != 1 || in.Lists[0].Seq != 7 {
		t.Error(in)
	}
	must(w.Prune(ctx, now.Add(KeepRuleHours-3*time.Hour)))(t)
	if left := must(w.RuleHours(ctx, of(w.a), "r", time.Unix(0, 0)))(t); len(left) != 1 || left[0].Fires != 4 {
		t.Error(left)
	}
	if err := w.Apply(ctx, 4, Batch{Fires: []RuleFires{{Tenant: w.a, Rule: "r", Seq: 5, N: 1}}}); err == nil {
		t.Error("a firing that is newer than its batch is taken")
	}
}

// A gap begins, ends, and stands there once.
func TestGaps(t *testing.T) {
	w := newWorld(t)
	show := func(p storage.Principal, from int64, subjects ...string) (out []string) {
		for _, g := range must(w.Gaps(ctx, p, time.Unix(0, from), subjects))(t) {
			out = append(out, fmt.Sprintf("%d %s %s %d-%d", g.Tenant, g.Subject, g.Kind, g.Since, g.Until))
		}
		return out
	}
	gaps := []Gap{
		{Tenant: w.a, Subject: "rule r", Kind: "off", Since: 10, Seq: 1},
		{Subject: "", Kind: "down", Since: 20, Until: 30, Seq: 2},
		{Tenant: w.a, Subject: "rule r", Until: 40, Ends: true, Seq: 3},
		{Tenant: w.a, Subject: "rule q", Kind: "evicted", Since: 15, Until: 16, Seq: 3},
		{Tenant: w.b, Subject: "rule r", Kind: "off", Since: 50, Seq: 4},
	}
	w.must(w.Apply(ctx, 2, Batch{Gaps: gaps[:2]}))
	if diff := cmp.Diff([]string{"0  down 20-30", "1 rule r off 10-0"}, show(of(w.a), 0)); diff != "" {
		t.Error(diff)
	}
	w.must(w.Apply(ctx, 5, Batch{Gaps: append(gaps, Gap{Tenant: w.a, Subject: "rule q", Kind: "evicted", Since: 15, Until: 16, Seq: 5})}))
	for _, c := range []struct {
		p        storage.Principal
		from     int64
		subjects []string
		want     []string
	}{
		{of(w.a), 0, nil, []string{"0  down 20-30", "1 rule q evicted 15-16", "1 rule r off 10-40"}},
		{of(w.a), 35, nil, []string{"1 rule r off 10-40"}},
		{of(w.a), 0, []string{"rule q", "module m"}, []string{"0  down 20-30", "1 rule q evicted 15-16"}},
		{of(w.b), 0, nil, []string{"2 rule r off 50-0", "0  down 20-30"}},
	} {
		if diff := cmp.Diff(c.want, show(c.p, c.from, c.subjects...)); diff != "" {
			t.Error(diff)
		}
	}
	w.must(w.Apply(ctx, 6, Batch{Removals: []Removal{{Tenant: w.a}}}))
	if left := show(of(w.b), 0); len(left) != 2 {
		t.Error(left)
	}
}
