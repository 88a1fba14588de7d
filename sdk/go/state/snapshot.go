package state

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrSnapshot is wrapped by every error of Restore.
var ErrSnapshot = errors.New("no snapshot of module state")

// Append appends a snapshot of the space: the log time, the number of keys, and each key as kind, key, end and value, in
// order. The same state gives the same bytes. There must be no open session.
func (s *Space) Append(b []byte) []byte {
	b = binary.AppendVarint(b, s.now)
	b = binary.AppendUvarint(b, uint64(s.Len()))
	for _, e := range s.sorted() {
		b = append(b, byte(e.kind))
		b = binary.AppendUvarint(b, uint64(len(e.key)))
		b = append(b, e.key...)
		b = binary.AppendVarint(b, e.expires)
		b = binary.AppendUvarint(b, uint64(len(e.value)))
		b = append(b, e.value...)
	}
	return b
}

// Restore reads a snapshot from the beginning of b and returns what follows it. What was kept is kept, also when the
// limits have become lower since. The error wraps ErrSnapshot.
func Restore(b []byte, l Limits, budget *Budget) (s *Space, rest []byte, err error) {
	d := decoder{b: b}
	s = New(l, budget)
	s.now = d.int()
	n := d.uint()
	if s.now > maxNow {
		d.fail("its time is out of bounds")
	}
	last := entry{}
	for i := uint64(0); i < n && d.err == nil; i++ {
		e := &entry{kind: kind(d.byte()), key: string(d.bytes(MaxKeyBytes + 16)), expires: d.int(), value: d.bytes(maxStored)}
		switch {
		case d.err != nil:
		case e.kind >= kinds || !e.wellFormed():
			d.fail("a key of kind %d has a value of %d bytes", e.kind, len(e.value))
		case i > 0 && (e.kind < last.kind || e.kind == last.kind && e.key <= last.key):
			d.fail("its keys are not in order")
		default:
			e.value = append([]byte(nil), e.value...)
			s.attach(e)
			last = *e
		}
	}
	if d.err != nil {
		s.Free()
		return nil, nil, d.err
	}
	return s, d.b, nil
}

// maxStored is the longest value of any kind.
const maxStored = max(MaxValueBytes, sampleHeader+(MaxExact+1)*sampleValue)

// wellFormed reports whether the calls can work with a value.
func (e *entry) wellFormed() bool {
	n := len(e.value)
	if e.kind != kindValue && e.expires > maxNow+2*int64(MaxTTL) {
		return false
	}
	switch e.kind {
	case kindCount:
		if len(e.key) < 16 {
			return false
		}
		spans := e.key[len(e.key)-16:]
		window, bucket := int64(le.Uint64([]byte(spans[:8]))), int64(le.Uint64([]byte(spans[8:])))
		if !goodSpan(window) || bucket <= 0 || bucket > window || (window-1)/bucket >= MaxBuckets {
			return false
		}
		return n == countHeader+8*int((window-1)/bucket+1)
	case kindDistinct:
		if len(e.key) < 8 || n < sampleHeader || (n-sampleHeader)%sampleValue != 0 || n > sampleHeader+MaxExact*sampleValue ||
			e.value[0] > 63 || e.value[1] > e.value[0] {
			return false
		}
		list := e.value[sampleHeader:]
		for at := sampleValue; at < len(list); at += sampleValue {
			if le.Uint64(list[at:]) <= le.Uint64(list[at-sampleValue:]) {
				return false
			}
		}
		return len(list) == 0 || below(list, e.value[1]) == len(list)/sampleValue
	case kindSeen, kindTimer:
		return n == 0
	case kindStep:
		return n == 4 && le.Uint32(e.value) <= MaxStep
	}
	return true
}

type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrSnapshot)
	}
}

func (d *decoder) take(n int) {
	if n <= 0 {
		d.fail("it is cut short")
		d.b = nil
		return
	}
	d.b = d.b[n:]
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	d.take(n)
	return v
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	d.take(n)
	return v
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail("it is cut short")
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) bytes(most int) []byte {
	n := d.uint()
	if n > uint64(most) || n > uint64(len(d.b)) {
		d.fail("a length of %d", n)
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}
