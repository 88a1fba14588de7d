// Package console serves the page that people look at, from within the binary.
package console

import (
	"bytes"
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// dist is what `make web` builds; the committed .gitkeep lets Go build without it.
//
//go:embed all:web/dist
var dist embed.FS

// policy lets the page load nothing but its own files, run no script that is not one of them, and talk to nobody but its
// own host. Styles may be inline: the component kit writes its variables into the page.
const policy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// unused are the browser's abilities that no page needs.
const unused = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"

const notBuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Vedette</title>
<body style="font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem">
<h1>The console is not built</h1>
<p>This binary was built without its front end. API, ingest and command line work all the same.</p>
<p>Run <code>make web</code> (it needs Node 20 or later), build again, and start again.</p>
`

// Handler serves the console's files. Paths that name no file, but for those in assets/ and for NAME.EXT, are pages of
// the console, which finds its way itself; they get the start page. FILE.gz is FILE, compressed when the console was built.
func Handler() http.Handler {
	files, err := fs.Sub(dist, "web/dist")
	if err != nil {
		panic("console: " + err.Error()) // the name is a constant
	}
	return handler(files)
}

func handler(files fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", unused)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		data, err := fs.ReadFile(files, name)
		dir, file := path.Split(name)
		if err != nil && (dir == "assets/" || dir == "" && path.Ext(file) != "") || name == ".gitkeep" {
			http.NotFound(w, r)
			return
		}
		if err != nil {
			name = "index.html"
			if data, err = fs.ReadFile(files, name); err != nil {
				h.Set("Content-Type", "text/html; charset=utf-8")
				h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
				w.WriteHeader(http.StatusServiceUnavailable)
				w.Write([]byte(notBuilt)) //nolint:errcheck // the reader is gone
				return
			}
		}
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-cache")
		if strings.HasPrefix(name, "assets/") { // their names hold a hash of their content
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		if t := mime.TypeByExtension(path.Ext(name)); t != "" {
			h.Set("Content-Type", t)
		}
		if packed, err := fs.ReadFile(files, name+".gz"); err == nil {
			h.Set("Vary", "Accept-Encoding")
			if takesGzip(r) {
				h.Set("Content-Encoding", "gzip")
				data = packed
			}
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	})
}

// takesGzip reports whether the browser names gzip among what it takes, and not with the weight 0.
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.TrimSpace(name) == "gzip" {
			q := strings.TrimPrefix(strings.TrimSpace(weight), "q=")
			return strings.Trim(q, "0.") != "" || q == ""
		}
	}
	return false
}
