package live

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"google.golang.org/protobuf/encoding/protojson"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// The topics.
const (
	TopicIncidents = "incidents"
	TopicHealth    = "health"
)

// view is where a connection stands with one organization.
type view struct {
	cursor   uint64
	snapshot bool // the whole list is to be sent, from page on
	gap      bool // because the cursor was too old
	begun    bool // the first page is sent
	page     string
	sent     int
	next     uint64 // cursor that holds once the snapshot is through
	dirty    bool   // something changed after cursor
	starved  bool   // something waited for credit since the last frame
}

// conn is one connection. serve's goroutine owns all but what mu guards.
type conn struct {
	hub    *Hub
	viewer Viewer
	ws     *websocket.Conn

	requests chan *v1.LiveRequest
	wake     chan struct{}

	mu      sync.Mutex
	wanted  map[uint32]bool // organizations whose incidents are followed
	touched map[uint32]bool // of those, the ones that changed

	views  map[uint32]*view
	chosen []uint32 // of the subscription; empty for all that the viewer has
	health bool
	credit int
	last   time.Time // of the last update
}

func newConn(h *Hub, v Viewer) *conn {
	return &conn{
		hub: h, viewer: v, requests: make(chan *v1.LiveRequest), wake: make(chan struct{}, 1), wanted: map[uint32]bool{},
		touched: map[uint32]bool{}, views: map[uint32]*view{}, credit: StartCredit,
	}
}

// sameOrigin reports whether a request comes from a page of this host, or from a program that brings its own token.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return r.Header.Get("Authorization") != ""
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// changed notes whose incidents changed, and wakes the loop when it follows one of them.
func (c *conn) changed(moved map[uint32]bool) {
	c.mu.Lock()
	for t := range moved {
		if c.wanted[t] {
			c.touched[t] = true
		}
	}
	wake := len(c.touched) > 0
	c.mu.Unlock()
	if !wake {
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// serve runs a connection to its end.
func (c *conn) serve(ws *websocket.Conn, r *http.Request) {
	c.ws = ws
	ctx, cancel := context.WithCancel(c.hub.ctx)
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		defer cancel()
		c.read(ctx)
	}()
	c.loop(ctx, r)
	cancel()
	ws.Close() //nolint:errcheck // it ends the reader; what was to be said has been said
	<-reading
}

// read hands the browser's frames to the loop, until the connection ends or sends what it may not.
func (c *conn) read(ctx context.Context) {
	c.ws.SetReadLimit(MaxRequestBytes)
	alive := func(string) error {
		return c.ws.SetReadDeadline(time.Now().Add(2*c.hub.cfg.PingEvery + c.hub.cfg.WriteTimeout))
	}
	c.ws.SetPongHandler(alive)
	for alive("") == nil {
		kind, data, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		req := &v1.LiveRequest{}
		if kind != websocket.TextMessage || protojson.Unmarshal(data, req) != nil {
			c.end(websocket.CloseUnsupportedData, "want a LiveRequest as JSON")
			return
		}
		select {
		case c.requests <- req:
		case <-ctx.Done():
			return
		}
	}
}

// end tells the other side why the connection is closed. WriteControl may run beside the loop.
func (c *conn) end(code int, why string) {
	c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, why), time.Now().Add(c.hub.cfg.WriteTimeout)) //nolint:errcheck // the other side may be gone
}

// loop is the only writer of frames. Updates go out at once when the last one is older than Every, else when it is.
func (c *conn) loop(ctx context.Context, r *http.Request) {
	ping, health := time.NewTicker(c.hub.cfg.PingEvery), time.NewTicker(c.hub.cfg.HealthEvery)
	defer ping.Stop()
	defer health.Stop()
	slot := time.NewTimer(time.Hour)
	slot.Stop()
	defer slot.Stop()
	armed := false
	for {
		var err error
		due := false
		select {
		case <-ctx.Done():
			c.end(websocket.CloseGoingAway, "")
			return
		case req := <-c.requests:
			due = true
			err = c.request(req)
		case <-c.wake:
			due = true
		case <-slot.C:
			armed, due = false, true
		case <-health.C:
			if c.health && c.credit > 0 {
				err = c.send(&v1.LiveFrame{Kind: &v1.LiveFrame_Health{Health: c.hub.cfg.Health()}})
			}
		case <-ping.C:
			err = c.ping(r)
		}
		if due && err == nil && !armed {
			if wait := c.hub.cfg.Every - time.Since(c.last); wait > 0 && c.pending() {
				slot.Reset(wait)
				armed = true
			} else {
				err = c.update(ctx)
			}
		}
		if err != nil {
			c.hub.report(fmt.Errorf("live connection of %s: %w", c.viewer.User, err))
			c.end(websocket.CloseInternalServerErr, "")
			return
		}
	}
}

