package overview

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

const start = int64(1_700_000_000) * second

func event(t storage.Tenant, seq uint64, fields ...string) storage.Event {
	e := storage.Event{ID: storage.EventID{Seq: seq}, Tenant: t, Stream: "auth.log"}
	for i := 0; i < len(fields); i += 2 {
		e.Fields = append(e.Fields, storage.Field{Name: fields[i], Value: fields[i+1]})
	}
	return e
}

func sum(ns []uint64) (n uint64) {
	for _, x := range ns {
		n += x
	}
	return n
}

func TestWindow(t *testing.T) {
	o := New()
	unread := event(1, 3, storage.FieldSource, "udp 10.0.0.9")
	unread.Stream = unparsed
	o.Events(start, []storage.Event{
		event(1, 1, "source.ip", "203.0.113.7", "user.name", "root", "source.geo.country_name", "Netherlands", storage.FieldSource, "udp 10.0.0.9", storage.FieldParser, "vedette/auth", "host.name", "h1"),
		event(1, 2, "source.ip", "203.0.113.7", "source.geo.country_iso_code", "NL", "source.geo.country_name", "Netherlands", storage.FieldSource, "udp 10.0.0.9", storage.FieldParser, "vedette/auth", "observer.name", "fw"),
		unread,
		event(2, 4, "source.ip", "203.0.113.7", "fortinet.firewall.srccountry", "Reserved"),
	})
	o.Fired(start, 1, "guessed", storage.High)
	o.Fired(start+minute, 1, "guessed", storage.High)
	now := start + minute
	one := o.Window(now, 60, []storage.Tenant{1})
	if sum(one.Events) != 3 || sum(one.Unparsed) != 1 || one.Events[len(one.Events)-7] != 3 || len(one.Events) != 360 || one.Since != start {
		t.Errorf("events %v", one.Events[len(one.Events)-10:])
	}
	if one.To-one.From != 60*minute || now < one.From || now >= one.To {
		t.Errorf("window %d to %d at %d", one.From, one.To, now)
	}
	if got := one.BySeverity[storage.High]; sum(got) != 2 || got[59] != 1 || got[58] != 1 || sum(one.ByRule["guessed"]) != 2 {
		t.Errorf("firings %v %v", got[55:], one.ByRule)
	}
	if got := fmt.Sprint(one.Tops[0], one.Tops[1], one.Tops[2], one.Tops[3], one.Countries); got != "[{{203.0.113.7 2} 1}] [{{root 1} 1}] [{{h1 1} 1}] [{{auth.log 2} 1} {{unparsed 1} 1}] [{NL 1} {Netherlands 1}]" {
		t.Error(got)
	}
	if both := o.Window(now, 60, []storage.Tenant{1, 2}); sum(both.Events) != 4 || len(both.Tops[0]) != 2 || both.Tops[0][1].Tenant != 2 || len(both.Countries) != 2 {
		t.Errorf("both: %+v", both.Tops[0])
	}
	if short := o.Window(now, 1, []storage.Tenant{1}); sum(short.Events) != 0 || len(short.Events) != 6 || sum(short.BySeverity[storage.High]) != 1 {
		t.Errorf("a minute: %+v", short)
	}
	src := o.Sources(1)["udp 10.0.0.9"]
	if src.Processed != 3 || src.Unparsed != 1 || src.Parser != "" || src.Newest.Seq != 3 || src.Host != "fw" || len(o.Sources(2)) != 1 || o.Records() != 4 {
		t.Errorf("source %+v", src)
	}
	later := o.Window(start+61*minute, 60, []storage.Tenant{1})
	if sum(later.Events)+sum(later.BySeverity[storage.High])+uint64(len(later.Tops[0])+len(later.Countries)) != 0 {
		t.Errorf("an hour later: %+v", later)
	}
	o.Forget(1)
	if w := o.Window(start, 60, []storage.Tenant{1}); sum(w.Events) != 0 || len(o.Sources(1)) != 0 || len(o.Sources(2)) != 1 {
		t.Error("a removed organization is still counted")
	}
}

