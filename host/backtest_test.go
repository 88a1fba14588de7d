package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// put sends lines and returns when they can be searched.
func put(t *testing.T, h *Host, tenant storage.Tenant, lines ...[]byte) {
	t.Helper()
	now := time.Now().UnixNano()
	for _, l := range lines {
		if err := h.queue.Put(t.Context(), tenant, queue.Source{Listener: "test", Peer: "192.0.2.1"}, []queue.Raw{{Bytes: l, Received: now}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(h.pipeline.Wait(t.Context(), h.queue.Last()), h.store.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func analyst(tenants ...storage.Tenant) storage.Principal {
	return storage.Principal{User: "ann", Role: storage.RoleAnalyst, Tenants: tenants}
}

// linkRule fires when an address has seen as many links go down.
func linkRule(t *testing.T, version string, atLeast int) registry.Artifact {
	t.Helper()
	p, err := manifest.ReadFolder("link-storm", fstest.MapFS{
		"module.yaml": {Data: fmt.Appendf(nil, "publisher: local\nname: link-storm\nversion: %s\nkind: rule\ntitle: Link storm\ndescription: Many links go down.\nlicense: Apache-2.0\nabi: \"1.0\"\nentry: {documents: [rule.yaml]}\n", version)},
		"rule.yaml": {Data: fmt.Appendf(nil, `kind: pattern
id: link-storm
name: Link storm
version: %s
description: Many links go down.
severity: medium
subs:
  down:
    title: a link goes down
    where: {event.action: link-down}
    by: [event.dataset]
    having: count() >= %d
    window: 10m
incident: {title: "{count} links are down"}
clear: {after: 60m}
tests:
  - name: enough
    events: [{at: 0s, repeat: %d, every: 1s, fields: {event.action: link-down, event.dataset: acme.link}}]
    expect: {incidents: 1}
`, version, atLeast, atLeast)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBacktest(t *testing.T) {
	t.Parallel()
	h := installer(t, func(*Config) {})
	if _, err := h.Install(t.Context(), Candidate{Package: layout.Bare(linkRule(t, "1.0.0", 5)), Who: "ann"}); err != nil {
		t.Fatal(err)
	}
	put(t, h, 1, append(samplesOf(12), []byte("another line altogether"))...)
	put(t, h, 2, samplesOf(3)...)
	parser := api.Backtest{Tenant: 1, Spec: []byte(linkSpec), Name: "acme-link", Reader: analyst(1), Last: time.Hour, Limit: 1000}
	test := func(c api.Backtest) api.Backtested {
		t.Helper()
		out, err := h.Backtest(t.Context(), c, func(api.BacktestProgress) {})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Run("parser", func(t *testing.T) {
		out := test(parser)
		if out.Records != 13 || out.Changed != 12 || out.NewlyRead != 12 || out.NoLonger != 0 || out.Failed != 0 || out.Truncated {
			t.Errorf("%+v", out.Report)
		}
		// With it, the rule that runs already would have seen what nobody read.
		if out.Appear != 1 || len(out.Incidents) != 1 || !strings.Contains(out.Incidents[0].Title, "links are down") || out.Incidents[0].Is != 0 {
			t.Errorf("incidents %+v", out.Incidents)
		}
		x := out.Examples[0]
		if x.Parser != "" || x.Would != "local/acme-link" || x.Tenant != 1 || x.Raw != string(samplesOf(1)[0]) {
			t.Errorf("example %+v", x)
		}
		if h.pipeline.Generation().Running.Layer(1).Slots != nil {
			t.Error("something was installed")
		}
	})
	t.Run("one row of many", func(t *testing.T) {
		few := parser
		few.Limit = 5
		if out := test(few); out.Records != 5 || !out.Truncated {
			t.Errorf("%+v", out.Report)
		}
	})
	if _, err := (apiModules{h}).InstallSpec(t.Context(), api.Spec{Tenant: 1, Name: "acme-link", Version: "1.0.0", Text: []byte(linkSpec), Samples: samplesOf(3), Who: "ann"}); err != nil {
		t.Fatal(err)
	}
	t.Run("nothing changes", func(t *testing.T) {
		if out := test(parser); out.Records != 13 || out.Changed != 0 || len(out.Incidents) != 0 {
			t.Errorf("%+v", out.Report)
		}
	})
	t.Run("another version", func(t *testing.T) {
		next := parser
		next.Spec = []byte(strings.ReplaceAll(linkSpec, "event.action: link-down", "event.action: down"))
		out := test(next)
		if out.Changed != 12 || out.NewlyRead != 0 || len(out.Fields) != 1 || out.Fields[0].Name != "event.action" || out.Fields[0].Rewritten != 12 || out.Disappear != 1 {
			t.Errorf("%+v", out.Report)
		}
	})
	t.Run("rule", func(t *testing.T) {
		put(t, h, 1, samplesOf(12)...) // read, and so the rule's
		pkg := linkRule(t, "1.1.0", 100)
		out := test(api.Backtest{Tenant: storage.NoTenant, Package: &pkg, Reader: analyst(1, 2), Last: time.Hour, Limit: 1000})
		if out.Changed != 0 || out.Disappear != 1 || out.Incidents[0].Tenant != 1 || out.Records != 28 {
			t.Errorf("%+v", out.Report)
		}
	})
	t.Run("shadow", func(t *testing.T) { testShadow(t, h, parser) })
	t.Run("refused", func(t *testing.T) { testBacktestRefused(t, h, parser) })
}

// testShadow: what comes while the candidate runs beside the stream is compared too, and the stream does not notice.
func testShadow(t *testing.T, h *Host, c api.Backtest) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = h.queue.Put(ctx, 1, queue.Source{Listener: "test", Peer: "192.0.2.1"}, []queue.Raw{{Bytes: []byte(linkLine), Received: time.Now().UnixNano()}})
			case <-ctx.Done():
				return
			}
		}
	}()
	c.Spec = []byte(strings.ReplaceAll(linkSpec, "event.action: link-down", "event.action: down"))
	c.Shadow = time.Second
	live := false
	out, err := h.Backtest(t.Context(), c, func(p api.BacktestProgress) { live = live || p.Phase == "live" })
	stop()
	<-sent
	if err != nil || out.Live == 0 || out.Dropped != 0 || out.Ended != "" || !live || out.Changed < out.Live {
		t.Errorf("%d live, %d dropped, %q, %d changed, told %v, %v", out.Live, out.Dropped, out.Ended, out.Changed, live, err)
	}
}

func testBacktestRefused(t *testing.T, h *Host, good api.Backtest) {
	none := func(api.BacktestProgress) {}
	bad := good
	bad.Spec = []byte("framing: morse\n")
	if _, err := h.Backtest(t.Context(), bad, none); !errors.Is(err, storage.ErrInvalid) || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a broken spec: %v", err)
	}
	monitor := scaffold(t, manifest.Monitor, "pinger", nil)
	bad = good
	bad.Package = &monitor
	if _, err := h.Backtest(t.Context(), bad, none); !errors.Is(err, storage.ErrInvalid) || !strings.Contains(err.Error(), "monitor") {
		t.Errorf("a monitor: %v", err)
	}
	all, err := modules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(p manifest.Package) bool { return len(p.Manifest.Asks()) > 0 && p.Manifest.Kind == manifest.Rule })
	bad = good
	bad.Package, bad.Grants = &all[at], all[at].Manifest.Asks()
	if _, err := h.Backtest(t.Context(), bad, none); !errors.Is(err, storage.ErrForbidden) {
		t.Errorf("capabilities that who asks may not grant: %v", err)
	}
	bad.Approver = true
	if _, err := h.Backtest(t.Context(), bad, none); err != nil {
		t.Errorf("capabilities that who asks may grant: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := h.Backtest(ctx, good, none); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

// An organization follows the stream once, and all of them together a few times.
func TestFollowing(t *testing.T) {
	t.Parallel()
	p := newPreviews()
	for n := range maxFollowing {
		leave, err := p.follow(storage.Tenant(n))
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
	}
	if _, err := p.follow(0); !errors.Is(err, storage.ErrExhausted) || !strings.Contains(err.Error(), "already") {
		t.Errorf("twice: %v", err)
	}
	leave, err := p.follow(maxFollowing)
	if !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one over: %v", err)
		leave()
	}
}
