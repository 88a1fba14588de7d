package api_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/host/demo"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// demoHost is a host with the demo and an organization of the operator's own.
func demoHost(t *testing.T, dir string) (w *world, h *host.Host, stop func()) {
	t.Helper()
	cfg := host.Config{DataDir: dir, HTTP: "127.0.0.1:0", Demo: true, Organizations: []host.OrganizationConfig{{Slug: "main", Name: "Main"}}}
	for _, o := range demo.Orgs() {
		cfg.Organizations = append(cfg.Organizations, host.OrganizationConfig{Slug: o.Slug, Name: o.Name})
		addr := freePort(t)
		for _, protocol := range []string{"udp", "tcp"} {
			cfg.Syslog = append(cfg.Syslog, host.SyslogConfig{Protocol: protocol, Listen: addr, Organization: o.Slug})
		}
	}
	h, err := host.New(t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the host ended with %v", err)
		}
		if err := h.Close(); err != nil {
			t.Errorf("the host closed with %v", err)
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	}
	t.Cleanup(stop)
	return &world{url: "http://" + h.Addr(), tokens: map[uint32]string{}}, h, stop
}

// freePort is an address whose port is free for UDP and TCP, as far as a test can know.
func freePort(t *testing.T) string {
	t.Helper()
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		u, err := net.ListenPacket("udp", addr)
		l.Close()
		if err == nil {
			u.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// TestDemo starts every scenario, waits for the incidents that they promise, and then removes the demo: nothing of it is
// left, then or after a restart, while the operator's own organization goes on.
func TestDemo(t *testing.T) {
	dir := warm(t)
	w, h, stop := demoHost(t, dir)
	w.admin = w.signIn(t, "admin", h.Password())
	orgs := map[string]uint32{}
	for _, o := range must[v1.ListTenantsResponse](t)(w.admin.tenants.ListTenants(t.Context(), req(&v1.ListTenantsRequest{}))).Tenants {
		orgs[o.Slug] = o.Id
	}
	hana := w.user(t, "hana", "analyst", orgs["harbour"])
	own := must[v1.CreateIngestTokenResponse](t)(w.admin.tenants.CreateIngestToken(t.Context(), req(&v1.CreateIngestTokenRequest{Tenant: orgs["main"], Name: "own"}))).Token
	w.tokens[orgs["main"]] = own

	get := func(u *who) *v1.GetDemoResponse {
		return must[v1.GetDemoResponse](t)(u.demo.GetDemo(t.Context(), req(&v1.GetDemoRequest{})))
	}
	eventually(t, "feed", func() bool { return get(w.admin).Running })
	if d := get(w.admin); !d.Present || len(d.Tenants) != 2 || len(d.Scenarios) != len(demo.Scenarios()) {
		t.Errorf("the demo is %v", d)
	}
	if d := get(hana); len(d.Tenants) != 1 || d.Tenants[0] != orgs["harbour"] || len(d.Scenarios) == 0 || len(d.Scenarios) == len(demo.Scenarios()) {
		t.Errorf("an analyst of harbour sees %v", d)
	}
	testScenarios(t, w, hana, orgs)
	for name, err := range map[string]error{
		"pause": second(hana.demo.SetDemoFeed(t.Context(), req(&v1.SetDemoFeedRequest{}))), "remove": second(hana.demo.RemoveDemo(t.Context(), req(&v1.RemoveDemoRequest{}))),
		"a scenario elsewhere":    second(hana.demo.StartScenario(t.Context(), req(&v1.StartScenarioRequest{Name: "port-scan", Tenant: orgs["meadow"]}))),
		"a real organization":     second(w.admin.demo.StartScenario(t.Context(), req(&v1.StartScenarioRequest{Name: "port-scan", Tenant: orgs["main"]}))),
		"no scenario of the name": second(w.admin.demo.StartScenario(t.Context(), req(&v1.StartScenarioRequest{Name: "flood", Tenant: orgs["harbour"]}))),
	} {
		if !refused(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must[v1.SetDemoFeedResponse](t)(w.admin.demo.SetDemoFeed(t.Context(), req(&v1.SetDemoFeedRequest{})))
	if get(w.admin).Running {
		t.Error("the feed goes on after it was paused")
	}
	w.send(t, orgs["main"], "of the operator's own")
	testRemoval(t, w, hana, orgs)
	stop()

	w2, h2, _ := demoHost(t, dir)
	w2.admin = as(w2.url, "admin", w.admin.token)
	if !h2.DemoRemoved() {
		t.Error("the host does not know that the demo was removed")
	}
	testRemoved(t, w2, orgs)
}

func second[T any](_ T, err error) error { return err }

func testScenarios(t *testing.T, w *world, hana *who, orgs map[string]uint32) {
	t.Helper()
	for _, s := range demo.Scenarios() {
		u := w.admin
		if s.Org == "harbour" {
			u = hana
		}
		r := must[v1.StartScenarioResponse](t)(u.demo.StartScenario(t.Context(), req(&v1.StartScenarioRequest{Name: s.Name, Tenant: orgs[s.Org]})))
		if r.Records == 0 {
			t.Errorf("%s sent nothing", s.Name)
		}
	}
	for _, s := range demo.Scenarios() {
		if s.Wait > 0 {
			continue // longer than a test
		}
		eventually(t, "incident of "+s.Name, func() bool {
			return len(must[v1.ListIncidentsResponse](t)(w.admin.incidents.ListIncidents(t.Context(), req(&v1.ListIncidentsRequest{Rule: s.Rule, Tenants: []uint32{orgs[s.Org]}}))).Incidents) > 0
		})
	}
}

func testRemoval(t *testing.T, w *world, hana *who, orgs map[string]uint32) {
	t.Helper()
	must[v1.RemoveDemoResponse](t)(w.admin.demo.RemoveDemo(t.Context(), req(&v1.RemoveDemoRequest{})))
	if _, err := hana.auth.WhoAmI(t.Context(), req(&v1.WhoAmIRequest{})); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("a user of a removed organization: %v", err)
	}
	testRemoved(t, w, orgs)
	for name, err := range map[string]error{
		"remove again": second(w.admin.demo.RemoveDemo(t.Context(), req(&v1.RemoveDemoRequest{}))),
		"resume":       second(w.admin.demo.SetDemoFeed(t.Context(), req(&v1.SetDemoFeedRequest{Running: true}))),
	} {
		if connect.CodeOf(err) != connect.CodeFailedPrecondition {
			t.Errorf("%s: %v, want failed precondition", name, err)
		}
	}
}

// testRemoved: the admin sees the operator's own organization and its event, and nothing of the demo.
func testRemoved(t *testing.T, w *world, orgs map[string]uint32) {
	t.Helper()
	ctx := t.Context()
	list := must[v1.ListTenantsResponse](t)(w.admin.tenants.ListTenants(ctx, req(&v1.ListTenantsRequest{}))).Tenants
	if len(list) != 1 || list[0].Id != orgs["main"] {
		t.Errorf("organizations after the removal: %v", list)
	}
	if d := must[v1.GetDemoResponse](t)(w.admin.demo.GetDemo(ctx, req(&v1.GetDemoRequest{}))); d.Present || d.Running || len(d.Tenants)+len(d.Scenarios) > 0 {
		t.Errorf("the demo after the removal: %v", d)
	}
	if n := len(must[v1.ListIncidentsResponse](t)(w.admin.incidents.ListIncidents(ctx, req(&v1.ListIncidentsRequest{}))).Incidents); n > 0 {
		t.Errorf("%d incidents are left", n)
	}
	eventually(t, "own event", func() bool { return w.found(t, w.admin) == 1 })
	if stream, err := w.admin.events.Search(ctx, req(&v1.SearchRequest{Query: &v1.Query{Tenants: []uint32{orgs["harbour"]}}})); err == nil {
		for stream.Receive() {
			if len(stream.Msg().Events) > 0 {
				t.Error("an event of a removed organization is returned")
			}
		}
		if connect.CodeOf(stream.Err()) != connect.CodePermissionDenied {
			t.Errorf("naming a removed organization: %v", stream.Err())
		}
		stream.Close()
	}
}
