package attack_test

import (
	"regexp"
	"testing"

	"github.com/vedette-siem/vedette/host/attack"
)

// Every line was understood, and no number stands there twice.
func TestMatrix(t *testing.T) {
	if n := len(attack.Tactics()); n != 14 {
		t.Fatalf("%d tactics", n)
	}
	form := regexp.MustCompile(`^T[0-9]{4}(\.[0-9]{3})?$`)
	seen := map[string]*attack.Technique{}
	parents, subs := 0, 0
	look := func(x *attack.Technique) {
		if had := seen[x.ID]; had != nil && had != x {
			t.Errorf("%s stands there twice", x.ID)
		}
		if !form.MatchString(x.ID) || x.Name == "" || len(x.Tactics) == 0 {
			t.Errorf("%+v", x)
		}
		if found, ok := attack.Find(x.ID); !ok || found != x {
			t.Errorf("%s is not found", x.ID)
		}
		seen[x.ID] = x
	}
	for _, tactic := range attack.Tactics() {
		for _, x := range tactic.Techniques {
			if seen[x.ID] == nil {
				parents++
				subs += len(x.Subs)
			}
			look(x)
			for _, sub := range x.Subs {
				look(sub)
			}
		}
	}
	if parents < 195 || subs < 400 {
		t.Errorf("%d techniques, %d sub-techniques", parents, subs)
	}
	if x, ok := attack.Find("T1110.003"); !ok || x.Name != "Password Spraying" || x.Tactics[0].Name != "Credential Access" {
		t.Error(x)
	}
	if _, ok := attack.Find("T9999"); ok {
		t.Error("found")
	}
}
