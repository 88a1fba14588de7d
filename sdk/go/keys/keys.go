// Package keys keeps values for a rule from one event to the next (ABI 12): each under a key, for a time to live, for one
// organization. What a batch changes is kept when the batch succeeds, and not at all otherwise.
package keys

import (
	"errors"
	"time"
)

// Import is the import module of the capability.
const Import = "vedette_kv_v1"

// The errors of all calls. A call that fails changes nothing.
var (
	ErrLimit  = errors.New("E_LIMIT: a quota or a bound of the host")
	ErrAbsent = errors.New("there is no such key")
	ErrShort  = errors.New("the value is longer than the buffer")
)

// Forever is the time to live of a value that is kept until it is deleted.
const Forever time.Duration = 0

func errorOf(code int32) error {
	switch {
	case code >= 0:
		return nil
	case code == -2:
		return ErrAbsent
	case code == -3:
		return ErrShort
	}
	return ErrLimit
}

// Get reads the value of a key into buf and returns the part of it that was filled. Errors: ErrAbsent, ErrShort,
// ErrLimit.
func Get(key, buf []byte) ([]byte, error) {
	n := get(key, buf)
	if n < 0 {
		return nil, errorOf(n)
	}
	return buf[:n], nil
}

// Put keeps a value, of at most 64 KiB, under a key, of at most 512 bytes, for ttl of log time from now.
func Put(key, value []byte, ttl time.Duration) error { return errorOf(put(key, value, int64(ttl))) }

// Delete removes a key and reports whether it was there.
func Delete(key []byte) (bool, error) {
	n := del(key)
	return n > 0, errorOf(n)
}

// Add adds delta to the number under a key and returns the sum. A key that is not there begins at 0 and lives for ttl; one
// that is there keeps its end. The value of a number is 8 bytes, little-endian.
func Add(key []byte, delta int64, ttl time.Duration) (int64, error) {
	sum, code := incr(key, delta, int64(ttl))
	return sum, errorOf(code)
}

// Swap replaces the value of a key if it is old, and reports whether it was. A nil old is a key that is not there, a nil
// value removes it.
func Swap(key, old, value []byte, ttl time.Duration) (bool, error) {
	n := cas(key, old, value, int64(ttl))
	return n > 0, errorOf(n)
}
