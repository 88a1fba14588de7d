// Package registry names how modules travel and are trusted: as OCI artifacts, found by reference, held by digest.
package registry

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Error kinds of the room. Implementations wrap them with what they were doing.
var (
	ErrNotFound = errors.New("module not found")
	ErrInvalid  = errors.New("invalid module")     // what was handed in or read breaks a rule; the text says which
	ErrConflict = errors.New("version exists")     // a version never changes what it names; publish a new one
	ErrCorrupt  = errors.New("corrupted registry") // stored bytes are not what their digest says
)

// Artifact is a module as it is pushed and pulled. Pull hands out bytes that were verified; the caller owns them.
type Artifact = manifest.Package

// File is one document, vector or page of an Artifact.
type File = manifest.File

// Digest is the SHA-256 of an artifact's OCI manifest, "sha256:" and 64 lower-case hex digits. It names content and
// nothing else: what runs is recorded by digest, never by reference.
type Digest string

// ParseDigest checks the form. The error wraps ErrInvalid.
func ParseDigest(s string) (Digest, error) {
	hex, ok := strings.CutPrefix(s, "sha256:")
	if !ok || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", fmt.Errorf("digest %q: want sha256: and 64 lower-case hex digits: %w", s, ErrInvalid)
	}
	return Digest(s), nil
}

// Short returns the first 12 hex digits, for people.
func (d Digest) Short() string {
	hex := strings.TrimPrefix(string(d), "sha256:")
	return hex[:min(12, len(hex))]
}

// Ref is a module's version. Which content it names never changes.
type Ref struct {
	Publisher string
	Name      string
	Version   string // semantic version without build metadata
}

// RefOf returns the reference that a manifest gives itself.
func RefOf(m *manifest.Manifest) Ref { return Ref{m.Publisher, m.Name, m.Version} }

// Module returns "publisher/name".
func (r Ref) Module() string { return r.Publisher + "/" + r.Name }

// String returns "publisher/name:version".
func (r Ref) String() string { return r.Module() + ":" + r.Version }

// ParseRef reads the String form. The error wraps ErrInvalid.
func ParseRef(s string) (Ref, error) {
	module, version, ok1 := strings.Cut(s, ":")
	publisher, name, ok2 := strings.Cut(module, "/")
	v, err := semver.StrictNewVersion(version)
	if !ok1 || !ok2 || !manifest.ValidName(publisher) || !manifest.ValidName(name) || err != nil ||
		v.String() != version || v.Metadata() != "" || len(version) > manifest.MaxVersionBytes {
		return Ref{}, fmt.Errorf("reference %q: want publisher/name:version, such as vedette/fortigate:1.2.0: %w", s, ErrInvalid)
	}
	return Ref{publisher, name, version}, nil
}

// Entry is one version in a registry's listing.
type Entry struct {
	Ref    Ref
	Digest Digest
	Kind   manifest.Kind
	Title  string
}
