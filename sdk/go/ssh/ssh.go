// Package ssh runs granted commands on granted devices for monitors (ABI 16): the host knows address, user and key.
package ssh

import (
	"encoding/binary"
	"errors"
	"strings"
)

// Import is the import module of the capability.
const Import = "vedette_ssh_v1"

// Sizes of an answer (ABI 16.2).
const (
	Header   = 24
	MaxBytes = 1 << 20 // of both outputs together
)

// Result is what a command left.
type Result struct {
	Exit      int   // status; -1 when the device told none
	ElapsedNs int64 // from dialling to the end
	Cut       bool  // there was more output than MaxBytes
	Out, Err  []byte
}

// Run runs the granted command of that name. Arguments stand in the order of the grant's template.
func Run(target, command string, args ...string) (Result, error) {
	out := make([]byte, Header+MaxBytes)
	var request strings.Builder
	for _, word := range append([]string{command}, args...) {
		request.WriteString(word)
		request.WriteByte(0)
	}
	code, n := ask("run", target, request.String(), out)
	if code != 0 {
		return Result{}, errors.New(string(out[:n]))
	}
	return Decode(out[:n])
}

// Encode writes a result as the host hands it to a module; outputs are cut to what fits in dst.
func Encode(dst []byte, r Result) int {
	if len(dst) < Header {
		return 0
	}
	le := binary.LittleEndian
	clear(dst[:Header])
	n := copy(dst[Header:], r.Out)
	m := copy(dst[Header+n:], r.Err)
	le.PutUint32(dst, uint32(int32(r.Exit)))
	if r.Cut || n+m < len(r.Out)+len(r.Err) {
		le.PutUint32(dst[4:], 1)
	}
	le.PutUint64(dst[8:], uint64(r.ElapsedNs))
	le.PutUint32(dst[16:], uint32(n))
	le.PutUint32(dst[20:], uint32(m))
	return Header + n + m
}

// Decode reads a result; the outputs are views into b.
func Decode(b []byte) (Result, error) {
	le := binary.LittleEndian
	if len(b) < Header {
		return Result{}, errors.New("the host's answer is broken")
	}
	n, m := uint64(le.Uint32(b[16:])), uint64(le.Uint32(b[20:]))
	if Header+n+m > uint64(len(b)) {
		return Result{}, errors.New("the host's answer is broken")
	}
	return Result{
		Exit: int(int32(le.Uint32(b))), Cut: le.Uint32(b[4:])&1 != 0, ElapsedNs: int64(le.Uint64(b[8:])),
		Out: b[Header : Header+n : Header+n], Err: b[Header+n : Header+n+m],
	}, nil
}
