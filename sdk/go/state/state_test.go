package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

const minute = int64(time.Minute)

// model is what the calls mean, written down as plainly as possible.
type model struct {
	now    int64
	values map[string]modelValue
	counts map[string][]modelAdd // key, window, bucket
	sets   map[string]map[string]int64
	seen   map[string]int64
	steps  map[string]modelStep
	timers map[string]int64
}

type modelValue struct {
	value   string
	expires int64
}

type modelAdd struct{ at, delta int64 }

type modelStep struct {
	state   uint32
	expires int64
}

func newModel() *model {
	return &model{values: map[string]modelValue{}, counts: map[string][]modelAdd{}, sets: map[string]map[string]int64{}, seen: map[string]int64{}, steps: map[string]modelStep{}, timers: map[string]int64{}}
}

func (m *model) clone() *model {
	c := *m
	c.values, c.seen, c.steps, c.timers = maps.Clone(m.values), maps.Clone(m.seen), maps.Clone(m.steps), maps.Clone(m.timers)
	c.counts, c.sets = map[string][]modelAdd{}, map[string]map[string]int64{}
	for k, v := range m.counts {
		c.counts[k] = slices.Clone(v)
	}
	for k, v := range m.sets {
		c.sets[k] = maps.Clone(v)
	}
	return &c
}

func (m *model) get(key string) (string, bool) {
	v, ok := m.values[key]
	return v.value, ok && v.expires > m.now
}

func (m *model) put(key, value string, ttl int64) {
	v := modelValue{value, math.MaxInt64}
	if ttl > 0 {
		v.expires = m.now + ttl
	}
	m.values[key] = v
}

func (m *model) count(key string, window, bucket, delta int64) (sum int64) {
	name := fmt.Sprint(key, " ", window, " ", bucket)
	m.counts[name] = append(m.counts[name], modelAdd{m.now, delta})
	n := (window + bucket - 1) / bucket
	for _, a := range m.counts[name] {
		if floorDiv(a.at, bucket) > floorDiv(m.now, bucket)-n {
			sum += a.delta
		}
	}
	return sum
}

func (m *model) distinct(key, value string, window int64) (n int64) {
	name := fmt.Sprint(key, " ", window)
	if m.sets[name] == nil {
		m.sets[name] = map[string]int64{}
	}
	m.sets[name][value] = m.now
	for _, at := range m.sets[name] {
		if at > m.now-window {
			n++
		}
	}
	return n
}

func (m *model) first(key string, ttl int64) int32 {
	end, known := m.seen[key]
	m.seen[key] = m.now + ttl
	if known && end > m.now {
		return 0
	}
	return 1
}

func (m *model) step(key string, to uint32, ttl int64) int32 {
	was := uint32(0)
	if st, ok := m.steps[key]; ok && st.expires > m.now {
		was = st.state
	}
	switch {
	case to == 0:
		delete(m.steps, key)
	case was == 0 && to == 1, was != 0 && (to == was || to == was+1):
		m.steps[key] = modelStep{to, m.now + ttl}
	}
	return int32(was)
}

// program reads calls from bytes.
type program struct{ b []byte }

func (p *program) next(n int) int {
	if len(p.b) == 0 {
		return 0
	}
	c := int(p.b[0])
	p.b = p.b[1:]
	return c % n
}

// run makes the same calls of a space and of the model and compares the answers. Sessions end in all ways, and now and
// then the space is replaced by one that was restored from its snapshot.
func (p *program) run(t *testing.T) {
	s, m := New(Limits{}, nil), newModel()
	for len(p.b) > 0 {
		m.now += int64(p.next(8)) * minute / 3
		s.Begin(m.now)
		before, undo := s.Append(nil), m.clone()
		for range p.next(6) {
			p.step(t, s, m)
		}
		if p.next(3) == 0 {
			s.Rollback()
			m = undo
			if after := s.Append(nil); !bytes.Equal(before, after) {
				t.Fatalf("a rollback changes the state:\n%q\n%q", before, after)
			}
		} else {
			s.Commit()
		}
		if p.next(2) == 0 {
			var got, want []string
			s.TakeDue(m.now, 1<<20, func(at int64, key string) { got = append(got, fmt.Sprintf("%020d %s", at, key)) })
			for key, at := range m.timers {
				if at <= m.now {
					want = append(want, fmt.Sprintf("%020d %s", at, key))
					delete(m.timers, key)
				}
			}
			if slices.Sort(want); !slices.Equal(got, want) {
				t.Fatalf("due: %v, want %v", got, want)
			}
		}
		sane(t, s)
		if p.next(4) == 0 {
			s = restored(t, s)
		}
	}
}

