package sdks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/conformance/sdks/reference/refseen"
	"github.com/vedette-siem/vedette/conformance/sdks/reference/refsnmp"
	"github.com/vedette-siem/vedette/host/runtime"
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/go/state"
)

// --- the rule that remembers -----------------------------------------------------------------------------------------

// batches are those of a case, each encoded at its time, and their lines.
func batches(t *testing.T, a *txtar.Archive) (in [][]byte, lines [][][]byte) {
	t.Helper()
	for _, f := range a.Files[:len(a.Files)-1] {
		after, err := strconv.ParseInt(f.Name, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		rows := section(a, f.Name)
		var e abi.RowsEncoder
		e.Begin(len(rows), 3, seq, at+after*1_000_000_000)
		for _, line := range rows {
			var cells []*string
			if err := json.Unmarshal(line, &cells); err != nil || len(cells) != 3 {
				t.Fatalf("%s: %v", line, err)
			}
			e.Event(at)
			for col, c := range cells {
				if c != nil {
					e.Cell(col, *c)
				}
			}
		}
		in, lines = append(in, append([]byte(nil), e.Bytes()...)), append(lines, rows)
	}
	return in, lines
}

// seenNatively is what every build must answer to batches one after another.
func seenNatively(t *testing.T, in [][]byte) (out [][]byte) {
	t.Helper()
	state.Native = state.New(state.Limits{}, nil)
	defer func() { state.Native = nil }()
	for _, batch := range in {
		var b sdk.Buffers
		status, answer := sdk.RunRule(refseen.Rule, batch, b.Grow(0, 1<<20))
		if status != abi.StatusOK {
			t.Fatalf("natively: status %d", status)
		}
		out = append(out, append([]byte(nil), answer...))
	}
	return out
}

func TestRuleThatRemembers(t *testing.T) {
	all := cases(t, "refseen", func(t *testing.T, a *txtar.Archive) string {
		in, lines := batches(t, a)
		var b strings.Builder
		for n, out := range seenNatively(t, in) {
			err := abi.DecodeFindings(out, len(lines[n]), func(f abi.Finding) {
				fmt.Fprintf(&b, "%s %s: severity %d, title %q, reason %q, key %q\n", a.Files[n].Name, lines[n][f.Event], f.Severity, f.Title, f.Reason, f.Key)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	})
	long := strings.Repeat("l", 256)
	all = append(all, &txtar.Archive{Files: []txtar.File{{Name: "0", Data: fmt.Appendf(nil, "[%q,%q,%q]\n[%q,%q,%q]\n[%q,%q,%q]\n",
		"login", long, long[1:], "login", long, long, "login", "u", strings.Repeat("é", 250))}, {Name: "want"}}})
	for i := range builds {
		b := &builds[i]
		t.Run(b.name, func(t *testing.T) {
			m := b.load(t, newHost(t, runtime.Config{}), "refseen")
			for _, a := range all {
				in, _ := batches(t, a)
				want := seenNatively(t, in)
				space := state.New(state.Limits{}, nil)
				for n := range in {
					var f runtime.Findings
					if err := m.EvalIn(t.Context(), runtime.Env{State: space}, in[n], &f); err != nil || len(f.Poison) != 0 {
						t.Fatalf("%v, poison %v", err, f.Poison)
					}
					same(t, raw(&f), want[n])
				}
			}
		})
	}
}

// --- the monitor over SNMP -------------------------------------------------------------------------------------------

// look is one line of a case's input.
type look struct {
	Cursor string
	Get    [][2]any // type, and a number or a text
	Walk   [][3]any // what follows the OID that is asked for, type, and a number or a text
	More   bool
	Error  string
	Denied bool
}

func variable(oid string, kind, value any) snmp.Variable {
	v := snmp.Variable{OID: oid, Type: snmp.Type(kind.(float64))}
	switch x := value.(type) {
	case string:
		v.Bytes = []byte(x)
	case float64:
		v.Number = uint64(int64(x))
	}
	return v
}

// device answers as the line says.
func (l *look) device(_ context.Context, walk bool, oids []string) (vars []snmp.Variable, more bool, err error) {
	switch {
	case l.Denied:
		return nil, false, fmt.Errorf("%s: %w", l.Error, runtime.ErrDenied)
	case l.Error != "":
		return nil, false, errors.New(l.Error)
	case walk:
		for _, v := range l.Walk {
			vars = append(vars, variable(oids[0]+"."+v[0].(string), v[1], v[2]))
		}
		return vars, l.More, nil
	}
	for i, v := range l.Get {
		vars = append(vars, variable(oids[i], v[0], v[1]))
	}
	return vars, false, nil
}

// natively returns the answer, or why there is none.
func (l *look) natively(t *testing.T) ([]byte, string) {
	t.Helper()
	snmp.Native = func(function, _, request string, out []byte) (int, error) {
		vars, more, err := l.device(t.Context(), function == "walk", strings.Split(request, " "))
		switch {
		case errors.Is(err, runtime.ErrDenied):
			return 0, fmt.Errorf("E_DENIED: %w", err)
		case err != nil:
			return 0, fmt.Errorf("E_HOST_IO: %w", err)
		}
		return snmp.Encode(out, vars, more), nil
	}
	defer func() { snmp.Native = nil }()
	var b sdk.Buffers
	status, out := sdk.RunMonitor(refsnmp.Monitor, abi.EncodePoll(nil, seq, at, []byte(l.Cursor)), b.Grow(0, 1<<20))
	if status != abi.StatusOK {
		return nil, string(out)
	}
	return out, ""
}

func looks(t *testing.T, a *txtar.Archive) (all []look) {
	t.Helper()
	for _, line := range section(a, "input") {
		var l look
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func TestMonitorOverSNMP(t *testing.T) {
	all := cases(t, "refsnmp", func(t *testing.T, a *txtar.Archive) string {
		var b strings.Builder
		for _, l := range looks(t, a) {
			out, why := l.natively(t)
			if why != "" {
				fmt.Fprintf(&b, "fails: %s\n", why)
				continue
			}
			records, cursor, err := abi.DecodePolled(out)
			if err != nil || len(records) != 1 {
				t.Fatalf("%d records, %v", len(records), err)
			}
			fmt.Fprintf(&b, "%s, cursor %s\n", records[0], cursor)
		}
		return b.String()
	})
	for i := range builds {
		b := &builds[i]
		t.Run(b.name, func(t *testing.T) {
			m := b.load(t, newHost(t, runtime.Config{}), "refsnmp")
			for _, a := range all {
				for _, l := range looks(t, a) {
					l.run(t, m)
				}
			}
		})
	}
}

// run polls a build once and compares what came of it.
func (l *look) run(t *testing.T, m *runtime.Module) {
	t.Helper()
	want, why := l.natively(t)
	var got runtime.Polled
	err := m.Poll(t.Context(), abi.EncodePoll(nil, seq, at, []byte(l.Cursor)), &got, runtime.Target{Name: "target", SNMP: l.device})
	switch {
	case why != "" && (err == nil || !strings.Contains(err.Error(), why)):
		t.Errorf("%+v: got %v, want %q", l, err, why)
	case why == "" && err != nil:
		t.Errorf("%+v: %v", l, err)
	case why == "":
		same(t, raw(&got), want)
	}
}
