package layout

import (
	"archive/tar"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
)

// part is a blob of an archive and where it is.
type part struct {
	desc ocispec.Descriptor
	data func(ctx context.Context) ([]byte, error)
}

// Archive writes modules, everything that refers to them and a snapshot, if one is given, as an OCI image layout in a
// tar. The same content always gives the same bytes. Every blob is verified on the way. The errors are those of Pull.
func (l *Layout) Archive(ctx context.Context, w io.Writer, modules []registry.Digest, s *Snapshot) error {
	index, parts := emptyIndex(), map[digest.Digest]part{}
	modules = slices.Compact(slices.Sorted(slices.Values(modules)))
	for _, d := range modules {
		if err := l.gather(ctx, d, &index, parts); err != nil {
			return fmt.Errorf("archiving %s: %w", d.Short(), err)
		}
	}
	if s != nil {
		blobs, err := encodeSigned(TypeSnapshot, nil, append([][]byte{s.Index}, s.Roots...)...)
		if err != nil {
			return fmt.Errorf("archiving the index: %w", err)
		}
		for _, b := range blobs {
			parts[b.desc.Digest] = part{b.desc, func(context.Context) ([]byte, error) { return b.data, nil }}
		}
		image := blobs[len(blobs)-1].desc
		image.Annotations = map[string]string{ocispec.AnnotationRefName: snapshotTag}
		index.Manifests = append(index.Manifests, image)
	}
	if err := writeParts(ctx, w, index, parts); err != nil {
		return fmt.Errorf("archiving: %w", err)
	}
	return nil
}

// gather adds a module and what refers to it.
func (l *Layout) gather(ctx context.Context, d registry.Digest, index *ocispec.Index, parts map[digest.Digest]part) error {
	if _, err := l.Pull(ctx, d); err != nil { // what breaks a rule is not passed on
		return err
	}
	list, err := l.Referrers(ctx, d, "")
	if err != nil {
		return err
	}
	wanted := []registry.Digest{d}
	for _, r := range list {
		wanted = append(wanted, r.Digest)
	}
	for _, x := range wanted {
		image, at, err := l.image(x, func(ocispec.Descriptor) bool { return true })
		if err != nil {
			return err
		}
		entries, err := at.index()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(entries.Manifests, func(m ocispec.Descriptor) bool { return m.Digest == digest.Digest(x) })
		if i < 0 {
			return registry.ErrNotFound // collected since
		}
		blobs, err := Blobs(image)
		if err != nil {
			return err
		}
		index.Manifests = append(index.Manifests, entries.Manifests[i])
		for _, b := range append(blobs, entries.Manifests[i]) {
			parts[b.Digest] = part{b, func(ctx context.Context) ([]byte, error) { return at.Blob(ctx, b, MaxBlobBytes) }}
		}
	}
	return nil
}

func writeParts(ctx context.Context, w io.Writer, index ocispec.Index, parts map[digest.Digest]part) error {
	mark, err := json.Marshal(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})
	if err != nil {
		return err
	}
	list, err := json.Marshal(index)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(w)
	write := func(name string, data []byte) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		_, err := tw.Write(data)
		return err
	}
	if err := write(ocispec.ImageLayoutFile, mark); err != nil {
		return err
	}
	if err := write(ocispec.ImageIndexFile, list); err != nil {
		return err
	}
	sorted := make([]part, 0, len(parts))
	for _, p := range parts {
		sorted = append(sorted, p)
	}
	slices.SortFunc(sorted, func(a, b part) int { return cmp.Compare(a.desc.Digest, b.desc.Digest) })
	for _, p := range sorted {
		data, err := p.data(ctx)
		if err != nil {
			return err
		}
		if err := write(blobPath(p.desc.Digest), data); err != nil {
			return err
		}
	}
	return tw.Close()
}
