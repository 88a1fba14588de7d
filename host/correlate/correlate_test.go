package correlate

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

func withChecksum(b []byte) []byte {
	b = b[:max(0, len(b)-4)]
	return binary.LittleEndian.AppendUint32(b[:len(b):len(b)], crc32.Checksum(b, castagnoli))
}

const second = int64(time.Second)

// player sends single hits, one frame each, all from one source.
type player struct {
	t   testing.TB
	s   *State
	r   *rule.Rule
	seq uint64
	now int64
}

func (p *player) hit(sub int, at int64, fields ...string) []Firing {
	p.seq++
	ev := &storage.Event{ID: storage.EventID{Seq: p.seq}, Tenant: 1, Time: traceStart + at}
	for i := 0; i+1 < len(fields); i += 2 {
		ev.Fields = append(ev.Fields, storage.Field{Name: fields[i], Value: fields[i+1]})
	}
	p.now = max(p.now, ev.Time)
	return p.s.Apply(p.seq, p.now, []SourceTime{{1, "s", ev.Time}}, []Hit{{Rule: p.r, Sub: sub, Event: ev}})
}

func firedBy(rule string, list []Firing) (n int) {
	for i := range list {
		if list[i].Rule == rule {
			n++
		}
	}
	return n
}

// TestExplained looks at everything that a firing says.
func TestExplained(t *testing.T) {
	r := parse(t, `
kind: pattern
id: guessed
name: Guessed password
version: 1.2.3
severity: high
techniques: [T1110.001]
subs:
  fail: {where: {o: f}, by: [source.ip, user.name], having: "count() >= 3", window: 1m}
  ok: {where: {o: s}, by: [source.ip, user.name]}
expr: fail -> ok within 10m
incident: {key: [source.ip], title: "{user.name} in on {host.name} after {fail.count} failures from {source.ip}{{}}"}
clear: {after: 60m}
`)
	p := &player{t: t, s: New(Limits{}), r: r}
	for i := range 4 {
		if f := p.hit(0, int64(i)*second, "source.ip", "192.0.2.1", "user.name", "root"); len(f) != 0 {
			t.Fatal(f)
		}
	}
	f := p.hit(1, 10*second, "source.ip", "192.0.2.1", "user.name", "root", "host.name", "db1")
	ev := func(sub string, seq, at int64) storage.Evidence {
		return storage.Evidence{Sub: sub, ID: storage.EventID{Seq: uint64(seq)}, Time: traceStart + at*second}
	}
	want := []Firing{{
		Tenant: 1, Rule: "guessed", RuleName: "Guessed password", RuleVersion: "1.2.3",
		Key: []storage.Field{{Name: "source.ip", Value: "192.0.2.1"}}, Title: "root in on db1 after 4 failures from 192.0.2.1{}",
		Severity: storage.High, Techniques: []string{"T1110.001"}, Trigger: storage.EventID{Seq: 5}, Time: traceStart + 10*second,
		Evidence: []storage.Evidence{ev("fail", 1, 0), ev("fail", 2, 1), ev("fail", 3, 2), ev("fail", 4, 3), ev("ok", 5, 10)},
		Conditions: []storage.Condition{
			{Sub: "fail", Expr: "count() >= 3 within 1m0s", Actual: "4", Threshold: "3"},
			{Sub: "ok", Expr: "fail -> ok within 10m0s", Actual: "7s", Threshold: "10m0s"},
		},
		Entities: []storage.Entity{
			{Kind: storage.AddressEntity, Value: "192.0.2.1", Field: "source.ip"},
			{Kind: storage.UserEntity, Value: "root", Field: "user.name"},
			{Kind: storage.HostEntity, Value: "db1", Field: "host.name"},
		},
		QuietFor: time.Hour, Watermark: traceStart + (3-30)*second,
	}}
	if !reflect.DeepEqual(f, want) {
		t.Fatalf("\n%+v\n%+v", f, want)
	}
}

