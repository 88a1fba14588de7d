package runtime

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// spaceOf returns a space with values of some names, of windows too.
func spaceOf(names ...string) *state.Space {
	s := state.New(state.Limits{}, nil)
	s.Begin(at)
	for _, n := range names {
		s.Put([]byte(n), []byte("value"), int64(time.Hour))
	}
	s.Commit()
	return s
}

func contents(s *state.Space) string {
	var b strings.Builder
	s.Each(func(k abi.Key) bool {
		fmt.Fprintf(&b, "%d %s=%q until %v\n", k.Kind, k.Name, k.Value, time.Duration(k.Ends-at))
		return true
	})
	return b.String()
}

// migrate tries a migration of a space in a module, which must leave that space alone.
func migrateInto(t *testing.T, m *Module, old *state.Space, l state.Limits) (*state.Space, int64, error) {
	t.Helper()
	before := string(old.Append(nil))
	into := state.New(l, nil)
	fuel, work, err := m.Migrate(t.Context(), seq, at, 3, old, into)
	if string(old.Append(nil)) != before {
		t.Fatal("the state before is another")
	}
	if err == nil && old.Len() > 0 && work.OutBytes == 0 {
		t.Error("its answers are not counted")
	}
	return into, fuel, err
}

func TestMigrate(t *testing.T) {
	for n := range toolchains {
		t.Run(toolchains[n].name, func(t *testing.T) {
			m := load(t, newHost(t, Config{}), migrateSpec(t, n))
			if !m.Migrates() {
				t.Fatal("it does not migrate")
			}
			old := spaceOf("as it is", "drop", "twice", "fresh", "upper")
			old.Begin(at)
			old.Count([]byte("c"), int64(time.Hour), int64(time.Minute), 7)
			old.Distinct([]byte("d"), []byte("one"), int64(time.Hour))
			old.Seen([]byte("s"), int64(time.Hour))
			old.Step([]byte("q"), 1, int64(time.Hour))
			old.Commit()
			into, fuel, err := migrateInto(t, m, old, state.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			values := contents(into)
			for _, want := range []string{`0 3="value" until 1h0m0s`, `0 UPPER="was value" until 1h0m0s`, `0 again="value"`, `0 as it is="value"`, `0 once="value"`} {
				if !strings.Contains(values, want) {
					t.Errorf("there is no %s in\n%s", want, values)
				}
			}
			into.Begin(at)
			if c, d, s, q := into.Count([]byte("c"), int64(time.Hour), int64(time.Minute), 0), into.Distinct([]byte("d"), []byte("two"), int64(time.Hour)),
				into.Seen([]byte("s"), int64(time.Hour)), into.Step([]byte("q"), 2, int64(time.Hour)); c != 7 || d != 2 || s != 0 || q != 1 || into.Len() != 9 {
				t.Errorf("windows: %d %d %d %d, %d keys", c, d, s, q, into.Len())
			}
			into.Commit()
			if _, again, err := migrateInto(t, m, old, state.Limits{}); err != nil || again != fuel || fuel == 0 {
				t.Errorf("%d fuel, then %d: %v", fuel, again, err)
			}
			var names []string
			for i := range 1000 {
				names = append(names, fmt.Sprintf("key %d %s", i, strings.Repeat("x", i%400)))
			}
			old = spaceOf(names...)
			old.Begin(at)
			old.Put([]byte("large"), make([]byte, state.MaxValueBytes), 0)
			old.Commit()
			if into, _, err = migrateInto(t, m, old, state.Limits{}); err != nil || contents(into) != contents(old) {
				t.Errorf("many keys: %v, %d of %d", err, into.Len(), old.Len())
			}
			if into, _, err = migrateInto(t, m, spaceOf(), state.Limits{}); err != nil || into.Len() != 0 {
				t.Errorf("no keys: %v", err)
			}
		})
	}
}

func migrateSpec(tb testing.TB, toolchain int) ModuleSpec {
	return ModuleSpec{
		Digest: "migrate", Kind: manifest.Rule, Wasm: buildGuest(tb, toolchain, "./testdata/migrateguest"), WASIStub: true,
		Grants: []string{keys.Import}, Limits: toolchains[toolchain].limit,
	}
}

// H30: whatever a migration does, it ends, hurts nothing, and says why.
func TestH30Migration(t *testing.T) {
	h := newHost(t, Config{})
	m := load(t, h, migrateSpec(t, 0))
	for key, want := range map[string]string{
		"refuse": "E_TRAP: it knows no such key", "panic": "E_TRAP", "loop": "E_FUEL", "outside": "E_ABI: 12.1", "many": "E_OUTPUT_LIMIT",
	} {
		if _, fuel, err := migrateInto(t, m, spaceOf("a", key, "z"), state.Limits{}); err == nil || !strings.HasPrefix(err.Error(), want) || fuel == 0 {
			t.Errorf("%s: %v (%d fuel), want %s", key, err, fuel, want)
		}
	}
	s := state.New(state.Limits{}, nil)
	s.Begin(at)
	s.Seen([]byte("forge"), int64(time.Hour))
	s.Commit()
	if _, _, err := migrateInto(t, m, s, state.Limits{}); err == nil || !strings.HasPrefix(err.Error(), "E_ABI: 19.3") {
		t.Errorf("what no call leaves: %v", err)
	}
	if _, _, err := migrateInto(t, m, spaceOf("a", "b", "c"), state.Limits{Keys: 2}); !errors.Is(err, state.ErrRoom) {
		t.Errorf("no room: %v", err)
	}
	if into, _, err := migrateInto(t, m, spaceOf("a", "b"), state.Limits{Keys: 2}); err != nil || into.Len() != 2 {
		t.Errorf("after all that: %v", err)
	}
	none := load(t, h, stateSpec(t, 0))
	var trap *Trap
	if _, _, err := migrateInto(t, none, spaceOf("a"), state.Limits{}); none.Migrates() || !errors.As(err, &trap) || trap.Code != CodeABI {
		t.Errorf("a module without a migration: %v", err)
	}
}
