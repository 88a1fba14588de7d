// Package state is what a rule remembers: keys that live for a span of log time, counted against a quota, and changed by
// a whole batch or not at all.
//
// It is the one implementation of vedette_kv_v1, vedette_window_v1 and vedette_timer_v1 (sdk/ABI.md 12, 13, 20): a host keeps a Space for
// each organization and module, and the native tests of a module run against one. There is no clock, no randomness and
// no I/O in it, so the same calls give the same answers and the same bytes everywhere.
package state

import (
	"math"
)

// Code is what a call answers beside its result.
type Code int32

// The codes of ABI 12.4. They are the negative results of the imports.
const (
	Limit  Code = -1 // a quota or a bound: nothing was changed
	Absent Code = -2 // there is no such key
	Short  Code = -3 // the value is longer than the room for it: nothing was written
)

// kind separates what the calls keep: a value and a count of the same key do not meet.
type kind uint8

const (
	kindValue kind = iota
	kindCount
	kindDistinct
	kindSeen
	kindStep
	kindTimer // value empty; expires is when it is due
	kinds
)

// forever is the expiry of a value without a time to live.
const forever = math.MaxInt64

// maxNow keeps sums of a log time and a time to live from overflowing.
const maxNow = 1 << 62

// entry is one key. It is alive while the log time is below expires.
type entry struct {
	key     string
	value   []byte
	expires int64
	due     int64 // at most expires: what the queue is ordered by, brought up to date when the entry comes first
	pos     int   // in its queue
	stamp   uint64
	kind    kind
}

func (e *entry) size() int { return EntryBytes + len(e.key) + len(e.value) }

// Space is the state of one module for one organization. Changes are made in a session: Begin, calls, and then Commit
// or Rollback, which leaves the space exactly as Begin found it. It belongs to one goroutine.
type Space struct {
	lim    Limits
	budget *Budget
	now    int64
	bytes  int
	keys   [kinds]map[string]*entry
	values queue // kindValue: never removed before their time
	others queue // all that the calls of a window keep: the soonest to expire makes room for another
	timers queue // never removed but by Due
	lost   Lost

	session uint64
	open    bool
	calls   int
	changes []change
	saved   []byte // values as they were, of changes
	evicted int
	name    []byte // the key at hand with what distinguishes it
}

// Lost is what did not fit into the quota.
type Lost struct {
	Evicted int // keys of windows that made room for others before their time
	Refused int // calls that were answered with Limit because of the quota
}

// New returns an empty space. budget may be nil.
func New(l Limits, budget *Budget) *Space {
	s := &Space{lim: l.withDefaults(), budget: budget, session: 1}
	for k := range s.keys {
		s.keys[k] = map[string]*entry{}
	}
	return s
}

// Len returns the number of keys, those included that have expired and were not swept yet.
func (s *Space) Len() int { return len(s.values) + len(s.others) + len(s.timers) }

// Bytes returns what the keys count for.
func (s *Space) Bytes() int { return s.bytes }

// Lost returns what did not fit since it was last asked.
func (s *Space) Lost() Lost {
	l := s.lost
	s.lost = Lost{}
	return l
}

// Free gives back what the space has taken of its budget. It must not be used any more.
func (s *Space) Free() {
	s.budget.add(-s.bytes)
	s.bytes = 0
}

// Sweep removes what has expired at a log time in ns. There must be no open session.
func (s *Space) Sweep(at int64) {
	s.now = max(s.now, min(at, maxNow))
	for _, q := range []*queue{&s.values, &s.others} {
		for e := q.soonest(); e != nil && e.expires <= s.now; e = q.soonest() {
			s.detach(e)
		}
	}
}

// Begin starts a session at a log time in ns. Log time never goes back: an earlier one is taken for the latest.
func (s *Space) Begin(at int64) {
	s.Sweep(at)
	s.open, s.calls, s.evicted = true, 0, 0
}

// Commit keeps what the session has changed.
func (s *Space) Commit() {
	s.lost.Evicted += s.evicted
	s.end()
}

// Rollback undoes what the session has changed.
func (s *Space) Rollback() {
	for n := len(s.changes) - 1; n >= 0; n-- {
		c := &s.changes[n]
		switch c.op {
		case created:
			s.detach(c.e)
		case removed:
			s.attach(c.e)
		case changed:
			s.resize(c.e, c.n)
			copy(c.e.value, s.saved[c.off:])
			s.expire(c.e, c.expires)
		}
	}
	s.end()
}

func (s *Space) end() {
	clear(s.changes)
	s.changes, s.saved = s.changes[:0], s.saved[:0]
	s.open = false
	s.session++
}

// Open reports whether a session has begun and not ended.
func (s *Space) Open() bool { return s != nil && s.open }

