package correlate

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

const maxSnapshotCount = 1 << 26 // tenants, tables, machines, sources

// Restore reads what Snapshot wrote. lookup returns the rule that runs for a tenant under an id, or nil; state of rules
// that do not run any more, or whose layout changed, is dropped and reported. A damaged snapshot is refused whole: the
// error wraps ErrSnapshot and there is no State.
func Restore(r io.Reader, l Limits, lookup func(t storage.Tenant, id string) *rule.Rule) (*State, error) {
	d := &decoder{r: bufio.NewReaderSize(r, 64<<10)}
	s := New(l)
	switch d.fixed(len(snapshotMagic)) {
	case snapshotMagic:
	case thirdMagic:
		d.third = true
	default:
		d.fail("magic or version differs")
	}
	s.seq = d.uint()
	s.logTime = d.time()
	last := storage.NoTenant
	for range d.count("tenants", maxSnapshotCount) {
		id := storage.Tenant(d.count("tenant", 1<<32-1))
		if id <= last {
			d.fail("tenant %d after %d", id, last)
		}
		if d.err != nil {
			break
		}
		last = id
		d.tenant(s, s.tenant(id), lookup)
	}
	want := d.crc
	if got := d.fixed(4); d.err == nil && binary.LittleEndian.Uint32([]byte(got)) != want {
		d.fail("checksum differs")
	}
	if d.err != nil {
		return nil, fmt.Errorf("restoring correlation state: %w", d.err)
	}
	for _, t := range s.order {
		for _, tb := range t.order {
			s.bound(tb)
		}
	}
	for _, t := range s.touched {
		t.touched = false
	}
	s.touched = s.touched[:0]
	return s, nil
}

func (d *decoder) tenant(s *State, t *tenant, lookup func(storage.Tenant, string) *rule.Rule) {
	t.clock.frontier = d.time()
	t.clock.swept = d.time()
	t.moved = d.time()
	for range d.count("sources", maxSnapshotCount) {
		name := d.text()
		sc := &sourceClock{newest: d.time(), seen: d.time()}
		if d.err != nil {
			return
		}
		t.clock.sources[name] = sc
	}
	last := ""
	for range d.count("rules", maxSnapshotCount) {
		id := d.text()
		if id <= last {
			d.fail("rule %q after %q", id, last)
		}
		if d.err != nil {
			return
		}
		last = id
		id, clears := strings.CutSuffix(id, clearSuffix)
		r := lookup(t.id, id)
		if r != nil && clears && clearing(r) == nil {
			r = nil
		}
		d.table(s, t, r, id, clears)
	}
}

func (d *decoder) table(s *State, t *tenant, r *rule.Rule, id string, clears bool) {
	shape := d.uint()
	var subs []uint64
	for range d.count("sub-patterns", rule.MaxSubs) {
		subs = append(subs, d.uint())
	}
	tb := &table{watermark: d.time(), lost: losses{d.count("keys", 1<<40), d.count("keys", 1<<40), d.time()}, reported: d.time()}
	pool := map[string]*[]slot{}
	for range d.count("peers", maxPeers) {
		peers, list := d.text(), d.slots()
		if d.err != nil {
			return
		}
		pool[peers] = &list
	}
	keep := (*table)(nil)
	changed := uint64(0)
	if r != nil && d.err == nil {
		p := s.program(r, clears)
		if p.shape == shape && len(p.subs) == len(subs) {
			keep = s.newTable(t, p)
			if p.tree != nil && p.tree.peers {
				p.pool = pool
				if d.third {
					p.pool = p.apart(pool)
				}
			}
			keep.watermark, keep.lost, keep.reported = tb.watermark, tb.lost, tb.reported
			for i := range subs {
				if subs[i] != p.subs[i] {
					changed |= 1 << i
				}
			}
		}
	}
	n := d.count("keys", maxSnapshotCount)
	level := 0
	for range n {
		l := d.count("level", 3)
		if l < level {
			d.fail("level %d after %d", l, level)
		}
		level = l
		mc := d.machine()
		if d.err != nil {
			return
		}
		if keep != nil {
			mc.level = uint8(level)
			d.enter(s, keep, mc)
		}
	}
	switch {
	case d.err != nil:
	case keep == nil && n > 0:
		s.reports = append(s.reports, Report{Tenant: t.id, Rule: id, Kind: Dropped, Keys: n, LogTime: s.logTime})
	case changed != 0:
		s.restart(keep, changed, 0)
		s.tell(keep, changed, Carried{Kept: len(keep.machines), Dropped: n - len(keep.machines)})
	}
}

