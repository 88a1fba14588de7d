package incident

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

func clears(user string, n uint64, at int64) Firing {
	fr := firing(1, user, n, at)
	fr.Clears, fr.Evidence, fr.Conditions = true, nil, nil
	return fr
}

// reread writes the fold's state and reads it again.
func reread(t *testing.T, f *Fold) *Fold {
	t.Helper()
	back := New(Config{})
	if err := back.Restore(bytes.NewReader(snapshot(t, f))); err != nil {
		t.Fatal(err)
	}
	return back
}

// TestClear: what clears an incident ends its episode, and leaves its state to people.
func TestClear(t *testing.T) {
	f := New(Config{})
	fire(f, 1, firing(1, "bob", 1, 10), firing(1, "ann", 1, 10))
	fire(f, 2, clears("bob", 2, 9))    // before it fired
	fire(f, 3, clears("carol", 3, 30)) // of nothing
	fire(f, 4, firing(1, "bob", 4, 20))
	fire(f, 5, clears("bob", 5, 20), clears("bob", 5, 21))
	b := f.Take()
	if got := what(b.History); got != "1 vedette opened medium\n1 vedette opened medium\n5 vedette cleared " || len(b.Incidents) != 2 {
		t.Fatalf("%d incidents, history\n%s", len(b.Incidents), got)
	}
	if in := b.Incidents[0]; in.Count != 2 || in.State != storage.Open || in.Applied != 5 {
		t.Errorf("%+v", in)
	}
	f = reread(t, f)
	fire(f, 6, firing(1, "bob", 6, 22), firing(1, "ann", 6, 22))
	next := f.Take()
	if len(next.Incidents) != 2 || next.Incidents[0].ID == b.Incidents[0].ID || next.Incidents[1].ID != b.Incidents[1].ID {
		t.Errorf("bob's is another, ann's goes on: %+v", next.Incidents)
	}
	if err := f.Act(7, start+7*second, Action{Tenant: 1, Incident: b.Incidents[0].ID, Who: "eve", Do: Acknowledge}); err != nil {
		t.Errorf("one that was cleared can be worked: %v", err)
	}
}

// TestSuppress: of one incident nothing is told twice within the time, and a severity that rose meanwhile is told after it.
func TestSuppress(t *testing.T) {
	f := New(Config{})
	var told []string
	at := func(seq uint64, severity storage.Severity) {
		fr := firing(1, "bob", seq, int64(seq))
		fr.Severity, fr.Suppress = severity, time.Minute
		fire(f, seq, fr)
		b := f.Take()
		for _, n := range b.Notices {
			told = append(told, fmt.Sprintf("%d %s", seq, n.Kind))
		}
		if got := b.Incidents[0].Count; len(b.Incidents) != 1 || got == 0 {
			t.Fatalf("at %d: %+v", seq, b.Incidents)
		}
		f = reread(t, f)
	}
	at(1, storage.Low)
	at(30, storage.High)
	at(40, storage.Medium)
	at(61, storage.Low)
	at(62, storage.Critical)
	at(200, storage.Low)
	at(300, storage.Low)
	if got := strings.Join(told, ", "); got != "1 opened, 61 severity, 200 severity" {
		t.Error(got)
	}
}
