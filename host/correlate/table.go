package correlate

import (
	"bytes"
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
)

// table holds the machines of one tenant and rule.
type table struct {
	owner     *tenant
	prog      *program
	machines  map[string]*machine
	watermark int64
	level     int   // how far from the log: rules on rules come after those that they look at
	lateness  int64 // at least the rule's
	heap      dueHeap
	levels    levels
	groups    map[string]*group // by value; nil when keys have one field
	bytes     int
	lost      losses
	reported  int64 // log time of the last report of evictions
}

// joined gathers the hits of one event for one rule and key into one mark.
type joined struct {
	tb  *table
	key []byte
	m   mark
	hit *Hit
}

// table returns the table of a rule; a rule that is not the one the table runs takes it over.
func (s *State) table(t *tenant, r *rule.Rule, clears bool) *table {
	id := r.ID
	if clears {
		id += clearSuffix
	}
	if tb, ok := t.tables[id]; ok {
		if tb.prog.source != r {
			tb, _ = s.adopt(tb, r)
		}
		return tb
	}
	return s.newTable(t, s.program(r, clears))
}

// program returns a rule, or its clear pattern, as it runs. Tenants share it, unless their keys learn together in it.
func (s *State) program(r *rule.Rule, clears bool) *program {
	p, ok := s.programs[programOf{r, clears}]
	if ok {
		return p
	}
	if p = compile(r); clears {
		p = compileClear(r)
	}
	if p.tree == nil || !p.tree.peers {
		s.programs[programOf{r, clears}] = p
	}
	return p
}

// programOf names a program.
type programOf struct {
	rule   *rule.Rule
	clears bool
}

// ofClear reports whether a hit is of the clear pattern of its rule.
func (h *Hit) ofClear() bool {
	c := h.Rule.Root.Clear
	return c != nil && c.Of != nil && h.Sub == len(h.Rule.Subs)-1
}

func (s *State) newTable(t *tenant, p *program) *table {
	tb := &table{owner: t, prog: p, machines: map[string]*machine{}, reported: never}
	t.tables[p.rule.ID] = tb
	if tb.level, tb.lateness = t.rankOf(tb, 0); s.nested { // as if it had been there when its first event fired
		tb.watermark = max(t.was.frontier-tb.lateness, t.was.logTime-int64(MaxLag))
	} else {
		tb.watermark = t.clock.watermark(tb.lateness, s.logTime)
	}
	at := sort.Search(len(t.order), func(i int) bool { return t.order[i].prog.rule.ID > p.rule.ID })
	t.order = append(t.order, nil)
	copy(t.order[at+1:], t.order[at:])
	t.order[at] = tb
	return tb
}

func (s *State) remove(tb *table) {
	t := tb.owner
	delete(t.tables, tb.prog.rule.ID)
	delete(s.programs, programOf{tb.prog.source, tb.prog.clears}) // it may run for nobody any more
	at := sort.Search(len(t.order), func(i int) bool { return t.order[i].prog.rule.ID >= tb.prog.rule.ID })
	t.order = append(t.order[:at], t.order[at+1:]...)
	t.bytes -= tb.bytes
	s.bytes -= tb.bytes
}

// adopt gives a table to another version of its rule and says what becomes of its keys.
func (s *State) adopt(tb *table, r *rule.Rule) (*table, Carried) {
	old, before := tb.prog, len(tb.machines)
	p := s.program(r, old.clears)
	if p.shape != old.shape {
		if before > 0 {
			s.report(tb, Dropped, before, tb.armed())
		}
		s.remove(tb)
		return s.newTable(tb.owner, p), Carried{Rule: r.ID, Dropped: before}
	}
	if p.tree != nil && p.tree.peers {
		p.pool = old.pool
	}
	delete(s.programs, programOf{old.source, old.clears})
	tb.prog = p
	out := Carried{Rule: r.ID}
	changed := uint64(0)
	for i := range p.subs {
		if p.subs[i] != old.subs[i] {
			changed |= 1 << i
			out.Restarted = append(out.Restarted, r.Subs[i].Name)
		}
	}
	if changed != 0 || p.horizon != old.horizon || !slices.Equal(p.stages, old.stages) {
		s.restart(tb, changed, p.horizon-old.horizon)
	}
	out.Kept, out.Dropped = len(tb.machines), before-len(tb.machines)
	s.tell(tb, changed, out)
	return tb, out
}