func (p *program) step(t *testing.T, s *Space, m *model) {
	key := string(rune('a' + p.next(3)))
	value := fmt.Sprint("v", p.next(5))
	ttl := int64(p.next(5)) * minute / 2
	span := ttl + minute/2
	switch p.next(11) {
	case 0:
		s.Put([]byte(key), []byte(value), ttl)
		m.put(key, value, ttl)
	case 1:
		_, there := m.get(key)
		delete(m.values, key)
		if got := s.Del([]byte(key)); (got == 1) != there {
			t.Fatalf("del: %d, was there %v", got, there)
		}
	case 2:
		out := make([]byte, 16)
		n := s.Get([]byte(key), out)
		if want, there := m.get(key); there != (n >= 0) || there && string(out[:n]) != want {
			t.Fatalf("get: %d %q, want %q %v", n, out, want, there)
		}
	case 3:
		old, there := m.get(key)
		if p.next(2) == 0 {
			old, there = "v1", true
		}
		expect := []byte(old)
		if !there {
			expect = nil
		}
		now, is := m.get(key)
		want := int32(0)
		if is == there && (!is || now == old) {
			want = 1
			m.put(key, value, ttl)
		}
		if got := s.CAS([]byte(key), expect, []byte(value), ttl); got != want {
			t.Fatalf("cas %q: %d, want %d (%q)", expect, got, want, now)
		}
	case 4:
		bucket := span / int64(1+p.next(7))
		if got, want := s.Count([]byte(key), span, bucket, 3), m.count(key, span, bucket, 3); got != want {
			t.Fatalf("count over %d in %d at %d: %d, want %d", span, bucket, m.now, got, want)
		}
	case 5:
		if got, want := s.Distinct([]byte(key), []byte(value), span), m.distinct(key, value, span); got != want {
			t.Fatalf("distinct: %d, want %d", got, want)
		}
	case 6:
		if got, want := s.Seen([]byte(key), span), m.first(key, span); got != want {
			t.Fatalf("seen: %d, want %d", got, want)
		}
	case 7:
		to := uint32(p.next(4))
		if got, want := s.Step([]byte(key), to, span), m.step(key, to, span); got != want {
			t.Fatalf("step to %d: %d, want %d", to, got, want)
		}
	case 8:
		key = "n" + key
		var n int64
		if v, there := m.get(key); there {
			n = int64(binary.LittleEndian.Uint64([]byte(v)))
			kept := m.values[key].expires
			m.put(key, string(binary.LittleEndian.AppendUint64(nil, uint64(n-7))), ttl)
			m.values[key] = modelValue{m.values[key].value, kept}
		} else {
			m.put(key, string(binary.LittleEndian.AppendUint64(nil, uint64(n-7))), ttl)
		}
		if got, ok := s.Incr([]byte(key), -7, ttl); !ok || got != n-7 {
			t.Fatalf("incr: %d %v, want %d", got, ok, n-7)
		}
	case 9:
		s.SetTimer([]byte(key), m.now+ttl-minute)
		m.timers[key] = max(m.now+ttl-minute, m.now+1)
	case 10:
		_, there := m.timers[key]
		delete(m.timers, key)
		if got := s.CancelTimer([]byte(key)); (got == 1) != there {
			t.Fatalf("cancel: %d, was there %v", got, there)
		}
	}
}

// sane checks what holds between sessions.
func sane(t testing.TB, s *Space) {
	t.Helper()
	size := 0
	for _, q := range []queue{s.values, s.others, s.timers} {
		for i, e := range q {
			if e.pos != i || e.due > e.expires || i > 0 && q.less(i, (i-1)/2) || s.keys[e.kind][e.key] != e {
				t.Fatalf("the queue is out of order at %d: %+v", i, e)
			}
			size += e.size()
		}
	}
	n := 0
	for _, m := range s.keys {
		n += len(m)
	}
	if size != s.bytes || n != s.Len() || len(s.changes) > 0 || s.bytes > s.lim.Bytes || n > s.lim.Keys {
		t.Fatalf("%d keys of %d bytes; counted %d of %d, %d changes", n, size, s.Len(), s.bytes, len(s.changes))
	}
}

