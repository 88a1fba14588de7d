package correlate

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/vedette-siem/vedette/storage"
)

const sprayRule = `
kind: pattern
id: spray
name: Spray
version: 1.0.0
severity: high
subs: {fail: {where: {o: f}, by: [source.ip], having: "count() >= 3", window: 1m}}
incident: {title: t}
`

func values(list []storage.Entity) (out []string) {
	for _, e := range list {
		out = append(out, string(e.Kind)+" "+e.Value)
	}
	return out
}

// TestEntitiesAreOfTheFiring: the key first, then what the events said, the newest first and each once; what an earlier
// firing was about, or an event that the window has left, is not among them.
func TestEntitiesAreOfTheFiring(t *testing.T) {
	p := &player{t: t, s: New(Limits{}), r: parse(t, sprayRule)}
	hit := func(at int64, user, host string) []Firing {
		return p.hit(0, at*second, "source.ip", "192.0.2.1", "user.name", user, "host.name", host, "host.ip", `["10.0.0.1","10.0.0.2"]`)
	}
	hit(0, "too old", "gone")
	hit(100, "ann", "db1")
	hit(101, "bob", "db1")
	want := []string{"address 192.0.2.1", "address 10.0.0.2", "address 10.0.0.1", "host db2", "user ann", "host db1", "user bob"}
	if f := hit(102, "ann", "db2"); len(f) != 1 || !reflect.DeepEqual(values(f[0].Entities), want) {
		t.Fatalf("%+v\nwant %v", f, want)
	}
	hit(103, "eve", "db3")
	hit(104, "-", "db3")
	want = []string{"address 192.0.2.1", "address 10.0.0.2", "address 10.0.0.1", "host db3", "user eve"}
	if f := hit(105, "eve", "db3"); len(f) != 1 || len(f[0].Entities) != len(want) {
		t.Fatalf("%+v\nwant %v", f, want)
	}
}

// TestEntitiesAreBounded keeps the newest of more than the limit, and a cut of a long value.
func TestEntitiesAreBounded(t *testing.T) {
	long := make([]byte, storage.MaxEntityBytes+1)
	for i := range long {
		long[i] = 'x'
	}
	r := parse(t, `
kind: pattern
id: many
name: Many
version: 1.0.0
severity: low
subs: {fail: {where: {o: f}, by: [source.ip], having: "count() >= 100", window: 10m}}
incident: {title: t}
`)
	p := &player{t: t, s: New(Limits{}), r: r}
	var f []Firing
	for i := range 100 {
		user := fmt.Sprintf("user%d", i)
		if i == 99 {
			user = string(long)
		}
		f = p.hit(0, int64(i)*second, "source.ip", "192.0.2.1", "user.name", user)
	}
	got := f[0].Entities
	if len(got) != storage.MaxEntities || got[1].Value != string(long[:storage.MaxEntityBytes]) || got[storage.MaxEntities-1].Value != "user69" {
		t.Fatalf("%d: %v", len(got), values(got))
	}
}

// TestSingleMatchEntities: a rule of one match is about all that its event names.
func TestSingleMatchEntities(t *testing.T) {
	p := &player{t: t, s: New(Limits{}), r: parse(t, `
kind: pattern
id: one
name: One
version: 1.0.0
severity: low
subs: {a: {where: {o: f}}}
incident: {key: [host.name], title: t}
`)}
	f := p.hit(0, 0, "user.name", "ann", "host.name", "db1", "process.name", "sh", "message", "m", "url.full", "https://a.example/", "file.hash.md5", "aa")
	want := []string{"host db1", "user ann", "process sh", "url https://a.example/", "hash aa"}
	if len(f) != 1 || !reflect.DeepEqual(values(f[0].Entities), want) {
		t.Fatalf("%+v\nwant %v", f, want)
	}
}
