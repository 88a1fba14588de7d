package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/chromedp/chromedp"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// A probe is a line that raises an incident of its own, or counts for the one that its name has raised.
const (
	probeSpec = `framing: none
set:
  event.dataset: e2e.probe
  event.kind: event
templates:
  - "PROBE {host.name:word} {user.name:rest}"
`
	probeRule = `kind: pattern
id: e2e.probe
name: Probe
version: 1.0.0
description: One probe is enough.
severity: critical
subs:
  seen:
    title: a probe
    where: { event.dataset: e2e.probe }
    by: [user.name]
incident:
  key: [user.name]
  title: "probe {user.name}"
clear: { after: 24h }
tests:
  - name: one
    events:
      - { at: 0s, fields: { event.dataset: e2e.probe, user.name: u } }
    expect: { incidents: 1 }
`
)

// installProbe makes probes raise incidents, and returns a token of the organization "main".
func (s *server) installProbe(ctx context.Context) (token string) {
	s.t.Helper()
	s.install(ctx, rulePackage(s.t, "probe", probeRule))
	return s.readProbes(ctx, mainTenant)
}

// readProbes makes probes that an organization sends events, and returns its token.
func (s *server) readProbes(ctx context.Context, tenant uint32) (token string) {
	s.t.Helper()
	_, err := s.modules().InstallSpec(ctx, connect.NewRequest(&v1.InstallSpecRequest{
		Tenant: tenant, Name: "probe", Spec: probeSpec, Samples: [][]byte{[]byte("PROBE h1 u1")},
	}))
	if err != nil {
		s.t.Fatalf("install the parser of probes: %v", err)
	}
	return s.ingestToken(ctx, tenant, "probe")
}

func (s *server) probe(ctx context.Context, token string, names ...string) {
	s.t.Helper()
	if err := s.ingest(ctx, http.DefaultClient, token, probes(names)); err != nil {
		s.t.Fatal(err)
	}
}

func probes(names []string) string {
	var body strings.Builder
	for _, n := range names {
		fmt.Fprintf(&body, "PROBE probed-host %s\n", n)
	}
	return body.String()
}

// keepProbing sends probes, so many every so often, until the returned function is called, which returns how many it sent.
func (s *server) keepProbing(ctx context.Context, token string, every time.Duration, names func() []string) (stop func() int) {
	s.t.Helper()
	running, cancel := context.WithCancel(ctx)
	done, sent := make(chan error, 1), 0
	go func() {
		for wait(running, every) {
			n := names()
			if err := s.ingest(ctx, http.DefaultClient, token, probes(n)); err != nil {
				done <- err
				return
			}
			sent += len(n)
		}
		done <- nil
	}()
	return func() int {
		s.t.Helper()
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("send probes: %v", err)
		}
		return sent
	}
}

// TestConsole is what holds on every page, against one host with the demo.
func TestConsole(t *testing.T) {
	s := newDemo(t)
	s.start("--demo")
	defer s.stop()
	s.signIn(t.Context())
	token := s.installProbe(t.Context())
	for _, c := range []struct {
		name string
		test func(t *testing.T, s *server, token string)
	}{
		{"headers", testHeaders}, {"paint", testPaint}, {"latency", testLatency}, {"overview", testOverview}, {"sources", testSources}, {"modules", testModules}, {"lifecycle", testLifecycle}, {"catalogue", testCatalogue}, {"monitors", testMonitors}, {"tables", testTables}, {"rules", testRules}, {"cuts", testCuts}, {"injection", testInjection}, {"triage", testTriage}, {"roles", testRoles}, {"axe", testAxe}, {"keyboard", testKeyboard}, {"search", testSearch}, {"searchLive", testSearchLive}, {"searchLong", testSearchLong}, {"frames", testFrames},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			defer func() { s.t = nil }()
			s.signIn(t.Context()) // the browsers' sessions end the oldest ones
			c.test(t, s, token)
		})
	}
	s.t = t
}

// address is where a page is, and the heading that says it is there.
type address struct{ path, heading string }

// pages are all of the console's that are there from the beginning.
var pages = []address{
	{"/queue", "Queue.*"},
	{"/search", "Search.*"},
	{"/dashboards", "Overview.*"},
	{"/rules", "Rules"},
	{"/rules/new", "New rule"},
	{"/rules/attack", "ATT&CK"},
	{"/rules/ledger", "Gaps"},
	{"/modules", "Modules.*"},
	{"/modules/new", "New parser"},
	{"/catalogue", "Catalogue"},
	{"/trust", "Trust"},
	{"/modules/approvals", "Approvals"},
	{"/modules/quarantine", ".*Quarantine.*"},
	{"/modules/e2e/probe", "probe"},
	{"/modules/hostile", "Hostile modules"},
	{"/sources", "Sources.*"},
	{"/sources/add", "Add a source"},
	{"/monitors", "Monitors"},
	{"/monitors/new", "Watch a device"},
	{"/configurations", "Configurations"},
	{"/tables", "Tables"},
	{"/tables/new", "Add a table"},
	{"/health", "Health.*"},
	{"/access", "Access.*"},
}

const samples = 60 // of the latency

