// Package index says which versions there are and which must not run: a signed list that cannot be rolled back, frozen or
// mixed with another one.
//
// It is a small part of The Update Framework (theupdateframework.io/spec, version 1.0): a root that names keys and
// thresholds and hands over to its successor, and one list in the place of targets, snapshot and timestamp, which
// TUF splits so that large lists need not be signed anew each day. The list of a module registry is small.
package index

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// TypeIndex is the payload type of a signed index.
const TypeIndex = "application/vnd.vedette.index.v1+json"

// Channel is a name that moves from version to version.
type Channel string

// The channels.
const (
	Stable Channel = "stable"
	Beta   Channel = "beta"
	Canary Channel = "canary"
)

// Index is the list. Its form when signed is canonical JSON.
type Index struct {
	Registry string             `json:"registry"` // whose list it is; the same as the root's
	Version  uint64             `json:"version"`  // only grows
	Root     uint64             `json:"root"`     // version of the root that was in force
	Issued   time.Time          `json:"issued"`   // to the second, UTC
	Expires  time.Time          `json:"expires"`  // from then on a newer one may have been held back
	Modules  map[string]*Module `json:"modules"`  // by "publisher/name"

	revoked map[registry.Digest]*Note // content that is revoked under any name
}

// Module is the versions of one module.
type Module struct {
	Versions map[string]*Version `json:"versions"`
	Channels map[Channel]string  `json:"channels,omitempty"`
}

// Version is what a version names and what is said about it.
type Version struct {
	Digest     registry.Digest `json:"digest"`
	Deprecated *Note           `json:"deprecated,omitempty"` // there is something better
	Yanked     *Note           `json:"yanked,omitempty"`     // it is not installed any more
	Revoked    *Note           `json:"revoked,omitempty"`    // it stops
}

// Note says why.
type Note struct {
	Reason      string    `json:"reason"`
	Replacement string    `json:"replacement,omitempty"` // "publisher/name:version"
	At          time.Time `json:"at"`                    // to the second, UTC
}

// New returns the first, empty index of a registry.
func New(root *Root) *Index {
	return &Index{Registry: root.Registry, Root: root.Version, Modules: map[string]*Module{}}
}

// Standing says what the index says about an artifact.
func (x *Index) Standing(ref registry.Ref, d registry.Digest) registry.Standing {
	var s registry.Standing
	set := func(n *Note, flag *bool) {
		if n != nil {
			*flag, s.Reason, s.Replacement = true, n.Reason, n.Replacement
		}
	}
	if m := x.Modules[ref.Module()]; m != nil {
		if v := m.Versions[ref.Version]; v != nil {
			s.Listed = v.Digest == d
			set(v.Deprecated, &s.Deprecated)
			set(v.Yanked, &s.Yanked)
			set(v.Revoked, &s.Revoked)
		}
	}
	set(x.revoked[d], &s.Revoked)
	return s
}

// Resolve finds the version that a channel ("stable"), a version ("1.2.0") or a constraint ("^1.2", ">=1.0.0 <2.0.0")
// names, of those that may be installed: the highest. A constraint finds pre-releases only when it names one. The error
// wraps registry.ErrNotFound or ErrInvalid.
func (x *Index) Resolve(module, want string) (registry.Ref, registry.Digest, error) {
	none := fmt.Errorf("%s %.100s: the index has no such version: %w", module, want, registry.ErrNotFound)
	m := x.Modules[module]
	if m == nil {
		return registry.Ref{}, "", none
	}
	if v, ok := m.Channels[Channel(want)]; ok {
		want = v
	}
	fits := func(v string) bool { return v == want }
	if m.Versions[want] == nil {
		c, err := semver.NewConstraint(want)
		if err != nil {
			if knownChannel(Channel(want)) {
				return registry.Ref{}, "", none
			}
			return registry.Ref{}, "", fmt.Errorf("%s %.100q: want a channel, a version or a constraint such as ^1.2: %w", module, want, registry.ErrInvalid)
		}
		fits = func(v string) bool {
			parsed, err := semver.StrictNewVersion(v)
			return err == nil && c.Check(parsed)
		}
	}
	best := ""
	for v, entry := range m.Versions {
		if entry.Yanked == nil && x.revoked[entry.Digest] == nil && fits(v) && (best == "" || registry.CompareVersions(v, best) > 0) {
			best = v
		}
	}
	if best == "" {
		return registry.Ref{}, "", none
	}
	ref, err := registry.ParseRef(module + ":" + best)
	return ref, m.Versions[best].Digest, err
}