func (d *decoder) machine() *machine {
	mc := &machine{key: d.text(), first: d.time(), until: d.time(), due: d.time(), lead: d.count("firings", 1<<30), heapAt: -1}
	if d.count("kind of run", treeRun) == treeRun {
		mc.settled = d.growth()
	} else {
		mc.settled = d.chain()
	}
	for range d.count("marks", MaxPendingPerKey) {
		m := mark{time: d.time(), id: d.id(), subs: d.uint(), vals: d.texts()}
		if n := len(mc.pending); n > 0 && before(m.time, m.id, mc.pending[n-1].time, mc.pending[n-1].id) {
			d.fail("marks out of order")
		}
		if d.err != nil {
			return nil
		}
		mc.pending = append(mc.pending, m)
	}
	for range d.count("entities", storage.MaxEntities) {
		mc.about = append(mc.about, noted{field: d.text(), value: d.text(), time: d.time()})
	}
	for range d.count("traces", maxTraces) {
		b := behind{time: d.time(), id: d.id()}
		for range d.count("events", maxTraced) {
			b.events = append(b.events, storage.Evidence{ID: d.id(), Time: d.time()})
		}
		mc.traces = append(mc.traces, b)
	}
	if d.err != nil {
		return nil
	}
	return mc
}

func (d *decoder) chain() *chain {
	c := &chain{}
	for range d.count("windows", rule.MaxSubs) {
		var r ring
		for range d.count("events", rule.MaxExactThreshold) {
			x := seen{time: d.time(), id: d.id(), val: d.text()}
			if n := len(r); n > 0 && !before(r[n-1].time, r[n-1].id, x.time, x.id) {
				d.fail("window out of order")
			}
			if d.err != nil {
				return c
			}
			r = append(r, x)
		}
		c.rings = append(c.rings, r)
	}
	for i := range d.count("stages", 1<<12) {
		h := d.held(rule.MaxSubs)
		if d.third && h.set && i > 0 { // what led to it was what the stage before held for last
			if led := c.held[i-1]; led.set {
				h.led = &led
			} else {
				h = held{}
			}
		}
		if d.err != nil {
			return c
		}
		c.held = append(c.held, h)
	}
	return c
}

// held reads where a stage held, with so many stages before it at most.
func (d *decoder) held(before int) (h held) {
	if d.count("flag", 1) == 0 || d.err != nil {
		return h
	}
	h = held{set: true, time: d.time(), id: d.id(), vals: d.texts()}
	if d.third {
		return h
	}
	if d.flag() {
		h.saw = &tally{count: d.count("events", rule.MaxExactThreshold)}
		for range d.count("events", storage.MaxEvidence) {
			h.saw.events = append(h.saw.events, place{d.time(), d.id()})
		}
	}
	if d.flag() {
		if before == 0 {
			d.fail("too many stages")
			return h
		}
		led := d.held(before - 1)
		h.led = &led
	}
	return h
}

// enter puts a machine that was read into its table, after checking that it fits the rule's layout.
func (d *decoder) enter(s *State, tb *table, mc *machine) {
	p := tb.prog
	fits := len(splitKey(mc.key)) >= len(p.key) && tb.machines[mc.key] == nil && !p.stateless
	for i := range mc.pending {
		fits = fits && len(mc.pending[i].vals) == p.vals
	}
	switch c := mc.settled.(type) {
	case *chain:
		fits = fits && c.fits(p)
	case *growth:
		fits = fits && c.fits(p)
	}
	if !fits {
		d.fail("rule %s: a key does not fit the rule", p.rule.ID)
		return
	}
	mc.resume(p)
	tb.machines[mc.key] = mc
	tb.enter(mc)
	due, alive := p.nextDue(mc, tb.watermark)
	if !alive {
		s.forget(tb, mc)
		return
	}
	mc.due = min(due, mc.due)
	tb.heap.restore(mc)
	s.resize(tb, mc, mc.footprint())
}

// fits reports whether what was read can be the run of a chain.
func (c *chain) fits(p *program) bool {
	if p.tree != nil || len(c.rings) != len(p.rings) || len(c.held) != len(p.stages)-1 {
		return false
	}
	for i := range c.held {
		if n := len(c.held[i].vals); n != 0 && n != len(p.captures) {
			return false
		}
		h := &c.held[i]
		for j := i; h.set && j > 0; j-- {
			if h = h.led; h == nil || !h.set {
				return false
			}
		}
	}
	return true
}
