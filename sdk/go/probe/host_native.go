//go:build !wasip1

package probe

// Native answers when a module runs natively, in tests: it returns what a host would write to out.
var Native func(function, target, request string, out []byte) (n int, err error)

func ask(function, target, request string, out []byte) (code int32, size uint32) {
	if Native == nil {
		return -1, uint32(copy(out, "E_DENIED: nothing outside in a native run"))
	}
	n, err := Native(function, target, request, out)
	if err != nil {
		return -1, uint32(copy(out, err.Error()))
	}
	return 0, uint32(n)
}
