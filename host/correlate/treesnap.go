package correlate

import (
	"math"
	"slices"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

func (e *encoder) float(v float64) { e.uint(math.Float64bits(v)) }

func (e *encoder) flag(b bool) {
	if b {
		e.uint(1)
	} else {
		e.uint(0)
	}
}

func (e *encoder) place(p place) {
	e.int(p.time)
	e.id(p.id)
}

func (e *encoder) places(list []place) {
	e.uint(uint64(len(list)))
	for _, p := range list {
		e.place(p)
	}
}

func (e *encoder) growth(g *growth) {
	e.int(g.now)
	e.uint(uint64(len(g.leaves)))
	for i := range g.leaves {
		l := &g.leaves[i]
		e.uint(l.clock)
		e.uint(uint64(l.level))
		e.flag(l.only != nil)
		if l.only != nil {
			e.plot(l.only)
		}
		e.uint(uint64(len(l.plots)))
		for _, rest := range sortedKeys(l.plots) {
			e.plot(l.plots[rest])
		}
	}
	e.uint(uint64(len(g.nodes)))
	for i := range g.nodes {
		e.uint(uint64(len(g.nodes[i])))
		for _, list := range g.nodes[i] {
			e.uint(uint64(len(list)))
			for _, o := range list {
				e.occurrence(o)
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (e *encoder) plot(pl *plot) {
	e.text(pl.rest)
	e.uint(pl.used)
	e.uint(uint64(len(pl.rings)))
	for _, r := range pl.rings {
		e.uint(uint64(len(r)))
		for i := range r {
			e.int(r[i].time)
			e.id(r[i].id)
			e.text(r[i].val)
			e.float(r[i].num)
		}
	}
	e.window(&pl.win)
	ln := pl.learnt
	e.flag(ln != nil)
	if ln == nil {
		return
	}
	e.flag(ln.set)
	e.int(ln.first)
	e.int(ln.newest)
	e.int(ln.next)
	e.uint(uint64(len(ln.seen)))
	for _, v := range sortedKeys(ln.seen) {
		e.text(v)
		e.int(ln.seen[v])
	}
	e.window(&ln.win)
	e.text(ln.peers)
	e.slots(ln.slots)
}

func (e *encoder) slots(list []slot) {
	e.uint(uint64(len(list)))
	for i := range list {
		s := &list[i]
		e.uint(uint64(s.number))
		e.uint(uint64(s.n))
		e.float(s.sum)
		e.float(s.m2)
	}
}

func (e *encoder) window(w *window) {
	e.flag(w.open)
	if !w.open {
		return
	}
	e.flag(w.held)
	e.int(w.begin)
	e.int(w.end)
	e.int(w.last)
	e.uint(uint64(w.count))
	e.uint(uint64(len(w.sums)))
	for i := range w.sums {
		e.summary(&w.sums[i])
	}
	e.places(w.recent)
	e.texts(w.vals)
}

func (e *encoder) summary(s *summary) {
	e.uint(uint64(s.n))
	e.float(s.sum)
	e.float(s.min)
	e.float(s.max)
	e.uint(uint64(len(s.values)))
	for _, v := range sortedKeys(s.values) {
		e.text(v)
	}
	e.flag(s.many != nil)
	if s.many != nil {
		e.b = append(e.b, s.many.registers[:]...)
	}
	e.uint(uint64(len(s.sample)))
	for _, v := range s.sample {
		e.float(v)
	}
	e.flag(s.sketch != nil)
	if s.sketch == nil {
		return
	}
	e.uint(uint64(s.sketch.n))
	e.uint(uint64(s.sketch.zero))
	e.uint(uint64(len(s.sketch.buckets)))
	for _, b := range s.sketch.buckets {
		e.int(int64(b.side))
		e.int(int64(b.index))
		e.uint(uint64(b.n))
	}
}

func (e *encoder) occurrence(o *occurrence) {
	e.place(o.begin)
	e.place(o.end)
	e.uint(uint64(o.node))
	e.uint(uint64(len(o.of)))
	if len(o.of) > 0 {
		for _, x := range o.of {
			e.occurrence(x)
		}
		return
	}
	e.id(o.id)
	e.texts(o.vals)
	e.flag(o.seen != nil)
	if o.seen == nil {
		return
	}
	e.uint(uint64(o.seen.count))
	e.flag(o.seen.more)
	e.uint(uint64(len(o.seen.values)))
	for _, v := range o.seen.values {
		e.float(v.value)
		e.float(v.threshold)
		e.flag(v.exact)
	}
	e.places(o.seen.recent)
}

func (d *decoder) float() float64 { return math.Float64frombits(d.uint()) }

func (d *decoder) flag() bool { return d.count("flag", 1) == 1 }

func (d *decoder) place() place { return place{d.time(), d.id()} }

func (d *decoder) places() (list []place) {
	for range d.count("places", storage.MaxEvidence) {
		list = append(list, d.place())
	}
	return list
}

const maxDepth = 256 // of an occurrence; expressions are not nested deeper

func (d *decoder) growth() *growth {
	g := &growth{now: d.time()}
	for range d.count("leaves", rule.MaxSubs) {
		l := foliage{clock: d.uint(), level: uint8(d.count("level", 3)), due: noTime}
		if d.flag() {
			l.only = d.plot()
		}
		for range d.count("groups", maxPlots) {
			pl := d.plot()
			if d.err != nil {
				return g
			}
			if l.plots == nil {
				l.plots = map[string]*plot{}
			}
			l.plots[pl.rest] = pl
		}
		l.recount()
		g.leaves = append(g.leaves, l)
	}
	for range d.count("nodes", 1<<14) {
		var lists [][]*occurrence
		for range d.count("operands", 1<<10) {
			var list []*occurrence
			for range d.count("occurrences", maxOccurrences) {
				o := d.occurrence(0)
				if d.err != nil {
					return g
				}
				list = append(list, o)
			}
			lists = append(lists, list)
		}
		if d.err != nil {
			return g
		}
		g.nodes = append(g.nodes, lists)
	}
	return g
}

func (d *decoder) plot() *plot {
	pl := &plot{rest: d.text(), used: d.uint()}
	for range d.count("windows", 1<<10) {
		r := []entry{}
		for range d.count("events", rule.MaxExactThreshold) {
			r = append(r, entry{time: d.time(), id: d.id(), val: d.text(), num: d.float()})
			if d.err != nil {
				return pl
			}
		}
		pl.rings = append(pl.rings, r)
	}
	pl.win = d.window()
	if !d.flag() {
		return pl
	}
	ln := &learnt{set: d.flag(), first: d.time(), newest: d.time(), next: d.time()}
	for range d.count("values", maxExactValues) {
		v, t := d.text(), d.time()
		if d.err != nil {
			return pl
		}
		if ln.seen == nil {
			ln.seen = map[string]int64{}
		}
		ln.seen[v] = t
	}
	ln.win, ln.peers, ln.slots = d.window(), d.text(), d.slots()
	pl.learnt = ln
	return pl
}

func (d *decoder) slots() (list []slot) {
	for range d.count("slots", 168) {
		s := slot{number: d.count("slot", 167), stats: stats{n: d.count("samples", math.MaxInt64), sum: d.float(), m2: d.float()}}
		if d.err == nil && len(list) > 0 && s.number <= list[len(list)-1].number {
			d.fail("slots out of order")
		}
		list = append(list, s)
	}
	return list
}

func (d *decoder) window() (w window) {
	if !d.flag() {
		return w
	}
	w = window{open: true, held: d.flag(), begin: d.time(), end: d.time(), last: d.time(), count: d.count("events", math.MaxInt64)}
	for range d.count("conditions", 1<<10) {
		w.sums = append(w.sums, d.summary())
		if d.err != nil {
			return w
		}
	}
	w.recent, w.vals = d.places(), d.texts()
	return w
}

func (d *decoder) summary() (s summary) {
	s = summary{n: d.count("events", math.MaxInt64), sum: d.float(), min: d.float(), max: d.float()}
	for range d.count("values", maxExactValues) {
		if s.values == nil {
			s.values = map[string]struct{}{}
		}
		s.values[d.text()] = struct{}{}
		if d.err != nil {
			return s
		}
	}
	if d.flag() {
		s.many = &cardinality{}
		copy(s.many.registers[:], d.fixed(len(s.many.registers)))
		for _, r := range s.many.registers {
			if r > 64-cardinalityBits+1 {
				d.fail("register %d", r)
			}
		}
	}
	for range d.count("values", maxExactValues) {
		s.sample = append(s.sample, d.float())
		if d.err != nil {
			return s
		}
	}
	if !d.flag() {
		return s
	}
	s.sketch = &quantiles{n: d.count("values", math.MaxInt64), zero: d.count("values", math.MaxInt64)}
	for range d.count("buckets", maxBuckets) {
		b := bucket{side: int8(d.time()), index: int32(d.time()), n: d.count("values", math.MaxInt64)}
		if d.err != nil {
			return s
		}
		s.sketch.buckets = append(s.sketch.buckets, b)
	}
	return s
}

func (d *decoder) occurrence(depth int) *occurrence {
	o := &occurrence{begin: d.place(), end: d.place(), node: d.count("node", 1<<14)}
	n := d.count("parts", 1<<10)
	if depth > maxDepth {
		d.fail("an occurrence of more than %d levels", maxDepth)
	}
	for range n {
		if d.err != nil {
			return o
		}
		o.of = append(o.of, d.occurrence(depth+1))
	}
	if n > 0 {
		return o
	}
	o.id, o.vals = d.id(), d.texts()
	if !d.flag() {
		return o
	}
	o.seen = &verdict{count: d.count("events", math.MaxInt64), more: d.flag()}
	for range d.count("conditions", 1<<10) {
		o.seen.values = append(o.seen.values, judged{d.float(), d.float(), d.flag()})
		if d.err != nil {
			return o
		}
	}
	o.seen.recent = d.places()
	return o
}

// fits reports whether what was read can be the run of a tree, and makes what follows from the rest.
func (g *growth) fits(p *program) bool {
	if p.tree == nil || len(g.leaves) != len(p.tree.leaves) || len(g.nodes) != len(p.tree.nodes) {
		return false
	}
	ok := true
	for i := range g.leaves {
		l := &p.tree.leaves[i]
		g.leaves[i].each(func(pl *plot) {
			ok = ok && pl.fits(p, l)
			if !ok {
				return
			}
			if pl.win.open {
				g.leaves[i].due = min(g.leaves[i].due, l.close(&pl.win))
			}
			if pl.learnt != nil && pl.learnt.win.open {
				g.leaves[i].due = min(g.leaves[i].due, l.close(&pl.learnt.win))
			}
		})
	}
	for i := range g.nodes {
		n := &p.tree.nodes[i]
		wide := map[nodeKind]int{andNode: len(n.of), seqNode: 1, absenceNode: 1, withoutNode: 2}[n.kind]
		if len(g.nodes[i]) != 0 && len(g.nodes[i]) != wide {
			return false
		}
		for _, list := range g.nodes[i] {
			for _, o := range list {
				ok = ok && p.fitting(o)
			}
		}
	}
	return ok
}

func (pl *plot) fits(p *program, l *leaf) bool {
	if len(pl.rings) != 0 && (l.kind != slidingLeaf || len(pl.rings) != len(l.agg.All)) {
		return false
	}
	ok := pl.win.fits(l) && (!pl.win.open || len(pl.win.vals) == p.vals)
	if ln := pl.learnt; ln != nil {
		ok = ok && (l.first != nil || l.base != nil) && ln.win.fits(l) && (l.first == nil || ln.seen != nil || !ln.set)
	}
	return ok
}

func (w *window) fits(l *leaf) bool {
	if !w.open {
		return true
	}
	if l.kind != windowLeaf || len(w.sums) != len(l.agg.All) || w.count < 1 {
		return false
	}
	for i := range w.sums {
		s := &w.sums[i]
		if s.n < 1 || l.agg.All[i].Func == rule.Percentile && len(s.sample) == 0 && (s.sketch == nil || s.sketch.n < 1) {
			return false
		}
	}
	return true
}

// fitting is fits for an occurrence, whose values for joins it finds again.
func (p *program) fitting(o *occurrence) bool {
	t := p.tree
	if o.node >= len(t.nodes) {
		return false
	}
	n := &t.nodes[o.node]
	if n.kind == leafNode {
		l := &t.leaves[n.leaf]
		if len(o.of) > 0 || len(o.vals) != p.vals || (o.seen != nil) != (l.agg != nil) || o.seen != nil && len(o.seen.values) != len(l.agg.All) {
			return false
		}
		if len(t.joins) > 0 {
			o.joined = t.related(l.sub, o.vals)
		}
		return true
	}
	wide, known := map[nodeKind]int{andNode: len(n.of), seqNode: 2, absenceNode: 1, withoutNode: 1}[n.kind]
	if !known || len(o.of) != wide {
		return false
	}
	for i, x := range o.of {
		if !p.fitting(x) {
			return false
		}
		if i == 0 {
			o.joined = x.joined
		} else if len(t.joins) > 0 {
			o.joined = unite(o.joined, x.joined)
		}
	}
	return true
}
