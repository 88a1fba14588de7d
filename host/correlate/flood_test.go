package correlate

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

func floodRule(t testing.TB) *rule.Rule {
	return parse(t, `{kind: pattern, id: x, name: n, version: 1.0.0, severity: low, subs: {a: {where: {s: a},
 by: [source.ip, user.name], having: "count() >= 10", window: 12h}}, incident: {key: [source.ip], title: t}}`)
}

// flood sends a failure for each of many users from one address or, spread, from as many.
func (p *player) flood(n int, at int64, spread bool) {
	ev := &storage.Event{Tenant: 1, Fields: []storage.Field{{Name: "source.ip", Value: "192.0.2.1"}, {Name: "user.name"}}}
	hits := []Hit{{Rule: p.r, Event: ev}}
	metas := []SourceTime{{1, "s", 0}}
	for i := range n {
		p.seq++
		ev.ID, ev.Time = storage.EventID{Seq: p.seq}, traceStart+at+int64(i)
		ev.Fields[1].Value = fmt.Sprintf("user%d", p.seq)
		if spread {
			ev.Fields[0].Value = fmt.Sprintf("2001:db8::%x", p.seq)
		}
		metas[0].Time, p.now = ev.Time, max(p.now, ev.Time)
		p.s.Apply(p.seq, p.now, metas, hits)
	}
}

// TestSlowAttackOutlivesFloods: a user who was tried nine times, and then every other user from one address or from many,
// is found by the tenth try.
func TestSlowAttackOutlivesFloods(t *testing.T) {
	const most = 1000
	for _, spread := range []bool{false, true} {
		p := &player{t: t, s: New(Limits{MaxKeysPerRule: most}), r: floodRule(t)}
		slow := func(at int64) int {
			return firedBy("x", p.hit(0, at, "source.ip", "198.51.100.7", "user.name", "root"))
		}
		for i := range 9 {
			if slow(int64(i)*1000*second) != 0 {
				t.Fatal("too early")
			}
			if i > 0 || !spread { // one failure is what everybody in a flood from everywhere has
				p.flood(2*most, int64(i)*1000*second, spread)
			}
			if st := p.s.Stats(); st.Keys > most {
				t.Fatalf("%d keys, the limit is %d", st.Keys, most)
			}
		}
		if slow(9000*second) != 1 {
			t.Errorf("spread %v: the slow attack was missed", spread)
		}
		if r := p.s.Reports(); len(r) == 0 || r[0].Kind != Evicted {
			t.Errorf("spread %v: reports %+v", spread, r)
		}
	}
}

// TestShare: one address has a tenth of a table that is half full and no more, and pushes nobody else out.
func TestShare(t *testing.T) {
	const most = 1000
	p := &player{t: t, s: New(Limits{MaxKeysPerRule: most}), r: floodRule(t)}
	p.flood(most/2-2, 0, false)
	if n := p.s.Stats().Evicted; n != 0 {
		t.Fatalf("%d evicted from a table that is not half full", n)
	}
	for i := range most / 2 {
		p.hit(0, second, "source.ip", fmt.Sprint("198.51.100.", i), "user.name", "ann")
	}
	p.flood(3*most, 2*second, false)
	tb := p.s.tenants[1].tables["x"]
	if n := tb.groups["192.0.2.1"].n; n != most/groupShare {
		t.Errorf("%d keys of one address, its share is %d", n, most/groupShare)
	}
	if n := len(tb.groups); n != most/2+1 {
		t.Errorf("%d addresses are left of %d", n, most/2+1)
	}
	b := p.s.Append(nil)
	back, err := Restore(bytes.NewReader(b), Limits{MaxKeysPerRule: most}, only(p.r))
	if err != nil || len(back.tenants[1].tables["x"].groups) != most/2+1 || string(back.Append(nil)) != string(b) {
		t.Error("restored otherwise", err)
	}
}

// BenchmarkFlood is a new key with each event: the table stays within its bound, and every event evicts.
func BenchmarkFlood(b *testing.B) {
	for _, spread := range []bool{false, true} {
		b.Run(fmt.Sprint("spread=", spread), func(b *testing.B) {
			p := &player{t: b, s: New(Limits{}), r: floodRule(b)}
			b.ReportAllocs()
			p.flood(b.N, 0, spread)
			if st := p.s.Stats(); st.Keys > 100_000 || st.Bytes > 64<<20 {
				b.Fatalf("%+v", st)
			}
			b.ReportMetric(float64(p.s.Stats().Bytes)/(1<<20), "MiB")
		})
	}
}
