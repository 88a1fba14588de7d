package correlate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
	"pgregory.net/rapid"
)

func only(r *rule.Rule) func(storage.Tenant, string) *rule.Rule {
	return func(_ storage.Tenant, id string) *rule.Rule {
		if r != nil && id == r.ID {
			return r
		}
		return nil
	}
}

// TestRestoredRunsOn cuts random traces at random frames: firings and the final snapshot are those of a run without cuts.
func TestRestoredRunsOn(t *testing.T) {
	for i := range len(shapes) + len(trees) {
		r := shapeRule(t, i, 4*time.Second)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				trace := shuffle(t, drawTrace(t), 8*time.Second) // some come late
				limits := Limits{MaxKeysPerRule: rapid.IntRange(1, 3).Draw(t, "keys")}
				var whole, broken *State
				want := feed(New(limits), r, trace, 2, func(s *State) *State { whole = s; return s })
				have := feed(New(limits), r, trace, 2, func(s *State) *State {
					broken = s
					if rapid.IntRange(0, 9).Draw(t, "cut") > 0 {
						return s
					}
					cut := s.Append(nil)
					back, err := Restore(bytes.NewReader(cut), limits, only(r))
					if err != nil {
						t.Fatal(err)
					}
					if again := back.Append(nil); !bytes.Equal(again, cut) {
						t.Fatalf("snapshot changed by a restore: %d bytes, then %d", len(cut), len(again))
					}
					broken = back
					return back
				})
				a, _ := json.Marshal(want)
				b, _ := json.Marshal(have)
				if !bytes.Equal(a, b) || !bytes.Equal(whole.Append(nil), broken.Append(nil)) {
					t.Fatalf("cut run differs:\n%s\n%s", a, b)
				}
			})
		})
	}
}

func filled(t testing.TB, r *rule.Rule) *State {
	s := New(Limits{})
	var hits []Hit
	for i := range 20 {
		at := traceStart + int64(i)*int64(time.Second)
		ev := &storage.Event{
			ID: storage.EventID{Seq: 1, Record: uint32(i)}, Tenant: storage.Tenant(1 + i%2), Time: at,
			Fields: []storage.Field{{Name: "k", Value: string(rune('a' + i%5))}, {Name: "v", Value: "1"}, {Name: "user.name", Value: "ann"}},
		}
		hits = append(hits, Hit{Rule: r, Sub: i % len(r.Subs), Event: ev})
	}
	s.Apply(1, traceStart+int64(20*time.Second), []SourceTime{{1, "s", traceStart + int64(15*time.Second)}}, hits)
	return s
}

func TestRestoreRefusesDamage(t *testing.T) {
	for _, shape := range []int{6, len(shapes) + 1, len(shapes) + 8} {
		refusesDamage(t, shapeRule(t, shape, 4*time.Second))
	}
}

