package correlate

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/vedette-siem/vedette/storage"
)

// growth is the run of a tree: for each leaf what it remembers of events, for each node the occurrences of its operands
// that can still be part of one. At each place, that of an event or one that time decides, all nodes are visited once,
// operands first, and make the occurrences that end there.
//
// Of several occurrences of one operand that end at one place and carry the same values for joins, only the one that
// begins last is made: it can be part of whatever the others can, and it is the one that would be told.
type growth struct {
	leaves []foliage         // by leaf
	nodes  [][][]*occurrence // by node and operand
	now    int64             // time of the newest place
	full   *occurrence       // completed at the last place
}

// foliage is what a leaf remembers.
type foliage struct {
	plots map[string]*plot
	only  *plot // of a leaf that is not divided
	clock uint64
	bytes int   // of plots, estimated
	level uint8 // the highest progress of plots since the pattern began
	due   int64 // when the first window is over, or earlier
}

// occurrence of a node. It is never changed.
type occurrence struct {
	begin, end place
	node       int
	of         []*occurrence   // of an operator
	id         storage.EventID // of a leaf: the event that completed it
	vals       []string        // of that event
	seen       *verdict        // of a leaf that looks at windows
	joined     []related       // values that joins ask for
}

const noTime = int64(math.MaxInt64)

func (p *program) newGrowth() *growth {
	g := &growth{now: never, leaves: make([]foliage, len(p.tree.leaves)), nodes: make([][][]*occurrence, len(p.tree.nodes))}
	for i := range g.leaves {
		g.leaves[i].due = noTime
	}
	return g
}

func (g *growth) step(p *program, m *mark, late bool) bool {
	late = late || m.time < g.now // of a key with so many events that it was settled ahead of the watermark
	g.now = max(g.now, m.time)
	return p.visit(g, place{m.time, m.id}, m, late)
}

func (g *growth) decide(p *program, t int64) bool {
	g.now = max(g.now, t)
	return p.visit(g, place{t, decided}, nil, false)
}

// next returns the first time at which a window is over or an absence is decided.
func (g *growth) next(p *program) (int64, bool) {
	t := noTime
	for i := range g.leaves {
		t = min(t, g.leaves[i].due)
	}
	for i := range g.nodes {
		n := &p.tree.nodes[i]
		if n.kind != absenceNode && n.kind != withoutNode || len(g.nodes[i]) == 0 {
			continue
		}
		for _, o := range g.nodes[i][0] {
			t = min(t, n.deadline(o))
		}
	}
	return t, t != noTime
}

// visit makes the occurrences that end at a place, that of the mark m or, without one, one that time decides, and reports
// whether the expression is complete there.
func (p *program) visit(g *growth, at place, m *mark, late bool) bool {
	t := p.tree
	if t.out == nil {
		t.out = make([][]*occurrence, len(t.nodes))
		t.held = make([][]*occurrence, len(t.leaves))
	}
	for i := range t.leaves {
		t.held[i] = t.held[i][:0]
		if m != nil {
			p.feed(g, i, m, late)
		} else if g.leaves[i].due <= at.time {
			p.closeWindows(g, i, at.time)
		}
	}
	for i := range t.nodes {
		p.visitNode(g, i, at, late)
	}
	g.full = best(t.out[len(t.nodes)-1])
	return g.full != nil
}

// best returns the occurrence that is told: of several, the one that begins last; of equal ones, that with the newest parts.
func best(list []*occurrence) (out *occurrence) {
	for _, o := range list {
		if out == nil || o.compare(out) > 0 {
			out = o
		}
	}
	return out
}

// compare tells which of two occurrences is told: more than 0 for the first.
func (o *occurrence) compare(with *occurrence) int {
	if c := cmp.Or(o.begin.compare(with.begin), o.end.compare(with.end)); c != 0 {
		return c
	}
	if o.node == with.node && len(o.of) > 0 && len(o.of) == len(with.of) {
		for i := len(o.of) - 1; i >= 0; i-- {
			if c := o.of[i].compare(with.of[i]); c != 0 {
				return c
			}
		}
		return 0
	}
	x, y := o.parts(nil), with.parts(nil)
	for i := 1; i <= min(len(x), len(y)); i++ {
		switch p, q := x[len(x)-i], y[len(y)-i]; {
		case p.end != q.end:
			return p.end.compare(q.end)
		case p.id != q.id: // groups of a sub-pattern whose windows are over at one time
			return place{id: p.id}.compare(place{id: q.id})
		case p.node != q.node: // the one that stands last in the expression
			return cmp.Compare(p.node, q.node)
		}
	}
	return cmp.Compare(len(x), len(y))
}

// parts appends the occurrences of leaves, in the order of the expression.
func (o *occurrence) parts(to []*occurrence) []*occurrence {
	if len(o.of) == 0 {
		return append(to, o)
	}
	for _, x := range o.of {
		to = x.parts(to)
	}
	return to
}

