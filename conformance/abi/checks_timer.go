package conform

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

// timerOp is one row of the guest timers.
type timerOp struct {
	letter, key string
	at          int64 // after logTime
	want        int64
}

func (r *run) ruleWithTimers(ctx context.Context) (string, error) {
	return r.loaded(ctx, "timers", protocol.Load{Kind: kindRule, Grants: []string{"vedette_timer_v1", "vedette_kv_v1"}})
}

// referenceOf is that of the row n of a batch.
func referenceOf(n int) protocol.Bytes {
	b := make(protocol.Bytes, 32)
	b[0], b[31] = byte(n+1), 0xff
	return b
}

// setTimers has the guest do ops in one batch, with a state of their own or what the last call has left.
func (r *run) setTimers(ctx context.Context, module string, keep bool, ops ...timerOp) error {
	c := protocol.Call{Columns: 3, Keep: keep}
	for i, o := range ops {
		at := binary.LittleEndian.AppendUint64(nil, uint64(logTime+o.at))
		c.Rows = append(c.Rows, protocol.Row{Time: logTime, Cells: []protocol.Bytes{bytesOf(o.letter), bytesOf(o.key), at}, Ref: referenceOf(i)})
	}
	said, err := r.answersOf(ctx, module, c)
	if err != nil {
		return err
	}
	for i, o := range ops {
		if o.letter != "!" && said[i] != o.want {
			return fmt.Errorf("row %d, %s of %.20q: %d, want %d", i, o.letter, o.key, said[i], o.want)
		}
	}
	return nil
}

// due lets log time pass and requires the timers that fire, each as "key time", the time being that after logTime at which it
// was due; of one that fails, as "! place code".
func (r *run) due(ctx context.Context, module string, at int64, want ...string) error {
	a, err := r.call(ctx, module, protocol.Call{At: logTime + at, Due: true, Keep: true})
	if err != nil {
		return err
	}
	var got []string
	for _, f := range a.Findings {
		b, err := hex.DecodeString(f.Reason)
		if err != nil || len(b) != 16 || f.Key != "k="+f.Title || f.Severity != 2 {
			return fmt.Errorf("a finding arrives as %s", clip(text(f)))
		}
		if now := int64(binary.LittleEndian.Uint64(b[8:])); now != logTime+at {
			return fmt.Errorf("the batch has the log time %d, want %d", now, logTime+at)
		}
		got = append(got, fmt.Sprint(f.Title, " ", int64(binary.LittleEndian.Uint64(b))-logTime))
	}
	for _, p := range a.Poison {
		got = append(got, fmt.Sprint("! ", p.Record, " ", p.Code))
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("at %d fires %q, want %q", at, got, want)
	}
	return nil
}

func timersFire(ctx context.Context, r *run) error {
	m, err := r.ruleWithTimers(ctx)
	if err != nil {
		return err
	}
	const farthest, limit = int64(400 * 24 * 3600e9), -1
	if err := r.setTimers(ctx, m, false,
		timerOp{"s", "b", 20, 0}, timerOp{"s", "a", 20, 0}, timerOp{"s", "late", 5, 0}, timerOp{"s", "moved", 7, 0}, timerOp{"s", "moved", 21, 0},
		timerOp{"s", "gone", 6, 0}, timerOp{"x", "gone", 0, 1}, timerOp{"x", "gone", 0, 0}, timerOp{"s", "past", -50, 0}, timerOp{"s", "r", 8, 0},
		timerOp{"s", "far", farthest, 0}, timerOp{"s", "farther", farthest + 1, limit}, timerOp{"s", "", 5, limit}, timerOp{"s", strings.Repeat("k", 513), 5, limit},
		timerOp{"x", strings.Repeat("k", 513), 0, limit},
	); err != nil {
		return err
	}
	for _, step := range []struct {
		at   int64
		want []string
	}{
		{0, nil},
		{1, []string{"past 1"}},
		{4, nil},
		{9, []string{"late 5", "r 8"}},
		{18, nil},
		{20, []string{"r 19", "a 20", "b 20"}},
		{farthest, []string{"moved 21", "r 30", "far " + fmt.Sprint(farthest)}},
	} {
		if err := r.due(ctx, m, step.at, step.want...); err != nil {
			return err
		}
	}
	return nil
}

