package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"github.com/vedette-siem/vedette/registry/server"
)

// others are registries that are not ours: with the referrers API, and with tags in its place.
func others() map[string]http.Handler {
	quiet := gcr.Logger(log.New(io.Discard, "", 0))
	return map[string]http.Handler{"referrers API": gcr.New(quiet, gcr.WithReferrersSupport(true)), "fallback tags": gcr.New(quiet)}
}

// ours is Vedette's own.
func ours(t testing.TB) (http.Handler, *layout.Layout) {
	t.Helper()
	l := open(t)
	all := func(registry.Namespace) bool { return true }
	s, err := server.New(server.Config{
		Layout: l, Dir: t.TempDir(), Now: func() time.Time { return registrytest.Now }, Random: rand.Reader,
		Authorize: func(*http.Request) (server.Access, error) {
			return server.Access{Reads: all, Writes: all, Index: true}, nil
		},
		AdmitIndex: func(context.Context, layout.Snapshot) error { return nil },
		Failed:     func(r *http.Request, err error) { t.Errorf("%s %s: %v", r.Method, r.URL, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, l
}

func open(t testing.TB) *layout.Layout {
	t.Helper()
	l, err := layout.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve starts a registry over HTTP.
func serve(t testing.TB, h http.Handler, change func(*Config)) *Registry {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return connect(t, Config{Host: strings.TrimPrefix(s.URL, "http://"), PlainHTTP: true}, change)
}

func connect(t testing.TB, cfg Config, change func(*Config)) *Registry {
	t.Helper()
	if change != nil {
		change(&cfg)
	}
	r, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// authored is a layout with a signed module that has a bill of materials too.
func authored(t testing.TB, ref, note string) (*layout.Layout, registry.Ref, registry.Digest) {
	t.Helper()
	ctx := context.Background()
	l := open(t)
	a := registrytest.Module(t, ref, note)
	d, err := l.Push(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	for kind, envelope := range map[string][]byte{
		layout.TypeSignature: registrytest.Release(t, a, d, registrytest.Key(t, "a")),
		layout.TypeSBOM:      registrytest.Seal(t, []byte("{}"), registrytest.Key(t, "a")),
	} {
		if _, err := l.Attach(ctx, d, kind, envelope); err != nil {
			t.Fatal(err)
		}
	}
	return l, registry.RefOf(&a.Manifest), d
}

func anything(context.Context, *registry.Artifact, registry.Digest, [][]byte) error { return nil }

// signedByA is a policy: strict, and key "a" signs.
func signedByA(t testing.TB) Admit {
	t.Helper()
	p, err := policy.Parse("policy.yaml", []byte("version: 1\n"+registrytest.KeysYAML(t, "a")+
		"scopes:\n  - {name: all, modules: [\"*/*\"], level: strict, signatures: {allOf: [a]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return policy.Admit(p, registry.Shared, nil, func() time.Time { return registrytest.Now })
}

func kinds(t testing.TB, l *layout.Layout, d registry.Digest) []string {
	t.Helper()
	list, err := l.Referrers(context.Background(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range list {
		out = append(out, r.Type)
	}
	slices.Sort(out)
	return out
}

func TestPushAndPull(t *testing.T) {
	ctx := context.Background()
	handlers := others()
	handlers["ours"], _ = ours(t)
	for name, h := range handlers {
		t.Run(name, func(t *testing.T) {
			r := serve(t, h, func(c *Config) {
				if name != "ours" {
					c.Prefix = "team/modules"
				}
			})
			from, ref, d := authored(t, "acme/fortigate:1.0.0", "note")
			for range 2 {
				if err := r.Push(ctx, from, d); err != nil {
					t.Fatal(err)
				}
			}
			byVersion := r.Reference(ref)
			byDigest, both := byVersion, byVersion
			byDigest.Version, byDigest.Ref.Version = false, ""
			byDigest.Digest, both.Digest = d, d
			for _, reference := range []Reference{byVersion, byDigest, both} {
				if again, err := ParseReference(reference.String()); err != nil || again != reference {
					t.Errorf("%s: %+v, %v", reference, again, err)
				}
				into := open(t)
				for range 2 { // the second time it is there already
					done, err := r.Pull(ctx, reference, into, signedByA(t))
					if err != nil || done != (Pulled{ref, d, 2}) {
						t.Fatalf("%s: %+v, %v", reference, done, err)
					}
				}
				got, err := into.Pull(ctx, d)
				if diff := cmp.Diff(registrytest.Module(t, "acme/fortigate:1.0.0", "note"), got); diff != "" || err != nil {
					t.Errorf("%v (-pushed +pulled):\n%s", err, diff)
				}
				if have := kinds(t, into, d); !slices.Equal(have, []string{layout.TypeSBOM, layout.TypeSignature}) {
					t.Errorf("with %q", have)
				}
			}
			if tags, err := r.Tags(ctx, "acme/fortigate"); err != nil || !slices.Equal(tags, []string{"1.0.0"}) {
				t.Errorf("tags %q, %v", tags, err)
			}
			other, _, changed := authored(t, "acme/fortigate:1.0.0", "changed")
			if err := r.Push(ctx, other, changed); !errors.Is(err, registry.ErrConflict) {
				t.Errorf("other content under the same version: %v", err)
			}
			both.Digest = changed
			if _, err := r.Pull(ctx, both, open(t), anything); !errors.Is(err, registry.ErrUntrusted) {
				t.Errorf("a version that names another digest: %v", err)
			}
			missing := r.Reference(registry.Ref{Publisher: "acme", Name: "none", Version: "1.0.0"})
			if _, err := r.Pull(ctx, missing, open(t), anything); !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("unknown: %v", err)
			}
		})
	}
}

// An organization's copy is its own, and one that was refused leaves nothing.
func TestPullIntoANamespace(t *testing.T) {
	ctx := context.Background()
	r := serve(t, others()["referrers API"], nil)
	from, ref, d := authored(t, "acme/x:1.0.0", "")
	if err := r.Push(ctx, from, d); err != nil {
		t.Fatal(err)
	}
	into := open(t)
	if _, err := r.Pull(ctx, r.Reference(ref), into.In(7), anything); err != nil {
		t.Fatal(err)
	}
	if _, err := into.Pull(ctx, d); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("the shared namespace has it: %v", err)
	}
	no := func(context.Context, *registry.Artifact, registry.Digest, [][]byte) error {
		return registry.ErrUntrusted
	}
	if _, err := r.Pull(ctx, r.Reference(ref), into.In(8), no); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("refused: %v", err)
	}
	if list, err := into.In(8).List(ctx); err != nil || len(list) != 0 {
		t.Errorf("a refused pull left %v, %v", list, err)
	}
	// What is there already is judged again: a key may have been withdrawn since.
	if _, err := r.Pull(ctx, r.Reference(ref), into.In(7), no); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("refused though it is there: %v", err)
	}
	if _, err := r.Pull(ctx, r.Reference(ref), into, nil); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("nobody decides: %v", err)
	}
}

func TestTLSAndAuthentication(t *testing.T) {
	ctx := context.Background()
	inner := others()["referrers API"]
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "ci" || password != "token" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	host := strings.TrimPrefix(s.URL, "https://")
	trusted := &tls.Config{RootCAs: pool}
	from, ref, d := authored(t, "acme/x:1.0.0", "")
	r := connect(t, Config{Host: host, TLS: trusted, Username: "ci", Password: "token"}, nil)
	if err := r.Push(ctx, from, d); err != nil {
		t.Fatal(err)
	}
	if done, err := r.Pull(ctx, r.Reference(ref), open(t), signedByA(t)); err != nil || done.Referrers != 2 {
		t.Errorf("pulled %+v, %v", done, err)
	}
	for name, c := range map[string]struct {
		cfg  Config
		want error
	}{
		"nobody":           {Config{Host: host, TLS: trusted}, registry.ErrDenied},
		"a wrong password": {Config{Host: host, TLS: trusted, Username: "ci", Password: "wrong"}, registry.ErrDenied},
		"unknown to us":    {Config{Host: host, Username: "ci", Password: "token"}, registry.ErrUnavailable},
		"plain":            {Config{Host: host, PlainHTTP: true, Username: "ci", Password: "token"}, registry.ErrInvalid},
		"nobody there":     {Config{Host: "127.0.0.1:1", PlainHTTP: true}, registry.ErrUnavailable},
	} {
		r := connect(t, c.cfg, nil)
		if _, err := r.Pull(ctx, r.Reference(ref), open(t), anything); !errors.Is(err, c.want) || strings.Contains(err.Error(), "token") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lying changes answers of a registry that is otherwise sound.
type lying struct {
	http.Handler
	change func(r *http.Request, status int, h http.Header, body []byte) []byte
}

func (l lying) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	l.Handler.ServeHTTP(rec, r)
	body := rec.Body.Bytes()
	if l.change != nil {
		body = l.change(r, rec.Code, rec.Header(), body)
	}
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.Code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// A mirror or a registry that was broken into can withhold, but not change: whatever it answers, nothing false is stored.
func TestRegistryThatLies(t *testing.T) {
	ctx := context.Background()
	flip := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(b)/2] ^= 1
		return b
	}
	for name, change := range map[string]func(r *http.Request, h http.Header, body []byte) []byte{
		"changed blobs": func(r *http.Request, _ http.Header, body []byte) []byte {
			if strings.Contains(r.URL.Path, "/blobs/") && r.Method == http.MethodGet {
				return flip(body)
			}
			return body
		},
		"a changed manifest": func(r *http.Request, _ http.Header, body []byte) []byte {
			if strings.Contains(r.URL.Path, "/manifests/") && r.Method == http.MethodGet {
				return bytes.Replace(body, []byte(`"Sample"`), []byte(`"Simple"`), 1)
			}
			return body
		},
		"short blobs": func(r *http.Request, h http.Header, body []byte) []byte {
			if strings.Contains(r.URL.Path, "/blobs/") && r.Method == http.MethodGet {
				h.Del("Content-Length")
				return body[:len(body)-1]
			}
			return body
		},
		"endless manifest": func(r *http.Request, h http.Header, body []byte) []byte {
			if strings.Contains(r.URL.Path, "/manifests/") {
				h.Set("Content-Length", fmt.Sprint(layout.MaxImageManifestBytes+1))
				return append(body, make([]byte, layout.MaxImageManifestBytes+1-len(body))...)
			}
			return body
		},
		"another digest": func(r *http.Request, h http.Header, body []byte) []byte {
			if strings.Contains(r.URL.Path, "/manifests/") {
				h.Set("Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64))
			}
			return body
		},
		"referrers that are something else": func(r *http.Request, h http.Header, body []byte) []byte {
			if strings.Contains(r.URL.Path, "/referrers/") {
				h.Del("Content-Length")
				return bytes.ReplaceAll(body, []byte(`"size":`), []byte(`"size":9`))
			}
			return body
		},
	} {
		h := &lying{Handler: others()["referrers API"]}
		r := serve(t, h, nil)
		from, ref, d := authored(t, "acme/x:1.0.0", "")
		if err := r.Push(ctx, from, d); err != nil {
			t.Fatal(err)
		}
		h.change = func(r *http.Request, _ int, header http.Header, body []byte) []byte { return change(r, header, body) }
		into := open(t)
		if _, err := r.Pull(ctx, r.Reference(ref), into, anything); err == nil {
			t.Errorf("%s: pulled", name)
		}
		if list, err := into.List(ctx); err != nil || len(list) != 0 {
			t.Errorf("%s: it left %v, %v", name, list, err)
		}
	}
}

// A registry that hides the signatures gets nothing past a policy that wants them.
func TestRegistryThatHidesSignatures(t *testing.T) {
	ctx := context.Background()
	h := &lying{Handler: others()["referrers API"]}
	r := serve(t, h, nil)
	from, ref, d := authored(t, "acme/x:1.0.0", "")
	if err := r.Push(ctx, from, d); err != nil {
		t.Fatal(err)
	}
	h.change = func(r *http.Request, _ int, header http.Header, body []byte) []byte {
		if strings.Contains(r.URL.Path, "/referrers/") {
			header.Del("Content-Length")
			return []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)
		}
		return body
	}
	if _, err := r.Pull(ctx, r.Reference(ref), open(t), signedByA(t)); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("without signatures: %v", err)
	}
}

func TestCopyToAMirror(t *testing.T) {
	ctx := context.Background()
	from, to := serve(t, others()["fallback tags"], nil), serve(t, others()["referrers API"], nil)
	author, ref, d := authored(t, "acme/x:1.0.0", "")
	if err := from.Push(ctx, author, d); err != nil {
		t.Fatal(err)
	}
	if _, err := Copy(ctx, from, to, from.Reference(ref), open(t), signedByA(t)); err != nil {
		t.Fatal(err)
	}
	if done, err := to.Pull(ctx, to.Reference(ref), open(t), signedByA(t)); err != nil || done.Referrers != 2 {
		t.Errorf("from the mirror: %+v, %v", done, err)
	}
}

func TestIndexTravels(t *testing.T) {
	ctx := context.Background()
	for name, h := range others() {
		r := serve(t, h, func(c *Config) { c.Prefix = "team" })
		if _, err := r.Index(ctx); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: before the first: %v", name, err)
		}
		l := open(t)
		want := layout.Snapshot{Index: []byte("index"), Roots: [][]byte{[]byte("root 1"), []byte("root 2")}}
		if err := l.PutSnapshot(ctx, want); err != nil {
			t.Fatal(err)
		}
		if err := r.PushIndex(ctx, l); err != nil {
			t.Fatal(err)
		}
		got, err := r.Index(ctx)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"nothing": {}, "a URL": {Host: "https://example.org"}, "a path": {Host: "example.org/x"}, "user": {Host: "me@example.org"},
		"prefix": {Host: "example.org", Prefix: "../x"}, "both": {Host: "example.org", PlainHTTP: true, TLS: &tls.Config{}},
		"timeout": {Host: "example.org", Timeout: MaxTimeout + 1}, "negative": {Host: "example.org", Timeout: -1},
	} {
		if _, err := Open(cfg); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseReference(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0", 64)
	for _, s := range []string{
		"localhost:5000/acme/x:1.0.0", "example.org/acme/x" + digest, "example.org/a/b/c/acme/x:1.0.0-rc.1" + digest, "127.0.0.1:1/acme/x:1.0.0",
	} {
		if r, err := ParseReference(s); err != nil || r.String() != s {
			t.Errorf("%s: %s, %v", s, r, err)
		}
	}
	for _, s := range []string{
		"", "acme/x:1.0.0", "example.org/acme/x", "example.org/acme/x:latest", "example.org/acme/x@sha256:0", "example.org/x:1.0.0", "example.org//x:1.0.0",
		"example.org/../acme/x:1.0.0", "exa mple/acme/x:1.0.0", "https://example.org/acme/x:1.0.0", "example.org/Team/acme/x:1.0.0", "u@example.org/acme/x:1.0.0",
		"example.org/" + strings.Repeat("a/", MaxNameBytes) + "acme/x:1.0.0",
	} {
		if _, err := ParseReference(s); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	f.Add("example.org/team/acme/x:1.0.0@sha256:" + strings.Repeat("0", 64))
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseReference(s)
		if err != nil {
			if !errors.Is(err, registry.ErrInvalid) {
				t.Fatalf("%v is of no known kind", err)
			}
			return
		}
		if again, err := ParseReference(r.String()); err != nil || again != r {
			t.Fatalf("%q reads as %+v and then as %+v, %v", s, r, again, err)
		}
	})
}
