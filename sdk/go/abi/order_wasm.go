package abi

import "unsafe"

// le is binary.LittleEndian for compilers that would read and write its numbers byte by byte: a sandbox is little-endian
// and takes numbers at any address.
var le wasmOrder

type wasmOrder struct{}

func (wasmOrder) Uint32(b []byte) uint32 {
	return *(*uint32)(unsafe.Pointer((*[4]byte)(b)))
}

func (wasmOrder) Uint64(b []byte) uint64 {
	return *(*uint64)(unsafe.Pointer((*[8]byte)(b)))
}

func (wasmOrder) PutUint32(b []byte, v uint32) {
	*(*uint32)(unsafe.Pointer((*[4]byte)(b))) = v
}

func (wasmOrder) PutUint64(b []byte, v uint64) {
	*(*uint64)(unsafe.Pointer((*[8]byte)(b))) = v
}
