package sign

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// TypeStatement is the payload type of an in-toto statement, and statementType its "_type".
const (
	TypeStatement = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
)

// PredicateRelease is the predicate type of a Release.
const PredicateRelease = "https://github.com/vedette-siem/vedette/release/v1"

// Statement is an in-toto statement, version 1: somebody says Predicate about Subject.
type Statement struct {
	Type          string          `json:"_type"`
	Subject       []Subject       `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

// Subject is an artifact by its digest. The name is for people.
type Subject struct {
	Name   string            `json:"name,omitempty"`
	Digest map[string]string `json:"digest"` // "sha256" → hex
}

// NewStatement returns the canonical bytes of a statement about one artifact.
func NewStatement(name string, d registry.Digest, predicateType string, predicate any) ([]byte, error) {
	p, err := manifest.CanonicalJSON(predicate)
	if err != nil {
		return nil, fmt.Errorf("statement about %s: %w", name, err)
	}
	s := Statement{
		Type: statementType, PredicateType: predicateType, Predicate: p,
		Subject: []Subject{{Name: name, Digest: map[string]string{"sha256": strings.TrimPrefix(string(d), "sha256:")}}},
	}
	b, err := manifest.CanonicalJSON(s)
	if err != nil {
		return nil, fmt.Errorf("statement about %s: %w", name, err)
	}
	return b, nil
}

// ReadStatement reads a statement that somebody else may have written: members that it does not know are left out. The
// error wraps registry.ErrInvalid.
func ReadStatement(payload []byte) (Statement, error) {
	var s Statement
	if len(payload) > MaxPayloadBytes {
		return s, fmt.Errorf("statement of %d bytes, the limit is %d: %w", len(payload), MaxPayloadBytes, registry.ErrInvalid)
	}
	if err := json.Unmarshal(payload, &s); err != nil {
		return Statement{}, fmt.Errorf("statement: %w: %w", err, registry.ErrInvalid)
	}
	if s.Type != statementType || len(s.Subject) == 0 || len(s.Subject) > MaxSubjects {
		return Statement{}, fmt.Errorf("statement of type %.80q with %d subjects, want %q with 1 to %d: %w", s.Type, len(s.Subject), statementType, MaxSubjects, registry.ErrInvalid)
	}
	return s, nil
}

// About reports whether the statement is about an artifact.
func (s *Statement) About(d registry.Digest) bool {
	for _, subject := range s.Subject {
		if "sha256:"+subject.Digest["sha256"] == string(d) {
			return true
		}
	}
	return false
}

// Release is what a publisher signs: this content is that version of that module. The same key signs for several
// modules, so the name is part of it; without it a signed package could be shown under another one.
type Release struct {
	Publisher string          `json:"publisher"`
	Name      string          `json:"name"`
	Version   string          `json:"version"`
	Digest    registry.Digest `json:"digest"`             // of the artifact
	Manifest  registry.Digest `json:"manifest"`           // of the manifest's canonical form
	Audience  string          `json:"audience,omitempty"` // the one site that it is meant for; empty for all
	Signed    time.Time       `json:"signed"`             // to the second, UTC
}

// NewRelease describes an artifact. audience may be empty.
func NewRelease(a *registry.Artifact, d registry.Digest, audience string, now time.Time) Release {
	return Release{
		Publisher: a.Manifest.Publisher, Name: a.Manifest.Name, Version: a.Manifest.Version, Digest: d,
		Manifest: registry.Digest(manifest.Sum(a.ManifestBytes)), Audience: audience, Signed: now.UTC().Truncate(time.Second),
	}
}

// Ref returns the name that the release vouches for.
func (r Release) Ref() registry.Ref {
	return registry.Ref{Publisher: r.Publisher, Name: r.Name, Version: r.Version}
}

// Seal signs the release. The error wraps registry.ErrInvalid.
func (r Release) Seal(keys ...PrivateKey) (Envelope, error) {
	if err := r.check(); err != nil {
		return Envelope{}, fmt.Errorf("signing %s: %w", r.Ref(), err)
	}
	payload, err := NewStatement(r.Ref().String(), r.Digest, PredicateRelease, r)
	if err != nil {
		return Envelope{}, fmt.Errorf("signing: %w", err)
	}
	return Seal(TypeStatement, payload, keys...)
}

func (r Release) check() error {
	if _, err := registry.ParseRef(r.Ref().String()); err != nil {
		return err
	}
	for _, d := range []registry.Digest{r.Digest, r.Manifest} {
		if _, err := registry.ParseDigest(string(d)); err != nil {
			return err
		}
	}
	if len(r.Audience) > MaxAudienceBytes || r.Signed.IsZero() {
		return fmt.Errorf("release: audience of %d bytes, the limit is %d, signed %s: %w", len(r.Audience), MaxAudienceBytes, r.Signed, registry.ErrInvalid)
	}
	return nil
}

// ReadRelease reads the release in a statement. Its form is exact: what a newer signer has added, such as a restriction,
// must not be half understood. The error wraps registry.ErrInvalid.
func ReadRelease(s Statement) (Release, error) {
	var r Release
	if s.PredicateType != PredicateRelease {
		return r, fmt.Errorf("release: predicate %.80q, want %q: %w", s.PredicateType, PredicateRelease, registry.ErrInvalid)
	}
	if err := Exact(s.Predicate, &r); err != nil {
		return Release{}, fmt.Errorf("release: %w", err)
	}
	if err := r.check(); err != nil {
		return Release{}, err
	}
	if !s.About(r.Digest) {
		return Release{}, fmt.Errorf("release: %s is not what the statement is about: %w", r.Digest.Short(), registry.ErrInvalid)
	}
	return r, nil
}

// Exact reads JSON that was written here: it must be the canonical form of what it says, so no member can be unknown, be
// there twice or be spelled in another way. The error wraps registry.ErrInvalid.
func Exact(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", err, registry.ErrInvalid)
	}
	canonical, err := manifest.CanonicalJSON(into)
	if err != nil {
		return fmt.Errorf("%w: %w", err, registry.ErrInvalid)
	}
	if !bytes.Equal(canonical, data) {
		return fmt.Errorf("it is not in canonical form: %w", registry.ErrInvalid)
	}
	return nil
}
