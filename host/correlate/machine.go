package correlate

import (
	"math/bits"
	"slices"
)

// machine is the state of one rule for one group key. Marks at or below the watermark are settled: they were stepped
// over in event-time order. Marks above it are pending, sorted, since earlier ones may still arrive; ahead is the chain
// after all of them. A positive pattern fires as soon as ahead completes it. Adding a mark never lowers the number of
// disjoint completions (the earliest end is the greedy choice), so firing whenever ahead is further than what was
// emitted gives exactly the settled number of firings, without waiting for the watermark.
type machine struct {
	key     string // group values, length-prefixed
	settled run
	ahead   run // nil while nothing is pending, and in patterns that wait for the watermark
	pending []mark
	fires   int   // completions over pending
	lead    int   // firings emitted and not settled
	first   int64 // event time of the first mark
	until   int64 // watermark at which what is settled means nothing any more
	about   []noted
	traces  []behind

	due    int64 // watermark that needs attention, or an earlier one
	heapAt int
	level  uint8
	links  [linkKinds]link
	group  *group
	size   int
}

// observe takes a mark. h is the hit that carried it.
func (s *State) observe(tb *table, mc *machine, m *mark, h *Hit) {
	p := tb.prog
	s.settle(tb, mc, tb.watermark)
	mc.until = max(mc.until, max(m.time, tb.watermark)+p.horizon)
	if m.time <= tb.watermark {
		if m.time < tb.watermark {
			s.stats.Late++
		}
		s.stepSettled(tb, mc, m, h, m.time < tb.watermark)
		if len(mc.pending) > 0 {
			s.rebuild(tb, mc, h)
		}
		return
	}
	at := len(mc.pending)
	for at > 0 && before(m.time, m.id, mc.pending[at-1].time, mc.pending[at-1].id) {
		at--
	}
	if at > 0 && mc.pending[at-1].unite(m) {
		s.rebuild(tb, mc, h)
		return
	}
	last := at == len(mc.pending)
	mc.pending = append(mc.pending, mark{})
	copy(mc.pending[at+1:], mc.pending[at:])
	mc.pending[at] = *m
	switch {
	case !p.eager:
		if p.heartbeat {
			mc.thin(at, p.horizon)
		}
	case !last:
		s.rebuild(tb, mc, h)
	default:
		if mc.ahead == nil {
			mc.ahead = mc.settled.clone()
		}
		s.stepAhead(tb, mc, &mc.pending[at], h)
	}
	if len(mc.pending) > MaxPendingPerKey {
		s.stats.Forced += uint64(len(mc.pending) / 2)
		s.settle(tb, mc, mc.pending[len(mc.pending)/2].time)
	}
}

// unite adds what is known of the same place: a rule that looks at an event and at what it fired looks once. It reports
// false when the two cannot be one.
func (m *mark) unite(o *mark) bool {
	if m.time != o.time || m.id != o.id || m.subs&o.subs != 0 {
		return false
	}
	vals := slices.Clone(m.vals)
	for i, v := range o.vals {
		switch {
		case vals[i] == "":
			vals[i] = v
		case v != "" && v != vals[i]:
			return false
		}
	}
	m.subs, m.vals = m.subs|o.subs, vals
	return true
}

// thin drops marks of a heartbeat around one just added that lie between two others at most a window apart: the outer
// two cancel and arm exactly as all three would.
func (mc *machine) thin(at int, window int64) {
	for i := min(at+1, len(mc.pending)-2); i >= max(at-1, 1); i-- {
		if mc.pending[i+1].time-mc.pending[i-1].time <= window {
			mc.pending = append(mc.pending[:i], mc.pending[i+1:]...)
		}
	}
}

// settle steps over the pending marks up to the watermark and decides the deadlines that it has passed, in event-time
// order. When it is called makes no difference to what it decides.
func (s *State) settle(tb *table, mc *machine, watermark int64) {
	n := 0
	for n < len(mc.pending) && mc.pending[n].time <= watermark {
		s.expire(tb, mc, mc.pending[n].time-1)
		s.stepSettled(tb, mc, &mc.pending[n], nil, false)
		n++
	}
	s.expire(tb, mc, watermark)
	if n == 0 {
		return
	}
	rest := copy(mc.pending, mc.pending[n:])
	clear(mc.pending[rest:])
	mc.pending = mc.pending[:rest]
	if rest == 0 {
		mc.ahead, mc.pending, mc.fires, mc.lead = nil, nil, 0, 0
	}
}