// TestRings compares with a list of all events, over hours with gaps.
func TestRings(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	o := New()
	now := start
	var all []int64
	for range 3000 {
		now += int64(r.IntN(40)) * second
		if r.IntN(300) == 0 {
			now += int64(r.IntN(120)) * minute
		}
		e := event(1, 1, "user.name", fmt.Sprint(r.IntN(5)))
		o.Events(now, []storage.Event{e})
		all = append(all, now)
		if r.IntN(20) > 0 {
			continue
		}
		at := now + int64(r.IntN(300))*second
		minutes := 1 + r.IntN(MaxMinutes)
		w := o.Window(at, minutes, []storage.Tenant{1})
		want := make([]uint64, len(w.Events))
		for _, x := range all {
			if x >= w.From && x < w.To {
				want[(x-w.From)/bucket]++
			}
		}
		if !slices.Equal(want, w.Events) {
			t.Fatalf("events at %d over %d minutes:\n%v, want\n%v", at, minutes, w.Events, want)
		}
		now = max(now, at) // readers move time on too
	}
}

// TestSpaceSaving: within the limit counts are exact; beyond it no count is too low, the sum never grows, and whatever is
// more frequent than the sum divided by the limit is there.
func TestSpaceSaving(t *testing.T) {
	for _, most := range []int{4, 50} {
		r := rand.New(rand.NewPCG(3, uint64(most)))
		room := 1000
		top := newTop(maphash.MakeSeed(), most, &room)
		var truth [slots]map[string]uint64
		for i := range truth {
			truth[i] = map[string]uint64{}
		}
		slot := 0
		for i := range 20_000 {
			if i%900 == 899 {
				slot = (slot + 1) % slots
				top.clear(slot)
				clear(truth[slot])
			}
			v := fmt.Sprint(int(r.ExpFloat64() * 8))
			top.add(slot, v)
			truth[slot][v]++
			if i%97 > 0 {
				continue
			}
			exact, n := map[string]uint64{}, uint64(0)
			for _, m := range truth {
				for v, c := range m {
					exact[v] += c
					n += c
				}
			}
			got := map[string]uint64{}
			for _, x := range top.newest(slot, slots, most) {
				got[x.Text] = x.Count
				if x.Count < exact[x.Text] {
					t.Fatalf("%d values at most, step %d: %s counts %d, it came %d times", most, i, x.Text, x.Count, exact[x.Text])
				}
			}
			for v, c := range exact {
				if most == 4 && i < 900 && c > n/uint64(most) && got[v] == 0 {
					t.Fatalf("step %d: %s came %d of %d times and is missing", i, v, c, n)
				}
				if len(exact) <= most && i < 900 && got[v] != c {
					t.Fatalf("step %d: %s counts %d, want exactly %d", i, v, got[v], c)
				}
			}
		}
		if room+len(top.values) != 1000 {
			t.Errorf("%d values, %d of 1000 places left", len(top.values), room)
		}
	}
}