func restored(t testing.TB, s *Space) *Space {
	t.Helper()
	b := s.Append(nil)
	again, rest, err := Restore(append(slices.Clone(b), "rest"...), s.lim, nil)
	if err != nil || string(rest) != "rest" {
		t.Fatalf("restore: %v, %q is left", err, rest)
	}
	if c := again.Append(nil); !bytes.Equal(b, c) {
		t.Fatalf("a snapshot does not come back:\n%q\n%q", b, c)
	}
	sane(t, again)
	return again
}

func TestModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		b := make([]byte, 400)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		(&program{b}).run(t)
	}
}

func FuzzSpace(f *testing.F) {
	f.Add([]byte("some calls, one after another, of which nobody knows the order"))
	f.Fuzz(func(t *testing.T, b []byte) { (&program{b}).run(t) })
}

func FuzzRestore(f *testing.F) {
	s := New(Limits{}, nil)
	s.Begin(minute)
	s.Put([]byte("k"), []byte("v"), 0)
	s.Count([]byte("k"), minute, minute/4, 2)
	s.Distinct([]byte("k"), []byte("v"), minute)
	s.Seen([]byte("k"), minute)
	s.Step([]byte("k"), 1, minute)
	s.Commit()
	f.Add(s.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, _, err := Restore(b, Limits{}, nil)
		if err != nil {
			if !errors.Is(err, ErrSnapshot) {
				t.Fatal(err)
			}
			return
		}
		restored(t, s)
		s.Begin(s.now + 1) // whatever it holds, calls work with it
		for _, e := range s.sorted() {
			key := []byte(e.key)
			s.Step(key, 2, minute)
			s.Get(key, make([]byte, 8))
			s.Incr(key, 1, 0)
			n := len(key)
			switch e.kind {
			case kindCount:
				s.Count(key[:n-16], int64(le.Uint64(key[n-16:])), int64(le.Uint64(key[n-8:])), 1)
			case kindDistinct:
				s.Distinct(key[:n-8], []byte("x"), int64(le.Uint64(key[n-8:])))
			}
		}
		s.Rollback()
		sane(t, s)
	})
}

