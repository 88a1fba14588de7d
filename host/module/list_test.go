package module_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/host/list"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// looked is a Loader whose tables and indicator sets are known by their digests.
type looked struct {
	ready
	tables map[string]*index.Table
	sets   map[string]*indicator.Set
}

func (l looked) Table(_ context.Context, _ storage.Tenant, v module.Table) (*index.Table, error) {
	return l.tables[v.Digest], nil
}

func (l looked) Indicators(_ context.Context, _ storage.Tenant, v module.Indicators) (*indicator.Set, error) {
	return l.sets[v.Digest], nil
}

// context is one log of control records.
type contextLog struct {
	tb  testing.TB
	lib module.Loader
	run module.Running
	gen *module.Generation
}

func newContext(tb testing.TB, lib module.Loader) *contextLog {
	tb.Helper()
	gen, err := module.Build(tb.Context(), lib, nil, module.Running{}, storage.NoTenant)
	if err != nil {
		tb.Fatal(err)
	}
	return &contextLog{tb: tb, lib: lib, gen: gen}
}

// do applies a control record at a log time of as many seconds as its position.
func (x *contextLog) do(c module.Control) error {
	x.tb.Helper()
	seq := x.run.Seq + 1
	run, err := x.run.Apply(seq, int64(seq)*int64(time.Second), c)
	if err != nil {
		return err
	}
	if x.gen, err = module.Build(x.tb.Context(), x.lib, x.gen, run, c.Tenant); err != nil {
		x.tb.Fatal(err)
	}
	x.run = run
	return nil
}

func (x *contextLog) must(c module.Control) {
	x.tb.Helper()
	if err := x.do(c); err != nil {
		x.tb.Fatal(err)
	}
}

func (x *contextLog) put(t storage.Tenant, name string, values ...string) {
	x.tb.Helper()
	e := &module.Entries{}
	for _, v := range values {
		e.Put = append(e.Put, module.PutEntry{Value: v})
	}
	x.must(module.Control{Kind: module.SetEntries, Tenant: t, Name: name, Entries: e})
}

// fires reports whether the rule "listed" matches an event of a tenant with a user.
func (x *contextLog) fires(t storage.Tenant, user string, received int64) bool {
	x.tb.Helper()
	var sc detect.Scratch
	ev := &storage.Event{Received: received, Fields: []storage.Field{{Name: "user.name", Value: user}}}
	return len(x.gen.View(t).Rules.Match(ev, &sc)) > 0
}

func listed(tb testing.TB) looked {
	tb.Helper()
	r, err := rule.Parse("rule.yaml", []byte("kind: pattern\nid: listed\nname: x\nversion: 1.0.0\nseverity: low\nsubs:\n  a:\n    where: {user.name|in: watched}\n    by: [user.name]\nincident:\n  key: [user.name]\n  title: x\n"))
	if err != nil {
		tb.Fatal(err)
	}
	return looked{ready: ready{"rules": &module.Loaded{Manifest: manifest.Manifest{Kind: manifest.Rule}, Rules: []*rule.Rule{r}}}, tables: map[string]*index.Table{}, sets: map[string]*indicator.Set{}}
}

// A rule that all share asks, for each organization, what stands under a name there.
func TestListsOfRules(t *testing.T) {
	lib := listed(t)
	var err error
	if lib.tables["table"], err = index.New(index.Exact, []string{"k"}, [][]string{{"tabled"}}); err != nil {
		t.Fatal(err)
	}
	text, err := indicator.Encode([]indicator.Indicator{{Type: indicator.Domain, Value: "evil.example"}})
	if err == nil {
		lib.sets["set"], err = indicator.Decode(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	x := newContext(t, lib)
	x.must(module.Control{Kind: module.Activate, Name: "test/rules", Digest: "rules"})
	if x.fires(1, "root", 0) {
		t.Error("something is in a list that does not exist")
	}
	r := x.gen.View(1).Rules.Rule("listed")
	if got := x.gen.ListsOf(1, r); len(got) != 1 || got[0].What != "" {
		t.Errorf("a list that does not exist: %v", got)
	}
	x.put(storage.NoTenant, "watched", "root")
	x.put(1, "watched", "alice")
	for user, want := range map[string][2]bool{"ROOT": {true, true}, "alice": {true, false}, "bob": {false, false}} {
		if x.fires(1, user, 0) != want[0] || x.fires(2, user, 0) != want[1] {
			t.Errorf("%s: %v %v, want %v", user, x.fires(1, user, 0), x.fires(2, user, 0), want)
		}
	}
	if got := x.gen.ListsOf(1, r); !reflect.DeepEqual(got, []module.ListVersion{{"watched", 1, "list", 3}, {"watched", 0, "list", 2}}) {
		t.Errorf("versions %v", got)
	}
	for _, c := range []module.Control{
		{Kind: module.SetTable, Tenant: 1, Name: "watched", Table: &module.Table{Name: "watched", Digest: "table"}},
		{Kind: module.SetIndicators, Tenant: 1, Name: "watched", Indicators: &module.Indicators{Name: "watched", Digest: "set"}},
	} {
		if err := x.do(c); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("a name that a list has: %v", err)
		}
	}
	x.must(module.Control{Kind: module.RemoveList, Tenant: 1, Name: "watched"})
	x.must(module.Control{Kind: module.SetTable, Tenant: 1, Name: "watched", Table: &module.Table{Name: "watched", Digest: "table"}})
	if !x.fires(1, "tabled", 0) || x.fires(1, "root", 0) || !x.fires(2, "root", 0) {
		t.Error("a table of an organization hides what all share")
	}
	if err := x.do(module.Control{Kind: module.SetEntries, Tenant: 1, Name: "watched", Entries: &module.Entries{Remove: []string{"x"}}}); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("entries of a table: %v", err)
	}
	x.must(module.Control{Kind: module.RemoveTable, Tenant: 1, Name: "watched"})
	x.must(module.Control{Kind: module.SetIndicators, Tenant: 1, Name: "watched", Indicators: &module.Indicators{Name: "watched", Digest: "set"}})
	if !x.fires(1, "x.evil.example", 0) || !x.fires(1, "root", 0) || x.fires(2, "x.evil.example", 0) {
		t.Error("indicators are a list too")
	}
	if f := x.gen.View(1).Feeds(); len(f) != 1 || f[0].Name != "watched" || len(x.gen.View(2).Feeds()) != 0 {
		t.Errorf("feeds %v", f)
	}
}

