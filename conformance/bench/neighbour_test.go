package bench

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/registry/layout"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Size of a neighbour run.
const (
	neighbourRate   = 1_000
	neighbourFor    = 8 * time.Second // of one phase
	neighbourRounds = 3               // of three phases each
	neighbourRise   = 10              // percent of p99 that a neighbour may lose
	hostileRate     = 20              // records per second for each hostile module
	gcEvery         = 250 * time.Millisecond
)

// TestBenchNeighbour: one organization's traffic, alone and beside an organization that runs every hostile module there is
// as a parser. The host takes a failing module out; in one phase it stays out, in another somebody puts all of them back
// every second. Phases come in turn, so that all see the same machine.
func TestBenchNeighbour(t *testing.T) {
	b := newTable(t, "NEIGHBOUR OF HOSTILE MODULES")
	h := startHost(t, t.TempDir())
	h.plant()
	attacker := h.tenant(orgs[1])
	installed := h.installHostile(attacker, b)
	victim := h.senders(neighbourRate*len(orgs), 0, 0)[:1]
	spec := loadSpec{URL: h.url, Session: h.session, Senders: victim, For: neighbourFor, Plant: latencyPlant, Settle: latencyWait}
	beside := spec
	for _, name := range installed {
		beside.Senders = append(beside.Senders, sender{Token: h.tokens[1], Rate: hostileRate, Fixed: hostileLine(name)})
	}
	runs := map[string][]loadResult{}
	gc := map[string]collections{}
	used := map[string]time.Duration{}
	revived := 0
	for range neighbourRounds {
		runs["alone"] = append(runs["alone"], h.collecting(gc, used, "alone", spec))
		h.enable(attacker, installed)
		runs["beside"] = append(runs["beside"], h.collecting(gc, used, "beside", beside))
		restart, restarted := make(chan struct{}), make(chan int)
		go func() { restarted <- h.reviveAll(attacker, installed, restart) }()
		runs["put back"] = append(runs["put back"], h.collecting(gc, used, "put back", beside))
		close(restart)
		revived += <-restarted
		h.drain()
	}
	accepted, seen, planted, refused, why := 0, 0, 0, 0, ""
	for _, r := range slices.Concat(runs["alone"], runs["beside"], runs["put back"]) {
		accepted, seen, planted, refused, why = accepted+r.First, seen+len(r.Latencies), planted+r.Planted, refused+r.Refused, cmp.Or(r.Failure, why)
	}
	cores := func(phase string) float64 { return used[phase].Seconds() / (neighbourRounds * neighbourFor).Seconds() }
	stored := h.stored(h.tenant(orgs[0]), accepted)
	b.figure("put back", "%d times", revived)
	b.goal("neighbour's events lost", "0", stored == accepted && seen == planted && refused == 0, "%d of %d stored, %d of %d incidents seen, %d requests refused %s", stored, accepted, seen, planted, refused, why)
	b.figure("CPU of the host", "%.2f cores alone, %.2f beside, %.2f while they are put back", cores("alone"), cores("beside"), cores("put back"))
	b.figure("neighbour's median", "%v alone, %v beside, %v while they are put back", latencyOf(runs["alone"], 0.5), latencyOf(runs["beside"], 0.5), latencyOf(runs["put back"], 0.5))
	before := latencyOf(runs["alone"], 0.99)
	for _, phase := range []string{"beside", "put back"} {
		after := latencyOf(runs[phase], 0.99)
		rise := 100 * (after.Seconds()/before.Seconds() - 1)
		b.goal("neighbour's p99, "+phase, fmt.Sprintf("+ %d %% at most", neighbourRise), rise <= neighbourRise, "%v alone, %v %s: %+.0f %% (medians of %d phases)", before, after, phase, rise, neighbourRounds)
	}
	worst := gc["put back"]
	b.goal("forced garbage collection, whole", "< 50 ms", quantile(worst.took, 0.99) < 50*time.Millisecond, "p99 %v, at most %v of %d (alone: p99 %v)", quantile(worst.took, 0.99).Round(time.Millisecond/10),
		quantile(worst.took, 1).Round(time.Millisecond/10), len(worst.took), quantile(gc["alone"].took, 0.99).Round(time.Millisecond/10))
	b.figure("pauses of it", "p99 %v, at most %v", quantile(worst.pauses, 0.99).Round(time.Microsecond), quantile(worst.pauses, 1).Round(time.Microsecond))
}

// latencyOf is the median of a quantile over runs.
func latencyOf(runs []loadResult, q float64) time.Duration {
	var each []time.Duration
	for _, r := range runs {
		each = append(each, quantile(r.Latencies, q))
	}
	return quantile(each, 0.5).Round(time.Millisecond / 10)
}

