package runtime

import (
	"sync/atomic"

	"github.com/tetratelabs/wazero/experimental"
)

// counted is a linear memory whose size is part of a total.
type counted struct {
	experimental.LinearMemory
	total *atomic.Int64
	size  int64
}

func (m *counted) Reallocate(size uint64) []byte {
	b := m.LinearMemory.Reallocate(size)
	if b != nil {
		m.set(int64(size))
	}
	return b
}

func (m *counted) Free() {
	m.set(0)
	m.LinearMemory.Free()
}

func (m *counted) set(size int64) {
	m.total.Add(size - m.size)
	m.size = size
}

// heapMemory is a linear memory on Go's heap, for systems and limits that refuse a mapping.
type heapMemory struct{ b []byte }

func (m *heapMemory) Reallocate(size uint64) []byte {
	if size > uint64(cap(m.b)) {
		b := make([]byte, size)
		copy(b, m.b)
		m.b = b
	}
	m.b = m.b[:size]
	return m.b
}

func (m *heapMemory) Free() { m.b = nil }
