package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// newDemo prepares a host with the demo's organizations and one of its own, "main", on ports of their own.
func newDemo(t testing.TB) *server {
	t.Helper()
	var b strings.Builder
	b.WriteString("organizations: [{slug: harbour, name: Harbour Freight Lines}, {slug: meadow, name: Meadow Street Clinic}, {slug: main, name: Main organization}]\nsyslog:\n")
	syslog := map[string]string{}
	for _, slug := range []string{"harbour", "meadow", "main"} {
		syslog[slug] = fmt.Sprintf("127.0.0.1:%d", freePort(t))
		for _, p := range []string{"udp", "tcp"} {
			fmt.Fprintf(&b, "  - {protocol: %s, listen: %q, organization: %s}\n", p, syslog[slug], slug)
		}
	}
	s := newServer(t, b.String())
	s.syslog = syslog
	return s
}

// TestDemo is what the demo promises: three different incidents, repeats that count, and none by a rule that is switched
// off.
func TestDemo(t *testing.T) {
	ctx := context.Background()
	s := newDemo(t)
	from := time.Now()
	s.start("--demo")
	t.Logf("ready after %v", time.Since(from))
	s.signIn(ctx)
	const off = "fortigate-port-scan"
	setEnabled := func(on bool) {
		_, err := s.modules().SetModuleEnabled(ctx, connect.NewRequest(&v1.SetModuleEnabledRequest{Name: "vedette/" + off, Enabled: on}))
		if err != nil {
			t.Fatalf("switch %s: %v", off, err)
		}
	}
	s.until("the shipped modules", 60*time.Second, func() bool {
		r, err := s.modules().ListModules(ctx, connect.NewRequest(&v1.ListModulesRequest{}))
		return err == nil && len(r.Msg.Modules) > 0 && hasModule(r.Msg.Modules, "vedette/"+off)
	})
	setEnabled(false)
	s.until("two incidents of the demo", 60*time.Second, func() bool { return len(s.rules(ctx)) >= 2 })
	if wait(ctx, 20*time.Second); s.rules(ctx)[off] > 0 {
		t.Errorf("%s is switched off and raised an incident", off)
	}
	setEnabled(true)
	s.until("the port scan, once its rule is on again", 90*time.Second, func() bool { return s.rules(ctx)[off] > 0 })
	first := s.rules(ctx)
	t.Logf("after %v: incidents by rule %v", time.Since(from), first)
	if len(first) < 3 {
		t.Errorf("want three different incidents, got %v", first)
	}
	s.until("a repeat to raise a count instead of a new incident", 90*time.Second, func() bool { return s.count(ctx, off) > 1 })
	if n := s.rules(ctx)[off]; n != 1 {
		t.Errorf("%d incidents of %s, want 1 that counts", n, off)
	}
	if took := s.stop(); took > 5*time.Second {
		t.Errorf("Ctrl-C took %v, at most 5 s are allowed", took)
	}
}

func hasModule(list []*v1.Module, name string) bool {
	for _, m := range list {
		if m.Name == name {
			return true
		}
	}
	return false
}

// rules counts the incidents by rule.
func (s *server) rules(ctx context.Context) map[string]int {
	out := map[string]int{}
	r, err := s.incidents().ListIncidents(ctx, connect.NewRequest(&v1.ListIncidentsRequest{}))
	if err == nil {
		for _, i := range r.Msg.Incidents {
			out[i.Rule]++
		}
	}
	return out
}

// count is how often the incident of a rule has fired.
func (s *server) count(ctx context.Context, rule string) uint64 {
	r, err := s.incidents().ListIncidents(ctx, connect.NewRequest(&v1.ListIncidentsRequest{Rule: rule}))
	if err != nil || len(r.Msg.Incidents) == 0 {
		return 0
	}
	return r.Msg.Incidents[0].Count
}
