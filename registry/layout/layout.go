// Package layout keeps modules in an OCI image layout on disk, the one place that the host loads from.
//
// Blobs are written to a temporary file, synced and renamed, and index.json, the only file that changes, likewise; a
// crash leaves either the old state or the new one, at worst with a blob that nothing names. Every read verifies size
// and SHA-256, however often the same bytes were read before. oras-go's own store of this form does neither, so it
// serves here as the test's independent reader.
//
// Each organization's namespace is a layout of its own below the shared one, so that no check can be forgotten that
// would keep them apart: there is no file that two organizations read.
package layout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Layout is one namespace of an open image layout: what Open returns is the shared one, In the others. It may be used
// by several goroutines, and the folder by several processes, at once.
type Layout struct {
	dir    string
	ns     registry.Namespace
	shared *Layout // nil for the shared namespace itself

	mu     sync.Mutex // guards what follows
	seen   fs.FileInfo
	cached ocispec.Index // index.json as it was in the file seen; nobody changes it

	namesMu sync.Mutex
	names   map[registry.Namespace]*Layout // of the shared namespace: the others
}

// Open opens the layout in dir and makes an empty one if there is none. A folder with anything else in it is refused
// with registry.ErrInvalid.
func Open(dir string) (*Layout, error) {
	l := &Layout{dir: dir, names: map[registry.Namespace]*Layout{}}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("opening module layout: %w", err)
	}
	return l, nil
}

func (l *Layout) open() error {
	if err := os.MkdirAll(l.blobs(), 0o700); err != nil {
		return err
	}
	version, err := os.ReadFile(filepath.Join(l.dir, ocispec.ImageLayoutFile))
	if errors.Is(err, fs.ErrNotExist) {
		return l.create()
	}
	if err != nil {
		return err
	}
	var mark ocispec.ImageLayout
	if err := json.Unmarshal(version, &mark); err != nil || mark.Version != ocispec.ImageLayoutVersion {
		return fmt.Errorf("%s/%s is not one of version %s: %w", l.dir, ocispec.ImageLayoutFile, ocispec.ImageLayoutVersion, registry.ErrInvalid)
	}
	_, err = l.readIndex()
	return err
}

func (l *Layout) create() error {
	mark, err := json.Marshal(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})
	if err != nil {
		return err
	}
	return l.exclusive(func() error {
		// The mark comes last: a folder with it is complete.
		if _, err := os.Stat(filepath.Join(l.dir, ocispec.ImageIndexFile)); errors.Is(err, fs.ErrNotExist) {
			if err := l.writeIndex(emptyIndex()); err != nil {
				return err
			}
		}
		return writeFile(l.dir, ocispec.ImageLayoutFile, mark)
	})
}

// Push stores an artifact under the reference that its manifest gives it and returns the digest. Pushing the same
// content again changes nothing; other content under a reference that exists or has existed is registry.ErrConflict; an
// artifact whose parts do not fit each other or the namespace is registry.ErrInvalid, and one that the namespace has no
// room for registry.ErrExhausted. When Push returns, the artifact has reached the disk.
func (l *Layout) Push(ctx context.Context, a registry.Artifact) (registry.Digest, error) {
	digests, err := l.PushAll(ctx, []registry.Artifact{a})
	if err != nil {
		return "", err
	}
	return digests[0], nil
}

// PushAll is Push for several artifacts in one change: after an error, or a crash, none of them is there that was not
// before.
func (l *Layout) PushAll(ctx context.Context, list []registry.Artifact) ([]registry.Digest, error) {
	all := make([]pushed, len(list))
	digests := make([]registry.Digest, len(list))
	for i := range list {
		ref := registry.RefOf(&list[i].Manifest)
		blobs, err := encode(&list[i])
		if err == nil {
			all[i], err = l.pushed(ctx, ref, &list[i], blobs)
		}
		if err != nil {
			return nil, fmt.Errorf("pushing %s: %w", ref, err)
		}
		digests[i] = registry.Digest(all[i].image.Digest)
	}
	if err := l.putAll(ctx, all); err != nil {
		return nil, err
	}
	return digests, nil
}

// pushed is an artifact on its way into a namespace that takes it.
type pushed struct {
	ref   registry.Ref
	blobs []blob             // the OCI manifest is the last
	image ocispec.Descriptor // how index.json names that
}

func (l *Layout) pushed(ctx context.Context, ref registry.Ref, a *registry.Artifact, blobs []blob) (pushed, error) {
	p := pushed{ref, blobs, blobs[len(blobs)-1].desc}
	if err := l.ns.Takes(ref.Publisher); err != nil {
		return p, err
	}
	p.image.Annotations = map[string]string{
		ocispec.AnnotationRefName: ref.String(),
		ocispec.AnnotationTitle:   a.Manifest.Title,
		AnnotationKind:            string(a.Manifest.Kind),
	}
	if l.shared != nil {
		// What all share an organization may add to, and not redefine.
		if d, err := l.shared.Resolve(ctx, ref); err == nil && d != registry.Digest(p.image.Digest) {
			return p, conflict(d, registry.Digest(p.image.Digest))
		} else if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return p, err
		}
	}
	return p, nil
}

// putAll stores the blobs of artifacts and names these in index.json.
func (l *Layout) putAll(ctx context.Context, list []pushed) error {
	var blobs []blob
	for _, p := range list {
		blobs = append(blobs, p.blobs...)
	}
	return l.change(ctx, blobs, func(index *ocispec.Index) (changed bool, err error) {
		for _, p := range list {
			added, err := l.name(p, index)
			if err != nil {
				return false, fmt.Errorf("pushing %s: %w", p.ref, err)
			}
			changed = changed || added
		}
		return changed, nil
	})
}

