package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// names is a list of values that end at a time.
type names map[string]int64

func (n names) Has(value string, at int64) bool {
	end, ok := n[value]
	return ok && (end == 0 || at < end)
}

func listRule(tb testing.TB, id, where string) *rule.Rule {
	tb.Helper()
	r, err := rule.Parse("rule.yaml", []byte("kind: pattern\nid: "+id+"\nname: x\nversion: 1.0.0\nseverity: low\nsubs:\n  a:\n    where: "+where+"\n    by: [user.name]\nincident:\n  key: [user.name]\n  title: x\n"))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestLists(t *testing.T) {
	rules := []*rule.Rule{
		listRule(t, "one", "{user.name|in: admins}"), listRule(t, "either", "{user.name|in: [admins, guests]}"),
		listRule(t, "both", "{related.ip|in|all: [bad, worse]}"), listRule(t, "not", "{all: [{user.name: '*'}, {not: {user.name|in: admins}}]}"),
	}
	set, err := Compile(rules[:2])
	if err != nil {
		t.Fatal(err)
	}
	own, err := Compile(rules[2:])
	if err != nil {
		t.Fatal(err)
	}
	view, err := NewView(set, own, nil)
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string]List{"admins": names{"root": 0, "Alice": 100}, "bad": names{"192.0.2.7": 0}, "worse": names{"192.0.2.8": 0}}
	with := view.WithLists(func(name string) List { return lists[name] })
	for _, c := range []struct {
		view     *View
		received int64
		user, ip string
		want     string
	}{
		{with, 1, "root", "x", "one either"},
		{with, 99, "Alice", "x", "one either"},
		{with, 100, "Alice", "x", "not"},
		{with, 1, "bob", `["192.0.2.7","192.0.2.8"]`, "both not"},
		{with, 1, "bob", `["192.0.2.7"]`, "not"},
		{view, 1, "root", "192.0.2.7", "not"},
	} {
		ev := &storage.Event{Received: c.received, Fields: []storage.Field{{Name: "user.name", Value: c.user}, {Name: "related.ip", Value: c.ip}}}
		var sc Scratch
		var got []string
		for _, h := range c.view.Match(ev, &sc) {
			got = append(got, h.Rule.ID)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %s at %d: %v, want %s", c.user, c.ip, c.received, got, c.want)
		}
	}
	if got := ListsOf(rules[2]); !slices.Equal(got, []string{"bad", "worse"}) {
		t.Errorf("asks %v", got)
	}
}

func TestCaseLists(t *testing.T) {
	find := CaseLists([]rule.CaseList{{Name: "x", Values: []string{"10.0.0.0/8", "Evil.example", "root"}}})
	for value, want := range map[string]bool{"10.1.1.1": true, "11.1.1.1": false, "a.evil.EXAMPLE": true, "bevil.example": false, "ROOT": true, "roots": false} {
		if find("x").Has(value, 0) != want {
			t.Errorf("%s", value)
		}
	}
	if find("y") != nil {
		t.Error("a list that does not exist")
	}
}

// BenchmarkLists asks a list for each event.
func BenchmarkLists(b *testing.B) {
	set, err := Compile([]*rule.Rule{listRule(b, "one", "{user.name|in: admins}")})
	if err != nil {
		b.Fatal(err)
	}
	view, err := NewView(set, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	view = view.WithLists(func(string) List { return names{"root": 0} })
	ev := &storage.Event{}
	for n := range 20 {
		ev.Fields = append(ev.Fields, storage.Field{Name: fmt.Sprint("field.", n), Value: "x"})
	}
	ev.Fields = append(ev.Fields, storage.Field{Name: "user.name", Value: "bob"})
	var sc Scratch
	b.ReportAllocs()
	for b.Loop() {
		if len(view.Match(ev, &sc)) > 0 {
			b.Fatal("a match")
		}
	}
}
