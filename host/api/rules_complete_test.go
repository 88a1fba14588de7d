package api

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vedette-siem/vedette/host/explain"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// The place is where the bar stands.
func TestCompletions(t *testing.T) {
	came := &arrived{Arrived: explain.Arrived{
		Fields: map[string]uint64{"user.name": 5, "event.outcome": 9, "vedette.id": 9}, Values: map[string][]string{"event.outcome": {"success", "failure"}},
	}}
	gen := &module.Generation{}
	for _, c := range []struct{ text, want, not string }{
		{"|", "severity", "where"},
		{"sev|", "severity", "name"},
		{"severity: hi|", "high", "low"},
		{"kind: |", "pattern", ""},
		{"subs:\n  one:\n    |", "having", "severity"},
		{"subs:\n  one:\n    where:\n      |", "event.outcome user.name any", "vedette.id"},
		{"subs:\n  one:\n    where:\n      any:\n        - us|", "user.name", "event.outcome"},
		{"subs:\n  one:\n    where:\n      user.name|start|", "startswith", "user.name"},
		{"subs:\n  one:\n    where:\n      event.outcome: |", "failure success", ""},
		{"subs:\n  one:\n    where:\n      event.outcome: [success, fa|", "failure", "success"},
		{"subs:\n  one:\n    where:\n      user.name|exists: |", "true false", ""},
		{"subs:\n  one:\n    by: [us|", "user.name", "event.outcome"},
		{"techniques: [T1110|", "T1110 T1110.003", "T1059"},
		{"incident:\n  |", "key title", "severity"},
		{"tests:\n  - events:\n      - fields:\n          |", "user.name", ""},
		{"subs:\n  one:\n    windows: |", "sliding tumbling session", ""},
	} {
		at := strings.LastIndexByte(c.text, '|')
		p := placeAt(c.text[:at], at)
		list := best(ruleService{}.completions(asked{gen: gen}, &p, came), p.word)
		var got []string
		for _, x := range list {
			got = append(got, x.Text)
		}
		for _, want := range strings.Fields(c.want) {
			if !slices.Contains(got, want) {
				t.Errorf("%q: no %s among %.20q (%+v)", c.text, want, got, p)
			}
		}
		if slices.Contains(got, c.not) {
			t.Errorf("%q: %s is offered", c.text, c.not)
		}
		if p.start < 0 || p.start > p.end || c.text[p.start:p.end] != p.word {
			t.Errorf("%q: %q stands at %d to %d", c.text, p.word, p.start, p.end)
		}
	}
}

// A person's document is read while it is being written, and may hold anything.
func FuzzPlace(f *testing.F) {
	f.Add("subs:\n  one:\n    where:\n      a|b: [c", 30)
	f.Add("- - - x: ", 9)
	f.Fuzz(func(t *testing.T, text string, at int) {
		if at < 0 || at > len(text) {
			return
		}
		p := placeAt(text, at)
		list := ruleService{}.completions(asked{gen: &module.Generation{}}, &p, nil)
		if p.start < 0 || p.start > p.end || p.end != at {
			t.Fatalf("%+v of %q", p, text)
		}
		best(list, p.word)
	})
}

// A technique has the best of what its rules have, and the layer says the same.
func TestCoverageCells(t *testing.T) {
	c := coverage{ids: []string{"off", "silent", "covered"}, states: []string{stateOff, stateSilent, stateCovered}, by: map[string][]int{"T1110": {0}, "T1110.001": {1}, "T1110.003": {1, 2}}}
	out := c.matrix()
	if out.Named != 3 || out.Covered != 2 {
		t.Errorf("%d named, %d covered", out.Named, out.Covered)
	}
	var cell *v1.TechniqueCoverage
	for _, tactic := range out.Tactics {
		for _, x := range tactic.Techniques {
			if x.Id == "T1110" {
				cell = x
			}
		}
	}
	if cell.State != stateCovered || !slices.Equal(cell.Rules, []string{"covered", "off", "silent"}) || cell.Subs[0].State != stateSilent || cell.Subs[1].State != stateNone {
		t.Errorf("%v", cell)
	}
	layer, err := navigator(out)
	if err != nil || strings.Count(layer, `"techniqueID"`) != 3 || !strings.Contains(layer, `"tactic": "credential-access"`) || !strings.Contains(layer, `"layer": "4.5"`) {
		t.Errorf("%s, %v", layer, err)
	}
}

// Events are pasted from anywhere.
func FuzzGivenEvents(f *testing.F) {
	f.Add(`{"@timestamp":"2026-01-01T00:00:00Z","a":{"b":[1,"x"]},"event.dataset":"d"}` + "\n{}")
	f.Add(`{"a":{"a":{"a":null}}} x`)
	f.Fuzz(func(t *testing.T, text string) {
		events, err := givenEvents(1, text)
		if (len(events) > 0) == (err != nil) {
			t.Fatalf("%d events, %v", len(events), err)
		}
		last := int64(0)
		for _, e := range events {
			if e.Tenant != 1 || e.ID.Record == 0 {
				t.Fatalf("%+v", e)
			}
			last = max(last, e.Received)
		}
	})
}

// Many look at one list of rules at once.
func TestMissingAtOnce(t *testing.T) {
	text, err := rule.Draft(rule.PatternLanguage, "x")
	if err != nil {
		t.Fatal(err)
	}
	var list []*rule.Rule
	for range 20 {
		r, err := rule.Parse("rule.yaml", text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	came := &arrived{Arrived: explain.Arrived{Events: 1}, needs: map[*rule.Rule][]explain.Need{}}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, r := range list {
				if needs := came.missing(nil, r); len(needs) != 2 {
					t.Errorf("%v", needs)
				}
			}
		})
	}
	all.Wait()
	if len(came.needs) != len(list) {
		t.Errorf("%d rules are remembered", len(came.needs))
	}
}
