// Package remote copies modules with everything that refers to them between a layout and any OCI registry, and believes
// the registry nothing: what comes back is checked byte by byte, however it was asked for.
package remote

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"oras.land/oras-go/v2/errdef"
	oras "oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// indexRepository and indexTag are where the signed index lies below a registry's prefix.
const (
	indexRepository = "index"
	indexTag        = "latest"
)

// Config says how to reach a registry.
type Config struct {
	Host      string        // "registry.example.org", "localhost:5000"
	Prefix    string        // repositories are Prefix/publisher/name; default: publisher/name
	PlainHTTP bool          // default: https
	TLS       *tls.Config   // default: the system's authorities
	Username  string        // default: nobody in particular
	Password  string        // or a token, which many registries take in its place
	Timeout   time.Duration // of one request; default DefaultTimeout, at most MaxTimeout
}

// Registry is a remote registry. It may be used by several goroutines at once.
type Registry struct {
	cfg    Config
	client *auth.Client
}

// Open checks the configuration. It sends nothing. The error wraps registry.ErrInvalid.
func Open(cfg Config) (*Registry, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Timeout < 0 || cfg.Timeout > MaxTimeout {
		return nil, fmt.Errorf("registry %s: a timeout of %s, want up to %s: %w", cfg.Host, cfg.Timeout, MaxTimeout, registry.ErrInvalid)
	}
	if err := (oras.Reference{Registry: cfg.Host}).ValidateRegistry(); err != nil {
		return nil, fmt.Errorf("registry %.100q: want a host, and a port if need be: %w", cfg.Host, registry.ErrInvalid)
	}
	if cfg.Prefix != "" && (oras.Reference{Registry: cfg.Host, Repository: cfg.Prefix}).ValidateRepository() != nil {
		return nil, fmt.Errorf("registry %s: prefix %.100q is no repository's name: %w", cfg.Host, cfg.Prefix, registry.ErrInvalid)
	}
	if cfg.PlainHTTP && cfg.TLS != nil {
		return nil, fmt.Errorf("registry %s: plain HTTP with TLS settings: %w", cfg.Host, registry.ErrInvalid)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = cfg.TLS
	r := &Registry{cfg: cfg, client: &auth.Client{
		Client: &http.Client{Transport: transport, Timeout: cfg.Timeout}, Cache: auth.NewCache(),
		Header: http.Header{"User-Agent": {"vedette"}},
	}}
	if cfg.Username != "" || cfg.Password != "" {
		r.client.Credential = auth.StaticCredential(cfg.Host, auth.Credential{Username: cfg.Username, Password: cfg.Password})
	}
	return r, nil
}

// Close lets go of idle connections.
func (r *Registry) Close() { r.client.Client.CloseIdleConnections() }

// Reference returns where this registry has a module version.
func (r *Registry) Reference(ref registry.Ref) Reference {
	return Reference{Host: r.cfg.Host, Prefix: r.cfg.Prefix, Ref: ref, Version: ref.Version != ""}
}

func (r *Registry) repository(name string) (*remote.Repository, error) {
	if r.cfg.Prefix != "" {
		name = r.cfg.Prefix + "/" + name
	}
	repo, err := remote.NewRepository(r.cfg.Host + "/" + name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, registry.ErrInvalid)
	}
	repo.PlainHTTP, repo.Client, repo.MaxMetadataBytes = r.cfg.PlainHTTP, r.client, MaxMetadataBytes
	repo.SkipReferrersGC = true // registries that need the fallback tag rarely let clients delete
	return repo, nil
}