// collecting runs a phase during which garbage is collected again and again, and adds what it took.
func (r *running) collecting(into map[string]collections, used map[string]time.Duration, phase string, spec loadSpec) loadResult {
	r.t.Helper()
	got, stop := forceGC()
	before := cpu()
	out := runLoad(r.t, spec)
	used[phase] += cpu() - before
	stop()
	c := into[phase]
	into[phase] = collections{append(c.took, got().took...), append(c.pauses, got().pauses...)}
	return out
}

// collections are forced garbage collections: how long runtime.GC took, and how long the world stood still.
type collections struct{ took, pauses []time.Duration }

// forceGC collects garbage again and again until stopped; result may be called after that.
func forceGC() (result func() collections, stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	var c collections
	go func() {
		defer close(ended)
		every := time.NewTicker(gcEvery)
		defer every.Stop()
		for {
			select {
			case <-quit:
				return
			case <-every.C:
			}
			start := time.Now()
			runtime.GC()
			c.took = append(c.took, time.Since(start))
			var stats debug.GCStats
			debug.ReadGCStats(&stats)
			if len(stats.Pause) > 0 {
				c.pauses = append(c.pauses, stats.Pause[0])
			}
		}
	}()
	return func() collections { return c }, func() { close(quit); <-ended }
}

func hostileLine(name string) string { return "hostile-bench " + name }

// installHostile installs every hostile module as a parser of one organization, as anybody may, and returns those that
// were not refused.
func (r *running) installHostile(t storage.Tenant, b *table) (installed []string) {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "hostile", "*.wasm"))
	if err != nil || len(files) == 0 {
		r.t.Fatalf("no hostile modules: %v", err)
	}
	var refused []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".wasm")
		wasm, err := os.ReadFile(file)
		if err != nil {
			r.t.Fatal(err)
		}
		text := fmt.Sprintf(`publisher: bench
name: %s
version: 1.0.0
kind: parser
title: %s
license: Apache-2.0
abi: "1.0"
entry: {wasm: true}
match:
  signatures:
    - {all: [%q], priority: 100}
`, moduleName(name), name, hostileLine(name))
		p, err := manifest.ReadFolder(name, fstest.MapFS{manifest.FileName: {Data: []byte(text)}}, wasm)
		if err == nil {
			_, err = r.Install(r.t.Context(), host.Candidate{Tenant: t, Package: layout.Bare(p), Who: "bench"})
		}
		if err != nil {
			refused = append(refused, name)
			continue
		}
		installed = append(installed, name)
	}
	b.figure("hostile modules", "%d run: %s", len(installed), strings.Join(installed, ", "))
	b.figure("refused", "%d: %s", len(refused), strings.Join(refused, ", "))
	return installed
}

func moduleName(name string) string {
	b := []byte("hostile-" + name)
	for i := range b {
		if b[i] == '_' {
			b[i] = '-'
		}
	}
	return string(b)
}

// enable switches the hostile modules on and returns how many could be.
func (r *running) enable(t storage.Tenant, names []string) (n int) {
	for _, name := range names {
		c := module.Control{Kind: module.Enable, Tenant: t, Who: "bench", Name: "bench/" + moduleName(name)}
		if r.Control(r.t.Context(), c) == nil {
			n++
		}
	}
	return n
}

// reviveAll enables the hostile modules again every second, until quit.
func (r *running) reviveAll(t storage.Tenant, names []string, quit <-chan struct{}) (times int) {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case <-quit:
			return times
		case <-every.C:
		}
		times += r.enable(t, names)
	}
}

// stored returns how many events an organization has in the store, once there are want or nothing comes any more.
func (r *running) stored(t storage.Tenant, want int) (n int) {
	r.t.Helper()
	events := vedettev1connect.NewEventServiceClient(http.DefaultClient, r.url)
	req := connect.NewRequest(&v1.HistogramRequest{StepSeconds: 86_400, Query: &v1.Query{Text: "*", Tenants: []uint32{uint32(t)}}})
	req.Header().Set("Authorization", "Bearer "+r.session)
	every := time.NewTicker(500 * time.Millisecond)
	defer every.Stop()
	for range 20 { // rows can be searched about a second after they were appended
		resp, err := events.Histogram(r.t.Context(), req)
		if err != nil {
			r.t.Fatal(err)
		}
		n = 0
		for _, b := range resp.Msg.Buckets {
			n += int(b.Count)
		}
		if n >= want {
			break
		}
		<-every.C
	}
	return n
}

// tenant returns the number of an organization.
func (r *running) tenant(slug string) storage.Tenant {
	r.t.Helper()
	req := connect.NewRequest(&v1.ListTenantsRequest{})
	req.Header().Set("Authorization", "Bearer "+r.session)
	all, err := vedettev1connect.NewTenantServiceClient(http.DefaultClient, r.url).ListTenants(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, o := range all.Msg.Tenants {
		if o.Slug == slug {
			return storage.Tenant(o.Id)
		}
	}
	r.t.Fatalf("there is no organization %s", slug)
	return storage.NoTenant
}
