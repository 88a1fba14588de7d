package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protojson"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is a Feed in memory with the rules of storage/meta: every change takes the next cursor of its organization, and
// a reader gets each incident once.
type book struct {
	mu      sync.Mutex
	last    map[uint32]uint64
	floor   map[uint32]uint64
	changed map[uint32]map[string]uint64 // cursor of the last change
	state   map[uint32]map[string]*v1.Incident
	reads   int
	hub     *Hub
}

func newBook() *book {
	return &book{
		last: map[uint32]uint64{}, floor: map[uint32]uint64{}, changed: map[uint32]map[string]uint64{},
		state: map[uint32]map[string]*v1.Incident{},
	}
}

// bump raises the count of an incident, as one more firing does.
func (b *book) bump(t uint32, id string) {
	b.mu.Lock()
	if b.state[t] == nil {
		b.state[t], b.changed[t] = map[string]*v1.Incident{}, map[string]uint64{}
	}
	count := uint64(1)
	if old := b.state[t][id]; old != nil {
		count = old.Count + 1
	}
	b.state[t][id] = &v1.Incident{Id: id, Tenant: t, Count: count}
	b.last[t]++
	b.changed[t][id] = b.last[t]
	b.mu.Unlock()
	if b.hub != nil {
		b.hub.Notify([]uint32{t})
	}
}

func (b *book) counts(t uint32) map[string]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]uint64{}
	for id, in := range b.state[t] {
		out[id] = in.Count
	}
	return out
}

func (b *book) Changes(_ context.Context, t uint32, after uint64, limit int) (Changes, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads++
	if after < b.floor[t] || after > b.last[t] {
		return Changes{Gap: true, Next: b.last[t]}, nil
	}
	ids := slices.SortedFunc(maps.Keys(b.state[t]), func(x, y string) int { return int(b.changed[t][x]) - int(b.changed[t][y]) })
	out := Changes{Next: after}
	for _, id := range ids {
		if b.changed[t][id] > after && len(out.Incidents) < limit {
			out.Incidents = append(out.Incidents, b.state[t][id])
			out.Next = b.changed[t][id]
		}
	}
	return out, nil
}

func (b *book) LastCursor(_ context.Context, t uint32) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last[t], nil
}

func (b *book) List(_ context.Context, t uint32, page string, limit int) ([]*v1.Incident, string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := slices.Sorted(maps.Keys(b.state[t]))
	at, _ := slices.BinarySearch(ids, page)
	var list []*v1.Incident
	for _, id := range ids[at:] {
		if len(list) == limit {
			return list, id, nil
		}
		list = append(list, b.state[t][id])
	}
	return list, "", nil
}

// start serves a hub over the book; who signs in is the Authorization header, "USER TENANT TENANT …" in JSON.
func start(t *testing.T, b *book, cfg Config) (h *Hub, url string) {
	t.Helper()
	cfg.Feed = b
	if cfg.Viewer == nil {
		cfg.Viewer = viewerOf
	}
	cfg.Health = func() *v1.LiveHealth { return &v1.LiveHealth{EventsPerSecond: 12} }
	cfg.Report = func(err error) { t.Errorf("reported: %v", err) }
	h = NewHub(cfg)
	b.hub = h
	s := httptest.NewServer(h)
	t.Cleanup(func() { h.Close(); s.Close() })
	return h, "ws" + strings.TrimPrefix(s.URL, "http")
}

func viewerOf(r *http.Request) (v Viewer, err error) {
	err = json.Unmarshal([]byte(r.Header.Get("Authorization")), &v)
	return v, err
}

// client is a browser.
type client struct {
	ws     *websocket.Conn
	counts map[uint32]map[string]uint64
	after  map[uint32]uint64
	missed uint64
	errs   []string
	health int
	gaps   int
}

func newClient() *client {
	return &client{counts: map[uint32]map[string]uint64{}, after: map[uint32]uint64{}}
}

