package conform

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

// straightLine runs 400,000 instructions without a branch: the budget ends them, and without a budget they end by themselves.
func straightLine(ctx context.Context, r *run) error {
	for fuel, code := range map[uint64]string{100_000: "E_FUEL", 10_000_000: "E_ABI"} { // an answer of 0 bytes is none
		m, err := r.loaded(ctx, "straight_line", protocol.Load{Limits: limits(fuel, 1, 1)})
		if err != nil {
			return err
		}
		a, err := r.call(ctx, m, records("x"))
		if err != nil {
			return err
		}
		if len(a.Poison) != 1 || a.Poison[0].Code != code || a.Poison[0].Fuel > fuel+fuel/10+overrun {
			return fmt.Errorf("with a budget of %d: %s, want %s", fuel, clip(text(a.Poison)), code)
		}
	}
	return nil
}

// lengths compares the fuel of little and of much work that is one instruction, or one call of the host.
func lengths(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "lengths", protocol.Load{Limits: limits(60_000_000, fuelEach, fuelByte)})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		letter       string
		little, much uint32
		least        uint64 // fuel between them: one unit for every 64 bytes, 1,000 for a page
	}{{"f", 8, 65_536, 1_000}, {"c", 8, 65_536, 1_000}, {"i", 8, 100, 1}, {"l", 8, 4_096, 64}, {"g", 0, 8, 8_000}} {
		var fuel [2]uint64
		for i, n := range []uint32{c.little, c.much} {
			a, err := r.call(ctx, m, records(string(binary.LittleEndian.AppendUint32([]byte(c.letter), n))))
			if err == nil {
				err = spoken(m, a, "A", 1)
			}
			if err != nil {
				return err
			}
			fuel[i] = a.Fuel
		}
		if fuel[1] < fuel[0]+c.least {
			return fmt.Errorf("%s over %d costs %d, over %d it costs %d", c.letter, c.little, fuel[0], c.much, fuel[1])
		}
	}
	return nil
}

func memoryLimit(ctx context.Context, r *run) error {
	for _, most := range []uint32{32, 64, 512} {
		l := limits(60_000_000, fuelEach, fuelByte)
		l.MemoryPages = most
		m, err := r.loaded(ctx, "sizes", protocol.Load{Limits: l})
		if err != nil {
			return err
		}
		a, err := r.call(ctx, m, records("x"))
		if err != nil {
			return err
		}
		if len(a.Poison) > 0 || len(a.Outcomes) != 1 {
			return fmt.Errorf("growing to %d pages: %s", most, clip(text(a)))
		}
		said, err := hex.DecodeString(a.Outcomes[0].Message)
		if err != nil || len(said) != 8 {
			return fmt.Errorf("sizes says %q", clip(a.Outcomes[0].Message))
		}
		if got := binary.LittleEndian.Uint32(said[4:]); got != most {
			return fmt.Errorf("it grows to %d pages, the manifest asks for %d", got, most)
		}
	}
	return nil
}

// poison requires that exactly the records that fail are found, whichever they are, and every other is answered as itself.
func poison(ctx context.Context, r *run) error {
	l := limits(wildFuel, fuelEach, fuelByte)
	for _, c := range []struct {
		n   int
		bad []int
	}{
		{1, nil},
		{1, []int{0}},
		{2, []int{1}},
		{3, []int{0, 2}},
		{256, []int{0}},
		{256, []int{255}},
		{256, []int{7, 8, 9, 200}},
		{100, []int{0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99}},
		{1024, []int{1000}},
	} {
		m, err := r.loaded(ctx, "initials", protocol.Load{Limits: l})
		if err != nil {
			return err
		}
		lines := make([]string, c.n)
		for i := range lines {
			lines[i] = fmt.Sprintf("%c record %d", 'a'+i%26, i)
			if slices.Contains(c.bad, i) {
				lines[i] = "!"
			}
		}
		batch := records(lines...)
		a, err := r.call(ctx, m, batch)
		if err != nil {
			return err
		}
		if most := 2*budget(l, &batch) + overrun; a.Fuel > most {
			return fmt.Errorf("%d of %d records fail: consumed %d, at most %d", len(c.bad), c.n, a.Fuel, most)
		}
		if err := initials(a, lines, c.bad); err != nil {
			return fmt.Errorf("%d of %d records fail: %w", len(c.bad), c.n, err)
		}
	}
	return nil
}

// initials requires the verdicts of the guest of that name.
func initials(a *protocol.Answer, lines []string, bad []int) error {
	var got []int
	for _, p := range a.Poison {
		if got = append(got, p.Record); p.Code != "E_TRAP" {
			return fmt.Errorf("record %d ends with %s", p.Record, p.Code)
		}
	}
	if !slices.Equal(got, bad) || len(a.Outcomes) != len(lines) {
		return fmt.Errorf("poison is %v, want %v; %d outcomes for %d records", got, bad, len(a.Outcomes), len(lines))
	}
	for i, o := range a.Outcomes {
		if isBad := slices.Contains(bad, i); o.Poison != isBad || !isBad && o.Message != lines[i][:1] {
			return fmt.Errorf("record %d, %q, has outcome %s", i, lines[i], text(o))
		}
	}
	return nil
}

