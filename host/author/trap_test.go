package author

import "testing"

func TestTrapMessage(t *testing.T) {
	t.Parallel()
	for detail, want := range map[string]string{
		"wasm error: unreachable\nwasm stack trace:\n\t.$1318(i32) i32":                                                                                "wasm error: unreachable",
		"wasm error: unreachable\nwasm stack trace:\n\tmain.runtime.runtimePanicAt(i32,i32)\n\tmain.runtime.lookupPanic()\n\tmain.main.parse(i32) i32": "panic: index out of range in main.parse",
		"wasm error: unreachable\nwasm stack trace:\n\tmain.runtime.slicePanic()":                                                                      "panic: slice out of range (TinyGo tells no line: test with --toolchain go)",
		"the budget of the call is spent": "the budget of the call is spent",
		"":                                "",
	} {
		if got := trapMessage(detail); got != want {
			t.Errorf("%q: %q, want %q", detail, got, want)
		}
	}
}
