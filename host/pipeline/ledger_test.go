package pipeline

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// What keeps rules from being evaluated is noted where it begins and where it ends.
func TestGaps(t *testing.T) {
	s := &sequencer{}
	show := func() (out []string) {
		for _, g := range s.gaps {
			text := fmt.Sprintf("%d %q %s %d-%d %s", g.Tenant, g.Subject, g.Kind, g.Since, g.Until, g.Detail)
			if g.Ends {
				text = fmt.Sprintf("%d %q ends at %d", g.Tenant, g.Subject, g.Until)
			}
			out = append(out, text)
		}
		s.gaps = nil
		return out
	}
	control := func(at int64, c module.Control) []string {
		s.seq, s.at = uint64(at), at
		c.Tenant = 1
		rests := module.Layer{Rests: map[string]module.Rest{"p/m": {From: 7, Until: 60, Reason: "fuel"}}}
		s.noteControl(&item{control: &c, gen: &module.Generation{Running: module.Running{Layers: module.LayersOf(map[storage.Tenant]module.Layer{1: rests})}}})
		return show()
	}
	for i, c := range []struct {
		c    module.Control
		want []string
	}{
		{module.Control{Kind: module.DisableRule, Name: "r", Who: "ann", Reason: "loud"}, []string{`1 "rule r" ends at 0`, `1 "rule r" off 0-0 switched off by ann: loud`}},
		{module.Control{Kind: module.EnableRule, Name: "r"}, []string{`1 "rule r" ends at 1`}},
		{module.Control{Kind: module.Disable, Name: "p/m", Who: "ann"}, []string{`1 "module p/m" ends at 2`, `1 "module p/m" off 2-0 its package was switched off by ann`}},
		{module.Control{Kind: module.Suspend, Name: "p/m", Reason: "traps"}, []string{`1 "module p/m" ends at 3`, `1 "module p/m" suspended 3-0 suspended: traps`}},
		{module.Control{Kind: module.Activate, Name: "p/m"}, []string{`1 "module p/m" ends at 4`}},
		{module.Control{Kind: module.Throttle, Name: "p/m"}, []string{`1 "module p/m" resting 7-60 fuel`}},
		{module.Control{Kind: module.SetTable, Name: "t"}, nil},
	} {
		if diff := cmp.Diff(c.want, control(int64(i), c.c)); diff != "" {
			t.Error(diff)
		}
	}
	s.noteReports([]correlate.Report{
		{Tenant: 1, Rule: "r", Kind: correlate.Evicted, Keys: 3, Undecided: 1, Oldest: 5, LogTime: 9}, {Tenant: 1, Rule: "r", Kind: correlate.Kept, Keys: 3},
	})
	if diff := cmp.Diff([]string{`1 "rule r" evicted 5-9 3 keys were forgotten for room, of which 1 waited for something that might not come`}, show()); diff != "" {
		t.Error(diff)
	}
	for _, silence := range []time.Duration{time.Second, time.Minute} {
		before := int64(time.Hour)
		s.at = before + int64(silence)
		s.noteSilence(before)
	}
	s.noteSilence(0) // the first message of all
	if got := show(); len(got) != 1 || got[0][:len(`0 "" down `)] != `0 "" down ` {
		t.Error(got)
	}
}

// Firings are gathered by rule and position: the database counts a position once.
func TestFiresAreGathered(t *testing.T) {
	s := &sequencer{}
	for seq := range uint64(2) {
		s.seq, s.at = seq+1, int64(seq)
		for _, f := range []correlate.Firing{{Tenant: 1, Rule: "r", Time: 5}, {Tenant: 1, Rule: "q"}, {Tenant: 1, Rule: "r", Time: 3}, {Tenant: 1, Rule: "r", Clears: true}, {Tenant: 2, Rule: "r"}} {
			s.fired(&f)
		}
	}
	want := []meta.RuleFires{
		{Tenant: 1, Rule: "r", Seq: 1, N: 2, Newest: 5},
		{Tenant: 1, Rule: "q", Seq: 1, N: 1},
		{Tenant: 2, Rule: "r", Seq: 1, N: 1},
		{Tenant: 1, Rule: "r", Seq: 2, At: 1, N: 2, Newest: 5},
		{Tenant: 1, Rule: "q", Seq: 2, At: 1, N: 1},
		{Tenant: 2, Rule: "r", Seq: 2, At: 1, N: 1},
	}
	if diff := cmp.Diff(want, s.fires); diff != "" {
		t.Error(diff)
	}
}
