package demo

import (
	"math/rand/v2"
	"time"
)

// Traffic makes an organization's ordinary lines without end, and no attacks: what load tests send. It belongs to one
// goroutine.
type Traffic struct {
	world world
	ready [][]byte
}

// NewTraffic returns the traffic of an organization of Orgs. Equal seeds and times make equal lines.
func NewTraffic(o Org, seed uint64) *Traffic {
	rnd := rand.New(rand.NewPCG(seed, 0))
	return &Traffic{world: world{org: &o, rnd: rnd, session: rnd.IntN(1 << 24)}}
}

// Line returns the next line: of ten about five are firewall traffic, two nginx, the rest Windows events and Linux.
func (t *Traffic) Line(now time.Time) []byte {
	for len(t.ready) == 0 {
		b := t.world.background(now)
		t.ready = append(append(append(t.ready, b.udp...), b.tcp...), b.http...)
	}
	line := t.ready[0]
	t.ready = t.ready[1:]
	return line
}
