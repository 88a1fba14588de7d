package receive

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/vedette-siem/vedette/storage"
)

func post(r *Receiver, token, kind, encoding string, body io.Reader) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, "/v1/ingest", body)
	req.RemoteAddr = "[::ffff:192.0.2.9]:1234"
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	w := httptest.NewRecorder()
	r.HTTP().ServeHTTP(w, req)
	return w
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func zstded(s string) string {
	w, _ := zstd.NewWriter(nil)
	return string(w.EncodeAll([]byte(s), nil))
}

func TestIngest(t *testing.T) {
	cfg := Config{MaxRecordBytes: 10, MaxBodyBytes: 1000, MaxDecodedBytes: 2000}
	full := strings.Repeat("123456789\n", 100) // 1000 bytes
	for _, c := range []struct {
		name, token, kind, encoding, body string
		status                            int
		answer                            string
		reason                            Reason
		want                              []string // "flags:text"
	}{
		{name: "lines", kind: "text/plain; charset=utf-8", body: "a\nb\r\n\nc", status: 200, answer: `{"accepted":3}`, want: []string{"0:a", "0:b", "0:c"}},
		{name: "no type", body: "a", status: 200, answer: `{"accepted":1}`, want: []string{"0:a"}},
		{name: "nothing", body: "", status: 200, answer: `{"accepted":0}`},
		{name: "long line", body: "0123456789x\n0123456789", status: 200, answer: `{"accepted":2,"truncated":1}`, want: []string{"1:0123456789", "0:0123456789"}},
		{name: "JSON lines", kind: "application/x-ndjson", body: "{\"a\":1}\nnope\n", status: 200, answer: `{"accepted":2,"malformed":1}`, want: []string{`0:{"a":1}`, "2:nope"}},
		{name: "JSON", kind: "application/json", body: `[{"a":1}, {"b":2}]`, status: 200, answer: `{"accepted":2}`, want: []string{`0:{"a":1}`, `0:{"b":2}`}},
		{name: "bad JSON", kind: "application/json", body: `[{"a":1}, 5]`, status: 400, answer: "byte 10", reason: BadJSON},
		{name: "gzip", encoding: "gzip", body: gzipped("a\nb"), status: 200, answer: `{"accepted":2}`, want: []string{"0:a", "0:b"}},
		{name: "zstd", encoding: "zstd", body: zstded("a\nb"), status: 200, answer: `{"accepted":2}`, want: []string{"0:a", "0:b"}},
		{name: "not gzip", encoding: "gzip", body: "hello", status: 400, reason: BadEncoding},
		{name: "not zstd", encoding: "zstd", body: "hello", status: 400, reason: BadEncoding},
		{name: "half gzip", encoding: "gzip", body: gzipped("a\nb")[:20], status: 400, reason: BadEncoding},
		{name: "half zstd", encoding: "zstd", body: zstded("a\nb")[:10], status: 400, reason: BadEncoding},
		{name: "gzip bomb", encoding: "gzip", body: gzipped(strings.Repeat("a", 2001)), status: 413, reason: BodyTooLarge},
		{name: "zstd bomb", encoding: "zstd", body: zstded(strings.Repeat("a", 2001)), status: 413, reason: BodyTooLarge},
		{name: "as long as may be", encoding: "gzip", body: gzipped(full + full), status: 200, answer: `{"accepted":200}`},
		{name: "as long as may be, plain", body: full, status: 200, answer: `{"accepted":100}`},
		{name: "body one over", body: full + "x", status: 413, reason: BodyTooLarge},
		{name: "two encodings", encoding: "gzip, zstd", body: "a", status: 415, reason: UnsupportedEncoding},
		{name: "brotli", encoding: "br", body: "a", status: 415, reason: UnsupportedEncoding},
		{name: "xml", kind: "text/xml", body: "a", status: 415, reason: UnsupportedType},
		{name: "bad type", kind: "//", body: "a", status: 415, reason: UnsupportedType},
		{name: "no token", token: "-", body: "a", status: 401, reason: Unauthenticated},
		{name: "wrong token", token: "wrong", body: "a", status: 401, reason: Unauthenticated},
		{name: "long token", token: strings.Repeat("s", MaxTokenBytes+1), body: "a", status: 401, reason: Unauthenticated},
		{name: "tokens cannot be checked", token: "broken", body: "a", status: 503, reason: Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			sink := newMemory()
			r, _ := start(t, cfg, sink)
			if c.token == "" {
				c.token = "secret"
			}
			w := post(r, strings.TrimPrefix(c.token, "-"), c.kind, c.encoding, strings.NewReader(c.body))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.answer) {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			var texts []string
			for _, g := range sink.took {
				texts = append(texts, fmt.Sprintf("%d:%s", g.Flags, g.Text))
				if g.Tenant != 7 || g.Source != (Source{"http", "192.0.2.9"}) {
					t.Errorf("%+v", g)
				}
			}
			if c.want != nil || c.status != 200 {
				if diff := cmp.Diff(c.want, texts); diff != "" {
					t.Error(diff)
				}
			}
			s := r.Stats()[0]
			if c.status != 200 && (s.Reasons[c.reason.String()] != 1 || s.Records != 0 || !strings.Contains(w.Body.String(), `"reason":"`+c.reason.String()+`"`)) {
				t.Errorf("%s: %+v", w.Body, s)
			}
			if retry := w.Header().Get("Retry-After"); (retry != "") != (c.status == 503 || c.status == 429) {
				t.Errorf("Retry-After %q", retry)
			}
		})
	}
}