// TestAbsenceKeepsItsTitle: fields outside the group key come from the event that nothing followed.
func TestAbsenceKeepsItsTitle(t *testing.T) {
	r := parse(t, `{kind: pattern, id: x, name: n, version: 1.0.0, severity: low, lateness: 1s, window: 60s, subs: {a: {where: {s: a}, by: [k]},
 b: {where: {s: b}, by: [k]}}, expr: a !-> b, incident: {title: "{file.name} on {k}: {b.count}"}}`)
	p := &player{t: t, s: New(Limits{}), r: r}
	p.hit(0, 0, "k", "h1", "file.name", "bad.exe")
	if f := p.hit(0, 60*second, "k", "h2"); len(f) != 0 {
		t.Fatal("decided before the watermark", f)
	}
	f := p.hit(0, 61*second, "k", "h3")
	if len(f) != 1 || f[0].Title != "bad.exe on h1: 0" || f[0].Time != traceStart+60*second || f[0].Trigger.Seq != 1 ||
		f[0].Conditions[0].Actual != "none" {
		t.Fatalf("%+v", f)
	}
}

// TestClock: idle sources are left out, a future clock moves nothing, tenants are apart, the floor holds.
func TestClock(t *testing.T) {
	c := newClock()
	min := int64(time.Minute)
	now := traceStart
	step := func(want int64, sources ...any) {
		t.Helper()
		for i := 0; i < len(sources); i += 2 {
			c.observe(sources[i].(string), traceStart+int64(sources[i+1].(int))*second, now, 2)
		}
		c.advance(now)
		if w := c.watermark(0, now) - traceStart; w != want*second {
			t.Fatalf("watermark %ds, want %ds", w/second, want)
		}
	}
	step(-100, "a", 0, "b", -100)
	step(0, "b", 500) // b is dated 500 s after the log: only the log's time counts
	now += 9 * second
	step(0, "a", 9) // b still holds it back
	now += 2 * second
	step(11, "a", 11) // b is idle
	step(11, "c", -50)
	if len(c.sources) != 2 {
		t.Fatalf("%d sources over the limit of 2", len(c.sources))
	}
	now += 10 * min
	step(11 + 10*60 - 5*60)
}

// TestSkewIsOwn: one tenant's clock does not decide another's absences.
func TestSkewIsOwn(t *testing.T) {
	r := shapeRule(t, 8, time.Second)
	s := New(Limits{})
	ev := &storage.Event{ID: storage.EventID{Seq: 1}, Tenant: 1, Time: traceStart, Fields: []storage.Field{{Name: "k", Value: "1"}}}
	now := traceStart + 100*second
	f := s.Apply(1, now, []SourceTime{{1, "s", traceStart}, {2, "s", now}}, []Hit{{Rule: r, Event: ev}})
	if f = append(f, s.Apply(2, now, []SourceTime{{2, "s", now}}, nil)...); len(f) != 0 {
		t.Fatal(f)
	}
	if f = s.Apply(3, now, []SourceTime{{1, "s", now}}, nil); len(f) != 1 {
		t.Fatal(f)
	}
}

func TestNullKeyIsCounted(t *testing.T) {
	p := &player{t: t, s: New(Limits{}), r: shapeRule(t, 2, time.Second)}
	p.hit(0, 0)
	p.hit(0, 1, "k", "1") // no value to count
	p.hit(0, 2, "k", strings.Repeat("x", MaxKeyBytes+1), "v", "1")
	if st := p.s.Stats(); st.NullKey != 3 || st.Keys != 0 {
		t.Fatalf("%+v", st)
	}
}

