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
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// shelf is a registry of packages.
type shelf map[registry.Digest]manifest.Package

func (s shelf) Pull(_ context.Context, _ storage.Tenant, d registry.Digest) (registry.Artifact, error) {
	return s[d], nil
}

// Size of a swap run.
const swaps = 200 // of each parser

// TestBenchSwap: what the log waits for when a control record brings another version of a module: the new generation, and
// letting go of the old version. The new one was loaded before the record was written, and the old one is closed beside
// the log; what that takes is shown too.
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
	for _, p := range all {
		if p.Manifest.Kind != manifest.Parser || p.Manifest.Entry.Spec != "" {
			continue
		}
		r := swapRun(t, h, all, p)
		p99 := quantile(r.pause, 0.99)
		b.goal(p.Manifest.Publisher+"/"+p.Manifest.Name, "p99 < 5 ms", p99 < 5*time.Millisecond, "%v in the median, %v in 99 of 100; loaded before in %v, first batch after in %v, %v of CPU in all",
			quantile(r.pause, 0.5).Round(10*time.Microsecond), p99.Round(10*time.Microsecond), quantile(r.load, 0.5).Round(10*time.Microsecond),
			quantile(r.first, 0.5).Round(10*time.Microsecond), (r.used / swaps).Round(10*time.Microsecond))
	}
}

// swapped is what a module's swaps took.
type swapped struct {
	load, pause, first []time.Duration
	used               time.Duration // CPU of all
}

// swapRun swaps an organization's own version of a shipped parser, which it runs beside all that ships.
func swapRun(t *testing.T, h *hostruntime.Host, all []manifest.Package, p manifest.Package) (r swapped) {
	t.Helper()
	stock := shelf{}
	lib := module.NewLibrary(stock, h, func(storage.Tenant, string) []hostruntime.Target { return nil })
	running := module.Running{}
	seq := uint64(0)
	apply := func(tenant storage.Tenant, p manifest.Package) module.Running {
		seq++
		digest := registry.Digest(fmt.Sprintf("sha256:%064x", seq))
		stock[digest] = p
		next, err := running.Apply(seq, 0, module.Control{
			Kind: module.Activate, Tenant: tenant, Name: p.Manifest.Publisher + "/" + p.Manifest.Name, Digest: string(digest), Grants: p.Manifest.Asks(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	for _, p := range all {
		if p.Manifest.Kind == manifest.Monitor {
			continue // nothing of a record's way
		}
		running = apply(storage.NoTenant, p)
	}
	gen, err := module.Build(t.Context(), lib, nil, running, storage.NoTenant)
	if err != nil {
		t.Fatal(err)
	}
	var used time.Duration
	var res hostruntime.Result
	for i := range swaps + 1 {
		if i == 1 { // the first is compiled, as by admission
			used = cpu()
		}
		next := apply(1, p)
		began := time.Now()
		m, err := lib.Load(t.Context(), 1, next.Layer(1).Slots[p.Manifest.Publisher+"/"+p.Manifest.Name].Current)
		if err != nil {
			t.Fatal(err)
		}
		loaded := time.Now()
		before := gen
		if gen, err = module.Build(t.Context(), lib, before, next, 1); err != nil {
			t.Fatal(err)
		}
		running = next
		forgotten := lib.Retire([]*module.Generation{before}, []*module.Generation{gen})
		swapped := time.Now()
		var batch abi.RecordsEncoder
		batch.Begin(1, seq, 0)
		batch.Add([]byte("a line of nobody's"), "bench", 0, 0)
		if err := m.Code.Parse(t.Context(), batch.Bytes(), &res); err != nil {
			t.Fatal(err)
		}
		first := time.Since(swapped)
		if err := module.Close(t.Context(), forgotten); err != nil { // beside the log
			t.Fatal(err)
		}
		if i > 0 {
			r.load, r.pause, r.first = append(r.load, loaded.Sub(began)), append(r.pause, swapped.Sub(loaded)), append(r.first, first)
		}
	}
	r.used = cpu() - used
	if err := lib.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}
