package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/modules"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

// process is the real binary.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	url      string
	password string // of a first start
	began    time.Time
}

// binary is built once.
func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vedette")
	if text, err := exec.Command("go", "build", "-o", path, "github.com/vedette-siem/vedette/host/cmd/vedette").CombinedOutput(); err != nil {
		t.Fatalf("build vedette: %v\n%s", err, text)
	}
	return path
}

// serve starts the binary on a data directory and returns when all shipped modules run. password is that of an earlier
// start, "" for a first one.
func serve(t *testing.T, path, dir, password string) *process {
	t.Helper()
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := port.Addr().String()
	port.Close()
	var cfg strings.Builder
	fmt.Fprintf(&cfg, "data_dir: %s\nhttp: %q\nno_syslog: true\norganizations:\n", dir, addr)
	for _, slug := range orgs {
		fmt.Fprintf(&cfg, "  - {slug: %s, name: %s}\n", slug, slug)
	}
	file := filepath.Join(t.TempDir(), "vedette.yaml")
	if err := os.WriteFile(file, []byte(cfg.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(path, "serve", "--config", file), url: "http://" + addr, password: password}
	var errs bytes.Buffer
	p.cmd.Stderr = &errs
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	shipped := shippedModules(t)
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "password"); ok {
			p.password, _, _ = strings.Cut(strings.TrimSpace(rest), " ")
		}
		if strings.Contains(lines.Text(), "Ctrl-C") {
			break
		}
	}
	if !p.ready(shipped) {
		t.Fatalf("vedette is not ready after a minute\n%s", errs.String())
	}
	return p
}

// shippedModules returns how many modules ship; reading them takes as long as much of a start.
func shippedModules(t *testing.T) int {
	t.Helper()
	shipped, err := modules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return len(shipped)
}

// ready waits until so many modules run.
func (p *process) ready(shipped int) bool {
	p.t.Helper()
	client := vedettev1connect.NewModuleServiceClient(http.DefaultClient, p.url)
	list := connect.NewRequest(&v1.ListModulesRequest{})
	list.Header().Set("Authorization", "Bearer "+signIn(p.t, p.url, p.password))
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for limit := time.After(time.Minute); ; {
		if all, err := client.ListModules(p.t.Context(), list); err != nil {
			p.t.Fatal(err)
		} else if len(all.Msg.Modules) >= shipped {
			return true
		}
		select {
		case <-poll.C:
		case <-limit:
			return false
		}
	}
}

// stop ends the process as Ctrl-C does; it may be called twice.
func (p *process) stop() {
	if p.cmd.ProcessState != nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Error(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("vedette ended with %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// memory returns a line of /proc/PID/status in bytes: VmRSS is resident now, VmHWM was at most.
func (p *process) memory(line string) int64 {
	p.t.Helper()
	n, err := statusBytes(p.cmd.Process.Pid, line)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

func statusBytes(pid int, line string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(l, line+":"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("/proc does not tell %s", line)
}

// senders returns a sender for each organization, with a token made for it.
func (p *process) senders(rate int) []sender {
	p.t.Helper()
	session := "Bearer " + signIn(p.t, p.url, p.password)
	tenants := vedettev1connect.NewTenantServiceClient(http.DefaultClient, p.url)
	list := connect.NewRequest(&v1.ListTenantsRequest{})
	list.Header().Set("Authorization", session)
	all, err := tenants.ListTenants(p.t.Context(), list)
	if err != nil {
		p.t.Fatal(err)
	}
	var out []sender
	for i, o := range all.Msg.Tenants {
		req := connect.NewRequest(&v1.CreateIngestTokenRequest{Tenant: o.Id, Name: "bench"})
		req.Header().Set("Authorization", session)
		token, err := tenants.CreateIngestToken(p.t.Context(), req)
		if err != nil {
			p.t.Fatal(err)
		}
		out = append(out, sender{Token: token.Msg.Token, Seed: uint64(i + 1), Rate: rate / len(all.Msg.Tenants)})
	}
	return out
}

// TestBenchStart: from exec to ready, with an empty data directory, and with one that holds compiled modules.
func TestBenchStart(t *testing.T) {
	b := newTable(t, "START, EXEC TO READY")
	path := binary(t)
	var cold, warm []time.Duration
	for range 5 {
		dir := filepath.Join(t.TempDir(), "data")
		password := ""
		for _, took := range []*[]time.Duration{&cold, &warm} {
			p := serve(t, path, dir, password)
			*took = append(*took, time.Since(p.began))
			password = p.password
			p.stop()
		}
	}
	b.figure("cold: first start, modules installed and compiled", "%v", quantile(cold, 0.5).Round(time.Millisecond))
	b.goal("warm", "< 2 s", quantile(warm, 0.5) < 2*time.Second, "%v", quantile(warm, 0.5).Round(time.Millisecond))
}

// Size of a memory run.
const (
	idleFor   = 30 * time.Second
	loadedFor = 60 * time.Second
)

// TestBenchMemory: what the process holds when nothing happens, and after a minute at 5,000 events/s.
func TestBenchMemory(t *testing.T) {
	b := newTable(t, "MEMORY")
	p := serve(t, binary(t), filepath.Join(t.TempDir(), "data"), "")
	select {
	case <-time.After(idleFor):
	case <-t.Context().Done():
	}
	idle := p.memory("VmRSS")
	b.goal("idle, 30 s after the start", "< 250 MB", idle < 250e6, "%.0f MB resident", float64(idle)/1e6)
	r := runLoad(t, loadSpec{URL: p.url, Senders: p.senders(5_000), For: loadedFor})
	now, most := p.memory("VmRSS"), p.memory("VmHWM")
	b.goal("after 60 s at 5,000 events/s", "< 1 GiB", most < 1<<30, "%.0f MB resident, %.0f MB at most (%d events, %d requests refused)", float64(now)/1e6, float64(most)/1e6, r.Sent, r.Refused)
}
