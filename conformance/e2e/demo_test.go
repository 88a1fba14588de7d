package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/chromedp/chromedp"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// demoConfig is the demo on ports of its own.
func demoConfig(t *testing.T) string {
	harbour, meadow := freePort(t), freePort(t)
	var b strings.Builder
	b.WriteString("organizations: [{slug: harbour, name: Harbour Freight Lines}, {slug: meadow, name: Meadow Street Clinic}]\nsyslog:\n")
	for _, l := range []struct {
		slug string
		port int
	}{{"harbour", harbour}, {"meadow", meadow}} {
		for _, p := range []string{"udp", "tcp"} {
			fmt.Fprintf(&b, "  - {protocol: %s, listen: \"127.0.0.1:%d\", organization: %s}\n", p, l.port, l.slug)
		}
	}
	return b.String()
}

// TestDemo is an operator's first minute: the demo raises three different incidents, a browser shows them live, and a
// rule that is switched off raises none.
func TestDemo(t *testing.T) {
	ctx := context.Background()
	s := newServer(t, demoConfig(t))
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
	browse(t, s)
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

// browse signs in with a real browser and waits for the incidents to appear in it; the screenshot is kept.
func browse(t *testing.T, s *server) {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		if browser, err = exec.LookPath("google-chrome"); err != nil {
			t.Fatal("no browser: `make deps` installs one")
		}
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 800))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Navigate(s.url)); err != nil { // starts the browser
		t.Fatalf("browser: %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	const user, password, submit = `input[autocomplete="username"]`, `input[autocomplete="current-password"]`, `button[type="submit"]`
	do(t, ctx, chromedp.WaitVisible(user))
	do(t, ctx, chromedp.SendKeys(user, "admin"))
	do(t, ctx, chromedp.SendKeys(password, "not the password"))
	do(t, ctx, chromedp.Click(submit))
	do(t, ctx, chromedp.WaitVisible(`[role="alert"]:not(:empty)`))
	refused := do(t, ctx, chromedp.Text(`[role="alert"]`))
	do(t, ctx, chromedp.Clear(password))
	do(t, ctx, chromedp.SendKeys(password, s.password))
	do(t, ctx, chromedp.Click(submit))
	do(t, ctx, chromedp.WaitVisible(`//*[contains(text(), "root logged in after 14 failures from 203.0.113.7")]`))
	page := do(t, ctx, chromedp.Text("body"))
	shot := do(t, ctx, chromedp.FullScreenshot(100))
	if refused == "" {
		t.Error("a wrong password says nothing")
	}
	if !strings.Contains(strings.ToLower(page), "live") {
		t.Errorf("the page does not say that it is live: %s", page)
	}
	dir := filepath.Join(root, ".tmp", "screenshots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "incidents.png"), shot, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("refused says %q; the screenshot is .tmp/screenshots/incidents.png", refused)
}

// do runs one action of the browser.
func do[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatalf("browser: %v", err)
	}
	return v
}
