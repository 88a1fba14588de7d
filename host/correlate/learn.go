package correlate

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/vedette-siem/vedette/host/rule"
)

// learnt is what a leaf knows of a group of events for longer than a pattern lasts. Firings do not touch it.
type learnt struct {
	set           bool
	first, newest int64            // event times; of the first since it was last forgotten
	seen          map[string]int64 // of first seen: values and when they were seen last
	next          int64            // of a baseline: begin of the first window that is no sample yet
	win           window           // of a baseline: all events of the window, also those that led to firings
	peers         string           // value of the field that groups learn together by
	slots         []slot           // by number
}

// slot is the samples that go together.
type slot struct {
	number int
	stats
}

// stats is what is remembered of samples: m2 is the sum of the squares of their distances from the mean.
type stats struct {
	n       int
	sum, m2 float64
}

func (s *stats) mean() float64 {
	if s.n == 0 {
		return 0
	}
	return s.sum / float64(s.n)
}

func (s *stats) std() float64 {
	if s.n == 0 {
		return 0
	}
	return math.Sqrt(s.m2 / float64(s.n))
}

// add takes a sample (Welford).
func (s *stats) add(v float64) {
	was := s.mean()
	s.n++
	s.sum += v
	s.m2 += (v - was) * (v - s.mean())
}

// addZeros takes count samples of 0 at once (Chan).
func (s *stats) addZeros(count int) {
	m, n := s.mean(), float64(s.n)
	s.m2 += m * m * n * float64(count) / (n + float64(count))
	s.n += count
}

// threshold computes a learnt threshold.
func (s *stats) threshold(e *rule.Stat) float64 {
	if e.Op != 0 {
		a, b := s.threshold(e.A), s.threshold(e.B)
		switch e.Op {
		case '+':
			return a + b
		case '-':
			return a - b
		case '*':
			return a * b
		}
		return a / b
	}
	switch e.Var {
	case "mean":
		return s.mean()
	case "std":
		return s.std()
	case "n":
		return float64(s.n)
	}
	return e.Value
}

// slotted is samples by slot, sorted.
func at(list []slot, number int) (int, bool) {
	return slices.BinarySearchFunc(list, number, func(s slot, n int) int { return s.number - n })
}

func of(list *[]slot, number int) *stats {
	i, ok := at(*list, number)
	if !ok {
		*list = slices.Insert(*list, i, slot{number: number})
	}
	return &(*list)[i].stats
}

const hour = int64(time.Hour)

// slotOf returns the slot of a window by its begin.
func slotOf(kind rule.Slots, begin int64) int {
	switch kind {
	case rule.SlotHour:
		return int(((begin/hour)%24 + 24) % 24)
	case rule.SlotHourOfWeek:
		const thursday = 4 // 1970-01-01; weeks begin on Sunday
		return int(((begin/hour+thursday*24)%168 + 168) % 168)
	}
	return 0
}

// heard is a window that is over of a key that learns with its peers.
type heard struct {
	leaf        *leaf
	peers       string
	next, begin int64 // of the first window that is no sample yet, and of this one
	value       float64
}

// together names what a leaf learns of the keys with one value.
func (l *leaf) together(value string) string { return strconv.Itoa(l.sub) + ":" + value }

// apart gives each sub-pattern its own of what all of a rule had together, as the third version of snapshots has it.
func (p *program) apart(pool map[string]*[]slot) map[string]*[]slot {
	out := map[string]*[]slot{}
	for i := range p.tree.leaves {
		if l := &p.tree.leaves[i]; l.base != nil && l.base.Peers != "" {
			for value, list := range pool {
				own := slices.Clone(*list)
				out[l.together(value)] = &own
			}
		}
	}
	return out
}

// share gives what keys have heard to their peers, once all windows of that time are judged.
func (p *program) share() {
	if p.tree == nil {
		return
	}
	for _, h := range p.tree.heard {
		name := h.leaf.together(h.peers)
		list, ok := p.pool[name]
		if !ok {
			if len(p.pool) >= maxPeers {
				continue
			}
			if p.pool == nil {
				p.pool = map[string]*[]slot{}
			}
			list = &[]slot{}
			p.pool[name] = list
		}
		h.leaf.silence(list, h.next, h.begin)
		of(list, slotOf(h.leaf.base.Slots, h.begin)).add(h.value)
	}
	clear(p.tree.heard)
	p.tree.heard = p.tree.heard[:0]
}

