package conform

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

// Figures of ABI 12 and 13.
const (
	second = int64(time.Second)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour

	overLimit = -1 // E_LIMIT
	highest   = 1<<63 - 1
)

// deed is one row of the guest windows.
type deed struct {
	letter, key string
	value       protocol.Bytes
	a, b, n     int64

	want int64 // result
}

func rowsOfDeeds(at int64, deeds []deed) protocol.Call {
	c := protocol.Call{Seq: logSeq, At: at, Columns: 6}
	for _, d := range deeds {
		c.Rows = append(c.Rows, protocol.Row{Time: at, Cells: []protocol.Bytes{
			bytesOf(d.letter), bytesOf(d.key), d.value, bytesOf(number(d.a)), bytesOf(number(d.b)), bytesOf(number(d.n)),
		}})
	}
	return c
}

// answersOf returns the 8 bytes that the guest answers each row with. A row whose letter is "!" must fail, every other one
// must not.
func (r *run) answersOf(ctx context.Context, module string, c protocol.Call) ([]int64, error) {
	a, err := r.call(ctx, module, c)
	if err != nil {
		return nil, err
	}
	failed := map[int]string{}
	for _, p := range a.Poison {
		failed[p.Record] = p.Code
	}
	said := make([]int64, len(c.Rows))
	heard := make([]bool, len(c.Rows))
	for _, f := range a.Findings {
		b, err := hex.DecodeString(f.Reason)
		if err != nil || len(b) != 8 || f.Row >= len(said) {
			return nil, fmt.Errorf("row %d: the guest's finding arrives as %q", f.Row, clip(f.Reason))
		}
		said[f.Row], heard[f.Row] = int64(binary.LittleEndian.Uint64(b)), true
	}
	for i := range c.Rows {
		switch trap := string(c.Rows[i].Cells[0]) == "!"; {
		case trap && failed[i] != "E_TRAP":
			return nil, fmt.Errorf("row %d: %q, want E_TRAP", i, failed[i])
		case !trap && !heard[i]:
			return nil, fmt.Errorf("row %d, %s of %.20q: %q instead of a finding", i, c.Rows[i].Cells[0], c.Rows[i].Cells[1], failed[i])
		}
	}
	return said, nil
}

// deeds has the guest do rows in one batch, with what the batch before has left or anew, and requires their results.
func (r *run) deeds(ctx context.Context, module string, at int64, keep bool, list ...deed) error {
	c := rowsOfDeeds(at, list)
	c.Keep = keep
	said, err := r.answersOf(ctx, module, c)
	if err != nil {
		return err
	}
	for i, d := range list {
		if d.letter != "!" && said[i] != d.want {
			return fmt.Errorf("%v after the first batch, row %d: %s of %.20q (%d, %d, %d) is %d, want %d",
				time.Duration(at-logTime), i, d.letter, d.key, d.a, d.b, d.n, said[i], d.want)
		}
	}
	return nil
}

func (r *run) ruleWithWindows(ctx context.Context) (string, error) {
	return r.loaded(ctx, "windows", protocol.Load{
		Kind: kindRule, Grants: []string{"vedette_window_v1", "vedette_kv_v1"}, Limits: limits(80_000_000, 2_000_000, 10_000),
	})
}

// batch is a batch of deeds so long after the first one, which finds what those before it have left.
type batch struct {
	after int64
	deeds []deed
}

// history has the guest do batches, the first of which begins with no state.
func (r *run) history(ctx context.Context, batches ...batch) error {
	m, err := r.ruleWithWindows(ctx)
	if err != nil {
		return err
	}
	for n, b := range batches {
		if err := r.deeds(ctx, m, logTime+b.after, n > 0, b.deeds...); err != nil {
			return err
		}
	}
	return nil
}

