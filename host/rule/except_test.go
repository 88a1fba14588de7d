package rule_test

import (
	"testing"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// An exception keeps events from what has to occur and not from what must not, and the rule that it is from stays as it is.
func TestExcept(t *testing.T) {
	r, err := rule.Parse("rule.yaml", []byte(`kind: pattern
id: r
name: r
version: 1.0.0
severity: low
window: 1m
subs:
  stop: {where: {a: x}, by: [h]}
  count: {where: {a: x}, by: [h], having: count() >= 2}
  start: {where: {a: x}, by: [h]}
expr: (stop and count) !-> start
exceptions: [{reason: old, where: {u: one}}]
incident: {title: t}
`))
	if err != nil {
		t.Fatal(err)
	}
	where, err := rule.ParseWhere("exception", []byte("u: two"))
	if err != nil {
		t.Fatal(err)
	}
	with := r.Except([]rule.Exception{{Reason: "new", Where: where}})
	if r.Except(nil) != r || len(with.Exceptions) != 2 || len(r.Exceptions) != 1 {
		t.Error("exceptions are kept with the rule")
	}
	hits := func(r *rule.Rule, user string) (n int) {
		match, err := detect.Matcher(r)
		if err != nil {
			t.Fatal(err)
		}
		return len(match(&storage.Event{Fields: []storage.Field{{Name: "a", Value: "x"}, {Name: "u", Value: user}, {Name: "h", Value: "h"}}}))
	}
	for _, c := range []struct {
		user      string
		was, with int
	}{{"one", 1, 1}, {"two", 3, 1}, {"three", 3, 3}} {
		if was, is := hits(r, c.user), hits(with, c.user); was != c.was || is != c.with {
			t.Errorf("%s takes part in %d and %d sub-patterns, want %d and %d", c.user, was, is, c.was, c.with)
		}
	}
	// What stands in the tree and what stands in the list of sub-patterns is one.
	absence := with.Root.Of.(*rule.NotFollowedBy)
	both := absence.A.(*rule.And)
	if both.Of[0] != with.Subs[0].Match || both.Of[1].(*rule.Aggregate).Of != with.Subs[1].Match || absence.B != with.Subs[2].Match || with.Subs[0].Match == r.Subs[0].Match {
		t.Error("the copy is torn")
	}
}

// People write selections by hand, and anything may come of it.
func FuzzParseWhere(f *testing.F) {
	for _, s := range []string{"a: b", "- {a|cidr: 10.0.0.0/8}\n- {b: [c, d]}", "not: {a: b}", "text", "a|x: 1", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := rule.ParseWhere("exception", src)
		if (p == nil) == (err == nil) {
			t.Errorf("%v, %v", p, err)
		}
	})
}
