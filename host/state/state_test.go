package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/state"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

const (
	minute = int64(60e9)
	hour   = time.Hour
)

func dropping(version uint32) Next {
	return Next{Version: version, Carry: func(uint32) manifest.Carry { return manifest.Dropped }}
}

func use(s *State, t storage.Tenant, module string, version uint32, f func(*state.Space)) {
	sp := s.Of(t, module, version)
	sp.Begin(s.now)
	f(sp)
	sp.Commit()
}

func put(key string) func(*state.Space) {
	return func(sp *state.Space) { sp.Put([]byte(key), []byte("value"), 0) }
}

// Each module of each organization has its own; versions of a module that keep it alike share it.
func TestWhose(t *testing.T) {
	s := New(Limits{})
	use(s, 1, "a/b", 1, put("k"))
	use(s, 1, "a/c", 1, put("k"))
	use(s, 2, "a/b", 1, put("k"))
	has := func(tenant storage.Tenant, module string, version uint32) (n int32) {
		use(s, tenant, module, version, func(sp *state.Space) { n = sp.Get([]byte("k"), make([]byte, 8)) })
		return n
	}
	if has(1, "a/b", 1) != 5 || has(3, "a/b", 1) != int32(state.Absent) {
		t.Error("a key is not where it was put, or where it was not")
	}
	s.Settle(1, hour, func(string) (Next, bool) { return dropping(2), false })
	if r := s.Reports(); len(r) > 0 || has(1, "a/b", 1) != 5 {
		t.Errorf("a module that does not run now loses its state: %v", r)
	}
	s.Settle(1, hour, func(m string) (Next, bool) { return dropping(2), m == "a/b" })
	if r := s.Reports(); len(r) != 1 || r[0] != (Report{1, "a/b", Dropped, 1}) {
		t.Errorf("reports %v", r)
	}
	if has(1, "a/b", 2) != int32(state.Absent) || has(1, "a/c", 1) != 5 || has(2, "a/b", 1) != 5 {
		t.Error("another than the changed module's state was dropped")
	}
	if has(2, "a/b", 7); has(2, "a/b", 1) != int32(state.Absent) {
		t.Error("a version reads the state of another")
	}
	if s.Keys(1, "a/c") != 1 || s.Keys(9, "a/c") != 0 {
		t.Error("keys")
	}
	s.Forget(1)
	s.Forget(9)
	if has(1, "a/c", 1) != int32(state.Absent) {
		t.Error("an organization was forgotten and is not")
	}
	s.Forget(1)
	s.Forget(2)
	s.Forget(3)
	if s.all.Used() != 0 || len(s.Tenants()) != 0 {
		t.Errorf("%d bytes are left, of %v", s.all.Used(), s.Tenants())
	}
}

// H22: an organization that fills its quota costs the others nothing, and hears of it once in ten minutes.
func TestH22QuotaOfAnOrganization(t *testing.T) {
	s := New(Limits{TenantBytes: 10_000, Bytes: 25_000})
	fill := func(tenant storage.Tenant, module string) (n int) {
		use(s, tenant, module, 1, func(sp *state.Space) {
			for sp.Put(fmt.Appendf(nil, "key %d", n), make([]byte, 800), 0) == 0 {
				n++
			}
		})
		return n
	}
	if a, b := fill(1, "a/a"), fill(1, "a/b"); a != 10 || b != 0 {
		t.Errorf("%d and %d values", a, b)
	}
	if a, b := fill(2, "a/a"), fill(3, "a/a"); a != 10 || b != 6 {
		t.Errorf("another organization: %d, a third one %d", a, b)
	}
	if r := s.Reports(); len(r) != 4 || r[0] != (Report{1, "a/a", Refused, 1}) {
		t.Errorf("reports %v", r)
	}
	fill(1, "a/a")
	if r := s.Reports(); len(r) > 0 {
		t.Errorf("told again at once: %v", r)
	}
	s.Advance(10 * minute)
	if r := s.Reports(); len(r) != 1 {
		t.Errorf("not told again: %v", r)
	}
}

// What expired goes, also of a module that is never called again.
func TestSweep(t *testing.T) {
	s := New(Limits{})
	use(s, 1, "a/b", 1, func(sp *state.Space) { sp.Seen([]byte("k"), minute) })
	s.Advance(minute / 2)
	s.Advance(minute)
	if s.Advance(minute * 2); s.all.Used() != 0 || len(s.tenants) != 0 {
		t.Errorf("%d bytes are left", s.all.Used())
	}
}

