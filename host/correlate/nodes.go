package correlate

import (
	"slices"
)

// deadline returns the time at which it is decided that nothing came near an occurrence.
func (n *node) deadline(o *occurrence) int64 {
	if n.before {
		return o.end.time
	}
	return o.end.time + n.within
}

// visitNode makes the occurrences of a node that end at a place.
func (p *program) visitNode(g *growth, i int, at place, late bool) {
	t := p.tree
	n := &t.nodes[i]
	out := t.out[i][:0]
	switch n.kind {
	case leafNode:
		for _, o := range t.held[n.leaf] {
			out = t.add(out, o)
		}
	case orNode:
		for _, x := range n.of {
			for _, o := range t.out[x] {
				out = t.add(out, o)
			}
		}
	case spanNode:
		for _, o := range t.out[n.of[0]] {
			if o.end.time-o.begin.time <= n.within {
				out = append(out, o)
			}
		}
	case andNode:
		out = p.together(g, i, at, out)
	case seqNode:
		out = p.followed(g, i, at, out)
	case absenceNode:
		out = p.absent(g, i, at, late, out)
	case withoutNode:
		out = p.without(g, i, at, late, out)
	}
	t.out[i] = out
}

// add adds an occurrence that ends where those of the list do: of those with the same values for joins one is kept.
func (t *tree) add(list []*occurrence, o *occurrence) []*occurrence {
	for i, x := range list {
		if !sameRelated(x, o) {
			continue
		}
		if o.compare(x) > 0 {
			list[i] = o
		}
		return list
	}
	return append(list, o)
}

// operands returns the remembered occurrences of a node's operands.
func (g *growth) operands(i, n int) [][]*occurrence {
	if g.nodes[i] == nil {
		g.nodes[i] = make([][]*occurrence, n)
	}
	return g.nodes[i]
}

// followed joins what ends here with what ended before it began.
func (p *program) followed(g *growth, i int, at place, out []*occurrence) []*occurrence {
	t := p.tree
	n := &t.nodes[i]
	as, bs := t.out[n.of[0]], t.out[n.of[1]]
	if len(as) == 0 && (len(bs) == 0 || g.nodes[i] == nil) {
		return out
	}
	kept := &g.operands(i, 1)[0]
	*kept = since(*kept, func(o *occurrence) bool { return at.time-o.end.time <= n.within })
	for _, b := range bs {
		var last *occurrence // without joins
		for _, a := range *kept {
			if !a.end.before(b.begin) {
				continue
			}
			if len(t.joins) > 0 {
				if o := t.merge(i, at, a, b); o != nil {
					o.begin = a.begin
					out = t.add(out, o)
				}
			} else if last == nil || a.compare(last) > 0 {
				last = a
			}
		}
		if last != nil {
			o := t.merge(i, at, last, b)
			o.begin = last.begin
			out = t.add(out, o)
		}
	}
	for _, a := range as {
		p.remember(kept, a, t.nodes[n.of[1]].point)
	}
	return out
}

// remember adds an occurrence of the left side of a sequence. When the right side begins where it ends, an earlier one
// that begins no later is of no use any more.
func (p *program) remember(kept *[]*occurrence, o *occurrence, point bool) {
	list := *kept
	if point {
		for _, x := range list {
			if o.end.before(x.end) && !x.begin.before(o.begin) && sameRelated(x, o) {
				return // came late
			}
		}
		list = slices.DeleteFunc(list, func(x *occurrence) bool { return !o.begin.before(x.begin) && !o.end.before(x.end) && sameRelated(x, o) })
	}
	at := len(list)
	for at > 0 && o.end.before(list[at-1].end) {
		at--
	}
	list = slices.Insert(list, at, o)
	if len(list) > maxOccurrences {
		list = slices.Delete(list, 0, 1)
		p.lost++
	}
	*kept = list
}

// since drops occurrences that are over.
func since(list []*occurrence, keep func(*occurrence) bool) []*occurrence {
	return slices.DeleteFunc(list, func(o *occurrence) bool { return !keep(o) })
}

// together joins what ends here with the newest of the other operands. Of each operand the occurrence that begins last
// serves best, whenever it ended.
func (p *program) together(g *growth, i int, at place, out []*occurrence) []*occurrence {
	t := p.tree
	n := &t.nodes[i]
	some := false
	for _, x := range n.of {
		some = some || len(t.out[x]) > 0
	}
	if !some {
		return out
	}
	kept := g.operands(i, len(n.of))
	for j, x := range n.of {
		kept[j] = since(kept[j], func(o *occurrence) bool { return at.time-o.begin.time <= n.within })
		for _, o := range t.out[x] {
			p.rememberLatest(&kept[j], o)
		}
	}
	for j, x := range n.of {
		if len(t.out[x]) == 0 {
			continue
		}
		tried := 0
		t.combine(i, at, kept, j, t.out[x], 0, nil, &tried, func(o *occurrence) { out = t.add(out, o) })
		if tried > maxCombinations {
			p.lost++
		}
	}
	return out
}

