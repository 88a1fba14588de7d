package layout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Artifact types of what refers to a module, by the "subject" of its OCI manifest (OCI image specification 1.1). Its one
// layer is a DSSE envelope with an in-toto statement.
const (
	TypeSignature   = "application/vnd.vedette.signature.v1"    // a publisher vouches for a version
	TypeSBOM        = "application/vnd.cyclonedx+json"          // what it was made of
	TypeProvenance  = "application/vnd.in-toto.provenance+dsse" // who built it from what
	TypeConformance = "application/vnd.vedette.conformance.v1"  // which level of the suite it passed
	TypeSnapshot    = "application/vnd.vedette.index.v1"        // not a referrer: the signed index and its roots
	TypeEnvelope    = sign.TypeEnvelope                         // the layers
	emptyType       = "application/vnd.oci.empty.v1+json"       // the config
	annotSubject    = "vnd.vedette.subject"                     // in index.json: where to look first
	snapshotTag     = "index:latest"                            // in index.json
)

var referrerTypes = []string{TypeSignature, TypeSBOM, TypeProvenance, TypeConformance}

// IsReferrerType reports whether an artifact of this type may refer to a module.
func IsReferrerType(t string) bool { return slices.Contains(referrerTypes, t) }

// Referrer is a signed document about an artifact.
type Referrer struct {
	Digest   registry.Digest // of its own OCI manifest
	Subject  registry.Digest
	Type     string
	Envelope []byte // the bytes are what their digest says; whether the signatures hold is another question
}

// signed is an OCI manifest whose layers are envelopes.
type signed struct {
	subject   registry.Digest // "" for a snapshot
	kind      string
	envelopes [][]byte
}

// encodeSigned returns the blobs of envelopes, the OCI manifest last.
func encodeSigned(kind string, subject *ocispec.Descriptor, envelopes ...[]byte) ([]blob, error) {
	blobs := []blob{newBlob(emptyType, []byte("{}"))}
	image := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: kind,
		Config: blobs[0].desc, Subject: subject,
	}
	for _, e := range envelopes {
		if limit := envelopeLimit(kind); int64(len(e)) > limit {
			return nil, fmt.Errorf("envelope of %d bytes, the limit is %d: %w", len(e), limit, registry.ErrInvalid)
		}
		b := newBlob(TypeEnvelope, e)
		image.Layers = append(image.Layers, b.desc)
		blobs = append(blobs, b)
	}
	data, err := manifest.CanonicalJSON(image)
	if err != nil {
		return nil, err
	}
	top := newBlob(ocispec.MediaTypeImageManifest, data)
	top.desc.ArtifactType = kind
	return append(blobs, top), nil
}

func envelopeLimit(kind string) int64 {
	if kind == TypeSnapshot {
		return MaxEnvelopeBytes
	}
	return MaxReferrerBytes
}

// readSigned reads what encodeSigned or another tool has written.
func readSigned(ctx context.Context, data []byte, fetch Fetch) (signed, error) {
	var image ocispec.Manifest
	kind, err := ArtifactType(data)
	if err != nil {
		return signed{}, err
	}
	if err := json.Unmarshal(data, &image); err != nil {
		return signed{}, fmt.Errorf("OCI manifest: %w: %w", err, registry.ErrInvalid)
	}
	s := signed{kind: kind}
	switch {
	case image.SchemaVersion != 2 || image.MediaType != ocispec.MediaTypeImageManifest || kind == TypeModule:
		return signed{}, fmt.Errorf("OCI manifest of %s: not one that holds envelopes: %w", kind, registry.ErrInvalid)
	case (kind == TypeSnapshot) != (image.Subject == nil):
		return signed{}, fmt.Errorf("OCI manifest of %s: want a subject, and of %s none: %w", kind, TypeSnapshot, registry.ErrInvalid)
	case len(image.Layers) < 1 || kind != TypeSnapshot && len(image.Layers) > 1 || len(image.Layers) > 1+MaxRoots:
		return signed{}, fmt.Errorf("OCI manifest of %s: %d layers: %w", kind, len(image.Layers), registry.ErrInvalid)
	}
	if image.Subject != nil {
		if s.subject, err = registry.ParseDigest(string(image.Subject.Digest)); err != nil {
			return signed{}, fmt.Errorf("subject: %w", err)
		}
	}
	if _, err := fetch(ctx, image.Config, MaxImageManifestBytes); err != nil {
		return signed{}, fmt.Errorf("config: %w", err)
	}
	for _, layer := range image.Layers {
		if layer.MediaType != TypeEnvelope {
			return signed{}, fmt.Errorf("layer %.100q, want %s: %w", layer.MediaType, TypeEnvelope, registry.ErrInvalid)
		}
		e, err := fetch(ctx, layer, envelopeLimit(kind))
		if err != nil {
			return signed{}, fmt.Errorf("envelope: %w", err)
		}
		s.envelopes = append(s.envelopes, e)
	}
	return s, nil
}

