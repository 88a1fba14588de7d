//go:build wasip1

package timer

import (
	"unsafe"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

//go:wasmimport vedette_timer_v1 set
func hostSet(key unsafe.Pointer, keyLen uint32, at int64) int32

//go:wasmimport vedette_timer_v1 cancel
func hostCancel(key unsafe.Pointer, keyLen uint32) int32

func ptr(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func set(key []byte, at int64) int32 { return hostSet(ptr(key), uint32(len(key)), at) }

func cancel(key []byte) int32 { return hostCancel(ptr(key), uint32(len(key))) }

//go:wasmexport vedette_due
func exportDue(n uint32) uint64 {
	b := sdk.Blocks()
	status, out := Run(b.In[:n], b)
	return abi.Pack(status, len(out))
}
