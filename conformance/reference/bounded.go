package reference

import "math"

// Bounded is an eager rule, of which all subs are grouped alike, that remembers so many keys at most.
type Bounded struct {
	Rule    *Rule
	Most    int
	Evicted int

	keys    map[string]*remembered
	touched int
}

// remembered is what is known of a key.
type remembered struct {
	events  []Event
	told    int
	rest    []Event // what no firing has consumed
	first   string  // value of the first field
	level   int     // how far it was when it was touched last
	touched int
}

// Step takes an event, nil when nothing but time passes, and returns what it completes; reached is where the watermark is then.
func (b *Bounded) Step(ev *Event, reached int64) (out []Firing) {
	if ev != nil {
		out = b.take(*ev)
	}
	for key, k := range b.keys { // nothing is known of it any more, once nothing earlier can come
		if !b.Rule.begun(k.rest) && k.events[len(k.events)-1].Time <= reached {
			delete(b.keys, key)
		}
	}
	return out
}

// Keys returns how many there are.
func (b *Bounded) Keys() int { return len(b.keys) }

func (b *Bounded) take(ev Event) (out []Firing) {
	if b.keys == nil {
		b.keys = map[string]*remembered{}
	}
	key, ok := "", false
	for s := range b.Rule.subs {
		if at, takes := b.Rule.takes(s, &ev); takes {
			key, ok = at, true
		}
	}
	if !ok {
		return nil
	}
	k := b.keys[key]
	if k == nil {
		k = &remembered{first: ev.Fields[b.Rule.keys[0][0]]}
		b.keys[key] = k
	}
	k.events, k.rest = append(k.events, ev), append(k.rest, ev)
	if all := b.Rule.Run(k.events); len(all) > k.told {
		out, k.told, k.rest = all[k.told:], len(all), nil
	}
	b.touched++
	k.touched, k.level = b.touched, b.Rule.advanced(k.rest)
	if len(b.Rule.keys[0]) > 1 {
		for 2*len(b.keys) >= b.Most && b.of(k.first) > max(b.Most/10, 1) {
			b.evict(k.first)
		}
	}
	for len(b.keys) > b.Most {
		b.evict("")
	}
	return out
}

// of counts the keys with a value of the first field.
func (b *Bounded) of(first string) (n int) {
	for _, k := range b.keys {
		if k.first == first {
			n++
		}
	}
	return n
}

// evict forgets, of the least advanced keys, the longest untouched; of those with one value of the first field unless it is "".
func (b *Bounded) evict(first string) {
	out, worst := "", &remembered{level: math.MaxInt}
	for key, k := range b.keys {
		if first != "" && k.first != first {
			continue
		}
		if k.level < worst.level || k.level == worst.level && k.touched < worst.touched {
			out, worst = key, k
		}
	}
	delete(b.keys, out)
	b.Evicted++
}

// begun reports whether events can be a part of something.
func (r *Rule) begun(events []Event) bool {
	last := len(r.subs) - 1
	for i := range events {
		for s := range r.subs {
			if _, ok := r.takes(s, &events[i]); ok && (s < last || r.subs[s].having != nil) {
				return true
			}
		}
	}
	return false
}

// advanced says how far events have come: 3 when a step of several is done, 2 with half of what a count asks for, 1 with
// more than one event that counts.
func (r *Rule) advanced(events []Event) (level int) {
	for s, sub := range r.subs {
		n := 0
		for i := range events {
			if _, ok := r.takes(s, &events[i]); ok {
				n++
			}
		}
		need := 1
		if sub.having != nil {
			need = int(threshold(sub.having[0].than, nil))
		}
		switch {
		case s < len(r.subs)-1 && n >= need:
			return 3
		case sub.having != nil && n > 1 && 2*n >= need:
			level = max(level, 2)
		case sub.having != nil && n > 1:
			level = max(level, 1)
		}
	}
	return level
}