func TestLimits(t *testing.T) {
	o := New()
	for i := range MaxTenants + 1 {
		o.Events(start, []storage.Event{event(storage.Tenant(i+1), 1)})
	}
	if o.Skipped() != 1 || len(o.tenants) != MaxTenants {
		t.Errorf("%d organizations, %d events skipped", len(o.tenants), o.Skipped())
	}
	o = New()
	for i := range MaxSourcesPerTenant + 1 {
		o.Events(start+int64(i), []storage.Event{event(1, 1, storage.FieldSource, fmt.Sprint(i))})
	}
	if n := len(o.Sources(1)); n != MaxSourcesPerTenant || o.Evicted() != 1 {
		t.Errorf("%d sources of one organization, %d forgotten", n, o.Evicted())
	}
	for i := range MaxSources {
		o.Events(start, []storage.Event{event(storage.Tenant(2+i%3), 1, storage.FieldSource, fmt.Sprint(i))})
	}
	if len(o.sources.by) > MaxSources {
		t.Errorf("%d sources", len(o.sources.by))
	}
	for i := range MaxRules + 5 {
		o.Fired(start, 1, fmt.Sprint(i), storage.Low)
	}
	if w := o.Window(start, 1, []storage.Tenant{1}); len(w.ByRule) != MaxRules+1 || sum(w.ByRule[OtherRules]) != 5 {
		t.Errorf("%d rules, %d firings of others", len(w.ByRule), sum(w.ByRule[OtherRules]))
	}
	for i := range MaxValues + 1 {
		o.Events(start, []storage.Event{event(1, 1, "user.name", fmt.Sprint(i))})
	}
	if n := len(o.tenants[1].tops[1].values); n != MaxValues {
		t.Errorf("%d values of a field", n)
	}
	o.room = 0
	for i := range MinValues + 1 {
		o.Events(start, []storage.Event{event(9, 1, "user.name", fmt.Sprint(i))})
	}
	if n := len(o.tenants[9].tops[1].values); n != MinValues {
		t.Errorf("%d values of a field when there is no room", n)
	}
	long := string(make([]byte, MaxValueBytes+1))
	o.Events(start, []storage.Event{event(8, 1, "user.name", long)})
	if v := o.Window(start, 1, []storage.Tenant{8}).Tops[1][0].Text; len(v) != MaxValueBytes {
		t.Errorf("a value of %d bytes is kept", len(v))
	}
}

func TestHammer(t *testing.T) {
	o := New()
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 500 {
				now := start + int64(i)*second
				switch {
				case g < 2:
					o.Events(now, []storage.Event{event(storage.Tenant(1+i%3), uint64(i), "user.name", fmt.Sprint(i%7), storage.FieldSource, "x")})
					o.Fired(now, 1, "r", storage.Low)
				case g == 2:
					o.Window(now, 60, []storage.Tenant{1, 2, 3})
					o.Sources(1)
				case i%100 == 0:
					o.Forget(3)
				}
			}
		})
	}
	all.Wait()
	if o.Records() != 1000 {
		t.Errorf("%d records", o.Records())
	}
}

// frame is a frame of firewall events of as many fields as a parser makes.
func frame(n int) []storage.Event {
	r := rand.New(rand.NewPCG(1, 1))
	out := make([]storage.Event, n)
	for i := range out {
		out[i] = event(1, uint64(i), "source.ip", fmt.Sprintf("10.0.%d.%d", r.IntN(2), r.IntN(200)), "user.name", fmt.Sprint("user", r.IntN(50)),
			"host.name", fmt.Sprint("host", r.IntN(20)), "source.geo.country_name", "Netherlands", storage.FieldSource, "syslog-udp:5514 10.0.0.1", storage.FieldParser, "vedette/fortigate")
		for k := range 24 {
			out[i].Fields = append(out[i].Fields, storage.Field{Name: fmt.Sprintf("fortinet.firewall.field%d", k), Value: "x"})
		}
	}
	return out
}

func TestKnownValuesCostNoAllocation(t *testing.T) {
	o, f := New(), frame(500)
	o.Events(start, f)
	if n := testing.AllocsPerRun(20, func() { o.Events(start, f) }); n > 0 {
		t.Errorf("%v allocations for 500 known events", n)
	}
}

func BenchmarkEvents(b *testing.B) {
	for _, c := range []struct {
		name string
		make func(int) []storage.Event
	}{{"known", frame}, {"scan", func(n int) []storage.Event {
		f := frame(n)
		for i := range f {
			f[i].Fields[0].Value = fmt.Sprintf("%d.%d.%d.1", i%7, i%251, i)
		}
		return f
	}}} {
		b.Run(c.name, func(b *testing.B) {
			o, f := New(), c.make(4000)
			b.ReportAllocs()
			began := time.Now()
			for b.Loop() {
				o.Events(start, f)
			}
			b.ReportMetric(float64(time.Since(began).Nanoseconds())/float64(b.N)/float64(len(f)), "ns/event")
		})
	}
}
