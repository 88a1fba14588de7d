// Package live keeps browsers up to date over websockets: each connection holds only cursors, and what changed is read
// again for it, so that a slow reader costs nothing but its own freshness.
package live

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// Viewer is who looks.
type Viewer struct {
	User    string
	Tenants []uint32
}

// Changes is what changed for an organization after a cursor: each incident once, as it is now, in the order of its
// last change.
type Changes struct {
	Incidents []*v1.Incident
	Next      uint64 // the cursor to go on from; there is more at once when Incidents is as long as the limit
	Gap       bool   // what the cursor stood for is no longer kept
}

// Feed is where incidents come from. It may be called by many goroutines at once; the caller owns what it returns.
type Feed interface {
	// Changes returns at most limit changes of an organization after a cursor.
	Changes(ctx context.Context, tenant uint32, after uint64, limit int) (Changes, error)
	// LastCursor returns the newest cursor of an organization, 0 when nothing ever changed.
	LastCursor(ctx context.Context, tenant uint32) (uint64, error)
	// List returns an organization's incidents, at most limit a page. page is "" for the first and next "" after the last.
	List(ctx context.Context, tenant uint32, page string, limit int) (list []*v1.Incident, next string, err error)
}

// Config is what a Hub needs. Zero means the default beside the field; Feed, Health and Viewer are needed.
type Config struct {
	Feed   Feed
	Health func() *v1.LiveHealth
	// Viewer tells who a request comes from: asked when a connection opens and again every PingEvery, so that an ended
	// session ends its connections. It may be called by many goroutines at once.
	Viewer func(r *http.Request) (Viewer, error)
	// Report gets what only the host's log should tell; default: nobody.
	Report func(err error)

	Every        time.Duration // the shortest time between two updates of one connection; default 50 ms
	HealthEvery  time.Duration // default 1 s
	PingEvery    time.Duration // default 10 s; a connection that answers none of two ends
	WriteTimeout time.Duration // default 10 s
}

// Hub serves the websocket. Notify, ServeHTTP and Close may be called by many goroutines at once.
type Hub struct {
	cfg    Config
	ctx    context.Context //nolint:containedctx // of the hub itself: it ends with Close, not with a request
	cancel context.CancelFunc
	done   sync.WaitGroup // connections, and the watcher
	wake   chan struct{}

	mu     sync.Mutex
	closed bool
	conns  map[*conn]struct{}
	users  map[string]int
	moved  map[uint32]bool // organizations whose incidents may have changed since watch looked
}

// NewHub returns a hub, which the caller closes.
func NewHub(cfg Config) *Hub {
	def := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	def(&cfg.Every, 50*time.Millisecond)
	def(&cfg.HealthEvery, time.Second)
	def(&cfg.PingEvery, 10*time.Second)
	def(&cfg.WriteTimeout, 10*time.Second)
	if cfg.Report == nil {
		cfg.Report = func(error) {}
	}
	h := &Hub{cfg: cfg, wake: make(chan struct{}, 1), conns: map[*conn]struct{}{}, users: map[string]int{}, moved: map[uint32]bool{}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.done.Add(1)
	go h.watch()
	return h
}

// Notify says whose incidents may have changed. It never blocks.
func (h *Hub) Notify(tenants []uint32) {
	h.mu.Lock()
	for _, t := range tenants {
		h.moved[t] = true
	}
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Close ends all connections and waits for them. Later requests are refused.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.cancel()
	h.done.Wait()
}

// watch wakes the connections that look at incidents which changed. Nothing is read for it, however many organizations
// there are: a connection reads those that it was told of.
func (h *Hub) watch() {
	defer h.done.Done()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-h.wake:
		}
		h.mu.Lock()
		moved, conns := h.moved, slices.Collect(maps.Keys(h.conns)) // one that comes later reads what there is by then
		h.moved = map[uint32]bool{}
		h.mu.Unlock()
		for _, c := range conns {
			c.changed(moved)
		}
	}
}

func (h *Hub) report(err error) {
	var gone errWrite
	if h.ctx.Err() == nil && !errors.Is(err, context.Canceled) && !errors.As(err, &gone) {
		h.cfg.Report(err)
	}
}

// enter counts a connection in, and says why it may not.
func (h *Hub) enter(c *conn) (status int, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return http.StatusServiceUnavailable, "the host is stopping"
	case len(h.conns) >= MaxConnections:
		return http.StatusServiceUnavailable, "too many live connections"
	case h.users[c.viewer.User] >= MaxConnectionsPerUser:
		return http.StatusTooManyRequests, "too many live connections of one user"
	}
	h.conns[c] = struct{}{}
	h.users[c.viewer.User]++
	h.done.Add(1)
	return 0, ""
}

func (h *Hub) leave(c *conn) {
	h.mu.Lock()
	delete(h.conns, c)
	if h.users[c.viewer.User]--; h.users[c.viewer.User] == 0 {
		delete(h.users, c.viewer.User)
	}
	h.mu.Unlock()
	h.done.Done()
}

// ServeHTTP upgrades a request to a websocket and serves it until it ends. A browser's request must come from a page of
// this host: it brings its cookie to whoever asks.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !sameOrigin(r) {
		http.Error(w, "a live connection belongs to pages of this host", http.StatusForbidden)
		return
	}
	viewer, err := h.cfg.Viewer(r)
	if err != nil {
		http.Error(w, "not signed in", http.StatusUnauthorized)
		return
	}
	c := newConn(h, viewer)
	if status, why := h.enter(c); status != 0 {
		http.Error(w, why, status)
		return
	}
	defer h.leave(c)
	up := websocket.Upgrader{
		HandshakeTimeout: h.cfg.WriteTimeout, ReadBufferSize: 1 << 10, WriteBufferSize: 16 << 10, WriteBufferPool: &buffers,
		CheckOrigin: func(*http.Request) bool { return true }, // was checked above, more strictly
	}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // it has answered
	}
	c.serve(ws, r)
}

var buffers sync.Pool
