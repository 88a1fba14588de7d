// Package demo plays two organizations' day: own-written, varied traffic, sent through the host's real sockets, with
// attacks planted in it.
package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vedette-siem/vedette/storage"
)

// Org is one of the demo organizations. Both use 10.0.0.0/24 on purpose: the same address is a different machine.
type Org struct {
	Slug   string
	Name   string
	Syslog string // address of its syslog listener, UDP and TCP
	Token  string // of HTTP ingest

	gate    firewall
	linux   []string // hosts
	windows []string
	web     string
	users   []string
}

// Own is where `vedette serve --demo` takes the syslog of the operator's own organization: what is sent there is not
// removed with the demo.
const Own = "127.0.0.1:5516"

// Orgs returns the demo organizations; the syslog addresses are those that `vedette serve --demo` listens on.
func Orgs() []Org {
	return []Org{
		{
			Slug: "harbour", Name: "Harbour Freight Lines", Syslog: "127.0.0.1:5514",
			gate:  firewall{name: "fw-quay-01", serial: "FG100FTK20004711", vdom: "root", policies: []string{"lan-to-internet", "dmz-in", "vpn-users"}},
			linux: []string{"bastion-1", "booking-db", "build-7"}, windows: []string{"HFL-DC01", "HFL-FS02", "HFL-WS114"},
			web: "www.harbour.example", users: []string{"ada", "bjorn", "chidi", "dara", "svc-backup"},
		},
		{
			Slug: "meadow", Name: "Meadow Street Clinic", Syslog: "127.0.0.1:5515",
			gate:  firewall{name: "clinic-fw", serial: "FGT60FTK21009832", vdom: "root", policies: []string{"wards", "guest-wifi", "imaging"}},
			linux: []string{"pacs-gw", "portal-1"}, windows: []string{"MSC-DC1", "MSC-RAD03"},
			web: "portal.meadow.example", users: []string{"drfox", "nurse.lee", "rad-tech", "reception", "svc-hl7"},
		},
	}
}

// FeedConfig says what a feed plays and to whom.
type FeedConfig struct {
	Orgs   []Org
	HTTP   string           // base URL of HTTP ingest, "http://127.0.0.1:8080"
	TLS    *tls.Config      // of that URL; default: none
	Seed   uint64           // equal seeds make equal traffic
	Now    func() time.Time // default time.Now
	Every  time.Duration    // one round of background traffic; default 200ms
	Report func(error)      // told when the host does not take what is sent; the feed goes on
}

// Feed sends the traffic of the demo organizations. Its methods may be called from any goroutine.
type Feed struct {
	cfg    FeedConfig
	paused atomic.Bool
	asks   map[string]chan ask // by organization
	ended  chan struct{}
}

// ask is a scenario to be played now.
type ask struct {
	what  *Scenario
	reply chan error
	sent  *int
}

// NewFeed returns a feed that runs but sends nothing before Run.
func NewFeed(cfg FeedConfig) *Feed {
	if cfg.Every == 0 {
		cfg.Every = 200 * time.Millisecond
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	f := &Feed{cfg: cfg, asks: map[string]chan ask{}, ended: make(chan struct{})}
	for i := range cfg.Orgs {
		f.asks[cfg.Orgs[i].Slug] = make(chan ask)
	}
	return f
}

// SetRunning pauses the background traffic and the script, or lets them go on where they were. A scenario that is
// started by hand is played in any case.
func (f *Feed) SetRunning(on bool) { f.paused.Store(!on) }

// Running reports whether the feed is not paused.
func (f *Feed) Running() bool { return !f.paused.Load() }

// Start plays a scenario once and returns how many records were sent. The error wraps storage.ErrNotFound when the
// organization has no scenario of that name, and storage.ErrUnavailable when the feed has ended.
func (f *Feed) Start(ctx context.Context, org, name string) (int, error) {
	s, to := scenario(org, name), f.asks[org]
	if s == nil || to == nil {
		return 0, fmt.Errorf("scenario %.64q: organization %.64q has none of that name: %w", name, org, storage.ErrNotFound)
	}
	sent := 0
	a := ask{what: s, reply: make(chan error, 1), sent: &sent}
	select {
	case to <- a:
	case <-f.ended:
		return 0, fmt.Errorf("scenario %s: the feed has ended: %w", name, storage.ErrUnavailable)
	case <-ctx.Done():
		return 0, fmt.Errorf("scenario %s: %w", name, ctx.Err())
	}
	err := <-a.reply // who took it answers
	return sent, err
}

// Run sends until ctx ends. It is called once.
func (f *Feed) Run(ctx context.Context) error {
	defer close(f.ended)
	g, ctx := errgroup.WithContext(ctx)
	for i := range f.cfg.Orgs {
		g.Go(func() error { return f.play(ctx, &f.cfg.Orgs[i], rand.New(rand.NewPCG(f.cfg.Seed, uint64(i)))) })
	}
	return g.Wait()
}

// play sends one organization's background traffic and scenes.
func (f *Feed) play(ctx context.Context, o *Org, rnd *rand.Rand) error {
	out := sender{org: o, url: f.cfg.HTTP + "/v1/ingest", client: &http.Client{
		Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: f.cfg.TLS, MaxIdleConnsPerHost: 1},
	}}
	defer out.close()
	w := &world{org: o, rnd: rnd, session: rnd.IntN(1 << 24)}
	script := scenes(o.Slug)
	var played time.Duration // that the feed was not paused
	last := f.cfg.Now()
	tick := time.NewTicker(f.cfg.Every)
	defer tick.Stop()
	for {
		var batch batch
		select {
		case <-ctx.Done():
			return nil
		case a := <-f.asks[o.Slug]:
			batch = a.what.play(w, f.cfg.Now(), w.stranger(a.what))
			*a.sent = batch.records()
			a.reply <- out.send(ctx, batch)
			continue
		case <-tick.C:
		}
		now := f.cfg.Now()
		if !f.Running() {
			last = now
			continue
		}
		played += now.Sub(last)
		last = now
		batch = w.background(now)
		script = w.due(script, played, now, &batch)
		if err := out.send(ctx, batch); err != nil && ctx.Err() == nil && f.cfg.Report != nil {
			f.cfg.Report(err)
		}
	}
}

