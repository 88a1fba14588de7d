package correlate

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

// Learnt is what a rule has learnt of one group of events.
type Learnt struct {
	Key           []storage.Field // and what else the sub-pattern is grouped by; of peers, the field that they share
	Sub           string
	Since, Newest int64        // event times of what is remembered, ns; of peers 0
	Values        []string     // of first seen: the newest first, at most LearntValues
	ValueCount    int          // of them there are
	Slots         []LearntSlot // of a baseline
}

// LearntSlot is the samples of a baseline that go together.
type LearntSlot struct {
	Slots     rule.Slots
	Number    int // hour of the day, or of the week since Sunday 00:00 UTC
	Samples   int
	Mean, Std float64
}

// Learnt returns what a rule has learnt for a tenant: of the keys with a value that contains text, the first by key, at
// most MaxLearnt, and how many there are.
func (s *State) Learnt(id storage.Tenant, ruleID, text string) (list []Learnt, total int) {
	t := s.tenants[id]
	if t == nil || t.tables[ruleID] == nil {
		return nil, 0
	}
	tb := t.tables[ruleID]
	p := tb.prog
	if p.tree == nil || !p.tree.learns {
		return nil, 0
	}
	for _, key := range sortedKeys(tb.machines) {
		g, ok := tb.machines[key].settled.(*growth)
		if !ok {
			continue
		}
		for i := range g.leaves {
			l := &p.tree.leaves[i]
			g.leaves[i].each(func(pl *plot) {
				if pl.learnt != nil && pl.learnt.set {
					list = append(list, p.learnt(l, key, pl))
				}
			})
		}
	}
	for i := range p.tree.leaves {
		if l := &p.tree.leaves[i]; l.base != nil && l.base.Peers != "" {
			for _, name := range sortedKeys(p.pool) {
				if peers, ok := strings.CutPrefix(name, l.together("")); ok {
					list = append(list, Learnt{
						Key: []storage.Field{{Name: l.base.Peers, Value: peers}}, Sub: p.rule.Subs[l.sub].Name, Slots: l.slots(*p.pool[name]),
					})
				}
			}
		}
	}
	list = slices.DeleteFunc(list, func(x Learnt) bool {
		return !slices.ContainsFunc(x.Key, func(f storage.Field) bool { return strings.Contains(f.Value, text) }) && text != ""
	})
	return list[:min(len(list), MaxLearnt)], len(list)
}

func (p *program) learnt(l *leaf, key string, pl *plot) Learnt {
	ln := pl.learnt
	out := Learnt{Sub: p.rule.Subs[l.sub].Name, Since: ln.first, Newest: ln.newest, ValueCount: len(ln.seen), Slots: l.slots(ln.slots)}
	parts := splitKey(key)
	for i, name := range p.keys[l.sub] {
		out.Key = append(out.Key, storage.Field{Name: name, Value: parts[i]})
	}
	for i, v := range uncombined(len(l.streams[0].rest), pl.rest) {
		out.Key = append(out.Key, storage.Field{Name: p.tree.fields[l.streams[0].rest[i]].field, Value: v})
	}
	values := ln.values()
	slices.SortStableFunc(values, func(a, b string) int { return cmp.Compare(ln.seen[b], ln.seen[a]) })
	for _, v := range values[:min(len(values), LearntValues)] {
		out.Values = append(out.Values, strings.Join(uncombined(len(l.streams[0].fields), v), ", "))
	}
	return out
}

// uncombined undoes combined.
func uncombined(n int, s string) (out []string) {
	if n <= 1 {
		return []string{s}[:n]
	}
	for range n {
		size, rest, _ := strings.Cut(s, ":")
		k, err := strconv.Atoi(size)
		if err != nil || k < 0 || k > len(rest) {
			return append(out, make([]string, n-len(out))...)
		}
		out, s = append(out, rest[:k]), rest[k:]
	}
	return out
}

func (l *leaf) slots(list []slot) (out []LearntSlot) {
	for i := range list {
		s := &list[i]
		out = append(out, LearntSlot{Slots: l.base.Slots, Number: s.number, Samples: s.n, Mean: s.mean(), Std: s.std()})
	}
	return out
}

// Relearn has a rule forget what it has learnt for a tenant, at a control record's place in the log: of the key with these
// values, or of all. Keys that learn with their peers have only their own part to forget, unless it is all.
func (s *State) Relearn(id storage.Tenant, ruleID string, key []string) {
	t := s.tenants[id]
	if t == nil || t.tables[ruleID] == nil {
		return
	}
	tb := t.tables[ruleID]
	if tb.prog.tree == nil || !tb.prog.tree.learns {
		return
	}
	if len(key) == 0 {
		tb.prog.pool = nil
	}
	for _, k := range sortedKeys(tb.machines) {
		mc := tb.machines[k]
		g, ok := mc.settled.(*growth)
		if !ok || len(key) > 0 && !slices.Equal(key, splitKey(k)[:min(len(tb.prog.key), len(splitKey(k)))]) {
			continue
		}
		for i := range g.leaves {
			g.leaves[i].each(func(pl *plot) { pl.learnt = nil })
			g.leaves[i].recount()
		}
		s.account(tb, mc)
	}
}
