package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

func TestUploads(t *testing.T) {
	w := start(t, nil)
	blob := []byte("hello, world")
	d := string(digest.FromBytes(blob))
	begin := func() string {
		status, _, h := w.do(t, "one", "POST", "/v2/t-1/local/x/blobs/uploads/", nil)
		if status != http.StatusAccepted {
			t.Fatalf("begin: %d", status)
		}
		return h.Get("Location")
	}
	// In chunks, with a status in between.
	at := begin()
	if status, _, h := w.do(t, "one", "PATCH", at, blob[:5], "Content-Range", "0-4"); status != http.StatusAccepted || h.Get("Range") != "0-4" {
		t.Errorf("first chunk: %d %v", status, h)
	}
	if status, code, _ := w.do(t, "one", "PATCH", at, blob[6:], "Content-Range", "6-11"); status != 416 || code != codeUploadInvalid {
		t.Errorf("a chunk that leaves a gap: %d %s", status, code)
	}
	if status, _, h := w.do(t, "one", "GET", at, nil); status != http.StatusNoContent || h.Get("Range") != "0-4" {
		t.Errorf("status: %d %v", status, h)
	}
	if status, _, h := w.do(t, "one", "PUT", at+"?digest="+d, blob[5:]); status != http.StatusCreated || h.Get("Location") != "/v2/t-1/local/x/blobs/"+d {
		t.Errorf("last chunk: %d %v", status, h)
	}
	if status, body, _ := w.do(t, "one", "GET", "/v2/t-1/local/x/blobs/"+d, nil); status != 200 || body != string(blob) {
		t.Errorf("read back: %d %q", status, body)
	}
	if status, body, _ := w.do(t, "one", "GET", "/v2/t-1/local/x/blobs/"+d, nil, "Range", "bytes=7-11"); status != 206 || body != "world" {
		t.Errorf("a range: %d %q", status, body)
	}
	if status, _, h := w.do(t, "reader", "HEAD", "/v2/t-1/local/x/blobs/"+d, nil); status != 200 || h.Get("Content-Length") != "12" {
		t.Errorf("head: %d %v", status, h)
	}
	if status, _, _ := w.do(t, "two", "GET", "/v2/t-2/local/x/blobs/"+d, nil); status != 404 {
		t.Errorf("another organization reads it: %d", status)
	}
	if status, _, _ := w.do(t, "one", "POST", "/v2/t-1/local/x/blobs/uploads/?mount="+d+"&from=t-1/local/y", nil); status != http.StatusCreated {
		t.Errorf("mounted from its own: %d", status)
	}
	// In one request.
	if status, _, _ := w.do(t, "one", "POST", "/v2/t-1/local/x/blobs/uploads/?digest="+string(digest.FromString("x")), []byte("x")); status != http.StatusCreated {
		t.Errorf("at once: %d", status)
	}
	for name, c := range map[string]struct {
		digest string
		code   string
	}{"a wrong digest": {string(digest.FromString("y")), codeDigestInvalid}, "no digest": {"", codeDigestInvalid}, "sha512": {"sha512:" + strings.Repeat("0", 128), codeDigestInvalid}} {
		if status, code, _ := w.do(t, "one", "PUT", begin()+"?digest="+c.digest, blob); status != http.StatusBadRequest || code != c.code {
			t.Errorf("%s: %d %s", name, status, code)
		}
	}
	at = begin()
	if status, _, _ := w.do(t, "one", "DELETE", at, nil); status != http.StatusNoContent {
		t.Errorf("cancelled: %d", status)
	}
	if status, code, _ := w.do(t, "one", "PATCH", at, blob); status != 404 || code != codeUploadUnknown {
		t.Errorf("after it was cancelled: %d %s", status, code)
	}
	at = begin()
	if status, code, _ := w.do(t, "two", "PATCH", strings.Replace(at, "t-1", "t-2", 1), blob); status != 404 || code != codeUploadUnknown {
		t.Errorf("another organization's session: %d %s", status, code)
	}
}