// H22: a module that keeps too much, too long or for no time gets E_LIMIT, and what is there stays.
func TestH22Quotas(t *testing.T) {
	key := func(n int) []byte { return fmt.Appendf(nil, "key %d", n) }
	long := make([]byte, 1<<20)
	t.Run("keys", func(t *testing.T) {
		s := New(Limits{}, nil)
		for batch := range 20 { // a million keys
			s.Begin(int64(batch))
			for i := range 50_000 {
				s.Put(key(batch*50_000+i), nil, 0)
			}
			s.Commit()
		}
		if lost := s.Lost(); s.Len() != 100_000 || lost.Refused != 900_000 || s.Bytes() > 16<<20 {
			t.Errorf("%d keys of %d bytes, %+v", s.Len(), s.Bytes(), lost)
		}
		s.Begin(100)
		if got := s.Get(key(99_999), nil); got != 0 {
			t.Errorf("the last key that fitted: %d", got)
		}
		if got := s.Put(key(99_999), []byte("x"), 0); got != 0 {
			t.Errorf("a key that is there can be changed: %d", got)
		}
		s.Commit()
		sane(t, s)
	})
	t.Run("bytes", func(t *testing.T) {
		s := New(Limits{}, nil)
		s.Begin(0)
		fitted := 0
		for i := range 1000 {
			if s.Put(key(i), long[:MaxValueBytes], 0) == 0 {
				fitted++
			}
		}
		s.Commit()
		if fitted != 255 || s.Bytes() > 16<<20 {
			t.Errorf("%d values of 64 KiB, %d bytes", fitted, s.Bytes())
		}
	})
	t.Run("one call", func(t *testing.T) {
		s := New(Limits{}, nil)
		s.Begin(1 << 60)
		for name, got := range map[string]int64{
			"a key of 1 MiB":     int64(s.Put(long, nil, 0)),
			"a key too long":     int64(s.Put(long[:MaxKeyBytes+1], nil, 0)),
			"no key":             int64(s.Put(nil, nil, 0)),
			"a value too long":   int64(s.Put(key(1), long[:MaxValueBytes+1], 0)),
			"ttl -1":             int64(s.Put(key(1), nil, -1)),
			"ttl overflow":       int64(s.Put(key(1), nil, math.MaxInt64)),
			"ttl lowest":         int64(s.CAS(key(1), nil, nil, math.MinInt64)),
			"ttl over the limit": int64(s.Put(key(1), nil, int64(MaxTTL)+1)),
			"window 0":           s.Count(key(1), 0, 1, 1),
			"window overflow":    s.Count(key(1), math.MaxInt64, math.MaxInt64, 1),
			"bucket 0":           s.Count(key(1), 1, 0, 1),
			"65 buckets":         s.Count(key(1), 65, 1, 1),
			"bucket of a window": s.Count(key(1), 1, 2, 1),
			"negative delta":     s.Count(key(1), 1, 1, -1),
			"distinct 0":         s.Distinct(key(1), key(1), 0),
			"distinct too long":  s.Distinct(key(1), long, 1),
			"seen 0":             int64(s.Seen(key(1), 0)),
			"seen negative":      int64(s.Seen(key(1), -5)),
			"step 65536":         int64(s.Step(key(1), MaxStep+1, 1)),
			"step ttl 0":         int64(s.Step(key(1), 1, 0)),
			"get too long":       int64(s.Get(long, nil)),
			"del too long":       int64(s.Del(long)),
		} {
			if got != int64(Limit) {
				t.Errorf("%s: %d", name, got)
			}
		}
		if s.Put(key(1), long[:MaxValueBytes], int64(MaxTTL)) != 0 || s.Count(key(1), 64, 1, 1) != 1 || s.Put(long[:MaxKeyBytes], nil, 1) != 0 {
			t.Error("what is just within the limits is refused")
		}
		if _, ok := s.Incr(key(1), 1, 0); ok {
			t.Error("a value that is no number was counted up")
		}
		if n, ok := s.Incr(key(2), math.MaxInt64, 0); !ok || n != math.MaxInt64 {
			t.Errorf("incr: %d %v", n, ok)
		}
		if n, ok := s.Incr(key(2), 1, 0); ok {
			t.Errorf("the sum overflows: %d", n)
		}
		if got := s.Get(key(1), long[:10]); got != int32(Short) {
			t.Errorf("too little room: %d", got)
		}
		if got := s.Count(key(3), minute, minute, math.MaxInt64); got != math.MaxInt64 {
			t.Errorf("count: %d", got)
		}
		if got := s.Count(key(3), minute, minute, math.MaxInt64); got != math.MaxInt64 {
			t.Errorf("a count beyond the highest number: %d", got)
		}
		s.Commit()
		s.Begin(math.MaxInt64)
		if got := s.Put(key(4), nil, int64(MaxTTL)); got != 0 || s.Get(key(4), nil) != 0 {
			t.Errorf("at the end of time: %d", got)
		}
		s.Commit()
		sane(t, restored(t, s))
	})
	t.Run("calls", func(t *testing.T) {
		s := New(Limits{Calls: 3}, nil)
		for range 2 {
			s.Begin(1)
			for i, want := range []int32{1, 0, 0, int32(Limit), int32(Limit)} {
				if got := s.Seen(key(1), minute); got != want && i > 0 {
					t.Errorf("call %d: %d, want %d", i+1, got, want)
				}
			}
			s.Commit()
		}
	})
	t.Run("a shared budget", func(t *testing.T) {
		all := &Budget{Max: 3000}
		a, b := New(Limits{}, &Budget{Max: 2000, Parent: all}), New(Limits{}, &Budget{Max: 2000, Parent: all})
		a.Begin(0)
		b.Begin(0)
		if a.Put(key(1), long[:1800], 0) != 0 || a.Put(key(2), long[:200], 0) != int32(Limit) {
			t.Error("its own part")
		}
		if b.Put(key(1), long[:1000], 0) != int32(Limit) || b.Put(key(1), long[:900], 0) != 0 {
			t.Error("the common part")
		}
		a.Rollback()
		if all.Used() != b.Bytes() || b.Put(key(2), long[:800], 0) != 0 {
			t.Errorf("what was rolled back is still taken: %d", all.Used())
		}
		b.Commit()
		b.Free()
		if all.Used() != 0 {
			t.Errorf("%d bytes are taken of nobody", all.Used())
		}
	})
}

