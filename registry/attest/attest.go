// Package attest holds what is said about an artifact besides who signed it: what it was made of, who built it, and
// which tests it passed. Each is an in-toto statement, and worth what the keys are that sign it.
package attest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Predicate types.
const (
	PredicateSBOM        = "https://cyclonedx.org/bom"
	PredicateProvenance  = "https://slsa.dev/provenance/v1"
	PredicateConformance = "https://github.com/vedette-siem/vedette/conformance/v1"
)

// buildType says how to read a Build's parameters.
const buildType = "https://github.com/vedette-siem/vedette/build/v1"

// Dependency is something that went into a module.
type Dependency struct {
	Name    string // "github.com/acme/kv"
	Version string // "v1.2.0"
	PURL    string // package URL, "pkg:golang/github.com/acme/kv@v1.2.0"
	Digest  string // of its source as its own package system states it, "dirHash1:…" or "sha256:…"; may be empty
}

// SBOM returns the statement with a bill of materials of an artifact: CycloneDX 1.6, the module as the component that it
// is about, each of its files with its SHA-256, and the dependencies that the caller knows of. There is neither time nor
// chance in it: the same artifact and dependencies give the same bytes. The error wraps registry.ErrInvalid.
func SBOM(a *registry.Artifact, d registry.Digest, deps []Dependency) ([]byte, error) {
	ref := registry.RefOf(&a.Manifest)
	if len(deps) > MaxDependencies {
		return nil, fmt.Errorf("bill of materials of %s: %d dependencies, the limit is %d: %w", ref, len(deps), MaxDependencies, registry.ErrInvalid)
	}
	main := cyclonedx.Component{
		BOMRef: string(d), Type: cyclonedx.ComponentTypeApplication, Publisher: a.Manifest.Publisher, Group: a.Manifest.Publisher,
		Name: a.Manifest.Name, Version: a.Manifest.Version, Description: a.Manifest.Title, Hashes: hashes(string(d)),
	}
	if a.Manifest.License != "" {
		main.Licenses = &cyclonedx.Licenses{{Expression: a.Manifest.License}}
	}
	var parts []cyclonedx.Component
	file := func(name string, data []byte) {
		parts = append(parts, cyclonedx.Component{
			BOMRef: "file:" + name, Type: cyclonedx.ComponentTypeFile, Name: name, Hashes: hashes(manifest.Sum(data)),
		})
	}
	if len(a.Wasm) > 0 {
		file(a.Manifest.Name+".wasm", a.Wasm)
	}
	for _, f := range slices.Concat(a.Documents, a.Vectors, a.Docs) {
		file(f.Path, f.Data)
	}
	deps = slices.Clone(deps)
	slices.SortFunc(deps, func(a, b Dependency) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	for _, x := range slices.Compact(deps) {
		if x.Name == "" || max(len(x.Name), len(x.Version), len(x.PURL)) > MaxTextBytes {
			return nil, fmt.Errorf("bill of materials of %s: dependency %.100q: want a name, and at most %d bytes each: %w", ref, x.Name, MaxTextBytes, registry.ErrInvalid)
		}
		parts = append(parts, cyclonedx.Component{
			BOMRef: "library:" + x.Name + "@" + x.Version, Type: cyclonedx.ComponentTypeLibrary, Name: x.Name, Version: x.Version, PackageURL: x.PURL,
			Hashes: sourceHashes(x.Digest),
		})
	}
	bom := cyclonedx.BOM{
		JSONSchema: "http://cyclonedx.org/schema/bom-1.6.schema.json", BOMFormat: cyclonedx.BOMFormat, SpecVersion: cyclonedx.SpecVersion1_6,
		Version: 1, Metadata: &cyclonedx.Metadata{Component: &main}, Components: &parts,
	}
	return sign.NewStatement(ref.String(), d, PredicateSBOM, bom)
}

func hashes(sum string) *[]cyclonedx.Hash {
	return &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: strings.TrimPrefix(sum, "sha256:")}}
}