// What is put in counts until its time is over, and a change of values compiles nothing.
func TestEntries(t *testing.T) {
	x := newContext(t, listed(t))
	x.must(module.Control{Kind: module.Activate, Tenant: 1, Name: "test/rules", Digest: "rules"})
	x.must(module.Control{Kind: module.SetList, Tenant: 1, Name: "watched", Who: "alice", List: &module.ListHead{Kind: index.Exact, Group: "users", Description: "whom we watch"}})
	own := x.gen.View(1).Rules.Rule("listed")
	x.must(module.Control{Kind: module.SetEntries, Tenant: 1, Name: "watched", Who: "bob", Entries: &module.Entries{Put: []module.PutEntry{{Value: "root", TTL: time.Minute, Origin: "bob"}, {Value: "x"}}}})
	at := int64(3 * time.Second)
	if !x.fires(1, "root", at+int64(time.Minute)-1) || x.fires(1, "root", at+int64(time.Minute)) || x.fires(1, "ROOT", at) {
		t.Error("an entry ends when it should not")
	}
	if x.gen.View(1).Rules.Rule("listed") != own {
		t.Error("the rules were made anew")
	}
	l := x.run.Layer(1).Lists["watched"]
	if l.Seq != 3 || l.Who != "bob" || l.Group != "users" || l.Values.Len() != 2 || l.Values.Find("root", at).Origin != "bob" {
		t.Errorf("%+v", l)
	}
	x.must(module.Control{Kind: module.SetEntries, Tenant: 1, Name: "watched", Entries: &module.Entries{Remove: []string{"root", "not there"}}})
	if x.fires(1, "root", at) || !x.fires(1, "x", at) {
		t.Error("an entry was not removed")
	}
	if err := x.do(module.Control{Kind: module.SetList, Tenant: 1, Name: "watched", List: &module.ListHead{Kind: index.CIDR}}); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("another kind with values in it: %v", err)
	}
	text, err := json.Marshal(x.run)
	if err != nil {
		t.Fatal(err)
	}
	var again module.Running
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if twice, err := json.Marshal(again); err != nil || string(twice) != string(text) || !again.Layer(1).Lists["watched"].Values.Has("x", 0) {
		t.Errorf("%s, then %s: %v", text, twice, err)
	}
}

// What rules write is written once, in the order in which it was decided, and what a list does not take is left out.
func TestWrites(t *testing.T) {
	x := newContext(t, listed(t))
	write := func(seq uint64, part int, values ...string) error {
		e := &module.Entries{From: module.Place{Seq: seq, Part: part}}
		for _, v := range values {
			e.Put = append(e.Put, module.PutEntry{Value: v, Origin: "rule:x"})
		}
		return x.do(module.Control{Kind: module.SetEntries, Tenant: 1, Name: "addresses", Entries: e})
	}
	x.must(module.Control{Kind: module.SetList, Name: "addresses", List: &module.ListHead{Kind: index.CIDR}})
	if err := errors.Join(write(7, 0, "192.0.2.7", "no address"), write(7, 1, "192.0.2.8"), write(9, 0, "192.0.2.9")); err != nil {
		t.Fatal(err)
	}
	for _, p := range []module.Place{{Seq: 9}, {Seq: 8, Part: 5}, {Seq: 7, Part: 1}} {
		if err := write(p.Seq, p.Part, "192.0.2.1"); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("%v was written again: %v", p, err)
		}
	}
	if l := x.run.Layer(1).Lists["addresses"]; l.Values.Len() != 3 || l.Values.Kind() != index.CIDR {
		t.Errorf("%d values, %s", l.Values.Len(), l.Values.Kind())
	}
	short := &module.Entries{From: module.Place{Seq: 10}, Put: []module.PutEntry{{Value: "192.0.2.9", TTL: time.Minute}, {Value: "192.0.2.10", TTL: time.Minute}}}
	if err := x.do(module.Control{Kind: module.SetEntries, Tenant: 1, Name: "addresses", Entries: short}); err != nil {
		t.Fatal(err)
	}
	l := x.run.Layer(1).Lists["addresses"].Values
	if l.Get("192.0.2.9", 0).Expires != 0 || l.Get("192.0.2.10", 0).Expires == 0 {
		t.Error("what was there for good is there for a minute")
	}
}

