package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sort"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/chromedp/chromedp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vedette-siem/vedette/console"
	"github.com/vedette-siem/vedette/console/live"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

// What the queue must keep up with, and how smoothly.
const (
	crowdIncidents  = 10_000
	crowdPerSecond  = 200
	crowdTenants    = 2
	wantFPS         = 50
	wantP95         = 34  // ms between two frames
	wantLongestTask = 200 // ms
	frameRateTries  = 3   // the machine may be busy with something else
)

// crowd is a Feed of many incidents, a change of which takes the next cursor of its organization.
type crowd struct {
	mu    sync.Mutex
	rand  *rand.Rand
	ids   [crowdTenants + 1][]string
	state map[string]*v1.Incident
	last  [crowdTenants + 1]uint64
	log   [crowdTenants + 1][]string // ids by cursor - 1
}

func newCrowd() *crowd {
	c := &crowd{rand: rand.New(rand.NewPCG(1, 2)), state: map[string]*v1.Incident{}}
	for i := range crowdIncidents {
		c.open(uint32(1+i%crowdTenants), time.Now().Add(-time.Duration(crowdIncidents-i)*time.Second))
	}
	return c
}

var severities = []string{"informational", "low", "medium", "high", "critical"}

// open adds an incident; the caller holds mu or is alone.
func (c *crowd) open(tenant uint32, at time.Time) {
	n := len(c.state)
	host := fmt.Sprintf("srv-%03d.example", n%400)
	in := &v1.Incident{
		Id: fmt.Sprintf("inc-%06d", n), Tenant: tenant, Rule: fmt.Sprintf("rule-%02d", n%30), State: "open", Count: 1,
		Title: fmt.Sprintf("%s: %d failed logins of user%d", host, 5+n%90, n%700), Severity: severities[n%len(severities)],
		Key: map[string]string{"host.name": host, "user.name": fmt.Sprintf("user%d", n%700)}, Techniques: []string{"T1110"},
		FirstSeen: timestamppb.New(at), LastSeen: timestamppb.New(at), OpenedAt: timestamppb.New(at), UpdatedAt: timestamppb.New(at),
	}
	c.ids[tenant] = append(c.ids[tenant], in.Id)
	c.change(in)
}

func (c *crowd) change(in *v1.Incident) {
	c.state[in.Id] = in
	c.log[in.Tenant] = append(c.log[in.Tenant], in.Id)
	c.last[in.Tenant]++
}

// step makes changes: three of four raise a count, the others open an incident.
func (c *crowd) step(changes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range changes {
		t, now := uint32(1+c.rand.IntN(crowdTenants)), time.Now()
		if c.rand.IntN(4) == 0 {
			c.open(t, now)
			continue
		}
		in := proto.CloneOf(c.state[c.ids[t][c.rand.IntN(len(c.ids[t]))]])
		in.Count++
		in.LastSeen, in.UpdatedAt = timestamppb.New(now), timestamppb.New(now)
		c.change(in)
	}
}

func (c *crowd) Changes(_ context.Context, t uint32, after uint64, limit int) (live.Changes, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	upTo := min(after+uint64(limit), c.last[t])
	out, seen := live.Changes{Next: upTo}, map[string]bool{}
	for _, id := range c.log[t][after:upTo] {
		if !seen[id] {
			seen[id] = true
			out.Incidents = append(out.Incidents, c.state[id])
		}
	}
	return out, nil
}

func (c *crowd) LastCursor(_ context.Context, t uint32) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[t], nil
}

func (c *crowd) List(_ context.Context, t uint32, page string, limit int) ([]*v1.Incident, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := c.ids[t]
	from := sort.SearchStrings(ids, page)
	upTo, next := min(from+limit, len(ids)), ""
	if upTo < len(ids) {
		next = ids[upTo]
	}
	out := make([]*v1.Incident, 0, upTo-from)
	for _, id := range ids[from:upTo] {
		out = append(out, c.state[id])
	}
	return out, next, nil
}

// signedIn answers what the console asks before it shows the queue.
type signedIn struct {
	vedettev1connect.UnimplementedAuthServiceHandler
	vedettev1connect.UnimplementedTenantServiceHandler
}

func (signedIn) WhoAmI(context.Context, *connect.Request[v1.WhoAmIRequest]) (*connect.Response[v1.WhoAmIResponse], error) {
	return connect.NewResponse(&v1.WhoAmIResponse{
		User: &v1.User{Name: "ann", Role: "analyst", Tenants: []uint32{1, 2}}, Permissions: []string{"incidents.read", "incidents.work"},
	}), nil
}