// study takes an event of a baseline, before its window is judged: windows that had none are samples of 0.
func (p *program) study(l *leaf, pl *plot, f *stream, m *mark) {
	ln := pl.learnt
	if ln == nil {
		ln = &learnt{}
		pl.learnt = ln
	}
	if ln.set && m.time-ln.newest > int64(LearntFor) {
		*ln = learnt{}
	}
	begin := floorTo(m.time, int64(l.agg.Window))
	if !ln.win.open {
		if !ln.set {
			ln.next = begin
		}
		if f.peers >= 0 {
			ln.peers = m.vals[f.peers]
		} else {
			l.silence(&ln.slots, ln.next, begin)
		}
	}
	if !ln.set {
		ln.set, ln.first, ln.newest = true, m.time, m.time
	}
	ln.newest = max(ln.newest, m.time)
	l.enter(&ln.win, f, m, true)
}

// silence takes the windows without events from one time to another as samples of 0.
func (l *leaf) silence(list *[]slot, from, to int64) {
	width := int64(l.agg.Window)
	for t := from; t < to; {
		end := min(to, floorTo(t, hour)+hour)
		if l.base.Slots == rule.NoSlots {
			end = to
		}
		count := (end - t + width - 1) / width
		of(list, slotOf(l.base.Slots, t)).addZeros(int(count))
		t += count * width
	}
}

// past returns the samples that the window of a group is compared with; nil when there are none.
func (p *program) past(l *leaf, pl *plot) *stats {
	if l.base == nil || pl.learnt == nil {
		return nil
	}
	list := &pl.learnt.slots
	if l.base.Peers != "" {
		list = p.pool[l.together(pl.learnt.peers)]
	}
	if list == nil {
		return nil
	}
	if i, ok := at(*list, slotOf(l.base.Slots, pl.win.begin)); ok {
		return &(*list)[i].stats
	}
	return nil
}

// sample takes the window that is over as a sample.
func (p *program) sample(l *leaf, ln *learnt) {
	i := slices.IndexFunc(l.agg.All, func(c rule.Condition) bool { return c.Stat != nil })
	v, _ := ln.win.sums[i].value(&l.agg.All[i])
	begin := ln.win.begin
	if l.base.Peers != "" {
		p.tree.heard = append(p.tree.heard, heard{l, ln.peers, ln.next, begin, v})
	} else {
		of(&ln.slots, slotOf(l.base.Slots, begin)).add(v)
	}
	ln.next, ln.win = begin+int64(l.agg.Window), window{}
}

// fresh takes an event of a first-seen leaf, and reports whether its values are new to its group.
func (l *leaf) fresh(pl *plot, f *stream, m *mark) bool {
	ln := pl.learnt
	if ln == nil {
		ln = &learnt{}
		pl.learnt = ln
	}
	within := int64(l.first.Within)
	if ln.set && m.time-ln.newest > within {
		*ln = learnt{}
	}
	if !ln.set {
		*ln = learnt{set: true, first: m.time, newest: m.time, seen: map[string]int64{}}
	}
	val := combined(f.fields, m.vals)
	last, known := ln.seen[val]
	known = known && m.time-last <= within
	if !known && len(ln.seen) >= maxExactValues {
		ln.dropOldest()
	}
	ln.seen[val] = max(last, m.time)
	ln.newest = max(ln.newest, m.time)
	return !known && m.time-ln.first >= int64(l.first.Learn)
}

func (ln *learnt) dropOldest() {
	oldest, when := "", int64(math.MaxInt64)
	for v, t := range ln.seen {
		if t < when || t == when && v < oldest {
			oldest, when = v, t
		}
	}
	delete(ln.seen, oldest)
}

// values returns what was seen, by name.
func (ln *learnt) values() []string {
	out := make([]string, 0, len(ln.seen))
	for v := range ln.seen {
		out = append(out, v)
	}
	sort.Strings(out)
	return out
}

func (ln *learnt) footprint() int {
	return 160 + 40*room(len(ln.slots)) + ln.win.footprint() + (48+maxDistinctBytes)*len(ln.seen)
}
