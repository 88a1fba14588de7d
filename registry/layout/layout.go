// Package layout keeps modules in an OCI image layout on disk, the one place that the host loads from.
//
// Blobs are written to a temporary file, synced and renamed, and index.json, the only file that changes, likewise; a
// crash leaves either the old state or the new one, at worst with a blob that nothing names. Every read verifies size
// and SHA-256, however often the same bytes were read before. oras-go's own store of this form does neither, so it
// serves here as the test's independent reader.
package layout

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/Masterminds/semver/v3"
	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"golang.org/x/sys/unix"
)

// Layout is an open image layout. It may be used by several goroutines, and the folder by several processes, at once.
type Layout struct {
	dir string
	mu  sync.Mutex // one writer of index.json in this process; the file lock keeps out other processes
}

// Open opens the layout in dir and makes an empty one if there is none. A folder with anything else in it is refused
// with registry.ErrInvalid.
func Open(dir string) (*Layout, error) {
	l := &Layout{dir: dir}
	if err := os.MkdirAll(filepath.Join(dir, ocispec.ImageBlobsDir, digest.SHA256.String()), 0o700); err != nil {
		return nil, fmt.Errorf("opening module layout: %w", err)
	}
	version, err := os.ReadFile(filepath.Join(dir, ocispec.ImageLayoutFile))
	if errors.Is(err, fs.ErrNotExist) {
		if err := l.create(); err != nil {
			return nil, err
		}
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening module layout: %w", err)
	}
	var mark ocispec.ImageLayout
	if err := json.Unmarshal(version, &mark); err != nil || mark.Version != ocispec.ImageLayoutVersion {
		return nil, fmt.Errorf("opening module layout: %s/%s is not one of version %s: %w", dir, ocispec.ImageLayoutFile, ocispec.ImageLayoutVersion, registry.ErrInvalid)
	}
	if _, err := l.index(); err != nil {
		return nil, fmt.Errorf("opening module layout: %w", err)
	}
	return l, nil
}

func (l *Layout) create() error {
	mark, err := json.Marshal(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})
	if err != nil {
		return fmt.Errorf("creating module layout: %w", err)
	}
	return l.locked(func() error {
		// The mark comes last: a folder with it is complete.
		if _, err := os.Stat(filepath.Join(l.dir, ocispec.ImageIndexFile)); errors.Is(err, fs.ErrNotExist) {
			if err := l.writeIndex(emptyIndex()); err != nil {
				return fmt.Errorf("creating module layout: %w", err)
			}
		}
		if err := writeFile(l.dir, ocispec.ImageLayoutFile, mark); err != nil {
			return fmt.Errorf("creating module layout: %w", err)
		}
		return nil
	})
}

// Push stores an artifact under the reference that its manifest gives it and returns the digest. Pushing the same
// content again changes nothing; other content under an existing reference is registry.ErrConflict; an artifact whose
// parts do not fit each other is registry.ErrInvalid. When Push returns, the artifact has reached the disk.
func (l *Layout) Push(ctx context.Context, a registry.Artifact) (registry.Digest, error) {
	ref := registry.RefOf(&a.Manifest)
	blobs, err := encode(&a)
	if err != nil {
		return "", fmt.Errorf("pushing %s: %w", ref, err)
	}
	image := blobs[len(blobs)-1].desc
	image.Annotations = map[string]string{
		ocispec.AnnotationRefName: ref.String(),
		ocispec.AnnotationTitle:   a.Manifest.Title,
		AnnotationKind:            string(a.Manifest.Kind),
	}
	err = l.locked(func() error {
		index, err := l.index()
		if err != nil {
			return err
		}
		if at := find(index, ref.String()); at >= 0 && index.Manifests[at].Digest != image.Digest {
			return fmt.Errorf("it names %s, not %s: %w", registry.Digest(index.Manifests[at].Digest).Short(), registry.Digest(image.Digest).Short(), registry.ErrConflict)
		} else if at < 0 {
			index.Manifests = append(index.Manifests, image)
		}
		for _, b := range blobs {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := l.writeBlob(b); err != nil {
				return err
			}
		}
		return l.writeIndex(index)
	})
	if err != nil {
		return "", fmt.Errorf("pushing %s: %w", ref, err)
	}
	return registry.Digest(image.Digest), nil
}

