package registry_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	gcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/bundle"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"github.com/vedette-siem/vedette/registry/remote"
	"github.com/vedette-siem/vedette/registry/server"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// The attacks H28 and H29 of the conformance plan: what a package says about itself is a lie, or what vouches for it is.
// Each is tried on every way by which a package comes in.

var now = registrytest.Now

func open(t testing.TB) *layout.Layout {
	t.Helper()
	l, err := layout.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// forged is an artifact as an attacker writes it: every digest is right.
type forged struct {
	image []byte
	blobs map[digest.Digest][]byte
}

func (f *forged) add(mediaType string, data []byte) ocispec.Descriptor {
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	f.blobs[d.Digest] = data
	return d
}

func (f *forged) fetch(_ context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
	data, ok := f.blobs[d.Digest]
	if !ok || d.Size > limit {
		return nil, fmt.Errorf("%s with %d bytes: %w", d.Digest, d.Size, registry.ErrInvalid)
	}
	return data, nil
}

func forge(t testing.TB, config, wasm, vectors []byte, annotations map[string]string) *forged {
	t.Helper()
	f := &forged{blobs: map[digest.Digest][]byte{}}
	image := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: layout.TypeModule, Annotations: annotations}
	image.SchemaVersion = 2
	image.Config = f.add(layout.TypeManifest, config)
	image.Layers = append(image.Layers, f.add(layout.TypeWasm, wasm))
	if vectors != nil {
		image.Layers = append(image.Layers, f.add(layout.TypeVectors, vectors))
	}
	var err error
	if f.image, err = json.Marshal(image); err != nil {
		t.Fatal(err)
	}
	f.add(ocispec.MediaTypeImageManifest, f.image)
	return f
}

// ways are all by which an artifact comes in. Each returns what refused it.
func (f *forged) ways(t testing.TB, ref registry.Ref) map[string]error {
	t.Helper()
	ctx := context.Background()
	into := open(t)
	_, added := into.Add(ctx, f.image, f.fetch)
	b, bundled := bundle.Open(ctx, bytes.NewReader(f.tar(t, ref)), t.TempDir())
	if bundled == nil {
		defer b.Close()
		_, bundled = b.Import(ctx, bundle.Site{Into: into, Policy: policy.LocalOnly(), Now: now})
	}
	_, file := layout.ImportPackage(bytes.NewReader(f.tar(t, ref)))
	return map[string]error{"added": added, "in a bundle": bundled, "in a file": file, "pulled": f.pulled(t, ref, into), "pushed to our registry": f.pushed(t, ref)}
}