func (c *client) dial(t *testing.T, url string, tenants ...uint32) {
	t.Helper()
	who, _ := json.Marshal(Viewer{User: "ann", Tenants: tenants})
	ws, _, err := websocket.DefaultDialer.Dial(url, http.Header{"Authorization": {string(who)}})
	if err != nil {
		t.Fatal(err)
	}
	c.ws = ws
	ws.SetReadDeadline(time.Now().Add(20 * time.Second))
}

func (c *client) send(t *testing.T, r *v1.LiveRequest) {
	t.Helper()
	data, err := protojson.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ws.WriteMessage(websocket.TextMessage, data); err != nil {
		t.Fatal(err)
	}
}

func (c *client) subscribe(t *testing.T) {
	t.Helper()
	c.send(t, &v1.LiveRequest{Kind: &v1.LiveRequest_Subscribe{Subscribe: &v1.Subscribe{Topic: TopicIncidents, After: maps.Clone(c.after)}}})
}

func (c *client) credit(t *testing.T, n uint32) {
	t.Helper()
	c.send(t, &v1.LiveRequest{Kind: &v1.LiveRequest_Credit{Credit: &v1.Credit{Frames: n}}})
}

// next reads a frame and applies it; a cursor that does not rise, or an incident that was here already, is a fault.
func (c *client) next(t *testing.T) (*v1.LiveFrame, error) {
	t.Helper()
	_, data, err := c.ws.ReadMessage()
	if err != nil {
		return nil, err
	}
	f := &v1.LiveFrame{}
	if err := protojson.Unmarshal(data, f); err != nil {
		t.Fatal(err)
	}
	switch k := f.Kind.(type) {
	case *v1.LiveFrame_Error:
		c.errs = append(c.errs, k.Error.Message)
	case *v1.LiveFrame_Health:
		c.health++
	case *v1.LiveFrame_Changes:
		c.apply(t, k.Changes)
	}
	return f, nil
}

func (c *client) apply(t *testing.T, ch *v1.Changes) {
	t.Helper()
	if ch.Snapshot {
		delete(c.after, ch.Tenant)
	}
	if ch.Snapshot || c.counts[ch.Tenant] == nil {
		if !ch.Snapshot {
			t.Errorf("organization %d begins without a snapshot", ch.Tenant)
		}
		c.counts[ch.Tenant] = map[string]uint64{}
	}
	if ch.Gap {
		c.gaps++
	}
	if old, ok := c.after[ch.Tenant]; ok && !ch.Snapshot && !ch.More && ch.Cursor <= old {
		t.Errorf("cursor %d after %d", ch.Cursor, old)
	}
	_, resumed := c.after[ch.Tenant]
	for _, in := range ch.Incidents {
		if known := c.counts[ch.Tenant][in.Id]; resumed && !ch.Snapshot && in.Count <= known {
			t.Errorf("incident %s came with count %d when %d was known", in.Id, in.Count, known)
		}
		c.counts[ch.Tenant][in.Id] = in.Count
	}
	if !ch.More {
		c.after[ch.Tenant] = ch.Cursor
	}
	c.missed += ch.Missed
}

// until reads until the client knows what the book says.
func (c *client) until(t *testing.T, b *book, tenant uint32) {
	t.Helper()
	for !maps.Equal(c.counts[tenant], b.counts(tenant)) {
		if _, err := c.next(t); err != nil {
			t.Fatalf("at %v, want %v: %v", c.counts[tenant], b.counts(tenant), err)
		}
		c.credit(t, 1)
	}
}

func TestSnapshotThenChanges(t *testing.T) {
	b := newBook()
	for i := range MaxFrameIncidents*2 + 1 { // three pages
		b.bump(1, fmt.Sprintf("i%04d", i))
	}
	b.bump(2, "other")
	_, url := start(t, b, Config{})
	c := newClient()
	c.dial(t, url, 1)
	defer c.ws.Close()
	c.subscribe(t)
	c.until(t, b, 1)
	b.bump(1, "i0003")
	c.until(t, b, 1)
	if len(c.counts[2]) > 0 {
		t.Error("incidents of another organization came")
	}
}