// Attach stores an envelope that is about an artifact of this namespace or the shared one, and returns the digest of its
// OCI manifest. Attaching the same again changes nothing. The error wraps registry.ErrNotFound, ErrInvalid, or
// ErrExhausted beyond MaxReferrers.
func (l *Layout) Attach(ctx context.Context, subject registry.Digest, kind string, envelope []byte) (registry.Digest, error) {
	if !IsReferrerType(kind) {
		return "", fmt.Errorf("attaching to %s: type %.100q: %w", subject.Short(), kind, registry.ErrInvalid)
	}
	image, _, err := l.image(subject, isModule)
	if err != nil {
		return "", fmt.Errorf("attaching to %s: %w", subject.Short(), err)
	}
	blobs, err := encodeSigned(kind, &ocispec.Descriptor{
		MediaType: ocispec.MediaTypeImageManifest, ArtifactType: TypeModule, Digest: digest.Digest(subject), Size: int64(len(image)),
	}, envelope)
	if err != nil {
		return "", fmt.Errorf("attaching to %s: %w", subject.Short(), err)
	}
	if err := l.putReferrer(ctx, blobs, subject); err != nil {
		return "", fmt.Errorf("attaching to %s: %w", subject.Short(), err)
	}
	return registry.Digest(blobs[len(blobs)-1].desc.Digest), nil
}

func (l *Layout) putReferrer(ctx context.Context, blobs []blob, subject registry.Digest) error {
	image := blobs[len(blobs)-1].desc
	image.Annotations = map[string]string{annotSubject: string(subject)}
	return l.change(ctx, blobs, func(index *ocispec.Index) (bool, error) {
		others := 0
		for _, m := range index.Manifests {
			if m.Digest == image.Digest {
				return false, nil
			}
			if m.Annotations[annotSubject] == string(subject) {
				others++
			}
		}
		if others >= MaxReferrers {
			return false, fmt.Errorf("%d documents refer to %s, there is no room for more: %w", others, subject.Short(), registry.ErrExhausted)
		}
		index.Manifests = append(index.Manifests, image)
		return true, nil
	})
}

