// Package web fetches larger pages of granted targets than sdk.HTTPGet, whose buffer is a part of every module.
package web

import (
	"encoding/binary"
	"errors"

	sdk "github.com/vedette-siem/vedette/sdk/go"
)

// MaxBytes is the most of a page that the host hands over (ABI 8.3).
const MaxBytes = 1 << 20

const header = 24

// Get fetches path, which begins with "/", from a target. At most limit bytes of the page are returned.
func Get(target, path string, limit int) (sdk.HTTPResponse, error) {
	out := make([]byte, header+min(limit, MaxBytes))
	code, n := ask("fetch", target, path, out)
	b := out[:n]
	if code != 0 {
		return sdk.HTTPResponse{}, errors.New(string(b))
	}
	if len(b) < header {
		return sdk.HTTPResponse{}, errors.New("the host's answer is too short")
	}
	return sdk.HTTPResponse{
		Status:      int(binary.LittleEndian.Uint32(b)),
		ElapsedNs:   int64(binary.LittleEndian.Uint64(b[8:])),
		TLSNotAfter: int64(binary.LittleEndian.Uint64(b[16:])),
		Body:        b[header:],
	}, nil
}