// sourceHashes returns a dependency's digest where CycloneDX has a name for its algorithm.
func sourceHashes(d string) *[]cyclonedx.Hash {
	if _, err := registry.ParseDigest(d); err != nil {
		return nil
	}
	return hashes(d)
}

// ReadSBOM returns the CycloneDX document of a statement, as it was written. The error wraps registry.ErrInvalid.
func ReadSBOM(s sign.Statement) (*cyclonedx.BOM, error) {
	if s.PredicateType != PredicateSBOM {
		return nil, fmt.Errorf("bill of materials: predicate %.80q: %w", s.PredicateType, registry.ErrInvalid)
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(s.Predicate), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return nil, fmt.Errorf("bill of materials: %w: %w", err, registry.ErrInvalid)
	}
	if bom.BOMFormat != cyclonedx.BOMFormat || bom.Components == nil || len(*bom.Components) > 2*MaxDependencies {
		return nil, fmt.Errorf("bill of materials: want CycloneDX with at most %d components: %w", 2*MaxDependencies, registry.ErrInvalid)
	}
	return &bom, nil
}

// Bill is what a bill of materials lists, for people.
type Bill struct {
	Format string // "CycloneDX 1.6"
	Parts  []Part
}

// Part is one thing that an artifact consists of.
type Part struct {
	Kind string // "file", "library"
	Dependency
}

// BillOf reads a bill of materials. The error wraps registry.ErrInvalid.
func BillOf(s sign.Statement) (Bill, error) {
	bom, err := ReadSBOM(s)
	if err != nil {
		return Bill{}, err
	}
	b := Bill{Format: bom.BOMFormat + " " + bom.SpecVersion.String()}
	for _, c := range *bom.Components {
		b.Parts = append(b.Parts, Part{string(c.Type), Dependency{c.Name, c.Version, c.PackageURL, ""}})
	}
	return b, nil
}

// Build is who built an artifact from what.
type Build struct {
	Builder      string            // URI of who built it and is trusted for saying so
	Source       string            // URI of the source, "git+https://…@refs/tags/v1.2.0"
	SourceDigest string            // "gitCommit:…", "dirHash1:…" or "sha256:…"; may be empty
	Toolchain    map[string]string // "tinygo" → "0.41.1"
	Materials    []Material        // what went into it beside the source
	Started      time.Time         // zero: it is not said, so that the same build gives the same statement
	Finished     time.Time
}

// Material is something that a build has used.
type Material struct {
	URI    string // "pkg:golang/github.com/acme/kv@v1.2.0"
	Digest string // "dirHash1:…", "sha256:…"; may be empty
}

