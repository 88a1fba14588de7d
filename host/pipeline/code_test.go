package pipeline

import (
	"fmt"
	"slices"
	"testing"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/storage"
)

// TestFindingsOfOneRow: findings that a module makes of one event are a hit each, kept apart by their keys; of one key the
// last counts. What waits for the sequencer is still found.
func TestFindingsOfOneRow(t *testing.T) {
	it := &item{}
	for i := range 4 {
		it.hits = append(it.hits, correlate.Hit{Event: &storage.Event{ID: storage.EventID{Record: uint32(i)}}})
	}
	it.late = []ask{{hit: 3}}
	c := &coder{drop: map[int]bool{0: true, 1: true, 2: true}}
	for _, f := range []struct {
		row        int
		key, title string
	}{{2, "b", "2 b"}, {0, "", "0"}, {2, "a", "2 a"}, {0, "x", "0 x"}, {2, "a", "2 a again"}, {0, "x", "0 x again"}, {0, "", "0 again"}} {
		c.confirm(it, f.row, &abi.Finding{Key: []byte(f.key), Title: []byte(f.title)})
	}
	c.keep(it)
	var got []string
	for i := range it.hits {
		h := &it.hits[i]
		got = append(got, fmt.Sprint(h.Event.ID.Record, " ", h.Title, " ", h.ExtraKey))
	}
	want := []string{"0 0 again []", "0 0 x again [{finding x}]", "2 2 b [{finding b}]", "2 2 a again [{finding a}]", "3  []"}
	if !slices.Equal(got, want) {
		t.Errorf("hits %q, want %q", got, want)
	}
	if it.late[0].hit != 4 {
		t.Errorf("what waits is looked for at %d, it is at 4", it.late[0].hit)
	}
	if len(c.more)+len(c.others) > 0 {
		t.Error("the next frame would have them again")
	}
}