func refusesDamage(t *testing.T, r *rule.Rule) {
	good := filled(t, r).Append(nil)
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x41
		if _, err := Restore(bytes.NewReader(bad), Limits{}, only(r)); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
		if _, err := Restore(bytes.NewReader(good[:i]), Limits{}, only(r)); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

func FuzzRestore(f *testing.F) {
	var rules []*rule.Rule
	for i := range len(shapes) + len(trees) {
		rules = append(rules, shapeRule(f, i, 4*time.Second))
		f.Add(filled(f, rules[i]).Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		lookup := func(_ storage.Tenant, id string) *rule.Rule {
			for _, r := range rules {
				if r.ID == id {
					return r
				}
			}
			return nil
		}
		// The checksum would stop the fuzzer at the door, so it is made right.
		s, err := Restore(bytes.NewReader(withChecksum(b)), Limits{}, lookup)
		if err != nil {
			return
		}
		s.Tick(s.Seq()+1, traceStart+int64(time.Hour))
		first := s.Append(nil)
		back, err := Restore(bytes.NewReader(first), Limits{}, lookup)
		if err != nil {
			t.Fatalf("own snapshot refused: %v", err)
		}
		if !bytes.Equal(first, back.Append(nil)) {
			t.Fatal("snapshot changed by a restore")
		}
	})
}

// TestRulesChange: an edited filter keeps state, an edited threshold or group field starts its sub-pattern anew, and a
// rule that ends leaves nothing behind.
func TestRulesChange(t *testing.T) {
	doc := func(where, having, by string) string {
		return `{kind: pattern, id: x, name: n, version: 1.0.0, severity: low,
 subs: {a: {where: {s: ` + where + `}, by: [` + by + `], having: "` + having + `", window: 60s}}, incident: {title: t}}`
	}
	base := parse(t, doc("a", "count() >= 3", "k"))
	cases := []struct {
		name, doc string
		kind      ReportKind
		fires     int // with two further hits after the two before the change
	}{
		{"filter", doc("b", "count() >= 3", "k"), Kept, 1},
		{"threshold", doc("a", "count() >= 4", "k"), Dropped, 0},
		{"key", doc("a", "count() >= 3", "v"), Dropped, 0},
		{"gone", "", Dropped, 0},
	}
	for _, c := range cases {
		for _, restored := range []bool{false, true} {
			s := New(Limits{})
			hit := func(r *rule.Rule, n uint64) []Firing {
				ev := &storage.Event{
					ID: storage.EventID{Seq: n}, Tenant: 1, Time: traceStart + int64(n),
					Fields: []storage.Field{{Name: "k", Value: "1"}, {Name: "v", Value: "2"}},
				}
				return s.Apply(n, traceStart+int64(n), nil, []Hit{{Rule: r, Event: ev}})
			}
			hit(base, 1)
			hit(base, 2)
			var next *rule.Rule
			if c.doc != "" {
				next = parse(t, c.doc)
			}
			if restored {
				b := s.Append(nil)
				var err error
				if s, err = Restore(bytes.NewReader(b), Limits{}, only(next)); err != nil {
					t.Fatal(err)
				}
			} else {
				s.SetRules(1, func(string) *rule.Rule { return next })
			}
			if rep := s.Reports(); c.name != "filter" && (len(rep) != 1 || rep[0].Kind != c.kind || rep[0].Keys != 1) {
				t.Errorf("%s: reports %+v", c.name, rep)
			}
			if next == nil {
				if s.Stats().Keys != 0 || s.Stats().Bytes != 0 {
					t.Errorf("%s: %+v left", c.name, s.Stats())
				}
				continue
			}
			if n := len(hit(next, 3)) + len(hit(next, 4)); n != c.fires {
				t.Errorf("%s (restored %v): %d firings, want %d", c.name, restored, n, c.fires)
			}
		}
	}
}

// TestSequencesChange: of a sequence half way, an edit takes no more than what it changes the meaning of.
func TestSequencesChange(t *testing.T) {
	doc := func(edit ...string) *rule.Rule {
		return parse(t, strings.NewReplacer(edit...).Replace(`{kind: pattern, id: x, name: n, version: 1.0.0, severity: low, lateness: 1s, subs: {
 many: {where: {s: a}, by: [k], having: "count() >= 2", window: 60s}, odd: {where: {s: b}, by: [k]}, end: {where: {s: c}, by: [k]}},
 expr: many -> odd within 30s -> end within 30s, incident: {title: t}}`))
	}
	const odd, end = 1, 2
	for _, c := range []struct {
		name  string
		next  *rule.Rule
		at    time.Duration // of the last step; the one before came at 10 s
		fires int
		want  Carried
	}{
		{"nothing", doc(), 20 * time.Second, 1, Carried{Rule: "x", Kept: 2}},
		{"a filter", doc("{s: c}", "{s: d}"), 20 * time.Second, 1, Carried{Rule: "x", Kept: 2}},
		{"the last step's filter and severity", doc("{s: c}", "{s: d}", "low", "high"), 20 * time.Second, 1, Carried{Rule: "x", Kept: 2}},
		{"what came before the step that was reached", doc(">= 2", ">= 3"), 20 * time.Second, 1, Carried{"x", 1, 1, []string{"many"}}},
		{"the group field of a step to come", doc("c}, by: [k]", "c}, by: [v]"), 20 * time.Second, 1, Carried{"x", 2, 0, []string{"end"}}},
		{"the group field of the step that was reached", doc("b}, by: [k]", "b}, by: [v]"), 20 * time.Second, 0, Carried{"x", 2, 0, []string{"odd"}}},
		{"less time", doc("end within 30s", "end within 5s"), 20 * time.Second, 0, Carried{Rule: "x", Kept: 2}},
		{"more time", doc("end within 30s", "end within 9m"), 8 * time.Minute, 1, Carried{Rule: "x", Kept: 2}},
		{"another order", doc("many -> odd", "odd -> many"), 20 * time.Second, 0, Carried{Rule: "x", Dropped: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, base, n := New(Limits{}), doc(), uint64(0)
			hit := func(r *rule.Rule, sub int, key string, at time.Duration) int {
				n++
				now := traceStart + int64(at)
				ev := &storage.Event{ID: storage.EventID{Seq: n}, Tenant: 1, Time: now, Fields: []storage.Field{{Name: "k", Value: key}, {Name: "v", Value: key}}}
				return len(s.Apply(n, now, []SourceTime{{1, "s", now}}, []Hit{{Rule: r, Sub: sub, Event: ev}}))
			}
			for _, key := range []string{"half", "begun"} {
				hit(base, 0, key, 0)
				hit(base, 0, key, time.Second)
			}
			hit(base, odd, "half", 10*time.Second)
			settled := traceStart + int64(12*time.Second) // what came less than a second ago is stepped over again
			s.Apply(n, settled, []SourceTime{{1, "s", settled}}, nil)
			if got := s.SetRules(1, func(string) *rule.Rule { return c.next }); !reflect.DeepEqual(got, []Carried{c.want}) {
				t.Errorf("carried %+v, want %+v", got, c.want)
			}
			last := end
			for i := range c.next.Subs {
				if c.next.Subs[i].Name == "end" {
					last = i
				}
			}
			if got := hit(c.next, last, "half", c.at) + hit(c.next, last, "half", c.at+1); got != c.fires {
				t.Errorf("%d firings, want %d", got, c.fires)
			}
		})
	}
}
