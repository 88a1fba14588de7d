package incident

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/storage"
)

const (
	second = int64(time.Second)
	start  = int64(1_700_000_000) * second
)

// firing returns a firing of rule "r" for a user at a time in seconds after start, triggered by record n.
func firing(t storage.Tenant, user string, n uint64, at int64) Firing {
	id := storage.EventID{Seq: n}
	return Firing{
		Tenant: t, Rule: "r", RuleName: "Rule", RuleVersion: "1.0.0", Key: []storage.Field{{Name: "user.name", Value: user}},
		Title: "user " + user, Severity: storage.Medium, Techniques: []string{"T1110"}, Trigger: id, Time: start + at*second,
		Evidence:   []storage.Evidence{{Sub: "fail", ID: id, Time: start + at*second}},
		Conditions: []storage.Condition{{Sub: "fail", Expr: "count() >= 1", Actual: fmt.Sprint(n), Threshold: "1"}},
	}
}

func fire(f *Fold, seq uint64, fs ...Firing) { f.Fire(seq, start+int64(seq)*second, fs) }

func what(h []storage.HistoryEntry) string {
	var out []string
	for _, e := range h {
		out = append(out, fmt.Sprintf("%d %s %s %s", e.Seq, e.Who, e.What, e.Detail))
	}
	return strings.Join(out, "\n")
}

func TestFirstFiringOpensAndFurtherOnesCount(t *testing.T) {
	f := New(Config{})
	fire(f, 1, firing(1, "bob", 1, 10))
	fire(f, 2, firing(1, "bob", 2, 5), firing(1, "bob", 3, 20))
	b := f.Take()
	if len(b.Incidents) != 1 || len(b.Notices) != 1 {
		t.Fatalf("%d incidents, %d notices; want 1 of each", len(b.Incidents), len(b.Notices))
	}
	in := b.Incidents[0]
	want := storage.Incident{
		ID: in.ID, Tenant: 1, Rule: "r", RuleName: "Rule", RuleVersion: "1.0.0", Key: []storage.Field{{Name: "user.name", Value: "bob"}},
		Title: "user bob", Severity: storage.Medium, State: storage.Open, Count: 3,
		FirstSeen: start + 5*second, LastSeen: start + 20*second, OpenedAt: start + 1*second, UpdatedAt: start + 2*second,
		Techniques: []string{"T1110"}, Applied: 2,
		Evidence: []storage.Evidence{
			{Sub: "fail", ID: storage.EventID{Seq: 1}, Time: start + 10*second},
			{Sub: "fail", ID: storage.EventID{Seq: 2}, Time: start + 5*second},
			{Sub: "fail", ID: storage.EventID{Seq: 3}, Time: start + 20*second},
		},
		Conditions: []storage.Condition{{Sub: "fail", Expr: "count() >= 1", Actual: "3", Threshold: "1"}},
		Entities:   []storage.Entity{},
	}
	if d := cmp.Diff(want, in); d != "" {
		t.Error(d)
	}
	// The id is part of what other systems keep: it never changes.
	if want := "91e9a371-508c-5df5-84c6-eddd7aad6f75"; in.ID != want {
		t.Errorf("id %s; want %s", in.ID, want)
	}
	if got := what(b.History); got != "1 vedette opened medium" {
		t.Errorf("history %q", got)
	}
	if n := b.Notices[0]; n.Key != in.ID+".opened.1" || n.Tenant != 1 || !bytes.Contains(n.Payload, []byte(`"key":{"user.name":"bob"}`)) {
		t.Errorf("notice %+v", n)
	}
	if b := f.Take(); !b.Empty() {
		t.Errorf("second take is not empty: %+v", b)
	}
}

