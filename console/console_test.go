package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func get(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestFiles(t *testing.T) {
	h := handler(fstest.MapFS{
		".gitkeep":        {},
		"index.html":      {Data: []byte("<!doctype html>start")},
		"assets/a-1f.js":  {Data: []byte("1")},
		"assets/a-1f.css": {Data: []byte("b{}")},
	})
	for _, c := range []struct {
		method, path        string
		status              int
		kind, cache, begins string
	}{
		{"GET", "/", 200, "text/html", "no-cache", "<!doctype html>start"},
		{"HEAD", "/", 200, "text/html", "no-cache", ""},
		{"GET", "/incidents/42", 200, "text/html", "no-cache", "<!doctype html>start"},
		{"GET", "/assets/a-1f.js", 200, "text/javascript", "immutable", "1"},
		{"GET", "/assets/a-1f.css", 200, "text/css", "immutable", "b{}"},
		{"GET", "/modules/vedette/sshd.v2", 200, "text/html", "no-cache", "<!doctype html>start"},
		{"GET", "/assets/gone.js", 404, "text/plain", "", ""},
		{"GET", "/.gitkeep", 404, "text/plain", "", ""},
		{"GET", "/../console.go", 404, "text/plain", "", ""},
		{"POST", "/", 405, "text/plain", "", ""},
	} {
		w := get(h, c.method, c.path)
		if w.Code != c.status || !strings.HasPrefix(w.Header().Get("Content-Type"), c.kind) ||
			!strings.Contains(w.Header().Get("Cache-Control"), c.cache) || !strings.HasPrefix(w.Body.String(), c.begins) {
			t.Errorf("%s %s: %d %v %q", c.method, c.path, w.Code, w.Header(), w.Body)
		}
		if csp := w.Header().Get("Content-Security-Policy"); c.status == 200 && (!strings.Contains(csp, "script-src 'self';") || !strings.Contains(csp, "frame-ancestors 'none'")) {
			t.Errorf("%s %s: policy %q", c.method, c.path, csp)
		}
	}
}

func TestCompressed(t *testing.T) {
	h := handler(fstest.MapFS{"assets/a-1f.js": {Data: []byte("plain")}, "assets/a-1f.js.gz": {Data: []byte("packed")}})
	for _, c := range []struct{ accept, encoding, body string }{
		{"", "", "plain"},
		{"gzip, deflate, br, zstd", "gzip", "packed"},
		{"br;q=1.0, gzip;q=0.8", "gzip", "packed"},
		{"gzip;q=0", "", "plain"},
		{"gzip;q=0.000, br", "", "plain"},
		{"xgzip", "", "plain"},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/assets/a-1f.js", nil)
		r.Header.Set("Accept-Encoding", c.accept)
		h.ServeHTTP(w, r)
		got := w.Header()
		if got.Get("Content-Encoding") != c.encoding || w.Body.String() != c.body || got.Get("Vary") != "Accept-Encoding" ||
			!strings.HasPrefix(got.Get("Content-Type"), "text/javascript") {
			t.Errorf("%q: %v %q", c.accept, got, w.Body)
		}
	}
}

func TestWithoutFrontEnd(t *testing.T) {
	w := get(handler(fstest.MapFS{".gitkeep": {}}), "GET", "/")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make web") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestEmbedded(t *testing.T) {
	if w := get(Handler(), "GET", "/"); w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable {
		t.Errorf("the embedded start page: %d %s", w.Code, w.Body)
	}
}
