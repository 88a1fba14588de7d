// Package server is an OCI registry over a layout: it serves /v2/ of the OCI distribution specification 1.1 to oras and
// other clients, takes nothing but modules and what refers to them, and shows an organization its own namespace and the
// shared one.
//
// Repositories are "publisher/name" in the shared namespace and "t-7/publisher/name" in that of organization 7, where a
// read also finds what is shared. Tags are versions and never move. The repository "index" holds the signed index under
// the tag "latest".
package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// IndexRepository is the repository of the signed index, and IndexTag its one tag.
const (
	IndexRepository = "index"
	IndexTag        = "latest"
)

// Access is what a request may do. The zero value is nothing.
type Access struct {
	Reads  func(registry.Namespace) bool
	Writes func(registry.Namespace) bool
	Index  bool // may replace the signed index
}

func (a Access) reads(n registry.Namespace) bool  { return a.Reads != nil && a.Reads(n) }
func (a Access) writes(n registry.Namespace) bool { return a.Writes != nil && a.Writes(n) }

// Config says what a server serves. Layout, Dir, Authorize, Now and Random have no defaults.
type Config struct {
	Layout *layout.Layout

	// Dir is for what is being uploaded. The server owns it and empties it when it starts.
	Dir string

	// Authorize says what a request may do. An error that wraps ErrUnauthenticated asks the client to log in (Basic: the
	// password may be a token); any other is refused. Many goroutines call it at once.
	Authorize func(*http.Request) (Access, error)

	// Admit may refuse a module before it is stored, with an error that wraps one of registry's kinds; its text goes to
	// the client. Default: nothing more is asked.
	Admit func(ctx context.Context, n registry.Namespace, a *registry.Artifact) error

	// AdmitIndex verifies a signed index before it replaces the one that is served. Default: none is taken.
	AdmitIndex func(ctx context.Context, s layout.Snapshot) error

	// Stored is told of every artifact after it was stored. Default: nobody is.
	Stored func(n registry.Namespace, a layout.Added)

	Now    func() time.Time
	Random io.Reader // for the names of upload sessions

	// Failed is told of every error that is the server's own, to log it. Default: nobody is.
	Failed func(r *http.Request, err error)
}

// Server is an http.Handler for every path below /v2/. It starts no goroutine; what was left by clients is removed while
// others upload.
type Server struct {
	cfg     Config
	uploads *uploads
	puts    chan struct{} // one token for each manifest that is being verified
}

// New returns a server.
func New(cfg Config) (*Server, error) {
	if cfg.Layout == nil || cfg.Dir == "" || cfg.Authorize == nil || cfg.Now == nil || cfg.Random == nil {
		return nil, fmt.Errorf("module registry: layout, dir, authorize, now and random are needed: %w", registry.ErrInvalid)
	}
	if cfg.Stored == nil {
		cfg.Stored = func(registry.Namespace, layout.Added) {}
	}
	if cfg.Failed == nil {
		cfg.Failed = func(*http.Request, error) {}
	}
	u, err := openUploads(cfg.Dir, cfg.Now, cfg.Random)
	if err != nil {
		return nil, fmt.Errorf("module registry: %w", err)
	}
	return &Server{cfg: cfg, uploads: u, puts: make(chan struct{}, MaxManifestPuts)}, nil
}

