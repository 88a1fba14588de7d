package meter

import "encoding/binary"

func appendU32(b []byte, v uint32) []byte { return binary.AppendUvarint(b, uint64(v)) }

// appendS64 appends the shortest signed LEB128 form, which is the same for every width.
func appendS64(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func appendBytes[T string | []byte](b []byte, v T) []byte {
	return append(appendU32(b, uint32(len(v))), v...)
}

// vec is a section that is written entry by entry while its count is still open.
type vec struct {
	n uint32
	b []byte
}

func appendSection(b []byte, id byte, content []byte) []byte {
	return appendBytes(append(b, id), content)
}

func appendVec(b []byte, id byte, v vec) []byte {
	if v.n == 0 {
		return b
	}
	n := appendU32(nil, v.n)
	b = appendU32(append(b, id), uint32(len(n)+len(v.b)))
	return append(append(b, n...), v.b...)
}
