//go:build tinygo

package interp

import "unsafe"

// A sandbox is little-endian and takes numbers at any address; its compiler would read and write them byte by byte.

func load32(b []byte, at int) uint32 { return *(*uint32)(unsafe.Pointer((*[4]byte)(b[at:]))) }

func load64(b []byte, at int) uint64 { return *(*uint64)(unsafe.Pointer((*[8]byte)(b[at:]))) }

func store64(b []byte, at int, v uint64) { *(*uint64)(unsafe.Pointer((*[8]byte)(b[at:]))) = v }

func gram(at unsafe.Pointer) uint32 { return *(*uint32)(at) }