// provenance is the predicate of SLSA 1.0 as far as it is used here. Other builders write more; it is left out.
type provenance struct {
	BuildDefinition struct {
		BuildType            string            `json:"buildType"`
		ExternalParameters   map[string]string `json:"externalParameters"`
		InternalParameters   map[string]string `json:"internalParameters,omitempty"`
		ResolvedDependencies []resource        `json:"resolvedDependencies,omitempty"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
		Metadata struct {
			Started  time.Time `json:"startedOn,omitzero"`
			Finished time.Time `json:"finishedOn,omitzero"`
		} `json:"metadata"`
	} `json:"runDetails"`
}

type resource struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest,omitempty"`
}

func resourceOf(uri, digest string) resource {
	r := resource{URI: uri}
	if algorithm, hex, ok := strings.Cut(digest, ":"); ok {
		r.Digest = map[string]string{algorithm: hex}
	}
	return r
}

// digest is that of the algorithm that says most, of those that in-toto names.
func (r *resource) digest() string {
	for _, algorithm := range []string{"gitCommit", "sha1", "sha256", "dirHash1"} {
		if hex := r.Digest[algorithm]; hex != "" {
			return algorithm + ":" + hex
		}
	}
	return ""
}

// Provenance returns the statement that a builder makes about an artifact (SLSA 1.0). The error wraps
// registry.ErrInvalid.
func Provenance(ref registry.Ref, d registry.Digest, b Build) ([]byte, error) {
	if b.Builder == "" || b.Source == "" || max(len(b.Builder), len(b.Source), len(b.SourceDigest)) > MaxTextBytes || max(len(b.Toolchain), len(b.Materials)+1) > MaxDependencies {
		return nil, fmt.Errorf("provenance of %s: want builder and source, of at most %d bytes, and at most %d materials: %w", ref, MaxTextBytes, MaxDependencies-1, registry.ErrInvalid)
	}
	var p provenance
	p.BuildDefinition.BuildType = buildType
	p.BuildDefinition.ExternalParameters = map[string]string{"source": b.Source, "module": ref.String()}
	p.BuildDefinition.InternalParameters = b.Toolchain
	p.BuildDefinition.ResolvedDependencies = []resource{resourceOf(b.Source, b.SourceDigest)}
	materials := slices.Clone(b.Materials)
	slices.SortFunc(materials, func(a, b Material) int { return cmp.Or(cmp.Compare(a.URI, b.URI), cmp.Compare(a.Digest, b.Digest)) })
	for _, m := range slices.Compact(materials) {
		if m.URI == "" || max(len(m.URI), len(m.Digest)) > MaxTextBytes {
			return nil, fmt.Errorf("provenance of %s: material %.100q: want a URI, and at most %d bytes each: %w", ref, m.URI, MaxTextBytes, registry.ErrInvalid)
		}
		p.BuildDefinition.ResolvedDependencies = append(p.BuildDefinition.ResolvedDependencies, resourceOf(m.URI, m.Digest))
	}
	p.RunDetails.Builder.ID = b.Builder
	p.RunDetails.Metadata.Started = b.Started.UTC().Truncate(time.Second)
	p.RunDetails.Metadata.Finished = b.Finished.UTC().Truncate(time.Second)
	return sign.NewStatement(ref.String(), d, PredicateProvenance, p)
}

// ReadProvenance reads what any SLSA 1.0 builder has written. The error wraps registry.ErrInvalid.
func ReadProvenance(s sign.Statement) (Build, error) {
	if s.PredicateType != PredicateProvenance {
		return Build{}, fmt.Errorf("provenance: predicate %.80q: %w", s.PredicateType, registry.ErrInvalid)
	}
	// Parameters of other build types have other forms, so they are read only where they are ours.
	var p struct {
		BuildDefinition struct {
			BuildType            string          `json:"buildType"`
			InternalParameters   json.RawMessage `json:"internalParameters"`
			ResolvedDependencies []resource      `json:"resolvedDependencies"`
		} `json:"buildDefinition"`
		RunDetails struct {
			Builder struct {
				ID string `json:"id"`
			} `json:"builder"`
			Metadata struct {
				Started  time.Time `json:"startedOn"`
				Finished time.Time `json:"finishedOn"`
			} `json:"metadata"`
		} `json:"runDetails"`
	}
	if err := json.Unmarshal(s.Predicate, &p); err != nil {
		return Build{}, fmt.Errorf("provenance: %w: %w", err, registry.ErrInvalid)
	}
	if p.RunDetails.Builder.ID == "" || len(p.BuildDefinition.ResolvedDependencies) > MaxDependencies {
		return Build{}, fmt.Errorf("provenance: want a builder and at most %d dependencies: %w", MaxDependencies, registry.ErrInvalid)
	}
	b := Build{Builder: p.RunDetails.Builder.ID, Started: p.RunDetails.Metadata.Started, Finished: p.RunDetails.Metadata.Finished}
	for i, r := range p.BuildDefinition.ResolvedDependencies {
		if i == 0 { // whoever writes more than the source writes it first
			b.Source, b.SourceDigest = r.URI, r.digest()
			continue
		}
		b.Materials = append(b.Materials, Material{r.URI, r.digest()})
	}
	if p.BuildDefinition.BuildType == buildType && len(p.BuildDefinition.InternalParameters) > 0 {
		if err := json.Unmarshal(p.BuildDefinition.InternalParameters, &b.Toolchain); err != nil {
			return Build{}, fmt.Errorf("provenance: toolchain: %w: %w", err, registry.ErrInvalid)
		}
	}
	return b, nil
}