// pristine lets a guest count its calls in every place that it has.
func pristine(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "hidden", protocol.Load{Limits: limits(wildFuel, fuelEach, fuelByte)})
	if err != nil {
		return err
	}
	const fresh, grown = "03000000", "04000000"
	for i := range 1000 {
		switch i % 100 {
		case 50:
			if _, err := r.call(ctx, m, records("!")); err != nil {
				return err
			}
		case 75:
			if err := r.says(ctx, m, grown, "+"); err != nil {
				return fmt.Errorf("call %d: %w", i, err)
			}
		}
		if err := r.says(ctx, m, fresh, "x"); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
	}
	return nil
}

// busy keeps monitors in polls that do not end before their budget does, some tenths of a second, one after another, while
// try is called again and again. It returns the median time of try in the best of a few rounds: a machine that is busy
// with something else is no verdict.
func (r *run) busy(ctx context.Context, guests []string, try func() (time.Duration, error)) (time.Duration, error) {
	wild := protocol.Call{Seq: logSeq, At: logTime}
	best := time.Hour
	for range 3 {
		running, stop := context.WithCancel(ctx)
		var wg sync.WaitGroup
		for _, guest := range guests {
			m, err := r.loaded(ctx, guest, protocol.Load{Kind: kindMonitor, Limits: limits(2_000_000_000, 0, 0)})
			if err != nil {
				stop()
				wg.Wait()
				return 0, err
			}
			host := r.host
			wg.Go(func() {
				for running.Err() == nil {
					limited, cancel := context.WithTimeout(ctx, r.patience())
					// How it ends is the matter of other requirements.
					_, err := host.Do(limited, protocol.Request{Op: protocol.OpCall, Module: m, Call: &wild})
					cancel()
					if err != nil {
						return
					}
				}
			})
		}
		took, err := median(9, try)
		stop()
		wg.Wait()
		if err != nil {
			return 0, err
		}
		best = min(best, took)
	}
	return best, nil
}

// median returns the middle of what n tries say that they took.
func median(n int, try func() (time.Duration, error)) (time.Duration, error) {
	var all []time.Duration
	for range n {
		took, err := try()
		if err != nil {
			return 0, err
		}
		all = append(all, took)
	}
	slices.Sort(all)
	return all[n/2], nil
}

// Bounds of what others notice of a module that runs wild.
const (
	collectionTime = 50 * time.Millisecond
	neighbourTime  = 100 * time.Millisecond
)

// collection takes a host's word for how long everything stood still; of one that does not say it takes the time of the
// whole collection.
func collection(ctx context.Context, r *run) error {
	took, err := r.busy(ctx, []string{"loop_busy", "exponential"}, func() (time.Duration, error) {
		began := time.Now()
		u, err := r.usage(ctx)
		if u.PauseNs > 0 {
			return time.Duration(u.PauseNs), err
		}
		return time.Since(began), err
	})
	if err == nil && took > collectionTime {
		err = fmt.Errorf("a collection stopped everything for %v in the median, at most %v", took, collectionTime)
	}
	return err
}

func neighbour(ctx context.Context, r *run) error {
	calm, err := r.loaded(ctx, "calm", protocol.Load{})
	if err != nil {
		return err
	}
	took, err := r.busy(ctx, []string{"loop_empty", "fill_storm"}, func() (time.Duration, error) {
		began := time.Now()
		err := r.says(ctx, calm, "A", "x")
		return time.Since(began), err
	})
	if err == nil && took > neighbourTime {
		err = fmt.Errorf("its neighbour was answered after %v in the median, at most %v", took, neighbourTime)
	}
	return err
}

func (r *run) usage(ctx context.Context) (protocol.Usage, error) {
	reply, err := r.do(ctx, protocol.Request{Op: protocol.OpStats, Stats: &protocol.Stats{Collect: true}})
	if err == nil && reply.Usage == nil {
		err = fmt.Errorf("stats: %s %s", reply.Code, clip(reply.Detail))
	}
	if err != nil {
		return protocol.Usage{}, err
	}
	return *reply.Usage, nil
}

func footprint(ctx context.Context, r *run) error {
	const bombs, most = 40, 256 << 20
	m, err := r.loaded(ctx, "memory_creep", protocol.Load{Limits: limits(80_000_000, fuelEach, fuelByte)})
	if err != nil {
		return err
	}
	before, err := r.usage(ctx)
	if err != nil {
		return err
	}
	for range bombs {
		a, err := r.call(ctx, m, records("!"))
		if err != nil {
			return err
		}
		if len(a.Poison) != 1 {
			return fmt.Errorf("a memory bomb: %s", clip(text(a)))
		}
	}
	after, err := r.usage(ctx)
	if err == nil && after.Memory > before.Memory+most {
		err = fmt.Errorf("%d memory bombs: %d MiB before, %d MiB after", bombs, before.Memory>>20, after.Memory>>20)
	}
	return err
}

// repeat returns a text of n bytes.
func repeat(s string, n int) string { return strings.Repeat(s, n/len(s)+1)[:n] }
