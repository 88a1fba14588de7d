package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vedette-siem/vedette/host/demo"
)

// loadSpec says what the child process sends. Each sender is an organization with its own connection and schedule.
type loadSpec struct {
	URL     string        // of the host
	Session string        // of a signed-in user, for the websocket; "" opens none
	Senders []sender      //
	For     time.Duration // of an open-loop run
	Plant   time.Duration // one planted event every so often, by the first sender; 0: none
	Settle  time.Duration // how long planted events that have not arrived are waited for
	AtOnce  int           // senders at once; 0: all
}

type sender struct {
	Token string
	Seed  uint64
	Rate  int    // lines per second on a schedule that waits for nobody; 0: Lines, one request after the other
	Lines int    // in all, when there is no Rate
	Batch int    // lines of a request, when there is no Rate
	Fixed string // sent instead of ordinary traffic
	Site  int    // sent instead of ordinary traffic: the lines of a site by its number, which no other site has
}

// loadResult is what the child has seen.
type loadResult struct {
	Sent      int             // lines that were acknowledged
	First     int             // of them by the first sender
	Refused   int             // requests that were not
	Failure   string          // the last reason
	Late      time.Duration   // of the sender itself behind its schedule, at worst
	Latencies []time.Duration // of planted events, from when they were due to their frame's arrival
	Planted   int
}

// tick is the grain of an open-loop schedule: everything that falls due within it goes in one request.
const tick = 10 * time.Millisecond

// runLoad starts the child and returns what it has seen.
func runLoad(t *testing.T, spec loadSpec) loadResult {
	t.Helper()
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), loadEnv+"=1")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("load generator: %v", err)
	}
	var r loadResult
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("load generator: %v", err)
	}
	if r.Sent == 0 {
		t.Fatalf("nothing was accepted: %s", r.Failure)
	}
	return r
}

// generator is the child.
type generator struct {
	spec   loadSpec
	client *http.Client
	live   *liveClient

	sent, first, refused, planted atomic.Int64

	mu      sync.Mutex
	failure string
	late    time.Duration
}

func sendLoad(in io.Reader, out io.Writer) error {
	g := &generator{client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	if err := json.NewDecoder(in).Decode(&g.spec); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if g.spec.Session != "" {
		var err error
		if g.live, err = watch(ctx, g.spec.URL, g.spec.Session); err != nil {
			return fmt.Errorf("open the websocket: %w", err)
		}
		defer g.live.close()
	}
	var work errgroup.Group
	if g.spec.AtOnce > 0 {
		work.SetLimit(g.spec.AtOnce)
	}
	for i := range g.spec.Senders {
		work.Go(func() error { return g.send(ctx, i) })
	}
	if err := work.Wait(); err != nil {
		return err
	}
	r := loadResult{Sent: int(g.sent.Load()), First: int(g.first.Load()), Refused: int(g.refused.Load()), Failure: g.failure, Late: g.late, Planted: int(g.planted.Load())}
	if g.live != nil {
		r.Latencies = g.live.wait(r.Planted, g.spec.Settle)
	}
	return json.NewEncoder(out).Encode(r)
}

func (g *generator) send(ctx context.Context, i int) error {
	s := g.spec.Senders[i]
	traffic := demo.NewTraffic(demo.Orgs()[i%len(demo.Orgs())], s.Seed)
	line := func(now time.Time) []byte {
		switch {
		case s.Fixed != "":
			return []byte(s.Fixed)
		case s.Site != 0:
			return siteLine(now, s.Site)
		}
		return traffic.Line(now)
	}
	if s.Rate > 0 {
		return g.open(ctx, i, line)
	}
	for done := 0; done < s.Lines; done += s.Batch {
		var body bytes.Buffer
		now := time.Now()
		for range s.Batch {
			body.Write(line(now))
			body.WriteByte('\n')
		}
		for !g.post(ctx, i, body.Bytes(), s.Batch) {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// open sends on a schedule: a request that hangs delays no other, and a planted event's clock starts when it was due.
func (g *generator) open(ctx context.Context, i int, line func(time.Time) []byte) error {
	s := g.spec.Senders[i]
	start := time.Now()
	var requests sync.WaitGroup
	defer requests.Wait()
	sent, planted := 0, 0
	for n := 1; ; n++ {
		due := start.Add(time.Duration(n) * tick)
		if due.Sub(start) > g.spec.For {
			return nil
		}
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
			return ctx.Err()
		}
		g.behind(time.Since(due))
		var body bytes.Buffer
		lines := int(int64(s.Rate)*int64(due.Sub(start))/int64(time.Second)) - sent
		for range lines {
			body.Write(line(due))
			body.WriteByte('\n')
		}
		sent += lines
		for i == 0 && g.spec.Plant > 0 && due.Sub(start) >= time.Duration(planted+1)*g.spec.Plant {
			planted++
			lines++
			g.live.expect(int(g.planted.Add(1)), due)
			body.Write(plantedLine(due, planted))
		}
		if lines > 0 {
			requests.Go(func() { g.post(ctx, i, body.Bytes(), lines) })
		}
	}
}

func (g *generator) behind(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.late = max(g.late, d)
}

// plantedLine is an event that the rule in testdata/planted fires on at once.
func plantedLine(at time.Time, n int) []byte {
	return fmt.Appendf(nil, `<190>date=%s time=%s devname="fw-bench" devid="FG100FTK20004711" eventtime=%d tz="+0000" logid="0100032001" type="event" subtype="system" level="information" vd="root" logdesc="Admin login successful" user="%s" ui="https(10.0.0.9)" method="https" srcip=10.0.0.9 dstip=10.0.0.1 action="login" status="success"`+"\n",
		at.UTC().Format("2006-01-02"), at.UTC().Format("15:04:05"), at.UnixNano(), plantedName(n))
}

func plantedName(n int) string { return fmt.Sprintf("planted-%06d", n) }

// clientOf returns the client of a sender: that of a site has an address and a connection of its own, for one request.
func (g *generator) clientOf(i int) *http.Client {
	site := g.spec.Senders[i].Site
	if site == 0 {
		return g.client
	}
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(site>>8), byte(site))}}
	return &http.Client{Timeout: g.client.Timeout, Transport: &http.Transport{DialContext: from.DialContext, DisableKeepAlives: true}}
}

// post sends lines of sender i and reports whether the host has them.
func (g *generator) post(ctx context.Context, i int, body []byte, lines int) bool {
	err := func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.spec.URL+"/v1/ingest", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+g.spec.Senders[i].Token)
		req.Header.Set("Content-Type", "text/plain")
		resp, err := g.clientOf(i).Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		if resp.StatusCode != http.StatusOK {
			return errors.Join(err, fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(text)))
		}
		return err
	}()
	if err == nil {
		g.sent.Add(int64(lines))
		if i == 0 {
			g.first.Add(int64(lines))
		}
		return true
	}
	g.refused.Add(1)
	g.mu.Lock()
	g.failure = err.Error()
	g.mu.Unlock()
	return false
}
