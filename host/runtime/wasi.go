package runtime

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/tetratelabs/wazero/api"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// WASI error numbers.
const (
	wasiSuccess = 0
	wasiBadf    = 8
	wasiInval   = 28
	wasiNosys   = 52
)

// wasi is the stub set of wasi_snapshot_preview1 (ABI 3.4): what standard Go, TinyGo and libc need to start, and
// nothing that reaches outside. Everything else answers ENOSYS.
var wasi = func() map[string]function {
	m := map[string]function{
		"args_get":          {"ii", "i", wasiZero},
		"args_sizes_get":    {"ii", "i", wasiSizes},
		"environ_get":       {"ii", "i", wasiZero},
		"environ_sizes_get": {"ii", "i", wasiSizes},
		"clock_res_get":     {"ii", "i", wasiClockRes},
		"clock_time_get":    {"iIi", "i", wasiClock},
		"fd_close":          {"i", "i", wasiBad},
		"fd_fdstat_get":     {"ii", "i", wasiFdstat},
		"fd_prestat_get":    {"ii", "i", wasiBad},
		"fd_read":           {"iiii", "i", wasiRead},
		"fd_write":          {"iiii", "i", wasiWrite},
		"poll_oneoff":       {"iiii", "i", wasiPoll},
		"proc_exit":         {"i", "", wasiExit},
		"random_get":        {"ii", "i", wasiRandom},
		"sched_yield":       {"", "i", wasiZero},
	}
	for name, params := range map[string]string{
		"fd_advise": "iIIi", "fd_allocate": "iII", "fd_datasync": "i", "fd_fdstat_set_flags": "ii", "fd_fdstat_set_rights": "iII",
		"fd_filestat_get": "ii", "fd_filestat_set_size": "iI", "fd_filestat_set_times": "iIIi", "fd_pread": "iiiIi",
		"fd_prestat_dir_name": "iii", "fd_pwrite": "iiiIi", "fd_readdir": "iiiIi", "fd_renumber": "ii", "fd_seek": "iIii",
		"fd_sync": "i", "fd_tell": "ii", "path_create_directory": "iii", "path_filestat_get": "iiiii",
		"path_filestat_set_times": "iiiiIIi", "path_link": "iiiiiii", "path_open": "iiiiiIIii", "path_readlink": "iiiiii",
		"path_remove_directory": "iii", "path_rename": "iiiiii", "path_symlink": "iiiii", "path_unlink_file": "iii",
		"proc_raise": "i", "sock_accept": "iii", "sock_recv": "iiiiii", "sock_send": "iiiii", "sock_shutdown": "ii",
	} {
		m[name] = function{params, "i", wasiNothing}
	}
	return m
}()

func wasiZero(_ context.Context, _ api.Module, s []uint64)    { result(s, wasiSuccess) }
func wasiBad(_ context.Context, _ api.Module, s []uint64)     { result(s, wasiBadf) }
func wasiNothing(_ context.Context, _ api.Module, s []uint64) { result(s, wasiNosys) }

func result(s []uint64, errno uint64) { s[0] = errno }

func put32(guest api.Module, ptr uint64, v uint32) {
	binary.LittleEndian.PutUint32(bytesAt(guest, ptr, 4), v)
}

func put64(guest api.Module, ptr uint64, v uint64) {
	binary.LittleEndian.PutUint64(bytesAt(guest, ptr, 8), v)
}

// wasiSizes says that there are no arguments and no variables.
func wasiSizes(_ context.Context, guest api.Module, s []uint64) {
	put32(guest, s[0], 0)
	put32(guest, s[1], 0)
	result(s, wasiSuccess)
}

func wasiClockRes(_ context.Context, guest api.Module, s []uint64) {
	put64(guest, s[1], 1)
	result(s, wasiSuccess)
}

// wasiClock gives the log time of the batch, whichever clock is asked for: replays must see the same.
func wasiClock(ctx context.Context, guest api.Module, s []uint64) {
	i := instanceOf(ctx)
	put64(guest, s[2], uint64(i.batch.at+i.slept))
	result(s, wasiSuccess)
}

// wasiFdstat describes the standard streams as character devices.
func wasiFdstat(_ context.Context, guest api.Module, s []uint64) {
	if s[0] > 2 {
		result(s, wasiBadf)
		return
	}
	b := bytesAt(guest, s[1], 24)
	clear(b)
	b[0] = 2
	result(s, wasiSuccess)
}

// wasiRead is the end of standard input.
func wasiRead(_ context.Context, guest api.Module, s []uint64) {
	if s[0] != 0 {
		result(s, wasiBadf)
		return
	}
	put32(guest, s[3], 0)
	result(s, wasiSuccess)
}

// maxVectors bounds the list of pieces of one write and of subscriptions of one wait.
const maxVectors = 64

// wasiWrite makes log lines of what goes to standard output and standard error.
func wasiWrite(ctx context.Context, guest api.Module, s []uint64) {
	i := instanceOf(ctx)
	if s[0] != 1 && s[0] != 2 {
		result(s, wasiBadf)
		return
	}
	if s[2] > maxVectors {
		result(s, wasiInval)
		return
	}
	level, most := abi.LogInfo, i.mod.host.lim.LogBytesPerLine
	if s[0] == 2 {
		level = abi.LogError
	}
	var text []byte
	total := uint32(0)
	for n := range s[2] {
		v := bytesAt(guest, s[1]+8*n, 8)
		piece := bytesAt(guest, uint64(binary.LittleEndian.Uint32(v)), uint64(binary.LittleEndian.Uint32(v[4:])))
		total += uint32(len(piece))
		i.charge(int64(len(piece)) >> chargeByteShift)
		text = append(text, piece[:min(len(piece), most-min(len(text), most))]...)
	}
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		if len(line) > 0 {
			i.logLine(level, line)
		}
	}
	put32(guest, s[3], total)
	result(s, wasiSuccess)
}

// wasiPoll answers waits for a time at once and moves the guest's clock on by as much.
func wasiPoll(ctx context.Context, guest api.Module, s []uint64) {
	i := instanceOf(ctx)
	in, out, n := s[0], s[1], s[2]
	if n == 0 || n > maxVectors {
		result(s, wasiInval)
		return
	}
	for k := range n {
		sub := bytesAt(guest, in+48*k, 48)
		event := bytesAt(guest, out+32*k, 32)
		clear(event)
		copy(event, sub[:8])
		event[10] = sub[8]
		if sub[8] != 0 { // not a clock
			binary.LittleEndian.PutUint16(event[8:], wasiNosys)
			continue
		}
		wait := int64(binary.LittleEndian.Uint64(sub[24:]))
		if sub[40]&1 != 0 { // an absolute time
			wait -= i.batch.at + i.slept
		}
		i.slept += max(wait, 0)
	}
	put32(guest, s[3], uint32(n))
	result(s, wasiSuccess)
}

func wasiExit(_ context.Context, _ api.Module, s []uint64) {
	panic(&abort{CodeTrap, fmt.Sprintf("the module exits with code %d", uint32(s[0]))})
}

// wasiRandom is seeded by the module and the batch, so that a replay draws the same numbers.
func wasiRandom(ctx context.Context, guest api.Module, s []uint64) {
	i := instanceOf(ctx)
	b := bytesAt(guest, s[0], s[1])
	i.charge(int64(len(b)) >> chargeByteShift << 2)
	if i.random == nil {
		seed := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte(i.mod.spec.Digest), i.batch.seq))
		i.random = rand.NewChaCha8(seed)
	}
	_, _ = i.random.Read(b) // never fails
	result(s, wasiSuccess)
}
