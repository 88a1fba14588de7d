// Package registry names how modules travel and are trusted: as OCI artifacts, found by reference, held by digest.
package registry

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
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

	ErrUntrusted = errors.New("not trusted") // a signature is missing or wrong, or a policy or the signed index says no
	ErrExhausted = errors.New("limit reached")

	ErrDenied      = errors.New("access denied")          // a remote registry does not let us
	ErrUnsupported = errors.New("not supported")          // or does not keep such a thing
	ErrUnavailable = errors.New("registry not reachable") // or it does not answer as one
)

// Artifact is a module as it is pushed and pulled. Pull hands out bytes that were verified; the caller owns them.
type Artifact = manifest.Package

// File is one document, vector or page of an Artifact.
type File = manifest.File

// Namespace separates what belongs to one organization from what all share. Neither the content nor the existence of what
// stands in one organization's namespace shows in another's. The number is the organization's.
type Namespace uint32

// Shared is the namespace that every organization reads.
const Shared Namespace = 0

// tenantPrefix begins the names of namespaces and of publishers that belong to one organization.
const tenantPrefix = "t-"

// String returns "shared", or "t-7" for organization 7.
func (n Namespace) String() string {
	if n == Shared {
		return "shared"
	}
	return tenantPrefix + strconv.FormatUint(uint64(n), 10)
}

// ParseNamespace reads the String form. The error wraps ErrInvalid.
func ParseNamespace(s string) (Namespace, error) {
	if s == Shared.String() {
		return Shared, nil
	}
	digits, ok := strings.CutPrefix(s, tenantPrefix)
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || n == 0 || Namespace(n).String() != s {
		return Shared, fmt.Errorf("namespace %q: want shared, or t- and an organization's number: %w", s, ErrInvalid)
	}
	return Namespace(n), nil
}

// Takes reports whether a publisher's modules may stand in the namespace: the publisher "t-7" is organization 7's own
// and stands nowhere else. The error wraps ErrInvalid.
func (n Namespace) Takes(publisher string) error {
	if strings.HasPrefix(publisher, tenantPrefix) && publisher != n.String() {
		return fmt.Errorf("publisher %q belongs to one organization and has no place in the namespace %s: %w", publisher, n, ErrInvalid)
	}
	return nil
}

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

// CompareVersions orders semantic versions, and what is none by its text.
func CompareVersions(a, b string) int {
	va, err1 := semver.StrictNewVersion(a)
	vb, err2 := semver.StrictNewVersion(b)
	if err1 != nil || err2 != nil {
		return strings.Compare(a, b)
	}
	return va.Compare(vb)
}

// Entry is one version in a registry's listing.
type Entry struct {
	Ref       Ref
	Digest    Digest
	Kind      manifest.Kind
	Title     string
	Namespace Namespace // whose it is
}

// CompareEntries orders a listing: by module, and then the newest first.
func CompareEntries(a, b Entry) int {
	return cmp.Or(cmp.Compare(a.Ref.Module(), b.Ref.Module()), -CompareVersions(a.Ref.Version, b.Ref.Version))
}

// Standing is what a registry's signed index says about a version. A version that is yanked is not installed any more,
// and runs on where it does; one that is revoked stops.
type Standing struct {
	Listed      bool // the index knows this content under this name
	Deprecated  bool // there is something better
	Yanked      bool
	Revoked     bool
	Reason      string // of what is set, for people
	Replacement string // "publisher/name:version" to go to, or ""
}