// name adds an artifact to the index, unless it is there.
func (l *Layout) name(p pushed, index *ocispec.Index) (added bool, err error) {
	if at := find(*index, p.ref.String()); at >= 0 {
		if have := index.Manifests[at].Digest; have != p.image.Digest {
			return false, conflict(registry.Digest(have), registry.Digest(p.image.Digest))
		}
		return false, nil
	}
	if err := l.checkCollected(p.ref, registry.Digest(p.image.Digest)); err != nil {
		return false, err
	}
	index.Manifests = append(index.Manifests, p.image)
	return true, nil
}

func conflict(have, want registry.Digest) error {
	return fmt.Errorf("it names %s, not %s: %w", have.Short(), want.Short(), registry.ErrConflict)
}

// Pull returns the artifact with this digest, an organization's from its own namespace or the shared one. Everything is
// verified: registry.ErrCorrupt tells of bytes that are not what their digest says, registry.ErrInvalid of an artifact
// that breaks a rule.
func (l *Layout) Pull(ctx context.Context, d registry.Digest) (registry.Artifact, error) {
	var a registry.Artifact
	err := l.settled(d, func() error {
		data, at, err := l.image(d, isModule)
		if err == nil {
			a, err = Read(ctx, data, at.Blob)
		}
		return err
	})
	if err != nil {
		return registry.Artifact{}, fmt.Errorf("pulling %s: %w", d.Short(), err)
	}
	return a, nil
}

// settled reads something about d. What fails as corrupt may have been collected meanwhile, and pushed again since.
func (l *Layout) settled(d registry.Digest, read func() error) error {
	err := read()
	for range 2 {
		if !errors.Is(err, registry.ErrCorrupt) {
			return err
		}
		if l.gone(d) {
			return registry.ErrNotFound
		}
		err = read()
	}
	return err
}

// gone reports whether no namespace that l sees has the digest in its index.
func (l *Layout) gone(d registry.Digest) bool {
	index, err := l.index()
	if err != nil || slices.ContainsFunc(index.Manifests, func(m ocispec.Descriptor) bool { return m.Digest == digest.Digest(d) }) {
		return false
	}
	return l.shared == nil || l.shared.gone(d)
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

// Resolve returns the digest that ref names, or registry.ErrNotFound. An organization's own comes first.
func (l *Layout) Resolve(ctx context.Context, ref registry.Ref) (registry.Digest, error) {
	index, err := l.index()
	if err != nil {
		return "", fmt.Errorf("resolving %s: %w", ref, err)
	}
	at := find(index, ref.String())
	if at < 0 && l.shared != nil {
		return l.shared.Resolve(ctx, ref)
	}
	if at < 0 {
		return "", fmt.Errorf("resolving %s: %w", ref, registry.ErrNotFound)
	}
	return registry.ParseDigest(string(index.Manifests[at].Digest))
}

// List returns every module version that the namespace sees, sorted by module and then newest first; of one version in
// both, an organization's own. It reads only the index; kind and title are what was written there.
func (l *Layout) List(ctx context.Context) ([]registry.Entry, error) {
	index, err := l.index()
	if err != nil {
		return nil, fmt.Errorf("listing modules: %w", err)
	}
	var list []registry.Entry
	own := map[registry.Ref]bool{}
	for _, m := range index.Manifests {
		ref, err := registry.ParseRef(m.Annotations[ocispec.AnnotationRefName])
		if err != nil || !isModule(m) {
			continue // somebody else's artifact, which a layout may hold too
		}
		own[ref] = true
		list = append(list, registry.Entry{
			Ref: ref, Digest: registry.Digest(m.Digest), Kind: manifest.Kind(m.Annotations[AnnotationKind]),
			Title: m.Annotations[ocispec.AnnotationTitle], Namespace: l.ns,
		})
	}
	if l.shared != nil {
		all, err := l.shared.List(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, slices.DeleteFunc(all, func(e registry.Entry) bool { return own[e.Ref] })...)
	}
	slices.SortFunc(list, registry.CompareEntries)
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

func isModule(m ocispec.Descriptor) bool {
	return m.MediaType == ocispec.MediaTypeImageManifest && m.ArtifactType == TypeModule
}

func find(index ocispec.Index, ref string) int {
	return slices.IndexFunc(index.Manifests, func(m ocispec.Descriptor) bool { return isModule(m) && m.Annotations[ocispec.AnnotationRefName] == ref })
}

// image returns the OCI manifest with this digest and the namespace that it was found in. It has to stand in index.json
// and be of a kind that the caller wants: a digest alone opens nothing.
func (l *Layout) image(d registry.Digest, want func(ocispec.Descriptor) bool) ([]byte, *Layout, error) {
	if _, err := registry.ParseDigest(string(d)); err != nil {
		return nil, nil, err
	}
	index, err := l.index()
	if err != nil {
		return nil, nil, err
	}
	at := slices.IndexFunc(index.Manifests, func(m ocispec.Descriptor) bool { return m.Digest == digest.Digest(d) && want(m) })
	if at < 0 && l.shared != nil {
		return l.shared.image(d, want)
	}
	if at < 0 {
		return nil, nil, registry.ErrNotFound
	}
	data, err := l.readBlob(index.Manifests[at], MaxImageManifestBytes)
	if err != nil {
		return nil, nil, fmt.Errorf("OCI manifest: %w", err)
	}
	return data, l, nil
}
