//go:build !wasip1

package table

import "github.com/vedette-siem/vedette/sdk/go/table/index"

func match(name string, keys [][]byte, matched []byte) int32 {
	t, ok := index.Native[name]
	if !ok {
		return index.Denied
	}
	clear(matched[:(len(keys)+7)/8])
	n := int32(0)
	for i, k := range keys {
		if _, ok := t.Find(k); ok {
			matched[i/8] |= 1 << (i % 8)
			n++
		}
	}
	return n
}

func has(name string, key []byte) int32 {
	var found [1]byte
	return match(name, [][]byte{key}, found[:])
}

func lookup(name string, key, buf []byte) int32 {
	t, ok := index.Native[name]
	if !ok {
		return index.Denied
	}
	return t.Get(key, buf)
}