// TestOldUpload: records below the watermark still complete positive patterns, and arm no absence.
func TestOldUpload(t *testing.T) {
	for _, c := range []struct{ shape, fires int }{{0, 1}, {8, 0}} {
		p := &player{t: t, s: New(Limits{}), r: shapeRule(t, c.shape, time.Second)}
		p.hit(0, 3600*second, "k", "now")
		n := 0
		for i := range 3 {
			n += len(p.hit(0, int64(i)*second, "k", "old"))
		}
		if st := p.s.Stats(); n != c.fires || st.Late != 3 {
			t.Errorf("%s: %d firings, want %d; %+v", shapes[c.shape].name, n, c.fires, st)
		}
	}
}

// TestEviction: one key over the limit; the slow attack that is further advanced outlives a flood of new keys.
func TestEviction(t *testing.T) {
	r := parse(t, `{kind: pattern, id: x, name: n, version: 1.0.0, severity: low, subs: {a: {where: {s: a}, by: [k],
 having: "count() >= 10", window: 12h}}, incident: {title: t}}`)
	const limit = 100
	p := &player{t: t, s: New(Limits{MaxKeysPerRule: limit}), r: r}
	fired := 0
	for i := range 10 {
		fired += firedBy("x", p.hit(0, int64(i)*1000*second, "k", "slow"))
		fired += firedBy("x", p.hit(0, int64(i)*1000*second+1, "k", "slow2"))
		for j := range 5 * limit {
			p.hit(0, int64(i)*1000*second+int64(j), "k", fmt.Sprint("flood", i, j))
			if st := p.s.Stats(); st.Keys > limit {
				t.Fatalf("%d keys, the limit is %d", st.Keys, limit)
			}
			if i == 0 && j == 5 { // past half of nothing yet: a second hit protects it
				p.hit(0, 7, "k", "slow")
			}
		}
	}
	reports := p.s.Reports()
	if fired != 1 || len(reports) == 0 || reports[0].Kind != Evicted || reports[0].Keys != 1 || len(reports) > 20 {
		t.Fatalf("%d firings, %d reports, first %+v", fired, len(reports), reports)
	}
}

func TestBytesAreBounded(t *testing.T) {
	for name, l := range map[string]Limits{"rule": {MaxBytesPerRule: 1 << 20}, "tenant": {MaxBytesPerTenant: 1 << 20}, "all": {MaxBytes: 1 << 20}} {
		p := &player{t: t, s: New(l), r: shapeRule(t, 0, time.Second)}
		for i := range 5000 {
			p.hit(0, int64(i), "k", strings.Repeat("k", 500)+fmt.Sprint(i))
		}
		if st := p.s.Stats(); st.Bytes > 1<<20 || st.Evicted == 0 || st.Keys == 0 {
			t.Errorf("%s: %+v", name, st)
		}
		p.s.Tick(p.seq+1, p.now+int64(time.Hour))
		if st := p.s.Stats(); st.Bytes != 0 || st.Keys != 0 {
			t.Errorf("%s: after an hour of silence %+v", name, st)
		}
	}
}

// TestUndecidedIsReported: an armed absence that is evicted is neither fired nor forgotten silently.
func TestUndecidedIsReported(t *testing.T) {
	p := &player{t: t, s: New(Limits{MaxKeysPerRule: 1}), r: shapeRule(t, 8, time.Second)}
	p.hit(0, 0, "k", "1")
	p.hit(0, 2*second, "k", "1")
	f := p.hit(0, 2*second, "k", "2")
	if r := p.s.Reports(); len(r) != 1 || r[0].Undecided != 1 || r[0].Oldest != traceStart {
		t.Fatalf("%+v", r)
	}
	if len(f) != 1 || f[0].Rule != EvictedRule || f[0].Key[0].Value != "r8" || !strings.Contains(f[0].Title, "of 1 keys is forgotten; 1 of them") {
		t.Fatalf("%+v", f)
	}
}

