package correlate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/storage"
)

// What a rule knows of a key is said step by step, and nothing of a key that it does not know.
func TestKnown(t *testing.T) {
	about := func(p *player, fields ...string) string {
		ev := &storage.Event{Tenant: 1}
		for i := 0; i+1 < len(fields); i += 2 {
			ev.Fields = append(ev.Fields, storage.Field{Name: fields[i], Value: fields[i+1]})
		}
		k, ok := p.s.Known(p.r.ID, ev)
		if !ok {
			return "nothing"
		}
		return fmt.Sprint(k.Key) + " " + strings.Join(k.Steps, "; ")
	}
	head := "kind: pattern\nid: r\nname: r\nversion: 1.0.0\nseverity: low\nincident: {title: t}\nwindow: 1m\n"
	p := &player{t: t, s: New(Limits{}), r: parse(t, head+`
subs:
  fail: {where: {o: f}, by: [user.name], having: "count() >= 3"}
  ok: {where: {o: s}, by: [user.name]}
expr: fail -> ok within 10m
`)}
	p.hit(0, 0, "user.name", "ann")
	p.hit(0, second, "user.name", "ann")
	for fields, want := range map[string]string{"ann": "[{user.name ann}] fail: 2 of 3 events within 1m0s", "bob": "nothing"} {
		if got := about(p, "user.name", fields); got != want {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
	p.hit(0, 2*second, "user.name", "ann")
	if got, want := about(p, "user.name", "ann"), "fail held at 2027-01-15 08:00:02 UTC; waits for ok until 2027-01-15 08:10:02 UTC"; !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
	p = &player{t: t, s: New(Limits{}), r: parse(t, head+"subs:\n  stop: {where: {o: f}, by: [user.name]}\n  start: {where: {o: s}, by: [user.name]}\nexpr: stop !-> start within 10m\n")}
	p.hit(0, 0, "user.name", "ann")
	p.hit(0, 60*second, "user.name", "bob") // ann's event is settled by it
	if got, want := about(p, "user.name", "ann"), "events that wait"; !strings.Contains(got, "armed: fires at 2027-01-15 08:10:00 UTC unless start comes") && !strings.Contains(got, want) {
		t.Error(got)
	}
	if got := about(p, "host.name", "ann"); got != "nothing" {
		t.Error(got)
	}
	p = &player{t: t, s: New(Limits{}), r: parse(t, head+"subs:\n  a: {where: {o: f}, by: [user.name], having: \"count() >= 3\"}\n  b: {where: {o: s}, by: [user.name]}\nexpr: a and b within 5m\n")}
	p.hit(0, 0, "user.name", "ann")
	p.hit(1, second, "user.name", "ann")
	if got := about(p, "user.name", "ann"); !strings.Contains(got, "a: events remembered, of the last 1m0s: 1; parts seen of what has to come together within 5m0s: 1") {
		t.Error(got)
	}
}
