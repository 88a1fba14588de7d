package conform

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

// candidates tries to load what is refused, one step of loading after another, beside a module that runs.
func candidates(ctx context.Context, r *run) error {
	running, err := r.loaded(ctx, "calm", protocol.Load{})
	if err != nil {
		return err
	}
	for _, guest := range []string{"no_module", "many_functions", "import_unknown", "start_trap", "initialize_trap", "buffers_overlap", "init_refuses", "init_loop"} {
		_, reply, err := r.guest(ctx, guest, protocol.Load{})
		if err != nil {
			return err
		}
		if reply.Code == "" {
			return fmt.Errorf("%s is loaded", guest)
		}
		if err := r.says(ctx, running, "A", "x", "y"); err != nil {
			return fmt.Errorf("after %s was refused: %w", guest, err)
		}
	}
	return nil
}

func (r *run) close(ctx context.Context, module string) error {
	reply, err := r.do(ctx, protocol.Request{Op: protocol.OpClose, Module: module})
	if err != nil {
		return err
	}
	return failed("close "+module, reply)
}

// gone requires that a module which was closed is told from one that fails.
func (r *run) gone(ctx context.Context, module string) error {
	reply, err := r.tell(ctx, module, records("x"))
	if err == nil && reply.Code != protocol.CodeClosed {
		err = fmt.Errorf("a call after close: %q %s, want %q", reply.Code, clip(reply.Detail), protocol.CodeClosed)
	}
	return err
}

func versions(ctx context.Context, r *run) error {
	first, err := r.loaded(ctx, "calm", protocol.Load{})
	if err != nil {
		return err
	}
	second, err := r.loaded(ctx, "version_b", protocol.Load{})
	if err != nil {
		return err
	}
	for range 3 {
		if err := errors.Join(r.says(ctx, first, "A", "x"), r.says(ctx, second, "B", "x")); err != nil {
			return err
		}
	}
	if err := r.close(ctx, first); err != nil {
		return err
	}
	if err := r.says(ctx, second, "B", "x"); err != nil {
		return fmt.Errorf("after the first version went: %w", err)
	}
	return r.gone(ctx, first)
}

