package receive

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedette-siem/vedette/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type got struct {
	Tenant storage.Tenant
	Source Source
	Text   string
	Flags  uint8
}

// memory is a sink that keeps what it takes, and that can be told to refuse.
type memory struct {
	mu     sync.Mutex
	refuse error
	took   []got
	grown  chan struct{} // closed at every change
}

func newMemory() *memory { return &memory{grown: make(chan struct{})} }

func (m *memory) set(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = err
}

func (m *memory) Put(_ context.Context, t storage.Tenant, src Source, recs []Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return m.refuse
	}
	for _, r := range recs {
		if r.Received == 0 {
			return errors.New("a record has no time")
		}
		m.took = append(m.took, got{t, src, string(r.Bytes), r.Flags})
	}
	close(m.grown)
	m.grown = make(chan struct{})
	return nil
}

func (m *memory) Offer(ctx context.Context, t storage.Tenant, src Source, recs []Record) (int, error) {
	if err := m.Put(ctx, t, src, recs); err != nil {
		runtime.Gosched()
		return 0, err
	}
	return len(recs), nil
}

// wait returns what was taken once there are n.
func (m *memory) wait(t *testing.T, n int) []got {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		m.mu.Lock()
		took, grown := m.took, m.grown
		m.mu.Unlock()
		if len(took) >= n {
			return took
		}
		select {
		case <-grown:
		case <-deadline:
			t.Fatalf("%d records, want %d: %v", len(took), n, took)
		}
	}
}

type tokens map[string]storage.Tenant

func (a tokens) Resolve(_ context.Context, token string) (storage.Tenant, error) {
	if token == "broken" {
		return 0, storage.ErrUnavailable
	}
	if t, ok := a[token]; ok {
		return t, nil
	}
	return 0, fmt.Errorf("token: %w", storage.ErrUnauthorized)
}

// start runs a receiver with the given listeners, all on free ports of the loopback address.
func start(t *testing.T, cfg Config, sink Sink, networks ...string) (*Receiver, []string) {
	t.Helper()
	for i, n := range networks {
		cfg.Listeners = append(cfg.Listeners, Listener{Network: n, Addr: "127.0.0.1:0", Tenant: storage.Tenant(i + 1)})
	}
	if cfg.StateDir == "" {
		cfg.StateDir = t.TempDir()
	}
	r, err := Open(cfg, sink, tokens{"secret": 7})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		began := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d > handshakeTimeout-time.Second { // the shortest time that it could wait for a sender
			t.Errorf("closing took %s", d)
		}
	})
	return r, r.Addrs()
}

func send(t *testing.T, network, addr, text string) net.Conn {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return c
}

// eventually polls what has no event of its own.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
		runtime.Gosched()
	}
}

func (r *Receiver) reason(i int, why Reason) uint64 { return r.Stats()[i].Reasons[why.String()] }

