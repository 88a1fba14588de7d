package layout

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
)

// Limits of an artifact in one file.
const (
	MaxArchiveBytes = 16 << 20                           // the tar, and its content
	MaxArchiveFiles = 2 + 2 + MaxLayers + 3*MaxReferrers // the mark, the index, the OCI manifest, its config and layers; the same of referrers
)

// Export writes the artifact with this digest as one file: an OCI image layout in a tar, which Import reads, and other
// OCI tools too. The errors are those of Pull.
func (l *Layout) Export(ctx context.Context, d registry.Digest, w io.Writer) error {
	a, err := l.Pull(ctx, d)
	if err != nil {
		return err
	}
	return Pack(a, w)
}

// Pack writes an artifact as one file. The same artifact always gives the same bytes. The error wraps
// registry.ErrInvalid for an artifact that breaks a rule or is larger than MaxArchiveBytes.
func Pack(a registry.Artifact, w io.Writer) error {
	blobs, err := encode(&a)
	if err != nil {
		return fmt.Errorf("packing %s: %w", a.Manifest.Reference(), err)
	}
	index := emptyIndex()
	image := blobs[len(blobs)-1].desc
	image.Annotations = map[string]string{ocispec.AnnotationRefName: registry.RefOf(&a.Manifest).String()}
	index.Manifests = append(index.Manifests, image)
	mark, err := json.Marshal(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})
	if err != nil {
		return fmt.Errorf("packing %s: %w", a.Manifest.Reference(), err)
	}
	list, err := json.Marshal(index)
	if err != nil {
		return fmt.Errorf("packing %s: %w", a.Manifest.Reference(), err)
	}
	files := []registry.File{{Path: ocispec.ImageLayoutFile, Data: mark}, {Path: ocispec.ImageIndexFile, Data: list}}
	slices.SortFunc(blobs, func(a, b blob) int { return cmp.Compare(a.desc.Digest, b.desc.Digest) })
	for _, b := range blobs {
		files = append(files, registry.File{Path: blobPath(b.desc.Digest), Data: b.data})
	}
	data, err := writeTar(files)
	if err != nil {
		return fmt.Errorf("packing %s: %w", a.Manifest.Reference(), err)
	}
	if len(data) > MaxArchiveBytes {
		return fmt.Errorf("packing %s: %d bytes, the limit is %d: %w", a.Manifest.Reference(), len(data), MaxArchiveBytes, registry.ErrInvalid)
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("packing %s: %w", a.Manifest.Reference(), err)
	}
	return nil
}

// Package is an artifact with what refers to it, as one file holds them.
type Package struct {
	Artifact  registry.Artifact
	Digest    registry.Digest
	Referrers []Referrer // sorted by digest; whether their signatures hold is another question

	image []byte
	fetch Fetch
	more  [][]byte // OCI manifests of Referrers
}

// Envelopes returns the documents about the artifact.
func (p *Package) Envelopes() [][]byte {
	var list [][]byte
	for _, r := range p.Referrers {
		list = append(list, r.Envelope)
	}
	return list
}

// Bare returns the package of an artifact that was made here: nothing refers to it yet. Of an artifact that breaks a rule
// the digest is empty, and AddPackage says which.
func Bare(a registry.Artifact) Package {
	p := Package{Artifact: a}
	blobs, err := encode(&a)
	if err != nil {
		return p
	}
	files := map[string][]byte{}
	for _, b := range blobs {
		files[blobPath(b.desc.Digest)] = b.data
	}
	image := blobs[len(blobs)-1]
	p.Digest, p.image = registry.Digest(image.desc.Digest), image.data
	p.fetch = func(_ context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
		return fromFiles(files, d, limit)
	}
	return p
}

