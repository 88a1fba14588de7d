package layout

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"oras.land/oras-go/v2/content/oci"
)

func pack(t testing.TB, a registry.Artifact) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Pack(a, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExportAndImport(t *testing.T) {
	a := artifact(t, "1.0.0", "note")
	l := open(t, t.TempDir())
	d := push(t, l, a)
	var file bytes.Buffer
	if err := l.Export(context.Background(), d, &file); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file.Bytes(), pack(t, a)) {
		t.Error("the exported file differs from the packed one")
	}
	got, err := Import(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, got); diff != "" {
		t.Errorf("imported differs (-exported +imported):\n%s", diff)
	}
	if again := push(t, open(t, t.TempDir()), got); again != d {
		t.Errorf("imported has digest %s, exported %s", again, d)
	}
	if err := l.Export(context.Background(), registry.Digest("sha256:"+strings.Repeat("0", 64)), io.Discard); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("export of an unknown digest: %v", err)
	}
}

// An independent reader understands the file.
func TestOrasReadsTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "m.tar")
	a := artifact(t, "1.0.0", "note")
	if err := os.WriteFile(name, pack(t, a), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := oci.NewFromTar(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := store.Resolve(context.Background(), "vedette/sample:1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if d.ArtifactType != TypeModule && d.MediaType != ocispec.MediaTypeImageManifest {
		t.Errorf("it reads %+v", d)
	}
}

// parts returns the files of an archive.
func parts(t testing.TB, data []byte) map[string][]byte {
	t.Helper()
	files, err := unpack(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// retar writes files with any name and size.
func retar(t testing.TB, files map[string][]byte, change func(*tar.Header)) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(files[name])), Mode: 0o644}
		if change != nil {
			change(h)
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(files[name]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImportTakesWhatToolsWrite(t *testing.T) {
	data := pack(t, artifact(t, "1.0.0", "note"))
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, dir := range []string{"./", "./blobs/", "./blobs/sha256/"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range parts(t, data) {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "./" + name, Size: int64(len(content)), Mode: 0o600, Uname: "me"}); err != nil {
			t.Fatal(err)
		}
		w.Write(content) // Close says so
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(&b); err != nil {
		t.Error(err)
	}
}

func TestImportRefuses(t *testing.T) {
	good := parts(t, pack(t, artifact(t, "1.0.0", "note")))
	blobs := slices.DeleteFunc(slices.Sorted(maps.Keys(good)), func(n string) bool { return !strings.HasPrefix(n, "blobs/") })
	with := func(name string, content []byte) map[string][]byte {
		m := maps.Clone(good)
		m[name] = content
		return m
	}
	without := func(name string) map[string][]byte {
		m := maps.Clone(good)
		delete(m, name)
		return m
	}
	many := maps.Clone(good)
	for i := range MaxArchiveFiles {
		many[fmt.Sprintf("blobs/sha256/%064x", i)] = nil
	}
	twoModules := strings.Replace(string(good["index.json"]), `"manifests":[`, `"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:00","size":1},`, 1)
	for name, data := range map[string][]byte{
		"nothing":             nil,
		"no tar":              []byte(strings.Repeat("x", 1024)),
		"no mark":             retar(t, without("oci-layout"), nil),
		"another version":     retar(t, with("oci-layout", []byte(`{"imageLayoutVersion":"2.0.0"}`)), nil),
		"no index":            retar(t, without("index.json"), nil),
		"broken index":        retar(t, with("index.json", []byte(`{`)), nil),
		"empty index":         retar(t, with("index.json", []byte(`{"schemaVersion":2,"manifests":[]}`)), nil),
		"two modules":         retar(t, with("index.json", []byte(twoModules)), nil),
		"a blob is missing":   retar(t, without(blobs[0]), nil),
		"a changed blob":      retar(t, with(blobs[0], append(bytes.Clone(good[blobs[0]]), 'x')), nil),
		"another file":        retar(t, with("README.md", []byte("hello")), nil),
		"a path out of it":    retar(t, with("../../etc/passwd", []byte("x")), nil),
		"an absolute path":    retar(t, with("/blobs/sha256/"+strings.Repeat("0", 64), []byte("x")), nil),
		"a path through blob": retar(t, with("blobs/sha256/../../x", []byte("x")), nil),
		"too many files":      retar(t, many, nil),
		"a link": retar(t, with("blobs/sha256/"+strings.Repeat("0", 64), nil), func(h *tar.Header) {
			if strings.HasSuffix(h.Name, "0000") {
				h.Typeflag, h.Linkname = tar.TypeSymlink, "/etc/passwd"
			}
		}),
		"cut off": pack(t, artifact(t, "1.0.0", "note"))[:2000],
		"twice": func() []byte {
			first := retar(t, good, nil)
			return append(first[:len(first)-1024], retar(t, map[string][]byte{"oci-layout": good["oci-layout"]}, nil)...)
		}(),
	} {
		if _, err := Import(bytes.NewReader(data)); !errors.Is(err, registry.ErrInvalid) && !errors.Is(err, registry.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What claims to be large is not read into memory, and not even to its end.
func TestImportIsBounded(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "blobs/sha256/" + strings.Repeat("a", 64), Size: MaxArchiveBytes + 1}); err != nil {
		t.Fatal(err)
	}
	head := bytes.NewReader(bytes.Clone(b.Bytes()))
	if _, err := Import(head); !errors.Is(err, registry.ErrInvalid) || !strings.Contains(err.Error(), "content") {
		t.Errorf("a blob that claims %d bytes: %v", MaxArchiveBytes+1, err)
	}
	endless := &counter{}
	if _, err := Import(io.MultiReader(bytes.NewReader(retar(t, map[string][]byte{"oci-layout": []byte("{}")}, nil)[:1024]), dirs(endless))); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("an endless archive: %v", err)
	}
	if endless.n > MaxArchiveBytes+64<<10 {
		t.Errorf("%d bytes of an endless archive were read, the limit is %d", endless.n, MaxArchiveBytes)
	}
}

// counter counts what is read through it.
type counter struct{ n int64 }

// dirs is a tar that holds the folder blobs/ without end.
func dirs(c *counter) io.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "blobs/", Mode: 0o755}) // 512 bytes in memory
	block := b.Bytes()[:512]
	return readerFunc(func(p []byte) (int, error) {
		n := 0
		for n < len(p) {
			at := int(c.n % 512)
			m := copy(p[n:], block[at:])
			n += m
			c.n += int64(m)
		}
		return n, nil
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func FuzzImport(f *testing.F) {
	data := pack(f, artifact(f, "1.0.0", "note"))
	f.Add(data)
	f.Add(data[:1500])
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Import(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, registry.ErrInvalid) && !errors.Is(err, registry.ErrCorrupt) {
				t.Errorf("unknown kind of error: %v", err)
			}
			return
		}
		if again := pack(t, a); len(again) == 0 {
			t.Error("imported but cannot be packed")
		}
	})
}

