package sdk

import (
	"encoding/binary"
	"errors"
)

// HTTPResponse is what a granted target answered.
type HTTPResponse struct {
	Status      int    // HTTP status code
	ElapsedNs   int64  // from dialling to the last byte of the body
	TLSNotAfter int64  // expiry of the leaf certificate, ns since the Unix epoch; 0 without TLS
	Body        []byte // at most what the host allows; valid until the next call
}

// Sizes of vedette_http_v1 (ABI 8).
const (
	httpHeader       = 24
	HTTPMaxBodyBytes = 64 << 10
)

var httpBuffer [httpHeader + HTTPMaxBodyBytes]byte

// HTTPGet fetches path (beginning with "/") from a target that the manifest names and the tenant has granted. The host
// knows the target's address and credentials, the module never does. The error tells why nothing was answered: refused
// by policy, not resolved, no connection, time-out, TLS.
func HTTPGet(target, path string) (HTTPResponse, error) {
	code, n := httpFetch(target, path, httpBuffer[:])
	b := httpBuffer[:n]
	if code != 0 {
		return HTTPResponse{}, errors.New(string(b))
	}
	if len(b) < httpHeader {
		return HTTPResponse{}, errors.New("the host's answer is too short")
	}
	return HTTPResponse{
		Status:      int(binary.LittleEndian.Uint32(b)),
		ElapsedNs:   int64(binary.LittleEndian.Uint64(b[8:])),
		TLSNotAfter: int64(binary.LittleEndian.Uint64(b[16:])),
		Body:        b[httpHeader:],
	}, nil
}

// EncodeHTTPResponse writes the answer as the host hands it to a module; body is cut to what fits in dst.
func EncodeHTTPResponse(dst []byte, r HTTPResponse) int {
	if len(dst) < httpHeader {
		return 0
	}
	clear(dst[:httpHeader])
	binary.LittleEndian.PutUint32(dst, uint32(r.Status))
	binary.LittleEndian.PutUint64(dst[8:], uint64(r.ElapsedNs))
	binary.LittleEndian.PutUint64(dst[16:], uint64(r.TLSNotAfter))
	return httpHeader + copy(dst[httpHeader:], r.Body)
}