// TestHotKey: more hits above the watermark than are kept; the older half is settled early, and nothing is lost.
func TestHotKey(t *testing.T) {
	for _, shape := range []int{0, 10} {
		p := &player{t: t, s: New(Limits{}), r: shapeRule(t, shape, time.Minute)}
		fired := 0
		const n = 3 * (MaxPendingPerKey + 1)
		for i := range n {
			fired += len(p.hit(0, int64(i), "k", "1"))
		}
		if want := map[int]int{0: n / 3, 10: 0}[shape]; fired != want {
			t.Errorf("%s: %d firings, want %d", shapes[shape].name, fired, want)
		}
		if st := p.s.Stats(); (st.Forced > 0) != (shape == 0) || st.Bytes > 1<<20 {
			t.Errorf("%s: %+v", shapes[shape].name, st)
		}
	}
}

// TestCodeRule: what the module says overrides the rule, and its key keeps states apart.
func TestCodeRule(t *testing.T) {
	r := parse(t, `{kind: pattern, id: x, name: n, version: 1.0.0, severity: low, subs: {a: {where: {s: a}, by: [k], code: true,
 having: "count() >= 2", window: 1m}}, incident: {title: t}}`)
	s := New(Limits{})
	var all []Firing
	for i, domain := range []string{"one", "two", "one"} {
		ev := &storage.Event{ID: storage.EventID{Seq: uint64(i)}, Tenant: 1, Time: traceStart + int64(i), Fields: []storage.Field{{Name: "k", Value: "1"}}}
		all = append(all, s.Apply(uint64(i), ev.Time, nil, []Hit{{
			Rule: r, Event: ev, Title: "made up: " + domain, Severity: storage.Critical,
			ExtraKey: []storage.Field{{Name: "dns.question.name", Value: domain}},
		}})...)
	}
	if len(all) != 1 || all[0].Title != "made up: one" || all[0].Severity != storage.Critical ||
		!reflect.DeepEqual(all[0].Key, []storage.Field{{Name: "k", Value: "1"}, {Name: "dns.question.name", Value: "one"}}) {
		t.Fatalf("%+v", all)
	}
}

func BenchmarkHit(b *testing.B) {
	for _, c := range []struct {
		name  string
		shape int
		keys  int
	}{
		{"count/1000 keys", 0, 1000},
		{"count/100000 keys", 0, 100_000},
		{"distinct/100000 keys", 2, 100_000},
		{"sequence/100000 keys", 6, 100_000},
		{"heartbeat/1000 keys", 10, 1000},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := shapeRule(b, c.shape, 30*time.Second)
			s := New(Limits{MaxBytesPerRule: 1 << 30, MaxBytesPerTenant: 1 << 30})
			const frame = 1000
			evs := make([]storage.Event, frame)
			hits := make([]Hit, frame)
			keys := make([]string, c.keys)
			for i := range keys {
				keys[i] = fmt.Sprintf("198.51.%d.%d", i/256, i%256)
			}
			for i := range evs {
				evs[i] = storage.Event{Tenant: 1, Fields: []storage.Field{{Name: "k"}, {Name: "v", Value: fmt.Sprint(i)}, {Name: "user.name", Value: "ann"}, {Name: "host.name", Value: "db1"}, {Name: "source.port", Value: "1"}, {Name: "event.action", Value: "ssh_login"}, {Name: "event.outcome", Value: "failure"}, {Name: "message", Value: "m"}, {Name: "process.pid", Value: "4"}}}
				hits[i] = Hit{Rule: r, Event: &evs[i]}
			}
			metas := []SourceTime{{1, "s", 0}}
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += frame {
				for i := range evs {
					evs[i].Fields[0].Value = keys[(n+i)*7919%c.keys]
					evs[i].ID = storage.EventID{Seq: uint64(n), Record: uint32(i)}
					evs[i].Time = traceStart + int64(n+i)*int64(20*time.Microsecond)
					metas[0].Time = evs[i].Time
				}
				s.Apply(uint64(n), metas[0].Time, metas, hits)
			}
		})
	}
}