func TestWhatSeparatesIncidents(t *testing.T) {
	base := firing(1, "bob", 1, 0)
	for name, change := range map[string]func(*Firing){
		"tenant": func(f *Firing) { f.Tenant = 2 },
		"rule":   func(f *Firing) { f.Rule = "other" },
		"key":    func(f *Firing) { f.Key = []storage.Field{{Name: "user.name", Value: "eve"}} },
		"key running together": func(f *Firing) {
			f.Key = []storage.Field{{Name: "user.nameb", Value: "ob"}}
		},
		"key beyond what is shown": func(f *Firing) {
			f.Key = []storage.Field{{Name: "user.name", Value: strings.Repeat("a", MaxKeyValueBytes) + "1"}}
		},
		"quiet period": func(f *Firing) { f.Time += int64(DefaultQuiet) + 1; f.Trigger.Seq++ },
		"short quiet period": func(f *Firing) {
			f.Time, f.QuietFor = f.Time+second+1, time.Second
			f.Trigger.Seq++
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := New(Config{})
			other := base
			change(&other)
			fire(f, 1, base)
			fire(f, 2, other)
			if b := f.Take(); len(b.Incidents) != 2 || b.Incidents[0].ID == b.Incidents[1].ID {
				t.Errorf("want two incidents, got %d", len(b.Incidents))
			}
		})
	}
	f := New(Config{})
	at := base
	at.Time += int64(DefaultQuiet) // exactly the quiet period is not later than it
	fire(f, 1, base)
	fire(f, 2, at)
	if b := f.Take(); len(b.Incidents) != 1 {
		t.Errorf("%d incidents at exactly the quiet period; want 1", len(b.Incidents))
	}
}

func TestSeverityRisesOnceARecordAndStaysWhereAPersonPutIt(t *testing.T) {
	f := New(Config{})
	at := func(n uint64, s storage.Severity) Firing {
		fr := firing(1, "bob", n, int64(n))
		fr.Severity = s
		return fr
	}
	fire(f, 1, at(1, storage.Low), at(2, storage.Medium)) // opens at medium, one notice
	fire(f, 2, at(3, storage.High), at(4, storage.Critical), at(5, storage.Low))
	b := f.Take()
	if got, want := what(b.History), "1 vedette opened medium\n2 vedette severity critical"; got != want {
		t.Errorf("history\n%s\nwant\n%s", got, want)
	}
	if len(b.Notices) != 2 || b.Notices[1].Kind != KindSeverity {
		t.Errorf("notices %+v", b.Notices)
	}
	id := b.Incidents[0].ID
	if err := f.Act(3, start, Action{Tenant: 1, Incident: id, Who: "ann", Do: SetSeverity, Arg: "low"}); err != nil {
		t.Fatal(err)
	}
	f.Take()
	if err := f.Restore(bytes.NewReader(snapshot(t, f))); err != nil {
		t.Fatal(err)
	}
	fire(f, 4, at(6, storage.Critical))
	if b := f.Take(); b.Incidents[0].Severity != storage.Low || len(b.Notices) != 0 {
		t.Errorf("severity %s, %d notices; a person set low, and no firing was worse than before", b.Incidents[0].Severity, len(b.Notices))
	}
}