func TestUDP(t *testing.T) {
	sink := newMemory()
	r, addrs := start(t, Config{MaxRecordBytes: 10}, sink, "udp")
	c := send(t, "udp", addrs[0], "<1>a\nb\n")
	for _, s := range []string{"", "0123456789x", "0123456789"} {
		if _, err := c.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []got{{Text: "<1>a\nb"}, {Text: "0123456789", Flags: FlagTruncated}, {Text: "0123456789"}} {
		g := sink.wait(t, 3)[i]
		_, port, _ := net.SplitHostPort(addrs[0])
		if g.Text != want.Text || g.Flags != want.Flags || g.Tenant != 1 || g.Source != (Source{"syslog-udp:" + port, "127.0.0.1"}) {
			t.Errorf("%+v", g)
		}
	}
	eventually(t, "records counted", func() bool { return r.Stats()[0].Records == 3 })
	if s := r.Stats()[0]; s.Bytes != 26 || s.LastSeen == 0 || s.Reasons["oversized"] != 1 || s.Reasons["empty"] != 1 {
		t.Errorf("%+v", s)
	}
	sink.set(storage.ErrUnavailable)
	send(t, "udp", addrs[0], "x")
	eventually(t, "loss counted", func() bool { return r.reason(0, QueueFull) == 1 })
	if s := r.Sources(1); len(s) != 1 || s[0].Source.Peer != "127.0.0.1" || s[0].Records != 3 || s[0].LastSeen == 0 {
		t.Errorf("%+v", s)
	}
	if s := r.Sources(2); len(s) != 0 {
		t.Errorf("another organization sees %+v", s)
	}
}

func TestTCP(t *testing.T) {
	sink := newMemory()
	r, addrs := start(t, Config{MaxRecordBytes: 16}, sink, "udp", "tcp")
	c := send(t, "tcp", addrs[1], "4 <1>a30 <2>"+strings.Repeat("x", 27)+"4 <3>c")
	took := sink.wait(t, 3)
	if took[1].Text != "<2>xxxxxxxxxxxxx" || took[1].Flags != FlagTruncated || took[2].Text != "<3>c" || took[2].Tenant != 2 {
		t.Fatalf("%+v", took)
	}
	if _, err := c.Write([]byte("4 <4>d20 <5>half")); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if g := sink.wait(t, 5)[4]; g.Text != "<5>half" || g.Flags != FlagBadFraming {
		t.Fatalf("%+v", g)
	}
	eventually(t, "connection gone", func() bool { return r.Stats()[1].Connections == 0 })
	if s := r.Stats()[1]; s.Records != 5 || s.Reasons["oversized"] != 1 || s.Reasons["bad_framing"] != 1 {
		t.Errorf("%+v", s)
	}
}

// TestTCPHoldsSenderUp lets the sink refuse for a while: nothing is lost, and the stall is counted.
func TestRefuse(t *testing.T) {
	sink := newMemory()
	r, addrs := start(t, Config{}, sink, "tcp", "udp", "tcp") // of organizations 1 to 3
	open := send(t, "tcp", addrs[0], "first\n")
	sink.wait(t, 1)
	r.Refuse(1)
	r.Refuse(2)
	open.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := open.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("an open connection goes on: %v", err)
	}
	if c, err := net.Dial("tcp", addrs[0]); err == nil {
		c.Close()
		t.Error("the listener still accepts")
	}
	send(t, "tcp", addrs[2], "another organization's\n")
	sink.wait(t, 2)
}

func TestTCPHoldsSenderUp(t *testing.T) {
	sink := newMemory()
	sink.set(fmt.Errorf("full: %w", storage.ErrUnavailable))
	r, addrs := start(t, Config{}, sink, "tcp")
	send(t, "tcp", addrs[0], "<1>a\n<1>b\n")
	eventually(t, "stall counted", func() bool { return r.reason(0, Stalled) > 3 })
	sink.set(nil)
	if took := sink.wait(t, 2); len(took) != 2 || took[0].Text != "<1>a" {
		t.Fatalf("%+v", took)
	}
}

func TestConnectionLimitAndIdle(t *testing.T) {
	r, addrs := start(t, Config{MaxConnections: 1, IdleTimeout: 200 * time.Millisecond}, newMemory(), "tcp")
	first := send(t, "tcp", addrs[0], "x")
	eventually(t, "connected", func() bool { return r.Stats()[0].Connections == 1 })
	second := send(t, "tcp", addrs[0], "")
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Fatal("a connection over the limit was served")
	}
	if _, err := first.Read(make([]byte, 1)); err == nil {
		t.Fatal("an idle connection stayed")
	}
	eventually(t, "counted", func() bool { return r.reason(0, ConnectionLimit) == 1 && r.reason(0, ConnectionIdle) == 1 })
}