// plotOf returns what a leaf remembers of the group of a mark.
func (p *program) plotOf(g *growth, i int, f *stream, m *mark) *plot {
	l := &g.leaves[i]
	if len(f.rest) == 0 {
		if l.only == nil {
			l.only = &plot{}
		}
		return l.only
	}
	rest := combined(f.rest, m.vals)
	pl, ok := l.plots[rest]
	if !ok {
		if l.plots == nil {
			l.plots = map[string]*plot{}
		}
		if len(l.plots) >= maxPlots {
			p.lost += uint64(l.dropOldest())
		}
		pl = &plot{rest: rest}
		l.plots[rest] = pl
	}
	l.clock++
	pl.used = l.clock
	return pl
}

// dropOldest forgets the sixteenth of the plots that was not used for longest, and returns how many that is.
func (l *foliage) dropOldest() int {
	all := slices.SortedFunc(maps.Values(l.plots), func(a, b *plot) int { return cmp.Compare(a.used, b.used) })
	all = all[:max(1, len(all)/16)]
	for _, pl := range all {
		l.bytes -= pl.bytes
		delete(l.plots, pl.rest)
	}
	return len(all)
}

// recount estimates the bytes of all plots again.
func (l *foliage) recount() {
	l.bytes = 0
	for _, pl := range l.plots {
		pl.bytes = pl.footprint()
		l.bytes += pl.bytes
	}
}

// touched takes note that a plot has changed.
func (l *foliage) touched(spec *leaf, pl *plot) {
	if pl == l.only {
		return
	}
	l.bytes -= pl.bytes
	pl.bytes = pl.footprint()
	l.bytes += pl.bytes
	l.level = max(l.level, spec.progress(pl))
}

// each visits the plots in the order of their use.
func (l *foliage) each(f func(*plot)) {
	if l.only != nil {
		f(l.only)
	}
	if len(l.plots) == 0 {
		return
	}
	for _, pl := range slices.SortedFunc(maps.Values(l.plots), func(a, b *plot) int { return cmp.Compare(a.used, b.used) }) {
		f(pl)
	}
}

// feed gives a mark to a leaf.
func (p *program) feed(g *growth, i int, m *mark, late bool) {
	l := &p.tree.leaves[i]
	var f *stream
	for j := range l.streams {
		if m.subs&(1<<l.streams[j].sub) != 0 {
			f = &l.streams[j]
			break
		}
	}
	if f == nil {
		return
	}
	if l.kind == matchLeaf {
		p.occur(i, m, nil)
		return
	}
	pl := p.plotOf(g, i, f, m)
	defer g.leaves[i].touched(l, pl)
	switch l.kind {
	case slidingLeaf:
		if v := l.slide(pl, f, m, late); v != nil {
			p.occur(i, m, v)
		}
	case freshLeaf:
		if l.fresh(pl, f, m) && !late {
			p.occur(i, m, nil)
		}
	case windowLeaf:
		w := &pl.win
		if late && (!w.open || m.time < w.begin || m.time > l.close(w)) {
			return
		}
		if l.base != nil && !late {
			p.study(l, pl, f, m)
		}
		l.enter(w, f, m, false)
		g.leaves[i].due = min(g.leaves[i].due, l.close(w))
		if l.agg.Eager() && !w.held {
			if v := l.judge(w, p.past(l, pl)); v != nil {
				w.held = true
				p.occur(i, m, v)
			}
		}
	}
}

// closeWindows ends the windows that are over at t.
func (p *program) closeWindows(g *growth, i int, t int64) {
	l := &p.tree.leaves[i]
	due := noTime
	g.leaves[i].each(func(pl *plot) {
		if w := &pl.win; w.open {
			if end := l.close(w); end > t {
				due = min(due, end)
			} else {
				if v := l.judge(w, p.past(l, pl)); v != nil && !l.agg.Eager() {
					p.occur(i, &mark{time: t, id: decided, vals: w.vals}, v)
				}
				*w = window{}
			}
		}
		if ln := pl.learnt; ln != nil && ln.win.open {
			if end := l.close(&ln.win); end > t {
				due = min(due, end)
			} else {
				p.sample(l, ln)
			}
		}
	})
	g.leaves[i].due = due
	g.leaves[i].recount()
}

// occur notes that a leaf holds at a mark.
func (p *program) occur(i int, m *mark, v *verdict) {
	at := place{m.time, m.id}
	o := &occurrence{begin: at, end: at, node: p.tree.leaves[i].node, id: m.id, vals: m.vals, seen: v}
	if m.id == decided && len(v.recent) > 0 {
		o.id = v.recent[len(v.recent)-1].id
	}
	if len(p.tree.joins) > 0 {
		o.joined = p.tree.related(p.tree.leaves[i].sub, m.vals)
	}
	p.tree.held[i] = append(p.tree.held[i], o)
}

func (g *growth) reset() {
	for i := range g.nodes {
		g.nodes[i] = nil
	}
	g.full = nil
	for i := range g.leaves {
		l := &g.leaves[i]
		l.due = noTime
		rest := func(pl *plot) bool {
			pl.rings, pl.win = nil, window{}
			if pl.learnt == nil {
				return false
			}
			if pl.learnt.win.open {
				l.due = min(l.due, pl.learnt.win.end)
			}
			return true
		}
		if l.only != nil && !rest(l.only) {
			l.only = nil
		}
		maps.DeleteFunc(l.plots, func(_ string, pl *plot) bool { return !rest(pl) })
		l.level = 0
		l.recount()
	}
}

