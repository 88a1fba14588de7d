package detect

import (
	"fmt"
	"sync"
	"testing"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// TestRank: a test that nearly all events pass no longer guards, and what matches is what matched, also while others match.
func TestRank(t *testing.T) {
	var rules []*rule.Rule
	for i := range 40 {
		r, err := rule.Parse("r.yaml", fmt.Appendf(nil, "kind: pattern\nid: r%d\nname: r\nversion: 1.0.0\nseverity: low\n"+
			"subs: {a: {where: {process.name: sometool.exe, process.command_line|contains: '-x%d '}}}\nincident: {title: t}\n", i, i))
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	set, err := Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	view, err := NewView(set, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	event := func(i int) *storage.Event {
		return &storage.Event{Fields: []storage.Field{
			{Name: "process.name", Value: "sometool.exe"}, {Name: "process.command_line", Value: fmt.Sprintf("sometool -x%d y", i%60)},
		}}
	}
	var sc Scratch
	run := func() (hits int) {
		for i := range 120 {
			hits += len(view.Match(event(i), &sc))
		}
		return hits
	}
	before, looked := run(), sc.Looked()
	if before != 80 || sc.Seen() != 120 {
		t.Fatalf("%d hits of %d events", before, sc.Seen())
	}
	var others sync.WaitGroup
	for range 2 {
		others.Go(func() {
			var sc Scratch
			for i := range 2000 {
				if n := len(view.Match(event(i), &sc)); n > 0 != (i%60 < 40) {
					t.Errorf("event %d: %d hits", i, n)
				}
			}
		})
	}
	seen := sc.Shares()
	if err := set.Rank(seen.Add(seen)); err != nil {
		t.Fatal(err)
	}
	others.Wait()
	if after := run(); after != before || sc.Looked() > looked {
		t.Errorf("%d hits, %.1f looked at; before it %d and %.1f", after, sc.Looked(), before, looked)
	}
	if seen.Events() != 120 || seen.Add(seen).Events() != 240 {
		t.Error("events are not counted")
	}
}
