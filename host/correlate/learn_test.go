package correlate

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// TestLearnt lists what rules have learnt, and forgets it for one key, and for all.
func TestLearnt(t *testing.T) {
	r := parse(t, `{kind: pattern, id: x, name: n, version: 1.0.0, severity: low, lateness: 1s, subs: {
 new: {where: {s: a}, by: [k], first_seen: {fields: [v, w], within: 30d}},
 much: {where: {s: a}, by: [k, u], having: "sum(v) > 2*stat.mean", window: 1h, baseline: {slots: hour}}}, expr: new or much, incident: {title: t}}`)
	p := &player{t: t, s: New(Limits{}), r: r}
	hour := int64(time.Hour)
	begin := -traceStart % (24 * hour) // midnight
	for h := range int64(50) {
		for _, k := range []string{"x", "y"} {
			p.hit(1, begin+h*hour, "k", k, "u", "1", "v", fmt.Sprint(h%24))
		}
		p.hit(0, begin+h*hour+1, "k", "x", "v", fmt.Sprint(h), "w", "2")
	}
	at := func(h int64) int64 { return traceStart + begin + h*hour }
	key := []storage.Field{{Name: "k", Value: "x"}}
	list, total := p.s.Learnt(1, "x", "x")
	if total != 2 || len(list) != 2 {
		t.Fatalf("%d of %d: %+v", len(list), total, list)
	}
	seen, usual := list[0], list[1]
	if seen.Sub != "new" || !reflect.DeepEqual(seen.Key, key) || seen.Since != at(0)+1 || seen.Newest != at(48)+1 || seen.ValueCount != 49 || len(seen.Values) != LearntValues || seen.Values[0] != "48, 2" {
		t.Errorf("%+v", seen)
	}
	if want := append(key, storage.Field{Name: "u", Value: "1"}); usual.Sub != "much" || !reflect.DeepEqual(usual.Key, want) || len(usual.Slots) != 24 {
		t.Errorf("%+v", usual)
	}
	if got, want := usual.Slots[7], (LearntSlot{Slots: rule.SlotHour, Number: 7, Samples: 2, Mean: 7}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if _, total := p.s.Learnt(2, "x", ""); total != 0 {
		t.Error("of another organization")
	}
	p.s.Relearn(1, "x", []string{"x"})
	if list, total := p.s.Learnt(1, "x", ""); total != 1 || list[0].Key[0].Value != "y" {
		t.Errorf("%+v", list)
	}
	p.s.Relearn(1, "x", nil)
	if _, total := p.s.Learnt(1, "x", ""); total != 0 {
		t.Error("not forgotten")
	}
}

// TestPeersAreLearnt: what keys learn together is listed by what they share, and forgotten with everything only.
func TestPeersAreLearnt(t *testing.T) {
	r := parse(t, `{kind: pattern, id: x, name: n, version: 1.0.0, severity: low, lateness: 1s, subs: {
 a: {where: {s: a}, by: [k], having: "count() > stat.mean", window: 1m, baseline: {peers: d}}}, incident: {title: t}}`)
	p := &player{t: t, s: New(Limits{}), r: r}
	for i := range int64(4) {
		p.hit(0, i*60*second, "k", "x", "d", "office")
		p.hit(0, i*60*second+1, "k", "y", "d", "plant")
	}
	peers := func() (out []string) {
		list, _ := p.s.Learnt(1, "x", "")
		for _, l := range list {
			if l.Key[0].Name == "d" {
				out = append(out, fmt.Sprint(l.Key[0].Value, " ", l.Slots[0].Samples))
			}
		}
		return out
	}
	want := []string{"office 2", "plant 2"}
	if have := peers(); !slices.Equal(have, want) {
		t.Fatalf("%q", have)
	}
	if p.s.Relearn(1, "x", []string{"x"}); !slices.Equal(peers(), want) {
		t.Errorf("%q", peers())
	}
	if p.s.Relearn(1, "x", nil); peers() != nil {
		t.Errorf("%q", peers())
	}
	for i := range int64(maxPeers + 10) {
		p.hit(0, (10+i)*60*second, "k", fmt.Sprint(i), "d", fmt.Sprint(i))
	}
	if n := len(p.s.tenants[1].tables["x"].prog.pool); n != maxPeers {
		t.Errorf("%d groups, the limit is %d", n, maxPeers)
	}
}

// TestSlots: weeks begin on Sunday, days at midnight, also before 1970.
func TestSlots(t *testing.T) {
	for _, at := range []time.Time{time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 28, 23, 59, 0, 0, time.UTC), time.Date(1969, 12, 31, 5, 0, 0, 0, time.UTC)} {
		if got := slotOf(rule.SlotHour, at.UnixNano()); got != at.Hour() {
			t.Errorf("%v: hour %d", at, got)
		}
		if got, want := slotOf(rule.SlotHourOfWeek, at.UnixNano()), int(at.Weekday())*24+at.Hour(); got != want {
			t.Errorf("%v: hour %d of the week, want %d", at, got, want)
		}
	}
}

