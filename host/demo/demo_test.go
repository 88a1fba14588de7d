package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedette-siem/vedette/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host takes what a feed sends and counts it.
type host struct {
	udp, tcp, http atomic.Int64 // records
	org            Org
	url            string
}

// bothWays listens on one port over TCP and UDP: what is free for one may be taken for the other.
func bothWays(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	var last error
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		u, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			return l, u
		}
		last = err
		l.Close()
	}
	t.Fatal("no port is free for TCP and UDP: ", last)
	return nil, nil
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{org: Orgs()[0]}
	l, u := bothWays(t)
	h.org.Syslog = l.Addr().String()
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		h.http.Add(int64(bytes.Count(b, []byte("\n"))))
	}))
	h.url = web.URL
	done := make(chan struct{}, 2)
	go func() {
		defer func() { done <- struct{}{} }()
		for b := make([]byte, 1<<16); ; h.udp.Add(1) {
			if _, _, err := u.ReadFrom(b); err != nil {
				return
			}
		}
	}()
	go func() {
		defer func() { done <- struct{}{} }()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			for b := make([]byte, 1<<16); ; {
				n, err := c.Read(b)
				h.tcp.Add(int64(bytes.Count(b[:n], []byte("\n"))))
				if err != nil {
					break
				}
			}
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		u.Close()
		web.Close()
		<-done
		<-done
	})
	return h
}

func (h *host) all() int64 { return h.udp.Load() + h.tcp.Load() + h.http.Load() }

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	every := time.NewTicker(time.Millisecond)
	defer every.Stop()
	for deadline := time.Now().Add(20 * time.Second); !holds(); <-every.C {
		if time.Now().After(deadline) {
			t.Fatal("not yet: " + what)
		}
	}
}

func TestFeed(t *testing.T) {
	h := newHost(t)
	f := NewFeed(FeedConfig{Orgs: []Org{h.org}, HTTP: h.url, Seed: 1, Every: time.Millisecond, Report: func(err error) { t.Error(err) }})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	eventually(t, "traffic of all kinds", func() bool { return h.udp.Load() > 0 && h.tcp.Load() > 0 && h.http.Load() > 0 })

	f.SetRunning(false)
	n, err := f.Start(t.Context(), "harbour", "log-cleared") // it also waits until the round before is out
	if err != nil || n != 1 || f.Running() {
		t.Fatalf("a scenario while the feed is paused: %d, %v", n, err)
	}
	before := h.tcp.Load()
	if n, err = f.Start(t.Context(), "harbour", "guessed-password"); err != nil || n != 15 {
		t.Fatalf("guessed-password: %d records, %v", n, err)
	}
	eventually(t, "the scenario's records", func() bool { return h.tcp.Load() >= before+15 })
	posted := h.http.Load() // what is posted is counted when Start returns
	if _, err := f.Start(t.Context(), "harbour", "encoded-powershell"); err != nil || h.http.Load() != posted+1 {
		t.Errorf("%d requests' records while the feed is paused, %v", h.http.Load()-posted, err)
	}
	for org, name := range map[string]string{"harbour": "port-scan", "meadow": "port-scan", "nobody": "x"} {
		if _, err := f.Start(t.Context(), org, name); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s of %s: %v", name, org, err)
		}
	}
	f.SetRunning(true)
	quiet := h.all()
	eventually(t, "traffic again", func() bool { return h.all() > quiet+1 })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := f.Start(t.Context(), "harbour", "log-cleared"); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("after the end: %v", err)
	}
}

// TestScript: every scene is a scenario of its organization, in order, and those that come again do.
func TestScript(t *testing.T) {
	for _, o := range Orgs() {
		script := scenes(o.Slug)
		for i, s := range script {
			if s.attack == nil || s.attack.Org != o.Slug || i > 0 && s.at < script[i-1].at {
				t.Errorf("scene %d of %s: %+v", i, o.Slug, s)
			}
		}
		w := &world{org: &o, rnd: rand.New(rand.NewPCG(1, 1))}
		var b batch
		left := w.due(script, 20*time.Minute, time.Unix(1_700_000_000, 0), &b)
		if b.records() == 0 || len(left) != 1 || left[0].at <= 20*time.Minute {
			t.Errorf("%s after twenty minutes: %d records, left %+v", o.Slug, b.records(), left)
		}
	}
	seen := map[[2]string]bool{}
	for _, s := range Scenarios() {
		if key := [2]string{s.Org, s.Name}; seen[key] || s.Title == "" || s.Description == "" || s.Rule == "" {
			t.Errorf("scenario %+v", s)
		} else {
			seen[key] = true
		}
	}
}
