package bench

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
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
	neighbourRate = 1_000
	neighbourFor  = 20 * time.Second
	hostileRate   = 50 // records per second for each hostile module
	gcEvery       = 250 * time.Millisecond
)

// hostileModules pass every check of an installation and do their harm on the first record.
var hostileModules = []string{"endless_loop", "exponential", "memset", "memory_bomb", "deep_recursion", "branch_table", "log_flood"}

// TestBenchNeighbour: one organization's traffic, alone and then beside an organization whose parsers are hostile. The
// host takes a failing module out; here somebody puts it back at once, again and again.
func TestBenchNeighbour(t *testing.T) {
	b := newTable(t, "NEIGHBOUR OF HOSTILE MODULES")
	h := startHost(t, t.TempDir())
	h.plant()
	victim := h.senders(neighbourRate*len(orgs), 0, 0)[:1]
	spec := loadSpec{URL: h.url, Session: h.session, Senders: victim, For: neighbourFor, Plant: latencyPlant, Settle: latencyWait}

	_, quiet, stopGC := forceGC()
	alone := runLoad(t, spec)
	stopGC()

	attacker := h.tenant(orgs[1])
	for _, name := range hostileModules {
		h.installHostile(attacker, name)
		spec.Senders = append(spec.Senders, sender{Token: h.tokens[1], Rate: hostileRate, Fixed: hostileLine(name)})
	}
	restart := make(chan struct{})
	restarted := make(chan int)
	go func() { restarted <- h.reviveAll(attacker, restart) }()
	_, busy, stopGC := forceGC()
	beside := runLoad(t, spec)
	stopGC()
	close(restart)
	revived := <-restarted
	h.drain()

	accepted, stored := alone.First+beside.First, h.stored(h.tenant(orgs[0]), alone.First+beside.First)
	before, after := quantile(alone.Latencies, 0.99), quantile(beside.Latencies, 0.99)
	rise := 100 * (after.Seconds()/before.Seconds() - 1)
	b.figure("hostile modules", "%d of one organization, enabled again %d times", len(hostileModules), revived)
	b.goal("neighbour's events lost", "0", stored == accepted && len(beside.Latencies) == beside.Planted && beside.Refused == 0,
		"%d of %d stored, %d of %d incidents seen, %d requests refused", stored, accepted, len(beside.Latencies), beside.Planted, beside.Refused)
	b.figure("neighbour's median", "%v alone, %v beside", quantile(alone.Latencies, 0.5).Round(time.Millisecond/10), quantile(beside.Latencies, 0.5).Round(time.Millisecond/10))
	b.goal("neighbour's p99", "+ 20 % at most", rise <= 20, "%v alone, %v beside: %+.0f %%", before.Round(time.Millisecond/10), after.Round(time.Millisecond/10), rise)
	q, worst := quiet(), busy()
	b.goal("forced garbage collection, whole", "< 50 ms", quantile(worst.took, 0.99) < 50*time.Millisecond, "p99 %v, at most %v of %d (alone: p99 %v)", quantile(worst.took, 0.99).Round(time.Millisecond/10),
		quantile(worst.took, 1).Round(time.Millisecond/10), len(worst.took), quantile(q.took, 0.99).Round(time.Millisecond/10))
	b.figure("pauses of it", "p99 %v, at most %v", quantile(worst.pauses, 0.99).Round(time.Microsecond), quantile(worst.pauses, 1).Round(time.Microsecond))
}

// collections are forced garbage collections: how long runtime.GC took, and how long the world stood still.
type collections struct{ took, pauses []time.Duration }

// forceGC collects garbage again and again until stopped; result may be called after that.
func forceGC() (started time.Time, result func() collections, stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	var c collections
	started = time.Now()
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
	return started, func() collections { return c }, func() { close(quit); <-ended }
}

func hostileLine(name string) string { return "hostile-bench " + name }

// installHostile makes a parser of a committed hostile module and installs it for one organization, as anybody may.
func (r *running) installHostile(t storage.Tenant, name string) {
	r.t.Helper()
	wasm, err := os.ReadFile(filepath.Join("..", "hostile", name+".wasm"))
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
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.Install(r.t.Context(), host.Candidate{Tenant: t, Package: layout.Bare(p), Who: "bench"}); err != nil {
		r.t.Fatal(err)
	}
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

// reviveAll enables the hostile modules again whenever the host has suspended them, until quit.
func (r *running) reviveAll(t storage.Tenant, quit <-chan struct{}) (times int) {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case <-quit:
			return times
		case <-every.C:
		}
		for _, name := range hostileModules {
			c := module.Control{Kind: module.Enable, Tenant: t, Who: "bench", Name: "bench/" + moduleName(name)}
			if r.Control(r.t.Context(), c) == nil {
				times++
			}
		}
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
