//go:build !wasip1

package sdk

import (
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/state"
)

// session begins one of state.Native for a batch; the function that it returns ends it.
func session(in []byte) func(ok bool) {
	s := state.Native
	rows, ok := abi.DecodeRows(in)
	if s == nil || !ok {
		return func(bool) {}
	}
	s.Begin(rows.At)
	return func(ok bool) {
		if ok {
			s.Commit()
		} else {
			s.Rollback()
		}
	}
}
