package conform

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

func logLevels(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "logger", protocol.Load{})
	if err != nil {
		return err
	}
	a, err := r.call(ctx, m, records("hello"))
	if err != nil {
		return err
	}
	want := []protocol.Line{{Level: 0, Text: "hello"}, {Level: 1, Text: "hello"}, {Level: 2, Text: "hello"}, {Level: 3, Text: "hello"}, {Level: 3, Text: "hello"}}
	if text(a.Log) != text(want) {
		return fmt.Errorf("logged %s, want %s", clip(text(a.Log)), text(want))
	}
	return nil
}

// logBudget logs 40 long lines that are no UTF-8. A host may add one line of its own about those that it left out.
func logBudget(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "logger", protocol.Load{})
	if err != nil {
		return err
	}
	a, err := r.call(ctx, m, records("*\xff"+strings.Repeat("é", 4000)))
	if err != nil {
		return err
	}
	if n := len(a.Log); n < 32 || n > 33 {
		return fmt.Errorf("%d of 40 lines were passed on, want 32", n)
	}
	for _, l := range a.Log {
		if len(l.Text) > 4096 || !utf8.ValidString(l.Text) {
			return fmt.Errorf("a line of %d bytes: %q", len(l.Text), clip(l.Text))
		}
	}
	return nil
}

// asked is what the guest wasi says of one letter: an error number and 16 bytes.
func (r *run) asked(ctx context.Context, module string, letter byte, c protocol.Call) (errno uint32, got []byte, a *protocol.Answer, err error) {
	c.Records = records(string(letter)).Records
	if a, err = r.call(ctx, module, c); err != nil {
		return 0, nil, nil, err
	}
	if len(a.Outcomes) != 1 || len(a.Poison) > 0 {
		return 0, nil, a, fmt.Errorf("%c: %s", letter, clip(text(a)))
	}
	b, err := hex.DecodeString(a.Outcomes[0].Message)
	if err != nil || len(b) != 20 {
		return 0, nil, a, fmt.Errorf("%c says %q", letter, clip(a.Outcomes[0].Message))
	}
	return binary.LittleEndian.Uint32(b), b[4:], a, nil
}

func wasi(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "wasi", protocol.Load{WASI: true})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		letter byte
		errno  uint32
		first  uint32 // of what was given
		what   string
	}{
		{'a', 0, 0, "arguments"},
		{'e', 0, 0, "variables"},
		{'w', 0, 5, "a line of 5 bytes on standard error"},
		{'i', 0, 0, "standard input"},
		{'p', 8, 0, "the first directory (EBADF)"},
		{'o', 52, 0, "opening a file (ENOSYS)"},
	} {
		errno, got, a, err := r.asked(ctx, m, c.letter, protocol.Call{})
		if err != nil {
			return err
		}
		if errno != c.errno || errno == 0 && binary.LittleEndian.Uint32(got) != c.first {
			return fmt.Errorf("%s: error %d and %x, want %d and %d", c.what, errno, got, c.errno, c.first)
		}
		if c.letter == 'w' && text(a.Log) != text([]protocol.Line{{Level: 3, Text: "hello"}}) {
			return fmt.Errorf("%s: logged %s", c.what, clip(text(a.Log)))
		}
	}
	a, err := r.call(ctx, m, records("x"))
	if err == nil && (len(a.Poison) != 1 || a.Poison[0].Code != "E_TRAP") {
		err = fmt.Errorf("exit: %s, want E_TRAP", clip(text(a)))
	}
	return err
}

func clocks(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "wasi", protocol.Load{WASI: true})
	if err != nil {
		return err
	}
	const second, hour = 1_000_000_000, 3_600_000_000_000
	for _, at := range []int64{logTime, 5} {
		for letter, want := range map[byte]int64{'c': at, 'm': at, 'b': second, 's': at + hour} {
			_, got, _, err := r.asked(ctx, m, letter, protocol.Call{At: at})
			if err != nil {
				return err
			}
			if shown := int64(binary.LittleEndian.Uint64(got)); shown != want {
				return fmt.Errorf("clock %c at %d shows %d, want %d", letter, at, shown, want)
			}
		}
	}
	return nil
}

// site is an HTTP server of the suite, and how often it was asked.
type site struct {
	*httptest.Server
	hits atomic.Int64
}

func newSite(serve http.HandlerFunc) *site {
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		s.hits.Add(1)
		serve(w, q)
	}))
	return s
}

// fetched is the result of the last of n requests.
type fetched struct {
	code   int32
	wrote  int // bytes, the head's included
	status uint32
	body   []byte // or the reason; cut to what the guest shows
}