func knownChannel(c Channel) bool { return c == Stable || c == Beta || c == Canary }

// Next returns a copy to change and sign: the version after this one, good from now for as long as lifetime.
func (x *Index) Next(root *Root, now time.Time, lifetime time.Duration) *Index {
	next := &Index{
		Registry: x.Registry, Version: x.Version + 1, Root: root.Version, Issued: second(now), Expires: second(now.Add(lifetime)),
		Modules: make(map[string]*Module, len(x.Modules)),
	}
	for name, m := range x.Modules {
		c := &Module{Versions: make(map[string]*Version, len(m.Versions)), Channels: maps.Clone(m.Channels)}
		for v, entry := range m.Versions {
			e := *entry
			c.Versions[v] = &e
		}
		next.Modules[name] = c
	}
	return next
}

func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// Add lists a version. Adding it again changes nothing; other content under a version that is listed is
// registry.ErrConflict.
func (x *Index) Add(ref registry.Ref, d registry.Digest) error {
	if _, err := registry.ParseRef(ref.String()); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	if _, err := registry.ParseDigest(string(d)); err != nil {
		return fmt.Errorf("index: %s: %w", ref, err)
	}
	m := x.Modules[ref.Module()]
	if m == nil {
		m = &Module{Versions: map[string]*Version{}}
		x.Modules[ref.Module()] = m
	}
	if v := m.Versions[ref.Version]; v == nil {
		m.Versions[ref.Version] = &Version{Digest: d}
	} else if v.Digest != d {
		return fmt.Errorf("index: %s names %s, not %s: %w", ref, v.Digest.Short(), d.Short(), registry.ErrConflict)
	}
	return nil
}

// SetChannel moves a channel to a version, or with "" removes it. A version that is yanked or revoked has no channel.
func (x *Index) SetChannel(module string, c Channel, version string) error {
	m := x.Modules[module]
	switch {
	case !knownChannel(c):
		return fmt.Errorf("index: channel %.80q: want stable, beta or canary: %w", c, registry.ErrInvalid)
	case m == nil:
		return fmt.Errorf("index: %s: %w", module, registry.ErrNotFound)
	case version == "":
		delete(m.Channels, c)
		return nil
	}
	v := m.Versions[version]
	if v == nil {
		return fmt.Errorf("index: %s:%s: %w", module, version, registry.ErrNotFound)
	}
	if v.Yanked != nil || v.Revoked != nil {
		return fmt.Errorf("index: %s:%s is yanked or revoked and cannot be %s: %w", module, version, c, registry.ErrInvalid)
	}
	if m.Channels == nil {
		m.Channels = map[Channel]string{}
	}
	m.Channels[c] = version
	return nil
}

// Deprecate says that there is something better. A nil note takes it back.
func (x *Index) Deprecate(ref registry.Ref, n *Note) error {
	return x.mark(ref, n, func(v *Version) **Note { return &v.Deprecated })
}

// Yank keeps a version from being installed. A nil note takes it back.
func (x *Index) Yank(ref registry.Ref, n *Note) error {
	return x.mark(ref, n, func(v *Version) **Note { return &v.Yanked })
}

// Revoke stops a version wherever it runs. It is not taken back: publish a new version.
func (x *Index) Revoke(ref registry.Ref, n Note) error {
	return x.mark(ref, &n, func(v *Version) **Note { return &v.Revoked })
}

