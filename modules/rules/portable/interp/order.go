//go:build !tinygo

package interp

import (
	"encoding/binary"
	"unsafe"
)

func load32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }

func load64(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

func store64(b []byte, at int, v uint64) { binary.LittleEndian.PutUint64(b[at:], v) }

func gram(at unsafe.Pointer) uint32 { return binary.LittleEndian.Uint32((*[GramBytes]byte)(at)[:]) }
