//go:build !wasip1

package sdk

// NativeLog receives what Log is given when a module runs natively; nil discards it.
var NativeLog func(level uint32, line string)

// Log writes a line to the module's log (`vedette module logs`). The host cuts and counts what exceeds its budget.
func Log(level uint32, line string) {
	if NativeLog != nil {
		NativeLog(level, line)
	}
}

// NativeFetch answers HTTPGet when a module runs natively, in tests.
var NativeFetch func(target, path string) (HTTPResponse, error)

func httpFetch(target, path string, out []byte) (code int32, n uint32) {
	if NativeFetch == nil {
		return -1, uint32(copy(out, "no HTTP in a native run"))
	}
	r, err := NativeFetch(target, path)
	if err != nil {
		return -1, uint32(copy(out, err.Error()))
	}
	return 0, uint32(EncodeHTTPResponse(out, r))
}
