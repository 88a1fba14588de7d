//go:build wasip1

package keys

import "unsafe"

//go:wasmimport vedette_kv_v1 get
func hostGet(key unsafe.Pointer, keyLen uint32, out unsafe.Pointer, outCap uint32) int32

//go:wasmimport vedette_kv_v1 put
func hostPut(key unsafe.Pointer, keyLen uint32, value unsafe.Pointer, valueLen uint32, ttl int64) int32

//go:wasmimport vedette_kv_v1 del
func hostDel(key unsafe.Pointer, keyLen uint32) int32

//go:wasmimport vedette_kv_v1 incr
func hostIncr(key unsafe.Pointer, keyLen uint32, delta, ttl int64, out unsafe.Pointer) int32

//go:wasmimport vedette_kv_v1 cas
func hostCAS(key unsafe.Pointer, keyLen uint32, old unsafe.Pointer, oldLen uint32, value unsafe.Pointer, valueLen uint32, ttl int64) int32

func ptr(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

// size is the length of an optional value; none is all ones (ABI 12.3).
func size(b []byte) uint32 {
	if b == nil {
		return ^uint32(0)
	}
	return uint32(len(b))
}

func get(key, buf []byte) int32 {
	return hostGet(ptr(key), uint32(len(key)), ptr(buf), uint32(len(buf)))
}

func put(key, value []byte, ttl int64) int32 {
	return hostPut(ptr(key), uint32(len(key)), ptr(value), uint32(len(value)), ttl)
}

func del(key []byte) int32 { return hostDel(ptr(key), uint32(len(key))) }

// sum is where the host writes one: a variable on the stack would be moved to the heap, since its address leaves.
var sum int64

func incr(key []byte, delta, ttl int64) (int64, int32) {
	code := hostIncr(ptr(key), uint32(len(key)), delta, ttl, unsafe.Pointer(&sum))
	if code < 0 {
		return 0, code
	}
	return sum, code
}

func cas(key, old, value []byte, ttl int64) int32 {
	return hostCAS(ptr(key), uint32(len(key)), ptr(old), size(old), ptr(value), size(value), ttl)
}