func TestActions(t *testing.T) {
	type step struct {
		do    Do
		arg   string
		err   error
		state storage.State
	}
	for name, steps := range map[string][]step{
		"the usual way": {
			{Acknowledge, "", nil, storage.Acknowledged},
			{Assign, "ann", nil, storage.Acknowledged},
			{Comment, "looking", nil, storage.Acknowledged},
			{Resolve, "benign", nil, storage.Resolved},
			{Reopen, "", nil, storage.Open},
		},
		"acknowledge twice":  {{Acknowledge, "", nil, storage.Acknowledged}, {Acknowledge, "", storage.ErrConflict, storage.Acknowledged}},
		"reopen an open one": {{Reopen, "", storage.ErrConflict, storage.Open}},
		"resolve twice":      {{Resolve, "duplicate", nil, storage.Resolved}, {Resolve, "benign", storage.ErrConflict, storage.Resolved}},
		"unknown verdict":    {{Resolve, "dunno", storage.ErrInvalid, storage.Open}},
		"unknown severity":   {{SetSeverity, "worst", storage.ErrInvalid, storage.Open}},
		"unknown action":     {{"explode", "", storage.ErrInvalid, storage.Open}},
		"empty comment":      {{Comment, "", storage.ErrInvalid, storage.Open}},
		"long comment":       {{Comment, strings.Repeat("x", MaxCommentBytes+1), storage.ErrInvalid, storage.Open}},
		"longest comment":    {{Comment, strings.Repeat("x", MaxCommentBytes), nil, storage.Open}},
		"long assignee":      {{Assign, strings.Repeat("x", MaxWhoBytes+1), storage.ErrInvalid, storage.Open}},
	} {
		t.Run(name, func(t *testing.T) {
			f := New(Config{})
			fire(f, 1, firing(1, "bob", 1, 0))
			in := f.Take().Incidents[0]
			for i, s := range steps {
				err := f.Act(uint64(i)+2, start, Action{Tenant: 1, Incident: in.ID, Who: "ann", Do: s.do, Arg: s.arg})
				if !errors.Is(err, s.err) {
					t.Fatalf("%s: error %v; want %v", s.do, err, s.err)
				}
				b := f.Take()
				if s.err != nil {
					if !b.Empty() {
						t.Errorf("%s failed and changed something: %+v", s.do, b)
					}
					continue
				}
				in = b.Incidents[0]
				if in.State != s.state || (in.Verdict != "") != (in.State == storage.Resolved) || in.Applied != uint64(i)+2 {
					t.Errorf("after %s: state %s, verdict %q, applied %d", s.do, in.State, in.Verdict, in.Applied)
				}
				if len(b.History) != 1 || b.History[0].Who != "ann" || b.History[0].What != string(s.do) || b.History[0].Detail != s.arg {
					t.Errorf("history %+v", b.History)
				}
			}
		})
	}
}

func TestFiringAfterResolutionOpensAnother(t *testing.T) {
	f := New(Config{})
	fire(f, 1, firing(1, "bob", 1, 0))
	first := f.Take().Incidents[0].ID
	if err := f.Act(2, start, Action{Tenant: 1, Incident: first, Who: "ann", Do: Resolve, Arg: "benign"}); err != nil {
		t.Fatal(err)
	}
	fire(f, 3, firing(1, "bob", 3, 1))
	b := f.Take()
	if len(b.Incidents) != 2 || b.Incidents[1].ID == first || b.Incidents[1].Count != 1 || b.Incidents[0].Count != 1 {
		t.Fatalf("batch %+v", b.Incidents)
	}
	// Reopened, the first is worked again; the newest still takes the firings.
	if err := f.Act(4, start, Action{Tenant: 1, Incident: first, Who: "ann", Do: Reopen}); err != nil {
		t.Fatal(err)
	}
	f.Take()
	fire(f, 5, firing(1, "bob", 5, 2))
	if in := f.Take().Incidents; len(in) != 1 || in[0].ID == first || in[0].Count != 2 {
		t.Errorf("batch %+v", in)
	}
}

func TestActionOfAnotherTenantIsNotAppliedToTheIncident(t *testing.T) {
	f := New(Config{})
	fire(f, 1, firing(1, "bob", 1, 0), firing(2, "bob", 1, 0))
	id := f.Take().Incidents[0].ID
	if err := f.Act(2, start, Action{Tenant: 2, Incident: id, Who: "eve", Do: Resolve, Arg: "benign"}); err != nil {
		t.Fatal(err)
	}
	b := f.Take()
	if len(b.Incidents) != 0 || len(b.History) != 0 || len(b.Patches) != 1 || b.Patches[0].Tenant != 2 {
		t.Errorf("batch %+v; want one patch of tenant 2, which finds nothing there", b)
	}
}

func TestForget(t *testing.T) {
	f := New(Config{MaxTracked: 1})
	fire(f, 1, firing(7, "ann", 1, start), firing(7, "bob", 2, start), firing(8, "ann", 3, start))
	if err := f.Act(2, start, Action{Tenant: 7, Incident: "unknown", Who: "u", Do: Comment, Arg: "x"}); err != nil {
		t.Fatal(err)
	}
	f.Forget(3, 7)
	b := f.Take()
	if len(b.Incidents) != 1 || b.Incidents[0].Tenant != 8 || len(b.History) != 1 || len(b.Patches)+len(b.Forgotten) != 0 || len(b.Notices) != 1 {
		t.Errorf("left: %+v", b)
	}
	if f.Tracked() != 1 {
		t.Errorf("%d incidents are tracked", f.Tracked())
	}
}

