package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestTimeBody: a body that dawdles is cut, and an answer that lasts longer than the body's time is not.
func TestTimeBody(t *testing.T) {
	const within = 200 * time.Millisecond
	read := make(chan error, 1)
	server := httptest.NewServer(timeBody(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
		for range 4 {
			select {
			case <-time.After(within / 2):
			case <-r.Context().Done():
				return
			}
			fmt.Fprintln(w, "still here")
			w.(http.Flusher).Flush()
		}
	}), within))
	defer server.Close()
	dial := func(request string) *bufio.Reader {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(c)
	}
	answer := dial("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
	resp, err := http.ReadResponse(answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || len(body) != 4*len("still here\n") {
		t.Errorf("a long answer: %d bytes, %v", len(body), err)
	}
	if err := <-read; err != nil {
		t.Errorf("a body in time: %v", err)
	}
	dial("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
	if err := <-read; err == nil {
		t.Error("a body that never ends was read")
	}
}

func TestHeaders(t *testing.T) {
	h := guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for site, want := range map[string]int{"same-origin": 200, "none": 200, "cross-site": 403, "same-site": 403} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Sec-Fetch-Site", site)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("from %s: %d, want %d", site, w.Code, want)
		}
		for name := range apiHeaders {
			if w.Header().Get(name) == "" {
				t.Errorf("from %s: no header %s", site, name)
			}
		}
	}
}

func TestForecast(t *testing.T) {
	size, free := uint64(1<<30), uint64(48<<20)
	f := &forecast{size: func() uint64 { return size }, free: func() uint64 { return free }}
	at := time.Unix(1_700_000_000, 0)
	for range 4 {
		f.add(at)
		at, size = at.Add(time.Minute), size+1<<20
	}
	if got, perDay, _, _ := f.state(); got != free || perDay != 0 {
		t.Errorf("after three minutes: %d, %v", got, perDay)
	}
	for range 100 {
		f.add(at)
		at, size = at.Add(time.Minute), size+1<<20
	}
	_, perDay, days, until := f.state()
	if perDay != 1440<<20 || days < 0.033 || days > 0.034 || until != untilFull || len(f.ring) != 61 {
		t.Errorf("%v a day, %v days until %s", perDay, days, until)
	}
	f.most = size + 10<<20
	if _, _, days, until = f.state(); until != untilRetention || days > 0.01 {
		t.Errorf("%v days until %s", days, until)
	}
	if newestIs := f.ring[60].bytes; newestIs != size-1<<20 {
		t.Errorf("newest %d", newestIs)
	}
}
