//go:build wasip1

package table

import "unsafe"

//go:wasmimport vedette_set_v1 match
func hostMatch(table unsafe.Pointer, tableLen uint32, keys unsafe.Pointer, n uint32, out unsafe.Pointer) int32

//go:wasmimport vedette_lookup_v1 get
func hostGet(table unsafe.Pointer, tableLen uint32, key unsafe.Pointer, keyLen uint32, out unsafe.Pointer, outCap uint32) int32

func ptr(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

// cell is where a key lies.
type cell struct{ at, n uint32 }

// cells are variables, so that their address may leave without an allocation for each call.
var (
	cells [MaxKeys]cell
	found [1]byte
)

func cellOf(key []byte) cell { return cell{uint32(uintptr(ptr(key))), uint32(len(key))} }

func match(name string, keys [][]byte, matched []byte) int32 {
	for i, k := range keys {
		cells[i] = cellOf(k)
	}
	return hostMatch(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), unsafe.Pointer(&cells[0]), uint32(len(keys)), ptr(matched))
}

func has(name string, key []byte) int32 {
	cells[0] = cellOf(key)
	return hostMatch(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), unsafe.Pointer(&cells[0]), 1, unsafe.Pointer(&found[0]))
}

func lookup(name string, key, buf []byte) int32 {
	return hostGet(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), ptr(key), uint32(len(key)), ptr(buf), uint32(len(buf)))
}
