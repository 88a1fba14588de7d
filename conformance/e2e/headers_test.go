package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// testHeaders looks at what the binary tells a browser to refuse, and at what it refuses itself.
func testHeaders(t *testing.T, s *server, _ string) {
	scripts, err := filepath.Glob(root + "/console/web/dist/assets/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range []string{"/", "/queue", "/assets/" + filepath.Base(scripts[0]), "/vedette.v1.AuthService/WhoAmI"} {
		r, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		csp := r.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'self'") && !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") ||
			strings.Contains(csp, "unsafe-eval") || strings.Contains(csp, "script-src 'self' 'unsafe-inline'") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", path, r.Header)
		}
	}
	body := strings.NewReader(`{"name":"admin","password":"` + s.password + `"}`)
	r, err := http.Post(s.url+"/vedette.v1.AuthService/SignIn", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if len(r.Cookies()) != 1 {
		t.Fatalf("signing in sets the cookies %v", r.Cookies())
	}
	session := r.Cookies()[0]
	if !session.HttpOnly || session.SameSite != http.SameSiteStrictMode || session.Path != "/" {
		t.Errorf("session cookie %s", session)
	}
	refuseForeign(t, s, session)
}

// refuseForeign uses the session as a page of another site would.
func refuseForeign(t *testing.T, s *server, session *http.Cookie) {
	t.Helper()
	for _, h := range []map[string]string{{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}} {
		req, err := http.NewRequest(http.MethodPost, s.url+"/vedette.v1.AuthService/WhoAmI", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.AddCookie(session)
		for name, value := range h {
			req.Header.Set(name, value)
		}
		r, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if own := len(h) == 0; own != (r.StatusCode == http.StatusOK) {
			t.Errorf("a POST with the session and %v is answered with %s", h, r.Status)
		}
	}
	for _, origin := range []string{"https://evil.example", "null", s.url + ".evil.example", s.url} {
		header := http.Header{"Origin": {origin}, "Cookie": {session.String()}}
		c, r, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(s.url, "http")+"/live", header)
		if err == nil {
			c.Close()
		}
		if r != nil {
			r.Body.Close()
		}
		if own := origin == s.url; own != (err == nil) {
			t.Errorf("a websocket with the session from %q: %v", origin, err)
		}
	}
}
