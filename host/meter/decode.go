package meter

import "unicode/utf8"

// reader decodes one range of the module. Its error is sticky: after the first one every method returns zero, so that callers test once per
// entry and loops bounded by a count end at once.
type reader struct {
	b   []byte
	pos int
	err *Error
}

func (r *reader) fail(code, format string, args ...any) {
	if r.err == nil {
		r.err = errorf(code, format, args...)
		r.pos = len(r.b)
	}
}

func (r *reader) left() int { return len(r.b) - r.pos }

func (r *reader) byte() byte {
	if r.pos >= len(r.b) {
		r.fail(CodeModule, "ends at byte %d of %d in the middle of an entry", r.pos, len(r.b))
		return 0
	}
	c := r.b[r.pos]
	r.pos++
	return c
}

// take returns the next n bytes, a view of the input.
func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(r.left()) {
		r.fail(CodeModule, "an entry of %d bytes has %d left", n, r.left())
		return nil
	}
	b := r.b[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// u32 decodes an unsigned LEB128 number of at most five bytes and 32 bits.
func (r *reader) u32() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			break
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.fail(CodeModule, "an unsigned number is longer than 32 bits")
	return 0
}

// signed decodes a signed LEB128 number of the given width (32, 33 or 64 bits); bits beyond it must repeat the sign.
func (r *reader) signed(bits int) int64 {
	var v int64
	for shift := 0; shift < bits; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if shift+7 < 64 && c&0x40 != 0 {
			v |= -1 << (shift + 7)
		}
		if bits == 64 && shift == 63 && c != 0 && c != 0x7f {
			break
		}
		if sign := v >> (bits - 1); sign != 0 && sign != -1 {
			break
		}
		return v
	}
	r.fail(CodeModule, "a signed number is longer than %d bits", bits)
	return 0
}

// number decodes a number that has a limit.
func (r *reader) number(limit int, code, what string) uint32 {
	n := r.u32()
	if int64(n) > int64(limit) {
		r.fail(code, "%d %s, at most %d", n, what, limit)
		return 0
	}
	return n
}

// count decodes the length of a vector. Each entry takes a byte at least, so the count is bounded by the input as well as by the limit.
func (r *reader) count(limit int, code, what string) int {
	n := r.number(limit, code, what)
	if int64(n) > int64(r.left()) {
		r.fail(CodeModule, "%d %s in %d bytes", n, what, r.left())
		return 0
	}
	return int(n)
}

func (r *reader) name(limit int) string {
	b := r.take(r.number(limit, "E_LIMIT_NAME_BYTES", "bytes in a name"))
	if !utf8.Valid(b) {
		r.fail(CodeModule, "the name %q is not UTF-8", b)
		return ""
	}
	return string(b)
}

// index decodes an index that must be below n.
func (r *reader) index(n int, what string) uint32 {
	i := r.u32()
	if r.err == nil && int64(i) >= int64(n) {
		r.fail(CodeModule, "%s %d of %d", what, i, n)
		return 0
	}
	return i
}

// limits decodes a minimum and, if there is one, a maximum; without one max is ok=false.
func (r *reader) limits(what string) (lo, hi uint32, ok bool) {
	switch flag := r.byte(); flag {
	case 0:
		return r.u32(), 0, false
	case 1:
		lo, hi = r.u32(), r.u32()
		if hi < lo {
			r.fail(CodeModule, "%s: minimum %d is over maximum %d", what, lo, hi)
		}
		return lo, hi, true
	default:
		r.fail(CodeABI, "%s has flags 0x%02x: shared and 64-bit ones are refused", what, flag)
		return 0, 0, false
	}
}

// end requires that everything was read.
func (r *reader) end(what string) {
	if r.err == nil && r.left() > 0 {
		r.fail(CodeModule, "%s has %d bytes left over", what, r.left())
	}
}
