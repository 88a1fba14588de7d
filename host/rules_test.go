package host

import (
	"fmt"
	"testing"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// The package of a rule that was written here has a name, whatever the rule's id.
func TestPackageName(t *testing.T) {
	for id, want := range map[string]string{
		"ssh-guessing": "ssh-guessing", "a.b_c": "a-b-c", "2b0ad5c1-6a0e-4d8c-8a0a-000000000001": "2b0ad5c1-6a0e-4d8c-8a0a-000000000001", "...": "rule",
		fmt.Sprintf("%0200d", 7): fmt.Sprintf("%0200d", 7)[:manifest.MaxNameBytes],
	} {
		if got := packageName(id); got != want || !manifest.ValidName(got) {
			t.Errorf("%q is called %q, want %q", id, got, want)
		}
	}
}

// What is over is ended, organization by organization, the oldest first; the rest stays.
func TestExpiredExceptions(t *testing.T) {
	layer := func(list ...module.RuleException) module.Layer {
		return module.Layer{Exceptions: map[string][]module.RuleException{"r": list}}
	}
	run := module.Running{Layers: module.LayersOf(map[storage.Tenant]module.Layer{
		2: layer(module.RuleException{Seq: 9, Until: 50}), 1: layer(module.RuleException{Seq: 8, Until: 100}, module.RuleException{Seq: 7, Until: 99}, module.RuleException{Seq: 6}, module.RuleException{Seq: 5, Until: 101}),
	})}
	got := ""
	for _, c := range expired(run, 100) {
		got += fmt.Sprintf("%d %s %s %d; ", c.Tenant, c.Kind, c.Name, c.To)
	}
	if want := "1 unexcept r 7; 1 unexcept r 8; 2 unexcept r 9; "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
