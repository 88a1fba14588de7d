package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/module"
	hostruntime "github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// shelf is a registry of packages.
type shelf map[registry.Digest]manifest.Package

func (s shelf) Pull(_ context.Context, _ storage.Tenant, d registry.Digest) (registry.Artifact, error) {
	return s[d], nil
}

// TestBenchSwap: what the log waits for when a control record brings another version of a module that admission has
// compiled: its first instance, started from the compiled code on disk, and the new generation.
func TestBenchSwap(t *testing.T) {
	b := newTable(t, "SWAP: THE PAUSE AT THE CONTROL RECORD")
	all, err := modules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	h, err := hostruntime.New(t.Context(), hostruntime.Config{CacheDir: filepath.Join(t.TempDir(), "cache")})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close(t.Context())
	const swaps = 200
	for _, p := range all {
		if p.Manifest.Kind != manifest.Parser || p.Manifest.Entry.Spec != "" {
			continue
		}
		name := p.Manifest.Publisher + "/" + p.Manifest.Name
		stock := shelf{}
		lib := module.NewLibrary(stock, h, func(storage.Tenant, string) []hostruntime.Target { return nil })
		var took []time.Duration
		var used time.Duration
		for i := range swaps + 1 {
			digest := registry.Digest(fmt.Sprintf("sha256:%064x", i))
			stock[digest] = p
			in := module.Install{Name: name, Digest: string(digest), Seq: uint64(i + 1)}
			began := time.Now()
			if _, err := lib.Load(t.Context(), 1, in); err != nil {
				t.Fatal(err)
			}
			if i == 0 { // compiles, as admission does
				used = cpu()
			} else {
				took = append(took, time.Since(began))
			}
			if err := lib.Keep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		each := (cpu() - used) / swaps
		p99 := quantile(took, 0.99)
		b.goal(name, "p99 < 5 ms", p99 < 5*time.Millisecond, "%v in the median, %v in 99 of 100, %v of CPU with the old version's end", quantile(took, 0.5).Round(10*time.Microsecond),
			p99.Round(10*time.Microsecond), each.Round(10*time.Microsecond))
	}
}