// watchRows notes when the row of a probe "tN" is first there.
const watchRows = `(() => {
  window.seen = {};
  const look = () => {
    for (const box of document.querySelectorAll('[role=grid] input[aria-label^="Select probe t"]')) window.seen[box.ariaLabel.slice('Select probe '.length)] ??= Date.now();
  };
  new MutationObserver(look).observe(document.querySelector('[role=grid]'), { childList: true, subtree: true, characterData: true });
  return true;
})()`

// testLatency sends records that each raise an incident and looks when its row is in the page.
func testLatency(t *testing.T, s *server, token string) {
	tt := newTimetable(t)
	p := openPage(t, "latency", s.url)
	p.signIn(s)
	p.open(s.url + "/queue?q=probe")
	p.find("grid", "Incidents")
	p.says("live")
	eval[bool](p, watchRows)
	sent := map[string]time.Time{}
	for n := range samples {
		name := fmt.Sprintf("t%d", n)
		sent[name] = time.Now()
		s.probe(t.Context(), token, name)
		wait(t.Context(), time.Duration(90+n%7*17)*time.Millisecond) // not in step with what the page does four times a second
	}
	p.await("all of the rows", fmt.Sprintf("Object.keys(window.seen).length === %d", samples))
	var took []time.Duration
	for name, at := range eval[map[string]int64](p, "window.seen") {
		took = append(took, time.UnixMilli(at).Sub(sent[name]))
	}
	slices.Sort(took)
	tt.note(fmt.Sprintf("record to row, p50 of %d", samples), took[samples/2], 300*time.Millisecond)
	tt.note("record to row, p99", took[samples*99/100], time.Second)
	tt.note("record to row, worst", took[samples-1], 0)
}

// addresses are all pages, an incident in each of its views, and an event.
func (s *server) addresses(t *testing.T) []address {
	t.Helper()
	var incident *v1.Incident
	s.until("an incident to look at", patience, func() bool {
		for _, i := range s.incidentsByID(t.Context()) {
			if i.Rule == "ssh-guessed-password" || incident == nil {
				incident = i
			}
		}
		return incident != nil
	})
	all := slices.Clone(pages)
	for _, view := range []string{"", "timeline", "entities", "events", "similar", "history", "rule"} {
		all = append(all, address{"/incidents/" + incident.Id + "?view=" + view, ".+"})
	}
	detail, err := s.incidents().GetIncident(t.Context(), connect.NewRequest(&v1.GetIncidentRequest{Id: incident.Id}))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range detail.Msg.Incident.Evidence[:min(1, len(detail.Msg.Incident.Evidence))] {
		all = append(all, address{"/events/" + e.EventId, ".+"})
	}
	return all
}

// violation is what axe finds.
type violation struct{ Impact, ID, Where string }

const axeRun = `axe.run({ resultTypes: ['violations'] }).then((r) => [
  ...r.passes.length < 10 ? [{ Impact: 'critical', ID: 'nothing to look at', Where: location.href }] : [], ...r.violations].filter((v) => v.Impact || ['serious', 'critical'].includes(v.impact))
  .map((v) => v.Impact ? v : ({ Impact: v.impact, ID: v.id, Where: v.nodes.map((n) => n.target.join(' ') + ' ' + n.html.slice(0, 200)).slice(0, 3).join(' | ') })))`

// settled is true when nothing fades in or out any more: colours in between have no contrast worth measuring.
const settled = `[...document.querySelectorAll('[role=dialog], [role=menu]')].every((e) => getComputedStyle(e).opacity === '1') && document.getAnimations().filter((a) => a.playState === 'running' && a.effect.getComputedTiming().iterations !== Infinity).length === 0`

// axe runs axe on what is shown.
func (p *page) axe(what string) {
	p.t.Helper()
	script, err := os.ReadFile(root + "/console/web/node_modules/axe-core/axe.min.js")
	if err != nil {
		p.t.Fatalf("axe comes with the console's tools (make web): %v", err)
	}
	p.await(what+" to stand still", settled)
	eval[bool](p, string(script)+"; true")
	for _, v := range do(p.t, p.ctx, chromedp.Evaluate[[]violation](axeRun, chromedp.EvalAwaitPromise)) {
		p.t.Errorf("%s: %s: %s at %s", what, v.Impact, v.ID, v.Where)
	}
}

// testAxe runs axe on every page in both themes.
func testAxe(t *testing.T, s *server, token string) {
	s.probe(t.Context(), token, "looked at")
	all := s.addresses(t)
	p := openPage(t, "axe", s.url)
	for _, theme := range []string{"dark", "light"} {
		eval[bool](p, fmt.Sprintf("localStorage.setItem('mantine-color-scheme-value', %q), true", theme))
		p.open(s.url)
		if theme == "dark" {
			p.find("textbox", "User name")
			p.axe(theme + " sign-in")
			p.signIn(s)
		}
		p.open(s.url + "/queue")
		p.find("row", ".*probe looked at.*")
		p.press("jxo")
		p.axe(theme + " queue with a selection and the summary")
		for _, dialog := range []string{"c", "?"} {
			p.press(dialog)
			p.find("dialog", ".+")
			p.axe(theme + " dialog " + dialog)
			p.closeDialog()
		}
		for _, x := range all {
			p.open(s.url + x.path)
			p.find("heading", x.heading)
			p.await(x.path+" to be loaded", `document.querySelector('[aria-busy=true]') === null`)
			p.axe(theme + " " + x.path)
		}
	}
	for _, x := range all {
		t.Logf("looked at in two themes: %s", x.path)
	}
}