// Pull returns the artifact with this digest. Everything is verified: registry.ErrCorrupt tells of bytes that are not
// what their digest says, registry.ErrInvalid of an artifact that breaks a rule.
func (l *Layout) Pull(ctx context.Context, d registry.Digest) (registry.Artifact, error) {
	if _, err := registry.ParseDigest(string(d)); err != nil {
		return registry.Artifact{}, fmt.Errorf("pulling: %w", err)
	}
	index, err := l.index()
	if err != nil {
		return registry.Artifact{}, fmt.Errorf("pulling %s: %w", d.Short(), err)
	}
	at := slices.IndexFunc(index.Manifests, func(m ocispec.Descriptor) bool { return isModule(m) && m.Digest == digest.Digest(d) })
	if at < 0 {
		return registry.Artifact{}, fmt.Errorf("pulling %s: %w", d.Short(), registry.ErrNotFound)
	}
	a, err := l.read(ctx, index.Manifests[at])
	if err != nil {
		return registry.Artifact{}, fmt.Errorf("pulling %s: %w", d.Short(), err)
	}
	return a, nil
}

// PullRef is Resolve and Pull; the artifact's own name must be ref.
func (l *Layout) PullRef(ctx context.Context, ref registry.Ref) (registry.Artifact, registry.Digest, error) {
	d, err := l.Resolve(ctx, ref)
	if err != nil {
		return registry.Artifact{}, "", err
	}
	a, err := l.Pull(ctx, d)
	if err != nil {
		return registry.Artifact{}, "", fmt.Errorf("pulling %s: %w", ref, err)
	}
	if own := registry.RefOf(&a.Manifest); own != ref {
		return registry.Artifact{}, "", fmt.Errorf("pulling %s: the artifact calls itself %s: %w", ref, own, registry.ErrInvalid)
	}
	return a, d, nil
}

// Resolve returns the digest that ref names, or registry.ErrNotFound.
func (l *Layout) Resolve(_ context.Context, ref registry.Ref) (registry.Digest, error) {
	index, err := l.index()
	if err != nil {
		return "", fmt.Errorf("resolving %s: %w", ref, err)
	}
	at := find(index, ref.String())
	if at < 0 {
		return "", fmt.Errorf("resolving %s: %w", ref, registry.ErrNotFound)
	}
	return registry.ParseDigest(string(index.Manifests[at].Digest))
}

// List returns every module version, sorted by module and then newest first. It reads only the index; kind and title
// are what was written there.
func (l *Layout) List(context.Context) ([]registry.Entry, error) {
	index, err := l.index()
	if err != nil {
		return nil, fmt.Errorf("listing modules: %w", err)
	}
	var list []registry.Entry
	for _, m := range index.Manifests {
		ref, err := registry.ParseRef(m.Annotations[ocispec.AnnotationRefName])
		if err != nil || !isModule(m) {
			continue // somebody else's artifact, which a layout may hold too
		}
		list = append(list, registry.Entry{
			Ref: ref, Digest: registry.Digest(m.Digest), Kind: manifest.Kind(m.Annotations[AnnotationKind]), Title: m.Annotations[ocispec.AnnotationTitle],
		})
	}
	slices.SortFunc(list, func(a, b registry.Entry) int {
		return cmp.Or(cmp.Compare(a.Ref.Module(), b.Ref.Module()), -compareVersions(a.Ref.Version, b.Ref.Version))
	})
	return list, nil
}

// Tags returns the versions of "publisher/name", newest first.
func (l *Layout) Tags(ctx context.Context, module string) ([]string, error) {
	list, err := l.List(ctx)
	if err != nil {
		return nil, err
	}
	var tags []string
	for _, e := range list {
		if e.Ref.Module() == module {
			tags = append(tags, e.Ref.Version)
		}
	}
	return tags, nil
}

func compareVersions(a, b string) int {
	va, err1 := semver.StrictNewVersion(a)
	vb, err2 := semver.StrictNewVersion(b)
	if err1 != nil || err2 != nil {
		return cmp.Compare(a, b)
	}
	return va.Compare(vb)
}

func isModule(m ocispec.Descriptor) bool {
	return m.MediaType == ocispec.MediaTypeImageManifest && m.ArtifactType == TypeModule
}

func find(index ocispec.Index, ref string) int {
	return slices.IndexFunc(index.Manifests, func(m ocispec.Descriptor) bool { return isModule(m) && m.Annotations[ocispec.AnnotationRefName] == ref })
}

