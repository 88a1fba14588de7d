package api

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// BodyTimeout is how long the body of a request may take. Ingest has its own.
const BodyTimeout = 30 * time.Second

// apiHeaders are on every answer of the API: what it says is not kept, not guessed at, not framed and not run.
var apiHeaders = map[string]string{
	"Cache-Control":                "no-store",
	"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

// guard refuses what a browser sends for another site, so that the session cookie cannot be borrowed; programs, which
// send no such headers, are not concerned.
func guard(next http.Handler) http.Handler {
	guarded := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range apiHeaders {
			w.Header().Set(name, value)
		}
		guarded.ServeHTTP(w, r)
	})
}

// timeBody ends a request whose body does not arrive in time. The answer may take as long as it likes: the deadline is
// lifted with the last byte of the body, since the server reads on to notice that the client is gone.
func timeBody(next http.Handler, within time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			c := http.NewResponseController(w)
			// Not every ResponseWriter has deadlines; the server's own timeouts hold then.
			if c.SetReadDeadline(time.Now().Add(within)) == nil {
				r.Body = &timedBody{r.Body, c}
			}
		}
		next.ServeHTTP(w, r)
	})
}

type timedBody struct {
	io.ReadCloser
	c *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.c.SetReadDeadline(time.Time{}) // it could be set, so it can be lifted, unless the connection is gone
	}
	return n, err
}
