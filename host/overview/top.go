package overview

import (
	"cmp"
	"hash/maphash"
	"slices"
)

// A window is an hour, which passes in slots of five minutes: what is older than an hour goes slot by slot.
const (
	slots    = 12
	slotTime = int64(MaxMinutes) * minute / slots
)

// top counts the most frequent values of one field over the window: Space-Saving (Metwally, Agrawal, El Abbadi 2005) with
// counts by slot. Up to its limit counts are exact; beyond it a new value takes the place, and the count, of the rarest.
// It copies what it keeps into memory that it uses again.
type top struct {
	seed   maphash.Seed
	most   int
	room   *int             // counters that all of them together may still take
	by     map[uint64]int32 // nil while there is none
	values []counter
	last   int32   // index of the value before: values come in runs
	rare   []int32 // candidates for eviction: those that had the smallest total when they were looked for
	least  uint32  // that total
}

type counter struct {
	hash  uint64
	total uint32
	slot  [slots]uint32
	text  []byte
}

func newTop(seed maphash.Seed, most int, room *int) *top {
	return &top{seed: seed, most: most, room: room}
}

// add counts a value in a slot.
func (t *top) add(slot int, value string) {
	if len(value) > MaxValueBytes {
		value = value[:MaxValueBytes]
	}
	if int(t.last) < len(t.values) && string(t.values[t.last].text) == value {
		t.values[t.last].count(slot)
		return
	}
	h := maphash.String(t.seed, value)
	if i, ok := t.by[h]; ok {
		t.last = i
		t.values[i].count(slot)
		return
	}
	t.insert(h, slot, value)
}

func (c *counter) count(slot int) {
	c.total++
	c.slot[slot]++
}

func (t *top) insert(h uint64, slot int, value string) {
	var i int32
	inherited := uint32(0)
	if len(t.values) < t.most && (*t.room > 0 || len(t.values) < MinValues) {
		*t.room--
		i = int32(len(t.values))
		t.values = append(t.values, counter{})
	} else {
		i = t.rarest()
		inherited = t.values[i].total
		delete(t.by, t.values[i].hash)
	}
	c := &t.values[i]
	// What it may have had before cannot be more than the rarest had; it stays as long as what comes now.
	*c = counter{hash: h, total: inherited + 1, text: append(c.text[:0], value...)}
	c.slot[slot] = inherited + 1
	if t.by == nil {
		t.by = map[uint64]int32{}
	}
	t.by[h] = i
}

// rarest returns a counter with the smallest total. All of them are looked at once for as many evictions as there are
// counters with that total.
func (t *top) rarest() int32 {
	for {
		for len(t.rare) > 0 {
			i := t.rare[len(t.rare)-1]
			t.rare = t.rare[:len(t.rare)-1]
			if t.values[i].total == t.least {
				return i
			}
		}
		t.least = t.values[0].total
		for i := range t.values {
			t.least = min(t.least, t.values[i].total)
		}
		for i := range t.values {
			if t.values[i].total == t.least {
				t.rare = append(t.rare, int32(i))
			}
		}
	}
}

// clear empties a slot, and forgets the values that have nothing left.
func (t *top) clear(slot int) {
	kept := t.values[:0]
	for i := range t.values {
		c := t.values[i]
		c.total -= c.slot[slot]
		c.slot[slot] = 0
		if c.total == 0 {
			delete(t.by, c.hash)
			continue
		}
		t.by[c.hash] = int32(len(kept))
		kept = append(kept, c)
	}
	*t.room += len(t.values) - len(kept)
	clear(t.values[len(kept):])
	t.values, t.rare = kept, t.rare[:0]
}

// Value is a value and how often it came.
type Value struct {
	Text  string
	Count uint64
}

// newest returns the n most frequent values of the last slots up to slot, the most frequent first.
func (t *top) newest(slot, last, n int) []Value {
	counts := make([]uint64, len(t.values))
	order := make([]int, 0, len(t.values))
	for i := range t.values {
		for k := range last {
			counts[i] += uint64(t.values[i].slot[(slot-k+slots)%slots])
		}
		if counts[i] > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), slices.Compare(t.values[a].text, t.values[b].text))
	})
	out := make([]Value, 0, min(n, len(order)))
	for _, i := range order[:min(n, len(order))] {
		out = append(out, Value{string(t.values[i].text), counts[i]})
	}
	return out
}
