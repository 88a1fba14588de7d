//go:build wasip1

package snmp

import "unsafe"

//go:wasmimport vedette_snmp_v1 get
func hostGet(target unsafe.Pointer, targetLen uint32, request unsafe.Pointer, requestLen uint32, out unsafe.Pointer, outCap uint32) uint64

//go:wasmimport vedette_snmp_v1 walk
func hostWalk(target unsafe.Pointer, targetLen uint32, request unsafe.Pointer, requestLen uint32, out unsafe.Pointer, outCap uint32) uint64

func text(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }

// ask calls the host (ABI 8.3).
func ask(function, target, request string, out []byte) (code int32, size uint32) {
	var r uint64
	o, n := unsafe.Pointer(unsafe.SliceData(out)), uint32(len(out))
	switch function {
	case "get":
		r = hostGet(text(target), uint32(len(target)), text(request), uint32(len(request)), o, n)
	case "walk":
		r = hostWalk(text(target), uint32(len(target)), text(request), uint32(len(request)), o, n)
	}
	return int32(uint32(r >> 32)), uint32(r)
}
