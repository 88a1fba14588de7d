package host

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/host/api"
	"github.com/vedette-siem/vedette/host/demo"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// removeTimeout bounds the removal of the demo, which goes on when who asked for it is gone.
const removeTimeout = time.Minute

// demoWatch is how often the room that the demo takes is looked at; it grows by about 1 MB in that time.
const demoWatch = time.Minute

// demoFeed is the feed of a host that plays one.
type demoFeed struct {
	mu       sync.Mutex
	feed     *demo.Feed
	stop     context.CancelFunc
	ended    chan struct{}
	removing sync.Mutex
	loading  sync.Mutex // a hostile parser
}

func isDemo(slug string) bool {
	return slices.ContainsFunc(demo.Orgs(), func(o demo.Org) bool { return o.Slug == slug })
}

// DemoRemoved reports whether a demo was asked for that somebody has removed from this data directory. It stays removed:
// another directory starts a new one.
func (h *Host) DemoRemoved() bool { return h.cfg.Demo && slices.ContainsFunc(h.removed, isDemo) }

// prepareDemo makes the feed and returns what plays it until ctx ends or the demo is removed. An organization that only
// has the name of one is left alone. It is called before the host is ready: whoever is told that it is can steer the feed.
func (h *Host) prepareDemo(ctx context.Context) (play func() error, err error) {
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	feed, err := h.newFeed(ctx, stop, ended)
	if err != nil || feed == nil {
		stop()
		if err == nil && !h.DemoRemoved() {
			h.log.Warn("no demo is played: its organizations exist, and were not made for it")
		}
		return func() error { return nil }, err
	}
	return func() error {
		defer close(ended)
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			h.watchDemo(ctx, feed)
		}()
		defer func() { <-watched }()
		defer stop()
		return feed.Run(ctx)
	}, nil
}

// watchDemo looks at the room that the demo takes until ctx ends.
func (h *Host) watchDemo(ctx context.Context, feed *demo.Feed) {
	tick := time.NewTicker(demoWatch)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.pauseFullDemo(feed, h.store.Stats().DiskBytes)
		}
	}
}

// pauseFullDemo pauses the feed while the log store is as large as it may be: retention by bytes never drops the newest
// two days, and a demo that was forgotten must not fill the disk with them.
func (h *Host) pauseFullDemo(feed *demo.Feed, used uint64) {
	limit := uint64(h.cfg.Retention.Bytes)
	if limit == 0 || !feed.Running() || used < limit {
		return
	}
	feed.SetRunning(false)
	h.log.Warn("the demo feed is paused: the log store has reached retention.bytes. It can go on when old days have been dropped, or in a new data directory", "bytes", limit)
}

// newFeed makes the feed and lets Remove find it, at a stroke: nobody removes the organizations meanwhile. It returns nil
// when there are none.
func (h *Host) newFeed(ctx context.Context, stop context.CancelFunc, ended chan struct{}) (*demo.Feed, error) {
	h.demo.removing.Lock()
	defer h.demo.removing.Unlock()
	there, err := h.db.DemoTenants(ctx)
	if err != nil {
		return nil, err
	}
	cfg := demo.FeedConfig{
		HTTP: h.localURL(), Seed: uint64(time.Now().UnixNano()), Report: func(err error) { h.log.Warn("demo feed", "error", err) },
		TLS: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // it talks to this very process, whose certificate names another address
	}
	for _, o := range demo.Orgs() {
		if !slices.Contains(there, h.tenants[o.Slug]) {
			continue
		}
		if o.Token, err = h.IngestToken(ctx, o.Slug, "demo feed"); err != nil {
			return nil, err
		}
		for _, l := range h.cfg.Syslog {
			if l.Organization == o.Slug {
				o.Syslog = l.Listen
			}
		}
		cfg.Orgs = append(cfg.Orgs, o)
	}
	if len(cfg.Orgs) == 0 {
		return nil, nil
	}
	feed := demo.NewFeed(cfg)
	h.demo.mu.Lock()
	defer h.demo.mu.Unlock()
	h.demo.feed, h.demo.stop, h.demo.ended = feed, stop, ended
	return feed, nil
}

// localURL is where this process reaches its own web server.
func (h *Host) localURL() string {
	scheme := "http"
	if h.cfg.HTTPCert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(h.Addr())
	if err != nil {
		return scheme + "://" + h.Addr()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// apiDemo shows the demo to the API.
type apiDemo struct{ *Host }

func (d apiDemo) now() *demo.Feed {
	d.demo.mu.Lock()
	defer d.demo.mu.Unlock()
	return d.demo.feed
}

// State implements api.Demo.
func (d apiDemo) State(ctx context.Context) (api.DemoState, error) {
	there, err := d.db.DemoTenants(ctx)
	if err != nil {
		return api.DemoState{}, err
	}
	feed := d.now()
	s := api.DemoState{Tenants: there, Running: len(there) > 0 && feed != nil && feed.Running()}
	if feed == nil {
		return s, nil
	}
	for _, x := range demo.Scenarios() {
		if t := d.tenants[x.Org]; slices.Contains(there, t) {
			s.Scenarios = append(s.Scenarios, api.DemoScenario{Tenant: t, Name: x.Name, Title: x.Title, Description: x.Description})
		}
	}
	return s, nil
}

// SetRunning implements api.Demo.
func (d apiDemo) SetRunning(on bool) error {
	feed := d.now()
	if feed == nil {
		return api.ErrNoDemo
	}
	feed.SetRunning(on)
	return nil
}

// Start implements api.Demo.
func (d apiDemo) Start(ctx context.Context, t storage.Tenant, name string) (int, error) {
	feed := d.now()
	if feed == nil {
		return 0, api.ErrNoDemo
	}
	for slug, n := range d.tenants {
		if n == t {
			return feed.Start(ctx, slug, name)
		}
	}
	return 0, fmt.Errorf("start a scenario: no demo organization has the number %d: %w", t, storage.ErrNotFound)
}

// Remove implements api.Demo: first nothing more comes, then what is there goes, in the order of the log.
func (d apiDemo) Remove(ctx context.Context, who string) error {
	d.demo.removing.Lock()
	defer d.demo.removing.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout) // half of it would be worse than late
	defer cancel()
	there, err := d.db.DemoTenants(ctx)
	if err != nil {
		return err
	}
	if len(there) == 0 {
		return api.ErrNoDemo
	}
	d.demo.mu.Lock()
	feed, stop, ended := d.demo.feed, d.demo.stop, d.demo.ended
	d.demo.feed = nil
	d.demo.mu.Unlock()
	if feed != nil {
		stop()
		<-ended
	}
	for _, t := range there {
		d.receiver.Refuse(t)
		if err := d.Control(ctx, module.Control{Kind: module.Forget, Tenant: t, Who: who}); err != nil {
			return fmt.Errorf("remove the demo organization %d: %w", t, err)
		}
		d.tokens.Drop(t)
	}
	return nil
}
