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
		if csp := w.Header().Get("Content-Security-Policy"); c.status == 200 && (csp == "" || strings.Contains(csp, "unsafe")) {
			t.Errorf("%s %s: policy %q", c.method, c.path, csp)
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
