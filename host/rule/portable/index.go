package portable

import (
	"maps"
	"math/bits"
	"slices"

	"github.com/vedette-siem/vedette/modules/rules/portable/interp"
)

// bitsPerGram is the size of filters: that many bits for each text let 1 of as many grams through that stand in none.
const bitsPerGram = 16

// index writes an index for each field that has texts to be looked for, and returns the sections of fields and indexes, and 1 +
// the index of no field in particular.
func (e *encoder) index() (fields, indexes []uint32, anywhere uint32) {
	marks := make([]map[string][]uint32, len(e.names)+1) // by 1 + field, of texts
	for n, t := range e.tests {
		if t.field == 0 && !e.anywhere {
			continue
		}
		for _, x := range t.needles {
			if marks[t.field] == nil {
				marks[t.field] = map[string][]uint32{}
			}
			mark := uint32(n) << 1
			if x.decides {
				mark |= 1
			}
			marks[t.field][x.text] = append(marks[t.field][x.text], mark)
		}
	}
	for field, of := range marks {
		index := uint32(0)
		if of != nil {
			indexes = append(indexes, e.indexOf(of)...)
			index = uint32(len(indexes) / interp.IndexWords)
		}
		if field == 0 {
			anywhere = index
			continue
		}
		at, n := e.text(e.names[field-1])
		fields = append(fields, at, n, index, 0)
	}
	return fields, indexes, anywhere
}

// indexOf writes an index of texts with their marks: each is found by its gram that is in fewest of them.
func (e *encoder) indexOf(marks map[string][]uint32) []uint32 {
	texts := slices.Sorted(maps.Keys(marks))
	in := map[uint32]int{} // grams, how often they stand in texts
	for _, s := range texts {
		for i := range len(s) - interp.GramBytes + 1 {
			in[gramAt(s, i)]++
		}
	}
	size := max(5, bits.Len(uint(bitsPerGram*len(texts)-1)))
	shift := 32 - size
	filter := make([]uint32, 1<<(size-5))
	needles := make([][]uint32, 1<<(size-interp.HeadShift))
	for _, s := range texts {
		rarest := 0
		for i := range len(s) - interp.GramBytes + 1 {
			if in[gramAt(s, i)] < in[gramAt(s, rarest)] {
				rarest = i
			}
		}
		gram := gramAt(s, rarest)
		hash := gram * interp.GramFactor >> shift
		filter[hash/32] |= 1 << (hash % 32)
		at, n := e.text(s)
		head := &needles[hash>>interp.HeadShift]
		*head = append(*head, gram, at, n|uint32(rarest)<<16, e.place(append([]uint32{uint32(len(marks[s]))}, marks[s]...)...))
	}
	first := e.place(slices.Concat(needles...)...)
	heads := []uint32{first}
	for _, of := range needles {
		first += uint32(len(of))
		heads = append(heads, first)
	}
	return []uint32{uint32(shift), e.place(filter...), e.place(heads...), 0}
}

func gramAt(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}