// windowCounts: the first batch stands 20 seconds behind a whole minute.
func windowCounts(ctx context.Context, r *run) error {
	count := func(n, want int64) deed {
		return deed{letter: "c", key: "a", a: 3 * minute, b: minute, n: n, want: want}
	}
	bad := func(a, b, n int64) deed { return deed{letter: "c", key: "bad", a: a, b: b, n: n, want: overLimit} }
	long := strings.Repeat("k", 512)
	return r.history(ctx,
		batch{0, []deed{
			count(0, 0), count(2, 2), count(3, 5), count(0, 5),
			{letter: "c", key: "a", a: 4 * minute, b: minute, n: 1, want: 1},
			{letter: "c", key: "a", a: 3 * minute, b: minute / 2, n: 1, want: 1},
			{letter: "c", key: "b", a: 3 * minute, b: minute, n: 7, want: 7},
			{letter: "c", key: "h", a: minute, b: minute, n: highest, want: highest},
			{letter: "c", key: "h", a: minute, b: minute, n: 1, want: highest},
			{letter: "c", key: "64", a: 64 * second, b: second, n: 1, want: 1},
			{letter: "c", key: "long", a: 400 * day, b: 10 * day, n: 1, want: 1},
			{letter: "c", key: long, a: minute, b: minute, n: 1, want: 1},
			{letter: "c", key: long + "k", a: minute, b: minute, n: 1, want: overLimit},
			{letter: "c", key: "", a: minute, b: minute, n: 1, want: overLimit},
			bad(64*second+1, second, 1), bad(400*day+1, 10*day, 1), bad(0, 1, 1), bad(-1, 1, 1), bad(minute, 0, 1), bad(minute, minute, -1),
			{letter: "c", key: "bad", a: minute, b: minute, n: 0},
		}},
		batch{minute, []deed{count(1, 6)}},
		batch{2*minute + 39*second, []deed{count(0, 6)}},
		batch{2*minute + 40*second, []deed{count(0, 1), {letter: "c", key: "b", a: 3 * minute, b: minute}}},
		batch{0, []deed{count(0, 1), count(1, 2)}}, // log time does not go back
	)
}

func distinctValues(ctx context.Context, r *run) error {
	seen := func(value string, want int64) deed {
		return deed{letter: "d", key: "a", value: bytesOf(value), a: hour, want: want}
	}
	err := r.history(ctx,
		batch{0, []deed{
			seen("x", 1), seen("x", 1), seen("y", 2), seen("", 3),
			{letter: "d", key: "a", value: bytesOf("x"), a: 2 * hour, want: 1},
			{letter: "d", key: "b", value: bytesOf("x"), a: hour, want: 1},
			{letter: "d", key: "b", value: make(protocol.Bytes, 64<<10), a: hour, want: 2},
			{letter: "d", key: "b", value: make(protocol.Bytes, 64<<10+1), a: hour, want: overLimit},
			{letter: "d", key: "b", value: bytesOf("z"), a: 0, want: overLimit},
			{letter: "d", key: "b", value: bytesOf("z"), a: 401 * day, want: overLimit},
			{letter: "D", key: "many", a: hour, n: 1024, want: 1024},
		}},
		batch{hour / 2, []deed{seen("x", 3)}},
		batch{hour - 1, []deed{seen("x", 3)}},
		batch{hour, []deed{seen("z", 2)}}, // y and the empty one were seen an hour ago
		batch{2 * hour, []deed{seen("z", 1), {letter: "d", key: "many", value: bytesOf("x"), a: hour, want: 1}}},
	)
	if err != nil {
		return err
	}
	m, err := r.ruleWithWindows(ctx)
	if err != nil {
		return err
	}
	const many = 5000
	var first int64
	for n := range 2 {
		said, err := r.answersOf(ctx, m, rowsOfDeeds(logTime, []deed{{letter: "D", key: "a", a: hour, n: many}}))
		if err != nil {
			return err
		}
		if n == 0 {
			first = said[0]
		}
		if off := said[0] - many; off < -many*28/100 || off > many*28/100 || said[0] != first { // four standard errors
			return fmt.Errorf("%d values are told as %d, and before as %d", many, said[0], first)
		}
	}
	return nil
}

func firstSeen(ctx context.Context, r *run) error {
	seen := func(want int64) deed { return deed{letter: "f", key: "a", a: hour, want: want} }
	return r.history(ctx,
		batch{0, []deed{
			seen(1), seen(0),
			{letter: "f", key: "b", a: hour, want: 1},
			{letter: "c", key: "a", a: hour, b: hour},
			{letter: "f", key: "c", a: 400 * day, want: 1},
			{letter: "f", key: "", a: hour, want: overLimit},
			{letter: "f", key: strings.Repeat("k", 513), a: hour, want: overLimit},
			{letter: "f", key: "d", a: 0, want: overLimit},
			{letter: "f", key: "d", a: -1, want: overLimit},
			{letter: "f", key: "d", a: 401 * day, want: overLimit},
			{letter: "f", key: "d", a: hour, want: 1},
		}},
		batch{hour / 2, []deed{seen(0)}},
		batch{hour/2 + hour - 1, []deed{seen(0), {letter: "f", key: "b", a: hour, want: 1}}},
		batch{hour/2 + 2*hour - 1, []deed{seen(1), seen(0)}},
	)
}

