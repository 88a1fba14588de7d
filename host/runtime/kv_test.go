package runtime

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/sdk/go/window"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

func stateGuest(tb testing.TB, toolchain int, cfg Config) *Module {
	tb.Helper()
	return load(tb, newHost(tb, cfg), stateSpec(tb, toolchain))
}

func stateSpec(tb testing.TB, toolchain int) ModuleSpec {
	return ModuleSpec{
		Digest: "state", Kind: manifest.Rule, Wasm: buildGuest(tb, toolchain, "./testdata/stateguest"), WASIStub: true,
		Grants: []string{keys.Import, window.Import}, Limits: toolchains[toolchain].limit,
	}
}

// ops evaluates a batch, one operation a row, "op key value number", and returns the answers; "E_…" for poison.
func ops(tb testing.TB, m *Module, s *state.Space, at int64, rows ...string) []string {
	tb.Helper()
	var e abi.RowsEncoder
	e.Begin(len(rows), 4, seq, at)
	for _, r := range rows {
		e.Event(at)
		for col, cell := range strings.SplitN(r, " ", 4) {
			e.Cell(col, cell)
		}
	}
	var f Findings
	if err := m.EvalIn(tb.Context(), Env{State: s}, e.Bytes(), &f); err != nil {
		tb.Fatal(err)
	}
	out := make([]string, len(rows))
	for _, x := range f.List {
		out[x.Event] = string(x.Reason)
	}
	for _, p := range f.Poison {
		out[p.Record] = p.Trap.Code
	}
	return out
}

const limited = "E_LIMIT: a quota or a bound of the host"

// TestState: what a guest sees of every call, and that one source does the same natively.
func TestState(t *testing.T) {
	const minute = int64(time.Minute)
	huge, long := strings.Repeat("k", 1<<20), strings.Repeat("v", 65_536)
	script := []struct {
		at   int64
		row  string
		want string
	}{
		{0, "get a - 0", "there is no such key"},
		{0, "put a one 60000000000", ""},
		{0, "get a - 0", "one"},
		{0, "swap a two 0", "true"},
		{0, "swap b first 60000000000", "true"},
		{minute, "get a - 0", "two"},
		{minute, "get b - 0", "there is no such key"},
		{minute, "del a - 0", "true"},
		{minute, "del a - 0", "false"},
		{minute, "add n - 5", "5"},
		{minute, "add n - -7", "-2"},
		{minute, "count c - 240000000000", "1"},
		{2 * minute, "count c - 240000000000", "2"},
		{5 * minute, "count c - 240000000000", "2"},
		{5 * minute, "distinct d x 60000000000", "1"},
		{5 * minute, "distinct d y 60000000000", "2"},
		{5 * minute, "distinct d x 60000000000", "2"},
		{6 * minute, "distinct d z 60000000000", "1"},
		{6 * minute, "first f - 60000000000", "true"},
		{6 * minute, "first f - 60000000000", "false"},
		{7 * minute, "first f - 60000000000", "true"},
		{7 * minute, "step s 2 60000000000", "0"},
		{7 * minute, "step s 1 60000000000", "0"},
		{7 * minute, "step s 2 60000000000", "1"},
		{7 * minute, "step s 2 60000000000", "2"},
		{9 * minute, "step s 3 60000000000", "0"},
		// H22
		{9 * minute, "put a v -1", limited},
		{9 * minute, "put a v 9223372036854775807", limited},
		{9 * minute, "count a v 9223372036854775807", limited},
		{9 * minute, "count a v 0", limited},
		{9 * minute, "distinct a v 0", limited},
		{9 * minute, "first a v -9223372036854775808", limited},
		{9 * minute, "put " + huge + " v 0", limited},
		{9 * minute, "first " + huge + " v 1", limited},
		{9 * minute, "put a " + long + " 0", ""},
		{9 * minute, "get a - 0", "the value is longer than the buffer"},
		{9 * minute, "put a " + long + "v 0", limited},
		{9 * minute, "add a - 1", limited},
	}
	for n, tool := range toolchains {
		t.Run(tool.name, func(t *testing.T) {
			m := stateGuest(t, n, Config{})
			if !m.Stateful() {
				t.Error("it imports state")
			}
			s := state.New(state.Limits{}, nil)
			for k, c := range script {
				if got := ops(t, m, s, c.at, c.row)[0]; got != c.want {
					t.Errorf("%d %.60s: %q, want %q", k, c.row, got, c.want)
				}
			}
		})
	}
}

