// Package window counts for a rule over spans of log time that end now (ABI 13): the host keeps and forgets what is
// needed for it. What a batch adds is kept when the batch succeeds, and not at all otherwise.
package window

import (
	"errors"
	"time"
)

// Import is the import module of the capability.
const Import = "vedette_window_v1"

// ErrLimit is the error of all calls: nothing was changed.
var ErrLimit = errors.New("E_LIMIT: a quota or a bound of the host")

func errorOf(n int64) error {
	if n < 0 {
		return ErrLimit
	}
	return nil
}

// Count adds delta, which is not negative, to a key's count and returns what was added within window until now. The
// window is made of whole buckets, at most 64: a smaller bucket forgets more exactly. The same key with another window or
// bucket is another count.
func Count(key []byte, window, bucket time.Duration, delta int64) (int64, error) {
	n := count(key, int64(window), int64(bucket), delta)
	return max(n, 0), errorOf(n)
}

// Distinct notes that value was seen under a key and returns how many different values were within window until now:
// exactly up to 1,024, beyond that an estimate with a standard error of 3 to 7 %.
func Distinct(key, value []byte, window time.Duration) (int64, error) {
	n := distinct(key, value, int64(window))
	return max(n, 0), errorOf(n)
}

// FirstSeen reports whether a key was not seen during the ttl before now, and notes that it is seen now.
func FirstSeen(key []byte, ttl time.Duration) (bool, error) {
	n := firstSeen(key, int64(ttl))
	return n > 0, errorOf(int64(n))
}

// Step moves a key of a sequence to a state, 1 to 65,535, and returns the state in which it stood, 0 for none. It moves,
// for ttl from now, if it stood in the state before or in this one; else nothing changes. State 0 ends the sequence.
//
//	if was, _ := window.Step(key, 2, hour); was == 1 { … } // the second follows the first
func Step(key []byte, state uint32, ttl time.Duration) (was uint32, err error) {
	n := seqStep(key, state, int64(ttl))
	return uint32(max(n, 0)), errorOf(int64(n))
}