// fetcher loads the guest fetch with one target, "web".
func (r *run) fetcher(ctx context.Context, url string, private bool) (string, error) {
	return r.loaded(ctx, "fetch", protocol.Load{Kind: kindMonitor, Grants: []string{"vedette_http_v1"}, Limits: limits(100_000_000, 0, 0), Targets: []protocol.Target{
		{Name: "web", URL: url, Private: private, Header: map[string]string{"Authorization": "Bearer suite-secret"}},
	}})
}

func (r *run) fetch(ctx context.Context, module string, n int, target, path string) (f fetched, err error) {
	a, err := r.call(ctx, module, protocol.Call{Cursor: protocol.Bytes(string(rune('0'+n)) + target + " " + path)})
	if err != nil {
		return f, err
	}
	if len(a.Records) != 1 || len(a.Records[0]) < 8 {
		return f, fmt.Errorf("fetch of %q: %s", clip(path), clip(text(a)))
	}
	b := a.Records[0]
	result := binary.LittleEndian.Uint64(b)
	f.code, f.body = int32(uint32(result>>32)), b[8:]
	f.wrote = int(uint32(result))
	if f.code != 0 {
		return f, nil
	}
	if len(f.body) < 24 || !zero(f.body[4:8]) {
		return f, fmt.Errorf("fetch of %q: a head of %x", clip(path), f.body)
	}
	f.status, f.body = binary.LittleEndian.Uint32(f.body), f.body[24:]
	return f, nil
}

// denied requires that a request is refused by policy.
func (r *run) denied(ctx context.Context, module string, n int, target, path string) error {
	f, err := r.fetch(ctx, module, n, target, path)
	if err != nil {
		return err
	}
	if f.code != -1 || !strings.HasPrefix(string(f.body), "E_DENIED: ") || !utf8.Valid(f.body) {
		return fmt.Errorf("%s %q: code %d, %q, want -1 and E_DENIED", target, clip(path), f.code, clip(string(f.body)))
	}
	if strings.Contains(string(f.body), "suite-secret") {
		return fmt.Errorf("%s %q: the reason shows the credentials", target, clip(path))
	}
	return nil
}

