package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

// Size of a run with many organizations.
const (
	manyTenants   = 5_000
	sites         = 5_000 // places with addresses, users and hosts of their own: as many in each run
	siteLines     = 20    // of each
	sitesAtOnce   = 8
	restFor       = 10 * time.Second
	tenantsFactor = 1.2
)

// TestBenchTenants: what organizations cost that run nothing but the modules that all share. The same lines come from the
// same sites, each with an address of its own, in one run all of one organization, in the other each of its own: as many
// keys of rules, senders and clocks in both.
func TestBenchTenants(t *testing.T) {
	b := newTable(t, "MEMORY OF MANY ORGANIZATIONS OVER ONE SET OF MODULES")
	one, many := tenantsRun(t, 1), tenantsRun(t, manyTenants)
	mb := func(bytes int64) float64 { return float64(bytes) / 1e6 }
	b.figure("lines", "%d, of %d sites", one.lines, sites)
	b.figure("before them", "%.1f MB resident with 1 organization, %.1f MB with %d", mb(one.before.Resident), mb(many.before.Resident), manyTenants)
	b.figure("live heap after them", "%.1f MB with 1 organization, %.1f MB with %d", mb(one.after.Heap), mb(many.after.Heap), manyTenants)
	ratio := float64(many.after.Resident) / float64(one.after.Resident)
	b.goal("resident after them", fmt.Sprintf("<= %.1fx", tenantsFactor), ratio <= tenantsFactor, "%.1f MB with 1 organization, %.1f MB with %d: %.2fx", mb(one.after.Resident), mb(many.after.Resident), manyTenants, ratio)
	b.figure("goroutines after traffic", "%d with 1 organization, %d with %d", one.after.Goroutines, many.after.Goroutines, manyTenants)
}

// tenantsResult is a run.
type tenantsResult struct {
	before, after footprint
	lines         int
}

// footprint is what a process holds after a garbage collection.
type footprint struct {
	Heap, Resident int64 // bytes
	Goroutines     int
}

func tenantsRun(t *testing.T, organizations int) (r tenantsResult) {
	t.Helper()
	c := startChild(t, hostSpec{Dir: t.TempDir(), Organizations: organizations, Profile: os.Getenv("VEDETTE_BENCH_PROFILE")})
	r.before = c.measure()
	spec := loadSpec{URL: c.url, AtOnce: sitesAtOnce}
	for i := range sites {
		spec.Senders = append(spec.Senders, sender{Token: c.tokens[i%len(c.tokens)], Site: i + 1, Lines: siteLines, Batch: siteLines})
	}
	r.lines = runLoad(t, spec).Sent
	r.after = c.measure()
	c.end()
	return r
}

// siteLine is a line of a site: of its firewall, its web server or its jump host.
func siteLine(at time.Time, site int) []byte {
	a, b := site>>8&0xff, site&0xff
	switch at.UnixNano() % 3 {
	case 0:
		return fmt.Appendf(nil, `<189>date=%s time=%s devname="fw-%d" devid="FG%08d" eventtime=%d tz="+0000" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=10.%d.%d.7 srcport=40000 srcintf="lan" dstip=192.0.2.9 dstport=443 dstintf="wan1" sessionid=%d proto=6 action="close" policyid=1 service="HTTPS" duration=3 sentbyte=900 rcvdbyte=4000`,
			at.UTC().Format("2006-01-02"), at.UTC().Format("15:04:05"), site, site, at.UnixNano(), a, b, site)
	case 1:
		return fmt.Appendf(nil, `<38>%s jump-%d sshd[4242]: Accepted publickey for user-%d from 10.%d.%d.8 port 50022 ssh2: ED25519 SHA256:x`, at.UTC().Format("Jan _2 15:04:05"), site, site, a, b)
	}
	return fmt.Appendf(nil, `10.%d.%d.9 - user-%d [%s] "GET /orders HTTP/1.1" 200 512 "-" "curl/8"`, a, b, site, at.UTC().Format("02/Jan/2006:15:04:05 -0700"))
}