func (signedIn) ListTenants(context.Context, *connect.Request[v1.ListTenantsRequest]) (*connect.Response[v1.ListTenantsResponse], error) {
	return connect.NewResponse(&v1.ListTenantsResponse{
		Tenants: []*v1.Tenant{{Id: 1, Slug: "harbour", Name: "Harbour Freight Lines"}, {Id: 2, Slug: "meadow", Name: "Meadow Street Clinic"}},
	}), nil
}

// serveCrowd serves the built console with a crowd of incidents that keeps changing.
func serveCrowd(t *testing.T) (url string) {
	t.Helper()
	c := newCrowd()
	hub := live.NewHub(live.Config{
		Feed: c, Health: func() *v1.LiveHealth { return &v1.LiveHealth{EventsPerSecond: 5_000} },
		Viewer: func(*http.Request) (live.Viewer, error) {
			return live.Viewer{User: "ann", Tenants: []uint32{1, 2}}, nil
		},
	})
	mux := http.NewServeMux()
	mux.Handle(vedettev1connect.NewAuthServiceHandler(signedIn{}))
	mux.Handle(vedettev1connect.NewTenantServiceHandler(signedIn{}))
	mux.Handle("GET /live", hub)
	mux.Handle("/", console.Handler())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	served, stop, stopped := make(chan error, 1), make(chan struct{}), make(chan struct{})
	go func() { served <- server.Serve(l) }()
	go func() {
		defer close(stopped)
		const every = 50 * time.Millisecond
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				c.step(int(crowdPerSecond * every / time.Second))
				hub.Notify()
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
		hub.Close()
		server.Close()
		<-served
	})
	return "http://" + l.Addr().String()
}

// frames is what the browser measured.
type frames struct {
	FPS, P50, P95, Longest float64 // Longest: ms of the longest task
	LongTasks, Nodes       int
	HeapMB                 float64
	Total                  string
}

func (f frames) good() bool {
	return f.FPS >= wantFPS && f.P95 <= wantP95 && f.Longest <= wantLongestTask
}

// measure scrolls for four seconds as a person does, with pauses, and rests for four.
const measure = `(() => {
  window.measured = undefined;
  const grid = document.querySelector('[role=grid]');
  const gaps = [], tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration)));
  observer.observe({ type: 'longtask' });
  const begin = performance.now();
  let last = begin;
  const frame = (now) => {
    gaps.push(now - last);
    last = now;
    const at = now - begin;
    if (at < 4000 && at % 1000 < 700) grid.scrollTop += 45;
    else if (at > 4000 && grid.scrollTop !== 0) grid.scrollTop = 0;
    if (at < 8000) return void requestAnimationFrame(frame);
    observer.disconnect();
    gaps.sort((a, b) => a - b);
    window.measured = {
      FPS: gaps.length * 1000 / at, P50: gaps[gaps.length >> 1], P95: gaps[Math.floor(gaps.length * 0.95)],
      Longest: Math.max(0, ...tasks), LongTasks: tasks.length, Nodes: document.querySelectorAll('*').length,
      HeapMB: (performance.memory?.usedJSHeapSize ?? 0) / 1048576, Total: grid.getAttribute('aria-rowcount'),
    };
  };
  requestAnimationFrame(frame);
  return true;
})()`

// TestQueueFrameRate is the queue's gate: 10,000 incidents and 200 changes a second at 50 frames a second or more.
func TestQueueFrameRate(t *testing.T) {
	ctx := newBrowser(t, serveCrowd(t), 2*time.Minute)
	from := time.Now()
	do(t, ctx, chromedp.WaitVisible(`[role="row"][aria-rowindex="5"]`))
	t.Logf("rows after %v", time.Since(from).Round(time.Millisecond))
	do(t, ctx, chromedp.Poll[bool](fmt.Sprintf(`Number(document.querySelector('[role=grid]').getAttribute('aria-rowcount')) >= %d`, crowdIncidents)))
	t.Logf("all %d after %v", crowdIncidents, time.Since(from).Round(time.Millisecond))
	var f frames
	judged := quiet()
	for try := range frameRateTries {
		do(t, ctx, chromedp.Evaluate[bool](measure))
		f = do(t, ctx, chromedp.Poll[frames]("window.measured"))
		t.Logf("try %d: %.1f fps, p50 %.1f ms, p95 %.1f ms, %d long tasks, the longest %.0f ms, %d nodes, heap %.0f MB, %s rows; load %s",
			try+1, f.FPS, f.P50, f.P95, f.LongTasks, f.Longest, f.Nodes, f.HeapMB, f.Total, load())
		if f.good() {
			return
		}
	}
	if !judged {
		t.Logf("others use this machine: the figures are not judged without %s=1", strictEnv)
		return
	}
	t.Errorf("want at least %d fps, p95 at most %d ms, no task over %d ms", wantFPS, wantP95, wantLongestTask)
}