func TestForeignOrganizationIsRefused(t *testing.T) {
	b := newBook()
	b.bump(1, "a")
	b.bump(2, "b")
	_, url := start(t, b, Config{})
	c := newClient()
	c.dial(t, url, 1)
	defer c.ws.Close()
	c.send(t, &v1.LiveRequest{Kind: &v1.LiveRequest_Subscribe{Subscribe: &v1.Subscribe{Topic: TopicIncidents, Tenants: []uint32{2}}}})
	c.send(t, &v1.LiveRequest{Kind: &v1.LiveRequest_Subscribe{Subscribe: &v1.Subscribe{Topic: "secrets"}}})
	// A cursor of a foreign organization in a subscription of all own ones is not looked at.
	c.after[2] = 0
	c.subscribe(t)
	c.until(t, b, 1)
	if want := []string{"not allowed", "unknown topic"}; !slices.Equal(c.errs, want) || len(c.counts[2]) > 0 {
		t.Errorf("errors %q and %v of organization 2, want %q and nothing", c.errs, c.counts[2], want)
	}
}

// A reader that is cut off a hundred times, anywhere, has seen every state in order and none twice.
func TestRandomCuts(t *testing.T) {
	b := newBook()
	_, url := start(t, b, Config{Every: time.Millisecond})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		r := rand.New(rand.NewPCG(seed, 2))
		every := time.NewTicker(200 * time.Microsecond)
		defer every.Stop()
		for {
			select {
			case <-stop:
				return
			case <-every.C:
				b.bump(uint32(1+r.IntN(2)), fmt.Sprintf("i%02d", r.IntN(500)))
			}
		}
	}()
	c := newClient()
	for range 100 {
		c.dial(t, url, 1, 2)
		c.subscribe(t)
		for range r.IntN(12) {
			if _, err := c.next(t); err != nil {
				t.Fatal(err)
			}
			c.credit(t, 1)
		}
		if r.IntN(2) == 0 {
			c.ws.NetConn().Close() // in the middle of whatever is being sent
		}
		c.ws.Close()
	}
	close(stop)
	<-stopped
	c.dial(t, url, 1, 2)
	defer c.ws.Close()
	c.subscribe(t)
	c.until(t, b, 1)
	c.until(t, b, 2)
}

func TestSlowReaderGetsTheLatestAndIsTold(t *testing.T) {
	b := newBook()
	b.bump(1, "a")
	_, url := start(t, b, Config{Every: time.Millisecond})
	c := newClient()
	c.dial(t, url, 1)
	defer c.ws.Close()
	c.subscribe(t)
	c.until(t, b, 1)
	// A connection that gets no time all the while has not noticed that its credit ran out; then this goes on.
	changes := uint64(0)
	for c.missed == 0 {
		for range StartCredit {
			b.bump(1, "a")
			if _, err := c.next(t); err != nil {
				t.Fatal(err)
			}
		}
		for range 50 {
			b.bump(1, "a")
			b.bump(1, "b")
			<-time.After(time.Millisecond) // longer than a slot: what waits now waits for credit
		}
		changes += 100
		for range StartCredit {
			c.credit(t, 1)
		}
		for !maps.Equal(c.counts[1], b.counts(1)) {
			if _, err := c.next(t); err != nil {
				t.Fatal(err)
			}
			c.credit(t, 1)
		}
	}
	if c.missed > changes-2 {
		t.Errorf("missed %d of %d changes of two incidents", c.missed, changes)
	}
}

