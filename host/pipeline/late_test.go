package pipeline

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/storage"
)

// What comes after the watermark goes into the ledger: soon, then in longer spells, and not for what is only a little late.
func TestLateDataIsNoted(t *testing.T) {
	const start = int64(1_000 * time.Hour)
	s := &sequencer{p: &Pipeline{state: correlate.New(correlate.Limits{})}, at: start}
	frame := func(after time.Duration, source string, behind ...time.Duration) {
		s.seq, s.at = s.seq+1, start+int64(after)
		s.endLate()
		events := []storage.Event{{Tenant: 2, Time: s.at - int64(time.Second)}} // of another organization, in time
		for _, b := range behind {
			events = append(events, storage.Event{Tenant: 1, Time: s.at - int64(b), Fields: []storage.Field{{Name: storage.FieldSource, Value: source}}})
		}
		s.noteLate(events)
		var times []correlate.SourceTime
		for i := range events {
			times = append(times, correlate.SourceTime{Tenant: events[i].Tenant, Source: events[i].Get(storage.FieldSource), Time: events[i].Time})
		}
		s.p.state.Apply(s.seq, s.at, times, nil)
	}
	var got []string
	collect := func() {
		for _, g := range s.gaps {
			got = append(got, fmt.Sprintf("%d %s%q %v-%v %s", g.Tenant, g.Kind, g.Subject, time.Duration(g.Since-start), time.Duration(g.Until-start).Round(time.Second), g.Detail))
		}
		s.gaps = nil
	}
	const after = ": too late for rules that count or wait, which had decided; rules of single events saw them"
	for minute := range 20 { // a sender that is in time, and one that asks a cloud each minute for the events before
		at := time.Duration(minute) * time.Minute
		frame(at, "syslog a", time.Second)
		frame(at+time.Second, "cloud b", 50*time.Second, 40*time.Second, 20*time.Second)
		collect()
	}
	frame(30*time.Minute, "syslog a", time.Second, 29*time.Second)
	frame(31*time.Minute, "syslog a", time.Hour)
	frame(33*time.Minute, "syslog a", time.Second)
	frame(34*time.Minute, "syslog a", time.Second)
	collect()
	want := []string{
		`1 late"" 1s-1s 2 events came 40s to 50s late, from cloud b` + after,
		`1 late"" 1m1s-10m1s 20 events came 40s to 50s late, from cloud b` + after,
		`1 late"" 11m1s-19m1s 18 events came 40s to 50s late, from cloud b` + after,
		`1 late"" 31m0s-31m0s 1 event came 1h late, from syslog a` + after,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(s.late) != 0 {
		t.Errorf("%d spells are kept", len(s.late))
	}
}

// A spell counts a bounded number of senders one by one.
func TestLateSendersAreBounded(t *testing.T) {
	var x spell
	for i := range maxLateSources + 1 {
		for range 1 + i%2 {
			x.add(0, &storage.Event{Time: -1, Fields: []storage.Field{{Name: storage.FieldSource, Value: fmt.Sprintf("s%02d", i)}}})
		}
	}
	if len(x.sources) != maxLateSources || x.others != 1 || x.from() != ", from s01, s03, s05 and many others" {
		t.Error(len(x.sources), x.others, x.from())
	}
}

func BenchmarkLate(b *testing.B) {
	s := &sequencer{p: &Pipeline{state: correlate.New(correlate.Limits{})}, at: int64(time.Hour)}
	events := make([]storage.Event, 1_000)
	for i := range events {
		events[i] = storage.Event{Tenant: storage.Tenant(1 + i/100), Time: s.at}
	}
	b.ReportAllocs()
	for b.Loop() {
		s.noteLate(events)
	}
}