// A full space keeps working windows: what expires soonest makes room, and values stay.
func TestEviction(t *testing.T) {
	s := New(Limits{Keys: 4}, nil)
	s.Begin(0)
	s.Put([]byte("value"), nil, 1)
	for i, ttl := range []int64{30, 10, 20} {
		s.Seen(fmt.Appendf(nil, "%d", i), ttl*minute)
	}
	s.Commit()
	s.Begin(0)
	s.Seen([]byte("1"), 40*minute) // no longer the first to go
	if s.Seen([]byte("new"), minute) != 1 {
		t.Error("there is no room")
	}
	s.Rollback()
	s.Begin(0)
	s.Seen([]byte("1"), 40*minute)
	s.Seen([]byte("new"), 50*minute)
	s.Commit()
	s.Begin(0)
	known := ""
	for _, k := range []string{"0", "1", "new"} {
		if s.Seen([]byte(k), minute) == 0 {
			known += k + " "
		}
	}
	if s.Rollback(); known != "0 1 new " || s.Len() != 4 {
		t.Errorf("known: %s, %d keys", known, s.Len())
	}
	if lost := s.Lost(); lost.Evicted != 1 {
		t.Errorf("%+v", lost)
	}
	s.Begin(0)
	if s.Put([]byte("another value"), nil, 0) != int32(Limit) {
		t.Error("a value takes the place of what a window keeps")
	}
	s.Commit()
	sane(t, s)
}

// The estimate stays within a few standard errors while values come and go, and is exact again when they are few.
func TestDistinctEstimate(t *testing.T) {
	s, m := New(Limits{}, nil), map[int]int64{}
	r := rand.New(rand.NewPCG(3, 4))
	now, worst := int64(0), 0.0
	for phase, spread := range []int{500, 20_000, 200_000, 3_000, 100, 100} {
		for i := range 60_000 {
			now += minute / 2000
			v := r.IntN(spread)
			m[v] = now
			s.Begin(now)
			got := s.Distinct([]byte("k"), binary.AppendUvarint(nil, uint64(v)), 10*minute)
			s.Commit()
			if i%997 != 0 {
				continue
			}
			maps.DeleteFunc(m, func(_ int, at int64) bool { return at <= now-10*minute })
			off := math.Abs(float64(got)/float64(len(m)) - 1)
			worst = max(worst, off)
			if off > 0.25 || phase == 0 && off != 0 || phase == 5 && i > 30_000 && off != 0 {
				t.Fatalf("phase %d: %d, want %d", phase, got, len(m))
			}
		}
		s = restored(t, s)
	}
	t.Logf("worst error %.1f %%", 100*worst)
}

// H22: two instances that compare and swap see one order.
func TestH22CompareAndSwap(t *testing.T) {
	s := New(Limits{}, nil)
	s.Begin(1000)
	for _, c := range []struct {
		key, old, value string
		want            int32
	}{
		{"a", "", "1", 1}, {"a", "", "2", 0}, {"a", "2", "3", 0}, {"a", "1", "2", 1}, {"a", "2", "", 1}, {"a", "2", "", 0}, {"a", "", "", 1},
	} {
		var old, value []byte
		if c.old != "" {
			old = []byte(c.old)
		}
		if c.value != "" {
			value = []byte(c.value)
		}
		if got := s.CAS([]byte(c.key), old, value, 0); got != c.want {
			t.Errorf("cas %+v: %d", c, got)
		}
	}
	s.Commit()
}

func BenchmarkCalls(b *testing.B) {
	keys := make([][]byte, 10_000)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "host-%d.example", i)
	}
	value, out := []byte("a value of some bytes"), make([]byte, 64)
	for _, c := range []struct {
		name string
		call func(s *Space, key []byte, n int)
	}{
		{"get", func(s *Space, key []byte, _ int) { s.Get(key, out) }},
		{"put", func(s *Space, key []byte, _ int) { s.Put(key, value, minute) }},
		{"incr", func(s *Space, key []byte, _ int) { s.Incr(append(out[:0], key[5:]...), 1, minute) }},
		{"count", func(s *Space, key []byte, _ int) { s.Count(key, 10*minute, minute, 1) }},
		{"distinct", func(s *Space, key []byte, n int) { s.Distinct(key, keys[n%100], 10*minute) }},
		{"seen", func(s *Space, key []byte, _ int) { s.Seen(key, 10*minute) }},
		{"step", func(s *Space, key []byte, _ int) { s.Step(key, 1, 10*minute) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := New(Limits{Bytes: 1 << 30}, nil)
			s.Begin(0)
			for n, k := range keys {
				s.Put(k, value, 0)
				c.call(s, k, n)
			}
			s.Commit()
			b.ReportAllocs()
			s.Begin(1)
			for n := 0; b.Loop(); n++ {
				if n%256 == 0 {
					s.Commit()
					s.Begin(int64(n))
				}
				c.call(s, keys[n*7%len(keys)], n)
			}
		})
	}
}

