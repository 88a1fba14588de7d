package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// world is a server with its layout and clock.
type world struct {
	*httptest.Server
	layout *layout.Layout
	clock  time.Time
	mu     sync.Mutex
	failed []error
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// authorize knows the passwords "one" and "two" of organizations 1 and 2, "host" of the host, and "reader" of somebody
// who reads organization 1.
func authorize(r *http.Request) (Access, error) {
	_, password, ok := r.BasicAuth()
	if !ok {
		return Access{}, ErrUnauthenticated
	}
	own := func(n registry.Namespace) Access {
		return Access{
			Reads:  func(x registry.Namespace) bool { return x == n || x == registry.Shared },
			Writes: func(x registry.Namespace) bool { return x == n },
		}
	}
	switch password {
	case "one":
		return own(1), nil
	case "two":
		return own(2), nil
	case "reader":
		return Access{Reads: own(1).Reads}, nil
	case "host":
		all := func(registry.Namespace) bool { return true }
		return Access{Reads: all, Writes: all, Index: true}, nil
	}
	return Access{}, errors.New("no such token")
}

func start(t testing.TB, change func(*Config)) *world {
	t.Helper()
	l, err := layout.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{layout: l, clock: registrytest.Now}
	cfg := Config{
		Layout: l, Dir: t.TempDir(), Authorize: authorize, Now: w.now, Random: rand.Reader,
		Failed: func(_ *http.Request, err error) { w.mu.Lock(); w.failed = append(w.failed, err); w.mu.Unlock() },
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = httptest.NewServer(s)
	t.Cleanup(func() {
		w.Close()
		for _, err := range w.failed {
			t.Errorf("the server failed: %v", err)
		}
	})
	return w
}

// repository is a plain OCI client of one repository.
func (w *world) repository(t testing.TB, name, password string) *remote.Repository {
	t.Helper()
	r, err := remote.NewRepository(strings.TrimPrefix(w.URL, "http://") + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	r.PlainHTTP = true
	r.Client = &auth.Client{Credential: auth.StaticCredential(r.Reference.Registry, auth.Credential{Username: "x", Password: password})}
	return r
}

// do sends a request as somebody and returns its status, its error code and its header.
func (w *world) do(t testing.TB, password, method, path string, body []byte, header ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequest(method, w.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if password != "" {
		r.SetBasicAuth("x", password)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := w.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Errors []struct{ Code, Message string }
	}
	code := string(text)
	if json.Unmarshal(text, &e) == nil && len(e.Errors) == 1 {
		code = e.Errors[0].Code
	}
	return res.StatusCode, code, res.Header
}

// source is a layout with a module and its signature, as an author has it.
func source(t testing.TB, ref, note string) (dir string, l *layout.Layout, d registry.Digest) {
	t.Helper()
	dir = t.TempDir()
	l, err := layout.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := registry.ParseNamespace(strings.Split(ref, "/")[0]); err == nil { // what stands nowhere else
		l, dir = l.In(n), filepath.Join(dir, "namespaces", n.String())
	}
	a := registrytest.Module(t, ref, note)
	if d, err = l.Push(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Attach(context.Background(), d, layout.TypeSignature, registrytest.Release(t, a, d, registrytest.Key(t, "a"))); err != nil {
		t.Fatal(err)
	}
	return dir, l, d
}

// copyUp pushes a module with its referrers as `oras cp -r` does.
func copyUp(t testing.TB, dir, ref string, to *remote.Repository) error {
	t.Helper()
	from, err := oci.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = oras.ExtendedCopy(context.Background(), from, ref, to, ref[strings.LastIndex(ref, ":")+1:], oras.DefaultExtendedCopyOptions)
	return err
}

func TestPushAndPullWithOras(t *testing.T) {
	ctx := context.Background()
	w := start(t, nil)
	dir, _, d := source(t, "acme/fortigate:1.0.0", "note")
	up := w.repository(t, "acme/fortigate", "host")
	for range 2 { // again changes nothing
		if err := copyUp(t, dir, "acme/fortigate:1.0.0", up); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := w.layout.Resolve(ctx, registry.Ref{Publisher: "acme", Name: "fortigate", Version: "1.0.0"}); err != nil || got != d {
		t.Fatalf("it holds %s, %v", got, err)
	}
	down := w.repository(t, "acme/fortigate", "one")
	for _, reference := range []string{"1.0.0", string(d)} {
		other := t.TempDir()
		to, err := oci.New(other)
		if err != nil {
			t.Fatal(err)
		}
		desc, err := oras.ExtendedCopy(ctx, down, reference, to, "", oras.DefaultExtendedCopyOptions)
		if err != nil || desc.Digest != digest.Digest(d) {
			t.Fatalf("pulling %s: %v, %v", reference, desc, err)
		}
		if found, err := to.Predecessors(ctx, desc); err != nil || len(found) != 1 {
			t.Errorf("it came with %v, %v", found, err)
		}
	}
	var kinds []string
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(d)}
	for _, filter := range []string{"", layout.TypeSignature, layout.TypeSBOM} {
		if err := down.Referrers(ctx, desc, filter, func(list []ocispec.Descriptor) error {
			for _, r := range list {
				kinds = append(kinds, filter+">"+r.ArtifactType)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{">" + layout.TypeSignature, layout.TypeSignature + ">" + layout.TypeSignature}; !slices.Equal(kinds, want) {
		t.Errorf("referrers %q", kinds)
	}
	if err := copyUp(t, dir, "acme/fortigate:1.0.0", w.repository(t, "acme/fortigate", "one")); err == nil {
		t.Error("an organization has pushed into the shared namespace")
	}
}

// The acceptance of the room's point 7 over HTTP: B cannot see, and cannot be hindered by, what A has.
func TestOrganizationsAreApart(t *testing.T) {
	ctx := context.Background()
	w := start(t, nil)
	dirA, _, a := source(t, "local/x:1.0.0", "A's")
	dirB, _, b := source(t, "local/x:1.0.0", "B's")
	if err := copyUp(t, dirA, "local/x:1.0.0", w.repository(t, "t-1/local/x", "one")); err != nil {
		t.Fatal(err)
	}
	if err := copyUp(t, dirB, "local/x:1.0.0", w.repository(t, "t-2/local/x", "two")); err != nil {
		t.Fatalf("B is hindered by A: %v", err)
	}
	for password, want := range map[string]registry.Digest{"one": a, "two": b} {
		name := map[string]string{"one": "t-1/local/x", "two": "t-2/local/x"}[password]
		if desc, err := w.repository(t, name, password).Resolve(ctx, "1.0.0"); err != nil || desc.Digest != digest.Digest(want) {
			t.Errorf("%s: %v, %v", password, desc.Digest, err)
		}
	}
	// Everything that B may ask about A answers as what does not exist.
	for _, path := range []string{"tags/list", "manifests/1.0.0", "manifests/" + string(a), "blobs/" + string(a), "referrers/" + string(a)} {
		exists, code1, _ := w.do(t, "two", "GET", "/v2/t-1/local/x/"+path, nil)
		nothing, code2, _ := w.do(t, "two", "GET", "/v2/t-9/local/none/"+path, nil)
		if exists != http.StatusNotFound || exists != nothing || code1 != code2 {
			t.Errorf("%s: %d %s, of what does not exist %d %s", path, exists, code1, nothing, code2)
		}
	}
	for _, name := range []string{"t-1/local/x", "t-9/local/none", "local/x"} {
		if status, code, _ := w.do(t, "two", "POST", "/v2/"+name+"/blobs/uploads/", nil); status != http.StatusForbidden || code != codeDenied {
			t.Errorf("B uploads to %s: %d %s", name, status, code)
		}
	}
	// Nor under B's own name, nor by mounting.
	for _, path := range []string{"manifests/" + string(a), "blobs/" + string(a)} {
		if status, _, _ := w.do(t, "two", "GET", "/v2/t-2/local/x/"+path, nil); status != http.StatusNotFound {
			t.Errorf("%s under B's name: %d", path, status)
		}
	}
	if status, _, _ := w.do(t, "two", "POST", "/v2/t-2/local/x/blobs/uploads/?mount="+string(a)+"&from=t-1/local/x", nil); status != http.StatusAccepted {
		t.Errorf("mounted from A: %d", status)
	}
	_, catalog, _ := w.do(t, "two", "GET", "/v2/_catalog", nil)
	if want := `{"repositories":["t-2/local/x"]}`; catalog != want {
		t.Errorf("catalog of B: %s", catalog)
	}
	if _, catalog, _ := w.do(t, "host", "GET", "/v2/_catalog", nil); catalog != `{"repositories":["t-1/local/x","t-2/local/x"]}` {
		t.Errorf("catalog of the host: %s", catalog)
	}
}

func TestOrganizationReadsShared(t *testing.T) {
	w := start(t, nil)
	dir, _, d := source(t, "acme/x:1.0.0", "")
	if err := copyUp(t, dir, "acme/x:1.0.0", w.repository(t, "acme/x", "host")); err != nil {
		t.Fatal(err)
	}
	down := w.repository(t, "t-1/acme/x", "one")
	to, err := oci.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if desc, err := oras.ExtendedCopy(context.Background(), down, "1.0.0", to, "", oras.DefaultExtendedCopyOptions); err != nil || desc.Digest != digest.Digest(d) {
		t.Errorf("through its own name: %v, %v", desc.Digest, err)
	}
	other, _, _ := source(t, "acme/x:1.0.0", "other")
	if err := copyUp(t, other, "acme/x:1.0.0", down); !isCode(err, codeDenied) {
		t.Errorf("redefined for itself: %v", err)
	}
}

func isCode(err error, code string) bool {
	var res *errcode.ErrorResponse
	return errors.As(err, &res) && len(res.Errors) == 1 && res.Errors[0].Code == code
}

func TestAuthorization(t *testing.T) {
	w := start(t, nil)
	if status, code, h := w.do(t, "", "GET", "/v2/", nil); status != http.StatusUnauthorized || code != codeUnauthorized || h.Get("WWW-Authenticate") == "" {
		t.Errorf("nobody: %d %s %v", status, code, h)
	}
	if status, code, _ := w.do(t, "wrong", "GET", "/v2/", nil); status != http.StatusForbidden || code != codeDenied {
		t.Errorf("a wrong token: %d %s", status, code)
	}
	if status, _, h := w.do(t, "one", "GET", "/v2/", nil); status != http.StatusOK || h.Get("Docker-Distribution-API-Version") != "registry/2.0" {
		t.Errorf("one: %d %v", status, h)
	}
	dir, _, _ := source(t, "local/x:1.0.0", "")
	if err := copyUp(t, dir, "local/x:1.0.0", w.repository(t, "t-1/local/x", "reader")); err == nil {
		t.Error("a reader has pushed")
	}
}

// Tags never move, and what is no module is refused with the specification's error body.
func TestPushesThatAreRefused(t *testing.T) {
	ctx := context.Background()
	w := start(t, func(c *Config) {
		c.Admit = func(_ context.Context, _ registry.Namespace, a *registry.Artifact) error {
			if a.Manifest.Publisher == "vedette" {
				return fmt.Errorf("the publisher is kept: %w", registry.ErrUntrusted)
			}
			return nil
		}
	})
	to := func(name string) *remote.Repository { return w.repository(t, name, "host") }
	dir, _, _ := source(t, "acme/x:1.0.0", "one")
	if err := copyUp(t, dir, "acme/x:1.0.0", to("acme/x")); err != nil {
		t.Fatal(err)
	}
	other, _, _ := source(t, "acme/x:1.0.0", "two")
	if err := copyUp(t, other, "acme/x:1.0.0", to("acme/x")); !isCode(err, codeDenied) || !strings.Contains(err.Error(), "a version never changes") {
		t.Errorf("other content under the same tag: %v", err)
	}
	if err := copyUp(t, dir, "acme/x:1.0.0", to("acme/y")); !isCode(err, codeManifestInvalid) {
		t.Errorf("in another repository: %v", err)
	}
	kept, _, _ := source(t, "vedette/x:1.0.0", "")
	if err := copyUp(t, kept, "vedette/x:1.0.0", to("vedette/x")); !isCode(err, codeDenied) {
		t.Errorf("what is not admitted: %v", err)
	}
	foreign, _, _ := source(t, "t-2/x:1.0.0", "")
	if err := copyUp(t, foreign, "t-2/x:1.0.0", to("t-1/t-2/x")); !isCode(err, codeManifestInvalid) {
		t.Errorf("another organization's publisher: %v", err)
	}
	// A container image and an artifact of another kind.
	for _, kind := range []string{"", "application/vnd.example.thing"} {
		store, err := oci.New(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		pushed, err := oras.PackManifest(ctx, store, oras.PackManifestVersion1_1, orElse(kind, "application/vnd.unknown.artifact.v1"), oras.PackManifestOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := oras.CopyGraph(ctx, store, to("acme/x"), pushed, oras.DefaultCopyGraphOptions); !isCode(err, codeManifestInvalid) {
			t.Errorf("a %q: %v", kind, err)
		}
	}
}

// Requests that no client would send.
func TestRequestsThatAreRefused(t *testing.T) {
	w := start(t, nil)
	image := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"artifactType":%q,"config":{"mediaType":%q,"digest":%q,"size":2},"layers":[]}`,
		ocispec.MediaTypeImageManifest, layout.TypeModule, layout.TypeManifest, digest.FromString("no such blob"))
	for name, c := range map[string]struct {
		path, body string
		status     int
		code       string
	}{
		"a missing blob":      {"/v2/acme/x/manifests/3.0.0", image, 404, codeManifestBlobUnknown},
		"no JSON":             {"/v2/acme/x/manifests/3.0.0", "{", 400, codeManifestInvalid},
		"too large":           {"/v2/acme/x/manifests/3.0.0", strings.Repeat(" ", MaxManifestBytes+1), 413, codeManifestInvalid},
		"another digest":      {"/v2/acme/x/manifests/sha256:" + strings.Repeat("0", 64), image, 400, codeDigestInvalid},
		"the index":           {"/v2/index/manifests/latest", image, 400, codeManifestInvalid},
		"an index of one's":   {"/v2/t-1/index/manifests/latest", image, 405, codeUnsupported},
		"one segment":         {"/v2/acme/manifests/1.0.0", image, 404, codeNameInvalid},
		"four segments":       {"/v2/t-1/a/b/c/manifests/1.0.0", image, 404, codeNameInvalid},
		"namespace shared":    {"/v2/shared/a/b/manifests/1.0.0", image, 404, codeNameInvalid},
		"upper case":          {"/v2/Acme/x/manifests/1.0.0", image, 404, codeNameInvalid},
		"a path through":      {"/v2/acme/%2e%2e/manifests/1.0.0", image, 404, codeNameInvalid},
		"a very long path":    {"/v2/" + strings.Repeat("a", MaxPathBytes) + "/x/manifests/1.0.0", image, 404, codeNameUnknown},
		"what does not exist": {"/v2/acme/x/nothing/1", image, 404, codeNameUnknown},
	} {
		if status, code, _ := w.do(t, "host", "PUT", c.path, []byte(c.body)); status != c.status || code != c.code {
			t.Errorf("%s: %d %s, want %d %s", name, status, code, c.status, c.code)
		}
	}
	for _, path := range []string{"/v2/acme/x/manifests/1.0.0", "/v2/acme/x/blobs/sha256:" + strings.Repeat("0", 64)} {
		if status, code, _ := w.do(t, "host", "DELETE", path, nil); status != http.StatusMethodNotAllowed || code != codeUnsupported {
			t.Errorf("DELETE %s: %d %s", path, status, code)
		}
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func TestTagsArePaginated(t *testing.T) {
	w := start(t, nil)
	for _, v := range []string{"1.0.0", "1.2.0", "1.10.0", "2.0.0", "2.0.0-rc.1"} {
		if _, err := w.layout.Push(context.Background(), registrytest.Module(t, "acme/x:"+v, "")); err != nil {
			t.Fatal(err)
		}
	}
	repository := w.repository(t, "acme/x", "one")
	repository.TagListPageSize = 2
	var pages [][]string
	if err := repository.Tags(context.Background(), "", func(tags []string) error { pages = append(pages, tags); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"1.0.0", "1.10.0"}, {"1.2.0", "2.0.0"}, {"2.0.0-rc.1"}}, pages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, body, h := w.do(t, "one", "GET", "/v2/acme/x/tags/list?n=0", nil); body != `{"name":"acme/x","tags":[]}` || h.Get("Link") != "" {
		t.Errorf("none: %s %v", body, h)
	}
	if status, _, _ := w.do(t, "one", "GET", "/v2/acme/x/tags/list?n=x", nil); status != http.StatusBadRequest {
		t.Errorf("no number: %d", status)
	}
	if status, code, _ := w.do(t, "one", "GET", "/v2/acme/none/tags/list", nil); status != http.StatusNotFound || code != codeNameUnknown {
		t.Errorf("unknown: %d %s", status, code)
	}
}

func TestIndexRepository(t *testing.T) {
	ctx := context.Background()
	good := layout.Snapshot{Index: []byte("signed"), Roots: [][]byte{[]byte("root")}}
	admit := func(c *Config) {
		c.AdmitIndex = func(_ context.Context, s layout.Snapshot) error {
			if string(s.Index) != "signed" {
				return fmt.Errorf("rolled back: %w", registry.ErrUntrusted)
			}
			return nil
		}
	}
	w := start(t, admit)
	dir := t.TempDir()
	from, err := layout.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	push := func(w *world, s layout.Snapshot, password string) error {
		t.Helper()
		if err := from.PutSnapshot(ctx, s); err != nil {
			t.Fatal(err)
		}
		store, err := oci.New(dir)
		if err != nil {
			t.Fatal(err)
		}
		_, err = oras.Copy(ctx, store, "index:latest", w.repository(t, IndexRepository, password), IndexTag, oras.DefaultCopyOptions)
		return err
	}
	if err := push(w, good, "host"); err != nil {
		t.Fatal(err)
	}
	if got, _, err := w.layout.Snapshot(ctx); err != nil || string(got.Index) != "signed" {
		t.Errorf("it holds %q, %v", got.Index, err)
	}
	if err := push(w, layout.Snapshot{Index: []byte("old")}, "host"); !isCode(err, codeDenied) {
		t.Errorf("what is not admitted: %v", err)
	}
	if err := push(w, good, "one"); err == nil {
		t.Error("an organization has replaced the index")
	}
	if err := push(start(t, nil), good, "host"); !isCode(err, codeUnsupported) {
		t.Errorf("where none is taken: %v", err)
	}
	if desc, err := w.repository(t, IndexRepository, "one").Resolve(ctx, IndexTag); err != nil || desc.Size == 0 {
		t.Errorf("an organization reads %v, %v", desc, err)
	}
	if _, body, _ := w.do(t, "one", "GET", "/v2/index/tags/list", nil); body != `{"name":"index","tags":["latest"]}` {
		t.Errorf("tags: %s", body)
	}
}

func TestNewWantsItsParts(t *testing.T) {
	if _, err := New(Config{}); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("nothing: %v", err)
	}
}