func TestTLS(t *testing.T) {
	sink, dir := newMemory(), t.TempDir()
	r, addrs := start(t, Config{StateDir: dir}, sink, "tls")
	pem, err := os.ReadFile(filepath.Join(dir, "syslog-tls.crt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"syslog-tls.crt", "syslog-tls.key"} {
		if s, err := os.Stat(filepath.Join(dir, f)); err != nil || s.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, s.Mode(), err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	c, err := tls.Dial("tcp", addrs[0], &tls.Config{RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("4 <1>a")); err != nil {
		t.Fatal(err)
	}
	if g := sink.wait(t, 1)[0]; g.Text != "<1>a" || !strings.HasPrefix(g.Source.Listener, "syslog-tls:") {
		t.Fatalf("%+v", g)
	}
	if _, err := tls.Dial("tcp", addrs[0], &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		t.Fatal("TLS 1.1 was accepted")
	}
	send(t, "tcp", addrs[0], "not a handshake\n").Close()
	eventually(t, "handshakes counted", func() bool { return r.reason(0, TLSHandshake) == 2 })
	// The pair is kept: a sender may pin it.
	again, err := Open(Config{StateDir: dir, Listeners: []Listener{{"tls", "127.0.0.1:0", 1}}}, sink, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if a, b := r.Stats()[0].Fingerprint, again.Stats()[0].Fingerprint; a != b || len(a) != 64 {
		t.Fatalf("fingerprints %s and %s", a, b)
	}
}

func TestTLSRenewsAndVerifiesSenders(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	open := func(at time.Time, ca string) (*Receiver, error) {
		return Open(Config{
			StateDir: dir, ClientCAFile: ca, Now: func() time.Time { return at },
			Listeners: []Listener{{"tls", "127.0.0.1:0", 1}},
		}, newMemory(), nil)
	}
	var prints []string
	for _, at := range []time.Time{now, now.Add(certificateLife - certificateRenewAhead - time.Hour), now.Add(certificateLife)} {
		r, err := open(at, "")
		if err != nil {
			t.Fatal(err)
		}
		prints = append(prints, r.Stats()[0].Fingerprint)
		r.Close()
	}
	if prints[0] != prints[1] || prints[1] == prints[2] {
		t.Fatalf("%v", prints)
	}
	if _, err := open(now, filepath.Join(dir, "syslog-tls.key")); !errors.Is(err, storage.ErrInvalid) {
		t.Fatalf("authorities without a certificate: %v", err)
	}
	r, addrs := start(t, Config{StateDir: dir, ClientCAFile: filepath.Join(dir, "syslog-tls.crt")}, newMemory(), "tls")
	c, err := tls.Dial("tcp", addrs[0], &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the sender's side is not under test
	if err == nil {
		_, err = c.Read(make([]byte, 1)) // with TLS 1.3 the refusal comes after the sender's handshake
		c.Close()
	}
	if err == nil {
		t.Fatal("a sender without a certificate was served")
	}
	eventually(t, "counted", func() bool { return r.reason(0, TLSHandshake) == 1 })
}

func TestPortTaken(t *testing.T) {
	for _, network := range []string{"udp", "tcp", "tls"} {
		_, addrs := start(t, Config{}, newMemory(), network)
		_, err := Open(Config{StateDir: t.TempDir(), Listeners: []Listener{{network, addrs[0], 1}}}, newMemory(), nil)
		var taken *PortTakenError
		if !errors.As(err, &taken) || !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("%s: %v", network, err)
		}
		_, port, _ := net.SplitHostPort(addrs[0])
		if taken.Next == 0 || !strings.HasPrefix(err.Error(), fmt.Sprintf("%s port %s is taken by ", network, port)) {
			t.Errorf("%s: %v", network, err)
		}
		if runtime.GOOS == "linux" && (taken.PID != os.Getpid() || !strings.Contains(taken.Command, filepath.Base(os.Args[0]))) {
			t.Errorf("%s: held by %d %q", network, taken.PID, taken.Command)
		}
	}
	if _, _, ok := PortHolder("tcp", "127.0.0.1:1"); ok {
		t.Error("a holder of a free port")
	}
}

func TestConfigRefused(t *testing.T) {
	for name, c := range map[string]Config{
		"network":   {Listeners: []Listener{{"sctp", ":0", 1}}},
		"no tenant": {Listeners: []Listener{{"udp", ":0", 0}}},
		"no pair":   {Listeners: []Listener{{"tls", ":0", 1}}},
		"half pair": {CertFile: "x"},
		"records":   {MaxRecordBytes: MaxRecordBytesCap + 1},
		"negative":  {MaxConnections: -1},
		"address":   {Listeners: []Listener{{"udp", "no such address", 1}}},
	} {
		if _, err := Open(c, nil, nil); !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSourceTableIsBounded(t *testing.T) {
	s := newSourceTable(100)
	quiet := netip.MustParseAddr("192.0.2.1")
	for i := range 10_000 {
		s.saw(1, "l", netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1, int64(i+1))
		s.saw(1, "l", quiet, 1, int64(i+1))
	}
	if len(s.entries) != 50 || s.per[1] != 50 {
		t.Fatalf("%d entries of one organization, who may have half", len(s.entries))
	}
	for i := range 1000 {
		s.saw(storage.Tenant(2+i%3), "l", netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 1, int64(i+1))
	}
	if len(s.entries) != 100 || s.per[1] == 0 {
		t.Fatalf("%d entries in all, %d of the first organization", len(s.entries), s.per[1])
	}
	s.saw(1, "l", quiet, 5000, 20_000)
	if e := s.entries[sourceKey{1, "l", quiet}]; e == nil || e.records < 5000 {
		t.Error("a peer that sends all the time was forgotten often")
	}
	if got := peerName(netip.MustParseAddr("::ffff:10.0.0.1")); got != "10.0.0.1" {
		t.Error(got)
	}
}

// TestHammer has many senders of every kind at once, and reads the statistics meanwhile; every record of a stream comes.
func TestHammer(t *testing.T) {
	sink := newMemory()
	r, addrs := start(t, Config{}, sink, "udp", "tcp", "tls")
	const senders, each = 4, 100
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			tcp, err := net.Dial("tcp", addrs[1])
			if err != nil {
				t.Error(err)
				return
			}
			defer tcp.Close()
			secure, err := tls.Dial("tcp", addrs[2], &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a test of load
			if err != nil {
				t.Error(err)
				return
			}
			defer secure.Close()
			udp, err := net.Dial("udp", addrs[0])
			if err != nil {
				t.Error(err)
				return
			}
			defer udp.Close()
			for n := range each {
				fmt.Fprintf(tcp, "<1>%d %d\n", i, n)
				fmt.Fprintf(secure, "%d <1>%d %d", len(fmt.Sprintf("<1>%d %d", i, n)), i, n)
				fmt.Fprintf(udp, "<1>%d %d", i, n)
				if w := post(r, "secret", "text/plain", "", bytes.NewReader([]byte("x"))); w.Code != 200 {
					t.Errorf("status %d", w.Code)
				}
				_, _ = r.Stats(), r.Sources(1)
			}
		})
	}
	wg.Wait()
	eventually(t, "every record of the streams", func() bool {
		s := r.Stats()
		return s[1].Records == senders*each && s[2].Records == senders*each && s[3].Records == senders*each
	})
}

// TestKernelDropsAreCounted sends datagrams that nobody reads, more than the kernel keeps.
func TestKernelDropsAreCounted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the kernel's count is read from /proc")
	}
	r, err := Open(Config{Listeners: []Listener{{"udp", "127.0.0.1:0", 1}}}, newMemory(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := send(t, "udp", r.Addrs()[0], "x")
	block := make([]byte, 8<<10)
	for n := 0; r.reason(0, KernelDropped) == 0; n++ {
		if _, err := c.Write(block); err != nil || n > 10*udpSocketBufferBytes/len(block) {
			t.Fatalf("no loss after %d datagrams: %v", n, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	r, addrs := start(t, Config{MaxConnections: 1}, newMemory(), "tcp", "tls")
	post := func(token, kind string) {
		req := httptest.NewRequest(http.MethodPost, "/v1/ingest", strings.NewReader("x"))
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", kind)
		req.RemoteAddr = "192.0.2.7:1234"
		r.HTTP().ServeHTTP(httptest.NewRecorder(), req)
	}
	post("unknown", "")
	post("secret", "image/png")
	send(t, "tcp", addrs[1], "no handshake, but text that is long enough to be taken for one\n")
	eventually(t, "the refusals are known", func() bool { return len(r.Refusals(0)) == 3 })
	got := map[Reason]Refusal{}
	for _, x := range r.Refusals(0) {
		got[x.Reason] = x
	}
	if x := got[Unauthenticated]; x.Tenant != storage.NoTenant || x.Peer != "192.0.2.7" || x.Listener != "http" {
		t.Errorf("unknown token: %+v", x)
	}
	if x := got[UnsupportedType]; x.Tenant != 7 {
		t.Errorf("a known token and a wrong type: %+v", x)
	}
	if x := got[TLSHandshake]; x.Tenant != 2 || x.Peer != "127.0.0.1" {
		t.Errorf("handshake: %+v", x)
	}
	for range MaxRefusals {
		post("unknown", "")
	}
	if all := r.Refusals(0); len(all) != MaxRefusals || len(r.Refusals(time.Now().Add(time.Hour).UnixNano())) != 0 {
		t.Errorf("%d refusals are remembered", len(all))
	}
}

func TestRate(t *testing.T) {
	var r rate
	const second = int64(time.Second)
	first := 1_000_005 * second
	for i := range int64(120) {
		r.add(first+i*second, 3)
	}
	if got := r.perSecond(first+119*second, first); got < 2.8 || got > 3.2 {
		t.Errorf("%v records per second, want 3", got)
	}
	if got := r.perSecond(first+180*second, first); got > 0.6 {
		t.Errorf("%v a minute after the last", got)
	}
	if got := r.perSecond(first+400*second, first); got != 0 {
		t.Errorf("%v after minutes of silence", got)
	}
}
