package correlate

import (
	"slices"
	"sort"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// mark is what is kept of an event: its place in time and log, and the sub-patterns of one rule and key that it matched.
type mark struct {
	time int64
	id   storage.EventID
	subs uint64 // bit for each sub-pattern
	vals []string
}

// before orders events by event time, equal times by position.
func before(t1 int64, id1 storage.EventID, t2 int64, id2 storage.EventID) bool {
	if t1 != t2 {
		return t1 < t2
	}
	return id1.Less(id2)
}

// run is how far a pattern has got for one key. It is a plain value that steps over marks, and is told when time decides.
type run interface {
	// step takes one mark, and reports whether the pattern is complete with it; the caller reads what it needs and resets.
	// A late mark, one below the watermark, completes and cancels, but arms no absence: what cancels it may have passed.
	step(p *program, m *mark, late bool) bool
	// next returns the time at which something is decided, if there is such a time.
	next(p *program) (t int64, ok bool)
	// decide takes note that all marks up to t have been stepped over, and reports whether the pattern is complete thereby.
	decide(p *program, t int64) bool
	reset()                                   // consumes what led to a firing
	restart(p *program, changed uint64)       // forgets what it knows of sub-patterns that are not what they were
	clone() run                               // of a pattern that fires ahead of the watermark
	empty() bool                              // remembers nothing
	undecided(p *program) bool                // something waits for time to pass
	progress(p *program) uint8                // for eviction, as machine.level
	footprint() int                           // bytes, estimated
	tell(p *program, m *mark, f *Firing) told // completes a firing; m is the mark that completed it, nil: time
}

// told is what a pattern says of its completion besides what it puts into the firing.
type told struct {
	counts []string                         // by sub-pattern, for the title
	field  func(name string) (string, bool) // of the event that completed it, as far as that was kept
}

// chain is the run of a sequence of sub-patterns, of which the last may be an absence.
type chain struct {
	rings []ring
	held  []held // by stage but the last: the newest event at which the pattern up to that stage held
}

type held struct {
	set  bool
	time int64
	id   storage.EventID
	vals []string // captures, in an armed absence
	saw  *tally   // of a counted stage whose window is no more what it was; nil: the ring has it
	led  *held    // of the stage before, as it was then
}

// behind estimates the bytes of what led to it.
func (h *held) behind() (n int) {
	if h.saw != nil {
		n = 56 + 48*len(h.saw.events)
	}
	if h.led != nil {
		n += 80 + h.led.behind()
	}
	return n
}

// tally is what a counted stage held for. It is never changed.
type tally struct {
	count  int
	events []place // the newest
}

type ring []seen

type seen struct {
	time int64
	id   storage.EventID
	val  string // of a distinct count
}

func (p *program) newChain() *chain {
	c := &chain{held: make([]held, len(p.stages)-1)}
	if len(p.rings) > 0 {
		c.rings = make([]ring, len(p.rings))
	}
	return c
}

func (c *chain) clone() run {
	d := &chain{held: append([]held(nil), c.held...), rings: make([]ring, len(c.rings))}
	for i := range c.rings {
		d.rings[i] = append(ring(nil), c.rings[i]...)
	}
	return d
}

func (c *chain) reset() {
	for i := range c.rings {
		c.rings[i] = c.rings[i][:0]
	}
	for i := range c.held {
		c.held[i] = held{}
	}
}

func (c *chain) empty() bool {
	for i := range c.rings {
		if len(c.rings[i]) > 0 {
			return false
		}
	}
	for i := range c.held {
		if c.held[i].set {
			return false
		}
	}
	return true
}

// armed returns the event whose absence of a successor is awaited, or nil.
func (p *program) armed(c *chain) *held {
	if p.absence {
		if h := &c.held[len(c.held)-1]; h.set {
			return h
		}
	}
	return nil
}

// deadline returns the event time at which an armed absence is decided.
func (p *program) deadline(h *held) int64 { return h.time + p.stages[len(p.stages)-1].within }

func (c *chain) next(p *program) (int64, bool) {
	if h := p.armed(c); h != nil {
		return p.deadline(h), true
	}
	return 0, false
}

func (c *chain) decide(p *program, t int64) bool {
	h := p.armed(c)
	return h != nil && p.deadline(h) <= t
}

func (c *chain) undecided(p *program) bool { return p.armed(c) != nil }

// restart forgets the windows of changed sub-patterns, and that the pattern held up to them.
func (c *chain) restart(p *program, changed uint64) {
	for i := range p.rings {
		if changed&(1<<p.rings[i].sub) != 0 {
			c.rings[i] = nil
		}
	}
	for i := range c.held {
		if changed&(1<<p.stages[i].sub) != 0 {
			c.held[i] = held{}
		}
	}
}

// step tries stages from the last to the first, so that one event takes one step at a time.
func (c *chain) step(p *program, m *mark, late bool) bool {
	holds := uint64(0)
	for i := range p.stages {
		if bit := uint64(1) << p.stages[i].sub; m.subs&bit != 0 && p.ringOf[p.stages[i].sub] < 0 {
			holds |= bit
		}
	}
	for i := range p.rings {
		if bit := uint64(1) << p.rings[i].sub; m.subs&bit != 0 {
			x := seen{time: m.time, id: m.id}
			if v := p.valueOf[i]; v >= 0 {
				x.val = m.vals[v]
			}
			gone, again := seen{}, false
			if len(c.held) > 0 {
				gone, again = c.rings[i].with(&p.rings[i], x.val)
			}
			ok := c.rings[i].push(&p.rings[i], x)
			if ok {
				holds |= bit
			}
			if again {
				p.keepTallies(c, i, m, !ok, gone)
			}
		}
	}
	last := len(p.stages) - 1
	for i := last; i >= 0; i-- {
		if holds&(1<<p.stages[i].sub) == 0 {
			continue
		}
		if i > 0 {
			h := &c.held[i-1]
			if !h.set || !before(h.time, h.id, m.time, m.id) || m.time-h.time > p.stages[i].within {
				continue
			}
			if i == last && p.absence {
				*h = held{}
				continue
			}
		}
		if i == last {
			return true
		}
		p.hold(c, i, m, late)
	}
	for i := range p.rings {
		if n := c.rings[i].over(&p.rings[i], m); n > 0 {
			gone := c.rings[i][:n]
			c.rings[i] = c.rings[i][n:]
			p.keepTallies(c, i, m, true, gone...)
		}
	}
	return false
}

// keepTallies has the stages before a mark that a ring counts for keep what they held for, if they looked at what is gone
// from the ring: all of them, or those after which the mark may come next.
func (p *program) keepTallies(c *chain, ring int, m *mark, all bool, gone ...seen) {
	for i := range c.held {
		h := &c.held[i]
		if !h.set || h.saw != nil || h.id == m.id || p.ringOf[p.stages[i].sub] != ring || !all && m.subs&(1<<p.stages[i+1].sub) == 0 {
			continue
		}
		if h.time-gone[len(gone)-1].time <= p.rings[ring].window {
			h.saw = p.tally(c, i, h, gone)
		}
	}
}

// tally returns what a stage saw that held at an event, with what is gone from its ring; nil when it does not count.
func (p *program) tally(c *chain, i int, at *held, gone []seen) *tally {
	r := p.ringOf[p.stages[i].sub]
	if r < 0 {
		return nil
	}
	if at.saw != nil {
		return at.saw
	}
	all := c.rings[r]
	if len(gone) > 0 {
		all = slices.Concat(gone, all)
		sort.Slice(all, func(i, j int) bool { return before(all[i].time, all[i].id, all[j].time, all[j].id) })
	}
	window := all.within(at.time, p.rings[r].window)
	for n := len(window); n > 0 && before(at.time, at.id, window[n-1].time, window[n-1].id); n-- {
		window = window[:n-1]
	}
	out := &tally{count: min(len(window), p.rings[r].keep)}
	window = window[max(0, len(window)-storage.MaxEvidence):]
	out.events = make([]place, len(window))
	for i, x := range window {
		out.events[i] = place{x.time, x.id}
	}
	return out
}

// hold remembers that the pattern up to stage i holds at m.
func (p *program) hold(c *chain, i int, m *mark, late bool) {
	h := &c.held[i]
	arms := p.absence && i == len(c.held)-1
	switch {
	case arms && (late || h.set && !p.latest):
		return
	case h.set && before(m.time, m.id, h.time, h.id):
		return
	}
	*h = held{set: true, time: m.time, id: m.id}
	if i > 0 {
		led := c.held[i-1]
		led.saw = p.tally(c, i-1, &led, nil)
		h.led = &led
	}
	if arms && len(p.captures) > 0 {
		h.vals = m.vals[p.vals-len(p.captures):]
	}
}

// push adds an event and reports whether some window that contains it is satisfied. Of a distinct count each value is
// remembered by its newest event, which is exact for windows that end at the newest event.
func (r *ring) push(spec *ringSpec, x seen) bool {
	e := *r
	if spec.agg.Func == "distinct" {
		for i := len(e) - 1; i >= 0; i-- {
			if e[i].val == x.val {
				if before(x.time, x.id, e[i].time, e[i].id) {
					return false
				}
				e = append(e[:i], e[i+1:]...)
				break
			}
		}
	}
	at := len(e)
	for at > 0 && before(x.time, x.id, e[at-1].time, e[at-1].id) {
		at--
	}
	e = append(e, seen{})
	copy(e[at+1:], e[at:])
	e[at] = x
	*r = e
	for j := max(at, spec.need-1); j < len(e) && j < at+spec.need; j++ {
		if j >= 0 && e[j].time-e[j-spec.need+1].time <= spec.window {
			return true
		}
	}
	return false
}

// over returns how many events a ring has too many after a mark: one in order leaves behind what its window has left, which
// cannot count again.
func (r ring) over(spec *ringSpec, m *mark) int {
	n, last := max(0, len(r)-spec.keep), len(r)-1
	if last < 0 || r[last].id != m.id || r[last].time != m.time {
		return n
	}
	for n < last && m.time-r[n].time > spec.window {
		n++
	}
	return n
}

// with returns the event that stands for a distinct value.
func (r ring) with(spec *ringSpec, val string) (seen, bool) {
	if spec.agg.Func == rule.Distinct {
		for i := range r {
			if r[i].val == val {
				return r[i], true
			}
		}
	}
	return seen{}, false
}

// within returns the part of the ring in the window that ends at t.
func (r ring) within(t, window int64) ring {
	to := len(r)
	for to > 0 && r[to-1].time > t {
		to--
	}
	from := to
	for from > 0 && t-r[from-1].time <= window {
		from--
	}
	return r[from:to]
}
