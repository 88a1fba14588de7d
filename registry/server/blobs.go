package server

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/vedette-siem/vedette/registry"
)

func (s *Server) blob(w http.ResponseWriter, r *http.Request, t target, rest string) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return errMethod
	}
	d, err := registry.ParseDigest(rest)
	if err != nil {
		return fail(http.StatusBadRequest, codeDigestInvalid, "%v", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Docker-Content-Digest", string(d))
	h.Set("ETag", strconv.Quote(string(d)))
	size, err := s.blobSize(t, d)
	if err != nil {
		return inGet(err, codeBlobUnknown)
	}
	if r.Method == http.MethodHead {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
		return nil
	}
	data, err := s.fetch(t)(r.Context(), ocispec.Descriptor{Digest: ociDigest(d), Size: size}, MaxBlobBytes)
	if err != nil {
		return inGet(err, codeBlobUnknown)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}

func (s *Server) blobSize(t target, d registry.Digest) (int64, error) {
	if size, ok := s.uploads.size(t.ns, d); ok {
		return size, nil
	}
	for _, l := range t.places() {
		if size, err := l.BlobSize(d); !errors.Is(err, registry.ErrNotFound) {
			return size, err
		}
	}
	return 0, registry.ErrNotFound
}

func (s *Server) upload(w http.ResponseWriter, r *http.Request, t target, id string) error {
	if id == "" {
		if r.Method != http.MethodPost {
			return errMethod
		}
		return s.beginUpload(w, r, t)
	}
	session, err := s.uploads.find(t, id)
	if err != nil {
		return err
	}
	defer s.uploads.release(session)
	switch r.Method {
	case http.MethodGet:
		uploadStatus(w, session, http.StatusNoContent)
	case http.MethodDelete:
		s.uploads.drop(session)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPatch:
		if err := s.append(r, session); err != nil {
			return err
		}
		uploadStatus(w, session, http.StatusAccepted)
	case http.MethodPut:
		return s.finishUpload(w, r, session)
	default:
		return errMethod
	}
	return nil
}

func (s *Server) beginUpload(w http.ResponseWriter, r *http.Request, t target) error {
	q := r.URL.Query()
	if mount, err := registry.ParseDigest(q.Get("mount")); err == nil {
		// What the repository shows already need not be sent again. From elsewhere nothing is mounted: an answer would
		// say what is there.
		if _, err := s.blobSize(t, mount); err == nil {
			blobCreated(w, t.repository, mount)
			return nil
		}
	}
	session, err := s.uploads.begin(t)
	if err != nil {
		return err
	}
	session.mu.Lock()
	defer s.uploads.release(session)
	if q.Get("digest") != "" {
		return s.finishUpload(w, r, session)
	}
	uploadStatus(w, session, http.StatusAccepted)
	return nil
}

// append writes a request's body to a session, at the place where it says that it belongs.
func (s *Server) append(r *http.Request, u *session) error {
	if text := r.Header.Get("Content-Range"); text != "" {
		start, end, ok := contentRange(text)
		if !ok || start != u.size || r.ContentLength >= 0 && end-start+1 != r.ContentLength {
			return fail(http.StatusRequestedRangeNotSatisfiable, codeUploadInvalid, "a chunk %.80q after %d bytes", text, u.size)
		}
	}
	if err := u.write(r.Body); err != nil {
		s.uploads.drop(u)
		return err
	}
	return nil
}

func (s *Server) finishUpload(w http.ResponseWriter, r *http.Request, u *session) error {
	d, err := registry.ParseDigest(r.URL.Query().Get("digest"))
	if err != nil {
		return fail(http.StatusBadRequest, codeDigestInvalid, "%v", err)
	}
	if err := s.append(r, u); err != nil {
		return err
	}
	if err := s.uploads.finish(u, d); err != nil {
		s.uploads.drop(u)
		return err
	}
	blobCreated(w, u.repository, d)
	return nil
}

func blobCreated(w http.ResponseWriter, repository string, d registry.Digest) {
	w.Header().Set("Location", "/v2/"+repository+"/blobs/"+string(d))
	w.Header().Set("Docker-Content-Digest", string(d))
	w.WriteHeader(http.StatusCreated)
}

func uploadStatus(w http.ResponseWriter, u *session, status int) {
	h := w.Header()
	h.Set("Location", "/v2/"+u.repository+"/blobs/uploads/"+u.id)
	h.Set("Docker-Upload-UUID", u.id)
	h.Set("Range", "0-"+strconv.FormatInt(max(0, u.size-1), 10))
	h.Set("Content-Length", "0")
	w.WriteHeader(status)
}
