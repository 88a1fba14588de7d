// Package timer wakes a rule when log time has reached a time that it has set (ABI 20), also when no event comes: to close a
// window, or to notice that something did not follow.
//
// A timer has a key, and a key has one timer. It fires once, in the order of the log, whatever happens to the process in
// between; what the rule needs to know then, it keeps under the same key in package keys.
//
//	func init() {
//		sdk.RegisterRule(sdk.Rule{Eval: eval}) // timer.Set(key, row.LogTime()+int64(time.Hour))
//		timer.Register(func(t *sdk.Timer, f *sdk.Findings) { … })
//	}
package timer

import (
	"errors"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// Import is the import module of the capability.
const Import = "vedette_timer_v1"

// ErrLimit is the error of all calls: nothing was changed.
var ErrLimit = errors.New("E_LIMIT: a quota or a bound of the host")

// Func is called with each timer that is due. It may set timers and change what the rule remembers.
type Func func(t *sdk.Timer, f *sdk.Findings)

var registered Func

// Register makes f the module's answer to timers.
func Register(f Func) { registered = f }

// Set sets the timer of a key, of at most 512 bytes, to a log time, ns since the Unix epoch and at most 400 days from now,
// in the place of the one that it has. A time that has passed is due when log time moves on.
func Set(key []byte, at int64) error {
	if set(key, at) < 0 {
		return ErrLimit
	}
	return nil
}

// Cancel removes the timer of a key and reports whether there was one.
func Cancel(key []byte) (bool, error) {
	n := cancel(key)
	if n < 0 {
		return false, ErrLimit
	}
	return n > 0, nil
}

// Run answers a batch of timers, as the guest's vedette_due does. It is the native path of tests.
func Run(in []byte, b *sdk.Buffers) (abi.Status, []byte) {
	if registered == nil {
		return abi.StatusBadInput, nil
	}
	return sdk.RunDue(registered, in, b)
}