// TestStateOfAFailure: a batch that fails leaves nothing behind but what its good rows did, in whatever way it is cut.
func TestStateOfAFailure(t *testing.T) {
	m := stateGuest(t, 0, Config{})
	for _, bad := range []string{"boom", "spin"} {
		for at := range 5 {
			rows := make([]string, 5)
			for k := range rows {
				rows[k] = "add n - 1"
			}
			rows[at] = bad + " left behind 0"
			s := state.New(state.Limits{}, nil)
			got := ops(t, m, s, 1, rows...)
			sum := 0
			for k, g := range got {
				if k == at {
					if g != CodeTrap && g != CodeFuel {
						t.Errorf("%s: row %d: %q", bad, at, g)
					}
					continue
				}
				if sum++; g != strconv.Itoa(sum) {
					t.Errorf("%s at %d: the good rows count %q", bad, at, got)
				}
			}
			if got := ops(t, m, s, 1, "get left - 0", "add n - 0"); got[0] != "there is no such key" || got[1] != "4" {
				t.Errorf("%s at %d leaves %q", bad, at, got)
			}
		}
	}
}

// TestStateOfAStall: a try that the machine did not run in time is as if it had not been.
func TestStateOfAStall(t *testing.T) {
	var now time.Time
	stalls := 0
	m := stateGuest(t, 0, Config{Now: func() time.Time {
		if stalls > 0 { // at the first look of the running guest
			now = now.Add(4 * time.Second)
		}
		return now
	}})
	s := state.New(state.Limits{}, nil)
	rows := make([]string, 300)
	for k := range rows {
		rows[k] = "add n - 1"
	}
	var e abi.RowsEncoder
	e.Begin(1, 4, seq, 1)
	e.Event(1)
	e.Cell(0, "spin")
	e.Cell(1, "left")
	e.Cell(2, "behind")
	stalls = 1
	var f Findings
	err := m.EvalIn(t.Context(), Env{State: s}, e.Bytes(), &f)
	stalls = 0
	if !errors.Is(err, ErrStalled) || s.Len() != 0 || s.Open() {
		t.Fatalf("%v, %d keys, open %v", err, s.Len(), s.Open())
	}
	if got := ops(t, m, s, 1, rows...); got[299] != "300" {
		t.Errorf("after it: %q", got[299])
	}
}

// H22: what one organization keeps, another does not see, however it guesses the key; nor another module.
func TestH22OtherOrganizations(t *testing.T) {
	m := stateGuest(t, 0, Config{})
	budget := &state.Budget{Max: math.MaxInt}
	one, two := state.New(state.Limits{}, budget), state.New(state.Limits{}, budget)
	ops(t, m, one, 1, "put secret x 0", "first user - 1000", "add n - 41")
	if got := ops(t, m, two, 1, "get secret - 0", "first user - 1000", "add n - 1", "del secret - 0"); fmt.Sprint(got) != "[there is no such key true 1 false]" {
		t.Errorf("the other organization: %q", got)
	}
	if got := ops(t, m, one, 1, "get secret - 0", "add n - 1"); fmt.Sprint(got) != "[x 42]" {
		t.Errorf("its own: %q", got)
	}
}

// H25: a module that asks for state while it starts, or without a grant, does not get to run.
func TestH25StateOutsideOfACall(t *testing.T) {
	h := newHost(t, Config{})
	refused := func(why, code string, change func(*ModuleSpec)) {
		t.Helper()
		spec := stateSpec(t, 0)
		change(&spec)
		_, err := h.Load(t.Context(), spec)
		var trap *Trap
		if !errors.As(err, &trap) || trap.Code != code {
			t.Errorf("%s: %v", why, err)
		}
	}
	refused("in vedette_init", CodeABI, func(s *ModuleSpec) { s.Settings = []byte("key") })
	refused("not granted", CodeImport, func(s *ModuleSpec) { s.Grants = []string{keys.Import} })
	refused("a parser", CodeImport, func(s *ModuleSpec) { s.Kind = manifest.Parser })
	refused("a monitor", CodeImport, func(s *ModuleSpec) { s.Kind = manifest.Monitor })
	m := load(t, h, stateSpec(t, 0))
	if got := ops(t, m, nil, 1, "get a - 0"); got[0] != CodeABI {
		t.Errorf("a host that offers none: %q", got)
	}
}

// Each call of state from a guest, beside one that does nothing with it.
func BenchmarkState(b *testing.B) {
	for n, tool := range toolchains {
		for _, op := range []string{"none", "get", "put", "add", "swap", "count", "distinct", "first", "step"} {
			b.Run(tool.name+"/"+op, func(b *testing.B) {
				m := stateGuest(b, n, Config{})
				s := state.New(state.Limits{}, nil)
				const rows = 256
				var e abi.RowsEncoder
				e.Begin(rows, 4, seq, 1)
				for k := range rows {
					e.Event(1)
					e.Cell(0, op)
					e.Cell(1, "user-"+strconv.Itoa(k%64))
					e.Cell(2, strconv.Itoa(k%7))
					e.Cell(3, "60000000000")
				}
				var f Findings
				b.ReportAllocs()
				for k := 0; b.Loop(); k++ {
					if k%rows == 0 {
						if err := m.EvalIn(b.Context(), Env{State: s}, e.Bytes(), &f); err != nil || len(f.Poison) > 0 {
							b.Fatal(err, f.Poison)
						}
					}
				}
			})
		}
	}
}
