package pipeline

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/host/module"
)

const minute = int64(time.Minute)

func TestHistory(t *testing.T) {
	h := &history{}
	h.add(5*minute+7, Minute{Calls: 1, Records: 10, Fuel: 100, Memory: 3})
	h.add(6*minute, Minute{Calls: 1, Records: 1, Fuel: 10, Memory: 9})
	h.add(6*minute+1, Minute{Calls: 1, Records: 2, Errors: 1, Fuel: 20, Memory: 4})
	h.add(5*minute+9, Minute{Calls: 1, Events: 1}) // late
	h.add(minute, Minute{Calls: 1, Events: 1})     // later than all that is there
	want := []Minute{{At: 5 * minute, Calls: 3, Records: 10, Events: 2, Fuel: 100, Memory: 3}, {At: 6 * minute, Calls: 2, Records: 3, Errors: 1, Fuel: 30, Memory: 9}}
	if diff := cmp.Diff(want, h.minutes); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	for at := int64(7); len(h.minutes) < HistoryMinutes || at < 3*HistoryMinutes; at++ {
		h.add(at*minute, Minute{Calls: uint64(at)})
	}
	if len(h.minutes) != HistoryMinutes || h.minutes[0].At != 2*HistoryMinutes*minute || cap(h.minutes) > 2*HistoryMinutes {
		t.Errorf("one over the limit: %d minutes from %d, room for %d", len(h.minutes), h.minutes[0].At/minute, cap(h.minutes))
	}
}

func TestHistoriesAreBounded(t *testing.T) {
	u := newUsage()
	add := func(n int, at int64) bool {
		h := u.historyOf(usageKey{digest: string(rune(n))}, at)
		if h != nil {
			h.add(at, Minute{Calls: 1})
		}
		return h != nil
	}
	for n := range MaxHistories {
		if !add(n+1, minute) {
			t.Fatalf("module %d has no history", n)
		}
	}
	if add(MaxHistories+1, 2*minute) {
		t.Error("one over the limit has a history")
	}
	if !add(1, (HistoryMinutes+2)*minute) || !add(MaxHistories+1, (HistoryMinutes+3)*minute) || len(u.histories) != 2 {
		t.Errorf("those that did nothing for long make no room: %d histories", len(u.histories))
	}
	if got := u.HistoryOf(0, module.Install{Digest: string(rune(1))}); len(got) != 2 {
		t.Errorf("what goes on has %d minutes, want 2", len(got))
	}
}
