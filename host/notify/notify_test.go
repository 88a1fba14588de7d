package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

const secret = "a secret for tests"

// bench is a real database with webhooks, a clock that the test moves, and a sender.
type bench struct {
	*testing.T
	db     *meta.DB
	clock  atomic.Int64 // ns
	wake   chan struct{}
	tenant storage.Tenant
	who    storage.Principal
	seq    uint64
	config Config
}

func newBench(t *testing.T) *bench {
	ctx := context.Background()
	b := &bench{T: t, wake: make(chan struct{}, 1)}
	b.clock.Store(int64(1_700_000_000 * time.Second))
	now := func() time.Time { return time.Unix(0, b.clock.Load()) }
	var err error
	if b.db, err = meta.Open(ctx, meta.Config{Path: filepath.Join(t.TempDir(), "meta.db"), Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.db.Close(); err != nil {
			t.Error(err)
		}
	})
	b.tenant, b.who = b.organization("acme")
	b.config = Config{
		Outbox: b.db, Now: now, Jitter: func() float64 { return 0 }, Failed: func(err error) { t.Error(err) },
		Wake: b.wake, Every: 5 * time.Millisecond, Timeout: 5 * time.Second, AllowPrivate: true, MaxAttempts: 4,
	}
	return b
}

func (b *bench) organization(slug string) (storage.Tenant, storage.Principal) {
	n, err := b.db.CreateTenant(context.Background(), slug, slug)
	if err != nil {
		b.Fatal(err)
	}
	return n, storage.Principal{User: slug, Role: storage.RoleAnalyst, Tenants: []storage.Tenant{n}}
}

func (b *bench) webhook(t storage.Tenant, url string) {
	if err := b.db.PutWebhook(context.Background(), t, meta.Webhook{Name: "hook", URL: url, Secret: secret, Enabled: true}); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) notice(t storage.Tenant, key string) {
	b.seq++
	err := b.db.Apply(context.Background(), b.seq, meta.Batch{Notices: []meta.Notice{{Tenant: t, Key: key, Kind: "opened", At: 1, Payload: []byte(`{"key":"` + key + `"}`)}}})
	if err != nil {
		b.Fatal(err)
	}
}

// run starts a sender and returns what stops it and waits.
func (b *bench) run() (stop func()) {
	s, err := New(b.config)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return func() { cancel(); <-done }
}

// until polls for a condition, moving the clock each time so that retries come due.
func (b *bench) until(what string, ok func() bool) {
	b.Helper()
	deadline := time.After(20 * time.Second)
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-deadline:
			b.Fatalf("%s did not happen", what)
		case <-poll.C:
			b.clock.Add(int64(time.Second))
		}
	}
}

func (b *bench) failures() []meta.Failure {
	list, err := b.db.ListFailures(context.Background(), b.who, 0)
	if err != nil {
		b.Fatal(err)
	}
	return list
}

func (b *bench) pending() int {
	list, err := b.db.DueDeliveries(context.Background(), 1<<62, 0)
	if err != nil {
		b.Fatal(err)
	}
	return len(list)
}

// receiver is a real server that remembers the keys it was sent and answers as told.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	keys []string
}

func newReceiver(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	rc := &receiver{}
	rc.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc.mu.Lock()
		rc.keys = append(rc.keys, r.Header.Get(HeaderKey))
		n := len(rc.keys)
		rc.mu.Unlock()
		answer(n, w, r)
	}))
	t.Cleanup(rc.Close)
	return rc
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.keys...)
}

