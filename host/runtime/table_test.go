package runtime

import (
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/sdk/go/table"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/sdk/go/window"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// shelf is the tables of an organization.
type shelf map[string]*index.Table

func (s shelf) Table(name string) *index.Table { return s[name] }

func tableSpec(tb testing.TB, toolchain int) ModuleSpec {
	return ModuleSpec{
		Digest: "table", Kind: manifest.Rule, Wasm: buildGuest(tb, toolchain, "./testdata/tableguest"), WASIStub: true,
		Grants: []string{table.ImportSet, table.ImportLookup}, Tables: []string{"nets", "users", "missing"}, Limits: toolchains[toolchain].limit,
	}
}

func shelfOf(tb testing.TB) shelf {
	tb.Helper()
	nets, err := index.New(index.CIDR, []string{"net"}, [][]string{{"10.0.0.0/8"}, {"192.0.2.7"}})
	if err != nil {
		tb.Fatal(err)
	}
	users, err := index.New(index.NoCase, []string{"user", "department"}, [][]string{{"eva", "finance"}, {"big", strings.Repeat("x", 4096)}})
	if err != nil {
		tb.Fatal(err)
	}
	return shelf{"nets": nets, "users": users, "secrets": users}
}

func TestTables(t *testing.T) {
	for n, tool := range toolchains {
		t.Run(tool.name, func(t *testing.T) {
			m := load(t, newHost(t, Config{}), tableSpec(t, n))
			if m.Stateful() {
				t.Error("tables are no state")
			}
			for _, c := range []struct{ op, table, arg, want string }{
				{"match", "nets", "10.1.2.3,x,,192.0.2.7,192.0.2.8,,,,10.0.0.1", "3 1001 1"},
				{"match", "nets", "x", "0 0"},
				{"match", "nets", strings.Repeat("10.0.0.1,", 1023) + "10.0.0.1", "1024" + strings.Repeat(" 11111111", 128)},
				{"match", "nets", strings.Repeat("10.0.0.1,", 1024), "E_LIMIT: more keys than one call takes, or a key that is too long"},
				{"has", "users", "EVA", "true"},
				{"has", "users", "bob", "false"},
				{"has", "users", strings.Repeat("k", 1<<20), "false"},
				{"get", "users", "Eva", "user=eva department=finance "},
				{"get", "users", "bob", "the key is in no row"},
				{"get", "users", "big", "the row is longer than the buffer"},
				{"get", "users", strings.Repeat("k", 513), "E_LIMIT: more keys than one call takes, or a key that is too long"},
				{"has", "secrets", "eva", "E_DENIED: no such table was granted"},
				{"get", "secrets", "eva", "E_DENIED: no such table was granted"},
				{"get", strings.Repeat("n", 5000), "eva", "E_DENIED: no such table was granted"},
				{"has", "missing", "eva", "false"},
				{"get", "missing", "eva", "the key is in no row"},
			} {
				var e abi.RowsEncoder
				e.Begin(1, 3, seq, at)
				e.Event(at)
				for col, v := range []string{c.op, c.table, c.arg} {
					e.Cell(col, v)
				}
				var f Findings
				if err := m.EvalIn(t.Context(), Env{Tables: shelfOf(t)}, e.Bytes(), &f); err != nil {
					t.Fatal(err)
				}
				if len(f.List) != 1 || string(f.List[0].Reason) != clip(c.want, abi.MaxTitleBytes) {
					t.Errorf("%s %.20s %.40s: %d findings, poison %v, want %q", c.op, c.table, c.arg, len(f.List), f.Poison, c.want)
				}
			}
		})
	}
}

// H25: an address that leads outside the memory ends the call, and what it has kept is undone.
func TestH25AddressesOfACall(t *testing.T) {
	m := load(t, newHost(t, Config{}), ModuleSpec{
		Digest: "addresses", Kind: manifest.Rule, Wasm: hostile(t, "capability_addresses"), Tables: []string{"nets"},
		Grants: []string{keys.Import, window.Import, table.ImportSet, table.ImportLookup},
	})
	s := state.New(state.Limits{}, nil)
	for c, why := range []string{
		"match: a key outside", "match: places outside", "match: no room for the bits", "lookup: no room for the row", "get: no room for the value",
		"put: a value outside", "incr: no room for the sum", "cas: a value outside", "count: a key of 4 GiB",
	} {
		if got := ops(t, m, s, 1, string(rune('a'+c))+" - - 0"); got[0] != CodeABI {
			t.Errorf("%s: %q", why, got)
		}
	}
	if s.Len() != 0 || s.Open() {
		t.Errorf("%d keys are kept", s.Len())
	}
}

// BenchmarkTables looks one key up in a table, from a guest.
func BenchmarkTables(b *testing.B) {
	for n, tool := range toolchains {
		for _, op := range []string{"none", "has", "get"} {
			b.Run(tool.name+"/"+op, func(b *testing.B) {
				m := load(b, newHost(b, Config{}), tableSpec(b, n))
				const rows = 256
				var e abi.RowsEncoder
				e.Begin(rows, 3, seq, 1)
				for range rows {
					e.Event(1)
					e.Cell(0, op)
					e.Cell(1, "users")
					e.Cell(2, "eva")
				}
				var f Findings
				env := Env{Tables: shelfOf(b)}
				b.ReportAllocs()
				for k := 0; b.Loop(); k++ {
					if k%rows == 0 {
						if err := m.EvalIn(b.Context(), env, e.Bytes(), &f); err != nil || len(f.Poison) > 0 {
							b.Fatal(err, f.Poison)
						}
					}
				}
			})
		}
	}
}
