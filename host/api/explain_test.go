package api

import (
	"strings"
	"testing"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

func TestHeadline(t *testing.T) {
	const at = int64(1_700_000_000_000_000_000)
	entity := func(kind storage.EntityKind, value string) storage.Entity {
		return storage.Entity{Kind: kind, Value: value}
	}
	for _, c := range []struct {
		in   storage.Incident
		want string
	}{
		{
			storage.Incident{Title: "root logged in", Count: 1, Entities: []storage.Entity{entity("host", "db1"), entity("user", "root"), entity("address", "192.0.2.1")}},
			"root logged in on db1, at 2023-11-14 22:13:20 UTC",
		},
		{
			storage.Incident{Title: "a scan", Count: 3, Entities: []storage.Entity{entity("host", "db1"), entity("host", "db2"), entity("user", "ann")}},
			"a scan on 2 hosts (user ann), at 2023-11-14 22:13:20 UTC, 3 times since 2023-11-14 22:12:20 UTC",
		},
		{storage.Incident{Title: "nobody", Count: 1}, "nobody, at 2023-11-14 22:13:20 UTC"},
	} {
		c.in.FirstSeen, c.in.LastSeen = at-60_000_000_000, at
		if got := headline(&c.in); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestShownEventsAreBounded: records beyond the limit are counted and left out; one that no rule document names has its
// part all the same.
func TestShownEventsAreBounded(t *testing.T) {
	in := &storage.Incident{Conditions: []storage.Condition{{Sub: "a", Actual: "2"}}}
	events := map[storage.EventID]*logs.Row{}
	for i := range 3 {
		id := storage.EventID{Seq: uint64(i + 1)}
		in.Evidence = append(in.Evidence, storage.Evidence{Sub: []string{"a", "a", "b"}[i], ID: id})
		events[id] = &logs.Row{ID: id, Raw: strings.Repeat("x", MaxExplainBytes/2)}
	}
	events[storage.EventID{Seq: 2}].Raw += "x"
	parts := partsOf(in, nil)
	show(parts, in.Evidence, events)
	want := []*v1.Part{{Sub: "a", Total: 2}, {Sub: "b", Total: 1}}
	for i, p := range parts {
		if p.Sub != want[i].Sub || p.Total != want[i].Total || len(p.Events) != 1 {
			t.Errorf("part %s: %d of %d events", p.Sub, len(p.Events), p.Total)
		}
	}
	if len(parts) != 2 || len(parts[0].Conditions) != 1 {
		t.Errorf("parts %v", parts)
	}
}