func TestGapBringsASnapshot(t *testing.T) {
	b := newBook()
	for i := range 10 {
		b.bump(1, fmt.Sprint(i))
	}
	b.floor[1] = 5
	_, url := start(t, b, Config{})
	for _, after := range []uint64{3, 99} {
		c := newClient()
		c.after[1] = after
		c.dial(t, url, 1)
		c.subscribe(t)
		c.until(t, b, 1)
		if c.gaps != 1 {
			t.Errorf("%d gaps after cursor %d, want 1", c.gaps, after)
		}
		c.ws.Close()
	}
}

func TestHealthTopic(t *testing.T) {
	_, url := start(t, newBook(), Config{HealthEvery: 5 * time.Millisecond})
	c := newClient()
	c.dial(t, url, 1)
	defer c.ws.Close()
	c.send(t, &v1.LiveRequest{Kind: &v1.LiveRequest_Subscribe{Subscribe: &v1.Subscribe{Topic: TopicHealth}}})
	for c.health < 3 {
		if _, err := c.next(t); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhoMayConnect(t *testing.T) {
	_, url := start(t, newBook(), Config{})
	host := strings.TrimPrefix(url, "ws://")
	who := `{"User":"ann","Tenants":[1]}`
	for name, c := range map[string]struct {
		header http.Header
		status int
	}{
		"own page":               {http.Header{"Origin": {"http://" + host}, "Authorization": {who}}, 101},
		"program":                {http.Header{"Authorization": {who}}, 101},
		"another site":           {http.Header{"Origin": {"http://evil.example"}, "Authorization": {who}}, 403},
		"opaque origin":          {http.Header{"Origin": {"null"}, "Authorization": {who}}, 403},
		"neither page nor token": {http.Header{"Cookie": {"vedette_session=x"}}, 403},
		"not signed in":          {http.Header{"Origin": {"http://" + host}}, 401},
	} {
		ws, resp, err := websocket.DefaultDialer.Dial(url, c.header)
		if err == nil {
			ws.Close()
		}
		if resp == nil || resp.StatusCode != c.status {
			t.Errorf("%s: %v, want status %d", name, err, c.status)
		}
	}
}

func TestConnectionsOfOneUserAreBounded(t *testing.T) {
	h, url := start(t, newBook(), Config{})
	header := http.Header{"Authorization": {`{"User":"ann","Tenants":[1]}`}}
	for range MaxConnectionsPerUser {
		ws, _, err := websocket.DefaultDialer.Dial(url, header)
		if err != nil {
			t.Fatal(err)
		}
		defer ws.Close()
	}
	if _, resp, err := websocket.DefaultDialer.Dial(url, header); err == nil || resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("connection %d: %v", MaxConnectionsPerUser+1, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for range MaxConnections - len(h.conns) {
		h.conns[&conn{}] = struct{}{}
	}
	h.mu.Unlock()
	_, resp, err := websocket.DefaultDialer.Dial(url, http.Header{"Authorization": {`{"User":"bob","Tenants":[1]}`}})
	if err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("connection %d: %v", MaxConnections+1, err)
	}
	h.mu.Lock()
	for c := range h.conns {
		if c.hub == nil {
			delete(h.conns, c)
		}
	}
}

func TestBadAndOversizedFramesEndTheConnection(t *testing.T) {
	_, url := start(t, newBook(), Config{})
	for name, frame := range map[string]string{"not JSON": "hello", "unknown field": `{"x":1}`, "too long": `{"credit":{"frames":1}}` + strings.Repeat(" ", MaxRequestBytes)} {
		c := newClient()
		c.dial(t, url, 1)
		if err := c.ws.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.next(t); err == nil {
			t.Errorf("%s: the connection goes on", name)
		}
		c.ws.Close()
	}
}

// A session that ends takes its connection with it, at the next ping.
func TestEndedSession(t *testing.T) {
	var mu sync.Mutex
	ended := false
	_, url := start(t, newBook(), Config{PingEvery: 5 * time.Millisecond, Viewer: func(*http.Request) (Viewer, error) {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return Viewer{}, errors.New("ended")
		}
		return Viewer{User: "ann", Tenants: []uint32{1}}, nil
	}})
	c := newClient()
	c.dial(t, url, 1)
	defer c.ws.Close()
	mu.Lock()
	ended = true
	mu.Unlock()
	if _, err := c.next(t); !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
		t.Errorf("got %v, want a close frame with %d", err, websocket.ClosePolicyViolation)
	}
}