func TestBounds(t *testing.T) {
	f := New(Config{MaxTracked: 2})
	fire(f, 1, firing(1, "a", 1, 0), firing(1, "b", 2, 0), firing(2, "x", 2, 0))
	fire(f, 2, firing(1, "a", 3, 0))
	if b := f.Take(); len(b.Forgotten) != 0 || f.Tracked() != 3 {
		t.Fatalf("at the limit: %d forgotten, %d tracked", len(b.Forgotten), f.Tracked())
	}
	fire(f, 3, firing(1, "c", 4, 0))
	if b := f.Take(); len(b.Forgotten) != 1 || b.Forgotten[0].Title != "user b" || f.Tracked() != 3 {
		t.Errorf("one over: forgotten %+v, %d tracked; want b, fired longest ago", b.Forgotten, f.Tracked())
	}

	f = New(Config{})
	big := firing(1, "bob", 1, 0)
	big.Title = strings.Repeat("é", MaxTitleBytes)
	big.Key = make([]storage.Field, MaxKeyFields+1)
	big.Key[0].Value = strings.Repeat("v", MaxKeyValueBytes+1)
	big.Evidence = nil
	big.Conditions = make([]storage.Condition, MaxConditions+1)
	big.Conditions[0].Expr = strings.Repeat("e", MaxConditionBytes+1)
	for i := range MaxTechniques + 1 {
		big.Techniques = append(big.Techniques, fmt.Sprintf("T%04d", i))
	}
	for s := range MaxSubs + 1 {
		for i := range storage.MaxEvidence + 1 {
			big.Evidence = append(big.Evidence, storage.Evidence{Sub: fmt.Sprintf("s%03d", s), ID: storage.EventID{Seq: uint64(i + 1)}})
		}
	}
	fire(f, 1, big)
	in := f.Take().Incidents[0]
	if len(in.Title) != MaxTitleBytes || len(in.Key) != MaxKeyFields || len(in.Key[0].Value) != MaxKeyValueBytes || len(in.Conditions) != MaxConditions ||
		len(in.Conditions[0].Expr) != MaxConditionBytes || len(in.Techniques) != MaxTechniques || len(in.Evidence) != MaxSubs*storage.MaxEvidence {
		t.Errorf("title %d, key %d of %d, conditions %d of %d, techniques %d, evidence %d", len(in.Title), len(in.Key), len(in.Key[0].Value),
			len(in.Conditions), len(in.Conditions[0].Expr), len(in.Techniques), len(in.Evidence))
	}
	if first := in.Evidence[0]; first.ID.Seq != 2 {
		t.Errorf("oldest evidence kept is %s; want the newest %d", first.ID, storage.MaxEvidence)
	}
	if err := New(Config{}).Restore(bytes.NewReader(snapshot(t, f))); err != nil {
		t.Errorf("the largest incident does not come back from a snapshot: %v", err)
	}
}

func TestQuietIncidentsAreForgottenAndCanStillBeWorked(t *testing.T) {
	f := New(Config{})
	fire(f, 1, firing(1, "bob", 1, 0))
	id := f.Take().Incidents[0].ID
	late := start + int64(DefaultQuiet) + lateness
	f.Fire(2, late, nil)
	if f.Tracked() != 1 {
		t.Fatal("forgotten while a firing could still come")
	}
	f.Fire(3, late+sweepEvery, nil)
	if f.Tracked() != 0 {
		t.Fatal("not forgotten after the quiet period")
	}
	if err := f.Act(4, late, Action{Tenant: 1, Incident: id, Who: "ann", Do: Resolve, Arg: "benign"}); err != nil {
		t.Fatal(err)
	}
	want := Patch{
		Tenant: 1, From: []storage.State{storage.Open, storage.Acknowledged}, State: storage.Resolved, Verdict: storage.Benign,
		Entry: storage.HistoryEntry{Incident: id, Seq: 4, At: late, Who: "ann", What: "resolved", Detail: "benign"},
	}
	if b := f.Take(); len(b.Patches) != 1 || cmp.Diff(want, b.Patches[0]) != "" {
		t.Errorf("patches %+v", b.Patches)
	}
}

