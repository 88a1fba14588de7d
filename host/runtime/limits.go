package runtime

import (
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Limits bound what one module may use. Zero means the default beside each field. Fuel is counted by host/meter: one
// unit is about one simple machine operation, 0.3 to 1 ns.
//
// The budget of a call is FuelPerCall + n x FuelPerRecord + bytes x FuelPerByte, where bytes is the length of the
// encoded records or rows. A manifest may ask for other figures, up to MaxFactor times these.
type Limits struct {
	FuelPerCall   int64 // 4,000,000 (growing the memory by a page takes 65,536)
	FuelPerRecord int64 // 100,000
	FuelPerByte   int64 // 500
	FuelStart     int64 // 2,000,000,000: start function, _initialize, vedette_buffers and vedette_init together
	FuelPoll      int64 // 500,000,000: one poll of a monitor, its FuelPerCall
	MaxFactor     int64 // 20

	MemoryPages    uint32 // 512 pages of 64 KiB: linear memory when the manifest asks for none
	MaxMemoryPages uint32 // 4,096: the most that a manifest may ask for

	InBytes      int // 96 KiB: IN of an ordinary instance; longer batches use a wide one. Restoring costs by the size
	OutBytes     int // 320 KiB: OUT of an ordinary instance
	WideInBytes  int // 2 MiB: IN of a wide instance; a longer batch is an error of the caller
	WideOutBytes int // 4.5 MiB: OUT of a wide instance; a record that needs more is poison, E_OUTPUT_LIMIT

	PoisonRecords int // 16 in one batch; one more is ErrFailing
	TrapBytes     int // 2 KiB: the text of a Trap

	LogLinesPerCall   int // 32; more are counted and left out
	LogBytesPerLine   int // 4 KiB; the rest of a line is cut
	LogLinesPerSecond int // 100 of one module

	HTTPCallsPerPoll int // 16; more are refused with E_LIMIT
	CallsPerPoll     int // 64 of every other capability; more are refused with E_LIMIT

	CallTimeout time.Duration // 10s of wall clock for one call of a parser or rule, a hundred times what its fuel takes
	PollTimeout time.Duration // 10s of wall clock for one poll whose ModuleSpec names none
}

// sliceFuel is what a guest may run before it returns to Go: the longest that a garbage collection waits for it, about
// a millisecond at most. A single bulk memory operation may be longer: 64 KiB take 8,192 units.
const sliceFuel = 1_000_000

// attempts is how often a stalled call is tried before the machine is reported.
const attempts = 3

func (l Limits) withDefaults() (Limits, error) {
	fill(&l.FuelPerCall, 4_000_000)
	fill(&l.FuelPerRecord, 100_000)
	fill(&l.FuelPerByte, 500)
	fill(&l.FuelStart, 2_000_000_000)
	fill(&l.FuelPoll, 500_000_000)
	fill(&l.MaxFactor, 20)
	fill(&l.MemoryPages, 512)
	fill(&l.MaxMemoryPages, 4096)
	fill(&l.InBytes, 96<<10)
	fill(&l.OutBytes, 320<<10)
	fill(&l.WideInBytes, 2<<20)
	fill(&l.WideOutBytes, 9<<19)
	fill(&l.PoisonRecords, 16)
	fill(&l.TrapBytes, 2<<10)
	fill(&l.LogLinesPerCall, 32)
	fill(&l.LogBytesPerLine, 4<<10)
	fill(&l.LogLinesPerSecond, 100)
	fill(&l.HTTPCallsPerPoll, 16)
	fill(&l.CallsPerPoll, 64)
	fill(&l.CallTimeout, 10*time.Second)
	fill(&l.PollTimeout, 10*time.Second)
	if l.WideInBytes > abi.MaxInBytes || l.WideOutBytes > abi.MaxOutBytes || l.InBytes > l.WideInBytes || l.OutBytes > l.WideOutBytes {
		return l, fmt.Errorf("runtime limits: buffers must not exceed %d and %d bytes, nor ordinary ones the wide ones", abi.MaxInBytes, abi.MaxOutBytes)
	}
	return l, nil
}

func fill[T int | int64 | uint32 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// price is what a call of one module costs at most.
type price struct {
	call, record, byte int64
	pages              uint32
}

// price joins the host's limits with what a manifest asks for. Zero asks for the default.
func (l *Limits) price(kind manifest.Kind, ask manifest.Limits) price {
	p := price{l.FuelPerCall, l.FuelPerRecord, l.FuelPerByte, l.MemoryPages}
	if kind == manifest.Monitor {
		p.call = l.FuelPoll
	}
	asked := func(v *int64, ask uint64) {
		if ask != 0 {
			*v = int64(min(ask, uint64(*v*l.MaxFactor)))
		}
	}
	asked(&p.call, ask.FuelPerCall)
	asked(&p.record, ask.FuelPerRecord)
	asked(&p.byte, ask.FuelPerByte)
	if ask.MemoryPages != 0 {
		p.pages = min(ask.MemoryPages, l.MaxMemoryPages)
	}
	return p
}
