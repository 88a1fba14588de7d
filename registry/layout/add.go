package layout

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Added says what Add has stored.
type Added struct {
	Digest  registry.Digest
	Type    string          // artifact type
	Ref     registry.Ref    // of a module
	Subject registry.Digest // of a referrer
}

// Add stores a module, a referrer or a snapshot as it came from elsewhere, byte by byte, so that it keeps its digest
// even if another tool has written its OCI manifest. fetch gives the blobs; each is verified. The errors are those of
// Push and Attach, or fetch's.
func (l *Layout) Add(ctx context.Context, image []byte, fetch Fetch) (Added, error) {
	done, err := l.add(ctx, image, fetch)
	if err != nil {
		return Added{}, fmt.Errorf("adding %s: %w", registry.Digest(digest.FromBytes(image)).Short(), err)
	}
	return done, nil
}

func (l *Layout) add(ctx context.Context, image []byte, fetch Fetch) (Added, error) {
	kind, err := ArtifactType(image)
	if err != nil {
		return Added{}, err
	}
	top := newBlob(ocispec.MediaTypeImageManifest, image)
	top.desc.ArtifactType = kind
	done := Added{Digest: registry.Digest(top.desc.Digest), Type: kind}
	var blobs []blob
	keep := func(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
		data, err := fetch(ctx, d, limit)
		if err != nil {
			return nil, err
		}
		if err := Verify(d, data); err != nil {
			return nil, err
		}
		blobs = append(blobs, blob{d, data})
		return data, nil
	}
	if kind == TypeModule {
		a, err := Read(ctx, image, keep)
		if err != nil {
			return Added{}, err
		}
		done.Ref = registry.RefOf(&a.Manifest)
		p, err := l.pushed(ctx, done.Ref, &a, append(blobs, top))
		if err != nil {
			return Added{}, err
		}
		return done, l.putAll(ctx, []pushed{p})
	}
	signed, err := readSigned(ctx, image, keep)
	if err != nil {
		return Added{}, err
	}
	if kind == TypeSnapshot {
		return done, l.putSnapshot(ctx, append(blobs, top))
	}
	done.Subject = signed.subject
	return done, l.putReferrer(ctx, append(blobs, top), signed.subject)
}

// ArtifactType returns the type of an OCI manifest when it is one that has a place in a layout. The error wraps
// registry.ErrInvalid.
func ArtifactType(image []byte) (string, error) {
	if len(image) > MaxImageManifestBytes {
		return "", fmt.Errorf("OCI manifest of %d bytes, the limit is %d: %w", len(image), MaxImageManifestBytes, registry.ErrInvalid)
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(image, &m); err != nil {
		return "", fmt.Errorf("OCI manifest: %w: %w", err, registry.ErrInvalid)
	}
	if m.ArtifactType == TypeModule || m.ArtifactType == TypeSnapshot || IsReferrerType(m.ArtifactType) {
		return m.ArtifactType, nil
	}
	return "", fmt.Errorf("an artifact of type %.100q has no place here, want %s, or one of %s: %w",
		m.ArtifactType, TypeModule, strings.Join(referrerTypes, ", "), registry.ErrInvalid)
}

// Subject returns what an OCI manifest refers to; "" for a module and a snapshot. The error wraps registry.ErrInvalid.
func Subject(image []byte) (registry.Digest, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(image, &m); err != nil {
		return "", fmt.Errorf("OCI manifest: %w: %w", err, registry.ErrInvalid)
	}
	if m.Subject == nil {
		return "", nil
	}
	return registry.ParseDigest(string(m.Subject.Digest))
}

// Image returns the OCI manifest with this digest: a module's, a referrer's or the snapshot's.
func (l *Layout) Image(_ context.Context, d registry.Digest) ([]byte, error) {
	data, _, err := l.image(d, func(ocispec.Descriptor) bool { return true })
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", d.Short(), err)
	}
	return data, nil
}

// Blobs lists what an OCI manifest consists of, with the limit of each. The error wraps registry.ErrInvalid.
func Blobs(image []byte) ([]ocispec.Descriptor, error) {
	if _, err := ArtifactType(image); err != nil {
		return nil, err
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(image, &m); err != nil {
		return nil, fmt.Errorf("OCI manifest: %w: %w", err, registry.ErrInvalid)
	}
	return append([]ocispec.Descriptor{m.Config}, m.Layers...), nil
}

// MaxBlobBytes is the largest blob that any artifact may have.
const MaxBlobBytes = max(MaxTarBytes, manifest.MaxWasmBytes, MaxEnvelopeBytes)