func fetches(ctx context.Context, r *run) error {
	var seen atomic.Value
	s := newSite(func(w http.ResponseWriter, q *http.Request) {
		seen.Store(q.Method + " " + q.URL.RequestURI() + " " + q.Header.Get("Authorization"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("short and stout"))
	})
	defer s.Close()
	m, err := r.fetcher(ctx, s.URL+"/base", true)
	if err != nil {
		return err
	}
	f, err := r.fetch(ctx, m, 1, "web", "/pot?x=1")
	if err != nil {
		return err
	}
	if f.code != 0 || f.status != http.StatusTeapot || string(f.body) != "short and stout" {
		return fmt.Errorf("answer %d, status %d, %q", f.code, f.status, clip(string(f.body)))
	}
	if got := seen.Load(); got != "GET /base/pot?x=1 Bearer suite-secret" {
		return fmt.Errorf("the target was asked %q", got)
	}
	s.Close()
	f, err = r.fetch(ctx, m, 1, "web", "/")
	if err == nil && (f.code != -2 || !strings.HasPrefix(string(f.body), "E_HOST_IO: ")) {
		err = fmt.Errorf("a target that is gone: code %d, %q, want -2 and E_HOST_IO", f.code, clip(string(f.body)))
	}
	return err
}

func paths(ctx context.Context, r *run) error {
	s := newSite(func(http.ResponseWriter, *http.Request) {})
	defer s.Close()
	m, err := r.fetcher(ctx, s.URL, true)
	if err != nil {
		return err
	}
	for _, target := range []string{"other", "", "WEB", "web/", "web\x00"} {
		if err := r.denied(ctx, m, 1, target, "/"); err != nil {
			return err
		}
	}
	for _, path := range []string{
		"", "x", "//evil.example/", "http://evil.example/", "@evil.example/", ":80/", "/a b", "/a\\b", "/a#b", "/..", "/../", "/a/../b", "/a\r\nHost: evil.example",
		"/\x00", "/\x7f", "/ü", "/" + strings.Repeat("x", 4096),
	} {
		if err := r.denied(ctx, m, 1, "web", path); err != nil {
			return err
		}
	}
	if n := s.hits.Load(); n != 0 {
		return fmt.Errorf("%d of the refused requests were sent", n)
	}
	a, err := r.call(ctx, m, protocol.Call{Cursor: protocol.Bytes("Wweb /")})
	if err == nil && (len(a.Poison) != 1 || a.Poison[0].Code != "E_ABI") {
		err = fmt.Errorf("a path behind the memory: %s, want E_ABI", clip(text(a)))
	}
	return err
}

func redirects(ctx context.Context, r *run) error {
	other := newSite(func(http.ResponseWriter, *http.Request) {})
	defer other.Close()
	var to string
	s := newSite(func(w http.ResponseWriter, q *http.Request) {
		if n, err := strconv.Atoi(strings.TrimPrefix(q.URL.Path, "/hop")); err == nil && n > 0 {
			w.Header().Set("Location", fmt.Sprintf("/hop%d", n-1))
			w.WriteHeader(http.StatusFound)
		} else if q.URL.Path == "/away" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	})
	defer s.Close()
	m, err := r.fetcher(ctx, s.URL, true)
	if err != nil {
		return err
	}
	f, err := r.fetch(ctx, m, 1, "web", "/hop5")
	if err != nil {
		return err
	}
	if f.status != http.StatusOK {
		return fmt.Errorf("5 redirects within the target: code %d, status %d %q", f.code, f.status, clip(string(f.body)))
	}
	if err := r.denied(ctx, m, 1, "web", "/hop6"); err != nil {
		return fmt.Errorf("6 redirects: %w", err)
	}
	host := strings.TrimPrefix(s.URL, "http://")
	for _, to = range []string{
		other.URL + "/", strings.Replace(other.URL, "http://", "//", 1) + "/", "http://" + host + "@" + strings.TrimPrefix(other.URL, "http://") + "/",
		"https://" + host + "/", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data/", "http://localhost:1/", "gopher://" + host + "/",
	} {
		if err := r.denied(ctx, m, 1, "web", "/away"); err != nil {
			return fmt.Errorf("a redirect to %s: %w", to, err)
		}
	}
	if n := other.hits.Load(); n != 0 {
		return fmt.Errorf("another host was asked %d times", n)
	}
	return nil
}

func addresses(ctx context.Context, r *run) error {
	s := newSite(func(http.ResponseWriter, *http.Request) {})
	defer s.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		return fmt.Errorf("the suite's own server: %w", err)
	}
	for _, c := range []struct {
		url     string
		private bool
	}{
		{"http://169.254.169.254", true},
		{"http://[fe80::1%25lo]:" + port, true},
		{"http://[::ffff:169.254.169.254]", true},
		{"http://0.0.0.0:" + port, true},
		{"http://[::]:" + port, true},
		{"http://224.0.0.1:" + port, true},
		{"http://255.255.255.255:" + port, true},
		{"http://127.0.0.1:" + port, false},
		{"http://localhost:" + port, false},
		{"http://[::ffff:127.0.0.1]:" + port, false},
		{"http://10.255.255.1:" + port, false},
		{"http://192.168.255.1:" + port, false},
		{"http://100.64.0.1:" + port, false},
	} {
		m, err := r.fetcher(ctx, c.url, c.private)
		if err != nil {
			return err
		}
		if err := r.denied(ctx, m, 1, "web", "/"); err != nil {
			return fmt.Errorf("%s (private addresses granted: %v): %w", c.url, c.private, err)
		}
	}
	// Other spellings of a loopback address may be no address at all, but they must not get through.
	for _, url := range []string{"http://127.1:" + port, "http://2130706433:" + port, "http://0x7f000001:" + port, "http://0177.0.0.1:" + port} {
		m, err := r.fetcher(ctx, url, false)
		if err != nil {
			return err
		}
		f, err := r.fetch(ctx, m, 1, "web", "/")
		if err != nil {
			return err
		}
		if f.code == 0 {
			return fmt.Errorf("%s is reached", url)
		}
	}
	if n := s.hits.Load(); n != 0 {
		return fmt.Errorf("%d of the refused requests were sent", n)
	}
	return nil
}

// intoLittle has the guest fetch once, into 64 bytes.
const intoLittle = 's' - '0'

func bodies(ctx context.Context, r *run) error {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	s := newSite(func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/long":
			_, _ = w.Write(bytes.Repeat([]byte("x"), 2<<20))
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed.Bytes())
		}
	})
	defer s.Close()
	m, err := r.fetcher(ctx, s.URL, true)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		path  string
		times int
		wrote int
	}{{"/long", 1, 24 + 1<<20}, {"/long", intoLittle, 64}, {"/packed", 1, 24 + packed.Len()}, {"/", 16, 24}} {
		f, err := r.fetch(ctx, m, c.times, "web", c.path)
		if err != nil {
			return err
		}
		if f.code != 0 || f.wrote != c.wrote {
			return fmt.Errorf("%s: code %d and %d bytes, want %d", c.path, f.code, f.wrote, c.wrote)
		}
		if c.path == "/packed" && !bytes.Equal(f.body, packed.Bytes()) {
			return fmt.Errorf("%s: the body is not what was sent", c.path)
		}
	}
	before := s.hits.Load()
	if err := r.denied(ctx, m, 17, "web", "/"); err != nil {
		return fmt.Errorf("17 requests: %w", err)
	}
	if n := s.hits.Load() - before; n != 16 {
		return fmt.Errorf("%d of 17 requests were sent", n)
	}
	return nil
}
