//go:build !wasip1

package timer

import "github.com/vedette-siem/vedette/sdk/go/state"

func set(key []byte, at int64) int32 {
	if !state.Native.Open() {
		return int32(state.Limit)
	}
	return state.Native.SetTimer(key, at)
}

func cancel(key []byte) int32 {
	if !state.Native.Open() {
		return int32(state.Limit)
	}
	return state.Native.CancelTimer(key)
}
