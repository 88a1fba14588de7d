package layout

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/content/oci"
)

// guest is a Wasm file that exports what a parser must and holds padding bytes in a custom section.
func guest(padding int) []byte {
	exports := []string{"memory", abi.ExportMarker, abi.ExportBuffers, abi.ExportInit, abi.ExportParse}
	content := binary.AppendUvarint(nil, uint64(len(exports)))
	for _, name := range exports {
		content = append(append(binary.AppendUvarint(content, uint64(len(name))), name...), 0, 0)
	}
	b := append([]byte("\x00asm\x01\x00\x00\x00\x07"), binary.AppendUvarint(nil, uint64(len(content)))...)
	b = append(b, content...)
	filler := append([]byte("\x01p"), make([]byte, padding)...)
	return append(append(append(b, 0), binary.AppendUvarint(nil, uint64(len(filler)))...), filler...)
}

// artifact is a parser of the given version; note changes its content.
func artifact(t testing.TB, version, note string) registry.Artifact {
	t.Helper()
	yaml := fmt.Sprintf("publisher: vedette\nname: sample\nversion: %s\nkind: parser\ntitle: Sample\nabi: \"1.0\"\n"+
		"entry: {wasm: true}\nmatch: {generic: true}\nvectors: [\"testdata/*.txtar\"]\n", version)
	a, err := manifest.ReadFolder("sample", fstest.MapFS{
		"module.yaml":      {Data: []byte(yaml)},
		"README.md":        {Data: []byte(note)},
		"testdata/a.txtar": {Data: []byte("-- input --\na\n")},
		"testdata/" + strings.Repeat("ü", 60) + ".txtar": {Data: []byte("long name")},
	}, guest(100))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func open(t testing.TB, dir string) *Layout {
	t.Helper()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func push(t testing.TB, l *Layout, a registry.Artifact) registry.Digest {
	t.Helper()
	d, err := l.Push(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The digest of the sample is written down: it may change only with the format, never with a library or a release of
// Go.
const sampleDigest = "sha256:6adb31247e99c82aaef0dfb7e4bf6790d1688c324976dc9c9e707c2bb1dc52b0"

func TestPushPull(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := open(t, dir)
	a := artifact(t, "1.0.0", "one")
	d := push(t, l, a)
	if d != sampleDigest {
		t.Errorf("digest %s, want %s", d, sampleDigest)
	}
	if again := push(t, l, artifact(t, "1.0.0", "one")); again != d {
		t.Errorf("pushed again: %s, want %s", again, d)
	}
	if elsewhere := push(t, open(t, t.TempDir()), a); elsewhere != d {
		t.Errorf("pushed elsewhere: %s, want %s", elsewhere, d)
	}
	if _, err := l.Push(ctx, artifact(t, "1.0.0", "two")); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("other content under the same version: got %v, want ErrConflict", err)
	}
	l = open(t, dir) // as after a restart
	got, err := l.Pull(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, got); diff != "" {
		t.Errorf("pulled (-pushed +pulled):\n%s", diff)
	}
	if _, digest, err := l.PullRef(ctx, registry.Ref{Publisher: "vedette", Name: "sample", Version: "1.0.0"}); err != nil || digest != d {
		t.Errorf("by reference: got %s, %v", digest, err)
	}
	if _, _, err := l.PullRef(ctx, registry.Ref{Publisher: "vedette", Name: "sample", Version: "2.0.0"}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("unknown version: got %v, want ErrNotFound", err)
	}
	if _, err := l.Pull(ctx, registry.Digest("sha256:"+strings.Repeat("0", 64))); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("unknown digest: got %v, want ErrNotFound", err)
	}
	if _, err := l.Pull(ctx, "sha256:../../etc/passwd"); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("digest that is a path: got %v, want ErrInvalid", err)
	}
}

// Several artifacts are pushed in one change: all are there afterwards or, when one does not fit, none that was not before.
func TestPushAll(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := open(t, dir)
	one, two, three := artifact(t, "1.0.0", "one"), artifact(t, "2.0.0", "two"), artifact(t, "3.0.0", "three")
	push(t, l, two)
	if got, err := l.PushAll(ctx, []registry.Artifact{one, artifact(t, "2.0.0", "other"), three}); !errors.Is(err, registry.ErrConflict) || got != nil {
		t.Errorf("one that is another under the same version: %v, %v", got, err)
	}
	if tags, err := l.Tags(ctx, "vedette/sample"); err != nil || len(tags) != 1 {
		t.Errorf("after a refusal there are %v, %v", tags, err)
	}
	if got, err := l.PushAll(ctx, []registry.Artifact{one, artifact(t, "1.0.0", "other")}); !errors.Is(err, registry.ErrConflict) || got != nil {
		t.Errorf("two under one version: %v, %v", got, err)
	}
	list := []registry.Artifact{one, two, three}
	digests, err := l.PushAll(ctx, list)
	if err != nil {
		t.Fatal(err)
	}
	index := filepath.Join(dir, "index.json")
	before, err := os.Stat(index)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.PushAll(ctx, list); err != nil || !slices.Equal(again, digests) {
		t.Errorf("pushed again: %v, %v", again, err)
	}
	if after, err := os.Stat(index); err != nil || !os.SameFile(before, after) {
		t.Errorf("the index is written although nothing changed: %v", err)
	}
	for i, d := range digests {
		if got, err := open(t, dir).Pull(ctx, d); err != nil || cmp.Diff(list[i], got) != "" {
			t.Errorf("%d: %v %s", i, err, cmp.Diff(list[i], got))
		}
	}
}

func TestListNewestFirst(t *testing.T) {
	l := open(t, t.TempDir())
	for _, v := range []string{"1.9.0", "1.10.0", "1.10.0-rc.1"} {
		push(t, l, artifact(t, v, v))
	}
	tags, err := l.Tags(context.Background(), "vedette/sample")
	if diff := cmp.Diff([]string{"1.10.0", "1.10.0-rc.1", "1.9.0"}, tags); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	list, err := l.List(context.Background())
	if err != nil || len(list) != 3 || list[0].Kind != manifest.Parser || list[0].Title != "Sample" {
		t.Errorf("got %+v, %v", list, err)
	}
}

// A plain OCI client reads the layout and copies the artifact, and what it has written is read back here.
func TestPlainOCIClient(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	d := push(t, open(t, dir), artifact(t, "1.0.0", "one"))
	from, err := oci.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.New()
	desc, err := oras.Copy(ctx, from, "vedette/sample:1.0.0", mem, "", oras.DefaultCopyOptions)
	if err != nil || desc.Digest != digest.Digest(d) {
		t.Fatalf("copy to memory: %v, %s", err, desc.Digest)
	}
	other := t.TempDir()
	to, err := oci.New(other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oras.Copy(ctx, mem, "vedette/sample:1.0.0", to, "", oras.DefaultCopyOptions); err != nil {
		t.Fatal(err)
	}
	a, _, err := open(t, other).PullRef(ctx, registry.Ref{Publisher: "vedette", Name: "sample", Version: "1.0.0"})
	if err != nil {
		t.Fatalf("what a plain client has written: %v", err)
	}
	if diff := cmp.Diff(artifact(t, "1.0.0", "one"), a); diff != "" {
		t.Errorf("copied (-pushed +pulled):\n%s", diff)
	}
}

// Whatever single blob is changed, cut or missing, the artifact is refused and says why; pushing it again repairs it.
func TestCorruptBlobIsRefused(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := open(t, dir)
	a := artifact(t, "1.0.0", "one")
	d := push(t, l, a)
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs/sha256/*"))
	if err != nil || len(blobs) != 5 {
		t.Fatalf("got blobs %v, %v; want manifest, config, wasm, vectors, docs", blobs, err)
	}
	for _, name := range blobs {
		sound, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(sound)
		flipped[len(flipped)/2] ^= 1
		for damage, data := range map[string][]byte{"flipped": flipped, "cut": sound[:len(sound)-1], "longer": append(bytes.Clone(sound), 0), "missing": nil} {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			if data != nil {
				if err := os.WriteFile(name, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := l.Pull(ctx, d); !errors.Is(err, registry.ErrCorrupt) {
				t.Errorf("%s %s: got %v, want ErrCorrupt", filepath.Base(name)[:12], damage, err)
			}
			push(t, l, a)
			if _, err := l.Pull(ctx, d); err != nil {
				t.Errorf("%s %s, pushed again: %v", filepath.Base(name)[:12], damage, err)
			}
		}
	}
}

// forge writes an artifact as an attacker would, with correct digests, and returns what pulling it says.
func forge(t *testing.T, change func(blobs []blob) []blob) error {
	t.Helper()
	l := open(t, t.TempDir())
	a := artifact(t, "1.0.0", "one")
	blobs, err := encode(&a)
	if err != nil {
		t.Fatal(err)
	}
	layers := change(blobs[:len(blobs)-1])
	image := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: TypeModule, Config: layers[0].desc}
	image.SchemaVersion = 2
	for _, b := range layers[1:] {
		image.Layers = append(image.Layers, b.desc)
	}
	data, err := json.Marshal(image)
	if err != nil {
		t.Fatal(err)
	}
	top := newBlob(ocispec.MediaTypeImageManifest, data)
	top.desc.ArtifactType = TypeModule
	for _, b := range append(layers, top) {
		if err := l.writeBlob(b); err != nil {
			t.Fatal(err)
		}
	}
	index := emptyIndex()
	index.Manifests = append(index.Manifests, top.desc)
	if err := l.writeIndex(index); err != nil {
		t.Fatal(err)
	}
	_, err = l.Pull(context.Background(), registry.Digest(top.desc.Digest))
	return err
}

func archive(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestForgedArtifactsAreRefused(t *testing.T) {
	vectors := func(data []byte) func([]blob) []blob {
		return func(b []blob) []blob { return append(b[:2:2], newBlob(TypeVectors, data), b[3]) }
	}
	file := func(name string, size int64) tar.Header {
		return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644}
	}
	var many []tar.Header
	for i := range manifest.MaxFiles + 1 {
		many = append(many, file(fmt.Sprintf("testdata/%04d.txtar", i), 0))
	}
	var large []tar.Header
	for i := range 9 {
		large = append(large, file(fmt.Sprintf("testdata/%04d.txtar", i), manifest.MaxFileBytes))
	}
	for name, c := range map[string]struct {
		change func([]blob) []blob
		want   string
	}{
		"sound":               {func(b []blob) []blob { return b }, ""},
		"zip slip":            {vectors(archive(t, file("../../etc/cron.d/x", 1))), "relative path"},
		"absolute path":       {vectors(archive(t, file("/etc/passwd", 1))), "relative path"},
		"symbolic link":       {vectors(archive(t, tar.Header{Typeflag: tar.TypeSymlink, Name: "testdata/a.txtar", Linkname: "/etc/passwd"})), "not a plain file"},
		"hard link":           {vectors(archive(t, tar.Header{Typeflag: tar.TypeLink, Name: "testdata/a.txtar", Linkname: "x"})), "not a plain file"},
		"device":              {vectors(archive(t, tar.Header{Typeflag: tar.TypeChar, Name: "testdata/a.txtar"})), "not a plain file"},
		"file twice":          {vectors(archive(t, file("testdata/a.txtar", 1), file("testdata/a.txtar", 1))), "out of order"},
		"one file too many":   {vectors(archive(t, many...)), fmt.Sprintf("more than %d files", manifest.MaxFiles)},
		"file one over":       {vectors(archive(t, file("testdata/a.txtar", manifest.MaxFileBytes+1))), "the limit is 1048576"},
		"content over":        {vectors(archive(t, large...)), "more than 8388608 bytes"},
		"archive one over":    {vectors(make([]byte, MaxTarBytes+1)), "the limit is"},
		"not an archive":      {vectors(bytes.Repeat([]byte("x"), 1024)), "archive"},
		"undeclared vector":   {vectors(archive(t, file("elsewhere/a.txtar", 1))), "do not select"},
		"no code":             {func(b []blob) []blob { return append(b[:1:1], b[2:]...) }, "not a WebAssembly"},
		"code one over":       {func(b []blob) []blob { return []blob{b[0], newBlob(TypeWasm, guest(manifest.MaxWasmBytes))} }, "the limit is 8388608"},
		"other manifest":      {func(b []blob) []blob { return append([]blob{newBlob(TypeManifest, other(t))}, b[1:]...) }, "is not the package's"},
		"manifest with space": {func(b []blob) []blob { return append([]blob{newBlob(TypeManifest, append(b[0].data, '\n'))}, b[1:]...) }, "canonical"},
		"unknown layer":       {func(b []blob) []blob { return append(b, newBlob("text/plain", []byte("x"))) }, "unknown or there twice"},
		"layer twice":         {func(b []blob) []blob { return append(b[:3:3], b[2]) }, "unknown or there twice"},
		"too many layers":     {func(b []blob) []blob { return append(b, b[1], b[1], b[1]) }, "the limit is 4"},
		"other config type":   {func(b []blob) []blob { return append([]blob{newBlob("application/json", b[0].data)}, b[1:]...) }, "want"},
	} {
		err := forge(t, c.change)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, registry.ErrInvalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func other(t *testing.T) []byte {
	a := artifact(t, "1.0.1", "")
	return a.ManifestBytes
}

func TestPushRefusesWhatDoesNotFit(t *testing.T) {
	l := open(t, t.TempDir())
	a := artifact(t, "1.0.0", "one")
	a.Wasm = guest(1) // without the manifest inside
	if _, err := l.Push(context.Background(), a); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
	if list, err := l.List(context.Background()); err != nil || len(list) != 0 {
		t.Errorf("a refused push left %v, %v", list, err)
	}
}

func TestIndexLimitsOneOver(t *testing.T) {
	index := emptyIndex()
	index.Manifests = make([]ocispec.Descriptor, MaxArtifacts+1)
	data, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeIndex(data); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("one artifact over: got %v", err)
	}
	if _, err := decodeIndex(make([]byte, MaxIndexBytes+1)); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("one byte over: got %v", err)
	}
	if _, err := readImage(make([]byte, MaxImageManifestBytes+1)); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("OCI manifest one byte over: got %v", err)
	}
}

func TestOpenRefusesOtherFolders(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	for file, content := range map[string]string{"oci-layout": `{"imageLayoutVersion":"9.9.9"}`, "index.json": `{`} {
		name := filepath.Join(dir, file)
		sound, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil {
			t.Errorf("%s with %s: opened", file, content)
		}
		if err := os.WriteFile(name, sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A crash may leave temporary files and blobs that nothing names; neither is ever read.
func TestLeftoversOfACrash(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	a := artifact(t, "1.0.0", "one")
	blobs, err := encode(&a)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blobs { // killed before the index was written
		if err := l.writeBlob(b); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".new-1", "blobs/sha256/.new-2"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l = open(t, dir)
	if _, err := l.Pull(context.Background(), registry.Digest(blobs[len(blobs)-1].desc.Digest)); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	push(t, l, a)
}

// Two layouts over one folder stand for two processes.
func TestHammer(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	const writers, versions = 4, 6
	var artifacts []registry.Artifact
	for v := range versions {
		artifacts = append(artifacts, artifact(t, fmt.Sprintf("1.%d.0", v), "x"))
	}
	var wg sync.WaitGroup
	for range writers {
		l := open(t, dir)
		wg.Go(func() {
			for _, a := range artifacts {
				d, err := l.Push(ctx, a)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := l.Pull(ctx, d); err != nil {
					t.Error(err)
				}
				if _, err := l.List(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if list, err := open(t, dir).List(ctx); err != nil || len(list) != versions {
		t.Errorf("got %d versions, %v; want %d", len(list), err, versions)
	}
}

// FuzzLayout reads a layout whose index, image manifest and archive an attacker wrote.
func FuzzLayout(f *testing.F) {
	a := artifact(f, "1.0.0", "one")
	blobs, err := encode(&a)
	if err != nil {
		f.Fatal(err)
	}
	index := emptyIndex()
	index.Manifests = append(index.Manifests, blobs[len(blobs)-1].desc)
	data, err := json.Marshal(index)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, blobs[len(blobs)-1].data, blobs[2].data)
	f.Fuzz(func(t *testing.T, index, image, archive []byte) {
		if _, err := decodeIndex(index); err != nil && !errors.Is(err, registry.ErrInvalid) && !errors.Is(err, registry.ErrCorrupt) {
			t.Fatalf("index: %v is of no known kind", err)
		}
		_, err := Read(context.Background(), image, func(_ context.Context, d ocispec.Descriptor, _ int64) ([]byte, error) {
			switch d.MediaType {
			case TypeManifest:
				return a.ManifestBytes, nil
			case TypeWasm:
				return a.Wasm, nil
			default:
				return archive, nil
			}
		})
		if err != nil && !errors.Is(err, registry.ErrInvalid) {
			t.Fatalf("artifact: %v is of no known kind", err)
		}
	})
}