func TestUploadLimits(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "left"), []byte("by the last run"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, func(c *Config) { c.Dir = dir })
	count := func() int {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	if count() != 0 {
		t.Error("the last run's files are there")
	}
	begin := func(password, name string) int {
		status, _, _ := w.do(t, password, "POST", "/v2/"+name+"/blobs/uploads/", nil)
		return status
	}
	for range MaxTenantUploads {
		if status := begin("one", "t-1/local/x"); status != http.StatusAccepted {
			t.Fatalf("begin: %d", status)
		}
	}
	if status := begin("one", "t-1/local/x"); status != http.StatusTooManyRequests {
		t.Errorf("one session over: %d", status)
	}
	if status := begin("two", "t-2/local/x"); status != http.StatusAccepted {
		t.Errorf("its neighbour: %d", status)
	}
	w.advance(UploadLifetime + time.Second)
	if status := begin("one", "t-1/local/x"); status != http.StatusAccepted || count() != 1 {
		t.Errorf("later: %d, %d files", status, count())
	}
	large := make([]byte, MaxBlobBytes+1)
	if status, code, _ := w.do(t, "one", "POST", "/v2/t-1/local/x/blobs/uploads/?digest="+string(digest.FromBytes(large)), large); status != http.StatusRequestEntityTooLarge || code != codeSizeInvalid {
		t.Errorf("one byte over: %d %s", status, code)
	}
	for i := range MaxStagedBlobs + 1 {
		blob := fmt.Append(nil, i)
		status, _, _ := w.do(t, "one", "POST", "/v2/t-1/local/x/blobs/uploads/?digest="+string(digest.FromBytes(blob)), blob)
		if want := map[bool]int{false: http.StatusCreated, true: http.StatusTooManyRequests}[i == MaxStagedBlobs]; status != want {
			t.Fatalf("blob %d: %d, want %d", i+1, status, want)
		}
	}
	w.advance(StagedBlobLifetime + time.Second)
	if status := begin("one", "t-1/local/x"); status != http.StatusAccepted || count() != 1 {
		t.Errorf("an hour later: %d, %d files", status, count())
	}
}

// What has become an artifact waits no longer.
func TestStagedBlobsBecomeArtifacts(t *testing.T) {
	dir := t.TempDir()
	w := start(t, func(c *Config) { c.Dir = dir })
	from, _, _ := source(t, "local/x:1.0.0", "")
	if err := copyUp(t, from, "local/x:1.0.0", w.repository(t, "t-1/local/x", "one")); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("left: %v, %v", files, err)
	}
}

// Many clients push and pull at once, each in its namespace and all in the shared one.
func TestHammer(t *testing.T) {
	w := start(t, nil)
	dir, _, _ := source(t, "acme/x:1.0.0", "")
	var wg sync.WaitGroup
	for i := range 6 {
		own, _, _ := source(t, "local/x:1.0.0", fmt.Sprint(i%2))
		wg.Go(func() {
			password, name := "one", "t-1/local/x"
			if i%2 == 1 {
				password, name = "two", "t-2/local/x"
			}
			if err := copyUp(t, own, "local/x:1.0.0", w.repository(t, name, password)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := copyUp(t, dir, "acme/x:1.0.0", w.repository(t, "acme/x", "host")); err != nil {
				t.Errorf("shared: %v", err)
			}
			if _, err := w.repository(t, name, password).Resolve(context.Background(), "1.0.0"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// FuzzRequests sends any method, path and body; whatever they are, the server answers and is not at fault.
func FuzzRequests(f *testing.F) {
	w := start(f, nil)
	handler := w.Config.Handler
	for _, seed := range []string{"GET /v2/", "PUT /v2/acme/x/manifests/1.0.0", "POST /v2/t-1/acme/x/blobs/uploads/?mount=x", "GET /v2/acme/x/tags/list?n=1&last=x", "GET /v2/acme/x/referrers/sha256:00"} {
		method, path, _ := strings.Cut(seed, " ")
		f.Add(method, path, []byte("{}"), "0-1")
	}
	f.Fuzz(func(t *testing.T, method, path string, body []byte, chunk string) {
		r, err := http.NewRequest(method, "http://x/", bytes.NewReader(body))
		if err != nil {
			return
		}
		at, query, _ := strings.Cut(path, "?")
		r.URL.Path, r.URL.RawQuery = at, query
		r.SetBasicAuth("x", "host")
		r.Header.Set("Content-Range", chunk)
		res := httptest.NewRecorder()
		handler.ServeHTTP(res, r)
		if res.Code >= 500 {
			t.Fatalf("%s %q: %d %s", method, path, res.Code, res.Body)
		}
	})
}
