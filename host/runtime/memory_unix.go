//go:build unix

package runtime

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// allocate reserves a linear memory up to its maximum outside Go's heap: it grows in place without being copied, only
// touched pages cost anything, and the garbage collector neither scans nor counts it.
func allocate(_, most uint64) experimental.LinearMemory {
	if most == 0 {
		return &heapMemory{}
	}
	b, err := syscall.Mmap(-1, 0, int(most), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return &heapMemory{}
	}
	return &mapped{b}
}

type mapped struct{ b []byte }

func (m *mapped) Reallocate(size uint64) []byte {
	if size > uint64(len(m.b)) {
		return nil
	}
	return m.b[:size]
}

func (m *mapped) Free() {
	if m.b != nil {
		_ = syscall.Munmap(m.b) // fails only for what is not mapped
		m.b = nil
	}
}