// restart has nothing to do: what a tree remembers depends on all sub-patterns, so it begins anew when one changes.
func (g *growth) restart(*program, uint64) {}

// clone copies what a pattern that fires ahead of the watermark remembers: no windows, and nothing that is learnt.
func (g *growth) clone() run {
	c := &growth{now: g.now, leaves: make([]foliage, len(g.leaves)), nodes: make([][][]*occurrence, len(g.nodes))}
	for i := range g.leaves {
		l := &g.leaves[i]
		d := &c.leaves[i]
		d.clock, d.due, d.bytes, d.level = l.clock, l.due, l.bytes, l.level
		if l.only != nil {
			d.only = l.only.clone()
		}
		if len(l.plots) > 0 {
			d.plots = make(map[string]*plot, len(l.plots))
			for rest, pl := range l.plots {
				d.plots[rest] = pl.clone()
			}
		}
	}
	for i := range g.nodes {
		if g.nodes[i] == nil {
			continue
		}
		c.nodes[i] = make([][]*occurrence, len(g.nodes[i]))
		for j := range g.nodes[i] {
			c.nodes[i][j] = slices.Clone(g.nodes[i][j])
		}
	}
	return c
}

func (pl *plot) clone() *plot {
	c := &plot{rest: pl.rest, used: pl.used, bytes: pl.bytes, rings: make([][]entry, len(pl.rings))}
	for i := range pl.rings {
		c.rings[i] = slices.Clone(pl.rings[i])
	}
	return c
}

func (g *growth) empty() bool {
	for i := range g.nodes {
		for _, list := range g.nodes[i] {
			if len(list) > 0 {
				return false
			}
		}
	}
	for i := range g.leaves {
		if g.leaves[i].only != nil || len(g.leaves[i].plots) > 0 {
			return false
		}
	}
	return true
}

func (g *growth) undecided(p *program) bool {
	for i := range g.nodes {
		if k := p.tree.nodes[i].kind; (k == absenceNode || k == withoutNode) && len(g.nodes[i]) > 0 && len(g.nodes[i][0]) > 0 {
			return true
		}
	}
	return false
}

func (g *growth) progress(p *program) uint8 {
	level := uint8(0)
	for i := range g.nodes {
		for j, list := range g.nodes[i] {
			if len(list) > 0 && (p.tree.nodes[i].kind != withoutNode || j == 0) {
				return 3
			}
		}
	}
	for i := range g.leaves {
		l := &g.leaves[i]
		if l.only != nil {
			level = max(level, p.tree.leaves[i].progress(l.only))
		}
		level = max(level, l.level)
	}
	return level
}

// progress grades what is remembered of a group, as program.progress does.
func (l *leaf) progress(pl *plot) (level uint8) {
	for j := range pl.rings {
		switch n, need := len(pl.rings[j]), l.agg.All[j].Least(); {
		case 2*n >= need && n > 1:
			level = max(level, 2)
		case n > 1:
			level = max(level, 1)
		}
	}
	if pl.win.count > 1 {
		level = max(level, 1)
	}
	return level
}

func (g *growth) footprint() int {
	n := 128 + 64*len(g.leaves) + 24*len(g.nodes)
	for i := range g.nodes {
		for _, list := range g.nodes[i] {
			n += 24 + 8*len(list)
			for _, o := range list {
				n += o.footprint()
			}
		}
	}
	for i := range g.leaves {
		if l := &g.leaves[i]; l.only != nil {
			n += l.only.footprint()
		}
		n += g.leaves[i].bytes
	}
	return n
}

func (o *occurrence) footprint() int {
	n := 240
	for _, v := range o.vals {
		n += 16 + len(v)
	}
	if o.seen != nil {
		n += 80 + 24*len(o.seen.values) + 32*len(o.seen.recent)
	}
	for _, x := range o.of {
		n += 8 + x.footprint()
	}
	return n
}

func (pl *plot) footprint() int {
	n := 264 + len(pl.rest) + pl.win.footprint()
	for _, r := range pl.rings {
		n += 24 + 56*room(len(r))
		if len(r) > 0 && r[0].val != "" {
			n += maxDistinctBytes * len(r)
		}
	}
	if pl.learnt != nil {
		n += pl.learnt.footprint()
	}
	return n
}

func (w *window) footprint() int {
	if !w.open {
		return 0
	}
	n := 32*len(w.recent) + 120*len(w.sums)
	for i := range w.sums {
		s := &w.sums[i]
		n += 8*room(len(s.sample)) + (40+maxDistinctBytes)*len(s.values)
		if s.many != nil {
			n += len(s.many.registers)
		}
		if s.sketch != nil {
			n += 16 * len(s.sketch.buckets)
		}
	}
	return n
}