// Package returns an artifact with what refers to it, both as the namespace sees them. The errors are those of Pull.
func (l *Layout) Package(ctx context.Context, d registry.Digest) (Package, error) {
	a, err := l.Pull(ctx, d)
	if err != nil {
		return Package{}, err
	}
	p := Package{Artifact: a, Digest: d, fetch: l.Fetch()}
	if p.image, err = l.Image(ctx, d); err != nil {
		return Package{}, err
	}
	if p.Referrers, err = l.Referrers(ctx, d, ""); err != nil {
		return Package{}, err
	}
	for _, r := range p.Referrers {
		image, err := l.Image(ctx, r.Digest)
		if err != nil {
			return Package{}, err
		}
		p.more = append(p.more, image)
	}
	return p, nil
}

// AddPackage stores a package as it is: the artifact with the digest that its signatures are over, and what refers to
// it. The errors are those of Add.
func (l *Layout) AddPackage(ctx context.Context, p Package) (registry.Digest, error) {
	if p.image == nil {
		return l.Push(ctx, p.Artifact) // which says what is wrong with it
	}
	if _, err := l.Add(ctx, p.image, p.fetch); err != nil {
		return "", err
	}
	for _, image := range p.more {
		if _, err := l.Add(ctx, image, p.fetch); err != nil {
			return "", err
		}
	}
	return p.Digest, nil
}

// Import reads the one artifact in a file that Export or another tool wrote, and verifies everything as Pull does. It
// reads at most MaxArchiveBytes and writes nothing. The error wraps registry.ErrInvalid or registry.ErrCorrupt.
func Import(r io.Reader) (registry.Artifact, error) {
	p, err := ImportPackage(r)
	return p.Artifact, err
}

// ImportPackage is Import with what refers to the artifact, which Archive writes too.
func ImportPackage(r io.Reader) (Package, error) {
	p, err := importPackage(context.Background(), r)
	if err != nil {
		return Package{}, fmt.Errorf("importing: %w", err)
	}
	return p, nil
}

func importPackage(ctx context.Context, r io.Reader) (Package, error) {
	files, err := unpack(r)
	if err != nil {
		return Package{}, err
	}
	var mark ocispec.ImageLayout
	if json.Unmarshal(files[ocispec.ImageLayoutFile], &mark) != nil || mark.Version != ocispec.ImageLayoutVersion {
		return Package{}, fmt.Errorf("not an OCI image layout of version %s: %w", ocispec.ImageLayoutVersion, registry.ErrInvalid)
	}
	index, err := decodeIndex(files[ocispec.ImageIndexFile])
	if err != nil {
		return Package{}, err
	}
	p := Package{fetch: func(_ context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
		return fromFiles(files, d, limit)
	}}
	var referrers [][]byte
	for _, m := range index.Manifests {
		// The artifact type in the index is optional; the manifest itself has to have it.
		if m.MediaType != ocispec.MediaTypeImageManifest || m.ArtifactType != "" && m.ArtifactType != TypeModule && !IsReferrerType(m.ArtifactType) {
			continue
		}
		image, err := fromFiles(files, m, MaxImageManifestBytes)
		if err != nil {
			return Package{}, fmt.Errorf("OCI manifest: %w", err)
		}
		kind, err := ArtifactType(image)
		switch {
		case err != nil:
			return Package{}, err
		case IsReferrerType(kind):
			referrers = append(referrers, image)
		case kind == TypeModule && p.image != nil:
			return Package{}, fmt.Errorf("more than one module in the file: %w", registry.ErrInvalid)
		case kind == TypeModule:
			p.image, p.Digest = image, registry.Digest(m.Digest)
		}
	}
	if p.image == nil {
		return Package{}, fmt.Errorf("no module in the file: %w", registry.ErrInvalid)
	}
	if p.Artifact, err = Read(ctx, p.image, p.fetch); err != nil {
		return Package{}, err
	}
	return p, p.about(ctx, referrers)
}

