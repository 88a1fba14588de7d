package correlate

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// nested has rules look at firings by their sub-patterns' rule alone.
type nested []*rule.Rule

func (n nested) Nests(storage.Tenant) bool { return true }

func (n nested) Firing(id string, ev *storage.Event) (hits []Hit) {
	for _, r := range n {
		for i := range r.Subs {
			if r.Subs[i].Match.Rule == id {
				hits = append(hits, Hit{Rule: r, Sub: i, Event: ev})
			}
		}
	}
	return hits
}

func (n nested) lookup(_ storage.Tenant, id string) *rule.Rule {
	for _, r := range n {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// TestRulesOnRules: what one rule fires, eager or after a silence, others count and follow, with the events behind it.
func TestRulesOnRules(t *testing.T) {
	doc := func(id, rest string) *rule.Rule {
		return parse(t, "{kind: pattern, id: "+id+", name: n, version: 1.0.0, severity: high, lateness: 5s, "+rest+"}")
	}
	guess := doc("guess", `subs: {a: {where: {s: a}, by: [k], having: "count() >= 2", window: 60s}}, incident: {key: [k], title: "{count} on {k}"}`)
	silent := doc("silent", `subs: {a: {where: {s: a}, by: [k]}}, expr: a !-> a within 30s, incident: {key: [k], title: "{k}"}`)
	both := doc("both", `subs: {g: {rule: guess, by: [k]}, s: {rule: silent, by: [k]}}, expr: g -> s within 60s, incident: {key: [k], title: "{k}"}`)
	never := doc("never", `subs: {b: {rule: both, by: [k]}, x: {rule: guess, by: [k]}}, expr: b !-> x within 60s, incident: {key: [k], title: "{k}"}`)
	all := nested{guess, silent, both, never}
	var cut, whole string
	for _, broken := range []bool{false, true} {
		s := New(Limits{})
		s.SetNesting(all)
		var out []Firing
		seq := uint64(0)
		step := func(at int64, hit bool) {
			seq++
			ev := &storage.Event{ID: storage.EventID{Seq: seq}, Tenant: 1, Time: traceStart + at*second, Fields: []storage.Field{{Name: "k", Value: "x"}}}
			var hits []Hit
			if hit {
				hits = []Hit{{Rule: guess, Event: ev}, {Rule: silent, Event: ev}}
			}
			out = append(out, s.Apply(seq, ev.Time, []SourceTime{{1, "s", ev.Time}}, hits)...)
			if broken {
				back, err := Restore(bytes.NewReader(s.Append(nil)), Limits{}, all.lookup)
				if err != nil {
					t.Fatal(err)
				}
				s = back
				s.SetNesting(all)
			}
		}
		for at := range int64(200) {
			step(at, at == 1 || at == 2)
		}
		var told []string
		for i := range out {
			told = append(told, fmt.Sprint(out[i].Rule, " ", (out[i].Time-traceStart)/second))
		}
		if want := []string{"guess 2", "silent 32", "both 32", "never 92"}; !reflect.DeepEqual(told, want) {
			t.Fatalf("broken %v: %v, want %v", broken, told, want)
		}
		want := []storage.Evidence{
			{Sub: "g", ID: storage.EventID{Seq: 2}, Time: traceStart + second},
			{Sub: "g", ID: storage.EventID{Seq: 3}, Time: traceStart + 2*second},
			{Sub: "s", ID: storage.EventID{Seq: 3}, Time: traceStart + 2*second},
		}
		if !reflect.DeepEqual(out[2].Evidence, want) {
			t.Errorf("evidence %v, want %v", out[2].Evidence, want)
		}
		cut, whole = whole, fmt.Sprint(out)
	}
	if cut != whole {
		t.Errorf("%s\n%s", cut, whole)
	}
}

// TestFiringIsAnEvent: it comes at the log time at which lists are asked, without the key that its events lack, and at the
// place of the event that completed it, which a rule that looks at both sees once.
func TestFiringIsAnEvent(t *testing.T) {
	below := parse(t, `{kind: pattern, id: below, name: n, version: 1.0.0, severity: high, subs: {a: {where: {s: a}, by: [k], null_key: include, having: "count() > 1", window: 9s}},
 incident: {key: [k], title: "{k|nobody}"}}`)
	above := parse(t, `{kind: pattern, id: above, name: n, version: 1.0.0, severity: high, subs: {a: {where: {s: a}}, f: {rule: below}}, expr: a -> f within 9s, incident: {title: t}}`)
	var seen []*storage.Event
	s := New(Limits{})
	s.SetNesting(watching{nested{below, above}, &seen})
	for seq := range uint64(3) {
		ev := &storage.Event{ID: storage.EventID{Seq: seq}, Tenant: 1, Time: traceStart + int64(seq)*second}
		hits := []Hit{{Rule: above, Event: ev}, {Rule: below, Event: ev}}
		out := s.Apply(seq, ev.Time+1, []SourceTime{{1, "s", ev.Time}}, hits)
		if fired := firedBy("above", out); fired != int(seq)%2 { // the first event and the firing by the second
			t.Errorf("event %d: %+v", seq, out)
		}
	}
	if len(seen) != 1 || seen[0].Received != traceStart+second+1 || seen[0].Get("message") != "nobody" ||
		slices.ContainsFunc(seen[0].Fields, func(f storage.Field) bool { return f.Name == "k" }) {
		t.Fatalf("%+v", seen)
	}
}

// TestFiringBesideItsEvent: a mark of both keeps their fields apart. The firing, of a rule that waits, has no m; the event has.
func TestFiringBesideItsEvent(t *testing.T) {
	below := parse(t, `{kind: pattern, id: below, name: n, version: 1.0.0, severity: high, lateness: 2s, subs: {a: {where: {s: a}, by: [k], first_seen: {fields: [m], within: 9s}}},
 incident: {key: [k], title: "{m|none}"}}`)
	above := parse(t, `{kind: pattern, id: above, name: n, version: 1.0.0, severity: high, lateness: 2s, subs: {f: {rule: below, by: [k]}, c: {where: {s: a}, by: [k]}},
 expr: f -> c within 30s, join: ["f.m >= c.m"], incident: {title: t}}`)
	s := New(Limits{})
	s.SetNesting(nested{below, above})
	var out []Firing
	for seq, m := range []string{"3", "1"} {
		ev := &storage.Event{ID: storage.EventID{Seq: uint64(seq)}, Tenant: 1, Time: traceStart + int64(seq)*second, Fields: []storage.Field{{Name: "k", Value: "x"}, {Name: "m", Value: m}}}
		out = append(out, s.Apply(uint64(seq), ev.Time, []SourceTime{{1, "s", ev.Time}}, []Hit{{Rule: above, Sub: 1, Event: ev}, {Rule: below, Event: ev}})...)
	}
	out = append(out, s.Tick(2, traceStart+int64(hour))...)
	if firedBy("below", out) != 2 || firedBy("above", out) != 0 {
		t.Errorf("%+v", out)
	}
}

// watching notes the firings that rules are asked about.
type watching struct {
	nested
	seen *[]*storage.Event
}

func (w watching) Firing(id string, ev *storage.Event) []Hit {
	if id == "below" {
		*w.seen = append(*w.seen, ev)
	}
	return w.nested.Firing(id, ev)
}
