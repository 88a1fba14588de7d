package correlate

import (
	"fmt"
	"testing"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// BenchmarkEvents detects and correlates: an operation is one parsed sshd event, of 10,000 users at 10,000 addresses, 1,000
// events a second of event time, of which a tenth logs in.
func BenchmarkEvents(b *testing.B) {
	const head = "kind: pattern\nversion: 1.0.0\nseverity: low\nname: n\n"
	count := head + `id: count
subs: {fail: {where: {event.action: ssh_login, event.outcome: failure}, by: [source.ip], having: "count() >= 5", window: 60s}}
incident: {title: "{fail.count} failures from {source.ip}"}`
	sequence := head + `id: sequence
subs: {fail: {where: {event.action: ssh_login, event.outcome: failure}, by: [user.name]}, ok: {where: {event.action: ssh_login, event.outcome: success}, by: [user.name]}}
expr: fail -> ok within 60s
incident: {title: "{user.name} in after a failure"}`
	tree := head + `id: tree
subs: {fail: {where: {event.action: ssh_login, event.outcome: failure}, by: [source.ip]}, ok: {where: {event.action: ssh_login, event.outcome: success}, by: [source.ip]}}
expr: fail and not ok within 60s
incident: {title: "{source.ip} never in"}`
	both := head + `id: both
subs: {fail: {where: {event.action: ssh_login, event.outcome: failure}, by: [source.ip], having: "count() >= 5 and distinct(user.name) >= 3", window: 60s}, ok: {where: {event.action: ssh_login, event.outcome: success}, by: [source.ip]}}
expr: fail and ok within 60s
incident: {title: "{source.ip} in"}`
	divided := head + `id: divided
subs: {fail: {where: {event.action: ssh_login, event.outcome: failure}, by: [host.name, source.ip], having: "count() >= 50", window: 60s}, ok: {where: {event.action: ssh_login, event.outcome: success}, by: [host.name]}}
expr: fail -> ok within 60s
incident: {key: [host.name], title: "{host.name}"}`
	for _, c := range []struct {
		name string
		docs []string
	}{{"count", []string{count}}, {"sequence", []string{sequence}}, {"count and sequence", []string{count, sequence}}, {"tree, settled", []string{tree}}, {"tree, eager", []string{both}}, {"one key, divided", []string{divided}}} {
		b.Run(c.name, func(b *testing.B) {
			var rules []*rule.Rule
			for _, doc := range c.docs {
				rules = append(rules, parse(b, doc))
			}
			set, err := detect.Compile(rules)
			if err != nil {
				b.Fatal(err)
			}
			runEvents(b, set)
		})
	}
}

func runEvents(b *testing.B, set *detect.Set) {
	const frame, keys = 500, 10_000
	events := make([]storage.Event, frame)
	users, addresses := make([]string, keys), make([]string, keys)
	for i := range keys {
		users[i], addresses[i] = fmt.Sprint("user", i), fmt.Sprintf("198.51.%d.%d", i/256, i%256)
	}
	for i := range events {
		events[i] = storage.Event{Tenant: 1, Stream: "system.auth", Fields: []storage.Field{
			{Name: "event.action", Value: "ssh_login"},
			{Name: "event.category", Value: "authentication"},
			{Name: "event.outcome"},
			{Name: "host.name", Value: "web1"},
			{Name: "process.name", Value: "sshd"},
			{Name: "process.pid", Value: "411"},
			{Name: "source.ip"},
			{Name: "source.port", Value: "50122"},
			{Name: "user.name"},
		}}
	}
	s := New(Limits{})
	var sc detect.Scratch
	var hits []Hit
	fired := 0
	metas := []SourceTime{{1, "s", 0}}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += frame {
		hits = hits[:0]
		for i := range events {
			e, k := &events[i], uint32(n+i)*2654435761
			e.ID, e.Time = storage.EventID{Seq: uint64(n + 1), Record: uint32(i)}, traceStart+int64(n+i)*second/1000
			e.Fields[6].Value, e.Fields[8].Value, e.Fields[2].Value = addresses[k>>8%keys], users[k>>4%keys], "failure"
			if k>>20%10 == 0 {
				e.Fields[2].Value = "success"
			}
			for _, h := range set.Match(e, &sc) {
				hits = append(hits, Hit{Rule: h.Rule, Sub: h.Sub, Event: e})
			}
		}
		metas[0].Time = events[frame-1].Time
		fired += len(s.Apply(uint64(n+1), metas[0].Time, metas, hits))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(fired)/float64(b.N), "firings/op")
}

// BenchmarkSnapshot is what a checkpoint waits for: 50,000 keys of a count and 50,000 of a tree.
func BenchmarkSnapshot(b *testing.B) {
	const head = "kind: pattern\nversion: 1.0.0\nseverity: low\nname: n\nincident: {title: t}\n"
	rules := []*rule.Rule{
		parse(b, head+`id: count
subs: {a: {where: {e: x}, by: [user.name], having: "count() >= 50", window: 60s}}`),
		parse(b, head+`id: tree
subs: {a: {where: {e: x}, by: [user.name]}, b: {where: {e: y}, by: [user.name]}}
expr: a and not b within 60s`),
	}
	s := New(Limits{})
	for i := range 50_000 {
		e := &storage.Event{ID: storage.EventID{Seq: uint64(i + 1)}, Tenant: 1, Time: traceStart + int64(i)*second/1000, Fields: []storage.Field{
			{Name: "user.name", Value: fmt.Sprint("user", i*7919%50_000)},
		}}
		s.Apply(uint64(i+1), e.Time, []SourceTime{{1, "s", e.Time}}, []Hit{{Rule: rules[0], Event: e}, {Rule: rules[1], Event: e}})
	}
	b.ReportAllocs()
	var room []byte // a checkpoint has that of the one before
	for b.Loop() {
		room = s.Append(room[:0])
		b.SetBytes(int64(len(room)))
	}
}