// target is what a request's path names.
type target struct {
	repository string // as in the path
	module     string // "publisher/name"; "" for the index
	ns         registry.Namespace
	layout     *layout.Layout
	access     Access
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if err := s.serve(w, r); err != nil {
		s.writeError(w, r, err)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) error {
	access, err := s.cfg.Authorize(r)
	if errors.Is(err, ErrUnauthenticated) {
		return fail(http.StatusUnauthorized, codeUnauthorized, "authentication required")
	}
	if err != nil {
		return fail(http.StatusForbidden, codeDenied, "requested access to the resource is denied")
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/v2/")
	if !ok || len(path) > MaxPathBytes {
		return errNameUnknown
	}
	switch path {
	case "":
		return writeJSON(w, "application/json", struct{}{})
	case "_catalog":
		return s.catalog(w, r, access)
	}
	for _, route := range []struct {
		mark  string
		serve func(http.ResponseWriter, *http.Request, target, string) error
	}{
		// In this order: what a repository's name holds is checked after it was cut off at the last mark.
		{"/blobs/uploads/", s.upload}, {"/blobs/", s.blob}, {"/manifests/", s.manifest}, {"/tags/", s.tags}, {"/referrers/", s.referrers},
	} {
		if at := strings.LastIndex(path, route.mark); at >= 0 {
			t, err := s.target(path[:at], access, r.Method)
			if err != nil {
				return err
			}
			return route.serve(w, r, t, path[at+len(route.mark):])
		}
	}
	return errNameUnknown
}

// target reads a repository's name and decides whether the request may see or change it. What it may not see answers as
// what does not exist.
func (s *Server) target(name string, access Access, method string) (target, error) {
	t := target{repository: name, access: access}
	parts := strings.Split(name, "/")
	read := method == http.MethodGet || method == http.MethodHead
	if n, err := registry.ParseNamespace(parts[0]); err == nil && n != registry.Shared && len(parts) == 2 && parts[1] == IndexRepository && !read {
		return t, fail(http.StatusMethodNotAllowed, codeUnsupported, "the namespace of an organization has no index of its own: what the registry says of its versions stands in %s", IndexRepository)
	}
	if len(parts) == 3 {
		n, err := registry.ParseNamespace(parts[0])
		if err != nil || n == registry.Shared {
			return t, fail(http.StatusNotFound, codeNameInvalid, "want publisher/name, or t-NUMBER/publisher/name")
		}
		t.ns, parts = n, parts[1:]
	}
	switch {
	case name == IndexRepository:
	case len(parts) == 2 && manifest.ValidName(parts[0]) && manifest.ValidName(parts[1]):
		t.module = parts[0] + "/" + parts[1]
	default:
		return t, fail(http.StatusNotFound, codeNameInvalid, "want publisher/name, or t-NUMBER/publisher/name")
	}
	t.layout = s.cfg.Layout.In(t.ns)
	switch {
	case read && !access.reads(t.ns):
		return t, errNameUnknown
	case !read && t.module != "" && !access.writes(t.ns), !read && t.module == "" && !access.Index:
		return t, fail(http.StatusForbidden, codeDenied, "requested access to the resource is denied")
	}
	return t, nil
}

// places lists where a read looks: an organization's own namespace, then the shared one if the request may see it.
func (t target) places() []*layout.Layout {
	if t.ns == registry.Shared || !t.access.reads(registry.Shared) {
		return []*layout.Layout{t.layout}
	}
	return []*layout.Layout{t.layout, t.layout.In(registry.Shared)}
}

// list returns the versions that a request sees in a namespace.
func (s *Server) list(ctx context.Context, n registry.Namespace, access Access) ([]registry.Entry, error) {
	list, err := s.cfg.Layout.In(n).List(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(e registry.Entry) bool { return !access.reads(e.Namespace) }), nil
}

func (s *Server) tags(w http.ResponseWriter, r *http.Request, t target, rest string) error {
	if rest != "list" {
		return errNameUnknown
	}
	if r.Method != http.MethodGet {
		return errMethod
	}
	tags := []string{}
	if t.module == "" {
		if _, _, err := t.layout.Snapshot(r.Context()); err == nil {
			tags = append(tags, IndexTag)
		}
	} else {
		list, err := s.list(r.Context(), t.ns, t.access)
		if err != nil {
			return err
		}
		for _, e := range list {
			if e.Ref.Module() == t.module {
				tags = append(tags, e.Ref.Version)
			}
		}
	}
	if len(tags) == 0 {
		return errNameUnknown
	}
	page, err := page(w, r, tags)
	if err != nil {
		return err
	}
	return writeJSON(w, "application/json", map[string]any{"name": t.repository, "tags": page})
}

func (s *Server) catalog(w http.ResponseWriter, r *http.Request, access Access) error {
	if r.Method != http.MethodGet {
		return errMethod
	}
	namespaces, err := s.cfg.Layout.Namespaces()
	if err != nil {
		return err
	}
	names := []string{}
	for _, n := range namespaces {
		if !access.reads(n) {
			continue
		}
		list, err := s.cfg.Layout.In(n).List(r.Context())
		if err != nil {
			return err
		}
		for _, e := range list {
			if e.Namespace != n {
				continue
			}
			name := e.Ref.Module()
			if n != registry.Shared {
				name = n.String() + "/" + name
			}
			names = append(names, name)
		}
	}
	page, err := page(w, r, names)
	if err != nil {
		return err
	}
	return writeJSON(w, "application/json", map[string]any{"repositories": page})
}

// page sorts names and returns those that the request asks for by n and last, with a link to the next ones.
func page(w http.ResponseWriter, r *http.Request, names []string) ([]string, error) {
	slices.Sort(names)
	names = slices.Compact(names)
	n, q := MaxPageEntries, r.URL.Query()
	if text := q.Get("n"); text != "" {
		want, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return nil, fail(http.StatusBadRequest, codeUnsupported, "n: want a number")
		}
		n = int(min(want, MaxPageEntries))
	}
	if last := q.Get("last"); last != "" {
		at, found := slices.BinarySearch(names, last)
		if found {
			at++
		}
		names = names[at:]
	}
	if n < len(names) {
		names = names[:n]
		if n > 0 {
			next := url.Values{"n": {strconv.Itoa(n)}, "last": {names[n-1]}}
			w.Header().Set("Link", "<"+r.URL.EscapedPath()+"?"+next.Encode()+`>; rel="next"`)
		}
	}
	return names, nil
}

func (s *Server) referrers(w http.ResponseWriter, r *http.Request, t target, rest string) error {
	if r.Method != http.MethodGet {
		return errMethod
	}
	subject, err := registry.ParseDigest(rest)
	if err != nil {
		return fail(http.StatusBadRequest, codeDigestInvalid, "%v", err)
	}
	kind := r.URL.Query().Get("artifactType")
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{}}
	index.SchemaVersion = 2
	list, err := t.layout.Referrers(r.Context(), subject, kind)
	if err != nil {
		return err
	}
	for _, ref := range list {
		image, err := t.layout.Image(r.Context(), ref.Digest)
		if err != nil {
			return err
		}
		index.Manifests = append(index.Manifests, ocispec.Descriptor{
			MediaType: ocispec.MediaTypeImageManifest, ArtifactType: ref.Type, Digest: ociDigest(ref.Digest), Size: int64(len(image)),
		})
	}
	if kind != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	return writeJSON(w, ocispec.MediaTypeImageIndex, index)
}

func writeJSON(w http.ResponseWriter, mediaType string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client has gone; there is nobody to tell
	return nil
}