func (l *Layout) read(ctx context.Context, image ocispec.Descriptor) (registry.Artifact, error) {
	data, err := l.readBlob(image, MaxImageManifestBytes)
	if err != nil {
		return registry.Artifact{}, fmt.Errorf("OCI manifest: %w", err)
	}
	return decode(data, func(d ocispec.Descriptor, limit int64) ([]byte, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return l.readBlob(d, limit)
	})
}

// readBlob returns the bytes that d describes, checked against its size and digest.
func (l *Layout) readBlob(d ocispec.Descriptor, limit int64) ([]byte, error) {
	name, err := registry.ParseDigest(string(d.Digest))
	if err != nil {
		return nil, err
	}
	if d.Size < 0 || d.Size > limit {
		return nil, fmt.Errorf("%s has %d bytes, the limit is %d: %w", name.Short(), d.Size, limit, registry.ErrInvalid)
	}
	data, err := readFile(filepath.Join(l.blobs(), d.Digest.Encoded()), d.Size)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("blob %s is missing: %w", name.Short(), registry.ErrCorrupt)
	}
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", name.Short(), err)
	}
	if int64(len(data)) != d.Size {
		return nil, fmt.Errorf("blob %s does not have %d bytes: %w", name.Short(), d.Size, registry.ErrCorrupt)
	}
	if got := digest.FromBytes(data); got != d.Digest {
		return nil, fmt.Errorf("blob %s holds %s: %w", name.Short(), registry.Digest(got).Short(), registry.ErrCorrupt)
	}
	return data, nil
}

// writeBlob stores b unless the same bytes are there already. What is there under the name but differs is replaced:
// the name says what the content has to be.
func (l *Layout) writeBlob(b blob) error {
	if _, err := l.readBlob(b.desc, b.desc.Size); err == nil {
		return nil
	}
	if err := writeFile(l.blobs(), b.desc.Digest.Encoded(), b.data); err != nil {
		return fmt.Errorf("blob %s: %w", registry.Digest(b.desc.Digest).Short(), err)
	}
	return nil
}

func (l *Layout) blobs() string {
	return filepath.Join(l.dir, ocispec.ImageBlobsDir, digest.SHA256.String())
}

func emptyIndex() ocispec.Index {
	return ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{},
	}
}

func (l *Layout) index() (ocispec.Index, error) {
	data, err := readFile(filepath.Join(l.dir, ocispec.ImageIndexFile), MaxIndexBytes)
	if err != nil {
		return ocispec.Index{}, fmt.Errorf("reading index.json: %w", err)
	}
	return decodeIndex(data)
}

func decodeIndex(data []byte) (ocispec.Index, error) {
	var index ocispec.Index
	if len(data) > MaxIndexBytes {
		return index, fmt.Errorf("index.json has more than %d bytes: %w", MaxIndexBytes, registry.ErrInvalid)
	}
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&index); err != nil {
		return index, fmt.Errorf("index.json: %w: %w", err, registry.ErrCorrupt)
	}
	if index.SchemaVersion != 2 || len(index.Manifests) > MaxArtifacts {
		return index, fmt.Errorf("index.json: schema version %d with %d entries, want version 2 with at most %d: %w", index.SchemaVersion, len(index.Manifests), MaxArtifacts, registry.ErrInvalid)
	}
	return index, nil
}

func (l *Layout) writeIndex(index ocispec.Index) error {
	if len(index.Manifests) > MaxArtifacts {
		return fmt.Errorf("index.json: more than %d entries: %w", MaxArtifacts, registry.ErrInvalid)
	}
	data, err := json.Marshal(index)
	if err != nil {
		return fmt.Errorf("index.json: %w", err)
	}
	if len(data) > MaxIndexBytes {
		return fmt.Errorf("index.json: %d bytes, the limit is %d: %w", len(data), MaxIndexBytes, registry.ErrInvalid)
	}
	if err := writeFile(l.dir, ocispec.ImageIndexFile, data); err != nil {
		return fmt.Errorf("index.json: %w", err)
	}
	return nil
}

// locked runs change as the only writer of the folder.
func (l *Layout) locked(change func() error) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(l.dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("locking the layout: %w", err)
	}
	defer f.Close() // lets go of the lock
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("locking the layout: %w", err)
	}
	return change()
}

// readFile reads at most limit+1 bytes, so that the caller can tell that there were more.
func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// writeFile replaces dir/name as a whole: after a crash it holds the old content or the new.
func writeFile(dir, name string, data []byte) (err error) {
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
