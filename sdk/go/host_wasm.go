//go:build wasip1

package sdk

import "unsafe"

//go:wasmimport vedette_core_v1 log
func coreLog(level uint32, ptr unsafe.Pointer, n uint32)

// Log writes a line to the module's log (`vedette module logs`). The host cuts and counts what exceeds its budget.
func Log(level uint32, line string) {
	coreLog(level, unsafe.Pointer(unsafe.StringData(line)), uint32(len(line)))
}

//go:wasmimport vedette_http_v1 fetch
func hostFetch(target unsafe.Pointer, targetLen uint32, path unsafe.Pointer, pathLen uint32, out unsafe.Pointer, outCap uint32) uint64

func httpFetch(target, path string, out []byte) (code int32, n uint32) {
	r := hostFetch(unsafe.Pointer(unsafe.StringData(target)), uint32(len(target)),
		unsafe.Pointer(unsafe.StringData(path)), uint32(len(path)), unsafe.Pointer(unsafe.SliceData(out)), uint32(len(out)))
	return int32(uint32(r >> 32)), uint32(r)
}
