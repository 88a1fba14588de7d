package scan_test

import (
	"bytes"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/scan"
)

func FuzzScan(f *testing.F) {
	f.Add([]byte("GET /index.html HTTP/1.1"), byte(' '), byte('"'), "HT")
	f.Add([]byte("\x00\x01\x80\x7f\xff\x01\x00\x02\x01"), byte(1), byte(0), "\x01\x00")
	f.Add([]byte("aaaaaaaaaaaaaaab"), byte('b'), byte('c'), "ab")
	f.Add([]byte(""), byte(0), byte(0), "x")
	f.Fuzz(func(t *testing.T, b []byte, c, d byte, s string) {
		for n := range min(len(b)+1, 9) { // each alignment
			b := b[n:]
			if got, want := scan.Byte(b, c), bytes.IndexByte(b, c); got != want {
				t.Errorf("Byte(%q, %q): %d, want %d", b, c, got, want)
			}
			if got, want := scan.Either(b, c, d), either(b, c, d); got != want {
				t.Errorf("Either(%q, %q, %q): %d, want %d", b, c, d, got, want)
			}
			if s != "" {
				if got, want := scan.Text(b, s), bytes.Index(b, []byte(s)); got != want {
					t.Errorf("Text(%q, %q): %d, want %d", b, s, got, want)
				}
			}
		}
	})
}

func either(b []byte, c, d byte) int {
	for i, x := range b {
		if x == c || x == d {
			return i
		}
	}
	return -1
}

func BenchmarkByte(b *testing.B) {
	in := append(bytes.Repeat([]byte("Mozilla/5.0 "), 8), '"')
	b.ReportAllocs()
	for b.Loop() {
		scan.Byte(in, '"')
	}
}