func (x *Index) mark(ref registry.Ref, n *Note, place func(*Version) **Note) error {
	m := x.Modules[ref.Module()]
	if m == nil || m.Versions[ref.Version] == nil {
		return fmt.Errorf("index: %s: %w", ref, registry.ErrNotFound)
	}
	v := m.Versions[ref.Version]
	if n != nil {
		c := *n
		n, c.At = &c, second(c.At)
	}
	*place(v) = n
	if v.Yanked != nil || v.Revoked != nil {
		for c, version := range m.Channels {
			if version == ref.Version {
				delete(m.Channels, c)
			}
		}
	}
	return nil
}

// Changed lists the versions that this index has and an older one has not, or about which it says something else,
// sorted: what a client looks at again after an update.
func (x *Index) Changed(older *Index) []registry.Ref {
	var list []registry.Ref
	for name, m := range x.Modules {
		for version := range m.Versions {
			ref, err := registry.ParseRef(name + ":" + version)
			if err != nil {
				continue
			}
			d := m.Versions[version].Digest
			if older == nil || older.Standing(ref, d) != x.Standing(ref, d) {
				list = append(list, ref)
			}
		}
	}
	slices.SortFunc(list, func(a, b registry.Ref) int {
		return cmp.Or(cmp.Compare(a.Module(), b.Module()), registry.CompareVersions(a.Version, b.Version))
	})
	return list
}

// Seal signs the index and returns the envelope's bytes. The error wraps registry.ErrInvalid.
func (x *Index) Seal(keys ...sign.PrivateKey) ([]byte, error) {
	if err := x.check(); err != nil {
		return nil, fmt.Errorf("signing the index: %w", err)
	}
	return seal(TypeIndex, x, keys)
}

func seal(payloadType string, v any, keys []sign.PrivateKey) ([]byte, error) {
	payload, err := manifest.CanonicalJSON(v)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	e, err := sign.Seal(payloadType, payload, keys...)
	if err != nil {
		return nil, err
	}
	return e.Encode()
}

// check verifies the index by itself, and gathers what is revoked.
func (x *Index) check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("index %d: %s: %w", x.Version, fmt.Sprintf(format, args...), registry.ErrInvalid)
	}
	if err := checkHead(x.Registry, x.Version, x.Expires); err != nil {
		return wrong("%v", err)
	}
	if life := x.Expires.Sub(x.Issued); x.Issued.IsZero() || life <= 0 || life > MaxLifetime || x.Root == 0 || x.Modules == nil {
		return wrong("issued %s under root %d, expires %s: want a lifetime of at most %s", x.Issued, x.Root, x.Expires, MaxLifetime)
	}
	total := 0
	x.revoked = map[registry.Digest]*Note{}
	for name, m := range x.Modules {
		if m == nil || len(m.Versions) == 0 {
			return wrong("%.150s has no versions", name)
		}
		if total += len(m.Versions); total > MaxVersions {
			return wrong("more than %d versions", MaxVersions)
		}
		for version, v := range m.Versions {
			ref, err := registry.ParseRef(name + ":" + version)
			if err != nil {
				return wrong("%v", err)
			}
			if v == nil {
				return wrong("%s is empty", ref)
			}
			if _, err := registry.ParseDigest(string(v.Digest)); err != nil {
				return wrong("%s: %v", ref, err)
			}
			for _, n := range []*Note{v.Deprecated, v.Yanked, v.Revoked} {
				if err := n.check(); err != nil {
					return wrong("%s: %v", ref, err)
				}
			}
			if v.Revoked != nil {
				x.revoked[v.Digest] = v.Revoked
			}
		}
		for c, version := range m.Channels {
			if v := m.Versions[version]; !knownChannel(c) || v == nil || v.Yanked != nil || v.Revoked != nil {
				return wrong("%s: channel %.80q names %.80q", name, c, version)
			}
		}
	}
	return nil
}

func (n *Note) check() error {
	if n == nil {
		return nil
	}
	if n.Reason == "" || len(n.Reason) > MaxReasonBytes || n.At.IsZero() {
		return fmt.Errorf("a reason of %d bytes at %s, want 1 to %d", len(n.Reason), n.At, MaxReasonBytes)
	}
	if n.Replacement != "" {
		if _, err := registry.ParseRef(n.Replacement); err != nil {
			return err
		}
	}
	return nil
}