func TestPostsSignedOnceAfterFailures(t *testing.T) {
	b := newBench(t)
	rc := newReceiver(t, func(n int, w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		sig := r.Header.Get(HeaderSignature)
		var unix int64
		if _, err := fmt.Sscanf(sig, "t=%d,", &unix); err != nil {
			t.Errorf("signature %q: %v", sig, err)
		}
		if err != nil || Sign(secret, time.Unix(unix, 0), body) != sig || Sign("other", time.Unix(unix, 0), body) == sig {
			t.Errorf("signature %q does not fit the body %q", sig, body)
		}
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get(HeaderKind) != "opened" {
			t.Errorf("request %s %v", r.Method, r.Header)
		}
		if n < 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	b.webhook(b.tenant, rc.URL)
	b.notice(b.tenant, "k")
	stop := b.run()
	b.until("delivery", func() bool { return b.pending() == 0 })
	stop()
	keys := rc.got()
	if len(keys) != 3 || keys[0] == "" || keys[0] != keys[1] || keys[1] != keys[2] {
		t.Errorf("keys %q; want the same three times", keys)
	}
	if f := b.failures(); len(f) != 0 {
		t.Errorf("failures after delivery: %+v", f)
	}
}

func TestGivesUpAfterMaxAttempts(t *testing.T) {
	b := newBench(t)
	rc := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "what a receiver writes is nobody's business")
	})
	b.webhook(b.tenant, rc.URL)
	b.notice(b.tenant, "k")
	stop := b.run()
	b.until("giving up", func() bool { f := b.failures(); return len(f) == 1 && f[0].GivenUp })
	stop()
	if f := b.failures()[0]; f.Attempts != b.config.MaxAttempts || f.LastError != "post: status 418" || len(rc.got()) != b.config.MaxAttempts {
		t.Errorf("%+v after %d requests", f, len(rc.got()))
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	b := newBench(t)
	target := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
	rc := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.URL, http.StatusTemporaryRedirect)
	})
	b.webhook(b.tenant, rc.URL)
	b.notice(b.tenant, "k")
	stop := b.run()
	b.until("a failure", func() bool { return len(b.failures()) == 1 })
	stop()
	if len(target.got()) != 0 || b.failures()[0].LastError != "post: status 307" {
		t.Errorf("target was sent %d; failure %+v", len(target.got()), b.failures())
	}
}

func TestHangingReceiverTimesOutAndDelaysNobody(t *testing.T) {
	b := newBench(t)
	b.config.Timeout = 300 * time.Millisecond
	release := make(chan struct{})
	hang := newReceiver(t, func(_ int, _ http.ResponseWriter, _ *http.Request) { <-release })
	well := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
	defer close(release)
	other, _ := b.organization("other")
	b.webhook(b.tenant, hang.URL)
	b.webhook(other, well.URL)
	for i := range 50 {
		b.notice(b.tenant, fmt.Sprint("h", i))
	}
	b.notice(other, "k")
	stop := b.run()
	b.until("the other tenant's delivery", func() bool { return len(well.got()) == 1 })
	if n := len(hang.got()); n > MaxInFlightPerTenant {
		t.Errorf("%d requests to the hanging receiver at once; want at most %d", n, MaxInFlightPerTenant)
	}
	b.until("the time-out", func() bool { return len(b.failures()) > 0 })
	stop()
	if f := b.failures()[0]; strings.Contains(f.LastError, hang.URL) {
		t.Errorf("error names the address: %q", f.LastError)
	}
}

func TestEndlessResponseIsCutOff(t *testing.T) {
	b := newBench(t)
	rc := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		for chunk := make([]byte, 64<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				return // the sender closed the connection
			}
		}
	})
	b.webhook(b.tenant, rc.URL)
	b.notice(b.tenant, "k")
	stop := b.run()
	b.until("delivery", func() bool { return b.pending() == 0 })
	stop()
	if n := len(rc.got()); n != 1 {
		t.Errorf("%d requests; want 1", n)
	}
}

// TestRestartSendsAgainWithTheSameKey stops the sender while the receiver, which has the request, has not answered.
func TestRestartSendsAgainWithTheSameKey(t *testing.T) {
	b := newBench(t)
	first := make(chan struct{})
	rc := newReceiver(t, func(n int, _ http.ResponseWriter, r *http.Request) {
		if n == 1 {
			io.Copy(io.Discard, r.Body) // so that the server notices the client leaving
			close(first)
			<-r.Context().Done()
		}
	})
	b.webhook(b.tenant, rc.URL)
	b.notice(b.tenant, "k")
	stop := b.run()
	<-first
	stop()
	if b.pending() != 1 || len(b.failures()) != 0 {
		t.Fatalf("%d pending, failures %+v; stopping is no attempt", b.pending(), b.failures())
	}
	stop = b.run()
	b.until("delivery", func() bool { return b.pending() == 0 })
	stop()
	if keys := rc.got(); len(keys) != 2 || keys[0] != keys[1] {
		t.Errorf("keys %q", keys)
	}
}

