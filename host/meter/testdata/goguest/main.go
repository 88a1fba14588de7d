// Command goguest is a standard-Go guest that scans key=value lines, for comparing metered with plain execution.
package main

import "unsafe"

var (
	in  [1 << 16]byte
	out [1 << 16]byte
)

//go:wasmexport buffers
func buffers() int64 {
	return int64(uintptr(unsafe.Pointer(&in)))<<32 | int64(uintptr(unsafe.Pointer(&out)))
}

// parse reads n bytes of lines and writes, for each pair, the ranges of its key and value: four 16-bit numbers. It returns the bytes written.
//
//go:wasmexport parse
func parse(n int32) int32 {
	b, w := in[:n], 0
	put := func(v int) {
		out[w], out[w+1] = byte(v), byte(v>>8)
		w += 2
	}
	for i := 0; i < len(b); {
		key := i
		for i < len(b) && b[i] != '=' && b[i] != '\n' {
			i++
		}
		if i == len(b) || b[i] == '\n' {
			i++
			continue
		}
		end := i
		i++
		value, stop := i, byte(' ')
		if i < len(b) && b[i] == '"' {
			value, stop = i+1, '"'
			i++
		}
		for i < len(b) && b[i] != stop && b[i] != '\n' {
			if b[i] == '\\' {
				i++
			}
			i++
		}
		i = min(i, len(b))
		if w+8 > len(out) {
			return -1
		}
		put(key)
		put(end)
		put(value)
		put(i)
		for i < len(b) && (b[i] == '"' || b[i] == ' ' || b[i] == '\n') {
			i++
		}
	}
	return int32(w)
}

// count exercises maps, strings and the collector: it returns how many distinct values the input has, times the number of rounds.
//
//go:wasmexport count
func count(n, rounds int32) int32 {
	total := 0
	for range rounds {
		seen := map[string]int{}
		start := 0
		for i, c := range in[:n] {
			if c == ' ' || c == '\n' {
				seen[string(in[start:i])]++
				start = i + 1
			}
		}
		total += len(seen)
	}
	return int32(total)
}

func main() {}