// tell reports what a restart has left, if it was one.
func (s *State) tell(tb *table, changed uint64, c Carried) {
	if changed != 0 && c.Kept > 0 {
		s.report(tb, Kept, c.Kept, 0)
	}
	if c.Dropped > 0 {
		s.report(tb, Dropped, c.Dropped, 0)
	}
}

// restart forgets what the machines know of changed sub-patterns, and keeps the others in mind for longer by a time.
func (s *State) restart(tb *table, changed uint64, longer int64) {
	var all []*machine // first, since their lists change on the way
	for i := range tb.levels {
		for mc := tb.levels[i].head; mc != nil; mc = mc.links[inTable].next {
			all = append(all, mc)
		}
	}
	for _, mc := range all {
		if mc.until != never {
			mc.until += longer
		}
		mc.restart(tb.prog, changed)
		s.account(tb, mc)
	}
}

func (mc *machine) restart(p *program, changed uint64) {
	mc.settled.restart(p, changed)
	kept := mc.pending[:0]
	for _, m := range mc.pending {
		if m.subs &^= changed; m.subs != 0 {
			kept = append(kept, m)
		}
	}
	clear(mc.pending[len(kept):])
	mc.pending = kept
	mc.ahead, mc.fires = nil, 0
	mc.resume(p)
	mc.lead = mc.fires
}

// resume makes ahead from what is settled and pending, emitting nothing.
func (mc *machine) resume(p *program) {
	if !p.eager || len(mc.pending) == 0 {
		return
	}
	mc.ahead, mc.fires = mc.settled.clone(), 0
	for i := range mc.pending {
		if mc.ahead.step(p, &mc.pending[i], false) {
			mc.fires++
			mc.ahead.reset()
		}
	}
}

// hit routes a hit to its machine; hits of one event for one key are gathered first.
func (s *State) hit(h *Hit) {
	s.stats.Hits++
	t := s.tenant(h.Event.Tenant)
	s.touch(t)
	tb := s.table(t, h.Rule, h.ofClear())
	p := tb.prog
	key, ok := appendKey(s.key[:0], p.keys[h.Sub], h)
	s.key = key
	if !ok {
		s.stats.NullKey++
		return
	}
	if p.stateless {
		s.flush()
		s.fireMatch(tb, h)
		return
	}
	val, ring := "", p.ringOf[h.Sub]
	if ring >= 0 && p.valueOf[ring] >= 0 {
		if val, ok = rule.Value(h.Event, p.rings[ring].agg.Fields[0]); !ok {
			s.stats.NullKey++
			return
		}
	}
	j := &s.join
	if j.tb != tb || j.hit.Event != h.Event || !bytes.Equal(j.key, key) {
		s.flush()
		*j = joined{tb: tb, key: append(j.key[:0], key...), m: mark{time: h.Event.Time, id: h.Event.ID}}
		if p.vals > 0 {
			j.m.vals = make([]string, p.vals)
		}
	}
	if p.tree != nil && !p.takes(h.Sub, h.Event, j.m.vals) {
		s.stats.NullKey++
		if j.m.subs == 0 {
			j.tb = nil
		}
		return
	}
	j.hit = h
	j.m.subs |= 1 << h.Sub
	if val != "" {
		j.m.vals[p.valueOf[ring]] = distinctValue(val)
	}
	if p.absence && len(p.captures) > 0 && h.Sub == p.stages[len(p.stages)-2].sub {
		for i, f := range p.captures {
			v, _ := rule.Value(h.Event, f)
			j.m.vals[p.vals-len(p.captures)+i] = strings.Clone(cut(v, MaxCaptureBytes))
		}
	}
}

// flush gives the gathered mark to its machine.
func (s *State) flush() {
	j := &s.join
	tb := j.tb
	if tb == nil {
		return
	}
	mc, ok := tb.machines[string(j.key)]
	if !ok {
		mc = &machine{key: string(j.key), settled: tb.prog.newRun(), first: j.m.time, until: never, heapAt: -1}
		tb.machines[mc.key] = mc
		tb.enter(mc)
	}
	mc.note(tb.prog, j.hit.Event)
	mc.trace(j.hit)
	s.observe(tb, mc, &j.m, j.hit)
	tb.prog.share()
	j.tb, j.hit = nil, nil
	s.account(tb, mc)
	if g := mc.group; g != nil {
		s.share(tb, g)
	}
	s.bound(tb)
}

