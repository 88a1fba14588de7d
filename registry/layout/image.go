package layout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Media types of a module artifact. Archives are plain tar: a compressor's output changes between its versions, and an
// artifact's digest must not.
const (
	TypeModule    = "application/vnd.vedette.module.v1"
	TypeManifest  = "application/vnd.vedette.manifest.v1+json" // the config: the manifest's canonical form
	TypeWasm      = "application/wasm"
	TypeDocuments = "application/vnd.vedette.documents.v1.tar"
	TypeVectors   = "application/vnd.vedette.vectors.v1.tar"
	TypeDocs      = "application/vnd.vedette.docs.v1.tar"
)

// Annotations that repeat parts of the manifest, so that a plain OCI client can show them. Nothing trusts them.
const (
	AnnotationKind         = "vnd.vedette.kind"
	AnnotationABI          = "vnd.vedette.abi"
	AnnotationPublisher    = "vnd.vedette.publisher"
	AnnotationCapabilities = "vnd.vedette.capabilities"
)

// blob is content beside its OCI descriptor.
type blob struct {
	desc ocispec.Descriptor
	data []byte
}

func newBlob(mediaType string, data []byte) blob {
	return blob{ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}, data}
}

// encode turns an artifact into its blobs; the last one is the OCI manifest. The same artifact always gives the same
// bytes: there is no time and no compressor in them.
func encode(a *registry.Artifact) ([]blob, error) {
	if err := a.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", registry.ErrInvalid, err)
	}
	blobs := []blob{newBlob(TypeManifest, a.ManifestBytes)}
	if len(a.Wasm) > 0 {
		blobs = append(blobs, newBlob(TypeWasm, a.Wasm))
	}
	for _, set := range []struct {
		mediaType string
		files     []registry.File
	}{{TypeDocuments, a.Documents}, {TypeVectors, a.Vectors}, {TypeDocs, a.Docs}} {
		if len(set.files) == 0 {
			continue
		}
		data, err := writeTar(set.files)
		if err != nil {
			return nil, fmt.Errorf("archive of %s: %w", a.Manifest.Reference(), err)
		}
		blobs = append(blobs, newBlob(set.mediaType, data))
	}
	image := ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: TypeModule,
		Config:       blobs[0].desc,
		Layers:       []ocispec.Descriptor{},
		Annotations:  annotations(&a.Manifest),
	}
	for _, b := range blobs[1:] {
		image.Layers = append(image.Layers, b.desc)
	}
	data, err := manifest.CanonicalJSON(image)
	if err != nil {
		return nil, fmt.Errorf("OCI manifest of %s: %w", a.Manifest.Reference(), err)
	}
	if len(data) > MaxImageManifestBytes {
		return nil, fmt.Errorf("OCI manifest of %s: %d bytes, the limit is %d: %w", a.Manifest.Reference(), len(data), MaxImageManifestBytes, registry.ErrInvalid)
	}
	last := newBlob(ocispec.MediaTypeImageManifest, data)
	last.desc.ArtifactType = TypeModule
	return append(blobs, last), nil
}

func annotations(m *manifest.Manifest) map[string]string {
	ids := make([]string, len(m.Capabilities))
	for i, c := range m.Capabilities {
		ids[i] = c.ID
	}
	slices.Sort(ids)
	all := map[string]string{
		ocispec.AnnotationTitle:       m.Title,
		ocispec.AnnotationVersion:     m.Version,
		ocispec.AnnotationVendor:      m.Publisher,
		ocispec.AnnotationDescription: m.Description,
		ocispec.AnnotationLicenses:    m.License,
		ocispec.AnnotationSource:      m.Source,
		ocispec.AnnotationURL:         m.Homepage,
		AnnotationKind:                string(m.Kind),
		AnnotationABI:                 m.ABI,
		AnnotationPublisher:           m.Publisher,
		AnnotationCapabilities:        strings.Join(ids, ","),
	}
	for k, v := range all {
		if v == "" {
			delete(all, k)
		}
	}
	return all
}

// Fetch returns the bytes that d describes, of at most limit. Whoever implements it verifies them (Verify).
type Fetch func(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error)

// Read turns an OCI manifest and its blobs back into an artifact and checks that its parts belong together. The error
// wraps registry.ErrInvalid, or is fetch's.
func Read(ctx context.Context, data []byte, fetch Fetch) (registry.Artifact, error) {
	var a registry.Artifact
	image, err := readImage(data)
	if err != nil {
		return a, err
	}
	if a.ManifestBytes, err = fetch(ctx, image.Config, manifest.MaxSourceBytes); err != nil {
		return registry.Artifact{}, fmt.Errorf("manifest: %w", err)
	}
	if a.Manifest, err = manifest.Decode(a.ManifestBytes); err != nil {
		return registry.Artifact{}, fmt.Errorf("%w: %w", registry.ErrInvalid, err)
	}
	for _, layer := range image.Layers {
		data, err := fetch(ctx, layer, layerLimit(layer.MediaType))
		if err != nil {
			return registry.Artifact{}, fmt.Errorf("layer %s: %w", layer.MediaType, err)
		}
		switch layer.MediaType {
		case TypeWasm:
			a.Wasm = data
		case TypeDocuments:
			a.Documents, err = readTar(data)
		case TypeVectors:
			a.Vectors, err = readTar(data)
		case TypeDocs:
			a.Docs, err = readTar(data)
		}
		if err != nil {
			return registry.Artifact{}, fmt.Errorf("layer %s: %w", layer.MediaType, err)
		}
	}
	if err := a.Check(); err != nil {
		return registry.Artifact{}, fmt.Errorf("%w: %w", registry.ErrInvalid, err)
	}
	return a, nil
}

func layerLimit(mediaType string) int64 {
	if mediaType == TypeWasm {
		return manifest.MaxWasmBytes
	}
	return MaxTarBytes
}

// readImage reads an OCI manifest and refuses what is not a module artifact of this form.
func readImage(data []byte) (ocispec.Manifest, error) {
	var image ocispec.Manifest
	if len(data) > MaxImageManifestBytes {
		return image, fmt.Errorf("OCI manifest of %d bytes, the limit is %d: %w", len(data), MaxImageManifestBytes, registry.ErrInvalid)
	}
	if err := json.Unmarshal(data, &image); err != nil {
		return image, fmt.Errorf("OCI manifest: %w: %w", err, registry.ErrInvalid)
	}
	if image.SchemaVersion != 2 || image.MediaType != ocispec.MediaTypeImageManifest || image.ArtifactType != TypeModule || image.Config.MediaType != TypeManifest {
		return image, fmt.Errorf("OCI manifest is a %q with config %q, want %q with %q: %w",
			image.ArtifactType, image.Config.MediaType, TypeModule, TypeManifest, registry.ErrInvalid)
	}
	if image.Subject != nil {
		return image, fmt.Errorf("OCI manifest: a module refers to nothing, and this one to %.80q: %w", image.Subject.Digest, registry.ErrInvalid)
	}
	if len(image.Layers) > MaxLayers {
		return image, fmt.Errorf("%d layers, the limit is %d: %w", len(image.Layers), MaxLayers, registry.ErrInvalid)
	}
	seen := map[string]bool{}
	for _, layer := range image.Layers {
		known := slices.Contains([]string{TypeWasm, TypeDocuments, TypeVectors, TypeDocs}, layer.MediaType)
		if !known || seen[layer.MediaType] {
			return image, fmt.Errorf("layer %q is unknown or there twice: %w", layer.MediaType, registry.ErrInvalid)
		}
		seen[layer.MediaType] = true
	}
	return image, nil
}