func TestForgettingAnOldEpisodeKeepsTheCurrentOne(t *testing.T) {
	f := New(Config{MaxTracked: 2})
	fire(f, 1, firing(1, "bob", 1, 0))
	first := f.Take().Incidents[0].ID
	if err := f.Act(2, start, Action{Tenant: 1, Incident: first, Who: "ann", Do: Resolve, Arg: "benign"}); err != nil {
		t.Fatal(err)
	}
	fire(f, 3, firing(1, "bob", 3, 1))
	second := f.Take().Incidents[1].ID
	fire(f, 4, firing(1, "eve", 4, 1)) // no room: bob's resolved one goes
	fire(f, 5, firing(1, "bob", 5, 2))
	b := f.Take()
	if len(b.Forgotten) != 1 || b.Forgotten[0].ID != first || b.Incidents[1].ID != second || b.Incidents[1].Count != 2 {
		t.Errorf("batch %+v", b)
	}
}

// TestWhenItLastSweptOutlivesARestart lets an incident come due for forgetting between two sweeps: a fold that was
// restored must not look sooner than one that was not.
func TestWhenItLastSweptOutlivesARestart(t *testing.T) {
	f := New(Config{})
	f.Fire(1, start, []Firing{firing(1, "bob", 1, 0)})
	due := start + int64(DefaultQuiet) + lateness
	f.Fire(2, due, nil) // sweeps a moment too early
	f.Take()
	restored := New(Config{})
	if err := restored.Restore(bytes.NewReader(snapshot(t, f))); err != nil {
		t.Fatal(err)
	}
	for _, fold := range []*Fold{f, restored} {
		if fold.Fire(3, due+1, nil); fold.Tracked() != 1 {
			t.Error("swept twice within an hour")
		}
	}
}

func TestLowerSequencesAreIgnored(t *testing.T) {
	f := New(Config{})
	fire(f, 5, firing(1, "bob", 5, 0))
	id := f.Take().Incidents[0].ID
	fire(f, 4, firing(1, "bob", 4, 0))
	if err := f.Act(4, start, Action{Tenant: 1, Incident: id, Who: "ann", Do: Acknowledge}); err != nil {
		t.Fatal(err)
	}
	if b := f.Take(); !b.Empty() || f.Seq() != 5 {
		t.Errorf("batch %+v at %d", b, f.Seq())
	}
}

func TestSnapshotWantsEverythingTaken(t *testing.T) {
	f := New(Config{})
	fire(f, 1, firing(1, "bob", 1, 0))
	if _, err := f.Append(nil); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("error %v; want conflict", err)
	}
}

func FuzzRestore(f *testing.F) {
	full := New(Config{})
	fire(full, 1, firing(1, "bob", 1, 0), firing(2, "eve", 2, 0))
	full.Take()
	b := snapshot(f, full)
	f.Add(b)
	f.Add([]byte(snapshotHeader))
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, in []byte) {
		fold := New(Config{})
		if err := fold.Restore(bytes.NewReader(in)); err != nil {
			if !errors.Is(err, storage.ErrInvalid) {
				t.Fatalf("error without a kind: %v", err)
			}
			if fold.Tracked() != 0 || fold.Seq() != 0 {
				t.Fatal("a failed restore changed the fold")
			}
			return
		}
		first := snapshot(t, fold)
		if err := fold.Restore(bytes.NewReader(first)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, snapshot(t, fold)) {
			t.Fatal("the same state gave two snapshots")
		}
		fire(fold, fold.Seq(), firing(1, "bob", 1, 0)) // what was restored can be worked with
		fold.Take()
	})
}

func BenchmarkFire(b *testing.B) {
	f := New(Config{})
	users := make([]string, 1000)
	for i := range users {
		users[i] = fmt.Sprintf("user%d", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n := uint64(i + 1)
		fire(f, n, firing(1, users[i%len(users)], n, int64(i/1000)))
		if i%1000 == 999 {
			f.Take()
		}
	}
}
