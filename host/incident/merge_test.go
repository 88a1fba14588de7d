package incident

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/storage"
)

// TestMerge: the merged one is resolved as a duplicate, keeps its count and goes on counting without a new case; the
// other one's count stays its own; both histories say so.
func TestMerge(t *testing.T) {
	f := New(Config{})
	fire(f, 1, firing(1, "bob", 1, 0), firing(1, "eve", 2, 0))
	list := f.Take().Incidents
	bob, eve := list[0].ID, list[1].ID
	merge := func(seq uint64, id, into string) error {
		return f.Act(seq, start, Action{Tenant: 1, Incident: id, Who: "ann", Do: Merge, Arg: into})
	}
	for into, kind := range map[string]error{"": storage.ErrInvalid, bob: storage.ErrInvalid} {
		if err := merge(2, bob, into); !errors.Is(err, kind) {
			t.Errorf("into %q: %v", into, err)
		}
	}
	if err := merge(3, bob, eve); err != nil {
		t.Fatal(err)
	}
	b := f.Take()
	want := []storage.HistoryEntry{
		{Incident: eve, Seq: 3, At: start, Who: "ann", What: "merged", Detail: bob},
		{Incident: bob, Seq: 3, At: start, Who: "ann", What: "merged", Detail: eve},
	}
	if d := cmp.Diff(want, b.History); d != "" {
		t.Error(d)
	}
	if err := merge(4, eve, bob); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("into a merged one: %v", err)
	}
	if err := merge(4, bob, eve); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("merged twice: %v", err)
	}
	fire(f, 5, firing(1, "bob", 5, 10), firing(1, "eve", 6, 10))
	b = f.Take()
	got := map[string]storage.Incident{}
	for _, in := range b.Incidents {
		got[in.ID] = in
	}
	if x := got[bob]; len(got) != 2 || x.Count != 2 || x.State != storage.Resolved || x.Verdict != storage.Duplicate || x.MergedInto != eve {
		t.Errorf("the merged one: %+v", x)
	}
	if x := got[eve]; x.Count != 2 || x.State != storage.Open || x.MergedInto != "" {
		t.Errorf("the one that goes on: %+v", x)
	}
	if len(b.Notices) != 0 {
		t.Errorf("notices %+v", b.Notices)
	}
	// After its quiet period the key is a new case.
	fire(f, 6, firing(1, "bob", 7, 11+int64(DefaultQuiet)/second))
	if b := f.Take(); len(b.Incidents) != 1 || b.Incidents[0].ID == bob || len(b.Notices) != 1 {
		t.Errorf("after the quiet period: %+v", b.Incidents)
	}
	if err := f.Act(7, start, Action{Tenant: 1, Incident: bob, Who: "ann", Do: Reopen}); err != nil {
		t.Fatal(err)
	}
	if in := f.Take().Incidents[0]; in.MergedInto != "" || in.State != storage.Open || in.Verdict != "" {
		t.Errorf("reopened: %+v", in)
	}
}

// TestMergeIntoOneThatOnlyTheDatabaseKnows becomes an entry that the database adds if the incident is there.
func TestMergeIntoOneThatOnlyTheDatabaseKnows(t *testing.T) {
	f := New(Config{})
	fire(f, 1, firing(1, "bob", 1, 0))
	bob := f.Take().Incidents[0].ID
	if err := f.Act(2, start, Action{Tenant: 1, Incident: bob, Who: "ann", Do: Merge, Arg: "old"}); err != nil {
		t.Fatal(err)
	}
	want := []Patch{{Tenant: 1, Entry: storage.HistoryEntry{Incident: "old", Seq: 2, At: start, Who: "ann", What: "merged", Detail: bob}}}
	if b := f.Take(); cmp.Diff(want, b.Patches) != "" || b.Incidents[0].MergedInto != "old" {
		t.Errorf("%+v", b)
	}
}

// TestAnotherVersionOfTheRuleIsNoted, and entities and digest are those of the last firing.
func TestAnotherVersionOfTheRuleIsNoted(t *testing.T) {
	f := New(Config{})
	one, two := firing(1, "bob", 1, 0), firing(1, "bob", 2, 1)
	one.RuleDigest, two.RuleDigest, two.RuleVersion = "sha256:1", "sha256:2", "1.1.0"
	two.Entities = []storage.Entity{{Kind: storage.UserEntity, Value: "bob", Field: "user.name"}}
	fire(f, 1, one)
	fire(f, 2, one, two)
	b := f.Take()
	if got := what(b.History); got != "1 vedette opened medium\n2 vedette rule 1.1.0" {
		t.Errorf("history %q", got)
	}
	if in := b.Incidents[0]; in.RuleDigest != "sha256:2" || cmp.Diff(two.Entities, in.Entities) != "" {
		t.Errorf("%+v", in)
	}
}

func TestEntitiesAreBounded(t *testing.T) {
	f := New(Config{})
	one := firing(1, "bob", 1, 0)
	for range storage.MaxEntities + 1 {
		one.Entities = append(one.Entities, storage.Entity{Kind: storage.UserEntity, Value: "x"})
	}
	fire(f, 1, one)
	if n := len(f.Take().Incidents[0].Entities); n != storage.MaxEntities {
		t.Errorf("%d entities", n)
	}
}
