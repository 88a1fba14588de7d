package runtime

import (
	"context"
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"

	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/sdk/go/timer"
	"github.com/vedette-siem/vedette/sdk/go/window"
)

// Env is what a call may use of the organization that it is made for. The zero Env offers nothing.
type Env struct {
	// State is what vedette_kv_v1, vedette_window_v1 and vedette_timer_v1 work with. Each try of a batch is one session of it: what a failed
	// one did, and what a batch did that is cut after it, is undone. Nobody else uses it meanwhile.
	State *state.Space
	// Tables is what vedette_set_v1 and vedette_lookup_v1 look into; nil: into empty tables.
	Tables Tables
}

// Stateful reports whether the module's code asks for state: its batches must then come one after another, in log order.
func (m *Module) Stateful() bool {
	for _, name := range m.imports {
		if name == keys.Import || name == window.Import || name == timer.Import {
			return true
		}
	}
	return false
}

// Timed reports whether the module's code sets timers.
func (m *Module) Timed() bool { return m.timed }

// keyed is the import module vedette_kv_v1 (ABI 12).
var keyed = map[string]function{
	"get":  {"iiii", "i", kvGet},
	"put":  {"iiiiI", "i", kvPut},
	"del":  {"ii", "i", kvDel},
	"incr": {"iiIIi", "i", kvIncr},
	"cas":  {"iiiiiiI", "i", kvCAS},
}

// windows is the import module vedette_window_v1 (ABI 13).
var windows = map[string]function{
	"count":      {"iiIII", "I", windowCount},
	"distinct":   {"iiiiI", "I", windowDistinct},
	"first_seen": {"iiI", "i", windowFirstSeen},
	"seq_step":   {"iiiI", "i", windowSeqStep},
}

// timers is the import module vedette_timer_v1 (ABI 20).
var timers = map[string]function{
	"set":    {"iiI", "i", timerSet},
	"cancel": {"ii", "i", timerCancel},
}

// Fuel of a call that looks for a key, and of one that goes through a set of values.
const (
	chargeKey = 500
	chargeSet = 4000
)

// space returns the state of the call, which has read so many bytes of the guest's memory.
func space(i *instance, units int64, lengths ...uint64) *state.Space {
	i.work.StateCalls++
	for _, n := range lengths {
		units += int64(n) >> chargeByteShift
		i.work.StateBytes += int64(n)
	}
	i.charge(units)
	if !i.env.State.Open() {
		panic(&abort{CodeABI, "12.1: there is no state outside vedette_eval"})
	}
	return i.env.State
}

func code(s []uint64, c int32) { s[0] = uint64(uint32(c)) }

// none as a length stands for a value that is not there (ABI 12.3).
const none = 1<<32 - 1

// valueAt is bytesAt for an optional value.
func valueAt(guest api.Module, ptr, n uint64) []byte {
	if n == none {
		return nil
	}
	return bytesAt(guest, ptr, n)
}

func kvGet(ctx context.Context, guest api.Module, s []uint64) {
	i := instanceOf(ctx)
	key, out := bytesAt(guest, s[0], s[1]), bytesAt(guest, s[2], s[3])
	n := space(i, chargeKey, s[1]).Get(key, out)
	i.charge(int64(max(n, 0)) >> chargeByteShift)
	code(s, n)
}

func kvPut(ctx context.Context, guest api.Module, s []uint64) {
	key, value := bytesAt(guest, s[0], s[1]), bytesAt(guest, s[2], s[3])
	code(s, space(instanceOf(ctx), chargeKey, s[1], s[3]).Put(key, value, int64(s[4])))
}

func kvDel(ctx context.Context, guest api.Module, s []uint64) {
	key := bytesAt(guest, s[0], s[1])
	code(s, space(instanceOf(ctx), chargeKey, s[1]).Del(key))
}

func kvIncr(ctx context.Context, guest api.Module, s []uint64) {
	key, out := bytesAt(guest, s[0], s[1]), bytesAt(guest, s[4], 8)
	sum, ok := space(instanceOf(ctx), chargeKey, s[1]).Incr(key, int64(s[2]), int64(s[3]))
	if !ok {
		code(s, int32(state.Limit))
		return
	}
	binary.LittleEndian.PutUint64(out, uint64(sum))
	code(s, 0)
}

func kvCAS(ctx context.Context, guest api.Module, s []uint64) {
	key, old, value := bytesAt(guest, s[0], s[1]), valueAt(guest, s[2], s[3]), valueAt(guest, s[4], s[5])
	code(s, space(instanceOf(ctx), chargeKey, s[1], uint64(len(old)), uint64(len(value))).CAS(key, old, value, int64(s[6])))
}

func windowCount(ctx context.Context, guest api.Module, s []uint64) {
	key := bytesAt(guest, s[0], s[1])
	s[0] = uint64(space(instanceOf(ctx), chargeKey, s[1]).Count(key, int64(s[2]), int64(s[3]), int64(s[4])))
}

func windowDistinct(ctx context.Context, guest api.Module, s []uint64) {
	key, value := bytesAt(guest, s[0], s[1]), bytesAt(guest, s[2], s[3])
	s[0] = uint64(space(instanceOf(ctx), chargeSet, s[1], s[3]).Distinct(key, value, int64(s[4])))
}

func windowFirstSeen(ctx context.Context, guest api.Module, s []uint64) {
	key := bytesAt(guest, s[0], s[1])
	code(s, space(instanceOf(ctx), chargeKey, s[1]).Seen(key, int64(s[2])))
}

func windowSeqStep(ctx context.Context, guest api.Module, s []uint64) {
	key := bytesAt(guest, s[0], s[1])
	code(s, space(instanceOf(ctx), chargeKey, s[1]).Step(key, uint32(s[2]), int64(s[3])))
}

func timerSet(ctx context.Context, guest api.Module, s []uint64) {
	key := bytesAt(guest, s[0], s[1])
	code(s, space(instanceOf(ctx), chargeKey, s[1]).SetTimer(key, int64(s[2])))
}

func timerCancel(ctx context.Context, guest api.Module, s []uint64) {
	key := bytesAt(guest, s[0], s[1])
	code(s, space(instanceOf(ctx), chargeKey, s[1]).CancelTimer(key))
}