// A file brings what refers to its module, and AddPackage keeps the digest that the signatures are over.
func TestImportPackage(t *testing.T) {
	ctx := context.Background()
	l := open(t, t.TempDir())
	d := push(t, l, artifact(t, "1.0.0", "note"))
	attach(t, l, d, TypeSignature, "signature")
	attach(t, l, d, TypeSBOM, "sbom")
	other := push(t, l, artifact(t, "2.0.0", "note"))
	foreign := attach(t, l, other, TypeSignature, "other")
	var b bytes.Buffer
	if err := l.Archive(ctx, &b, []registry.Digest{d}, nil); err != nil {
		t.Fatal(err)
	}
	p, err := ImportPackage(bytes.NewReader(b.Bytes()))
	if err != nil || p.Digest != d || len(p.Envelopes()) != 2 {
		t.Fatalf("got %s with %d documents, %v", p.Digest, len(p.Envelopes()), err)
	}
	if a, err := Import(bytes.NewReader(b.Bytes())); err != nil || a.Manifest.Reference() != "vedette/sample:1.0.0" {
		t.Errorf("without them: %v", err)
	}
	into := open(t, t.TempDir())
	for range 2 {
		if got, err := into.In(3).AddPackage(ctx, p); err != nil || got != d {
			t.Fatalf("added %s, %v", got, err)
		}
	}
	if got := texts(t, into.In(3), d, ""); !slices.Equal(got, []string{"sbom", "signature"}) {
		t.Errorf("it holds %q", got)
	}
	if list, err := into.List(ctx); err != nil || len(list) != 0 {
		t.Errorf("all see it: %v, %v", list, err)
	}
	// A document about something else has no place in the file.
	files := parts(t, b.Bytes())
	image, err := l.Image(ctx, foreign)
	if err != nil {
		t.Fatal(err)
	}
	index, err := decodeIndex(files["index.json"])
	if err != nil {
		t.Fatal(err)
	}
	top := newBlob(ocispec.MediaTypeImageManifest, image)
	index.Manifests = append(index.Manifests, top.desc)
	if files["index.json"], err = json.Marshal(index); err != nil {
		t.Fatal(err)
	}
	for _, x := range []blob{top, newBlob("", []byte("{}")), newBlob("", []byte("other"))} {
		files[blobPath(x.desc.Digest)] = x.data
	}
	if _, err := ImportPackage(bytes.NewReader(retar(t, files, nil))); !errors.Is(err, registry.ErrInvalid) || !strings.Contains(err.Error(), "is about") {
		t.Errorf("about something else: %v", err)
	}
	if err := l.Archive(ctx, io.Discard, []registry.Digest{foreign}, nil); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a referrer as a module: %v", err)
	}
}