// kind gives an error of the client its kind.
func kind(err error) error {
	var res *errcode.ErrorResponse
	switch {
	case err == nil:
		return nil
	case errors.Is(err, registry.ErrCorrupt), errors.Is(err, registry.ErrInvalid), errors.Is(err, registry.ErrConflict),
		errors.Is(err, registry.ErrUntrusted), errors.Is(err, registry.ErrNotFound), errors.Is(err, registry.ErrExhausted),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, errdef.ErrNotFound):
		return fmt.Errorf("%w: %w", err, registry.ErrNotFound)
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return fmt.Errorf("%w: %w", err, registry.ErrDenied)
	case errors.As(err, &res) && (res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden):
		return fmt.Errorf("%w: %w", err, registry.ErrDenied)
	case errors.As(err, &res) && res.StatusCode == http.StatusMethodNotAllowed:
		return fmt.Errorf("%w: %w", err, registry.ErrUnsupported)
	case errors.As(err, &res) && res.StatusCode == http.StatusConflict:
		return fmt.Errorf("%w: %w", err, registry.ErrConflict)
	case errors.As(err, &res) && res.StatusCode == http.StatusBadRequest:
		return fmt.Errorf("%w: %w", err, registry.ErrInvalid)
	}
	return fmt.Errorf("%w: %w", err, registry.ErrUnavailable)
}

// Push copies an artifact and what refers to it from a layout. A version that the registry has with other content is
// registry.ErrConflict: not every registry refuses to move a tag. The error wraps registry.ErrDenied or ErrUnavailable
// when the registry does not want or does not answer.
func (r *Registry) Push(ctx context.Context, from *layout.Layout, d registry.Digest) error {
	a, err := from.Pull(ctx, d)
	if err != nil {
		return fmt.Errorf("pushing to %s: %w", r.cfg.Host, err)
	}
	ref := registry.RefOf(&a.Manifest)
	if err := r.push(ctx, from, ref, d); err != nil {
		return fmt.Errorf("pushing %s to %s: %w", ref, r.cfg.Host, kind(err))
	}
	return nil
}

func (r *Registry) push(ctx context.Context, from *layout.Layout, ref registry.Ref, d registry.Digest) error {
	repo, err := r.repository(ref.Module())
	if err != nil {
		return err
	}
	if have, err := repo.Resolve(ctx, ref.Version); err == nil && have.Digest != digest.Digest(d) {
		return fmt.Errorf("it has %s there, not %s: %w", registry.Digest(have.Digest).Short(), d.Short(), registry.ErrConflict)
	} else if err != nil && !errors.Is(err, errdef.ErrNotFound) {
		return err
	}
	fetch := from.Fetch()
	if err := upload(ctx, repo, from, fetch, d, ref.Version); err != nil {
		return err
	}
	list, err := from.Referrers(ctx, d, "")
	if err != nil {
		return err
	}
	for _, referrer := range list {
		if err := upload(ctx, repo, from, fetch, referrer.Digest, ""); err != nil {
			return fmt.Errorf("%s: %w", referrer.Type, err)
		}
	}
	return nil
}

// upload sends an OCI manifest after its blobs, with a tag if it has one.
func upload(ctx context.Context, repo *remote.Repository, from *layout.Layout, fetch layout.Fetch, d registry.Digest, tag string) error {
	image, err := from.Image(ctx, d)
	if err != nil {
		return err
	}
	parts, err := layout.Blobs(image)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if there, err := repo.Blobs().Exists(ctx, part); err != nil {
			return err
		} else if there {
			continue
		}
		data, err := fetch(ctx, part, layout.MaxBlobBytes)
		if err != nil {
			return err
		}
		if err := repo.Blobs().Push(ctx, part, bytes.NewReader(data)); err != nil {
			return err
		}
	}
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(d), Size: int64(len(image))}
	if tag != "" {
		return repo.PushReference(ctx, desc, bytes.NewReader(image), tag)
	}
	if there, err := repo.Manifests().Exists(ctx, desc); err != nil || there {
		return err
	}
	return repo.Push(ctx, desc, bytes.NewReader(image))
}

