// Package dist runs the cases of every shipped module on the code that ships, in the sandbox it will run in. The same
// cases run natively beside each module's source.
package dist

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/modules"
)

func TestShippedModulesPassTheirCases(t *testing.T) {
	all, err := modules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(t.TempDir(), "cache")
	total := 0
	for _, p := range all {
		t.Run(p.Manifest.Name, func(t *testing.T) {
			o, err := author.Test(context.Background(), p, cache)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range o.Failures {
				t.Error(f)
			}
			t.Logf("%d cases", o.Cases)
			total += o.Cases
		})
	}
	if total < 100 {
		t.Errorf("only %d cases ran", total)
	}
}