// rememberLatest keeps, of occurrences with the same values for joins, the one that begins last.
func (p *program) rememberLatest(kept *[]*occurrence, o *occurrence) {
	list := *kept
	for i, x := range list {
		if sameRelated(x, o) {
			if o.compare(x) > 0 {
				list[i] = o
			}
			return
		}
	}
	list = append(list, o)
	if len(list) > maxOccurrences {
		list = slices.Delete(list, 0, 1)
		p.lost++
	}
	*kept = list
}

// combine chooses one occurrence of each operand, of operand now one of those that end here, and makes one of them.
func (t *tree) combine(i int, at place, kept [][]*occurrence, now int, ending []*occurrence, from int, chosen []*occurrence, tried *int, made func(*occurrence)) {
	n := &t.nodes[i]
	if from == len(kept) {
		if *tried++; *tried > maxCombinations {
			return
		}
		if o := t.merge(i, at, chosen...); o != nil && o.end.time-o.begin.time <= n.within {
			made(o)
		}
		return
	}
	choices := kept[from]
	if from == now {
		choices = ending
	}
	for _, o := range choices {
		if *tried > maxCombinations {
			return
		}
		t.combine(i, at, kept, now, ending, from+1, append(chosen[:from:from], o), tried, made)
	}
}

// absent arms, cancels and decides a !-> b.
func (p *program) absent(g *growth, i int, at place, late bool, out []*occurrence) []*occurrence {
	t := p.tree
	n := &t.nodes[i]
	as, bs := t.out[n.of[0]], t.out[n.of[1]]
	if len(as) == 0 && g.nodes[i] == nil {
		return out
	}
	armed := &g.operands(i, 1)[0]
	*armed = since(*armed, func(a *occurrence) bool {
		for _, b := range bs {
			if a.end.before(b.end) && b.end.time <= n.deadline(a) && t.agree(a, b) {
				return false
			}
		}
		return true
	})
	if a := best(as); a != nil && !late && (len(*armed) == 0 || n.latest) {
		*armed = append((*armed)[:0], a)
	}
	return t.verdicts(i, at, armed, out)
}

// without notes, cancels and decides a and not b.
func (p *program) without(g *growth, i int, at place, late bool, out []*occurrence) []*occurrence {
	t := p.tree
	n := &t.nodes[i]
	as, bs := t.out[n.of[0]], t.out[n.of[1]]
	if len(as) == 0 && len(bs) == 0 && g.nodes[i] == nil {
		return out
	}
	kept := g.operands(i, 2)
	for _, b := range bs {
		kept[1] = slices.DeleteFunc(kept[1], func(x *occurrence) bool { return sameRelated(x, b) && x.end.before(b.end) })
		p.remember(&kept[1], b, true)
	}
	if !late {
		for _, a := range as {
			if len(kept[0]) < maxOccurrences {
				kept[0] = append(kept[0], a)
			} else { // the older ones are decided first
				p.lost++
			}
		}
	}
	near := func(a, b *occurrence) bool {
		return b.end.time >= a.end.time-n.within && b.end.time <= n.deadline(a) && t.agree(a, b)
	}
	kept[1] = since(kept[1], func(b *occurrence) bool { return at.time-b.end.time <= n.within })
	kept[0] = since(kept[0], func(a *occurrence) bool {
		return !slices.ContainsFunc(kept[1], func(b *occurrence) bool { return near(a, b) })
	})
	return t.verdicts(i, at, &kept[0], out)
}

// verdicts makes occurrences of what is decided at a place, and forgets it.
func (t *tree) verdicts(i int, at place, armed *[]*occurrence, out []*occurrence) []*occurrence {
	if at.id != decided {
		return out
	}
	n := &t.nodes[i]
	*armed = since(*armed, func(a *occurrence) bool {
		if n.deadline(a) > at.time {
			return true
		}
		out = t.add(out, &occurrence{begin: a.begin, end: at, node: i, of: []*occurrence{a}, joined: a.joined})
		return false
	})
	return out
}

// merge makes one occurrence of several, nil when a join does not hold between them.
func (t *tree) merge(i int, at place, of ...*occurrence) *occurrence {
	o := &occurrence{begin: of[0].begin, end: of[0].end, node: i, of: slices.Clone(of), joined: of[0].joined}
	for _, x := range of[1:] {
		if x.begin.before(o.begin) {
			o.begin = x.begin
		}
		if o.end.before(x.end) { // what ends here came late
			o.end = x.end
		}
		if len(t.joins) == 0 {
			continue
		}
		if !t.agree(o, x) {
			return nil
		}
		o.joined = unite(o.joined, x.joined)
	}
	return o
}
