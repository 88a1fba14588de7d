//go:build !wasip1

package window

import "github.com/vedette-siem/vedette/sdk/go/state"

func count(key []byte, window, bucket, delta int64) int64 {
	if !state.Native.Open() {
		return int64(state.Limit)
	}
	return state.Native.Count(key, window, bucket, delta)
}

func distinct(key, value []byte, window int64) int64 {
	if !state.Native.Open() {
		return int64(state.Limit)
	}
	return state.Native.Distinct(key, value, window)
}

func firstSeen(key []byte, ttl int64) int32 {
	if !state.Native.Open() {
		return int32(state.Limit)
	}
	return state.Native.Seen(key, ttl)
}

func seqStep(key []byte, to uint32, ttl int64) int32 {
	if !state.Native.Open() {
		return int32(state.Limit)
	}
	return state.Native.Step(key, to, ttl)
}
