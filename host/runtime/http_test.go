package runtime

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// site answers what the policy is tried with.
func site(t *testing.T, elsewhere string) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s %s", r.Header.Get("Authorization"), r.Header.Get("Accept-Encoding"))
	})
	mux.HandleFunc("/to/{where}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, map[string]string{
			"hello": "/hello", "elsewhere": elsewhere + "/hello", "loop": "/to/loop",
			"metadata": "http://169.254.169.254/latest", "file": "file:///etc/passwd", "user": "http://u:p@" + r.Host + "/hello",
		}[r.PathValue("where")], http.StatusFound)
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, MaxHTTPBodyBytes+1)) // the reader may be gone
	})
	mux.HandleFunc("/zip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		fmt.Fprint(w, "no gzip at all")
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestHTTPPolicy(t *testing.T) {
	other := site(t, "")
	s := site(t, other.URL)
	var h HTTP
	target := Target{Name: "t", URL: s.URL, Private: true, Header: http.Header{"Authorization": {"Bearer x"}}}
	for _, c := range []struct {
		path, body, denied string
	}{
		{path: "/hello", body: "hello Bearer x "},
		{path: "/hello?q=1&r=%20", body: "hello Bearer x "},
		{path: "/to/hello", body: "hello Bearer x "},
		{path: "/zip", body: "no gzip at all"},
		{path: "/to/elsewhere", denied: "a redirect leads to"},
		{path: "/to/metadata", denied: "a redirect leads to"},
		{path: "/to/file", denied: "a redirect leads to"},
		{path: "/to/user", denied: "a redirect leads to"},
		{path: "/to/loop", denied: "more than 5 redirects"},
		{path: "hello", denied: "begin with one slash"},
		{path: "//evil.example/", denied: "begin with one slash"},
		{path: "http://evil.example/", denied: "begin with one slash"},
		{path: "/a/../../b", denied: "leaves its target"},
		{path: "/a/%2e%2e/b", denied: "leaves its target"},
		{path: "/a\r\nHost: evil", denied: "byte 0x0d"},
		{path: "/a b", denied: "byte 0x20"},
		{path: `/a\b`, denied: "byte 0x5c"},
		{path: "/a#b", denied: "byte 0x23"},
		{path: "/%zz", denied: "no path"},
		{path: "/" + strings.Repeat("a", MaxHTTPPathBytes), denied: "at most 4096"},
	} {
		r, err := h.Fetch(t.Context(), target, c.path)
		switch {
		case c.denied != "":
			if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), c.denied) {
				t.Errorf("%q: got %v, want it denied: %s", c.path, err, c.denied)
			}
		case err != nil || r.Status != 200 || string(r.Body) != c.body:
			t.Errorf("%q: %v %d %q", c.path, err, r.Status, r.Body)
		}
	}
	if r, err := h.Fetch(t.Context(), target, "/big"); err != nil || len(r.Body) != MaxHTTPBodyBytes {
		t.Errorf("big: %v, %d bytes", err, len(r.Body))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := h.Fetch(ctx, target, "/slow"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow: %v", err)
	}
}

// TestHTTPAddresses: what counts is the address that is dialled, not the name that leads there.
func TestHTTPAddresses(t *testing.T) {
	s := site(t, "")
	u, _ := url.Parse(s.URL)
	var h HTTP
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433"} {
		target := Target{Name: "t", URL: "http://" + net.JoinHostPort(strings.Trim(host, "[]"), u.Port())}
		_, err := h.Fetch(t.Context(), target, "/hello")
		if host == "2130706433" { // some resolvers read it as an address
			if err == nil {
				t.Errorf("%s: was reached", host)
			}
			continue
		}
		if !errors.Is(err, ErrDenied) {
			t.Errorf("%s: got %v, want it denied", host, err)
		}
		if err != nil && strings.Contains(err.Error(), u.Port()) {
			t.Errorf("%s: the module learns the address: %v", host, err)
		}
	}
	if _, err := h.Fetch(t.Context(), Target{Name: "t", URL: "http://localhost:" + u.Port(), Private: true}, "/hello"); err != nil {
		t.Errorf("granted: %v", err)
	}
	for _, base := range []string{"ftp://a/", "http://u:p@a/", "http://a/?q", "http://a/#f", "//a", "", "http:///x"} {
		if _, err := h.Fetch(t.Context(), Target{Name: "t", URL: base}, "/"); !errors.Is(err, ErrDenied) {
			t.Errorf("base %q: got %v, want it denied", base, err)
		}
	}
}

