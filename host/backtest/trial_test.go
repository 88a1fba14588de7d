package backtest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/backtest"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

type noPackages struct{}

func (noPackages) Pull(context.Context, storage.Tenant, registry.Digest) (registry.Artifact, error) {
	return registry.Artifact{}, storage.ErrNotFound
}

// trialOf is a trial of one document.
func trialOf(t *testing.T, text string) *backtest.Trial {
	t.Helper()
	r, err := rule.Parse("rule.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m := &module.Loaded{
		Install: module.Install{Name: "local/x", Digest: "candidate"}, Tenant: 1, Rules: []*rule.Rule{r},
		Manifest: manifest.Manifest{Publisher: "local", Name: "x", Kind: manifest.Rule},
	}
	run := module.Running{Seq: 1, Layers: module.LayersOf(map[storage.Tenant]module.Layer{1: {Slots: map[string]module.Slot{m.Install.Name: {Current: m.Install}}}})}
	gen, err := module.Build(t.Context(), module.WithCandidate(module.NewLibrary(noPackages{}, nil, nil), m), nil, run, storage.NoTenant)
	if err != nil {
		t.Fatal(err)
	}
	return backtest.NewTrial(gen)
}

// A trial raises what the rule would have raised, and decides an absence when the time for it has passed.
func TestTrial(t *testing.T) {
	begin := time.Date(2026, 1, 1, 10, 59, 0, 0, time.UTC)
	send := func(trial *backtest.Trial, events ...string) {
		t.Helper()
		for i, text := range events {
			at, action, _ := strings.Cut(text, " ")
			d, err := time.ParseDuration(at)
			if err != nil {
				t.Fatal(err)
			}
			ns := begin.Add(d).UnixNano()
			_, err = trial.Frame(t.Context(), []storage.Event{{
				ID: storage.EventID{Seq: uint64(i + 1)}, Tenant: 1, Time: ns, Received: ns,
				Fields: []storage.Field{{Name: "event.action", Value: action}, {Name: "user.name", Value: "ann"}},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	told := func(trial *backtest.Trial) string {
		out := fmt.Sprintf("%d take part;", trial.Matched())
		for _, in := range trial.Incidents() {
			out += fmt.Sprintf(" %s %d times,", in.Title, in.Count)
		}
		return out
	}
	head := "kind: pattern\nid: x\nname: x\nversion: 1.0.0\nseverity: low\nwindow: 1m\nincident: {title: \"{user.name}\"}\n"
	trial := trialOf(t, head+"subs: {fail: {where: {event.action: fail}, by: [user.name], having: count() >= 2}}\n")
	send(trial, "0s fail", "30s fail", "40s ok", "90s fail", "100s fail")
	if got := told(trial); got != "4 take part; ann 2 times," || trial.Raised() != 1 {
		t.Error(got)
	}
	if hours := trial.Fired(); len(hours) != 2 {
		t.Error(hours)
	}
	trial = trialOf(t, head+"subs:\n  stop: {where: {event.action: stop}, by: [user.name]}\n  start: {where: {event.action: start}, by: [user.name]}\nexpr: stop !-> start within 10m\n")
	send(trial, "0s stop", "1m start", "2m stop")
	if got := told(trial); got != "3 take part;" {
		t.Error(got)
	}
	trial.Pass(time.Hour)
	if got := told(trial); got != "3 take part; ann 1 times," {
		t.Error(got)
	}
	if n, err := trial.Frame(t.Context(), nil); n != 0 || err != nil {
		t.Error(n, err)
	}
}
