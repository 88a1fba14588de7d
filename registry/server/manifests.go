package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
)

func ociDigest(d registry.Digest) digest.Digest { return digest.Digest(d) }

func (s *Server) manifest(w http.ResponseWriter, r *http.Request, t target, reference string) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return s.getManifest(w, r, t, reference)
	case http.MethodPut:
		return s.putManifest(w, r, t, reference)
	}
	return errMethod
}

func (s *Server) getManifest(w http.ResponseWriter, r *http.Request, t target, reference string) error {
	d, err := s.resolve(r.Context(), t, reference)
	if err != nil {
		return inGet(err, codeManifestUnknown)
	}
	var image []byte
	for _, l := range t.places() {
		if image, err = l.Image(r.Context(), d); !errors.Is(err, registry.ErrNotFound) {
			break
		}
	}
	if err == nil {
		err = s.inRepository(r.Context(), t, d, image)
	}
	if err != nil {
		return inGet(err, codeManifestUnknown)
	}
	h := w.Header()
	h.Set("Content-Type", ocispec.MediaTypeImageManifest)
	h.Set("Docker-Content-Digest", string(d))
	h.Set("ETag", strconv.Quote(string(d)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(image))
	return nil
}

// resolve returns the digest that a tag or digest names in a repository.
func (s *Server) resolve(ctx context.Context, t target, reference string) (registry.Digest, error) {
	if strings.Contains(reference, ":") {
		return registry.ParseDigest(reference)
	}
	if t.module == "" {
		if reference != IndexTag {
			return "", registry.ErrNotFound
		}
		_, d, err := t.layout.Snapshot(ctx)
		return d, err
	}
	ref, err := registry.ParseRef(t.module + ":" + reference)
	if err != nil {
		return "", registry.ErrNotFound // tags are versions, so there is none of this name
	}
	for _, l := range t.places() {
		var d registry.Digest
		if d, err = l.Resolve(ctx, ref); !errors.Is(err, registry.ErrNotFound) {
			return d, err
		}
	}
	return "", err
}

// inRepository returns registry.ErrNotFound for another repository's module, and for what refers to one.
func (s *Server) inRepository(ctx context.Context, t target, d registry.Digest, image []byte) error {
	subject, err := layout.Subject(image)
	if err != nil {
		return err
	}
	if subject != "" {
		d = subject
	}
	list, err := s.list(ctx, t.ns, t.access)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Digest == d && e.Ref.Module() != t.module {
			return registry.ErrNotFound
		}
	}
	return nil
}

func (s *Server) putManifest(w http.ResponseWriter, r *http.Request, t target, reference string) error {
	image, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxManifestBytes))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fail(http.StatusRequestEntityTooLarge, codeManifestInvalid, "the manifest has more than %d bytes", MaxManifestBytes)
	}
	if err != nil {
		return fail(http.StatusBadRequest, codeManifestInvalid, "reading the manifest: %v", err)
	}
	if strings.Contains(reference, ":") && string(digest.FromBytes(image)) != reference {
		return fail(http.StatusBadRequest, codeDigestInvalid, "the manifest has not the digest %.80s", reference)
	}
	select {
	case s.puts <- struct{}{}:
		defer func() { <-s.puts }()
	case <-r.Context().Done():
		return fail(http.StatusTooManyRequests, codeTooMany, "the registry is busy")
	}
	added, err := s.store(r.Context(), t, reference, image)
	if err != nil {
		return inPut(err)
	}
	h := w.Header()
	h.Set("Docker-Content-Digest", string(added.Digest))
	h.Set("Location", "/v2/"+t.repository+"/manifests/"+string(added.Digest))
	if added.Subject != "" {
		h.Set("OCI-Subject", string(added.Subject))
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// store checks that an artifact fits the name under which it was sent and stores it.
func (s *Server) store(ctx context.Context, t target, reference string, image []byte) (layout.Added, error) {
	kind, err := layout.ArtifactType(image)
	if err != nil {
		return layout.Added{}, err
	}
	tagged := !strings.Contains(reference, ":")
	fetch := s.fetch(t)
	switch {
	case (kind == layout.TypeSnapshot) != (t.module == ""):
		return layout.Added{}, fail(http.StatusBadRequest, codeManifestInvalid, "a %s has no place in the repository %s", kind, t.repository)
	case kind == layout.TypeSnapshot:
		if err := s.admitIndex(ctx, reference, image, fetch); err != nil {
			return layout.Added{}, err
		}
	case kind == layout.TypeModule:
		a, err := layout.Read(ctx, image, fetch)
		if err != nil {
			return layout.Added{}, err
		}
		if ref := registry.RefOf(&a.Manifest); ref.Module() != t.module || tagged && ref.Version != reference {
			return layout.Added{}, fail(http.StatusBadRequest, codeManifestInvalid, "the module calls itself %s, and was sent as %s:%.80s", ref, t.repository, reference)
		}
		if s.cfg.Admit != nil {
			if err := s.cfg.Admit(ctx, t.ns, &a); err != nil {
				return layout.Added{}, err
			}
		}
	case tagged:
		return layout.Added{}, fail(http.StatusBadRequest, codeManifestInvalid, "only modules have tags; send what refers to them by digest")
	}
	added, err := t.layout.Add(ctx, image, fetch)
	if err == nil {
		s.uploads.forget(t.ns, image)
		s.cfg.Stored(t.ns, added)
	}
	return added, err
}

func (s *Server) admitIndex(ctx context.Context, reference string, image []byte, fetch layout.Fetch) error {
	if s.cfg.AdmitIndex == nil {
		return fail(http.StatusMethodNotAllowed, codeUnsupported, "the index of this registry is not replaced this way")
	}
	if strings.Contains(reference, ":") || reference != IndexTag {
		return fail(http.StatusBadRequest, codeManifestInvalid, "the index has the tag %s", IndexTag)
	}
	snapshot, err := layout.ReadSnapshot(ctx, image, fetch)
	if err != nil {
		return err
	}
	return s.cfg.AdmitIndex(ctx, snapshot)
}

// fetch looks for the blobs of a manifest among what was uploaded and what the repository shows.
func (s *Server) fetch(t target) layout.Fetch {
	return func(ctx context.Context, d ocispec.Descriptor, limit int64) ([]byte, error) {
		name, err := registry.ParseDigest(string(d.Digest))
		if err != nil {
			return nil, err
		}
		data, err := s.uploads.read(t.ns, name, limit)
		if err == nil {
			return data, layout.Verify(d, data)
		}
		if !errors.Is(err, registry.ErrNotFound) {
			return nil, err
		}
		for _, l := range t.places() {
			if _, err = l.BlobSize(name); err == nil {
				return l.Blob(ctx, d, limit)
			}
		}
		return nil, fail(http.StatusNotFound, codeManifestBlobUnknown, "blob %s is unknown to the registry", name)
	}
}
