//go:build wasip1

package window

import "unsafe"

//go:wasmimport vedette_window_v1 count
func hostCount(key unsafe.Pointer, keyLen uint32, window, bucket, delta int64) int64

//go:wasmimport vedette_window_v1 distinct
func hostDistinct(key unsafe.Pointer, keyLen uint32, value unsafe.Pointer, valueLen uint32, window int64) int64

//go:wasmimport vedette_window_v1 first_seen
func hostFirstSeen(key unsafe.Pointer, keyLen uint32, ttl int64) int32

//go:wasmimport vedette_window_v1 seq_step
func hostSeqStep(key unsafe.Pointer, keyLen uint32, state uint32, ttl int64) int32

func ptr(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func count(key []byte, window, bucket, delta int64) int64 {
	return hostCount(ptr(key), uint32(len(key)), window, bucket, delta)
}

func distinct(key, value []byte, window int64) int64 {
	return hostDistinct(ptr(key), uint32(len(key)), ptr(value), uint32(len(value)), window)
}

func firstSeen(key []byte, ttl int64) int32 { return hostFirstSeen(ptr(key), uint32(len(key)), ttl) }

func seqStep(key []byte, state uint32, ttl int64) int32 {
	return hostSeqStep(ptr(key), uint32(len(key)), state, ttl)
}