// appendKey appends the group values of a hit: each by field, then what a code rule adds. It reports false when a field
// is missing or the key too long.
func appendKey(b []byte, fields []string, h *Hit) ([]byte, bool) {
	null := h.Rule.Subs[h.Sub].Match.NullKey
	for _, f := range fields {
		v, ok := rule.Value(h.Event, f)
		if !ok && !null {
			return b, false
		}
		b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
	}
	for _, f := range h.ExtraKey {
		b = append(binary.AppendUvarint(b, uint64(len(f.Name))), f.Name...)
		b = append(binary.AppendUvarint(b, uint64(len(f.Value))), f.Value...)
	}
	return b, len(b) <= MaxKeyBytes
}

// splitKey undoes appendKey.
func splitKey(key string) (parts []string) {
	for len(key) > 0 {
		n, w := binary.Uvarint([]byte(key[:min(len(key), binary.MaxVarintLen64)]))
		if w <= 0 || n > uint64(len(key)-w) {
			return parts
		}
		parts = append(parts, key[w:w+int(n)])
		key = key[w+int(n):]
	}
	return parts
}

func distinctValue(v string) string {
	if len(v) <= maxDistinctBytes {
		return strings.Clone(v)
	}
	h := sha256.Sum256([]byte(v))
	return string(h[:])
}

// account puts a machine that was touched where it belongs: in its level, in the heap, in the byte counts, or nowhere.
func (s *State) account(tb *table, mc *machine) {
	due, alive := tb.prog.nextDue(mc, tb.watermark)
	if !alive {
		s.forget(tb, mc)
		return
	}
	tb.move(mc, tb.prog.progress(mc))
	switch {
	case mc.heapAt < 0:
		mc.due = due
		heap.Push(&tb.heap, mc)
	case due < mc.due: // a later due is left: the earlier one finds it
		mc.due = due
		heap.Fix(&tb.heap, mc.heapAt)
	}
	s.resize(tb, mc, mc.footprint())
}

func (s *State) resize(tb *table, mc *machine, size int) {
	d := size - mc.size
	mc.size = size
	tb.bytes += d
	tb.owner.bytes += d
	s.bytes += d
}

func (s *State) forget(tb *table, mc *machine) {
	tb.leave(mc)
	if mc.heapAt >= 0 {
		heap.Remove(&tb.heap, mc.heapAt)
	}
	delete(tb.machines, mc.key)
	s.resize(tb, mc, 0)
}

// due attends to the machines that the watermark has reached.
func (s *State) due(tb *table) {
	now := int64(never)
	for len(tb.heap) > 0 && tb.heap[0].due <= tb.watermark {
		mc := tb.heap[0]
		to := tb.watermark
		if tb.prog.tree != nil && tb.prog.tree.peers { // what a key learns, others look at: one time after another
			if to = mc.due; to > now {
				tb.prog.share()
				now = to
			}
		}
		s.settle(tb, mc, to)
		due, alive := tb.prog.nextDue(mc, tb.watermark)
		if !alive {
			s.forget(tb, mc)
			continue
		}
		mc.due = due
		heap.Fix(&tb.heap, 0)
		s.resize(tb, mc, mc.footprint())
	}
	tb.prog.share()
}

func (s *State) report(tb *table, kind ReportKind, keys, undecided int) {
	r := Report{Tenant: tb.owner.id, Rule: tb.prog.source.ID, Kind: kind, Keys: keys, Undecided: undecided, LogTime: s.logTime}
	for _, mc := range tb.machines {
		if r.Oldest == 0 || mc.first < r.Oldest {
			r.Oldest = mc.first
		}
	}
	s.reports = append(s.reports, r)
}

// armed counts the absences that are armed.
func (tb *table) armed() (n int) {
	for _, mc := range tb.machines {
		if mc.settled.undecided(tb.prog) {
			n++
		}
	}
	return n
}

// dueHeap orders machines by the watermark that needs them.
type dueHeap []*machine

func (h dueHeap) Len() int { return len(h) }

// Less orders by key what is due at one time: a heap that was restored has another order.
func (h dueHeap) Less(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].key < h[j].key
}

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapAt, h[j].heapAt = i, j
}

func (h *dueHeap) Push(x any) {
	mc := x.(*machine)
	mc.heapAt = len(*h)
	*h = append(*h, mc)
}

func (h *dueHeap) Pop() any {
	old := *h
	mc := old[len(old)-1]
	old[len(old)-1] = nil
	mc.heapAt = -1
	*h = old[:len(old)-1]
	return mc
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// restore adds a machine at its due time.
func (h *dueHeap) restore(mc *machine) { heap.Push(h, mc) }
