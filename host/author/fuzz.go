package author

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// Limits of a fuzz run.
const (
	MaxFuzzBytes   = 16 << 10 // of one record
	maxFuzzFound   = 10       // different falls; then the run ends
	maxMinimise    = 4_000    // tries to make a record shorter
	maxFuzzParents = 1_000    // records that are changed further
)

// Fuzzed is what a run has found.
type Fuzzed struct {
	Seed    uint64
	Records int // that were tried
	Found   []Fallen
}

// Fallen is a record that the module cannot survive, as short as it could be made.
type Fallen struct {
	Record []byte `json:"record"`
	Crash  Crash  `json:"crash"`
}

// Fuzz changes the records of a parser's own cases at random until the time is over, and keeps those that the module
// falls on: one for each place in the source, or each kind of trap. The same seed tries the same records in the same
// order. tell, which may be nil, is called about once a second.
func (s *Sandbox) Fuzz(ctx context.Context, seed uint64, within time.Duration, tell func(tried int)) (Fuzzed, error) {
	f := Fuzzed{Seed: seed}
	if s.Module.Manifest.Kind != manifest.Parser {
		return f, fmt.Errorf("fuzz %s: it is a %s, and only parsers read records that anybody may send: %w", s.pkg.Manifest.Reference(), s.Module.Manifest.Kind, storage.ErrInvalid)
	}
	parents := s.CaseRecords()
	if len(parents) == 0 {
		return f, fmt.Errorf("fuzz %s: its cases hold no records to begin with: %w", s.pkg.Manifest.Reference(), storage.ErrInvalid)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	known := map[string]bool{}
	began, told := time.Now(), time.Now()
	var res runtime.Result
	for ctx.Err() == nil && time.Since(began) < within && len(f.Found) < maxFuzzFound {
		raw := mutate(r, parents)
		f.Records++
		trap, err := s.one(ctx, raw, received, &res)
		if err != nil {
			return f, err
		}
		if trap == nil {
			if len(res.Parts) > 0 && res.Parts[0].Events.Count > 0 && r.IntN(8) == 0 { // what is still read leads further
				parents = keep(r, parents, raw)
			}
		} else if crash := s.crash(trap); !known[crash.place()] {
			known[crash.place()] = true
			x, err := s.minimise(ctx, raw, crash)
			if err != nil {
				return f, err
			}
			f.Found = append(f.Found, x)
		}
		if tell != nil && time.Since(told) > time.Second {
			told = time.Now()
			tell(f.Records)
		}
	}
	return f, nil
}

// place tells one fall from another.
func (c Crash) place() string {
	if c.File != "" {
		return fmt.Sprintf("%s:%d", c.File, c.Line)
	}
	return c.Code + c.Message
}

// keep adds a record to those that are changed further, or puts it in place of one that a run has made.
func keep(r *rand.Rand, parents [][]byte, raw []byte) [][]byte {
	if len(parents) < maxFuzzParents {
		return append(parents, bytes.Clone(raw))
	}
	parents[r.IntN(len(parents))] = bytes.Clone(raw)
	return parents
}

// minimise takes pieces out of a record for as long as the module falls at the same place.
func (s *Sandbox) minimise(ctx context.Context, raw []byte, crash Crash) (Fallen, error) {
	best := Fallen{Record: bytes.Clone(raw), Crash: crash}
	var res runtime.Result
	tries := 0
	for size := len(raw) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(best.Record) && tries < maxMinimise; tries++ {
			shorter := append(bytes.Clone(best.Record[:at]), best.Record[at+size:]...)
			trap, err := s.one(ctx, shorter, received, &res)
			if err != nil {
				return best, err
			}
			if trap != nil {
				if c := s.crash(trap); c.place() == crash.place() {
					best = Fallen{Record: shorter, Crash: c}
					continue
				}
			}
			at += size
		}
	}
	return best, nil
}

// odd are pieces that parsers trip over.
var odd = []string{
	"", "\x00", "\xff", "\n", "\r\n", "\t", " ", `"`, `\`, `'`, "=", ":", ",", "|", "[", "]", "{", "}", "<", ">", "%", "-1", "0", "18446744073709551616",
	"9223372036854775808", "1e999", "é", "\u202e", "\xed\xa0\x80", "0x", "...", "[[[[[[[[", `{"a":`, "<13>", "2024-02-30T25:61:61Z",
}

// mutate makes a record of one or two others.
func mutate(r *rand.Rand, parents [][]byte) []byte {
	raw := bytes.Clone(parents[r.IntN(len(parents))])
	for range 1 + r.IntN(4) {
		at := r.IntN(len(raw) + 1)
		n := min(r.IntN(1+r.IntN(16)), len(raw)-at)
		switch r.IntN(7) {
		case 0: // leave a piece out
			raw = append(raw[:at], raw[at+n:]...)
		case 1: // write a piece twice
			raw = append(raw[:at+n], append(bytes.Clone(raw[at:at+n]), raw[at+n:]...)...)
		case 2: // another byte
			if at < len(raw) {
				raw[at] = byte(r.IntN(256))
			}
		case 3, 4: // something odd
			raw = append(raw[:at], append([]byte(odd[r.IntN(len(odd))]), raw[at+n:]...)...)
		case 5: // the end of another record
			other := parents[r.IntN(len(parents))]
			raw = append(raw[:at], other[r.IntN(len(other)+1):]...)
		case 6: // much of one byte
			if at < len(raw) {
				raw = append(raw[:at], append(bytes.Repeat(raw[at:at+1], 1<<r.IntN(12)), raw[at:]...)...)
			}
		}
	}
	return raw[:min(len(raw), MaxFuzzBytes)]
}