// An organization that is taken from a viewer goes quiet at the next ping, even when it was asked for by number.
func TestTakenOrganization(t *testing.T) {
	var mu sync.Mutex
	tenants, asked := []uint32{1, 2}, make(chan struct{})
	b := newBook()
	_, url := start(t, b, Config{PingEvery: 5 * time.Millisecond, Viewer: func(*http.Request) (Viewer, error) {
		mu.Lock()
		defer mu.Unlock()
		if len(tenants) == 1 {
			select {
			case asked <- struct{}{}:
			default:
			}
		}
		return Viewer{User: "ann", Tenants: slices.Clone(tenants)}, nil
	}})
	b.bump(1, "x")
	b.bump(2, "y")
	c := newClient()
	c.dial(t, url)
	defer c.ws.Close()
	c.send(t, &v1.LiveRequest{Kind: &v1.LiveRequest_Subscribe{Subscribe: &v1.Subscribe{Topic: TopicIncidents, Tenants: []uint32{1, 2}}}})
	c.until(t, b, 1)
	c.until(t, b, 2)
	mu.Lock()
	tenants = []uint32{2}
	mu.Unlock()
	<-asked
	<-asked // what the first answer changed is done
	b.bump(1, "x")
	b.bump(2, "y")
	c.until(t, b, 2) // the lower number is sent first
	if got := c.counts[1]["x"]; got != 1 {
		t.Errorf("incident x of the taken organization came with count %d", got)
	}
}

// However fast incidents change, updates keep their distance.
func TestPace(t *testing.T) {
	const every = 20 * time.Millisecond
	b := newBook()
	_, url := start(t, b, Config{Every: every})
	c := newClient()
	c.dial(t, url, 1)
	defer c.ws.Close()
	c.subscribe(t)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				b.bump(1, "a")
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	// The pages of a snapshot follow each other at once, and so may the first change; then the pace holds.
	const frames = 10
	var from time.Time
	for n := range frames + 3 {
		if _, err := c.next(t); err != nil {
			t.Fatal(err)
		}
		c.credit(t, 1)
		if n == 2 {
			from = time.Now()
		}
	}
	if took := time.Since(from); took < (frames-1)*every {
		t.Errorf("%d updates in %v, want at least %v between two", frames, took, every)
	}
}

func TestHammer(t *testing.T) {
	b := newBook()
	h, url := start(t, b, Config{Every: time.Millisecond, HealthEvery: time.Millisecond, PingEvery: 3 * time.Millisecond})
	var g sync.WaitGroup
	for i := range 8 {
		g.Add(1)
		go func() {
			defer g.Done()
			for n := range 10 {
				ws, _, err := websocket.DefaultDialer.Dial(url, http.Header{"Authorization": {fmt.Sprintf(`{"User":"u%d","Tenants":[1,2]}`, i)}})
				if err != nil {
					t.Error(err)
					return
				}
				ws.WriteMessage(websocket.TextMessage, []byte(`{"subscribe":{"topic":"incidents"}}`))
				ws.WriteMessage(websocket.TextMessage, []byte(`{"subscribe":{"topic":"health"}}`))
				for range n {
					b.bump(uint32(i%2+1), fmt.Sprint(n))
					ws.ReadMessage()
				}
				ws.Close()
			}
		}()
	}
	g.Wait()
	h.Close()
	if _, resp, err := websocket.DefaultDialer.Dial(url, http.Header{"Authorization": {`{"User":"x","Tenants":[1]}`}}); err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a closed hub: %v", err)
	}
}
