package correlate

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// thirdRules are those of testdata/third.snapshot.
func thirdRules(t testing.TB) (sequence, peers *rule.Rule) {
	return parse(t, `{kind: pattern, id: sequence, name: n, version: 1.0.0, severity: low, lateness: 1s,
subs: {fail: {where: {e: fail}, by: [k], having: "count() >= 3", window: 1m}, ok: {where: {e: ok}, by: [k]}, out: {where: {e: out}, by: [k]}},
expr: fail -> ok within 5m -> out within 5m, incident: {title: "{fail.count} {k}"}}`),
		parse(t, `{kind: pattern, id: peers, name: n, version: 1.0.0, severity: low, lateness: 1s,
subs: {a: {where: {e: a}, by: [k], having: "count() > 3*stat.mean", window: 1m, baseline: {least: 4, peers: d}}}, incident: {title: "{count} {k}"}}`)
}

// TestThirdVersion: what the version before wrote is read, and goes on. The file holds, of key x, three failures at 2m0s to
// 2m2s and a success at 2m10s, and an event of each of two keys of one peer in each of the first two minutes.
func TestThirdVersion(t *testing.T) {
	b, err := os.ReadFile("testdata/third.snapshot")
	if err != nil {
		t.Fatal(err)
	}
	sequence, peers := thirdRules(t)
	s, err := Restore(bytes.NewReader(b), Limits{}, func(_ storage.Tenant, id string) *rule.Rule {
		if id == sequence.ID {
			return sequence
		}
		return peers
	})
	if err != nil {
		t.Fatal(err)
	}
	seq, begin := uint64(100), floorTo(traceStart, int64(time.Minute))
	var got []string
	hit := func(r *rule.Rule, sub int, at time.Duration, k string) {
		seq++
		now := begin + int64(at)
		ev := &storage.Event{ID: storage.EventID{Seq: seq}, Tenant: 7, Time: now, Fields: []storage.Field{{Name: "k", Value: k}, {Name: "d", Value: "s"}}}
		for _, f := range s.Apply(seq, now, []SourceTime{{7, "s", now}}, []Hit{{Rule: r, Sub: sub, Event: ev}}) {
			got = append(got, fmt.Sprint(f.Title, " ", len(f.Evidence)))
		}
	}
	hit(sequence, 2, 3*time.Minute, "x")
	for i := range 4 {
		hit(peers, 0, 3*time.Minute+time.Duration(i)*time.Second, "y")
	}
	for _, f := range s.Tick(seq+1, begin+int64(time.Hour)) {
		got = append(got, fmt.Sprint(f.Title, " ", len(f.Evidence)))
	}
	if want := []string{"3 x 5", "4 y 4"}; !slices.Equal(got, want) {
		t.Errorf("fired %q, want %q", got, want)
	}
}
