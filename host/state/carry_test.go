package state

import (
	"bytes"
	"errors"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// moved is a version whose migration gives every key another name; bad keys make it fail midway.
func moved(version uint32) Next {
	return Next{
		Version: version,
		Carry:   func(uint32) manifest.Carry { return manifest.Migrated },
		Migrate: func(_ uint32, old, into *state.Space) (err error) {
			into.Begin(0)
			old.Each(func(k abi.Key) bool {
				if k.Name[0] == '!' {
					err = errors.New("trapped")
					return false
				}
				k.Name = append([]byte("new "), k.Name...)
				err = into.Take(k)
				return err == nil
			})
			into.Commit()
			return err
		},
	}
}

func runs(n Next) func(string) (Next, bool) { return func(string) (Next, bool) { return n, true } }

func keysOf(sp *state.Space) (out string) {
	sp.Each(func(k abi.Key) bool {
		out += string(k.Name) + " "
		return true
	})
	return out
}

// What was kept passes to the next version, stays as it was for the one before, and comes back with it, through a
// snapshot in between.
func TestCarry(t *testing.T) {
	for _, c := range []struct {
		name  string
		next  Next
		want  Carried
		after string
	}{
		{"migrated", moved(2), Carried{1, "a/b", manifest.Migrated, 1, 2, 2, 2, 0, nil}, "new k new l "},
		{"dropped", dropping(2), Carried{1, "a/b", manifest.Dropped, 1, 2, 2, 0, 0, nil}, ""},
		{"rebuilt", Next{Version: 2, Carry: func(uint32) manifest.Carry { return manifest.Rebuilt }}, Carried{1, "a/b", manifest.Rebuilt, 1, 2, 2, 0, 0, nil}, ""},
	} {
		s := New(Limits{})
		s.Advance(minute)
		use(s, 1, "a/b", 1, put("k"))
		use(s, 1, "a/b", 1, put("l"))
		got := s.Settle(1, hour, runs(c.next))
		if len(got) != 1 || got[0] != c.want || keysOf(s.Of(1, "a/b", 2)) != c.after {
			t.Fatalf("%s: %+v, then %q", c.name, got, keysOf(s.Of(1, "a/b", 2)))
		}
		if again := s.Settle(1, hour, runs(c.next)); again != nil {
			t.Errorf("%s: decided twice: %+v", c.name, again)
		}
		if first := s.Rebuilds(1, "a/b", 2); first != (c.name != "migrated") || s.Rebuilds(1, "a/b", 2) {
			t.Errorf("%s: begins anew: %v", c.name, first)
		}
		use(s, 1, "a/b", 2, put("later"))
		snap := s.Append(nil)
		s, err := Restore(snap, Limits{})
		if err != nil || !bytes.Equal(s.Append(nil), snap) {
			t.Fatalf("%s: a snapshot is not what it was: %v", c.name, err)
		}
		s.Advance(30 * minute)
		back := s.Settle(1, hour, runs(dropping(1)))
		if want := (Carried{1, "a/b", Returned, 2, 1, c.want.After + 1, 2, minute, nil}); len(back) != 1 || back[0] != want {
			t.Errorf("%s: back: %+v, want %+v", c.name, back, want)
		}
		if got := keysOf(s.Of(1, "a/b", 1)); got != "k l " || s.Rebuilds(1, "a/b", 1) {
			t.Errorf("%s: back: %q", c.name, got)
		}
		use(s, 1, "a/b", 1, func(sp *state.Space) { sp.Del([]byte("k")); sp.Del([]byte("l")) })
		s.Forget(1)
		if s.all.Used() != 0 {
			t.Errorf("%s: %d bytes are left", c.name, s.all.Used())
		}
	}
}

// What was set aside goes when the version after it is no longer on probation, and there is no more of it than of
// versions that one can go back to at once.
func TestAsideEnds(t *testing.T) {
	s := New(Limits{})
	use(s, 1, "a/b", 1, put("k"))
	for v := range uint32(6) {
		s.Settle(1, hour, runs(dropping(v+2)))
		use(s, 1, "a/b", v+2, put("k"))
	}
	if n := len(s.tenants[1].modules["a/b"].aside); n != maxAside {
		t.Errorf("%d states are set aside", n)
	}
	s.Advance(30 * minute)
	s.Settle(1, hour, runs(moved(8)))
	s.Advance(61 * minute)
	if left := s.tenants[1].modules["a/b"].aside; len(left) != 1 || left[0].version != 7 {
		t.Errorf("set aside: %+v", left)
	}
	if got := s.Settle(1, hour, runs(dropping(6))); got[0].How != manifest.Dropped {
		t.Errorf("what ended comes back: %+v", got)
	}
	s.Advance(200 * minute)
	if want := 0; s.all.Used() != want {
		t.Errorf("%d bytes are left, want %d", s.all.Used(), want)
	}
}

// H30: a migration that fails midway, and one that does not fit, leave what was there as it was.
func TestH30MigrationFails(t *testing.T) {
	s := New(Limits{TenantBytes: 10_000})
	fill := func(key string) {
		use(s, 1, "a/b", 1, func(sp *state.Space) { sp.Put([]byte(key), make([]byte, 3000), 0) })
	}
	fill("a")
	fill("b")
	before := s.Of(1, "a/b", 1).Append(nil)
	got := s.Settle(1, hour, runs(moved(2)))
	if len(got) != 1 || !errors.Is(got[0].Err, state.ErrRoom) || got[0].After != 0 || s.all.Used() > 7000 {
		t.Fatalf("no room: %+v, %d bytes", got, s.all.Used())
	}
	s.Settle(1, hour, runs(moved(1)))
	if !bytes.Equal(s.Of(1, "a/b", 1).Append(nil), before) {
		t.Error("what was there is another")
	}
	use(s, 1, "a/b", 1, func(sp *state.Space) { sp.Del([]byte("b")) })
	use(s, 1, "a/b", 1, put("~"))
	use(s, 1, "a/b", 1, put("!"))
	before = s.Of(1, "a/b", 1).Append(nil)
	if got = s.Settle(1, hour, runs(moved(2))); len(got) != 1 || got[0].Err == nil || keysOf(s.Of(1, "a/b", 2)) != "" {
		t.Fatalf("trapped: %+v", got)
	}
	if r := s.Reports(); r[len(r)-1] != (Report{1, "a/b", Failed, 3}) {
		t.Errorf("reports %v", r)
	}
	s.Settle(1, hour, runs(moved(1)))
	if !bytes.Equal(s.Of(1, "a/b", 1).Append(nil), before) {
		t.Error("what was there is another")
	}
}