// Referrers returns what is said about an artifact, an organization's own documents and the shared ones, sorted by
// digest; with a kind only those of it. Every byte was verified against its digest.
func (l *Layout) Referrers(ctx context.Context, subject registry.Digest, kind string) ([]Referrer, error) {
	index, err := l.index()
	if err != nil {
		return nil, fmt.Errorf("referrers of %s: %w", subject.Short(), err)
	}
	var list []Referrer
	for _, m := range index.Manifests {
		// Other tools leave out the note where to look; what decides is the subject in the OCI manifest.
		if at := m.Annotations[annotSubject]; !IsReferrerType(m.ArtifactType) || at != "" && at != string(subject) || kind != "" && m.ArtifactType != kind {
			continue
		}
		var s signed
		err := l.settled(registry.Digest(m.Digest), func() (err error) {
			s, err = l.signed(ctx, m)
			return err
		})
		if errors.Is(err, registry.ErrNotFound) {
			continue // it was collected while it was read
		}
		if err != nil {
			return nil, fmt.Errorf("referrers of %s: %w", subject.Short(), err)
		}
		if s.subject == subject && (kind == "" || s.kind == kind) && len(list) < MaxReferrers {
			list = append(list, Referrer{registry.Digest(m.Digest), subject, s.kind, s.envelopes[0]})
		}
	}
	if l.shared != nil {
		more, err := l.shared.Referrers(ctx, subject, kind)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	slices.SortFunc(list, func(a, b Referrer) int { return cmp.Compare(a.Digest, b.Digest) })
	return slices.CompactFunc(list, func(a, b Referrer) bool { return a.Digest == b.Digest }), nil
}

func (l *Layout) signed(ctx context.Context, m ocispec.Descriptor) (signed, error) {
	image, err := l.readBlob(m, MaxImageManifestBytes)
	if err != nil {
		return signed{}, fmt.Errorf("OCI manifest: %w", err)
	}
	return readSigned(ctx, image, l.Blob)
}

// Snapshot is a registry's signed index with the chain of roots that leads to the keys that sign it, oldest first. All
// are envelopes.
type Snapshot struct {
	Index []byte
	Roots [][]byte
}

// PutSnapshot replaces the snapshot. It looks at no signature: that is registry/index's part, before this.
func (l *Layout) PutSnapshot(ctx context.Context, s Snapshot) error {
	blobs, err := encodeSigned(TypeSnapshot, nil, append([][]byte{s.Index}, s.Roots...)...)
	if err != nil {
		return fmt.Errorf("storing the index: %w", err)
	}
	if err := l.putSnapshot(ctx, blobs); err != nil {
		return fmt.Errorf("storing the index: %w", err)
	}
	return nil
}

func (l *Layout) putSnapshot(ctx context.Context, blobs []blob) error {
	if l.shared != nil {
		return fmt.Errorf("only the shared namespace has an index: %w", registry.ErrInvalid)
	}
	image := blobs[len(blobs)-1].desc
	image.Annotations = map[string]string{ocispec.AnnotationRefName: snapshotTag}
	return l.change(ctx, blobs, func(index *ocispec.Index) (bool, error) {
		index.Manifests = slices.DeleteFunc(index.Manifests, isSnapshot)
		index.Manifests = append(index.Manifests, image)
		return true, nil
	})
}

func isSnapshot(m ocispec.Descriptor) bool { return m.ArtifactType == TypeSnapshot }

// Snapshot returns the signed index that was stored last, or registry.ErrNotFound, and the digest of its OCI manifest.
func (l *Layout) Snapshot(ctx context.Context) (Snapshot, registry.Digest, error) {
	shared := l.In(registry.Shared)
	index, err := shared.index()
	if err != nil {
		return Snapshot{}, "", fmt.Errorf("reading the index: %w", err)
	}
	at := slices.IndexFunc(index.Manifests, isSnapshot)
	if at < 0 {
		return Snapshot{}, "", fmt.Errorf("reading the index: %w", registry.ErrNotFound)
	}
	image, err := shared.readBlob(index.Manifests[at], MaxImageManifestBytes)
	if err != nil {
		return Snapshot{}, "", fmt.Errorf("reading the index: %w", err)
	}
	s, err := ReadSnapshot(ctx, image, shared.Blob)
	if err != nil {
		return Snapshot{}, "", fmt.Errorf("reading the index: %w", err)
	}
	return s, registry.Digest(index.Manifests[at].Digest), nil
}

// ReadSnapshot reads a snapshot's OCI manifest and its blobs. The error wraps registry.ErrInvalid, or is fetch's.
func ReadSnapshot(ctx context.Context, image []byte, fetch Fetch) (Snapshot, error) {
	s, err := readSigned(ctx, image, fetch)
	if err != nil {
		return Snapshot{}, err
	}
	if s.kind != TypeSnapshot {
		return Snapshot{}, fmt.Errorf("a %s is no index: %w", s.kind, registry.ErrInvalid)
	}
	return Snapshot{Index: s.envelopes[0], Roots: s.envelopes[1:]}, nil
}

// ReadReferrer reads a referrer's OCI manifest and its envelope, and says what it is about. The error wraps
// registry.ErrInvalid, or is fetch's.
func ReadReferrer(ctx context.Context, image []byte, fetch Fetch) (subject registry.Digest, envelope []byte, err error) {
	s, err := readSigned(ctx, image, fetch)
	if err != nil {
		return "", nil, err
	}
	if s.subject == "" {
		return "", nil, fmt.Errorf("a %s refers to nothing: %w", s.kind, registry.ErrInvalid)
	}
	return s.subject, s.envelopes[0], nil
}