// about keeps the referrers of the artifact. What is about something else has no place in its file.
func (p *Package) about(ctx context.Context, images [][]byte) error {
	if len(images) > MaxReferrers {
		return fmt.Errorf("%d documents, the limit is %d: %w", len(images), MaxReferrers, registry.ErrInvalid)
	}
	slices.SortFunc(images, func(a, b []byte) int { return cmp.Compare(digest.FromBytes(a), digest.FromBytes(b)) })
	for _, image := range images {
		s, err := readSigned(ctx, image, p.fetch)
		if err != nil {
			return err
		}
		if s.subject != p.Digest {
			return fmt.Errorf("a %s is about %s, which is not in the file: %w", s.kind, s.subject.Short(), registry.ErrInvalid)
		}
		p.Referrers = append(p.Referrers, Referrer{registry.Digest(digest.FromBytes(image)), p.Digest, s.kind, s.envelopes[0]})
		p.more = append(p.more, image)
	}
	return nil
}

func blobPath(d digest.Digest) string {
	return path.Join(ocispec.ImageBlobsDir, d.Algorithm().String(), d.Encoded())
}

// fromFiles returns the bytes that d describes, checked against its size and digest.
func fromFiles(files map[string][]byte, d ocispec.Descriptor, limit int64) ([]byte, error) {
	name, err := registry.ParseDigest(string(d.Digest))
	if err != nil {
		return nil, err
	}
	data, ok := files[blobPath(d.Digest)]
	switch {
	case !ok:
		return nil, fmt.Errorf("blob %s is not in the file: %w", name.Short(), registry.ErrInvalid)
	case d.Size > limit:
		return nil, fmt.Errorf("%s has %d bytes, the limit is %d: %w", name.Short(), d.Size, limit, registry.ErrInvalid)
	case int64(len(data)) != d.Size || digest.FromBytes(data) != d.Digest:
		return nil, fmt.Errorf("blob %s: its bytes are not what its name says: %w", name.Short(), registry.ErrCorrupt)
	}
	return data, nil
}

// unpack reads an image layout in a tar into memory: its two files and its blobs, plain, each once, in any order, with
// the folders that some tools write.
func unpack(r io.Reader) (map[string][]byte, error) {
	limited := &io.LimitedReader{R: r, N: MaxArchiveBytes + 1}
	files, total := map[string][]byte{}, int64(0)
	tr := tar.NewReader(limited)
	for {
		h, err := tr.Next()
		if limited.N <= 0 {
			return nil, fmt.Errorf("archive: more than %d bytes: %w", MaxArchiveBytes, registry.ErrInvalid)
		}
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("archive: not a tar: %w: %w", err, registry.ErrInvalid)
		}
		name := strings.TrimPrefix(h.Name, "./")
		if h.Typeflag == tar.TypeDir && slices.Contains([]string{"", ".", "blobs/", "blobs", "blobs/sha256", "blobs/sha256/"}, name) {
			continue
		}
		if h.Typeflag != tar.TypeReg || !isLayoutFile(name) {
			return nil, fmt.Errorf("archive: %.100q has no place in an image layout: %w", h.Name, registry.ErrInvalid)
		}
		if _, twice := files[name]; twice || len(files) == MaxArchiveFiles {
			return nil, fmt.Errorf("archive: %q is there twice, or more than %d files are: %w", name, MaxArchiveFiles, registry.ErrInvalid)
		}
		// A sparse file may claim more than the archive holds, so sizes are added up before anything is read.
		if total += h.Size; h.Size > MaxArchiveBytes || total > MaxArchiveBytes {
			return nil, fmt.Errorf("archive: more than %d bytes of content: %w", MaxArchiveBytes, registry.ErrInvalid)
		}
		var content bytes.Buffer
		if _, err := io.Copy(&content, io.LimitReader(tr, h.Size)); err != nil {
			return nil, fmt.Errorf("archive: %q: %w: %w", name, err, registry.ErrInvalid)
		}
		files[name] = content.Bytes()
	}
}

func isLayoutFile(name string) bool {
	if name == ocispec.ImageLayoutFile || name == ocispec.ImageIndexFile {
		return true
	}
	hex, ok := strings.CutPrefix(name, "blobs/sha256/")
	_, err := registry.ParseDigest("sha256:" + hex)
	return ok && err == nil
}
