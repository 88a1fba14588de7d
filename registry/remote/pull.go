package remote

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"oras.land/oras-go/v2/registry/remote"
)

// Admit decides whether what was pulled is stored, from the artifact and everything that refers to it: envelopes whose
// signatures it has to check. It is asked each time, also for what the layout has already.
type Admit func(ctx context.Context, a *registry.Artifact, d registry.Digest, envelopes [][]byte) error

// Pulled is what Pull has stored.
type Pulled struct {
	Ref       registry.Ref
	Digest    registry.Digest
	Referrers int
}

// errEnough ends a listing.
var errEnough = errors.New("enough")

// Pull copies a module and what refers to it into a layout: into the shared namespace, or an organization's. By version,
// by digest or by both, everything is verified and admit is asked before anything is stored; it may not be nil. The error
// wraps registry.ErrNotFound, ErrCorrupt, ErrInvalid, ErrConflict, ErrUntrusted, ErrDenied or ErrUnavailable.
func (r *Registry) Pull(ctx context.Context, ref Reference, into *layout.Layout, admit Admit) (Pulled, error) {
	if ref.Host != r.cfg.Host || ref.Prefix != r.cfg.Prefix || admit == nil {
		return Pulled{}, fmt.Errorf("pulling %s from %s: another registry's, or nobody decides: %w", ref, r.cfg.Host, registry.ErrInvalid)
	}
	done, err := r.pull(ctx, ref, into, admit)
	if err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", ref, kind(err))
	}
	return done, nil
}

func (r *Registry) pull(ctx context.Context, ref Reference, into *layout.Layout, admit Admit) (Pulled, error) {
	repo, err := r.repository(ref.Ref.Module())
	if err != nil {
		return Pulled{}, err
	}
	reference := string(ref.Digest)
	if ref.Version {
		reference = ref.Ref.Version
	}
	image, d, err := resolve(ctx, repo, reference)
	if err != nil {
		return Pulled{}, err
	}
	if ref.Digest != "" && d != ref.Digest {
		return Pulled{}, fmt.Errorf("the version names %s there: %w", d, registry.ErrUntrusted)
	}
	fetch := remember(firstLocal(into, download(repo)))
	a, err := layout.Read(ctx, image, fetch)
	if err != nil {
		return Pulled{}, err
	}
	own := registry.RefOf(&a.Manifest)
	if own.Module() != ref.Ref.Module() || ref.Version && own != ref.Ref {
		return Pulled{}, fmt.Errorf("the module calls itself %s: %w", own, registry.ErrInvalid)
	}
	referrers, err := r.referrers(ctx, repo, d, int64(len(image)))
	if err != nil {
		return Pulled{}, fmt.Errorf("what refers to it: %w", err)
	}
	envelopes := make([][]byte, len(referrers))
	for i, x := range referrers {
		envelopes[i] = x.envelope
	}
	if err := admit(ctx, &a, d, envelopes); err != nil {
		return Pulled{}, err
	}
	if _, err := into.Add(ctx, image, fetch); err != nil {
		return Pulled{}, err
	}
	for _, x := range referrers {
		if _, err := into.Add(ctx, x.image, x.fetch); err != nil {
			return Pulled{}, fmt.Errorf("what refers to it: %w", err)
		}
	}
	return Pulled{own, d, len(referrers)}, nil
}

// firstLocal takes a blob from the layout when it is there and sound, and from the registry otherwise: versions of one
// module often share their code.
func firstLocal(local *layout.Layout, far layout.Fetch) layout.Fetch {
	near := local.Fetch()
	return func(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
		if data, err := near(ctx, d, limit); err == nil {
			return data, nil
		}
		return far(ctx, d, limit)
	}
}

// remember keeps what was fetched, which is needed twice: to be judged and to be stored.
func remember(fetch layout.Fetch) layout.Fetch {
	have := map[digest.Digest][]byte{}
	return func(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
		if data, ok := have[d.Digest]; ok && int64(len(data)) == d.Size && d.Size <= limit {
			return data, nil
		}
		data, err := fetch(ctx, d, limit)
		if err == nil {
			have[d.Digest] = data
		}
		return data, err
	}
}

// document is a referrer that was fetched and is what its digest says.
type document struct {
	image    []byte
	envelope []byte
	fetch    layout.Fetch
}

func (r *Registry) referrers(ctx context.Context, repo *remote.Repository, d registry.Digest, size int64) ([]document, error) {
	subject := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(d), Size: size}
	var found []ocispec.Descriptor
	err := repo.Referrers(ctx, subject, "", func(page []ocispec.Descriptor) error {
		for _, x := range page {
			// Some registries list the config's type as the artifact's, so only the OCI manifest says what it is.
			possible := layout.IsReferrerType(x.ArtifactType) || x.ArtifactType == "" || x.ArtifactType == ocispec.MediaTypeEmptyJSON
			if !possible || x.MediaType != ocispec.MediaTypeImageManifest {
				continue
			}
			if len(found) == layout.MaxReferrers {
				return errEnough
			}
			found = append(found, x)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	list := make([]document, 0, len(found))
	for _, x := range found {
		image, err := fetchAll(ctx, repo.Manifests(), x, layout.MaxImageManifestBytes)
		if err != nil {
			return nil, err
		}
		if t, err := layout.ArtifactType(image); err != nil || !layout.IsReferrerType(t) {
			continue // somebody else's
		}
		fetch := remember(download(repo))
		about, envelope, err := layout.ReadReferrer(ctx, image, fetch)
		if err != nil {
			return nil, err
		}
		if about != d {
			return nil, fmt.Errorf("%s refers to %s: %w", registry.Digest(x.Digest).Short(), about.Short(), registry.ErrInvalid)
		}
		list = append(list, document{image, envelope, fetch})
	}
	return list, nil
}

// Copy copies a module and what refers to it from one registry to another by way of a layout, which keeps it: a mirror
// holds what it serves to the same rules.
func Copy(ctx context.Context, from, to *Registry, ref Reference, by *layout.Layout, admit Admit) (Pulled, error) {
	done, err := from.Pull(ctx, ref, by, admit)
	if err != nil {
		return Pulled{}, err
	}
	return done, to.Push(ctx, by, done.Digest)
}
