package layout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
)

func attach(t testing.TB, l *Layout, subject registry.Digest, kind, envelope string) registry.Digest {
	t.Helper()
	d, err := l.Attach(context.Background(), subject, kind, []byte(envelope))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func texts(t testing.TB, l *Layout, subject registry.Digest, kind string) []string {
	t.Helper()
	list, err := l.Referrers(context.Background(), subject, kind)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range list {
		out = append(out, string(r.Envelope))
	}
	slices.Sort(out)
	return out
}

func TestReferrers(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := open(t, dir)
	one, two := push(t, l, artifact(t, "1.0.0", "")), push(t, l, artifact(t, "2.0.0", ""))
	d := attach(t, l, one, TypeSignature, "signature")
	attach(t, l, one, TypeSBOM, "sbom")
	attach(t, l, two, TypeSignature, "other")
	if again := attach(t, l, one, TypeSignature, "signature"); again != d {
		t.Errorf("attached again: %s, want %s", again, d)
	}
	l = open(t, dir)
	if got := texts(t, l, one, ""); !slices.Equal(got, []string{"sbom", "signature"}) {
		t.Errorf("all of one: %q", got)
	}
	if got := texts(t, l, one, TypeSBOM); !slices.Equal(got, []string{"sbom"}) {
		t.Errorf("one kind: %q", got)
	}
	if got := texts(t, l, d, ""); got != nil {
		t.Errorf("of a referrer: %q", got)
	}
	// An organization's countersignature is its own business.
	attach(t, l.In(1), one, TypeSignature, "ours")
	attach(t, l.In(1), one, TypeSignature, "signature")
	if got := texts(t, l.In(1), one, TypeSignature); !slices.Equal(got, []string{"ours", "signature"}) {
		t.Errorf("seen by organization 1: %q", got)
	}
	for _, other := range []*Layout{l, l.In(2)} {
		if got := texts(t, other, one, TypeSignature); !slices.Equal(got, []string{"signature"}) {
			t.Errorf("seen by %s: %q", other.Namespace(), got)
		}
	}
	if _, err := l.Attach(ctx, one, "text/plain", nil); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("of another type: %v", err)
	}
	if _, err := l.Attach(ctx, d, TypeSignature, nil); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("to a referrer: %v", err)
	}
	if _, err := l.Attach(ctx, one, TypeSignature, make([]byte, MaxReferrerBytes+1)); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("one byte over: %v", err)
	}
	if _, err := l.Pull(ctx, d); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a referrer as a module: %v", err)
	}
	if list, err := l.List(ctx); err != nil || len(list) != 2 {
		t.Errorf("modules %v, %v", list, err)
	}
}

func TestReferrersLimitOneOver(t *testing.T) {
	l := open(t, t.TempDir())
	d := push(t, l, artifact(t, "1.0.0", ""))
	for i := range MaxReferrers {
		attach(t, l, d, TypeSignature, fmt.Sprint(i))
	}
	if _, err := l.Attach(context.Background(), d, TypeSignature, []byte("x")); !errors.Is(err, registry.ErrExhausted) {
		t.Errorf("one over: %v", err)
	}
	attach(t, l, d, TypeSignature, "0")
}