// change is one step of a session that can be undone.
type change struct {
	op      uint8
	e       *entry
	off, n  int // in saved
	expires int64
}

const (
	created uint8 = iota
	removed
	changed
)

// call counts a call of the session against its limit.
func (s *Space) call() bool {
	s.calls++
	return s.calls <= s.lim.Calls
}

// find returns an entry; nil when there is none. All are alive: a session begins with a sweep, and has one log time.
func (s *Space) find(k kind, key []byte) *entry { return s.keys[k][string(key)] }

// create adds an entry with a value of n zero bytes; nil when it does not fit.
func (s *Space) create(k kind, key []byte, n int, expires int64) *entry {
	if !s.room(EntryBytes+len(key)+n, 1, k, nil) {
		return nil
	}
	e := &entry{key: string(key), value: make([]byte, n), expires: expires, kind: k, stamp: s.session}
	s.attach(e)
	s.changes = append(s.changes, change{op: created, e: e})
	return e
}

// save notes how an entry is before it is changed, once in a session.
func (s *Space) save(e *entry) {
	if e.stamp == s.session {
		return
	}
	e.stamp = s.session
	s.changes = append(s.changes, change{op: changed, e: e, off: len(s.saved), n: len(e.value), expires: e.expires})
	s.saved = append(s.saved, e.value...)
}

// remove takes an entry out.
func (s *Space) remove(e *entry) {
	s.detach(e)
	s.changes = append(s.changes, change{op: removed, e: e})
}

// fit makes an entry's value n bytes long, the new ones zero, and says whether there is room for it. save was called.
func (s *Space) fit(e *entry, n int) bool {
	if n > len(e.value) && !s.room(n-len(e.value), 0, e.kind, e) {
		return false
	}
	s.resize(e, n)
	return true
}

func (s *Space) resize(e *entry, n int) {
	was := len(e.value)
	if n > cap(e.value) {
		e.value = append(e.value, make([]byte, n-was)...)
	}
	e.value = e.value[:n]
	if n > was {
		clear(e.value[was:])
	}
	s.bytes += n - was
	s.budget.add(n - was)
}

// room makes sure that bytes and keys more can be kept. Windows make room by what expires soonest among them; a value or
// a timer is what the module asked for, so nothing takes its place. self is never removed.
func (s *Space) room(bytes, keys int, k kind, self *entry) bool {
	for s.Len()+keys > s.lim.Keys || s.bytes+bytes > s.lim.Bytes || !s.budget.fits(bytes) {
		e := s.others.soonest()
		if k == kindValue || k == kindTimer || e == nil || e == self {
			s.lost.Refused++
			return false
		}
		s.remove(e)
		s.evicted++
	}
	return true
}

func (s *Space) attach(e *entry) {
	e.due = e.expires
	s.keys[e.kind][e.key] = e
	s.queueOf(e).push(e)
	s.bytes += e.size()
	s.budget.add(e.size())
}

func (s *Space) detach(e *entry) {
	delete(s.keys[e.kind], e.key)
	s.queueOf(e).remove(e)
	s.bytes -= e.size()
	s.budget.add(-e.size())
}

// expire moves an entry's end.
func (s *Space) expire(e *entry, at int64) {
	e.expires = at
	if at < e.due {
		e.due = at
		s.queueOf(e).up(e.pos)
	}
}

func (s *Space) queueOf(e *entry) *queue {
	switch e.kind {
	case kindValue:
		return &s.values
	case kindTimer:
		return &s.timers
	}
	return &s.others
}

// queue is a heap of entries by due, and then by key, so that the order does not depend on how it came about.
type queue []*entry

func (q queue) less(i, j int) bool {
	a, b := q[i], q[j]
	if a.due != b.due {
		return a.due < b.due
	}
	if a.key != b.key {
		return a.key < b.key
	}
	return a.kind < b.kind
}

// soonest returns the entry that expires first; nil when there is none. Entries whose end was put off since they were
// last looked at are moved to their place on the way.
func (q queue) soonest() *entry {
	for len(q) > 0 {
		e := q[0]
		if e.due == e.expires {
			return e
		}
		e.due = e.expires
		q.down(0)
	}
	return nil
}

func (q *queue) push(e *entry) {
	e.pos = len(*q)
	*q = append(*q, e)
	q.up(e.pos)
}

func (q *queue) remove(e *entry) {
	at, last := e.pos, len(*q)-1
	q.swap(at, last)
	(*q)[last] = nil
	*q = (*q)[:last]
	if at < last {
		q.down(at)
		q.up(at)
	}
}

func (q queue) swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].pos, q[j].pos = i, j
}

func (q queue) up(i int) {
	for i > 0 && q.less(i, (i-1)/2) {
		q.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (q queue) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q); child++ {
			if q.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		q.swap(i, least)
		i = least
	}
}