// errWrite ends a connection without a report: the other side is gone.
type errWrite struct{ error }

// ping keeps the connection alive and asks again who is looking: a session that ended ends its connection, an
// organization that is no longer the viewer's is followed no more, and new ones come in when none were chosen.
func (c *conn) ping(r *http.Request) error {
	v, err := c.hub.cfg.Viewer(r)
	if err != nil || v.User != c.viewer.User {
		c.end(websocket.ClosePolicyViolation, "the session has ended")
		return errWrite{websocket.ErrCloseSent}
	}
	c.viewer = v
	following := len(c.views) > 0
	for t := range c.views {
		if !slices.Contains(v.Tenants, t) {
			c.drop(t)
		}
	}
	if following && len(c.chosen) == 0 {
		for _, t := range v.Tenants {
			if c.views[t] == nil && len(c.views) < MaxTenants {
				c.follow(t, nil)
			}
		}
	}
	if err := c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.hub.cfg.WriteTimeout)); err != nil {
		return errWrite{err}
	}
	return nil
}

// request does what the browser asks.
func (c *conn) request(req *v1.LiveRequest) error {
	switch k := req.Kind.(type) {
	case *v1.LiveRequest_Credit:
		c.credit += int(min(k.Credit.Frames, MaxCredit))
		c.credit = min(c.credit, MaxCredit)
	case *v1.LiveRequest_Subscribe:
		switch k.Subscribe.Topic {
		case TopicHealth:
			c.health = true
			return c.send(&v1.LiveFrame{Kind: &v1.LiveFrame_Health{Health: c.hub.cfg.Health()}})
		case TopicIncidents:
			return c.subscribe(k.Subscribe)
		}
		return c.refuse("unknown topic")
	}
	return nil
}

func (c *conn) subscribe(s *v1.Subscribe) error {
	tenants := s.Tenants
	if len(tenants) == 0 {
		tenants = c.viewer.Tenants
	}
	if len(tenants) > MaxTenants {
		return c.refuse("too many organizations")
	}
	for _, t := range tenants {
		if !slices.Contains(c.viewer.Tenants, t) {
			return c.refuse("not allowed")
		}
	}
	c.chosen = s.Tenants
	for t := range c.views {
		c.drop(t)
	}
	for _, t := range tenants {
		if after, ok := s.After[t]; ok {
			c.follow(t, &after)
		} else {
			c.follow(t, nil)
		}
	}
	return nil
}

// follow starts an organization after a cursor, or with a snapshot.
func (c *conn) follow(t uint32, after *uint64) {
	v := &view{snapshot: true}
	if after != nil {
		v = &view{cursor: *after, dirty: true}
	}
	c.views[t] = v
	c.mu.Lock()
	c.wanted[t] = true
	c.mu.Unlock()
}

func (c *conn) drop(t uint32) {
	delete(c.views, t)
	c.mu.Lock()
	delete(c.wanted, t)
	delete(c.touched, t)
	c.mu.Unlock()
}

func (c *conn) refuse(why string) error {
	return c.send(&v1.LiveFrame{Kind: &v1.LiveFrame_Error{Error: &v1.LiveError{Message: why}}})
}

// pending takes over what the hub has noted and reports whether there is anything to send.
func (c *conn) pending() bool {
	c.mu.Lock()
	for t := range c.touched {
		if v := c.views[t]; v != nil {
			v.dirty = true
		}
	}
	clear(c.touched)
	c.mu.Unlock()
	for _, v := range c.views {
		if v.snapshot || v.dirty {
			return true
		}
	}
	return false
}

// send writes a frame and takes its credit.
func (c *conn) send(f *v1.LiveFrame) error {
	data, err := protojson.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode live frame: %w", err)
	}
	if err := c.ws.SetWriteDeadline(time.Now().Add(c.hub.cfg.WriteTimeout)); err != nil {
		return errWrite{err}
	}
	if err := c.ws.WriteMessage(websocket.TextMessage, data); err != nil {
		return errWrite{err}
	}
	c.credit = max(0, c.credit-1)
	return nil
}