func sequenceSteps(ctx context.Context, r *run) error {
	step := func(to, was int64) deed { return deed{letter: "s", key: "k", a: hour, n: to, want: was} }
	return r.history(ctx,
		batch{0, []deed{
			step(2, 0), step(1, 0), step(1, 1), step(3, 1), step(2, 1), step(2, 2), step(4, 2), step(3, 2), step(1, 3), step(3, 3),
			{letter: "s", key: "k", n: 0, want: 3}, // its time to live is not read
			step(0, 0), step(2, 0), step(1, 0), step(65535, 1), step(65536, overLimit), step(-1, overLimit), step(1, 1),
			{letter: "s", key: "", a: hour, n: 1, want: overLimit},
			{letter: "s", key: "k", a: 0, n: 2, want: overLimit},
			{letter: "s", key: "k", a: 401 * day, n: 2, want: overLimit},
			step(1, 1),
		}},
		batch{hour - 1, []deed{step(2, 1)}},
		batch{2*hour - 2, []deed{step(4, 2)}}, // a step that does not move it does not keep it either
		batch{2*hour - 1, []deed{step(3, 0)}},
	)
}

// windowsGiveWay fills the quota with keys of vedette_kv_v1: 255 of 65,536 bytes fit, and 237 of first_seen beside them.
func windowsGiveWay(ctx context.Context, r *run) error {
	kth := func(key string, k byte, rest ...byte) string {
		return key + string(append([]byte{k}, append(rest, 0, 0, 0)...)[:4])
	}
	err := r.history(ctx, batch{0, []deed{
		{letter: "P", key: "p", n: 300, want: 255},
		{letter: "F", key: "f", a: hour, b: 1, n: 1000, want: 1000},
		{letter: "f", key: kth("f", 0xe7, 3), a: hour},          // 999 is there
		{letter: "f", key: kth("f", 0xfb, 2), a: hour},          // 763, of which the end is now the first
		{letter: "f", key: kth("f", 0xfa, 2), a: hour, want: 1}, // 762 has made room
		{letter: "P", key: "q", n: 1},
		{letter: "f", key: kth("f", 0xde, 3), a: hour}, // 990 has made none for a key
		{letter: "g", key: kth("p", 0), want: -3},
		{letter: "g", key: kth("p", 254), want: -3},
		{letter: "g", key: kth("p", 255), want: -2},
	}})
	if err != nil {
		return err
	}
	const half = 65536 / 2 // of the calls of one vedette_eval
	return r.history(ctx, batch{0, []deed{{letter: "F", key: "f", a: hour, n: half, want: half}, {letter: "F", key: "g", a: hour, n: half + 10, want: half - 10}}})
}

func windowsUndone(ctx context.Context, r *run) error {
	count := func(want int64) deed { return deed{letter: "c", key: "a", a: hour, b: hour, n: 1, want: want} }
	value := func(v string, want int64) deed {
		return deed{letter: "d", key: "a", value: bytesOf(v), a: hour, want: want}
	}
	err := r.history(ctx,
		batch{0, []deed{count(1), {letter: "f", key: "a", a: hour, want: 1}, value("x", 1), {letter: "!"}, count(2), value("y", 2), {letter: "!"}, count(3), {letter: "f", key: "a", a: hour}}},
		batch{1, []deed{count(4), value("z", 3), count(5), {letter: "!"}, count(6), value("z", 3)}},
	)
	if err != nil {
		return err
	}
	m, err := r.ruleWithWindows(ctx)
	if err != nil {
		return err
	}
	a, err := r.call(ctx, m, rowsOfDeeds(logTime, []deed{{letter: "w"}}))
	if err == nil {
		err = allRefused(a, 1)
	}
	return err
}