func rollback(ctx context.Context, r *run) error {
	var before string
	for _, guest := range []string{"initials", "version_b", "initials"} {
		m, err := r.loaded(ctx, guest, protocol.Load{})
		if err != nil {
			return err
		}
		a, err := r.call(ctx, m, records("one", "!", "three"))
		if err != nil {
			return err
		}
		switch {
		case guest != "initials":
		case before == "":
			before = text(a)
		case text(a) != before:
			return fmt.Errorf("it answered %s, and answers %s now that it is back", clip(before), clip(text(a)))
		}
		if err := r.close(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func closing(ctx context.Context, r *run) error {
	calm, err := r.loaded(ctx, "calm", protocol.Load{})
	if err != nil {
		return err
	}
	m, err := r.loaded(ctx, "loop_busy", protocol.Load{Limits: limits(80_000_000, fuelEach, fuelByte)})
	if err != nil {
		return err
	}
	host, answered := r.host, make(chan error, 3)
	var wg sync.WaitGroup
	for range cap(answered) {
		wg.Go(func() {
			limited, cancel := context.WithTimeout(ctx, r.patience())
			defer cancel()
			c := records("!", "x")
			_, err := host.Do(limited, protocol.Request{Op: protocol.OpCall, Module: m, Call: &c})
			answered <- err
		})
	}
	err = r.close(ctx, m)
	wg.Wait()
	close(answered)
	for e := range answered {
		err = errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("closing what runs: %w", err)
	}
	if err := r.gone(ctx, m); err != nil {
		return err
	}
	return r.says(ctx, calm, "A", "x")
}

func leaves(ctx context.Context, r *run) error {
	const times, most = 50, 64 << 20
	cycle := func() error {
		m, err := r.loaded(ctx, "initials", protocol.Load{})
		if err != nil {
			return err
		}
		if _, err := r.call(ctx, m, records("x", "!", repeat("long ", 100_000))); err != nil {
			return err
		}
		return r.close(ctx, m)
	}
	if err := cycle(); err != nil {
		return err
	}
	before, err := r.usage(ctx)
	if err != nil {
		return err
	}
	for range times {
		if err := cycle(); err != nil {
			return err
		}
	}
	after, err := r.usage(ctx)
	if err == nil && (after.Modules != before.Modules || after.Instances != before.Instances || after.Memory > before.Memory+most) {
		err = fmt.Errorf("%d loads and closes: %+v before, %+v after", times, before, after)
	}
	return err
}

func resettle(ctx context.Context, r *run) error {
	_, reply, err := r.guest(ctx, "picky", protocol.Load{Settings: []byte("[]")})
	if err != nil {
		return err
	}
	if reply.Code != "E_SETTINGS" {
		return fmt.Errorf("settings that it refuses: %q", reply.Code)
	}
	m, err := r.loaded(ctx, "picky", protocol.Load{Settings: []byte("{}")})
	if err != nil {
		return err
	}
	return r.says(ctx, m, "A", "x")
}

// batches are calls whose answers and fuel must never change.
func batches() []protocol.Call {
	long := records(repeat("abc ", 5000), "", "!", "z")
	later := records("x")
	later.Seq, later.At = 7, 8
	return []protocol.Call{records("x"), records("a", "b", "!", "c"), long, records(), later}
}

// repeatable calls from many sides at once, in turn and after failures.
func repeatable(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "initials", protocol.Load{})
	if err != nil {
		return err
	}
	want := map[int]string{}
	for i, c := range batches() {
		a, err := r.call(ctx, m, c)
		if err != nil {
			return err
		}
		want[i] = text(a)
	}
	host, wrong := r.host, make(chan error, 4)
	var wg sync.WaitGroup
	for g := range cap(wrong) {
		wg.Go(func() {
			for k := range 3 * len(want) {
				i := (g + k) % len(want)
				limited, cancel := context.WithTimeout(ctx, r.patience())
				reply, err := host.Do(limited, protocol.Request{Op: protocol.OpCall, Module: m, Call: &batches()[i]})
				cancel()
				if err == nil && (reply.Answer == nil || text(reply.Answer) != want[i]) {
					err = fmt.Errorf("batch %d: %s, the first time %s", i, clip(text(reply)), clip(want[i]))
				}
				if err != nil {
					wrong <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(wrong)
	r.tried += 3 * len(want) * cap(wrong)
	for e := range wrong {
		err = errors.Join(err, e)
	}
	return err
}

func randomness(ctx context.Context, r *run) error {
	drawn := map[uint64]string{}
	for range 2 {
		m, err := r.loaded(ctx, "wasi", protocol.Load{WASI: true})
		if err != nil {
			return err
		}
		for _, seq := range []uint64{1, 2, 1, 1 << 40} {
			errno, got, _, err := r.asked(ctx, m, 'r', protocol.Call{Seq: seq})
			if err != nil {
				return err
			}
			if before, ok := drawn[seq]; errno != 0 || ok && before != string(got) {
				return fmt.Errorf("at sequence %d it draws %x, before %x (error %d)", seq, got, before, errno)
			}
			drawn[seq] = string(got)
		}
	}
	if drawn[1] == drawn[2] || drawn[1] == drawn[1<<40] || zero([]byte(drawn[1])) {
		return fmt.Errorf("at sequences 1, 2 and 2^40 it draws %x, %x and %x", drawn[1], drawn[2], drawn[1<<40])
	}
	return nil
}

func numbers(ctx context.Context, r *run) error {
	var want string
	for range 2 {
		m, err := r.loaded(ctx, "numbers", protocol.Load{})
		if err != nil {
			return err
		}
		for range 3 {
			a, err := r.call(ctx, m, records("x"))
			if err != nil {
				return err
			}
			if want == "" {
				want = text(a)
			}
			if text(a) != want || len(a.Poison) > 0 {
				return fmt.Errorf("it says %s, the first time %s", clip(text(a)), clip(want))
			}
		}
	}
	return nil
}

func alone(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "initials", protocol.Load{})
	if err != nil {
		return err
	}
	lines := []string{"one", "!", "two", "!!", "three", "é", "four"}
	together, err := r.call(ctx, m, records(lines...))
	if err != nil {
		return err
	}
	for i, l := range lines {
		if err := ctx.Err(); err != nil {
			return err
		}
		a, err := r.call(ctx, m, records(l))
		if err != nil {
			return err
		}
		if len(a.Outcomes) != 1 || len(together.Outcomes) != len(lines) || text(a.Outcomes[0]) != text(together.Outcomes[i]) {
			return fmt.Errorf("record %d: %s alone, %s in its batch", i, clip(text(a.Outcomes)), clip(text(together.Outcomes)))
		}
	}
	return nil
}

// replay has a second host answer the same calls.
func replay(ctx context.Context, r *run) error {
	answers := func(r *run) (string, error) {
		var all []*protocol.Answer
		for _, guest := range []string{"initials", "numbers", "trap_division", "loop_busy", "order"} {
			m, err := r.loaded(ctx, guest, protocol.Load{Limits: limits(wildFuel, fuelEach, fuelByte)})
			if err != nil {
				return "", err
			}
			for _, c := range batches() {
				a, err := r.call(ctx, m, c)
				if err != nil {
					return "", err
				}
				for i := range a.Poison {
					a.Poison[i].Detail = "" // for people
				}
				all = append(all, a)
			}
		}
		return text(all), nil
	}
	first, err := answers(r)
	if err != nil {
		return err
	}
	second := &run{start: r.start, wait: r.wait}
	defer second.abandon()
	if err := second.begin(ctx); err != nil {
		return err
	}
	again, err := answers(second)
	r.tried += second.tried
	if err == nil && again != first {
		err = errors.New("a second host answers otherwise: " + clip(again))
	}
	return err
}