func (f *forged) tar(t testing.TB, ref registry.Ref) []byte {
	t.Helper()
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageIndex, "manifests": []ocispec.Descriptor{{
		MediaType: ocispec.MediaTypeImageManifest, ArtifactType: layout.TypeModule, Digest: digest.FromBytes(f.image), Size: int64(len(f.image)),
		Annotations: map[string]string{ocispec.AnnotationRefName: ref.String()},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	content := map[string][]byte{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`), "index.json": index}
	for d, data := range f.blobs {
		content["blobs/sha256/"+d.Encoded()] = data
	}
	return archive(t, content)
}

func archive(t testing.TB, content map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(content)) {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content[name])), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// send puts the artifact into a registry and returns the status of the last request.
func (f *forged) send(t testing.TB, url string, ref registry.Ref) int {
	t.Helper()
	put := func(method, to string, body []byte) int {
		r, err := http.NewRequest(method, to, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", ocispec.MediaTypeImageManifest)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	}
	at := url + "/v2/" + ref.Module()
	for d, data := range f.blobs {
		if status := put("POST", at+"/blobs/uploads/?digest="+string(d), data); status != http.StatusCreated {
			t.Fatalf("upload: %d", status)
		}
	}
	return put("PUT", at+"/manifests/"+ref.Version, f.image)
}

func (f *forged) pulled(t testing.TB, ref registry.Ref, into *layout.Layout) error {
	t.Helper()
	s := httptest.NewServer(gcr.New(gcr.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	if status := f.send(t, s.URL, ref); status != http.StatusCreated {
		t.Fatalf("a registry that takes everything: %d", status)
	}
	r, err := remote.Open(remote.Config{Host: strings.TrimPrefix(s.URL, "http://"), PlainHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = r.Pull(context.Background(), r.Reference(ref), into, func(context.Context, *registry.Artifact, registry.Digest, [][]byte) error { return nil })
	return err
}

func (f *forged) pushed(t testing.TB, ref registry.Ref) error {
	t.Helper()
	all := func(registry.Namespace) bool { return true }
	l := open(t)
	h, err := server.New(server.Config{
		Layout: l, Dir: t.TempDir(), Now: func() time.Time { return now }, Random: rand.Reader,
		Authorize: func(*http.Request) (server.Access, error) { return server.Access{Reads: all, Writes: all}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	defer s.Close()
	status := f.send(t, s.URL, ref)
	if list, err := l.List(context.Background()); err != nil || (len(list) == 1) != (status == http.StatusCreated) {
		t.Errorf("status %d, and it holds %v, %v", status, list, err)
	}
	if status == http.StatusBadRequest {
		return registry.ErrInvalid
	}
	if status != http.StatusCreated {
		return fmt.Errorf("status %d", status)
	}
	return nil
}

// module is a parser's canonical manifest, after a change, and a Wasm file with it inside.
func module(t testing.TB, change func(m *manifest.Manifest)) (config, wasm []byte, ref registry.Ref) {
	t.Helper()
	a := registrytest.Module(t, "acme/x:1.0.0", "")
	m := a.Manifest
	m.Vectors = nil
	if change != nil {
		change(&m)
	}
	config, err := m.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	if wasm, err = manifest.Embed(registrytest.Guest(10), config); err != nil {
		t.Fatal(err)
	}
	return config, wasm, registry.RefOf(&m)
}

func lookup(m *manifest.Manifest) {
	m.Capabilities = []manifest.Capability{{ID: "vedette_lookup_v1", Reason: "names", Targets: []manifest.Target{{Name: "hosts"}}}}
}

// importing adds an import of a function to a Wasm file.
func importing(wasm []byte, from, name string) []byte {
	types := []byte{1, 4, 1, 0x60, 0, 0} // one type: no parameters, no results
	content := []byte{1}
	content = append(append(binary.AppendUvarint(content, uint64(len(from))), from...), byte(len(name)))
	content = append(append(content, name...), 0, 0)
	section := append(binary.AppendUvarint([]byte{2}, uint64(len(content))), content...)
	return slices.Concat(wasm[:8], types, section, wasm[8:])
}

func TestH28SoundModuleComesInEveryWay(t *testing.T) {
	config, wasm, ref := module(t, nil)
	for way, err := range forge(t, config, wasm, nil, nil).ways(t, ref) {
		if err != nil {
			t.Errorf("%s: %v", way, err)
		}
	}
}

func TestH28ManifestLies(t *testing.T) {
	config, wasm, ref := module(t, nil)
	other, _, _ := module(t, func(m *manifest.Manifest) { m.Title = "Harmless" })
	withLookup, _, _ := module(t, lookup)
	vectors, withVectors, _ := module(t, func(m *manifest.Manifest) { m.Vectors = []string{"*/*.txtar"} })
	slip := func(name string, flag byte) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := w.WriteHeader(&tar.Header{Typeflag: flag, Name: name, Linkname: map[bool]string{true: "/etc/passwd"}[flag != tar.TypeReg]}); err != nil {
			t.Fatal(err)
		}
		w.Close()
		return b.Bytes()
	}
	for name, f := range map[string]*forged{
		"the section is not the config":             forge(t, other, wasm, nil, nil),
		"a capability that only the config has":     forge(t, withLookup, wasm, nil, nil),
		"a capability that only the code has":       forge(t, config, importing(wasm, "vedette_http_v1", "fetch"), nil, nil),
		"two sections":                              forge(t, config, append(bytes.Clone(wasm), wasm[8:]...), nil, nil),
		"no section":                                forge(t, config, registrytest.Guest(10), nil, nil),
		"spelled in another way":                    forge(t, append([]byte(" "), config...), wasm, nil, nil),
		"zip slip in the vectors":                   forge(t, vectors, withVectors, slip("../../etc/cron.d/x.txtar", tar.TypeReg), nil),
		"an absolute path in the vectors":           forge(t, vectors, withVectors, slip("/etc/x.txtar", tar.TypeReg), nil),
		"a symbolic link in the vectors":            forge(t, vectors, withVectors, slip("testdata/x.txtar", tar.TypeSymlink), nil),
		"a hard link in the vectors":                forge(t, vectors, withVectors, slip("testdata/x.txtar", tar.TypeLink), nil),
		"vectors that the manifest does not know":   forge(t, config, wasm, slip("testdata/x.txtar", tar.TypeReg), nil),
		"a Wasm file that ends in the middle of it": forge(t, config, wasm[:len(wasm)-3], nil, nil),
	} {
		for way, err := range f.ways(t, ref) {
			if !errors.Is(err, registry.ErrInvalid) {
				t.Errorf("%s, %s: %v", name, way, err)
			}
		}
	}
}

// Annotations can say anything, so nothing believes them: what a policy sees is what the manifest says.
func TestH28AnnotationsLie(t *testing.T) {
	ctx := context.Background()
	config, wasm, _ := module(t, lookup)
	f := forge(t, config, wasm, nil, map[string]string{layout.AnnotationCapabilities: "", layout.AnnotationPublisher: "vedette", layout.AnnotationKind: "rule"})
	l := open(t)
	added, err := l.Add(ctx, f.image, f.fetch)
	if err != nil {
		t.Fatal(err)
	}
	p := parsePolicy(t, "", "  - {name: all, modules: [\"acme/*\"], level: unsigned-allowed}\n")
	j, err := policy.Judge(ctx, l, added.Digest, registry.Shared, p, nil, now)
	if err != nil || j.Verdict.Allow || j.Facts.Ref.Publisher != "acme" || j.Facts.Kind != manifest.Parser || !has(j.Verdict, policy.CodeCapability) {
		t.Errorf("%+v, %v", j.Verdict, err)
	}
	if list, err := l.List(ctx); err != nil || len(list) != 1 || list[0].Kind != manifest.Parser {
		t.Errorf("it is listed as %v, %v", list, err)
	}
}

// A settings schema reaches nothing outside, and no pattern of it takes long.
func TestH28SettingsSchema(t *testing.T) {
	build := func(schema string) (registry.Artifact, error) {
		return manifest.ReadFolder("x", fstest.MapFS{"module.yaml": {Data: []byte("publisher: acme\nname: x\nversion: 1.0.0\nkind: parser\ntitle: X\nabi: \"1.0\"\n" +
			"entry: {wasm: true}\nmatch: {generic: true}\nsettings: " + schema + "\n")}}, registrytest.Guest(1))
	}
	for name, schema := range map[string]string{
		"remote reference":          `{type: object, properties: {a: {$ref: "https://attacker.example/schema.json"}}}`,
		"file reference":            `{type: object, properties: {a: {$ref: "file:///etc/passwd"}}}`,
		"another dialect":           `{$schema: "https://attacker.example/dialect", type: object}`,
		"a pattern that looks back": `{type: object, properties: {a: {type: string, pattern: "(a)\\1"}}}`,
	} {
		if _, err := build(schema); !errors.Is(err, manifest.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, err := build(`{type: object, properties: {a: {type: string, pattern: "^(a+)+$"}}}`)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if _, err := a.Manifest.CheckSettings([]byte(`{"a":"` + strings.Repeat("a", 20_000) + `!"}`)); !errors.Is(err, manifest.ErrInvalid) {
		t.Errorf("what does not fit: %v", err)
	}
	if took := time.Since(begin); took > 5*time.Second { // a matcher that tries everything needs longer than there is time
		t.Errorf("it took %s", took)
	}
}