// Whatever byte of a referrer is changed on disk, reading says so.
func TestCorruptReferrer(t *testing.T) {
	l := open(t, t.TempDir())
	d := push(t, l, artifact(t, "1.0.0", ""))
	before, _ := filepath.Glob(filepath.Join(l.blobs(), "*"))
	attach(t, l, d, TypeSignature, "signature")
	after, _ := filepath.Glob(filepath.Join(l.blobs(), "*"))
	fresh := slices.DeleteFunc(after, func(f string) bool { return slices.Contains(before, f) })
	if len(fresh) != 3 {
		t.Fatalf("new blobs %v; want manifest, config, envelope", fresh)
	}
	for _, file := range fresh {
		sound, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, damage := range [][]byte{append(bytes.Clone(sound), 'x'), sound[1:], append(bytes.Clone(sound[1:]), 'x')} {
			if err := os.WriteFile(file, damage, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Referrers(context.Background(), d, ""); !errors.Is(err, registry.ErrCorrupt) {
				t.Errorf("%s: %v", filepath.Base(file)[:12], err)
			}
		}
		if err := os.WriteFile(file, sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A note in index.json that names another subject moves no signature: the OCI manifest decides.
func TestIndexCannotMoveReferrers(t *testing.T) {
	l := open(t, t.TempDir())
	one, two := push(t, l, artifact(t, "1.0.0", "")), push(t, l, artifact(t, "2.0.0", ""))
	attach(t, l, one, TypeSignature, "signature")
	index, err := l.readIndex()
	if err != nil {
		t.Fatal(err)
	}
	index.Manifests[2].Annotations[annotSubject] = string(two)
	if err := l.writeIndex(index); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, l, two, ""); got != nil {
		t.Errorf("of the other: %q", got)
	}
	index.Manifests[2].Annotations = nil // as other tools write it
	if err := l.writeIndex(index); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, l, one, ""); len(got) != 1 {
		t.Errorf("without a note: %q", got)
	}
}

// A plain OCI client copies an artifact with its referrers out of the layout, and Add takes both with the same digests.
func TestPlainClientCopiesReferrers(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := open(t, dir)
	d := push(t, l, artifact(t, "1.0.0", ""))
	ref := attach(t, l, d, TypeSignature, "signature")
	from, err := oci.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	to, err := oci.New(other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oras.ExtendedCopy(ctx, from, "vedette/sample:1.0.0", to, "", oras.DefaultExtendedCopyOptions); err != nil {
		t.Fatal(err)
	}
	found, err := to.Predecessors(ctx, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(d)})
	if err != nil || len(found) != 1 || found[0].Digest != digest.Digest(ref) {
		t.Fatalf("the client sees %v, %v", found, err)
	}
	target := open(t, t.TempDir())
	for _, want := range []registry.Digest{d, ref} {
		image, err := l.Image(ctx, want)
		if err != nil {
			t.Fatal(err)
		}
		done, err := target.Add(ctx, image, l.Blob)
		if err != nil || done.Digest != want {
			t.Errorf("added %+v, %v; want %s", done, err, want.Short())
		}
	}
	if got := texts(t, target, d, ""); !slices.Equal(got, []string{"signature"}) {
		t.Errorf("after Add: %q", got)
	}
}

// Another tool's OCI manifest keeps its bytes, and so its digest and its signatures.
func TestAddKeepsForeignBytes(t *testing.T) {
	ctx := context.Background()
	l, from := open(t, t.TempDir()), open(t, t.TempDir())
	d := push(t, from, artifact(t, "1.0.0", ""))
	image, err := from.Image(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	spaced := append([]byte(" "), image...)
	done, err := l.Add(ctx, spaced, from.Blob)
	if err != nil || done.Digest == d || done.Digest != registry.Digest(digest.FromBytes(spaced)) || done.Ref.String() != "vedette/sample:1.0.0" {
		t.Fatalf("added %+v, %v", done, err)
	}
	if back, err := l.Image(ctx, done.Digest); err != nil || !bytes.Equal(back, spaced) {
		t.Errorf("it holds %q, %v", back, err)
	}
	if _, err := l.Pull(ctx, done.Digest); err != nil {
		t.Error(err)
	}
	if _, err := l.Add(ctx, image, from.Blob); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("the same version as other bytes: %v", err)
	}
	lying := func(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
		data, err := from.Blob(ctx, d, limit)
		return append(data, 'x'), err
	}
	if _, err := open(t, t.TempDir()).Add(ctx, image, lying); !errors.Is(err, registry.ErrCorrupt) {
		t.Errorf("blobs that lie: %v", err)
	}
}

func TestAddRefuses(t *testing.T) {
	subject := `"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:` + strings.Repeat("0", 64) + `","size":1}`
	envelope := fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":1}`, TypeEnvelope, digest.FromString("x"))
	config := fmt.Sprintf(`"config":{"mediaType":%q,"digest":%q,"size":2}`, emptyType, digest.FromString("{}"))
	form := func(kind, rest string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"artifactType":%q,%s,%s}`, ocispec.MediaTypeImageManifest, kind, config, rest)
	}
	fetch := func(_ context.Context, d ocispec.Descriptor, _ int64) ([]byte, error) {
		return map[digest.Digest][]byte{digest.FromString("x"): []byte("x"), digest.FromString("{}"): []byte("{}")}[d.Digest], nil
	}
	sound := form(TypeSignature, subject+`,"layers":[`+envelope+`]`)
	if _, err := open(t, t.TempDir()).Add(context.Background(), []byte(sound), fetch); err != nil {
		t.Fatalf("the sound one: %v", err)
	}
	for name, image := range map[string]string{
		"a container image":   strings.Replace(sound, TypeSignature, "application/vnd.oci.image.config.v1+json", 1),
		"nothing":             "",
		"no JSON":             "{",
		"too large":           sound + strings.Repeat(" ", MaxImageManifestBytes),
		"an image index":      strings.Replace(sound, ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, 1),
		"no subject":          form(TypeSignature, `"layers":[`+envelope+`]`),
		"index with subject":  form(TypeSnapshot, subject+`,"layers":[`+envelope+`]`),
		"no envelope":         form(TypeSignature, subject+`,"layers":[]`),
		"two envelopes":       form(TypeSignature, subject+`,"layers":[`+envelope+","+envelope+`]`),
		"no envelope type":    strings.Replace(sound, TypeEnvelope, "text/plain", 1),
		"a bad subject":       strings.Replace(sound, strings.Repeat("0", 64), "../../x", 1),
		"module with subject": form(TypeModule, subject+`,"layers":[]`),
		"too many roots":      form(TypeSnapshot, `"layers":[`+strings.Repeat(envelope+",", MaxRoots+1)+envelope+`]`),
	} {
		if _, err := open(t, t.TempDir()).Add(context.Background(), []byte(image), fetch); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSnapshot(t *testing.T) {
	ctx := context.Background()
	l := open(t, t.TempDir())
	if _, _, err := l.Snapshot(ctx); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("before the first: %v", err)
	}
	for _, version := range []string{"one", "two"} {
		if err := l.PutSnapshot(ctx, Snapshot{Index: []byte(version), Roots: [][]byte{[]byte("root 1"), []byte("root 2")}}); err != nil {
			t.Fatal(err)
		}
	}
	s, d, err := l.In(3).Snapshot(ctx)
	if err != nil || string(s.Index) != "two" || len(s.Roots) != 2 || string(s.Roots[0]) != "root 1" {
		t.Errorf("got %q, %v", s, err)
	}
	if err := l.In(3).PutSnapshot(ctx, s); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("an organization's: %v", err)
	}
	other := open(t, t.TempDir())
	image, err := l.Image(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Add(ctx, image, l.Blob); err != nil {
		t.Fatal(err)
	}
	if got, same, err := other.Snapshot(ctx); err != nil || same != d || string(got.Index) != "two" {
		t.Errorf("copied: %q, %v", got, err)
	}
}

// FuzzReferrer reads OCI manifests that an attacker wrote.
func FuzzReferrer(f *testing.F) {
	blobs, err := encodeSigned(TypeSignature, &ocispec.Descriptor{Digest: digest.FromString("x")}, []byte("envelope"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(blobs[len(blobs)-1].data)
	f.Fuzz(func(t *testing.T, image []byte) {
		_, err := readSigned(context.Background(), image, func(context.Context, ocispec.Descriptor, int64) ([]byte, error) { return nil, nil })
		if err != nil && !errors.Is(err, registry.ErrInvalid) {
			t.Fatalf("%v is of no known kind", err)
		}
		_, err = Blobs(image)
		if err != nil && !errors.Is(err, registry.ErrInvalid) {
			t.Fatalf("%v is of no known kind", err)
		}
	})
}

// A package is the same whether it was made here, read from a layout or read from a file.
func TestPackage(t *testing.T) {
	from, to := open(t, t.TempDir()), open(t, t.TempDir())
	a := registrytest.Module(t, "acme/oven:1.0.0", "")
	bare := Bare(a)
	d, err := from.AddPackage(t.Context(), bare)
	if err != nil || d != bare.Digest {
		t.Fatalf("AddPackage = %s, %v; want %s", d, err, bare.Digest)
	}
	if pushed, err := to.Push(t.Context(), a); err != nil || pushed != d {
		t.Fatalf("Push = %s, %v; want %s", pushed, err, d)
	}
	release := registrytest.Release(t, a, d, registrytest.Key(t, "a"))
	if _, err := from.Attach(t.Context(), d, TypeSignature, release); err != nil {
		t.Fatal(err)
	}
	p, err := from.Package(t.Context(), d)
	if err != nil || len(p.Envelopes()) != 1 {
		t.Fatalf("Package: %d documents, %v", len(p.Envelopes()), err)
	}
	if got, err := to.AddPackage(t.Context(), p); err != nil || got != d {
		t.Fatalf("AddPackage = %s, %v", got, err)
	}
	if list, err := to.Referrers(t.Context(), d, TypeSignature); err != nil || len(list) != 1 || string(list[0].Envelope) != string(release) {
		t.Errorf("referrers %v, %v", list, err)
	}
	if done, err := from.Drop(t.Context(), nil); err != nil || done.Versions != 0 {
		t.Errorf("drop nothing: %+v, %v", done, err)
	}
	if done, err := from.Drop(t.Context(), []registry.Digest{d}); err != nil || done.Versions != 1 || done.Blobs == 0 {
		t.Errorf("drop: %+v, %v", done, err)
	}
	if list, _ := from.Referrers(t.Context(), d, ""); len(list) > 0 {
		t.Errorf("what refers to it is still there: %v", list)
	}
	broken := a
	broken.Manifest.Title = "Another"
	if p := Bare(broken); p.Digest != "" {
		t.Errorf("a broken artifact has the digest %s", p.Digest)
	}
	if _, err := to.AddPackage(t.Context(), Bare(broken)); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("a broken artifact: %v", err)
	}
	if _, err := to.Package(t.Context(), registry.Digest("sha256:"+strings.Repeat("0", 64))); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("what is not there: %v", err)
	}
}