// due adds the scenes whose time has come and returns the script that is left.
func (w *world) due(script []scene, played time.Duration, now time.Time, b *batch) []scene {
	for len(script) > 0 && played >= script[0].at {
		s := script[0]
		b.add(s.attack.play(w, now, s.attack.from))
		if script = script[1:]; s.every > 0 {
			script = insert(script, scene{s.at + s.every, s.every, s.attack})
		}
	}
	return script
}

// batch is what is sent in one round, by the way it is sent.
type batch struct {
	udp  [][]byte // FortiGate syslog
	tcp  [][]byte // Linux syslog
	http [][]byte // Windows events as JSON lines, and nginx access lines
}

func (b *batch) add(o batch) {
	b.udp, b.tcp, b.http = append(b.udp, o.udp...), append(b.tcp, o.tcp...), append(b.http, o.http...)
}

func (b *batch) records() int { return len(b.udp) + len(b.tcp) + len(b.http) }

// sender holds an organization's connections.
type sender struct {
	org    *Org
	url    string
	client *http.Client
	udp    net.Conn
	tcp    net.Conn
}

func (s *sender) close() {
	if s.udp != nil {
		s.udp.Close()
	}
	if s.tcp != nil {
		s.tcp.Close()
	}
	s.client.CloseIdleConnections()
}

func (s *sender) send(ctx context.Context, b batch) error {
	return errors.Join(s.sendUDP(ctx, b.udp), s.sendTCP(ctx, b.tcp), s.post(ctx, b.http))
}

func (s *sender) sendUDP(ctx context.Context, lines [][]byte) (err error) {
	if s.udp == nil {
		if s.udp, err = (&net.Dialer{}).DialContext(ctx, "udp", s.org.Syslog); err != nil {
			return fmt.Errorf("demo feed: %w", err)
		}
	}
	for _, l := range lines {
		if _, err := s.udp.Write(l); err != nil {
			return fmt.Errorf("demo feed: %w", err)
		}
	}
	return nil
}

func (s *sender) sendTCP(ctx context.Context, lines [][]byte) (err error) {
	if len(lines) == 0 {
		return nil
	}
	if s.tcp == nil {
		if s.tcp, err = (&net.Dialer{}).DialContext(ctx, "tcp", s.org.Syslog); err != nil {
			return fmt.Errorf("demo feed: %w", err)
		}
	}
	if _, err = s.tcp.Write(append(bytes.Join(lines, []byte("\n")), '\n')); err != nil {
		s.tcp.Close()
		s.tcp = nil
		return fmt.Errorf("demo feed: %w", err)
	}
	return nil
}

func (s *sender) post(ctx context.Context, lines [][]byte) error {
	if len(lines) == 0 {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(append(bytes.Join(lines, []byte("\n")), '\n')))
	if err != nil {
		return fmt.Errorf("demo feed: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+s.org.Token)
	req.Header.Set("Content-Type", "text/plain")
	resp, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("demo feed: %w", err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(io.LimitReader(resp.Body, 512)); resp.StatusCode != http.StatusOK {
		return fmt.Errorf("demo feed: %s: %s", resp.Status, bytes.TrimSpace(text))
	}
	return nil
}