func TestAllowAddress(t *testing.T) {
	for address, want := range map[string]struct{ public, private bool }{
		"192.0.2.1:80":            {true, true},
		"8.8.8.8:443":             {true, true},
		"[2001:db8::1]:443":       {true, true},
		"10.1.2.3:80":             {false, true},
		"172.16.0.1:80":           {false, true},
		"192.168.1.1:80":          {false, true},
		"100.64.0.1:80":           {false, true},
		"127.0.0.1:80":            {false, true},
		"[::1]:80":                {false, true},
		"[fd00::1]:80":            {false, true},
		"[::ffff:10.0.0.1]:80":    {false, true},
		"[64:ff9b::a00:1]:80":     {false, true},
		"[2002:7f00:1::]:80":      {false, true},
		"169.254.169.254:80":      {false, false},
		"[::ffff:169.254.1.1]:80": {false, false},
		"[64:ff9b::a9fe:a9fe]:80": {false, false},
		"[fe80::1%eth0]:80":       {false, false},
		"[fd00:ec2::254]:80":      {false, false},
		"100.100.100.200:80":      {false, false},
		"0.0.0.0:80":              {false, false},
		"[::]:80":                 {false, false},
		"224.0.0.1:80":            {false, false},
		"255.255.255.255:80":      {false, false},
		"nonsense":                {false, false},
	} {
		if got := AllowAddress(address, false) == nil; got != want.public {
			t.Errorf("%s without the grant: %v", address, got)
		}
		if got := AllowAddress(address, true) == nil; got != want.private {
			t.Errorf("%s with the grant: %v", address, got)
		}
	}
}

func TestHTTPS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	target := Target{Name: "t", URL: s.URL, Private: true}
	h := HTTP{Configure: func(tr *http.Transport) {
		tr.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}}
	r, err := h.Fetch(t.Context(), target, "/")
	if err != nil || string(r.Body) != "ok" || r.TLSNotAfter != s.Certificate().NotAfter.UnixNano() {
		t.Errorf("%v %+v", err, r)
	}
	if _, err := new(HTTP).Fetch(t.Context(), target, "/"); err == nil || errors.Is(err, ErrDenied) {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
}

// TestMonitor: a real monitor reaches what was granted to it, and is told why it does not reach the rest.
func TestMonitor(t *testing.T) {
	s := site(t, "")
	settings := "site /hello\nother /hello\nsite /a/../b\ndown /x"
	var seen wasiLog
	h := newHost(t, Config{Fetch: new(HTTP).Fetch, Log: seen.add, Limits: Limits{HTTPCallsPerPoll: 4}})
	spec := ModuleSpec{
		Digest: "monitor", Kind: manifest.Monitor, Wasm: buildGuest(t, 0, "./testdata/monitorguest"), WASIStub: true, Settings: []byte(settings),
		Grants: []string{abi.ImportHTTP}, Targets: []Target{{Name: "site", URL: s.URL, Private: true}, {Name: "down", URL: "http://127.0.0.1:1", Private: true}},
	}
	m := load(t, h, spec)
	var p Polled
	for range 2 {
		if err := m.Poll(t.Context(), abi.EncodePoll(nil, seq, at, []byte("c")), &p); err != nil {
			t.Fatal(err)
		}
		want := []string{"200 hello", "E_DENIED: the target \"other\" was not granted", "E_DENIED: the path leaves its target", "E_HOST_IO: dial"}
		if len(p.Records) != len(want) || string(p.Cursor) != "c+" {
			t.Fatalf("%q, cursor %q", p.Records, p.Cursor)
		}
		for k, w := range want {
			if !strings.HasPrefix(string(p.Records[k]), w) {
				t.Errorf("got %q, want %q", p.Records[k], w)
			}
		}
	}
	if len(seen.lines) != 2 || seen.lines[0] != "1 polled" {
		t.Errorf("log: %q", seen.lines)
	}
	spec.Settings = []byte(settings + "\nsite /hello")
	if err := load(t, h, spec).Poll(t.Context(), abi.EncodePoll(nil, seq, at, nil), &p); err != nil || !strings.HasPrefix(string(p.Records[4]), "E_DENIED: E_LIMIT") {
		t.Errorf("one request too many: %v %q", err, p.Records)
	}
	spec.Settings, spec.Timeout = []byte("site /slow\nsite /hello"), 300*time.Millisecond
	if err := load(t, h, spec).Poll(t.Context(), abi.EncodePoll(nil, seq, at, nil), &p); err != nil || len(p.Records) != 2 || !strings.HasPrefix(string(p.Records[1]), "E_HOST_IO") {
		t.Errorf("a slow target uses up the poll's time: %v %q", err, p.Records)
	}
	spec.Settings = nil
	_, err := h.Load(t.Context(), spec)
	trapOf(t, err, CodeSettings, "settings name no target")
	spec.Grants = nil
	_, err = h.Load(t.Context(), spec)
	trapOf(t, err, CodeImport, "vedette_http_v1.fetch (not granted)")
}
