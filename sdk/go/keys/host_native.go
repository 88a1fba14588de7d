//go:build !wasip1

package keys

import "github.com/vedette-siem/vedette/sdk/go/state"

func get(key, buf []byte) int32 {
	if !state.Native.Open() {
		return int32(state.Limit)
	}
	return state.Native.Get(key, buf)
}

func put(key, value []byte, ttl int64) int32 {
	if !state.Native.Open() {
		return int32(state.Limit)
	}
	return state.Native.Put(key, value, ttl)
}

func del(key []byte) int32 {
	if !state.Native.Open() {
		return int32(state.Limit)
	}
	return state.Native.Del(key)
}

func incr(key []byte, delta, ttl int64) (int64, int32) {
	if !state.Native.Open() {
		return 0, int32(state.Limit)
	}
	sum, ok := state.Native.Incr(key, delta, ttl)
	if !ok {
		return 0, int32(state.Limit)
	}
	return sum, 0
}

func cas(key, old, value []byte, ttl int64) int32 {
	if !state.Native.Open() {
		return int32(state.Limit)
	}
	return state.Native.CAS(key, old, value, ttl)
}