// broken refuses to settle until told otherwise.
type broken struct {
	Outbox
	fail atomic.Bool
}

func (o *broken) SettleDelivery(ctx context.Context, id uint64, out meta.Outcome) error {
	if o.fail.Load() {
		return storage.ErrUnavailable
	}
	return o.Outbox.SettleDelivery(ctx, id, out)
}

func TestOutboxThatCannotBeWrittenMakesNoSecondRequest(t *testing.T) {
	b := newBench(t)
	rc := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
	o := &broken{Outbox: b.db}
	o.fail.Store(true)
	var failed atomic.Int64
	b.config.Outbox, b.config.Failed = o, func(error) { failed.Add(1) }
	b.webhook(b.tenant, rc.URL)
	b.notice(b.tenant, "k")
	stop := b.run()
	b.until("three failures", func() bool { return failed.Load() >= 3 })
	o.fail.Store(false)
	b.until("delivery", func() bool { return b.pending() == 0 })
	stop()
	if n := len(rc.got()); n != 1 {
		t.Errorf("%d requests; want 1", n)
	}
}

func TestPrivateAddressIsRefusedAtDialTime(t *testing.T) {
	b := newBench(t)
	b.config.AllowPrivate = false
	rc := newReceiver(t, func(int, http.ResponseWriter, *http.Request) {})
	// A name, so that only the resolved address can tell.
	b.webhook(b.tenant, strings.Replace(rc.URL, "127.0.0.1", "localhost", 1))
	b.notice(b.tenant, "k")
	stop := b.run()
	b.until("a failure", func() bool { return len(b.failures()) == 1 })
	stop()
	if f := b.failures()[0]; len(rc.got()) != 0 || !strings.Contains(f.LastError, ErrAddress.Error()) {
		t.Errorf("failure %+v, %d requests", f, len(rc.got()))
	}
}

func TestAddresses(t *testing.T) {
	for addr, want := range map[string]string{ // what is allowed: "always", "private" when configured, "never"
		"93.184.216.34": "always", "2606:2800:220:1::1": "always", "::ffff:93.184.216.34": "always", "64:ff9b::5db8:d822": "always",
		"127.0.0.1": "private", "127.9.9.9": "private", "::1": "private", "10.1.2.3": "private", "172.16.0.1": "private", "172.32.0.1": "always",
		"192.168.1.1": "private", "100.64.0.1": "private", "fd12:3456::1": "private", "::ffff:10.0.0.1": "private", "64:ff9b::a00:1": "private",
		"169.254.169.254": "never", "::ffff:169.254.169.254": "never", "64:ff9b::a9fe:a9fe": "never", "fe80::1": "never", "fe80::1%eth0": "never",
		"fd00:ec2::254": "never", "100.100.100.200": "never", "0.0.0.0": "never", "::": "never", "255.255.255.255": "never", "224.0.0.1": "never",
		"ff02::1": "never", "2002:7f00:1::": "never", "2001::1": "never", "::7f00:1": "never", "192.0.0.192": "never", "168.63.129.16": "never",
	} {
		open, inside := checkAddress(netip.MustParseAddr(addr), false), checkAddress(netip.MustParseAddr(addr), true)
		got := "never"
		switch {
		case open == nil && inside == nil:
			got = "always"
		case inside == nil:
			got = "private"
		}
		if got != want {
			t.Errorf("%s: %s; want %s", addr, got, want)
		}
		for _, err := range []error{open, inside} {
			if err != nil && !errors.Is(err, ErrAddress) {
				t.Errorf("%s: error %v without its kind", addr, err)
			}
		}
	}
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{1: FirstBackoff, 2: 2 * FirstBackoff, 5: 16 * FirstBackoff, 11: MaxBackoff, 1000: MaxBackoff} {
		if lo, hi := backoff(n, 0), backoff(n, 0.999999); lo != want/2 || hi < want*9/10 || hi >= want {
			t.Errorf("after %d: %s to %s; want half of %s to all of it", n, lo, hi, want)
		}
	}
	for header, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "2000000000": MaxBackoff, "99999999999999": 0} {
		if got := retryAfter(header); got != want {
			t.Errorf("Retry-After %q: %s; want %s", header, got, want)
		}
	}
}