// hostSpec says what the child process that is a host runs.
type hostSpec struct {
	Dir           string
	Organizations int
	Profile       string // a heap profile is written to this name and a number after each measurement; "" for none
}

// hostReady is the first line that it writes; footprints follow, one for each line that it reads.
type hostReady struct {
	URL, Password string
	Tokens        []string // of the organizations
}

// beHost is the child: a host with the given number of organizations, until in ends.
func beHost(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	text, err := lines.ReadBytes('\n')
	var spec hostSpec
	if err := errors.Join(err, json.Unmarshal(text, &spec)); err != nil {
		return err
	}
	cfg := host.Config{DataDir: filepath.Join(spec.Dir, "data"), HTTP: "127.0.0.1:0", NoSyslog: true}
	for i := range spec.Organizations {
		cfg.Organizations = append(cfg.Organizations, host.OrganizationConfig{Slug: fmt.Sprintf("org-%d", i), Name: fmt.Sprintf("Organization %d", i)})
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	h, err := host.New(ctx, cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	if err := h.Ready(ctx); err != nil {
		return err
	}
	ready := hostReady{URL: "http://" + h.Addr(), Password: h.Password()}
	for _, o := range cfg.Organizations {
		token, err := h.IngestToken(ctx, o.Slug, "bench")
		if err != nil {
			return err
		}
		ready.Tokens = append(ready.Tokens, token)
	}
	answer := json.NewEncoder(out)
	if err := answer.Encode(ready); err != nil {
		return err
	}
	for n := 0; ; n++ {
		if _, err := lines.ReadBytes('\n'); err != nil {
			break // nobody asks any more
		}
		f, err := measureSelf()
		if err == nil && spec.Profile != "" {
			err = writeHeap(fmt.Sprintf("%s.%d.%d", spec.Profile, spec.Organizations, n))
		}
		if err != nil {
			return err
		}
		if err := answer.Encode(f); err != nil {
			return err
		}
	}
	stop()
	err = <-ended
	return errors.Join(err, h.Close())
}

// measureSelf returns what this process holds.
func measureSelf() (f footprint, err error) {
	for range 2 { // what finalizers and pools let go of in the first is freed in the second
		runtime.GC()
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	resident, err := statusBytes(os.Getpid(), "VmRSS")
	return footprint{Heap: int64(m.HeapAlloc), Resident: resident, Goroutines: runtime.NumGoroutine()}, err
}

func writeHeap(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}

// child is a host in a process of its own.
type child struct {
	running
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func startChild(t *testing.T, spec hostSpec) *child {
	t.Helper()
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.CommandContext(t.Context(), os.Args[0])}
	c.cmd.Env = append(os.Environ(), hostEnv+"=1")
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.in.Write(append(text, '\n')); err != nil {
		t.Fatal(err)
	}
	c.out = json.NewDecoder(out)
	var ready hostReady
	if err := c.out.Decode(&ready); err != nil {
		t.Fatalf("the host did not start: %v", err)
	}
	c.running = running{t: t, url: ready.URL, tokens: ready.Tokens, session: signIn(t, ready.URL, ready.Password)}
	c.health = vedettev1connect.NewHealthServiceClient(http.DefaultClient, c.url)
	return c
}

// measure returns what the host holds a while after all that it was sent was processed: rows are on disk by then.
func (c *child) measure() (f footprint) {
	c.t.Helper()
	c.drain()
	select {
	case <-time.After(restFor):
	case <-c.t.Context().Done():
	}
	_, err := io.WriteString(c.in, "\n")
	if err == nil {
		err = c.out.Decode(&f)
	}
	if err != nil {
		c.t.Fatalf("measure the host: %v", err)
	}
	return f
}

func (c *child) end() {
	c.t.Helper()
	http.DefaultClient.CloseIdleConnections()
	if err := errors.Join(c.in.Close(), c.cmd.Wait()); err != nil {
		c.t.Fatal(err)
	}
}