// What is due is named once, by organization and module, until it is used again; also after a restart, and when time moves in
// large steps. What is put off, cancelled or forgotten is not.
func TestDue(t *testing.T) {
	set := func(key string, at int64) func(*state.Space) {
		return func(sp *state.Space) { sp.SetTimer([]byte(key), at) }
	}
	s := New(Limits{})
	use(s, 2, "a/b", 1, set("k", 5*minute))
	use(s, 1, "a/c", 1, set("k", 5*minute))
	use(s, 1, "a/b", 3, set("k", 4*minute))
	use(s, 3, "a/b", 1, set("k", 4*minute))
	use(s, 4, "a/b", 1, set("k", 4*minute))
	use(s, 5, "a/b", 1, func(sp *state.Space) { sp.Put([]byte("k"), nil, 0) })
	due := func(at int64) (out string) {
		s.Advance(at)
		for _, o := range s.Due() {
			out += fmt.Sprint(o.Tenant, o.Module, o.Version, " ")
		}
		return out
	}
	if got := due(4*minute - 1); got != "" {
		t.Errorf("before it is time: %s", got)
	}
	use(s, 3, "a/b", 1, set("k", 9*minute))
	s.Forget(4)
	if got := due(5 * minute); got != "1a/b3 1a/c1 2a/b1 " {
		t.Errorf("due: %s", got)
	}
	if got := due(6 * minute); got != "" {
		t.Errorf("again: %s", got)
	}
	use(s, 1, "a/b", 3, func(sp *state.Space) {})
	if got := due(6 * minute); got != "1a/b3 " {
		t.Errorf("when it was used: %s", got)
	}
	if s.Wake(); due(6*minute) != "1a/b3 1a/c1 2a/b1 " {
		t.Error("others run, and they are not looked at anew")
	}
	var err error
	if s, err = Restore(s.Append(nil), Limits{}); err != nil {
		t.Fatal(err)
	}
	if got := due(6*minute) + "|" + due(9*minute); got != "1a/b3 1a/c1 2a/b1 |3a/b1 " {
		t.Errorf("after a restart: %s", got)
	}
}

func sample() *State {
	s := New(Limits{})
	s.Advance(5 * minute)
	for i := range 30 {
		use(s, storage.Tenant(1+i%3), []string{"a/b", "a/c"}[i%2], uint32(1+i%2), func(sp *state.Space) {
			key := fmt.Appendf(nil, "key %d", i)
			sp.Put(key, []byte("value"), int64(i)*minute)
			sp.Count([]byte("count"), minute, minute/4, 1)
			sp.Distinct([]byte("set"), key, minute)
		})
	}
	return s
}

func TestSnapshot(t *testing.T) {
	s := sample()
	b := s.Append(nil)
	again, err := Restore(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 { // and both go on alike
		if !bytes.Equal(s.Append(nil), again.Append(nil)) || s.all.Used() != again.all.Used() {
			t.Fatalf("after %d minutes they differ", n)
		}
		at := s.now + minute
		for _, x := range []*State{s, again} {
			x.Advance(at)
			use(x, 2, "a/b", 1, put("later"))
		}
	}
	broken := func(why string, b []byte) {
		t.Helper()
		if _, err := Restore(b, Limits{}); !errors.Is(err, storage.ErrInvalid) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", why, err)
		}
	}
	broken("another version", []byte(strings.Replace(string(b), "state 2", "state 3", 1)))
	broken("checksum", append(slices.Clone(b[:len(b)-1]), b[len(b)-1]^1))
	broken("another version", nil)
	more := append(slices.Clone(b[:len(b)-4]), 0)
	broken("not as long", binary.LittleEndian.AppendUint32(more, crc32.Checksum(more, castagnoli)))
}

// What the first version wrote had no more than a space of each module.
func TestFirstSnapshot(t *testing.T) {
	s := New(Limits{})
	use(s, 1, "a/b", 7, put("k"))
	b := append([]byte(firstMagic), 0, 0, 1, 1, 3, 'a', '/', 'b', 7)
	b = s.Of(1, "a/b", 7).Append(b)
	got, err := Restore(binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), Limits{})
	if err != nil || !bytes.Equal(got.Append(nil), s.Append(nil)) {
		t.Errorf("%v", err)
	}
}

func FuzzRestore(f *testing.F) {
	b := sample().Append(nil)
	f.Add(b[:len(b)-4])
	f.Fuzz(func(t *testing.T, b []byte) {
		b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
		s, err := Restore(b, Limits{})
		if err != nil {
			if !errors.Is(err, storage.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		again := s.Append(nil)
		if twice, err := Restore(again, Limits{}); err != nil || !bytes.Equal(again, twice.Append(nil)) {
			t.Fatalf("a snapshot does not come back: %v", err)
		}
	})
}

// BenchmarkSnapshot is what a full module costs a checkpoint.
func BenchmarkSnapshot(b *testing.B) {
	s := New(Limits{})
	use(s, 1, "a/b", 1, func(sp *state.Space) {
		for i := range 60_000 {
			sp.Seen(fmt.Appendf(nil, "user-%d\x00host-%d", i*7919%60_000, i%500), minute)
		}
	})
	b.ReportAllocs()
	var room []byte // a checkpoint has that of the one before
	for b.Loop() {
		room = s.Append(room[:0])
		b.SetBytes(int64(len(room)))
	}
}