// TestStats: samples of 0 that come together count as those that come one by one.
func TestStats(t *testing.T) {
	var a, b stats
	for i := range 1000 {
		a.add(float64(i * i % 97))
		b.add(float64(i * i % 97))
	}
	for range 500 {
		a.add(0)
	}
	b.addZeros(500)
	if a.n != b.n || a.mean() != b.mean() || math.Abs(a.std()-b.std()) > 1e-9 {
		t.Errorf("%+v %v, %+v %v", a, a.std(), b, b.std())
	}
}

// TestSketches: beyond what is kept exactly, distinct counts are within 2 % and ranks within 1 % of the value.
func TestSketches(t *testing.T) {
	for _, n := range []int{maxExactValues, maxExactValues + 1, 5_000, 50_000, 500_000} {
		distinct, ranked := rule.Condition{Func: rule.Distinct}, rule.Condition{Func: rule.Percentile}
		var d, r summary
		var all []float64
		for i := range n {
			d.add(&distinct, fmt.Sprint("value", i), 0)
			d.add(&distinct, fmt.Sprint("value", i/2), 0)
			v := math.Exp(float64(i*7919%n)/float64(n)*20 - 5)
			if i%3 == 0 {
				v = -v
			}
			r.add(&ranked, "", v)
			all = append(all, v)
		}
		slices.Sort(all)
		v, exact := d.value(&distinct)
		if off := math.Abs(v/float64(n) - 1); off > 0.02 || exact != (n <= maxExactValues) || exact && off != 0 {
			t.Errorf("%d values are counted as %v", n, v)
		}
		for _, rank := range []float64{0, 1, 25, 33.4, 50, 90, 99.9, 100} {
			ranked.Rank = rank
			want := all[rankOf(rank, n)]
			v, exact := r.value(&ranked)
			if off := math.Abs(v/want - 1); off > 0.0101 || exact != (n <= maxExactValues) || exact && off != 0 {
				t.Errorf("percentile %v of %d values is %v, want %v", rank, n, v, want)
			}
		}
	}
}

// TestApproximateIsSaid: an incident says which of its values are estimates.
func TestApproximateIsSaid(t *testing.T) {
	r := parse(t, `{kind: pattern, id: x, name: n, version: 1.0.0, severity: low, lateness: 1s, subs: {
 a: {where: {s: a}, by: [k], having: "distinct(v) > 1500 and count() > 1", window: 1m, windows: tumbling}}, incident: {title: t}}`)
	p := &player{t: t, s: New(Limits{}), r: r}
	begin := -traceStart % int64(time.Minute)
	var fired []Firing
	for i := range int64(2000) {
		fired = append(fired, p.hit(0, begin+i*10_000_000, "k", "x", "v", fmt.Sprint(i))...)
	}
	fired = append(fired, p.hit(0, begin+int64(2*time.Minute), "k", "y", "v", "1")...)
	if len(fired) != 1 || !fired[0].Approximate || len(fired[0].Conditions) != 2 {
		t.Fatalf("%+v", fired)
	}
	for i, want := range []bool{true, false} {
		if got := fired[0].Conditions[i]; strings.Contains(got.Expr, "approximate") != want {
			t.Errorf("%+v", got)
		}
	}
}

// TestTreesChange: an expression goes on when a filter or a time between its parts is edited, and begins anew otherwise.
func TestTreesChange(t *testing.T) {
	doc := func(edit ...string) *rule.Rule {
		return parse(t, strings.NewReplacer(edit...).Replace(`{kind: pattern, id: x, name: n, version: 1.0.0, severity: low, lateness: 1s, subs: {
 a: {where: {s: a}, by: [k], having: "count() >= 2", window: 60s}, b: {where: {s: b}, by: [k]}}, expr: a and b within 30s, incident: {title: t}}`))
	}
	for _, c := range []struct {
		name  string
		next  *rule.Rule
		fires int
		kept  int
	}{
		{"a filter", doc("{s: b}", "{s: c}"), 1, 1},
		{"a longer time", doc("30s", "40s"), 1, 1},
		{"a shorter one", doc("30s", "5s"), 0, 1},
		{"a threshold", doc(">= 2", ">= 1"), 0, 0},
		{"another operator", doc("a and b", "a -> b"), 0, 0},
	} {
		p := &player{t: t, s: New(Limits{}), r: doc()}
		p.hit(0, 0, "k", "x")
		p.hit(0, second, "k", "x")
		carried := p.s.SetRules(1, func(string) *rule.Rule { return c.next })
		if len(carried) != 1 || carried[0].Kept != c.kept || carried[0].Dropped != 1-c.kept {
			t.Errorf("%s: %+v", c.name, carried)
		}
		p.r = c.next
		if n := len(p.hit(1, 20*second, "k", "x")); n != c.fires {
			t.Errorf("%s: %d firings, want %d", c.name, n, c.fires)
		}
	}
}
