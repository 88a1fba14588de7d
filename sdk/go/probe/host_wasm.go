//go:build wasip1

package probe

import "unsafe"

//go:wasmimport vedette_probe_v1 tcp
func hostTcp(target unsafe.Pointer, targetLen uint32, request unsafe.Pointer, requestLen uint32, out unsafe.Pointer, outCap uint32) uint64

//go:wasmimport vedette_probe_v1 tls
func hostTls(target unsafe.Pointer, targetLen uint32, request unsafe.Pointer, requestLen uint32, out unsafe.Pointer, outCap uint32) uint64

//go:wasmimport vedette_probe_v1 dns
func hostDns(target unsafe.Pointer, targetLen uint32, request unsafe.Pointer, requestLen uint32, out unsafe.Pointer, outCap uint32) uint64

//go:wasmimport vedette_probe_v1 ping
func hostPing(target unsafe.Pointer, targetLen uint32, request unsafe.Pointer, requestLen uint32, out unsafe.Pointer, outCap uint32) uint64

func text(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }

// ask calls the host (ABI 8.3).
func ask(function, target, request string, out []byte) (code int32, size uint32) {
	var r uint64
	o, n := unsafe.Pointer(unsafe.SliceData(out)), uint32(len(out))
	switch function {
	case "tcp":
		r = hostTcp(text(target), uint32(len(target)), text(request), uint32(len(request)), o, n)
	case "tls":
		r = hostTls(text(target), uint32(len(target)), text(request), uint32(len(request)), o, n)
	case "dns":
		r = hostDns(text(target), uint32(len(target)), text(request), uint32(len(request)), o, n)
	case "ping":
		r = hostPing(text(target), uint32(len(target)), text(request), uint32(len(request)), o, n)
	}
	return int32(uint32(r >> 32)), uint32(r)
}