// Tags returns the versions of "publisher/name" that a registry lists, in its order. What is no version is left out.
func (r *Registry) Tags(ctx context.Context, module string) ([]string, error) {
	repo, err := r.repository(module)
	if err != nil {
		return nil, fmt.Errorf("versions of %s at %s: %w", module, r.cfg.Host, err)
	}
	var versions []string
	err = repo.Tags(ctx, "", func(page []string) error {
		for _, tag := range page {
			if _, err := registry.ParseRef(module + ":" + tag); err != nil {
				continue
			}
			if len(versions) == MaxTags {
				return fmt.Errorf("more than %d versions: %w", MaxTags, registry.ErrExhausted)
			}
			versions = append(versions, tag)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("versions of %s at %s: %w", module, r.cfg.Host, kind(err))
	}
	return versions, nil
}

// PushIndex copies the signed index that a layout holds. The error wraps registry.ErrUnsupported where none is kept: in the
// namespace of an organization at a host.
func (r *Registry) PushIndex(ctx context.Context, from *layout.Layout) error {
	_, d, err := from.Snapshot(ctx)
	if err != nil {
		return fmt.Errorf("pushing the index to %s: %w", r.cfg.Host, err)
	}
	repo, err := r.repository(indexRepository)
	if err != nil {
		return fmt.Errorf("pushing the index to %s: %w", r.cfg.Host, err)
	}
	shared := from.In(registry.Shared)
	if err := upload(ctx, repo, shared, shared.Fetch(), d, indexTag); err != nil {
		return fmt.Errorf("pushing the index to %s: %w", r.cfg.Host, kind(err))
	}
	return nil
}

// Index fetches the registry's signed index. Its signatures are for registry/index to check.
func (r *Registry) Index(ctx context.Context) (layout.Snapshot, error) {
	s, err := r.index(ctx)
	if err != nil {
		return layout.Snapshot{}, fmt.Errorf("index of %s: %w", r.cfg.Host, kind(err))
	}
	return s, nil
}

func (r *Registry) index(ctx context.Context) (layout.Snapshot, error) {
	repo, err := r.repository(indexRepository)
	if err != nil {
		return layout.Snapshot{}, err
	}
	image, _, err := resolve(ctx, repo, indexTag)
	if err != nil {
		return layout.Snapshot{}, err
	}
	return layout.ReadSnapshot(ctx, image, download(repo))
}

// resolve fetches the OCI manifest that a tag or digest names.
func resolve(ctx context.Context, repo *remote.Repository, reference string) ([]byte, registry.Digest, error) {
	desc, err := repo.Resolve(ctx, reference)
	if err != nil {
		return nil, "", err
	}
	d, err := registry.ParseDigest(string(desc.Digest))
	if err != nil {
		return nil, "", err
	}
	if strings.Contains(reference, ":") && string(d) != reference {
		return nil, "", fmt.Errorf("asked for %s it names %s: %w", reference, d, registry.ErrCorrupt)
	}
	if desc.MediaType != ocispec.MediaTypeImageManifest {
		return nil, "", fmt.Errorf("%s is a %.100q, want %s: %w", reference, desc.MediaType, ocispec.MediaTypeImageManifest, registry.ErrInvalid)
	}
	image, err := fetchAll(ctx, repo.Manifests(), desc, layout.MaxImageManifestBytes)
	return image, d, err
}

// download gives the blobs of a repository, verified.
func download(repo *remote.Repository) layout.Fetch {
	return func(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
		return fetchAll(ctx, repo.Blobs(), d, limit)
	}
}

type fetcher interface {
	Fetch(ctx context.Context, d ocispec.Descriptor) (io.ReadCloser, error)
}

func fetchAll(ctx context.Context, from fetcher, d ocispec.Descriptor, limit int64) ([]byte, error) {
	name, err := registry.ParseDigest(string(d.Digest))
	if err != nil {
		return nil, err
	}
	if d.Size < 0 || d.Size > limit {
		return nil, fmt.Errorf("%s has %d bytes, the limit is %d: %w", name.Short(), d.Size, limit, registry.ErrInvalid)
	}
	body, err := from.Fetch(ctx, d)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, d.Size+1))
	if err != nil {
		return nil, err
	}
	if err := layout.Verify(d, data); err != nil {
		return nil, fmt.Errorf("%s: %w", name.Short(), err)
	}
	return data, nil
}