func TestListLimits(t *testing.T) {
	x := newContext(t, listed(t))
	set := func(name string, h *module.ListHead) error {
		return x.do(module.Control{Kind: module.SetList, Tenant: 1, Name: name, List: h})
	}
	for why, err := range map[string]error{
		"a name":        set("Bad Name", &module.ListHead{Kind: index.Exact}),
		"nothing":       set("x", nil),
		"a kind":        set("x", &module.ListHead{Kind: "regex"}),
		"a group":       set("x", &module.ListHead{Kind: index.Exact, Group: "cats"}),
		"a description": set("x", &module.ListHead{Kind: index.Exact, Description: strings.Repeat("x", module.MaxDescriptionBytes+1)}),
		"no entries":    x.do(module.Control{Kind: module.SetEntries, Tenant: 1, Name: "x", Entries: &module.Entries{}}),
		"a bad value":   x.do(module.Control{Kind: module.SetEntries, Tenant: 1, Name: "x", Entries: &module.Entries{Put: []module.PutEntry{{}}}}),
		"no set":        x.do(module.Control{Kind: module.SetIndicators, Tenant: 1, Name: "x"}),
	} {
		if !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if err := x.do(module.Control{Kind: module.RemoveList, Tenant: 1, Name: "x"}); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("no list: %v", err)
	}
	for n := range module.MaxLists {
		if err := set(fmt.Sprint("l", n), &module.ListHead{Kind: index.Exact}); err != nil {
			t.Fatal(err)
		}
	}
	if err := set("more", &module.ListHead{Kind: index.Exact}); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("a list more: %v", err)
	}
	for n := range module.MaxIndicatorSets {
		name := fmt.Sprint("s", n)
		x.must(module.Control{Kind: module.SetIndicators, Tenant: 2, Name: name, Indicators: &module.Indicators{Name: name, Digest: "d"}})
	}
	if err := x.do(module.Control{Kind: module.SetIndicators, Tenant: 2, Name: "more", Indicators: &module.Indicators{Name: "more", Digest: "d"}}); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("a set more: %v", err)
	}
	if err := x.do(module.Control{Kind: module.SetIndicators, Tenant: 3, Name: "s", Indicators: &module.Indicators{Name: "s", Digest: "d", Bytes: module.MaxIndicatorBytes + 1}}); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("a byte more: %v", err)
	}
	x.must(module.Control{Kind: module.Forget, Tenant: 1})
	if len(x.run.Layer(1).Lists) > 0 {
		t.Error("an organization that ended has lists")
	}
}

// At most so many values of all lists together.
func TestListedValues(t *testing.T) {
	full, err := list.New(index.Exact)
	if err != nil {
		t.Fatal(err)
	}
	var put []list.Entry
	for n := range list.MaxEntries {
		put = append(put, list.Entry{Value: fmt.Sprint(n)})
	}
	if full, _, err = full.With(nil, put, 0); err != nil {
		t.Fatal(err)
	}
	lists := map[string]module.List{}
	for n := range module.MaxListedValues / list.MaxEntries {
		lists[fmt.Sprint("l", n)] = module.List{Values: full}
	}
	run := module.Running{Layers: module.LayersOf(map[storage.Tenant]module.Layer{1: {Lists: lists}})}
	_, err = run.Apply(1, 1, module.Control{Kind: module.SetEntries, Tenant: 1, Name: "more", Entries: &module.Entries{Put: []module.PutEntry{{Value: "x"}}}})
	if !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("a value more: %v", err)
	}
}

// BenchmarkEntries is what a change of a full list costs the reader of the log, with 5,000 organizations that have modules
// of their own.
func BenchmarkEntries(b *testing.B) {
	x := newMany(b, 100, 5000)
	var put []module.PutEntry
	for n := range list.MaxEntries - 10 {
		put = append(put, module.PutEntry{Value: fmt.Sprint("user-", n)})
	}
	do := func(e *module.Entries) {
		x.seq++
		run, err := x.running.Apply(x.seq, 1, module.Control{Kind: module.SetEntries, Tenant: 1, Name: "watched", Entries: e})
		if err != nil {
			b.Fatal(err)
		}
		x.running = run
		if x.gen, err = module.Build(b.Context(), x.ready, x.gen, run, 1); err != nil {
			b.Fatal(err)
		}
	}
	do(&module.Entries{Put: put})
	for b.Loop() {
		do(&module.Entries{Put: []module.PutEntry{{Value: "one more"}}})
	}
}
