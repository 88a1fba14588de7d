package remote

import (
	"fmt"
	"strings"

	"github.com/vedette-siem/vedette/registry"
	oras "oras.land/oras-go/v2/registry"
)

// Reference is a module in some registry: "registry.example.org/team/acme/fortigate:1.2.0@sha256:…". The version or the
// digest may be missing; with both, the version has to name the digest.
type Reference struct {
	Host    string // "registry.example.org", "localhost:5000"
	Prefix  string // "team": what stands before publisher and name; may be empty
	Ref     registry.Ref
	Digest  registry.Digest
	Version bool // Ref.Version is known
}

// ParseReference reads the form above. The error wraps registry.ErrInvalid.
func ParseReference(s string) (Reference, error) {
	wrong := func() (Reference, error) {
		return Reference{}, fmt.Errorf("reference %.300q: want HOST/publisher/name:version, with @sha256:… beside or instead of the version: %w", s, registry.ErrInvalid)
	}
	var r Reference
	name, digest, pinned := strings.Cut(s, "@")
	if pinned {
		d, err := registry.ParseDigest(digest)
		if err != nil {
			return wrong()
		}
		r.Digest = d
	}
	slash := strings.LastIndexByte(name, '/')
	version := "0.0.0" // only to check the form of the rest
	if at := strings.LastIndexByte(name, ':'); at > slash {
		name, version, r.Version = name[:at], name[at+1:], true
	}
	parts := strings.Split(name, "/")
	if len(parts) < 3 || !r.Version && !pinned || len(name) > MaxNameBytes {
		return wrong()
	}
	ref, err := registry.ParseRef(strings.Join(parts[len(parts)-2:], "/") + ":" + version)
	if err != nil {
		return wrong()
	}
	if r.Ref = ref; !r.Version {
		r.Ref.Version = ""
	}
	r.Host, r.Prefix = parts[0], strings.Join(parts[1:len(parts)-2], "/")
	if (oras.Reference{Registry: r.Host}).ValidateRegistry() != nil ||
		r.Prefix != "" && (oras.Reference{Registry: r.Host, Repository: r.Prefix}).ValidateRepository() != nil {
		return wrong()
	}
	return r, nil
}

// String returns the form that ParseReference reads.
func (r Reference) String() string {
	s := r.Host + "/"
	if r.Prefix != "" {
		s += r.Prefix + "/"
	}
	s += r.Ref.Module()
	if r.Version {
		s += ":" + r.Ref.Version
	}
	if r.Digest != "" {
		s += "@" + string(r.Digest)
	}
	return s
}
