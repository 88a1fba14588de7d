//go:build wasip1

package sdk

import (
	"unsafe"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// buffers lives in the guest for ever: the host learns its addresses once and writes into In while no guest code runs.
var buffers Buffers

// Blocks returns the blocks of memory that the host reads and writes, for packages with an entry point of their own.
func Blocks() *Buffers { return &buffers }

//go:wasmexport vedette_abi_1
func exportMarker() {}

//go:wasmexport vedette_buffers
func exportBuffers(in, out uint32) uint64 {
	buffers.Grow(int(in), int(out))
	run = new(runner)
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(buffers.In))))<<32 |
		uint64(uint32(uintptr(unsafe.Pointer(unsafe.SliceData(buffers.Out)))))
}

//go:wasmexport vedette_init
func exportInit(n uint32) uint64 {
	for _, init := range [...]func([]byte) error{parser.Init, rule.Init, monitor.Init} {
		if init == nil {
			continue
		}
		if err := init(buffers.In[:n]); err != nil {
			return abi.Pack(abi.StatusSettings, message(buffers.Out, err))
		}
	}
	return abi.Pack(abi.StatusOK, 0)
}

//go:wasmexport vedette_parse
func exportParse(n uint32) uint64 {
	if parser.Parse == nil {
		return abi.Pack(abi.StatusBadInput, 0)
	}
	return abi.Pack(run.parse(parser, buffers.In[:n], &buffers))
}

//go:wasmexport vedette_eval
func exportEval(n uint32) uint64 {
	if rule.Eval == nil {
		return abi.Pack(abi.StatusBadInput, 0)
	}
	return abi.Pack(run.eval(rule, buffers.In[:n], &buffers))
}

//go:wasmexport vedette_poll
func exportPoll(n uint32) uint64 {
	if monitor.Poll == nil {
		return abi.Pack(abi.StatusBadInput, 0)
	}
	return abi.Pack(run.poll(monitor, buffers.In[:n], &buffers))
}
