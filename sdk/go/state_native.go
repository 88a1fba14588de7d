//go:build !wasip1

package sdk

import "github.com/vedette-siem/vedette/sdk/go/state"

// session begins one of state.Native for a good batch at a log time in ns; the function that it returns ends it.
func session(at int64, good bool) func(ok bool) {
	s := state.Native
	if s == nil || !good {
		return func(bool) {}
	}
	s.Begin(at)
	return func(ok bool) {
		if ok {
			s.Commit()
		} else {
			s.Rollback()
		}
	}
}