func TestIngestMethodAndSink(t *testing.T) {
	sink := newMemory()
	r, _ := start(t, Config{}, sink)
	w := httptest.NewRecorder()
	r.HTTP().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/ingest", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != http.MethodPost {
		t.Errorf("GET: %d", w.Code)
	}
	for err, status := range map[error]int{
		storage.ErrUnavailable: 503, context.DeadlineExceeded: 503, storage.ErrExhausted: 413, io.ErrShortWrite: 500,
	} {
		sink.set(fmt.Errorf("sink: %w", err))
		if w := post(r, "secret", "", "", strings.NewReader("a")); w.Code != status {
			t.Errorf("%v: %d", err, w.Code)
		}
	}
	if s := r.Stats()[0]; s.Records != 0 || len(sink.took) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestIngestRecordLimit(t *testing.T) {
	r, _ := start(t, Config{}, newMemory())
	if w := post(r, "secret", "", "", strings.NewReader(strings.Repeat("a\n", MaxRequestRecords))); w.Code != 200 {
		t.Errorf("at the limit: %d", w.Code)
	}
	if w := post(r, "secret", "", "", strings.NewReader(strings.Repeat("a\n", MaxRequestRecords+1))); w.Code != 413 || r.reason(0, TooManyRecords) != 1 {
		t.Errorf("one over: %d", w.Code)
	}
}

// TestSlowBody gives a request that does not arrive its slot back in time, and refuses those for whom there is none.
func TestSlowBody(t *testing.T) {
	r, _ := start(t, Config{MaxRequests: 1, BodyTimeout: 3 * time.Second}, newMemory())
	server := httptest.NewServer(r.HTTP())
	defer server.Close()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\nContent-Length: 10\r\n\r\nabc")
	eventually(t, "the slow request has the slot", func() bool { return len(r.slots) == 1 })
	if w := post(r, "secret", "", "", strings.NewReader("a")); w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("second request: %d", w.Code)
	}
	answer, err := io.ReadAll(io.LimitReader(c, 12))
	if err != nil || string(answer) != "HTTP/1.1 408" {
		t.Errorf("%q, %v", answer, err)
	}
	if r.reason(0, Busy) != 1 || r.reason(0, Incomplete) != 1 {
		t.Errorf("%+v", r.Stats()[0])
	}
}

type nowhere struct{}

func (nowhere) Put(context.Context, storage.Tenant, Source, []Record) error { return nil }
func (nowhere) Offer(_ context.Context, _ storage.Tenant, _ Source, recs []Record) (int, error) {
	return len(recs), nil
}

// BenchmarkIngest sends 500 lines of 300 bytes a request, without a socket.
func BenchmarkIngest(b *testing.B) {
	lines := strings.Repeat(strings.Repeat("x", 299)+"\n", 500)
	for name, c := range map[string]struct{ encoding, body string }{"plain": {"", lines}, "gzip": {"gzip", gzipped(lines)}, "zstd": {"zstd", zstded(lines)}} {
		b.Run(name, func(b *testing.B) {
			r, err := Open(Config{}, nowhere{}, tokens{"secret": 7})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if w := post(r, "secret", "", c.encoding, strings.NewReader(c.body)); w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*500), "ns/record")
		})
	}
}

// BenchmarkConnection reads 300-byte lines from a socket to the sink.
func BenchmarkConnection(b *testing.B) {
	for name, network := range map[string]string{"tcp": "tcp", "udp": "udp"} {
		b.Run(name, func(b *testing.B) {
			r, err := Open(Config{Listeners: []Listener{{network, "127.0.0.1:0", 1}}}, nowhere{}, nil)
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- r.Run(ctx) }()
			c, err := net.Dial(network, r.Addrs()[0])
			if err != nil {
				b.Fatal(err)
			}
			per := map[string]int{"tcp": 200, "udp": 1}[network]
			block := []byte(strings.Repeat(strings.Repeat("x", 299)+"\n", per))
			b.ReportAllocs()
			b.ResetTimer()
			sent := 0
			for sent < b.N {
				if _, err := c.Write(block); err != nil {
					b.Fatal(err)
				}
				sent += per
			}
			c.Close()
			seen := func() uint64 { s := r.Stats()[0]; return s.Records + s.Reasons[KernelDropped.String()] }
			for seen() < uint64(sent) {
				<-time.Tick(time.Millisecond) // not in a loop that competes with what it measures
			}
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(r.Stats()[0].Reasons[KernelDropped.String()]), "dropped")
			cancel()
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		})
	}
}
