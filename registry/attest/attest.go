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

// Build is who built an artifact from what.
type Build struct {
	Builder      string            // URI of who built it and is trusted for saying so
	Source       string            // URI of the source, "git+https://…@refs/tags/v1.2.0"
	SourceDigest string            // "gitCommit:…" or "sha256:…"; may be empty
	Toolchain    map[string]string // "tinygo" → "0.41.1"
	Started      time.Time
	Finished     time.Time
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

// Provenance returns the statement that a builder makes about an artifact (SLSA 1.0). The error wraps
// registry.ErrInvalid.
func Provenance(ref registry.Ref, d registry.Digest, b Build) ([]byte, error) {
	if b.Builder == "" || b.Source == "" || max(len(b.Builder), len(b.Source), len(b.SourceDigest)) > MaxTextBytes || len(b.Toolchain) > MaxDependencies {
		return nil, fmt.Errorf("provenance of %s: want builder and source, of at most %d bytes: %w", ref, MaxTextBytes, registry.ErrInvalid)
	}
	var p provenance
	p.BuildDefinition.BuildType = buildType
	p.BuildDefinition.ExternalParameters = map[string]string{"source": b.Source, "module": ref.String()}
	p.BuildDefinition.InternalParameters = b.Toolchain
	source := resource{URI: b.Source}
	if algorithm, hex, ok := strings.Cut(b.SourceDigest, ":"); ok {
		source.Digest = map[string]string{algorithm: hex}
	}
	p.BuildDefinition.ResolvedDependencies = []resource{source}
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
	if deps := p.BuildDefinition.ResolvedDependencies; len(deps) > 0 {
		b.Source = deps[0].URI
		for _, algorithm := range []string{"gitCommit", "sha1", "sha256"} {
			if hex := deps[0].Digest[algorithm]; hex != "" {
				b.SourceDigest = algorithm + ":" + hex
				break
			}
		}
	}
	if p.BuildDefinition.BuildType == buildType && len(p.BuildDefinition.InternalParameters) > 0 {
		if err := json.Unmarshal(p.BuildDefinition.InternalParameters, &b.Toolchain); err != nil {
			return Build{}, fmt.Errorf("provenance: toolchain: %w: %w", err, registry.ErrInvalid)
		}
	}
	return b, nil
}

// Conformance is what the conformance suite found out about a module. A registry or a host signs it.
type Conformance struct {
	Level   int       `json:"level"`   // 0 to 5: the highest level of which every case passed
	Suite   string    `json:"suite"`   // version of the suite
	Host    string    `json:"host"`    // what it ran on, "vedette 1.4.0"
	Cases   int       `json:"cases"`   // passed
	Skipped int       `json:"skipped"` // that do not apply to the module
	At      time.Time `json:"at"`      // to the second, UTC
}

// Statement returns the report's statement. The error wraps registry.ErrInvalid.
func (c Conformance) Statement(ref registry.Ref, d registry.Digest) ([]byte, error) {
	c.At = c.At.UTC().Truncate(time.Second)
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("conformance of %s: %w", ref, err)
	}
	return sign.NewStatement(ref.String(), d, PredicateConformance, c)
}

func (c Conformance) check() error {
	if c.Level < 0 || c.Level > MaxLevel || c.Cases < 0 || c.Skipped < 0 || c.At.IsZero() || max(len(c.Suite), len(c.Host)) > MaxTextBytes {
		return fmt.Errorf("level %d with %d cases, %d skipped, at %s: want level 0 to %d: %w", c.Level, c.Cases, c.Skipped, c.At, MaxLevel, registry.ErrInvalid)
	}
	return nil
}

// ReadConformance reads a report. Its form is exact. The error wraps registry.ErrInvalid.
func ReadConformance(s sign.Statement) (Conformance, error) {
	var c Conformance
	if s.PredicateType != PredicateConformance {
		return c, fmt.Errorf("conformance: predicate %.80q: %w", s.PredicateType, registry.ErrInvalid)
	}
	if err := sign.Exact(s.Predicate, &c); err != nil {
		return Conformance{}, fmt.Errorf("conformance: %w", err)
	}
	if err := c.check(); err != nil {
		return Conformance{}, fmt.Errorf("conformance: %w", err)
	}
	return c, nil
}
