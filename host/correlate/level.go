package correlate

import (
	"encoding/binary"
	"strings"
)

// levels are machines by progress; each list from the longest untouched to the newest.
type levels [4]list

// list is a queue of machines, which may be in one list of each kind.
type list struct {
	kind       linkKind
	head, tail *machine
}

type linkKind uint8

const (
	inTable linkKind = iota // of all machines of a table
	inGroup                 // of those of a group
	linkKinds
)

type link struct{ prev, next *machine }

func (l *list) push(mc *machine) {
	mc.links[l.kind] = link{prev: l.tail}
	if l.tail != nil {
		l.tail.links[l.kind].next = mc
	} else {
		l.head = mc
	}
	l.tail = mc
}

func (l *list) remove(mc *machine) {
	at := mc.links[l.kind]
	if at.prev != nil {
		at.prev.links[l.kind].next = at.next
	} else {
		l.head = at.next
	}
	if at.next != nil {
		at.next.links[l.kind].prev = at.prev
	} else {
		l.tail = at.prev
	}
	mc.links[l.kind] = link{}
}

// first returns the machine that is evicted first: of the least advanced, the longest untouched.
func (l *levels) first() *machine {
	for i := range l {
		if l[i].head != nil {
			return l[i].head
		}
	}
	return nil
}

// group is the machines whose keys begin with one value, of a rule with several key fields: what an address does to many
// users, for one, is a group. When a table fills up, a group may not have more than its share of it.
type group struct {
	value  string
	n      int
	levels levels
}

// enter puts a machine into its lists.
func (tb *table) enter(mc *machine) {
	tb.levels[mc.level].push(mc)
	if len(tb.prog.key) < 2 {
		return
	}
	n, w := binary.Uvarint([]byte(mc.key[:min(len(mc.key), binary.MaxVarintLen64)]))
	value := mc.key[w : w+int(n)]
	g, ok := tb.groups[value]
	if !ok {
		g = &group{value: strings.Clone(value)}
		for i := range g.levels {
			g.levels[i].kind = inGroup
		}
		if tb.groups == nil {
			tb.groups = map[string]*group{}
		}
		tb.groups[g.value] = g
	}
	g.n++
	g.levels[mc.level].push(mc)
	mc.group = g
}

// leave takes a machine out of its lists.
func (tb *table) leave(mc *machine) {
	tb.levels[mc.level].remove(mc)
	g := mc.group
	if g == nil {
		return
	}
	g.levels[mc.level].remove(mc)
	if g.n--; g.n == 0 {
		delete(tb.groups, g.value)
	}
	mc.group = nil
}

// move puts a machine that was touched at the end of the list of a level.
func (tb *table) move(mc *machine, level uint8) {
	tb.levels[mc.level].remove(mc)
	tb.levels[level].push(mc)
	if g := mc.group; g != nil {
		g.levels[mc.level].remove(mc)
		g.levels[level].push(mc)
	}
	mc.level = level
}
