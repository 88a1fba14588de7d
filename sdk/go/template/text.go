package template

import "unsafe"

// str looks at the same bytes as a string, without a copy, under TinyGo too.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