// expire decides what is due at or before t.
func (s *State) expire(tb *table, mc *machine, t int64) {
	for {
		at, ok := mc.settled.next(tb.prog)
		if !ok || at > t {
			return
		}
		if mc.settled.decide(tb.prog, at) {
			s.fire(tb, mc, mc.settled, nil, nil)
			mc.settled.reset()
		}
	}
}

// stepSettled steps the settled chain. A completion was emitted before unless the mark came late.
func (s *State) stepSettled(tb *table, mc *machine, m *mark, h *Hit, late bool) {
	if !mc.settled.step(tb.prog, m, late) {
		return
	}
	if mc.lead > 0 {
		mc.lead--
		mc.fires--
	} else {
		s.fire(tb, mc, mc.settled, m, h)
	}
	mc.settled.reset()
}

// stepAhead steps the chain ahead and emits a completion that was not emitted yet.
func (s *State) stepAhead(tb *table, mc *machine, m *mark, h *Hit) {
	if !mc.ahead.step(tb.prog, m, false) {
		return
	}
	if mc.fires++; mc.fires > mc.lead {
		s.fire(tb, mc, mc.ahead, m, h)
		mc.lead = mc.fires
	}
	mc.ahead.reset()
}

// rebuild steps a copy of the settled chain over all pending marks, after one was put between them.
func (s *State) rebuild(tb *table, mc *machine, h *Hit) {
	if !tb.prog.eager {
		return
	}
	mc.ahead, mc.fires = mc.settled.clone(), 0
	for i := range mc.pending {
		s.stepAhead(tb, mc, &mc.pending[i], h)
	}
}

// nextDue returns the watermark at which the machine needs attention, and false when it can be forgotten at watermark.
func (p *program) nextDue(mc *machine, watermark int64) (due int64, alive bool) {
	due, alive = mc.settled.next(p)
	if n := len(mc.pending); n > 0 {
		switch {
		case p.eager: // what is pending was emitted already
			due = mc.pending[n-1].time
		case !alive:
			due = mc.pending[0].time
		case p.tree != nil: // what is pending may be decided by itself
			due = min(due, mc.pending[0].time)
		}
		return due, true
	}
	if alive {
		return due, true
	}
	if mc.settled.empty() || watermark > mc.until {
		return 0, false
	}
	return mc.until + 1, true
}

// progress grades a machine for eviction: 0 for one event or none that counts, 1 for more, 2 for half of a threshold,
// 3 for a sequence under way or an armed absence.
func (p *program) progress(mc *machine) uint8 {
	if mc.ahead != nil {
		return mc.ahead.progress(p)
	}
	return mc.settled.progress(p)
}

func (c *chain) progress(p *program) uint8 {
	for i := range c.held {
		if c.held[i].set {
			return 3
		}
	}
	level := uint8(0)
	for i := range c.rings {
		switch n := len(c.rings[i]); {
		case 2*n >= p.rings[i].need && n > 1:
			level = max(level, 2)
		case n > 1:
			level = max(level, 1)
		}
	}
	return level
}

// room estimates how much is allocated for n things that came one by one. It depends on nothing else, so that what was
// restored is evicted when what was not is.
func room(n int) int {
	if n == 0 {
		return 0
	}
	return 1 << bits.Len(uint(n-1))
}

// footprint estimates the bytes that a machine holds.
func (mc *machine) footprint() int {
	n := 320 + 2*len(mc.key) + 64*room(len(mc.pending)) + mc.settled.footprint()
	for i := range mc.pending {
		for _, v := range mc.pending[i].vals {
			n += 16 + len(v)
		}
	}
	if mc.ahead != nil {
		n += mc.ahead.footprint()
	}
	return n + mc.aboutSize()
}

func (c *chain) footprint() int {
	n := 80 * len(c.held)
	for i := range c.held {
		n += c.held[i].behind()
	}
	for i := range c.rings {
		n += 24 + 48*room(len(c.rings[i]))
		if len(c.rings[i]) > 0 && c.rings[i][0].val != "" {
			n += maxDistinctBytes * len(c.rings[i])
		}
	}
	return n
}
