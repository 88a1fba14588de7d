package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/vedette-siem/vedette/registry"
)

// ErrUnauthenticated is what Authorize wraps when it does not know who asks: the client is told to log in.
var ErrUnauthenticated = errors.New("not authenticated")

// The codes of the OCI distribution specification that are used here.
const (
	codeBlobUnknown         = "BLOB_UNKNOWN"
	codeUploadInvalid       = "BLOB_UPLOAD_INVALID"
	codeUploadUnknown       = "BLOB_UPLOAD_UNKNOWN"
	codeDigestInvalid       = "DIGEST_INVALID"
	codeManifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
	codeManifestInvalid     = "MANIFEST_INVALID"
	codeManifestUnknown     = "MANIFEST_UNKNOWN"
	codeNameInvalid         = "NAME_INVALID"
	codeNameUnknown         = "NAME_UNKNOWN"
	codeSizeInvalid         = "SIZE_INVALID"
	codeUnauthorized        = "UNAUTHORIZED"
	codeDenied              = "DENIED"
	codeUnsupported         = "UNSUPPORTED"
	codeTooMany             = "TOOMANYREQUESTS"
	codeUnknown             = "UNKNOWN"
)

// failure is an error with its place in the protocol.
type failure struct {
	status int
	code   string
	text   string
}

func (f *failure) Error() string { return f.code + ": " + f.text }

func fail(status int, code, format string, args ...any) error {
	return &failure{status, code, fmt.Sprintf(format, args...)}
}

var (
	errNameUnknown = &failure{http.StatusNotFound, codeNameUnknown, "repository name not known to registry"}
	errMethod      = &failure{http.StatusMethodNotAllowed, codeUnsupported, "the operation is unsupported: a version stays what it is"}
)

// inPut gives an error of storing an artifact its place. The texts are about what the client has sent.
func inPut(err error) error {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, registry.ErrConflict):
		return fail(http.StatusConflict, codeDenied, "a version never changes: give the new one another number: %v", err)
	case errors.Is(err, registry.ErrExhausted):
		return fail(http.StatusForbidden, codeDenied, "%v", err)
	case errors.Is(err, registry.ErrUntrusted):
		return fail(http.StatusForbidden, codeDenied, "%v", err)
	case errors.Is(err, registry.ErrInvalid), errors.Is(err, registry.ErrCorrupt):
		return fail(http.StatusBadRequest, codeManifestInvalid, "%v", err)
	}
	return err
}

// inGet gives an error of reading its place. What is wrong inside is nobody's business.
func inGet(err error, code string) error {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, registry.ErrNotFound):
		return fail(http.StatusNotFound, code, "it is not known to the registry")
	case errors.Is(err, registry.ErrInvalid):
		return fail(http.StatusBadRequest, codeDigestInvalid, "%v", err)
	}
	return err
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	var f *failure
	if !errors.As(err, &f) {
		s.cfg.Failed(r, err)
		f = &failure{http.StatusInternalServerError, codeUnknown, "internal error"}
	}
	type entry struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	body, err := json.Marshal(map[string][]entry{"errors": {{f.code, f.text}}})
	if err != nil {
		body = []byte(`{"errors":[]}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Del("Content-Length")
	h.Del("Docker-Content-Digest")
	if f.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="vedette"`)
	}
	w.WriteHeader(f.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(body, '\n')) // the client has gone; there is nobody to tell
	}
}
