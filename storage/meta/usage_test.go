package meta

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/storage"
)

func usageRow(t storage.Tenant, module string, at int64, fuel int64) storage.UsageRow {
	r := storage.UsageRow{Consumer: storage.Consumer{Tenant: t, Module: module}, At: at, Span: UsageMinute}
	r.Used[storage.Fuel], r.Used[storage.Calls] = fuel, 1
	return r
}

func costRow(at, process int64) storage.CostRow {
	c := storage.CostRow{At: at, Span: UsageMinute}
	c.Spent[storage.CostProcess] = process
	return c
}

// usage returns all that a principal sees, as text.
func (w *world) usage(p storage.Principal) (out []string) {
	w.Helper()
	w.must(w.EachUsage(ctx, p, 0, 1<<62, func(r *storage.UsageRow) error {
		out = append(out, fmt.Sprintf("%v+%v %d %s %d/%d", time.Duration(r.At), time.Duration(r.Span), r.Tenant, r.Module, r.Used[storage.Fuel], r.Used[storage.Calls]))
		return nil
	}))
	slices.Sort(out)
	return out
}

// A position is counted once, values are absolute, and the newest minute goes on after a restart.
func TestUsageIsCountedOnce(t *testing.T) {
	w := newWorld(t)
	m := UsageMinute
	w.must(w.CountUsage(ctx, 5, []storage.UsageRow{usageRow(w.a, "p/x", m, 10), usageRow(w.a, "p/x", 2*m, 1), usageRow(w.b, "", 2*m, 7), usageRow(99, "p/x", m, 1)},
		[]storage.CostRow{costRow(m, 100), costRow(2*m, 50)}))
	w.must(w.CountUsage(ctx, 5, []storage.UsageRow{usageRow(w.a, "p/x", m, 99)}, nil)) // a replay
	w.must(w.CountUsage(ctx, 6, []storage.UsageRow{usageRow(w.a, "p/x", 2*m, 4)}, []storage.CostRow{costRow(2*m, 60)}))
	want := []string{"1m0s+1m0s 1 p/x 10/1", "2m0s+1m0s 1 p/x 4/1"}
	if diff := cmp.Diff(want, w.usage(of(w.a))); diff != "" {
		t.Errorf("of a (-want +got):\n%s", diff)
	}
	seq, rows, cost, err := w.OpenUsage(ctx)
	if err != nil || seq != 6 || len(rows) != 2 || cost.At != 2*m || cost.Spent[storage.CostProcess] != 60 {
		t.Errorf("open: %d %v %v %v", seq, rows, cost, err)
	}
	costs, err := w.UsageCosts(ctx, 0, 2*m)
	if err != nil || len(costs) != 1 || costs[0].Spent[storage.CostProcess] != 100 {
		t.Errorf("costs: %v %v", costs, err)
	}
	w.apply(Batch{Removals: []Removal{{Tenant: w.a}}})
	if left := w.usage(root); len(left) != 1 {
		t.Errorf("after an organization was removed: %v", left)
	}
}

// Minutes become hours, hours days, and what they add up to stays the same.
func TestUsageIsJoined(t *testing.T) {
	w := newWorld(t)
	sum := func() (fuel, process int64) {
		w.must(w.EachUsage(ctx, of(w.a), 0, 1<<62, func(r *storage.UsageRow) error { fuel += r.Used[storage.Fuel]; return nil }))
		for _, c := range must(w.UsageCosts(ctx, 0, 1<<62))(t) {
			process += c.Spent[storage.CostProcess]
		}
		return fuel, process
	}
	day := 36 * UsageDay
	for seq, at := range []int64{0, UsageHour, UsageHour + UsageMinute, day, day + UsageHour, day + 2*UsageHour, day + 3*UsageHour} {
		w.must(w.CountUsage(ctx, uint64(seq+1), []storage.UsageRow{usageRow(w.a, "p/x", at, 10)}, []storage.CostRow{costRow(at, 5)}))
	}
	must(w.Prune(ctx, time.Unix(0, 0)))(t)
	want := []string{"0s+24h0m0s 1 p/x 30/3", "864h0m0s+1h0m0s 1 p/x 10/1", "865h0m0s+1m0s 1 p/x 10/1", "866h0m0s+1m0s 1 p/x 10/1", "867h0m0s+1m0s 1 p/x 10/1"}
	if diff := cmp.Diff(want, w.usage(of(w.a))); diff != "" {
		t.Errorf("joined (-want +got):\n%s", diff)
	}
	if fuel, process := sum(); fuel != 70 || process != 35 {
		t.Errorf("the sums have changed: fuel %d, process %d", fuel, process)
	}
	at := day + int64(KeepUsageDays)
	w.must(w.CountUsage(ctx, 100, nil, []storage.CostRow{costRow(at, 5)}))
	must(w.Prune(ctx, time.Unix(0, 0)))(t)
	if fuel, _ := sum(); fuel != 40 {
		t.Errorf("after %v: fuel %d, want that of the day which is just as old", KeepUsageDays, fuel)
	}
}

// With one row more than the limit, minutes are joined before their time, but for the newest one.
func TestManyUsageMinutesAreJoinedSooner(t *testing.T) {
	w := newWorld(t)
	minutes := func() (n int) {
		w.must(w.EachUsage(ctx, of(w.a), 0, 1<<62, func(r *storage.UsageRow) error {
			if r.Span == UsageMinute {
				n++
			}
			return nil
		}))
		return n
	}
	for at := range int64(4) {
		var rows []storage.UsageRow
		for n := range 10 {
			rows = append(rows, usageRow(w.a, fmt.Sprint("p/", n), at*UsageMinute, 1))
		}
		w.must(w.CountUsage(ctx, uint64(at+1), rows, []storage.CostRow{costRow(at*UsageMinute, 1)}))
	}
	for _, c := range []struct{ most, left int }{{40, 40}, {39, 30}, {29, 20}, {5, 10}} {
		w.must(w.rollUsage(ctx, c.most))
		if n := minutes(); n != c.left {
			t.Errorf("at most %d: %d are left, want %d", c.most, n, c.left)
		}
	}
}