// What is taken over key by key goes on as it would have, and what no call can have left is refused.
func TestTakeOver(t *testing.T) {
	old := New(Limits{}, nil)
	old.Begin(1000)
	old.Put([]byte("v"), []byte("value"), minute)
	old.Put([]byte("for ever"), []byte("value"), 0)
	old.Put([]byte("gone"), nil, 1)
	old.Count([]byte("c"), 10*minute, minute, 3)
	old.Count([]byte("c"), 20*minute, minute, 4)
	old.Distinct([]byte("d"), []byte("one"), minute)
	old.Seen([]byte("s"), minute)
	old.Step([]byte("q"), 1, minute)
	old.Commit()
	take := func(s *Space, change func(*abi.Key)) (err error) {
		s.Begin(1001)
		old.Each(func(k abi.Key) bool {
			change(&k)
			err = errors.Join(err, s.Take(k))
			return true
		})
		s.Commit()
		return err
	}
	s := New(Limits{}, nil)
	if err := take(s, func(*abi.Key) {}); err != nil || s.Len() != 7 {
		t.Fatalf("%d keys, %v", s.Len(), err)
	}
	if err := take(s, func(*abi.Key) {}); err != nil || s.Len() != 7 { // the later one counts
		t.Fatalf("again: %d keys, %v", s.Len(), err)
	}
	for _, x := range []*Space{old, s} {
		x.Begin(1001)
		x.Count([]byte("c"), 10*minute, minute, 1)
		x.Distinct([]byte("d"), []byte("two"), minute)
		x.Seen([]byte("s"), 2*minute)
		x.Step([]byte("q"), 2, minute)
		x.Commit()
	}
	if a, b := old.Append(nil), s.Append(nil); !bytes.Equal(a, b) {
		t.Error("it does not go on as it would have")
	}
	sane(t, restored(t, s))
	if err := take(New(Limits{Keys: 1}, nil), func(*abi.Key) {}); !errors.Is(err, ErrRoom) {
		t.Errorf("no room: %v", err)
	}
	for name, change := range map[string]func(*abi.Key){
		"a kind":  func(k *abi.Key) { k.Kind = 6 },
		"a name":  func(k *abi.Key) { k.Name = nil },
		"an end":  func(k *abi.Key) { k.Ends = 1001 + 2*int64(MaxTTL) + 1 },
		"a value": func(k *abi.Key) { k.Value = append(k.Value, make([]byte, MaxValueBytes)...) },
	} {
		n := New(Limits{}, nil)
		if take(n, change); n.Len() != 0 {
			t.Errorf("%s that no call leaves: %d keys", name, n.Len())
		}
	}
}

// A timer fires once, in the order of times and keys, when log time has reached it; a session that fails has set none.
func TestTimers(t *testing.T) {
	s := New(Limits{Keys: 5}, nil)
	set := func(key string, at int64) int32 { return s.SetTimer([]byte(key), at) }
	due := func(now int64, most int) (out string) {
		s.TakeDue(now, most, func(at int64, key string) { out += fmt.Sprint(key, at, " ") })
		sane(t, s)
		s = restored(t, s)
		return out
	}
	s.Begin(100)
	for _, c := range []struct {
		got, want int32
	}{
		{set("b", 200), 0},
		{set("a", 200), 0},
		{set("c", 150), 0},
		{set("past", 7), 0},
		{set("gone", 160), 0},
		{set("one too many", 160), int32(Limit)},
		{s.CancelTimer([]byte("gone")), 1},
		{s.CancelTimer([]byte("gone")), 0},
		{set("c", 170), 0},
		{set("", 170), int32(Limit)},
		{set("far", 100+int64(MaxTTL)+1), int32(Limit)},
		{s.CancelTimer(make([]byte, MaxKeyBytes+1)), int32(Limit)},
	} {
		if c.got != c.want {
			t.Errorf("%d, want %d", c.got, c.want)
		}
	}
	s.Commit()
	if at, ok := s.Alarm(); at != 101 || !ok {
		t.Errorf("the first is due at %d %v", at, ok)
	}
	s.Begin(100)
	set("a", 1)
	set("undone", 1)
	s.CancelTimer([]byte("b"))
	s.Rollback()
	if got := due(100, 9) + "|" + due(180, 9) + "|" + due(300, 1) + "|" + due(300, 9) + "|" + due(400, 9); got != "|past101 c170 |a200 |b200 |" {
		t.Errorf("fired %s", got)
	}
	if _, ok := s.Alarm(); ok || s.Len() != 0 {
		t.Error("one is left")
	}
}
