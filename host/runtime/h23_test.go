package runtime

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// H23: a target that leads elsewhere, whatever the way, is not followed.
func TestH23Redirects(t *testing.T) {
	var other atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { other.Add(1) }))
	t.Cleanup(elsewhere.Close)
	port := strings.TrimPrefix(elsewhere.URL, "http://127.0.0.1:")
	var to string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/next" {
			return
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}))
	t.Cleanup(s.Close)
	own := strings.TrimPrefix(s.URL, "http://")
	target := Target{Name: "t", URL: s.URL, Private: true, Header: http.Header{"Authorization": {"Bearer token-of-the-test"}}}
	for _, to = range []string{
		"http://169.254.169.254/latest/meta-data/", "https://169.254.169.254/", "http://[fd00:ec2::254]/", elsewhere.URL, "http://localhost:" + port,
		"https://" + own + "/next", "http://user@" + own + "/next", "http://" + own + "@" + strings.TrimPrefix(elsewhere.URL, "http://") + "/",
		"//" + strings.TrimPrefix(elsewhere.URL, "http://") + "/", "http://127.0.0.1.:" + port + "/", "http://2130706433:" + port + "/", "http://127.1:" + port + "/",
		"http://127.0.0。1:" + port + "/", "file:///etc/passwd", "gopher://127.0.0.1:" + port + "/_x", "http://" + own + "%2f@evil/",
	} {
		if r, err := new(HTTP).Fetch(t.Context(), target, "/"); err == nil {
			t.Errorf("%s: followed, %d", to, r.Status)
		}
	}
	if n := other.Load(); n != 0 {
		t.Errorf("%d requests have reached another server", n)
	}
	if to = "/next"; true {
		if r, err := new(HTTP).Fetch(t.Context(), target, "/"); err != nil || r.Status != 200 {
			t.Errorf("a redirect within the target: %d %v", r.Status, err)
		}
	}
}

// H23: a name is judged by the address that it has when it is dialled: rebinding it between two looks changes nothing.
func TestH23Rebinding(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	u, _ := url.Parse(s.URL)
	for _, name := range []string{"localhost", "LOCALHOST", "127.0.0.1"} { // names that lead to a private address
		base := "http://" + name + ":" + u.Port()
		if _, err := new(HTTP).Fetch(t.Context(), Target{Name: "t", URL: base}, "/"); !errors.Is(err, ErrDenied) {
			t.Errorf("%s: %v", base, err)
		}
	}
	for _, base := range []string{
		"http://bücher.example/", "http://ｌocalhost/", "http://127。0。0。1/", "http://a@b/", "http://a:b@c/", "http://h/?q", "http://h/#f", "ftp://h/", "//h/", "h", "",
	} {
		if err := CheckURL(base); err == nil {
			t.Errorf("the base %q is taken", base)
		}
	}
}

// H23: a body that unpacks to gigabytes is handed over as it came, and one without end is cut.
func TestH23Bodies(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(make([]byte, 64<<20))
	z.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(packed.Bytes())
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		case "/head":
			w.Header().Set("X-Long", strings.Repeat("x", MaxHTTPHeaderBytes+10))
		}
	}))
	t.Cleanup(s.Close)
	target := Target{Name: "t", URL: s.URL, Private: true}
	if r, err := new(HTTP).Fetch(t.Context(), target, "/bomb"); err != nil || !bytes.Equal(r.Body, packed.Bytes()) {
		t.Errorf("a bomb: %d bytes, %v", len(r.Body), err)
	}
	began := time.Now()
	if r, err := new(HTTP).Fetch(t.Context(), target, "/endless"); err != nil || len(r.Body) != MaxHTTPBodyBytes || time.Since(began) > 10*time.Second {
		t.Errorf("an endless body: %d bytes, %v", len(r.Body), err)
	}
	if _, err := new(HTTP).Fetch(t.Context(), target, "/head"); err == nil {
		t.Error("a head without end is taken")
	}
}

// H23: nothing in a path makes another request of it.
func TestH23Paths(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(s.Close)
	target := Target{Name: "t", URL: s.URL + "/base", Private: true}
	for _, path := range []string{
		"/a\r\nX-Injected: 1", "/a\nHost: evil", "/a HTTP/1.1", "//evil/", "http://evil/", "@evil/", "/..", "/a/../../etc", "/%2e%2e/", "/a/%2E./b", "/a\\..\\b", "/a#b", "/é", "/\x00", "", "a",
		"/" + strings.Repeat("a", MaxHTTPPathBytes),
	} {
		if _, err := new(HTTP).Fetch(t.Context(), target, path); !errors.Is(err, ErrDenied) {
			t.Errorf("%.40q: %v", path, err)
		}
	}
	if asked != 0 {
		t.Errorf("%d requests were made", asked)
	}
}

// H24: what a target is asked with is struck out of what it answers, however it writes it.
func TestH24CredentialEcho(t *testing.T) {
	const secret = "hunter22+/pass"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s|%x|%s|plain", r.Header.Get("X-Key"), secret, url.QueryEscape(secret))
	}))
	t.Cleanup(s.Close)
	var seen wasiLog
	h := newHost(t, Config{Fetch: new(HTTP).Fetch, Log: seen.add})
	m := load(t, h, ModuleSpec{Digest: "monitor", Kind: "monitor", Wasm: buildGuest(t, 0, "./testdata/monitorguest"), WASIStub: true, Settings: []byte("site /echo"), Grants: []string{abi.ImportHTTP}})
	var p Polled
	err := m.Poll(t.Context(), abi.EncodePoll(nil, seq, at, nil), &p, Target{Name: "site", URL: s.URL, Private: true, Header: http.Header{"X-Key": {secret}}, Secrets: []Secret{secret}})
	if err != nil || len(p.Records) != 1 {
		t.Fatalf("%q %v", p.Records, err)
	}
	got := string(p.Records[0])
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), url.QueryEscape(secret)} {
		if strings.Contains(got, form) {
			t.Errorf("%q is in %q", form, got)
		}
	}
	if !strings.HasSuffix(got, "|plain") || !strings.Contains(got, "****") {
		t.Errorf("got %q", got)
	}
	if err := m.Poll(t.Context(), abi.EncodePoll(nil, seq, at, nil), &p); err != nil || !strings.Contains(string(p.Records[0]), "was not granted") {
		t.Errorf("the grant of one poll holds in the next: %q %v", p.Records, err)
	}
}
