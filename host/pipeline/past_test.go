package pipeline_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// told is what the database says of the past: control records, and values of the list with what rules write.
func told(t *testing.T, m *machine, p storage.Principal) string {
	t.Helper()
	var out []string
	controls, err := m.db.Controls(t.Context(), p, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range controls {
		out = append(out, fmt.Sprint(c.Kind, " ", c.Name))
	}
	err = m.db.EachMember(t.Context(), p, "refused-badges", 0, 1<<40, func(x *meta.Member) error {
		out = append(out, fmt.Sprint(x.Compared, " ", x.Value, " ", x.Since < x.Until, " ", x.Expires > 0))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "\n")
}

// What ran, and what was in lists, is known after the log was cut, once, wherever the machine dies.
func TestPastSurvives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, dies := range []string{"commit", "committed", "saved"} {
		t.Run(dies, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, w, t.TempDir(), 0)
			cfg := m.config(1, time.Nanosecond)
			crash := func(step string) error {
				if step == dies {
					return errCrash
				}
				return nil
			}
			p := start(t, cfg, nil)
			for _, c := range []module.Control{
				{Kind: module.Activate, Name: parserName, Digest: w.v1},
				{Kind: module.Activate, Name: listingName, Digest: w.listing},
				{Kind: module.Rollback, Name: "local/none"}, // has no effect
				{Kind: module.SetEntries, Tenant: 1, Name: "refused-badges", Entries: &module.Entries{Put: []module.PutEntry{{Value: "bob"}, {Value: "carl"}}}},
				{Kind: module.Relearn, Tenant: 1, Name: "local.reads"},
			} {
				c.Who = "sim"
				m.control(t, c)
			}
			m.put(t, 1, "192.0.2.1", "door=north badge=ada result=refused")
			settled(t, m, p)
			if err := p.end(); err != nil {
				t.Fatal(err)
			}
			last := m.control(t, module.Control{Kind: module.SetEntries, Tenant: 1, Name: "refused-badges", Who: "sim", Entries: &module.Entries{Remove: []string{"BOB"}}})
			m.control(t, module.Control{Kind: module.RemoveList, Tenant: 2, Name: "none", Who: "sim"}) // has no effect
			p = start(t, cfg, crash)
			_ = p.Wait(t.Context(), last)
			_ = p.end()
			for range 2 {
				p = start(t, cfg, nil)
				m.put(t, 1, "192.0.2.1", "window=north")
				settled(t, m, p)
				if err := p.end(); err != nil {
					t.Fatal(err)
				}
			}
			one := storage.Principal{User: "sim", Role: storage.RoleAdmin, Tenants: []storage.Tenant{1}}
			want := strings.Join([]string{
				"activate local/doors", "activate local/listing", "relearn local.reads",
				"nocase bob true false", "nocase carl false false", "nocase ada false true",
			}, "\n")
			if diff := cmp.Diff(want, told(t, m, one)); diff != "" {
				t.Error(diff)
			}
			one.Tenants[0] = 2
			if got := told(t, m, one); got != "activate local/doors\nactivate local/listing" {
				t.Errorf("another organization is told\n%s", got)
			}
		})
	}
}

// A database that knew nothing of the past is told all that runs.
func TestPastBegins(t *testing.T) {
	var r module.Running
	for seq, c := range []module.Control{
		{Kind: module.Activate, Name: "local/x", Digest: "d"},
		{Kind: module.SetList, Tenant: 1, Name: "l", List: &module.ListHead{Kind: index.Exact}},
		{Kind: module.SetEntries, Tenant: 1, Name: "l", Entries: &module.Entries{Put: []module.PutEntry{{Value: "v"}}}},
	} {
		var err error
		if r, err = r.Apply(uint64(seq+1), 0, c); err != nil {
			t.Fatal(err)
		}
	}
	controls, listed, err := pipeline.NoteAll(r, 9, 8)
	if err != nil || len(controls) != 2 || len(listed) != 1 {
		t.Fatalf("%+v, %+v, %v", controls, listed, err)
	}
	if c := controls[0]; c.Kind != meta.KindLayer || c.Tenant != storage.NoTenant || c.Seq != 9 || !strings.Contains(c.Record, "local/x") {
		t.Errorf("%+v", c)
	}
	if diff := cmp.Diff(meta.Listed{Tenant: 1, List: "l", Compared: "exact", Value: "v", Seq: 9}, listed[0]); diff != "" {
		t.Error(diff)
	}
	if controls, listed, err = pipeline.NoteAll(r, 9, 9); err != nil || controls != nil || listed != nil {
		t.Errorf("what the database has seen is noted: %+v, %+v, %v", controls, listed, err)
	}
}