func timersFail(ctx context.Context, r *run) error {
	m, err := r.ruleWithTimers(ctx)
	if err != nil {
		return err
	}
	if err := r.setTimers(ctx, m, false, timerOp{"s", "a", 1, 0}, timerOp{letter: "!"}, timerOp{"s", "!", 2, 0}, timerOp{"s", "r", 3, 0}); err != nil {
		return err
	}
	if err := r.setTimers(ctx, m, true, timerOp{letter: "!"}); err != nil {
		return err
	}
	if err := r.due(ctx, m, 5, "a 1", "r 3", "! 1 E_TRAP"); err != nil {
		return err
	}
	return r.due(ctx, m, 100, "r 15")
}

// timersAnswer requires that what is said of a timer is complete, and that evidence is what the host gave.
func timersAnswer(ctx context.Context, r *run) error {
	v, err := vector("timed")
	if err != nil {
		return err
	}
	ask := func(answer []byte) (*protocol.Answer, error) {
		settings := `"` + hex.EncodeToString(answer) + `"`
		m, err := r.loaded(ctx, "answer_due", protocol.Load{Kind: kindRule, Grants: []string{"vedette_timer_v1"}, Settings: []byte(settings)})
		if err != nil {
			return nil, err
		}
		if _, err := r.call(ctx, m, protocol.Call{Columns: 1, Rows: make([]protocol.Row, 1)}); err != nil {
			return nil, err
		}
		return r.call(ctx, m, protocol.Call{At: logTime + 2, Due: true})
	}
	a, err := ask(v.bytes)
	if err != nil {
		return err
	}
	got, want, err := pruned([]byte(text(a.Findings)), v.Want)
	if err == nil && (got != want || len(a.Poison) > 0) {
		err = fmt.Errorf("the golden answer means %s, want %s", clip(text(a)), want)
	}
	if err != nil {
		return err
	}
	for _, b := range v.Broken {
		bad := slices.Clone(v.bytes)
		copy(bad[b.At:], b.Hex)
		if a, err = ask(bad); err == nil {
			err = allRefused(a, v.Rows)
		}
		if err != nil {
			return fmt.Errorf("%s (ABI %s): %w", b.Why, b.Clause, err)
		}
	}
	m, err := r.ruleWithTimers(ctx)
	if err == nil {
		err = r.setTimers(ctx, m, false, timerOp{"s", "a", 1, 0}, timerOp{"s", "b", 2, 0})
	}
	if err != nil {
		return err
	}
	a, err = r.call(ctx, m, protocol.Call{At: logTime + 3, Due: true})
	if err == nil && (len(a.Findings) != 2 || text(a.Findings[0].Evidence) != text(referenceOf(0)) || text(a.Findings[1].Evidence) != text(referenceOf(1))) {
		err = fmt.Errorf("the references of two rows come back as %s", clip(text(a.Findings)))
	}
	return err
}

func timersMisused(ctx context.Context, r *run) error {
	_, reply, err := r.guest(ctx, "timers_deaf", protocol.Load{Kind: kindRule, Grants: []string{"vedette_timer_v1"}})
	if err != nil {
		return err
	}
	if reply.Code != "E_ABI" || !strings.Contains(reply.Detail, "vedette_due") {
		return fmt.Errorf("timers without vedette_due: %q %s, want E_ABI with its name", reply.Code, clip(reply.Detail))
	}
	m, err := r.ruleWithTimers(ctx)
	if err != nil {
		return err
	}
	a, err := r.call(ctx, m, protocol.Call{Columns: 3, Rows: []protocol.Row{{Cells: []protocol.Bytes{bytesOf("w"), bytesOf("k"), make(protocol.Bytes, 8)}}}})
	if err == nil {
		err = allRefused(a, 1)
	}
	return err
}
