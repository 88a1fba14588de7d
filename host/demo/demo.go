// Package demo plays two organizations' day: own-written, varied traffic, sent through the host's real sockets, with
// attacks planted in it.
package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
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

// Feed sends traffic.
type Feed struct {
	Orgs   []Org
	HTTP   string // base URL of HTTP ingest, "http://127.0.0.1:8080"
	Seed   uint64
	Now    func() time.Time
	Every  time.Duration // one round of background traffic; default 200ms
	Report func(error)   // told when the host does not take what is sent; the feed goes on
}

// Run sends until ctx ends.
func (f Feed) Run(ctx context.Context) error {
	if f.Every == 0 {
		f.Every = 200 * time.Millisecond
	}
	if f.Now == nil {
		f.Now = time.Now
	}
	g, ctx := errgroup.WithContext(ctx)
	for i := range f.Orgs {
		g.Go(func() error { return f.play(ctx, &f.Orgs[i], rand.New(rand.NewPCG(f.Seed, uint64(i)))) })
	}
	return g.Wait()
}

// play sends one organization's background traffic and scenes.
func (f Feed) play(ctx context.Context, o *Org, rnd *rand.Rand) error {
	out := sender{org: o, url: f.HTTP + "/v1/ingest", client: &http.Client{Timeout: 5 * time.Second}}
	defer out.close()
	w := &world{org: o, rnd: rnd, session: rnd.IntN(1 << 24)}
	script := scenes(o.Slug)
	start := f.Now()
	tick := time.NewTicker(f.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := f.Now()
		batch := w.background(now)
		for len(script) > 0 && now.Sub(start) >= script[0].at {
			batch.add(script[0].play(w, now))
			if again := script[0].every; again > 0 {
				script = insert(script[1:], scene{script[0].at + again, again, script[0].play})
			} else {
				script = script[1:]
			}
		}
		if err := out.send(ctx, batch); err != nil && ctx.Err() == nil && f.Report != nil {
			f.Report(err)
		}
	}
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
