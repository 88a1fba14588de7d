package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/errdef"
	orasremote "oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"github.com/vedette-siem/vedette/registry/remote"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// ociRepository opens a repository of the host as oras does.
func (w *world) ociRepository(t *testing.T, name, user, pass string) *orasremote.Repository {
	t.Helper()
	host := strings.TrimPrefix(w.url, "http://")
	r, err := orasremote.NewRepository(host + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	r.PlainHTTP = true
	r.Client = &auth.Client{Client: http.DefaultClient, Credential: auth.StaticCredential(host, auth.Credential{Username: user, Password: pass})}
	return r
}

func status(err error) int {
	var e *errcode.ErrorResponse
	if errors.As(err, &e) {
		return e.StatusCode
	}
	return 0
}

// TestOCI is the way of a module by a client that knows nothing of Vedette: pushed with its signature, found, pulled, and
// then installed by its name. Another organization sees nothing of it.
func TestOCI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	a := registrytest.Module(t, "acme/oven:1.0.0", "of alpha")
	dir := filepath.Join(t.TempDir(), "author")
	author, err := layout.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	d, err := author.Push(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := author.Attach(ctx, d, layout.TypeSignature, registrytest.Release(t, a, d, registrytest.Key(t, "a"))); err != nil {
		t.Fatal(err)
	}
	local, err := oci.New(dir)
	if err != nil {
		t.Fatal(err)
	}

	name := registry.Namespace(w.alpha).String() + "/acme/oven"
	to := w.ociRepository(t, name, "ann", password)
	if _, err := oras.ExtendedCopy(ctx, local, string(d), to, "1.0.0", oras.DefaultExtendedCopyOptions); err != nil {
		t.Fatalf("push: %v", err)
	}
	var tags []string
	if err := to.Tags(ctx, "", func(page []string) error { tags = append(tags, page...); return nil }); err != nil || !slices.Equal(tags, []string{"1.0.0"}) {
		t.Errorf("tags %q, %v", tags, err)
	}
	image, err := to.Resolve(ctx, "1.0.0")
	if err != nil || string(image.Digest) != string(d) {
		t.Fatalf("resolve: %v, %v", image.Digest, err)
	}
	var found []string
	if err := to.Referrers(ctx, image, "", func(list []ocispec.Descriptor) error {
		for _, x := range list {
			found = append(found, x.ArtifactType)
		}
		return nil
	}); err != nil || !slices.Equal(found, []string{layout.TypeSignature}) {
		t.Errorf("referrers %q, %v", found, err)
	}
	again, err := oci.New(filepath.Join(t.TempDir(), "again"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oras.Copy(ctx, to, "1.0.0", again, "1.0.0", oras.DefaultCopyOptions); err != nil {
		t.Errorf("pull: %v", err)
	}

	// Pushing is not installing.
	list := must[v1.ListModulesResponse](t)(w.ann.modules.ListModules(ctx, req(&v1.ListModulesRequest{})))
	if slices.ContainsFunc(list.Modules, func(m *v1.Module) bool { return m.Name == "acme/oven" }) {
		t.Error("what was pushed runs")
	}
	packages := must[v1.ListPackagesResponse](t)(w.ann.registry.ListPackages(ctx, req(&v1.ListPackagesRequest{Tenant: w.alpha, Module: "acme/oven"})))
	if len(packages.Packages) != 1 || packages.Packages[0].Running || packages.Packages[0].Digest != string(d) {
		t.Errorf("packages: %v", packages.Packages)
	}

	w.testOCIPublish(ctx, t, d, author)
	w.testOCIApart(ctx, t, name, d)
	w.testInstallByReference(ctx, t)
	// Many requests with a password are one session: ann's own would have ended otherwise.
	if _, err := w.ann.auth.WhoAmI(ctx, req(&v1.WhoAmIRequest{})); err != nil {
		t.Errorf("ann's session: %v", err)
	}
}

// testOCIPublish is the way of vedette module publish --to, which has an index to send as well.
func (w *world) testOCIPublish(ctx context.Context, t *testing.T, d registry.Digest, author *layout.Layout) {
	t.Helper()
	host := strings.TrimPrefix(w.url, "http://")
	if err := author.PutSnapshot(ctx, layout.Snapshot{Index: []byte("{}"), Roots: [][]byte{[]byte("{}")}}); err != nil {
		t.Fatal(err)
	}
	own, err := remote.Open(remote.Config{Host: host, Prefix: registry.Namespace(w.alpha).String(), PlainHTTP: true, Username: "ann", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	if err := own.Push(ctx, author, d); err != nil {
		t.Errorf("push to one's own namespace: %v", err)
	}
	if err := own.PushIndex(ctx, author); !errors.Is(err, registry.ErrUnsupported) {
		t.Errorf("an index of one's own namespace: %v", err)
	}
}

// testOCIApart pushes and pulls as those who must not.
func (w *world) testOCIApart(ctx context.Context, t *testing.T, name string, d registry.Digest) {
	for _, c := range []struct {
		what, repository, user, pass string
		want                         int
	}{
		{"another organization's repository", name, "ben", password, http.StatusNotFound},
		{"its version in one's own namespace", registry.Namespace(w.beta).String() + "/acme/oven", "ben", password, http.StatusNotFound},
		{"a wrong password", name, "ann", "wrong password", http.StatusUnauthorized},
	} {
		_, err := w.ociRepository(t, c.repository, c.user, c.pass).Resolve(ctx, string(d))
		got := status(err)
		if errors.Is(err, errdef.ErrNotFound) {
			got = http.StatusNotFound
		}
		if got != c.want {
			t.Errorf("%s: %d, %v", c.what, got, err)
		}
	}
	// The same name with other content is beta's to give: that alpha has one shows nowhere.
	from, own := shelved(t, layout.Bare(registrytest.Module(t, "acme/oven:1.0.0", "of beta")))
	to := w.ociRepository(t, registry.Namespace(w.beta).String()+"/acme/oven", "ben", w.ben.token)
	copyTo(ctx, t, from, own, to, nil)
	copyTo(ctx, t, from, own, w.ociRepository(t, name, "ben", password), []int{http.StatusForbidden, http.StatusNotFound})
	copyTo(ctx, t, from, own, w.ociRepository(t, "acme/oven", "ben", password), []int{http.StatusForbidden}) // what all share
	copyTo(ctx, t, from, own, w.ociRepository(t, registry.Namespace(w.alpha).String()+"/acme/oven", "carl", password), []int{http.StatusForbidden})

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/v2/_catalog", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.AddCookie(&http.Cookie{Name: "vedette_session", Value: w.ann.token})
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("with a browser's cookie: %s", resp.Status)
	}
	request.Header.Del("Cookie")
	request.SetBasicAuth("ben", password)
	if resp, err = http.DefaultClient.Do(request); err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var catalog struct{ Repositories []string }
	if err := json.NewDecoder(resp.Body).Decode(&catalog); err != nil || !slices.Contains(catalog.Repositories, registry.Namespace(w.beta).String()+"/acme/oven") ||
		slices.ContainsFunc(catalog.Repositories, func(r string) bool { return strings.HasPrefix(r, registry.Namespace(w.alpha).String()+"/") }) {
		t.Errorf("beta's catalog: %q, %v", catalog.Repositories, err)
	}
}

// shelved puts a package into a folder of its own.
func shelved(t *testing.T, p layout.Package) (dir string, d registry.Digest) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "shelf")
	l, err := layout.Open(dir)
	if err == nil {
		d, err = l.AddPackage(t.Context(), p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, d
}

// copyTo pushes as oras does; refused are the answers of which one must come, none when it must succeed.
func copyTo(ctx context.Context, t *testing.T, dir string, d registry.Digest, to *orasremote.Repository, refused []int) {
	t.Helper()
	store, err := oci.New(dir)
	if err == nil {
		_, err = oras.Copy(ctx, store, string(d), to, "1.0.0", oras.DefaultCopyOptions)
	}
	if refused == nil && err != nil || refused != nil && !slices.Contains(refused, status(err)) {
		t.Errorf("push to %s: %v, want one of %v", to.Reference.Repository, err, refused)
	}
}

// testInstallByReference installs what stands in the registry, and as the one who must not.
func (w *world) testInstallByReference(ctx context.Context, t *testing.T) {
	pkg, err := layout.ImportPackage(bytes.NewReader(errorRule(t, "1.0.1")))
	if err != nil {
		t.Fatal(err)
	}
	dir, d := shelved(t, pkg)
	ref := registry.RefOf(&pkg.Artifact.Manifest)
	store, err := oci.New(dir)
	if err == nil {
		_, err = oras.Copy(ctx, store, string(d), w.ociRepository(t, registry.Namespace(w.alpha).String()+"/"+ref.Module(), "ann", w.ann.token), ref.Version, oras.DefaultCopyOptions)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ref.String(), string(d)} {
		_, err := w.ben.modules.InstallModule(ctx, req(&v1.InstallModuleRequest{Tenant: w.beta, Reference: name}))
		if connect.CodeOf(err) != connect.CodeNotFound {
			t.Errorf("beta installs alpha's %s: %v", name, err)
		}
		r, err := w.ann.modules.InstallModule(ctx, req(&v1.InstallModuleRequest{Tenant: w.alpha, Reference: name}))
		if err != nil || r.Msg.Module.Version != "1.0.1" || r.Msg.Module.Digest != string(d) || !r.Msg.Trust.Allowed {
			t.Errorf("install %s: %v, %v", name, r, err)
		}
	}
}
